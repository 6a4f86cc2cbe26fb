"""Page one of the demo company's latest report as a picture for the README.

`.venv/bin/python docs/page_one.py` writes ``docs/page_one.png`` from the report that stands; run
``make report`` first.  The same report gives the same bytes.
"""

from pathlib import Path

from analysis.project import paths
from analysis.report import pdf
from analysis.report.review import page
from analysis.report.run import plan, publish
from analysis.store import manifest
from analysis.store.company import open_company

DATASET = "demo"
PPI = 96  # 816 points wide: sharp at the README's width, and small


def main() -> None:
    """Write the picture."""
    standing = max(p.parent for p in (paths.reports_folder() / DATASET).glob(f"*/{publish.PDF}"))
    state = manifest.read_manifest(standing)
    if state is None:
        raise SystemExit(f"no report of {DATASET}: run `make report` first")
    company = open_company(DATASET, quarter=state["quarter"])
    made = plan.plan_report(company, {})
    executed = [standing / "notebooks" / n.name for n in made.notebooks]
    document = publish._document(company, made, executed, state["notices"])  # noqa: SLF001
    nothing_again = page.Past(before=None, first=None, jobs=[])
    document["quarterly"] = page.quarterly_pages(document, company, nothing_again, []).content
    picture = pdf.render_page(document, ppi=PPI)
    (Path(__file__).parent / "page_one.png").write_bytes(picture)


if __name__ == "__main__":
    main()
