"""What there is to send of a dataset: its newest report and the packs beside it, and why not.

All is taken from the manifests that lie beside the files.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from analysis.project import paths
from analysis.project.quarters import QUARTER, last_complete, parse_quarter
from analysis.report import answers_in_brief
from analysis.report.run import verify
from analysis.store import manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analysis.store.run_record import Manifest

PACKS = "teams"  # the folder of packs, in that of the quarter's report
WITHHELD = "every answer is withheld"
FAILED = "it failed"


class Deliverable(NamedTuple):
    """A report, or a team's pack; `why_not` says why it goes to nobody but the owner."""

    dataset: str
    quarter: str
    pack: str | None
    folder: Path
    state: Manifest
    why_not: str

    @property
    def file(self) -> Path:
        """The PDF."""
        return self.folder / paths.REPORT_PDF

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"{self.dataset} {self.quarter}" + (f", pack {self.pack}" if self.pack else "")


def newest_deliverables(dataset: str, fiscal_year_start_month: int) -> list[Deliverable]:
    """Return the report of a dataset's newest quarter, then its packs; none where none was made."""
    folder = paths.reports_folder() / dataset
    of_quarters = [f for f in folder.glob("[!.]*") if QUARTER.fullmatch(f.name)]
    with_report = [f for f in sorted(of_quarters) if _states_in(f)]
    if not with_report:
        return []
    states = _states_in(with_report[-1])
    company = next((state for _, pack, state in states if pack is None), None)
    answers: dict[str, str] = {}
    return [
        Deliverable(
            dataset,
            with_report[-1].name,
            pack,
            where,
            state,
            _why_not(where, state, None if pack is None else company, fiscal_year_start_month)
            or _out_of_date(where, state, answers),
        )
        for where, pack, state in states
    ]


def _states_in(folder: Path) -> list[tuple[Path, str | None, Manifest]]:
    states: list[tuple[Path, str | None, Manifest]] = []
    if own := manifest.read_manifest(folder):
        states.append((folder, None, own))
    for each in sorted((folder / PACKS).glob(f"[!.]*/{manifest.FILE}")):
        if state := manifest.read_manifest(each.parent):
            team = state["parameters"].get("team") or each.parent.name
            states.append((each.parent, str(team), state))
    return states


def _why_not(folder: Path, state: Manifest, company: Manifest | None, month: int) -> str:
    """Return why a report must not go to its audience; empty where it may."""
    file, reason = folder / paths.REPORT_PDF, ""
    if state["status"] != "ok":
        reason = FAILED
    elif not file.is_file():
        reason = "there is no PDF"
    elif hashlib.sha256(file.read_bytes()).hexdigest() != state["pdf_sha256"]:
        reason = "its PDF is not the one that was published"
    elif _is_all_withheld(state):
        reason = WITHHELD
    elif parse_quarter(state["quarter"]) > last_complete(
        dt.date.fromisoformat(state["as_of"]), month
    ):
        reason = "its quarter is not over in the data"
    elif company is not None:
        is_same = company["status"] == "ok" and _stands_on(state) == _stands_on(company)
        reason = "" if is_same else "it does not stand on what the company's report does"
    return reason


def _out_of_date(folder: Path, state: Manifest, answers: dict[str, str]) -> str:
    """Return why a report does not follow from today's data and code; empty where it does.

    What stands on the same inputs, code and settings is out of date together: the first of them,
    the company's report where there is one, is asked, and `answers` keeps what came.
    """
    moment = repr(_stands_on(state))
    if moment not in answers:
        verdict = verify.verify_report(folder / paths.REPORT_PDF)
        is_fine = verdict.holds and verdict.is_of_today
        answers[moment] = "" if is_fine else f"it is out of date: {verdict.says}"
    return answers[moment]


def _is_all_withheld(state: Manifest) -> bool:
    """Return whether a report answers nothing; one that names no question answers nothing."""
    answers: Sequence[str] = [str(a["word"]) for a in state.get("answers", [])]
    if answers:
        return all(word == answers_in_brief.WITHHELD for word in answers)
    return not any(word in {"answered", "warned"} for word in state.get("questions", {}).values())


def _stands_on(state: Manifest) -> tuple[object, ...]:
    """Return what a report and its packs have in common where they are of one moment."""
    inputs = sorted((f["file"], f["sha256"]) for f in state["inputs"])
    return inputs, state["code_sha256"], state["lock_sha256"], state.get("settings_sha256")
