"""Page one of the demo company's latest report as a picture for the README.

`.venv/bin/python docs/page_one.py` writes ``docs/page_one.png`` from the report that stands; run
``make report`` first.  The same report gives the same bytes.
"""

from pathlib import Path

from analysis.project import paths, quarters
from analysis.report import pdf
from analysis.report.run import plan, publish
from analysis.store import manifest, processed

DATASET = "demo"
PPI = 96  # 816 points wide: sharp at the README's width, and small


def main() -> None:
    """Write the picture."""
    account = processed.read_audit(DATASET)
    standing = max(p.parent for p in (paths.reports_folder() / DATASET).glob(f"*/{publish.PDF}"))
    state = manifest.read_manifest(standing)
    if state is None:
        raise SystemExit(f"no report of {DATASET}: run `make report` first")
    made = plan.plan_report(account, quarters.parse_quarter(state["quarter"]), {})
    executed = [standing / "notebooks" / n.name for n in made.notebooks]
    page = pdf.render_page(publish._document(account, made, executed, state["notices"]), ppi=PPI)  # noqa: SLF001
    (Path(__file__).parent / "page_one.png").write_bytes(page)


if __name__ == "__main__":
    main()
