"""The command line: parses, calls, prints; nothing else.

Exit codes: 0 done, 1 a required table was refused or every question is withheld, 2 wrong usage,
3 a notebook, report, pull or delivery failed, 70 our own bug, 75 another run holds the lock,
130 interrupted.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
import tempfile
import traceback
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from analysis.commands import exchange, reporting
from analysis.commands.endings import (
    BUG,
    DONE,
    FAILED,
    INTERRUPTED,
    LOCKED,
    REFUSED,
    USAGE,
    Dataset,
    end,
    require_folder,
    usage,
)
from analysis.project import disk_faults, paths, settings
from analysis.project.errors import (
    ClusterError,
    CrmDataError,
    DatasetBusyError,
    ExchangeError,
    OwnMapError,
)
from analysis.project.interrupts import answered_interrupts, end_interrupted
from analysis.project.private_files import make_private
from analysis.project.run_lock import run_lock
from analysis.project.terminal import (
    complain,
    say_line,
    say_lines,
    say_text,
    use_json_lines,
    working,
)

if TYPE_CHECKING:
    from collections.abc import Callable


YEARS = range(1990, 2101)  # that exports of a CRM may speak of
INTERRUPTED_LINE = "interrupted: what stood before still stands"
MOST_MINUTES = 100_000  # of an ask: a rep's year at work

app = typer.Typer(
    help=(
        "What an hour of selling costs, what one more is worth, and whether alignment pays: from "
        "your CRM exports."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsOf = Annotated[
    dt.datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DATE",
        help="day the exports speak of; the latest activity or close date unless given",
    ),
]


def _day(as_of: dt.datetime | None) -> dt.date | None:
    if as_of and as_of.year not in YEARS:
        end(USAGE, f"--as-of {as_of:%Y-%m-%d}: no CRM's exports speak of the year {as_of.year}")
    return as_of.date() if as_of else None


def _print_version(*, is_asked: bool) -> None:
    if is_asked:
        say_line(f"alignment-roi {metadata.version('alignment-roi')}")
        raise typer.Exit(DONE)


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command(short_help="Write a simulated company's exports.")
def demo(
    dataset: Annotated[str, typer.Option(help="folder of data/raw to write")] = "demo",
    teams: Annotated[int, typer.Option(min=4, metavar="N", help="sales teams")] = 24,
    quarters: Annotated[int, typer.Option(min=6, metavar="N", help="quarters of history")] = 12,
    seed: Annotated[int, typer.Option(metavar="N", help="of all that is random")] = 7,
    layout: Annotated[
        Literal["salesforce", "hubspot"],
        typer.Option(help="the CRM whose exports they are; the company is the same"),
    ] = "salesforce",
) -> None:
    """Write a simulated company's exports, with known effects, and the truth beside them."""
    from analysis.simulate.exports import write
    from analysis.simulate.world import company_parameters

    with usage():
        folder = paths.raw_folder(dataset)
    if (there := write.layout_of(folder)) not in {None, layout}:
        end(
            USAGE,
            f"data/raw/{dataset} holds the {there} exports of a simulated company; with those of "
            "another layout every deal would be there twice. Name another folder by --dataset.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with run_lock(dataset), tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as aside:
        written = Path(aside) / dataset
        write.write_exports(
            company_parameters.SimulatedCompany(n_teams=teams, n_quarters=quarters, seed=seed),
            written,
            layout=layout,
        )
        make_private(Path(aside))
        if folder.is_dir():  # a dataset's own settings and maps stay
            own = folder / paths.SETTINGS_FILE
            for file in [
                f
                for f in written.rglob("*")
                if f.is_file() and not (f.name == own.name and own.exists())
            ]:
                (new := folder / file.relative_to(written)).parent.mkdir(exist_ok=True)
                file.replace(new)
        else:
            written.rename(folder)
    say_line(
        f"wrote {folder.relative_to(paths.project_root())}: {teams} teams, {quarters} "
        f"quarters, seed {seed}"
    )


@app.command(short_help="Make an empty dataset, with templates.")
def init(dataset: Dataset) -> None:
    """Make data/raw/<dataset> with a README and empty templates of what no CRM holds."""
    from analysis.sources import templates

    with usage():
        folder = paths.raw_folder(dataset)
    for file in templates.write_templates(folder):
        say_line(f"wrote {file.relative_to(paths.project_root())}")
    where = folder.relative_to(paths.project_root())
    say_line(
        f"now put the CRM's exports into {where} and run `alignment-roi clean {dataset} --dry-run`"
    )


@app.command(short_help="Say whether a report still holds.")
def verify(
    report: Annotated[
        Path,
        typer.Argument(metavar="REPORT", help="a report of this project: PDF, HTML or workbook"),
    ],
) -> None:
    """Say whether a report still follows from data, code and parameters; exit 1 if not."""
    from analysis.report.run import verify as run_verify

    with usage():
        _, run = run_verify.run_of(report)
    with run_lock(run["dataset"]) if run else contextlib.nullcontext(), usage():
        verdict = run_verify.verify_report(report)
    say_line(verdict.says)
    if not verdict.holds:
        raise typer.Exit(REFUSED)


@app.command(short_help="Clean a dataset's exports.")
def clean(
    dataset: Dataset,
    as_of: AsOf = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only print how each file is understood and the audit")
    ] = False,
) -> None:
    """Clean a dataset's exports into data/processed: tables, panels, quarantine and audit."""
    from analysis.cleaning import unmatched_words
    from analysis.report import audit_lines
    from analysis.store import processed

    name = require_folder(dataset)
    with usage():
        house = settings.load_dataset_settings(name)
    if dry_run:
        words: list[unmatched_words.UnmatchedWord] = []
        account = processed.dry_run(
            name,
            as_of=_day(as_of),
            # a log or a file must hold no word of a subject: for eyes at a terminal alone
            show_words=words.extend if sys.stdout.isatty() else None,
        )
        say_lines(
            [
                *audit_lines.audit_lines(account),
                *audit_lines.currency_notice(house),
                *unmatched_words.words_lines(words),
            ]
        )
        return
    with run_lock(name), working(f"cleaning {name}"):
        account = processed.prepare_dataset(name, as_of=_day(as_of))
    say_lines([*audit_lines.audit_lines(account), *audit_lines.currency_notice(house)])


