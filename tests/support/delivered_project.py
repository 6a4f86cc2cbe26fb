"""A project with a report and packs that may go out, and settings that say to whom."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING

from report_fixtures import at, small

from analysis.report.run import plan, provenance
from analysis.store import manifest
from analysis.store.company import open_company

if TYPE_CHECKING:
    from pathlib import Path

TODAY = dt.date(2026, 7, 10)
OWNER, CFO, LEAD = "ops@acme.test", "cfo@acme.test", "lead@acme.test"
ANSWERS = [
    {"question": "What does an hour of selling cost?", "word": "Up", "text": "It costs $399."},
    {"question": "Does alignment pay?", "word": "Cannot tell", "text": "Two teams are too few."},
]
METRIC = {
    "estimate": 520.0, "low": 500.0, "high": 540.0, "unit": "USD/h", "n": 12, "n_of": "reps",
    "kind": "measure", "verdict": None, "method": "", "source": "",
}  # fmt: skip


def published_project(folder: Path) -> Path:
    """Make a project of two deals with a report of 2026Q2 that follows from them: a run id in a file."""
    folder = small(folder)
    history = folder / "data" / "history" / "small" / "2026Q1"
    history.mkdir(parents=True)
    earlier = {"metrics": {"cost_per_selling_hour": METRIC | {"estimate": 480.0}}}
    (history / manifest.FILE).write_text(json.dumps(earlier))
    with at(folder):
        company = open_company("small", quarter="2026Q2")
        parameters = {"dataset": "small", "quarter": "2026Q2"}
        run_plan = plan.Plan(manifest.run_id(company, parameters), parameters, [], [], {})
        now = dt.datetime(2026, 7, 2, tzinfo=dt.UTC)
        state = provenance.state_manifest(company, run_plan, [], now, [])
        where = company.paths.report
        where.mkdir(parents=True)
        for name in manifest.FILE_HASHES:
            (where / name).write_bytes(f"run:{run_plan.run_id}".encode())
        manifest.write_manifest(where, state | manifest.file_hashes(where))
    rewrite(folder, answers=ANSWERS, key_metrics=[])
    return folder


def report_folder(root: Path) -> Path:
    return root / "reports" / "small" / "2026Q2"


def rewrite(root: Path, folder: Path | None = None, **changes: object) -> dict[str, object]:
    """Change what a manifest says; return it."""
    file = (folder or report_folder(root)) / manifest.FILE
    content = json.loads(file.read_text()) | changes
    file.write_text(json.dumps(content))
    return content


def add_packs(root: Path, *teams: str) -> list[Path]:
    """Put packs of teams beside the report, as reports lie: a folder, a manifest, a PDF."""
    folders = []
    for n, team in enumerate(teams):
        folder = report_folder(root) / "teams" / f"t{n}"
        folder.mkdir(parents=True)
        (folder / "alignment-roi.pdf").write_bytes(f"%PDF pack {n}".encode())
        own = json.loads((report_folder(root) / manifest.FILE).read_text())
        digest = hashlib.sha256(f"%PDF pack {n}".encode()).hexdigest()
        own |= {"run_id": f"{n:016x}", "pdf_sha256": digest, "parameters": {"team": team}, "team": team}  # fmt: skip
        own |= {"title": f"Team {team}"}
        (folder / manifest.FILE).write_text(json.dumps(own))
        folders.append(folder)
    return folders


def configure(root: Path, port: int, *recipients: tuple[str, str | None], more: str = "") -> None:
    """Write who gets what into the root's settings."""
    rows = "".join(
        f'[[delivery.recipients]]\naddress = "{address}"\ndataset = "small"\n'
        + (f"pack = {json.dumps(pack)}\n" if pack else "")
        for address, pack in recipients
    )
    file = root / "alignment.toml"
    house = file.read_text().partition("\n[delivery]")[0] + "\n"
    top, _, tables = more.partition("\n[")
    file.write_text(
        f'{house}[delivery]\nsender = "roi@acme.test"\nowner = "{OWNER}"\ndomains = ["acme.test"]\n{top}\n'
        f'[delivery.mail_server]\nhost = "127.0.0.1"\nport = {port}\ntls = "off"\n{rows}'
        + (f"[{tables}" if tables else "")
    )
