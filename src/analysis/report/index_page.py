"""`reports/index.html`: every report there is, made from the manifests alone.

A plain page that opens from the file system; newest first, with what failed and why.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from analysis.project import paths
from analysis.project.whole_file import write_whole
from analysis.store import manifest

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.store.run_record import Manifest

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Alignment ROI reports</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 Inter, system-ui, sans-serif; color: #14213d; max-width: 60rem;
  margin: 3rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid #e5e7eb; vertical-align: top }}
a {{ color: #1d5fa8 }} .failed {{ color: #c2410c; font-weight: 600 }} small {{ color: #6b7280 }}
</style></head><body>
<h1>Alignment ROI reports</h1>
<table><thead><tr><th>Dataset</th><th>Quarter</th><th>Report</th><th>State</th><th>Owner and readers</th></tr></thead>
<tbody>
{rows}
</tbody></table>
</body></html>
"""  # noqa: E501


def _state(entry: Manifest) -> str:
    if entry["status"] == "ok":
        return (
            f"as of {html.escape(entry['as_of'])}<br><small>run "
            f"{html.escape(entry['run_id'])}</small>"
        )
    broken = [n for n in entry["notebooks"] if n["status"] not in manifest.WITHOUT_FAILURE]
    state = broken[0]["status"] if broken else entry["status"]
    where = manifest.failure_line(broken[0]) if broken else str(entry["error"])
    before = entry["previous_run_id"]
    failed_note = (
        f"<br><small>the files are those of run {html.escape(before)}</small>" if before else ""
    )
    return (
        "<span "
        f'class="failed">{html.escape(state)}</span><br><small>{html.escape(where)}</small>{failed_note}'
    )


def _row(folder: Path, entry: Manifest) -> str:
    here = folder.relative_to(paths.reports_folder()).as_posix()
    links = [
        f'<a href="{html.escape(f"{here}/{file.name}")}">{kind}</a>'
        for kind, file in (
            ("PDF", folder / "alignment-roi.pdf"),
            ("workbook", folder / "alignment-roi.xlsx"),
        )
        if file.is_file()
    ]
    cells = [
        html.escape(entry["dataset"]),
        html.escape(entry["quarter_label"]),
        " · ".join(links) or "none yet",
        _state(entry),
        f"{html.escape(entry['owner'])}<br><small>for {html.escape(entry['audience'])}</small>",
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def write_index() -> None:
    """Rebuild the index from the manifests of all reports."""
    manifests = [
        (f.parent, manifest.read_manifest(f.parent))
        for f in paths.reports_folder().glob(f"[!.]*/[!.]*/{manifest.FILE}")
    ]
    entries = [(folder, entry) for folder, entry in manifests if entry]
    newest_first = sorted(entries, key=lambda e: (e[1]["quarter"], e[1]["dataset"]), reverse=True)
    page = PAGE.format(rows="\n".join(_row(*e) for e in newest_first))
    with write_whole(paths.reports_folder() / "index.html") as part:
        part.write_text(page, encoding="utf-8")