@app.command(short_help="Write the quarterly report.")
def report(
    dataset: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="a folder of data/raw")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="every dataset, one after another, in place of DATASET")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="i/n", help="with --all or packs: the i-th of n parts of the work"),
    ] = None,
    team: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="this team's pack, no report; may be repeated"),
    ] = None,
    each_team: Annotated[
        bool, typer.Option("--each-team", help="the pack of every team, no report")
    ] = False,
    quarter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUARTER",
            help="latest (unless given), previous, or one such as 2026Q3; may be repeated",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="a parameter of the notebooks; may be repeated",
        ),
    ] = None,
    as_of: AsOf = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="a scheduler whose workers make the packs"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="notebooks run at once")] = min(
        2, os.cpu_count() or 1
    ),
    force: Annotated[
        bool, typer.Option("--force", help="make it again although nothing changed")
    ] = False,
    pull_first: Annotated[
        bool,
        typer.Option(
            "--pull", help="pull from the warehouse first; with --all where a dataset has one"
        ),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="say which notebooks would run and why; run none")
    ] = False,
    progress: Annotated[
        Literal["plain", "json"], typer.Option(help="a line an event, for people or for programs")
    ] = "plain",
) -> None:
    """Write the quarterly report: PDF, workbook, executed notebooks and manifest."""
    from analysis.project import quarters
    from analysis.report.run import shards

    quarter_names = quarter or ["latest"]
    with usage():
        for one in quarter_names:
            if one not in quarters.RELATIVE:
                quarters.parse_quarter(one)
        pairs = reporting.parameter_pairs(parameter or [])
    if team and each_team:
        end(USAGE, "--team names some teams and --each-team means all: give one of them")
    of_teams = shards.TeamChoice(tuple(team or ()), each_team, shard)
    use_json_lines(is_wanted=progress == "json")
    order = shards.ReportOrder(
        quarter_names, pairs, _day(as_of), workers, force, of_teams, dask, pull_first, explain
    )
    reporting.require_possible(order, dataset, is_every=every)
    if dataset is not None:
        reporting.report_dataset(dataset, order)
        return
    from analysis.report.run import every_dataset

    with usage():  # packs are shared out within each dataset
        part = None if of_teams.is_asked else shard
        names = every_dataset.datasets_of_shard(paths.dataset_names(), part)
    ended = [(name, _ended(partial(reporting.report_one_of_all, name, order))) for name in names]
    say_lines(every_dataset.outcome_lines(ended))
    if any(code != DONE for _, code in ended):
        raise typer.Exit(FAILED)


