"""A project with a report and packs that may go out, and settings that say to whom."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING

from report_fixtures import at, small

from analysis.report.delivery import dispatch
from analysis.report.run import plan, provenance
from analysis.store import manifest, processed, published_runs, pull
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
    publish_small(folder)
    rewrite(folder, answers=ANSWERS, key_metrics=[])
    return folder


def publish_small(folder: Path) -> Path:
    """Put a report of 2026Q2 in place that follows from the exports of today; return its PDF."""
    with at(folder):
        processed.prepare_dataset("small")
        company = open_company("small", quarter="2026Q2")
        parameters = {"dataset": "small", "quarter": "2026Q2"}
        run_plan = plan.Plan(manifest.run_id(company, parameters), parameters, [], [], {})
        now = dt.datetime(2026, 7, 2, tzinfo=dt.UTC)
        state = provenance.state_manifest(company, run_plan, [], now, [])
        where = company.paths.report
        where.mkdir(parents=True, exist_ok=True)
        for name in manifest.FILE_HASHES:
            (where / name).write_bytes(f"run:{run_plan.run_id}".encode())
        state |= manifest.file_hashes(where)
        manifest.write_manifest(where, state)
        published_runs.keep_run(state)
    return where / "alignment-roi.pdf"


def pull_small(folder: Path) -> sqlite3.Connection:
    """Put the deals into an SQLite file as Fivetran lands them and pull them in place of their CSV."""
    raw = folder / "data" / "raw" / "small"
    session = sqlite3.connect(folder / "crm.sqlite")
    session.execute(
        "create table opportunity (id text primary key, owner_id text, stage_name text, amount real, close_date text,"
        " created_date text, is_deleted text, _fivetran_synced text, _fivetran_deleted integer)"
    )
    for number, stage, day, created in (
        ("0065eZx00000RFBAB2", "Closed Won", "2026-03-30", "2026-01-04T16:31:01Z"),
        ("0065eZx00000TIuABM", "Closed Lost", "2026-06-30", "2026-04-04T16:31:01Z"),
    ):
        row = (
            number,
            "0055eZx00000RFBAB2",
            stage,
            1000.0,
            day,
            created,
            "false",
            f"{day} 00:00:00",
            0,
        )
        session.execute("insert into opportunity values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    session.commit()
    (raw / "Opportunity.csv").unlink()
    house, own = folder / "alignment.toml", raw / "alignment.toml"
    house.write_text(
        f'{house.read_text()}\n[connections.crm]\ndriver = "sqlite"\npath = "{folder / "crm.sqlite"}"\n'
        'datasets = ["small"]\n'
    )
    own.write_text('[pull]\nconnection = "crm"\n')
    pull_again(folder)
    return session


def pull_again(folder: Path) -> None:
    """Pull what changed since."""
    with at(folder):
        pull.pull_dataset("small", say=lambda _: None)


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


def deliver(root: Path, today: dt.date = TODAY, **options: object) -> tuple[bool, list[str]]:
    """Send what is due; return whether all went well, and what was said."""
    lines: list[str] = []
    with at(root):
        plan = dispatch.plan_delivery("small", today, **options)
        is_whole = dispatch.send_all(plan, say=lines.append, complain=lines.append)
    return is_whole, lines
