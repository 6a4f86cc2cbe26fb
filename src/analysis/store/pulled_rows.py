"""The rows that come in by a pull, and the file they make with those of yesterday."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.sources import intake, warehouse
from analysis.sources.composed_sql import create_view, query_text, write_parquet
from analysis.sources.database import quote_identifier, quote_literal
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from analysis.sources.connector_schemas import Source
    from analysis.sources.warehouse import Warehouse
    from analysis.store.pull_record import PulledTable

SQL = read_statements(__name__)


class TablePlan(NamedTuple):
    """How a table is pulled: all of it, or what changed `since` a time; `why` says why all."""

    source: Source
    before: PulledTable | None
    since: warehouse.Since | None
    why: str
    query: str | None = None
    has_file: bool = False  # of the last pull, unchanged


class Counted(NamedTuple):
    """A file made ready: its rows, those read for it, and those marked as deleted."""

    n_rows: int
    n_read: int
    n_marked_deleted: int
    watermark: str | None
    is_keyed: bool


def write_rows(
    source: Warehouse,
    session: duckdb.DuckDBPyConnection,
    file: Path,
    plan: TablePlan,
    since: warehouse.Since | None,
    now: dt.datetime,
) -> Counted:
    """Write a table's file: what was read, or yesterday's rows with what changed in their place."""
    table, incoming = plan.source, file.with_suffix(".incoming")
    origin = plan.query if plan.query is not None else table.relation
    session.register("incoming", source.rows(origin, table.columns, since))
    write_parquet(session, _incoming_select(table), incoming)
    session.unregister("incoming")
    is_marked = _mark(table, in_file=True)
    # no map reads the mark of a table without a column for it: those marked are left out here
    leaves_out = table.mark is not None and table.deleted_column is None
    _view_rows(session, "incoming_rows", incoming)
    rest = query_text(["*"], "incoming_rows", where=f"not {is_marked}" if leaves_out else "")
    create_view(session, "rest_rows", rest)
    counts = ["count(*)", f"count(*) filter ({is_marked})"]
    n_read, n_marked = _numbers(session, query_text(counts, "incoming_rows"))
    watermark = _watermark(session, table, now) if table.changed_at else None
    before = file.parents[1] / file.name
    is_same = plan.before is not None and intake.file_sha256(incoming) == plan.before.sha256
    if since is not None and plan.before is not None:
        _view_rows(session, "rows_before", before)
        watermark = max(filter(None, (watermark, plan.before.watermark)))
        _merge(session, before, _key_in_file(table), file)
    elif plan.has_file and not is_same and _has_rows_of(session, before):
        shutil.copyfile(before, file)  # a warehouse returns rows in any order
    elif leaves_out:
        write_parquet(session, "select * from rest_rows", file)
    else:
        incoming.rename(file)
    incoming.unlink(missing_ok=True)
    key, of_file = _key_in_file(table), {"file": str(file)}
    (n_rows,) = _numbers(session, SQL["rows"], of_file)
    is_keyed = table.relation.is_key_certain or (
        bool(key) and _numbers(session, SQL["keys"], {**of_file, "key": key}) == (n_rows,)
    )
    return Counted(n_rows, n_read, n_marked, watermark, is_keyed)


def _view_rows(session: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    create_view(session, name, query_text(["*"], f"read_parquet({quote_literal(str(file))})"))


def _has_rows_of(session: duckdb.DuckDBPyConnection, before: Path) -> bool:
    """Return whether what was read in full are the rows that stand in yesterday's file."""
    _view_rows(session, "rows_before", before)
    columns, columns_before = (
        session.execute(query_text(["*"], view) + " limit 0").description
        for view in ("rest_rows", "rows_before")
    )
    return (
        columns == columns_before
        and _numbers(session, SQL["sum_of_rest"]) == _numbers(session, SQL["sum_of_before"])
        and _numbers(session, SQL["other_rows"]) == (0,)
    )


def _merge(
    session: duckdb.DuckDBPyConnection, before: Path, key: Sequence[str], file: Path
) -> None:
    """Write yesterday's rows with what changed in their place; if nothing did, the same bytes."""
    same = " and ".join(f"n.{quote_identifier(k)} = o.{quote_identifier(k)}" for k in key)
    session.execute(SQL["marked_rows"])
    of_old = f"marked_rows n semi join rows_before o on {same}"
    before_alone = f"rows_before o semi join rest_rows n on {same}"
    create_view(session, "rows_of_before", query_text(["o.*"], before_alone))
    (n_changed,) = _numbers(session, SQL["changed_rows"])
    (n_marked,) = _numbers(session, query_text(["count(*)"], of_old))
    if not n_changed and not n_marked:
        shutil.copyfile(before, file)
        return
    untouched = query_text(["o.*"], f"rows_before o anti join incoming_rows n on {same}")
    merged = untouched + " union all by name from rest_rows"
    write_parquet(session, merged, file)


def _key_in_file(table: Source) -> list[str]:
    return [_name_in_file(table, column) for column in table.key]


def _mark(table: Source, *, in_file: bool) -> str:
    """Return the SQL of whether the connector says that a row was deleted: a flag, or a time."""
    if table.mark is None:
        return "false"
    cell = quote_identifier(_name_in_file(table, table.mark) if in_file else table.mark)
    if dict(table.columns)[table.mark].casefold() == "boolean":
        return f"coalesce({cell}, false)"
    is_stated = f"({cell} is not null and {cell}::varchar not in ('', '0'))"
    return f"coalesce(try_cast({cell}::varchar as boolean), {is_stated})"


def _incoming_select(table: Source) -> str:
    """Return the SQL that reads what comes in: names as in the file, deletion by either mark."""
    mark, kinds = _mark(table, in_file=False), dict(table.columns)
    cells = []
    for column, kind in table.columns:
        name = _name_in_file(table, column)
        cell = quote_identifier(column)
        if table.mark and name == table.deleted_column and column != table.mark:
            are_flags = {kind.casefold(), kinds[table.mark].casefold()} == {"boolean"}
            either = (
                f"{cell} or {mark}"
                if are_flags
                else f"case when {mark} then 'true' else {cell}::varchar end"
            )
            cell = either
        cells.append(f"{cell} as {quote_identifier(name)}")
    names = {_name_in_file(table, column) for column, _ in table.columns}
    if table.mark and table.deleted_column and table.deleted_column not in names:
        cells.append(f"{mark} as {quote_identifier(table.deleted_column)}")
    return query_text(cells, "incoming")


def _watermark(session: duckdb.DuckDBPyConnection, table: Source, now: dt.datetime) -> str | None:
    """Return the latest time of the rows that came in; a time that is yet to come says nothing."""
    time = quote_identifier(_name_in_file(table, table.changed_at or ""))
    kind = dict(table.columns)[table.changed_at or ""].casefold()
    if kind.startswith(warehouse.DECLARED) or "with time zone" not in kind:
        time = f"try_cast({time}::varchar as timestamptz)"
    latest = f"strftime(max({time}) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')"
    is_past = f"{time} <= $now::timestamptz and isfinite({time})"
    query = query_text([latest], "incoming_rows", where=is_past)
    row = session.execute(query, {"now": now.isoformat()}).fetchone()
    return row[0] if row else None


def _name_in_file(table: Source, column: str) -> str:
    return dict(table.renamed).get(column, column)


def _numbers(
    session: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, object] | None = None
) -> tuple[Any, ...]:
    return session.execute(statement, values).fetchone() or ()
