"""Commands that bring tables in and reports out: `pull` and `deliver`."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis.commands.endings import FAILED, Dataset, require_folder, usage
from analysis.project.run_lock import run_lock
from analysis.project.terminal import complain, say_line, say_lines, working


def pull(
    dataset: Dataset,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="read every row again, not only what changed")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only list what would be read")
    ] = False,
    accept_schema: Annotated[
        bool,
        typer.Option(
            "--accept-schema", help="go on although a table or column is gone or of another type"
        ),
    ] = False,
) -> None:
    """Pull a dataset's CRM tables from the connection it names into its folder of exports."""
    name = require_folder(dataset)
    if dry_run:
        from analysis.store import pull as store_pull

        with run_lock(name), usage():
            lines = store_pull.plan_lines(name, full=full)
        say_lines(lines)
        return
    with run_lock(name), working(f"pulling {name}"):
        pull_tables(name, full=full, accept_schema=accept_schema)


def pull_tables(name: str, *, full: bool = False, accept_schema: bool = False) -> None:
    """Pull a dataset's tables and say what came of it; the run holds its lock."""
    from analysis.project import settings
    from analysis.store import pull as store_pull

    with usage():
        settings.load_dataset_settings(name)
        record = store_pull.pull_dataset(name, full=full, accept_schema=accept_schema, say=say_line)
    n_rows, n_read = (sum(getattr(t, k) for t in record.tables) for k in ("n_rows", "n_read"))
    noun = "table" if len(record.tables) == 1 else "tables"
    say_line(
        f"pulled {len(record.tables)} {noun} from {record.connection} into data/raw/{name}: "
        f"{n_read:,} rows read, {n_rows:,} rows there"
    )


def deliver(
    dataset: Dataset,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only print who would get what")
    ] = False,
    resend: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="send this one message again, although it was or may have been sent"
        ),
    ] = None,
    new_edition: Annotated[
        bool,
        typer.Option("--new-edition", help="send reports that were made anew since they were sent"),
    ] = False,
) -> None:
    """Send a dataset's newest report, and the packs of its teams, to those named for them."""
    import datetime as dt

    from analysis.report import index_page
    from analysis.report.delivery import dispatch

    name = require_folder(dataset)
    with run_lock(name):
        with usage():
            today = dt.datetime.now(tz=dt.UTC).date()
            plan = dispatch.plan_delivery(name, today, resend=resend, new_edition=new_edition)
        if dry_run:
            say_lines(dispatch.plan_lines(plan))
            return
        try:
            is_whole = dispatch.send_all(plan, say=say_line, complain=complain)
        finally:
            index_page.write_index()
    if not is_whole:
        raise typer.Exit(FAILED)
