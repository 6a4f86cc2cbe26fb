"""`reports/index.html`: every report there is, made from the manifests alone.

A page that opens from the file system; newest first, with the answers and key metrics of each, and
with what failed and why.  Lists of choices filter it by style alone: no script.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from analysis.project import paths
from analysis.project.whole_file import write_whole
from analysis.report import answers_in_brief, web_page
from analysis.report.delivery import delivery_status
from analysis.store import manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analysis.store.run_record import Manifest

Report = dict[str, Any]
FILES = (
    ("Web page", paths.REPORT_HTML),
    ("PDF", paths.REPORT_PDF),
    ("Workbook", paths.REPORT_WORKBOOK),
)
STATES = ("published", "failed")
CHOICES = ("company", "quarter", "state")


def write_index() -> None:
    """Rebuild the index from the manifests of all reports."""
    manifests = [
        (f.parent, manifest.read_manifest(f.parent))
        for f in paths.reports_folder().glob(f"[!.]*/[!.]*/{manifest.FILE}")
    ]
    entries = [(folder, entry) for folder, entry in manifests if entry]
    today = dt.datetime.now(tz=dt.UTC).date()
    packs = _packs_by_report(today)
    entries += _without_report(packs, {folder for folder, _ in entries})
    entries.sort(key=lambda e: e[1]["dataset"])
    entries.sort(key=lambda e: e[1]["quarter"], reverse=True)
    quarters: dict[str, set[str]] = {}
    for _, entry in entries:
        quarters.setdefault(entry["dataset"], set()).add(entry["quarter"])
    overdue = delivery_status.overdue_lines(quarters, today)
    paths.reports_folder().mkdir(exist_ok=True)
    with write_whole(paths.reports_folder() / "index.html") as part:
        part.write_bytes(
            _page(
                [_report(*each, today) | {"packs": packs.get(each[0], [])} for each in entries],
                overdue,
            )
        )


def _packs_by_report(today: dt.date) -> dict[Path, list[Report]]:
    """Return the packs of teams by the folder of the report they belong to, in order of name."""
    by_report: dict[Path, list[Report]] = {}
    pattern = f"[!.]*/[!.]*/{paths.TEAMS_FOLDER}/[!.]*/{manifest.FILE}"
    for file in sorted(paths.reports_folder().glob(pattern)):
        if entry := manifest.read_manifest(file.parent):
            report = file.parents[2]
            name = entry.get("title", "") or entry.get("team", "")
            by_report.setdefault(report, []).append(
                _report(file.parent, entry, today) | {"name": name}
            )
    return {
        folder: sorted(packs, key=lambda p: str(p["name"])) for folder, packs in by_report.items()
    }


def _without_report(
    packs: dict[Path, list[Report]], with_report: set[Path]
) -> list[tuple[Path, Any]]:
    """Return a place in the list for packs whose company has no report of the quarter yet."""
    return [
        (folder, {**several[0]["entry"], "run_id": "of each pack", "status": "ok", "notebooks": []})
        for folder, several in packs.items()
        if folder not in with_report
    ]


def _page(reports: list[Report], overdue: list[str]) -> bytes:
    options = {
        "company": sorted({r["company"] for r in reports}),
        "quarter": sorted({r["quarter"] for r in reports}, reverse=True),
        "state": [s for s in STATES if any(r["state"] == s for r in reports)],
    }
    for report in reports:
        report |= {f"{name}_at": options[name].index(report[name]) for name in CHOICES}
    return web_page.fill_template(
        "index.html.j2",
        more_style=filter_style([len(options[name]) for name in CHOICES]),
        reports=reports,
        overdue=overdue,
        companies=options["company"],
        quarters=options["quarter"],
        states=options["state"],
        open_words=answers_in_brief.OPEN_WORDS,
    )


def filter_style(sizes: Sequence[int]) -> str:
    """Return the CSS rules that hide the reports a reader's choice leaves out; `sizes` are those of
    `CHOICES`.

    Examples
    --------
    >>> filter_style([0, 1, 0])
    'main:has(option[value="quarter0"]:checked) .report:not(.quarter0){display:none}'
    """
    hidden = [
        f'main:has(option[value="{name}{i}"]:checked) .report:not(.{name}{i})'
        for name, size in zip(CHOICES, sizes, strict=True)
        for i in range(size)
    ]
    return f"{','.join(hidden)}{{display:none}}" if hidden else ""


def _report(folder: Path, entry: Manifest, today: dt.date) -> Report:
    here = folder.relative_to(paths.reports_folder()).as_posix()
    is_failed = entry["status"] != "ok"
    return {
        "entry": entry,
        "company": entry.get("company") or entry["dataset"],
        "quarter": entry["quarter"],
        "state": STATES[is_failed],
        "files": [(kind, f"{here}/{name}") for kind, name in FILES if (folder / name).is_file()],
        "failure": _failure(entry) if is_failed else None,
        "answers": entry.get("answers", []),
        "metrics": entry.get("key_metrics", []),
        "due": delivery_status.due_day(entry["dataset"], entry["quarter"]),
        "deliveries": delivery_status.delivery_lines(entry["dataset"], entry["quarter"], today),
    }


def _failure(entry: Manifest) -> dict[str, str]:
    broken = [n for n in entry["notebooks"] if n["status"] not in manifest.WITHOUT_FAILURE]
    return {
        "state": str(broken[0]["status"] if broken else entry["status"]),
        "where": manifest.failure_line(broken[0]) if broken else str(entry["error"]),
    }
