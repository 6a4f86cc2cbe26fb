"""One quarter's report, from raw exports to published files.

Everything is made in a folder of its own and renamed into place at the end.  A notebook that fails
leaves the last good PDF where it was, its own partial notebook under ``failed/``, and a manifest
that says which cell and why.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import paths, prepare, settings
from analysis.models import answerability, hours_account, narrative, restatements, won_deals
from analysis.report import audit, document, execute, manifest, payload, pdf, planning, provenance, site, workbook
from analysis.report.quarterly import actions, assemble, editions, forecasting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analysis.quarters import Quarter
    from analysis.report.document import Document
    from analysis.report.execute import Parameter
    from analysis.report.manifest import Manifest

PDF = "alignment-roi.pdf"
WORKBOOK = "alignment-roi.xlsx"
TITLE = "What selling costs, and whether alignment pays"


class Published(NamedTuple):
    """What became of one quarter's report; `is_new` is False where it stood already."""

    manifest: Manifest
    folder: Path
    is_new: bool


def notices(account: Mapping[str, Any], quarter: str, tolerance_rate: float) -> list[str]:
    """Return what a reader must know before any figure: an unreconciled total, refused files and sources of hours."""
    said = []
    gaps = {r["quarter"]: r["gap_rate"] for r in account["reconciliation"]}
    if quarter not in gaps:
        said.append("Not reconciled: finance's bookings of the quarter are not in the exports.")
    elif abs(gaps[quarter]) > tolerance_rate:
        said.append(
            f"Not reconciled: bookings in the CRM are {gaps[quarter]:+.1%} off finance's total; "
            f"up to {tolerance_rate:.0%} is tolerated."
        )
    refused = [r["file"] for r in account["refusals"]]
    if refused:
        which = "1 file" if len(refused) == 1 else f"{len(refused)} files"
        said.append(f"Left out: {which} that could not be understood ({', '.join(refused[:3])}).")
    return said + hours_account.notices(account)


def _restated(dataset: str, quarter: str, tolerance_rate: float) -> list[str]:
    """Return a notice for each quarter published before whose bookings are others today."""
    then, deals = (prepare.frozen(dataset, n, before=quarter) for n in ("team_quarter", "won_deals"))
    moved = restatements.moves(deals, prepare.load(dataset, "won_deals"), prepare.load(dataset, "quarantine"))
    return restatements.notices(restatements.table(then, prepare.load(dataset, "team_quarter"), moved), tolerance_rate)


def _large_deals(account: Mapping[str, Any], quarter: Quarter) -> list[str]:
    """Return a notice of bookings with and without deals that are far out of scale, where there are any."""
    dataset, name = account["dataset"], str(quarter)
    house = settings.load(dataset)
    deals, teams = prepare.load(dataset, "opportunities"), prepare.load(dataset, "team_quarter")
    won = won_deals.of_quarter(deals, name, house.company.fiscal_year_start_month)
    total = float(teams.loc[teams["quarter"] == name, "bookings_amount"].sum())
    says = won_deals.large_deals_sentence(
        total, won, account, name,
        currency=house.company.currency, tolerance_rate=house.reconciliation.tolerance_rate,
    )  # fmt: skip
    return [says] if says else []


def _reader_notices(account: Mapping[str, Any], quarter: Quarter) -> list[str]:
    """Return all that page one says before any figure."""
    dataset, name = account["dataset"], str(quarter)
    house = settings.load(dataset)
    tolerance_rate = house.reconciliation.tolerance_rate
    said = audit.currency_notice(house) + notices(account, name, tolerance_rate) + _large_deals(account, quarter)
    if "bookings" in answerability.withheld_questions(account):
        return said
    return said + _restated(dataset, name, tolerance_rate)


def _document(account: Mapping[str, Any], made: planning.Plan, executed: Sequence[Path], said: list[str]) -> Document:
    house = settings.load(account["dataset"])
    return document.document(
        executed,
        title=TITLE,
        company=house.company.name or account["dataset"],
        owner=house.report.owner,
        audience=house.report.audience,
        quarter_label=made.quarter.label(house.company.fiscal_year_start_month),
        as_of=account["as_of"],
        notices=said,
        facts=provenance.facts(account, made),
        missing=made.missing,
        earlier=made.earlier,
        exports=answerability.page_one_lines(account, house.company.currency),
    )


