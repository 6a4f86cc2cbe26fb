"""The command `report`, dataset by dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from analysis.commands import exchange
from analysis.commands.endings import FAILED, REFUSED, USAGE, end, require_folder, usage
from analysis.project import exchange_settings, settings
from analysis.project.run_lock import run_lock
from analysis.project.terminal import complain, say_lines, working

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.report.run.shards import ReportOrder

RESERVED = ("dataset", "quarter", "team")


def parameter_pairs(parameters: Iterable[str]) -> dict[str, str]:
    """Return parameters of the command line, ``NAME=VALUE`` each, by name.

    Raises
    ------
    ValueError
        If one is no such pair.
    """
    pairs = [p.partition("=") for p in parameters]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise ValueError(f"a parameter is NAME=VALUE, got {name!r}")
    return {name: value for name, _, value in pairs}


def require_possible(order: ReportOrder, dataset: str | None, *, is_every: bool) -> None:
    """End with a message where options of `report` contradict each other."""
    from analysis.report.run import shards

    is_pack, shard = order.of_teams.is_asked, order.of_teams.shard
    if order.dask is not None:
        from analysis.report.run import cluster

        cluster.require_safe_address(order.dask)
        if not is_pack:
            end(USAGE, "--dask spreads packs over a cluster: give --team or --each-team too")
    if order.is_explained and (is_pack or order.is_pulled):
        end(USAGE, "--explain is of reports that stand or not: not of packs, and it pulls nothing")
    with usage():
        shards.parse_shard(shard)
    if is_every and dataset is not None:
        end(USAGE, f"report takes a DATASET or --all, got both: {dataset} and --all")
    if not is_every and (dataset is None or (shard is not None and not is_pack)):
        end(USAGE, "report takes a DATASET, or --all; --shard goes with --all or packs")


def report_dataset(dataset: str, order: ReportOrder) -> None:
    """Write one dataset's reports or packs, or say what would run for them."""
    from analysis.report.run import own_parameters
    from analysis.store import needs

    name = require_folder(dataset)
    is_pack = order.of_teams.is_asked
    notebooks = needs.pack_notebooks() if is_pack else needs.chapter_notebooks()
    with usage():  # what imports nothing heavy first: a slip of the keyboard is told at once
        parameters_by_name = own_parameters.check_parameters(notebooks, order.parameters, RESERVED)
        settings.load_dataset_settings(name)
    from analysis.chapters.growth import specification

    with usage():
        specification.require_own(name)
    from analysis.chapters.data_quality import answerability
    from analysis.report.run import explain, packs, publish
    from analysis.store import processed
    from analysis.store.company import open_company

    with run_lock(name), working(f"cleaning {name}") as say:
        if order.is_pulled:
            exchange.pull_tables(name)
        say(f"cleaning {name}", event="cleaning", dataset=name)
        account = processed.prepare_dataset(name, as_of=order.as_of)
        with usage():
            companies = {
                each.quarter: each
                for each in (open_company(name, quarter=one) for one in order.quarters)
            }
        in_order = [companies[quarter] for quarter in sorted(companies)]
        if order.is_explained:
            for company in in_order:
                say_lines(explain.explain_report(company, parameters_by_name, order))
            return
        if is_pack:
            with usage():
                wanted = [order.of_teams.choose(company) for company in in_order]
            ends = [packs.publish_packs(*one, parameters_by_name, order, say) for one in wanted]
            _say_ended(*packs.ending_lines([end for some in ends for end in some]))
            return
        done = [
            publish.publish_report(
                company,
                parameters_by_name,
                workers=order.workers,
                force=order.force,
                say=say,
                as_of=order.as_of,
            )
            for company in in_order
        ]
    warned, withheld = answerability.plain_lines(account)
    say_lines(
        [*withheld, *warned]
    )  # before the reports' paths: whatever reads the last line finds a path there
    _say_ended(*publish.ending_lines(done))
    if answerability.is_all_withheld(account):
        raise typer.Exit(REFUSED)


def report_one_of_all(dataset: str, order: ReportOrder) -> None:
    """Write one dataset's reports among those of all; only one that has a warehouse is pulled."""
    with usage():
        is_pulled = order.is_pulled and exchange_settings.has_warehouse(dataset)
    report_dataset(dataset, order._replace(is_pulled=is_pulled))


def _say_ended(lines: list[str], complaints: list[str]) -> None:
    """Say what became of reports or packs; exit 3 where one failed."""
    say_lines(lines)
    if complaints:
        complain("\n".join(complaints))
        raise typer.Exit(FAILED)