def _ended(work: Callable[[], None]) -> int:
    """Do `work` for one dataset of several; return the exit code that it alone would have."""
    try:
        work()
    except typer.Exit as error:
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - whatever stops one company must not stop the others
        return _explained(error)
    return DONE


@app.command(short_help="Vet open marketing requests, one question at a time.")
def vet(
    dataset: Dataset,
    leader: Annotated[
        bool, typer.Option("--leader", help="the leader's own question, and the decision")
    ] = False,
) -> None:
    """Walk through open marketing requests; every answer is kept the moment it is given."""
    from analysis.chapters.marketing_requests import vetting_session
    from analysis.chapters.marketing_requests.request_commands import requests_to_vet

    name = require_folder(dataset)
    with usage():
        settings.load_dataset_settings(name)
    with run_lock(f"{name}.requests"):
        with run_lock(name), usage():
            requests = requests_to_vet(name, is_leader=leader)
        vetting_session.vet_requests(
            name,
            requests,
            vetting_session.Terminal(input, say_text),
            today=dt.datetime.now(tz=dt.UTC).astimezone().date(),
            is_leader=leader,
        )


@app.command(short_help="Price an ask of sales before it is sent, and check its words.")
def ask(
    minutes: Annotated[
        float, typer.Option(min=0, max=MOST_MINUTES, metavar="N", help="it takes each rep [min]")
    ],
    reps: Annotated[int, typer.Option(min=1, metavar="N", help="reps it goes to")],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="price it by this company; the article's unless given"
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="TEXT", help="the ask as written; - reads it from stdin")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="a field it asks to fill in; may be repeated"),
    ] = None,
) -> None:
    """Price an ask of sales before it is sent, and check its words by the article's."""
    from analysis.chapters.marketing_requests.request_commands import ask_lines

    name = require_folder(dataset) if dataset is not None else None
    written = sys.stdin.read() if text == "-" else text
    with contextlib.nullcontext() if name is None else run_lock(name), usage():
        lines = ask_lines(name, minutes=minutes, n_reps=reps, text=written, form=field or ())
    say_lines(lines)


app.command(short_help="Pull CRM tables from a warehouse.")(exchange.pull)
app.command(short_help="Send reports to those named for them.")(exchange.deliver)


def main() -> NoReturn:
    """Run the command line; every way it can end has its exit code."""
    with answered_interrupts(INTERRUPTED, INTERRUPTED_LINE) as interrupts:
        try:
            _run_app(interrupts)
        except (SystemExit, KeyboardInterrupt):
            if not interrupts:
                raise
        end_interrupted(INTERRUPTED, INTERRUPTED_LINE)


def _run_app(interrupts: list[int]) -> NoReturn:
    try:
        app()
    except Exception as error:  # noqa: BLE001 - the outermost frame: a bug must end in its exit code
        if interrupts:  # a library's own word for it
            raise KeyboardInterrupt from None
        sys.exit(_explained(error))
    sys.exit(DONE)


def _explained(error: Exception) -> int:
    """Say what went wrong, as far as possible what to do; return the exit code."""
    if isinstance(error, OwnMapError | ClusterError):
        complain(str(error))
        return USAGE
    if isinstance(error, CrmDataError):
        complain(f"CrmDataError: {error}")
        return REFUSED
    if isinstance(error, DatasetBusyError):
        complain(str(error))
        return LOCKED
    if isinstance(error, ExchangeError):
        complain(str(error))
        return FAILED
    if fault := disk_faults.explain_fault(error):
        complain(fault)
        return USAGE
    complain("".join(traceback.format_exception(error)))
    complain(
        "this is a bug of alignment-roi, not of your data; please report it with the lines above"
    )
    return BUG