def _drop_stopped(jobs: Sequence[execute.Job], made: planning.Plan) -> None:
    """Remove notebooks that the data stopped halfway: a page says why, and half an answer is none."""
    for job in jobs:
        if job.notebook not in made.notebooks:
            job.output.unlink()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _keep_failed(folder: Path, scratch: Path, state: Manifest) -> None:
    """Keep a failed run's partial notebooks beside the last good report, which stays as it is."""
    before = manifest.read(folder)
    state["previous_run_id"] = before and (before["run_id"] if before["status"] == "ok" else before["previous_run_id"])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "failed", ignore_errors=True)
    (scratch / "notebooks").rename(folder / "failed")
    manifest.write(folder, state)


def _recover(folder: Path) -> None:
    """Clear away what a run that was killed left behind; what it had moved aside goes back."""
    for left in paths.reports().glob(f"{_prefix(folder)}*"):
        if not folder.exists() and (left / "old").is_dir():
            (left / "old").rename(folder)
        shutil.rmtree(left)


def _prefix(folder: Path) -> str:
    return f".{folder.parent.name}-{folder.name}-"


def _put_in_place(new: Path, folder: Path, scratch: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(scratch / "old")
    new.rename(folder)


def _remember(dataset: str, made: planning.Plan, state: Manifest, told: Mapping[str, Any]) -> None:
    """Keep what the report stood on: its manifest, and what the quarter's first edition stood on and foretold."""
    kept = editions.keep(dataset, str(made.quarter), state)
    forecasting.keep(kept, str(made.quarter), told)
    manifest.write(kept, state)


def publish(
    account: dict[str, Any],
    quarter: Quarter,
    given: Mapping[str, Parameter],
    *,
    workers: int,
    force: bool,
    say: Callable[[str], None],
    as_of: dt.date | None = None,
) -> Published:
    """Make a quarter's report and put it in place, unless it stands there already.

    `say` is told in plain lines what is going on; `as_of` is the day asked for, if one was.
    """
    dataset = account["dataset"]
    made = planning.plan(account, quarter, given, as_of)
    folder = paths.report(dataset, str(quarter))
    _recover(folder)
    standing = manifest.read(folder)
    if standing and not force and manifest.is_current(folder, PDF, made.run_id):
        return Published(standing, folder, is_new=False)
    actions.reviews(dataset, before=str(quarter))  # a wrong one is refused before a kernel starts
    started, clock = dt.datetime.now(tz=dt.UTC), time.monotonic()
    said = _reader_notices(account, quarter)
    paths.reports().mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.reports(), prefix=_prefix(folder)) as name:
        scratch = Path(name)
        new = scratch / "new"
        (scratch / "notebooks").mkdir()
        jobs = [execute.Job(n, scratch / "notebooks" / n.name, made.parameters) for n in made.notebooks]
        compared = assemble.past(
            quarter, provenance.state(account, made, [], started, said), made.notebooks, _folder(scratch / "again")
        )
        if compared.jobs:
            say(f"{quarter}: computing again what was published, for what changed since")
        runs = execute.run_all(
            [*jobs, *compared.jobs],
            workers=workers,
            done=lambda r: say(f"{quarter} {r.notebook}: {planning.end_in_words(r)} in {r.wall_s:.1f} s"),
        )
        made, ended = planning.without_unanswerable(made, runs[: len(jobs)])
        account = dict(answerability.with_stopped(account, planning.stopped_by_the_data(made)))
        state = provenance.state(account, made, ended, started, said)
        day = dt.datetime.combine(dt.date.fromisoformat(account["as_of"]), dt.time(), tzinfo=dt.UTC)
        if state["status"] == "ok":
            try:
                content = _document(account, made, [scratch / "notebooks" / n.name for n in made.notebooks], said)
                told = assemble.quarterly(content, dataset, quarter, compared, runs[len(jobs) :])
                content["quarterly"] = told.content
                rendered = pdf.render(content, timestamp=day)
            except (document.DocumentError, pdf.PdfError, narrative.NarrativeError) as error:
                state |= {"status": "failed", "error": str(error)}
        if state["status"] != "ok":
            _keep_failed(folder, scratch, state)
            site.write()
            return Published(state, folder, is_new=True)
        new.mkdir()
        (new / PDF).write_bytes(rendered)
        workbook.write(content, new / WORKBOOK, timestamp=day)
        _drop_stopped(jobs, made)
        (scratch / "notebooks").rename(new / "notebooks")
        state["metrics"] = payload.metrics(content["cover"])
        state["quarterly"] = told.kept
        state["pdf_sha256"] = hashlib.sha256(rendered).hexdigest()
        state["wall_s"] = round(time.monotonic() - clock, 2)
        manifest.write(new, state)
        _put_in_place(new, folder, scratch)
    _remember(dataset, made, state, told.forecasts)
    site.write()
    if compared.first:
        say(f"{quarter}, since its first edition: {state['quarterly']['since_first_edition']}")
    return Published(state, folder, is_new=True)
