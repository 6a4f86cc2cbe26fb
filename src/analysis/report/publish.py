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

from analysis import paths, prepare, quarters, settings
from analysis.models import hours_account, narrative, restatements
from analysis.report import declared, document, execute, manifest, pdf, provenance, site, workbook
from analysis.report.quarterly import actions, assemble, editions, forecasting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analysis.report.declared import Declared
    from analysis.report.document import Document, MissingChapter
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


class Plan(NamedTuple):
    """One quarter's report before it runs: what will run, and which questions the data cannot answer."""

    quarter: quarters.Quarter
    run_id: str
    parameters: dict[str, Parameter]
    notebooks: list[Path]
    missing: list[MissingChapter]
    earlier: dict[str, list[document.Earlier]]
    as_of_given: str | None = None


def quarter_named(name: str, account: Mapping[str, Any], fiscal_year_start_month: int) -> quarters.Quarter:
    """Return the quarter asked for by name, ``latest`` or ``previous``.

    Raises
    ------
    ValueError
        If the data do not cover it; the message says which quarters they cover.
    """
    as_of = dt.date.fromisoformat(account["as_of"])
    latest = quarters.last_complete(as_of, fiscal_year_start_month)
    first = quarters.containing(dt.date.fromisoformat(account["first_day"]), fiscal_year_start_month)
    relative = {"latest": latest, "previous": latest.shifted(-1)}
    asked = relative.get(name) or quarters.quarter(name)
    last = quarters.containing(as_of, fiscal_year_start_month)
    if not first <= asked <= last:
        raise ValueError(f"quarter {asked} is not in the data, which run from {first} to {last} (as of {as_of})")
    return asked


def plan(
    account: dict[str, Any], quarter: quarters.Quarter, given: Mapping[str, Parameter], as_of: dt.date | None = None
) -> Plan:
    """Return what a quarter's report consists of: the notebooks to run and the chapters without data."""
    parameters = {"dataset": account["dataset"], "quarter": str(quarter), **given}
    end = quarter.end(settings.load(account["dataset"]).company.fiscal_year_start_month)
    runnable: list[Path] = []
    missing: list[MissingChapter] = []
    for position, notebook in enumerate(sorted(paths.notebooks().glob("*.ipynb"))):
        said = declared.by(notebook)
        lacking = prepare.missing(account, said.needs, said.one_of)
        if lacking:
            why = _lacks(account["dataset"], lacking, said)
        else:
            lacking = prepare.not_begun(account["dataset"], said.begins, end)
            why = f"By the end of {quarter} nothing had begun of {' and '.join(m.table for m in lacking)}."
        if not lacking and said.tells_pay:
            lacking, why = _too_few_paid(account["dataset"])
        if not lacking:
            runnable.append(notebook)
            continue
        missing.append(
            {
                "position": position,
                "title": notebook.stem,
                "question": said.question,
                "needs": [{"table": m.table, "columns": list(m.columns)} for m in lacking],
                "why": why,
                "answers": said.answers,
            }
        )
    before = quarter.shifted(-1)
    published = manifest.published(account["dataset"], before)
    earlier = {name: [document.Earlier(str(before), figure)] for name, figure in published.items()}
    identifier = manifest.run_id(account, str(quarter), parameters)
    day = as_of.isoformat() if as_of else None
    return Plan(quarter, identifier, parameters, runnable, missing, earlier, day)


def _too_few_paid(dataset: str) -> tuple[list[prepare.Missing], str]:
    """Return that a chapter made from pay would give away what a few are paid, where so few are."""
    smallest = settings.load(dataset).people.smallest_cell
    if prepare.load(dataset, "compensation")["rep_id"].nunique() >= smallest:
        return [], ""
    why = f"Fewer than {smallest} reps have pay in the exports, so sums made from it would tell what each is paid."
    return [prepare.Missing("compensation", ("rep_id",))], why


def _lacks(dataset: str, lacking: Sequence[prepare.Missing], said: Declared) -> str:
    """Return in words what a dataset does not hold; of several ways to answer, that one is enough."""
    alone = [m.table for m in lacking if m.table in said.needs]
    words = [f"no {' and no '.join(alone)}"] if alone else []
    if len(alone) < len(lacking):
        words.append(f"none of {'; '.join(' with '.join(way) for way in said.one_of)}, of which one would do,")
    held = f"The exports of {dataset} hold {' and '.join(words)} in the columns named."
    return f"{held} data/README.md says what each column means."


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


def _document(account: Mapping[str, Any], made: Plan, executed: Sequence[Path], said: list[str]) -> Document:
    house = settings.load(account["dataset"])
    return document.document(
        executed,
        title=TITLE,
        company=house.company.name,
        owner=house.report.owner,
        audience=house.report.audience,
        quarter_label=made.quarter.label(house.company.fiscal_year_start_month),
        as_of=account["as_of"],
        notices=said,
        facts=provenance.facts(account, made),
        missing=made.missing,
        earlier=made.earlier,
    )


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


def _remember(dataset: str, made: Plan, state: Manifest, told: Mapping[str, Any]) -> None:
    """Keep what the report stood on: its manifest, and what the quarter's first edition stood on and foretold."""
    kept = editions.keep(dataset, str(made.quarter), state)
    forecasting.keep(kept, str(made.quarter), told)
    manifest.write(kept, state)


def publish(
    account: dict[str, Any],
    quarter: quarters.Quarter,
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
    made = plan(account, quarter, given, as_of)
    folder = paths.report(dataset, str(quarter))
    _recover(folder)
    standing = manifest.read(folder)
    if standing and not force and manifest.is_current(folder, PDF, made.run_id):
        return Published(standing, folder, is_new=False)
    actions.reviews(dataset, before=str(quarter))  # a wrong one is refused before a kernel starts
    started, clock = dt.datetime.now(tz=dt.UTC), time.monotonic()
    tolerance_rate = settings.load(dataset).reconciliation.tolerance_rate
    said = notices(account, str(quarter), tolerance_rate) + _restated(dataset, str(quarter), tolerance_rate)
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
            done=lambda r: say(f"{quarter} {r.notebook}: {r.status} in {r.wall_s:.1f} s"),
        )
        state = provenance.state(account, made, runs[: len(jobs)], started, said)
        day = dt.datetime.combine(dt.date.fromisoformat(account["as_of"]), dt.time(), tzinfo=dt.UTC)
        if state["status"] == "ok":
            try:
                content = _document(account, made, [j.output for j in jobs], said)
                told = assemble.quarterly(content, dataset, quarter, account["as_of"], compared, runs[len(jobs) :])
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
        (scratch / "notebooks").rename(new / "notebooks")
        state["metrics"] = document.metrics(content)
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
