"""CRM tables from a warehouse into a dataset's folder of exports, as Parquet.

The first pull reads every table in full, later ones what changed.  All tables are read in one
transaction and put in place together; where anything goes wrong, yesterday's files stay.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from analysis.project import exchange_settings, paths
from analysis.project.errors import ExchangeError
from analysis.project.nearest_name import did_you_mean
from analysis.project.settings import SettingsError
from analysis.sources import connector_schemas, field_maps, intake, recognise, warehouse
from analysis.sources.connector_schemas import Source
from analysis.sources.database import open_session
from analysis.store import pull_record, pulled_rows
from analysis.store.pull_record import PulledTable, PullRecord
from analysis.store.pulled_rows import TablePlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from analysis.sources.warehouse import Warehouse

LARGE = 1 << 40  # bytes: what a pull holds is not known beforehand, so every core may work
OF_QUERY = "own query"
BY_MARK = "by the connector's mark"
UNSEEN = "by the number of rows: a deletion that a new row makes up for is not seen until --full"
NONE_LOST = "read in full: what was deleted is not there"


class PullPlan(NamedTuple):
    """Tables a pull reads, tables it leaves, and changes since last time."""

    connection: str
    tables: list[TablePlan]
    left: list[tuple[str, str]]
    changes: list[str]
    stale: list[str]


def pull_dataset(
    dataset: str,
    *,
    full: bool = False,
    accept_schema: bool = False,
    say: Callable[[str], None],
) -> PullRecord:
    """Pull a dataset's tables and put them in place; return what was written.

    Raises
    ------
    SettingsError
        If the dataset names no connection that lets it read.
    ExchangeError
        If the warehouse cannot be read, or its tables are not those of last time; every file is
        then as it was.
    """
    settings, connection = exchange_settings.read_pull(dataset)
    staging = pull_record.stage_folder(dataset)
    record = pull_record.read_record(dataset)
    now = dt.datetime.now(tz=dt.UTC)
    try:
        with (
            warehouse.open_warehouse(connection) as source,
            open_session(LARGE, has_macros=False) as session,
        ):
            plan = _plan(dataset, settings, source, record, full=full)
            _require_same(plan, is_accepted=accept_schema)
            for line in plan.changes:
                say(line)
            pulled = [_pull_table(source, session, staging, each, now) for each in plan.tables]
    except BaseException:
        pull_record.finish_pull(dataset)  # what was made ready so far is cleared away
        raise
    for table in pulled:
        say(table_line(table))
    new = PullRecord(
        pulled_at=now.isoformat(timespec="seconds"),
        connection=settings.connection,
        tables=tuple(pulled),
    )
    pull_record.put_in_place(dataset, new, plan.stale)
    return new


def plan_lines(dataset: str, *, full: bool = False) -> list[str]:
    """Return what a pull would read, in lines; nothing is written."""
    settings, connection = exchange_settings.read_pull(dataset)
    record = pull_record.read_record(dataset)
    with warehouse.open_warehouse(connection) as source:
        plan = _plan(dataset, settings, source, record, full=full)
        counts = [_counted(source, each) for each in plan.tables]
    lines = []
    for each, n in zip(plan.tables, counts, strict=True):
        table, how = each.source, each.why
        if each.since is not None:
            how = f"rows whose {each.since.column} is {each.since.time} or later"
        n_columns = len(table.relation.columns)
        lines.append(
            f"{table.relation.label} -> {table.file}.parquet: {table.object_name} "
            f"({table.map_name}), {n:,} rows, {len(table.columns)} of {n_columns} columns; {how}"
        )
    lines += [f"{label}: not read: {why}" for label, why in plan.left]
    lines += [f"other than last time: {line}" for line in plan.changes]
    return lines


def _counted(source: Warehouse, plan: TablePlan) -> int:
    with warehouse.explained(plan.source.relation.label):
        return source.count(plan.query or plan.source.relation)


def table_line(table: PulledTable) -> str:
    """Return a line on what was pulled of a table."""
    marked = f", {table.n_marked_deleted:,} marked as deleted" if table.n_marked_deleted else ""
    return (
        f"{table.relation} -> {table.file}: {table.n_read:,} rows read ({table.how}), "
        f"{table.n_rows:,} rows now{marked}; deletions: {table.deletions}"
    )


def _plan(
    dataset: str,
    settings: exchange_settings.PullSettings,
    source: Warehouse,
    record: PullRecord | None,
    *,
    full: bool,
) -> PullPlan:
    layouts = field_maps.exports_known(dataset)
    schema = settings.from_schema
    relations = list(source.relations())
    survey = connector_schemas.survey_relations(relations, layouts, schema)
    queries = {name: entry.query for name, entry in settings.tables.items()}
    file = f"data/raw/{dataset}/{paths.SETTINGS_FILE}"
    own = [_own_source(source, name, entry, file) for name, entry in settings.tables.items()]
    sources = [s for s in survey.sources if s.file not in queries] + own
    gone = [] if record is None else _gone(record, sources)
    if not sources and not gone:
        raise ExchangeError(
            "the connection shows no CRM table of a connector (a name and columns as of Salesforce "
            "or HubSpot, and _fivetran_synced or _airbyte_extracted_at); name queries under "
            "[pull.tables]."
        )
    _require_apart(dataset, sources, record)
    there = {r.label: dict(r.columns) for r in relations}
    tables, changes = [], [_why_gone(table, there) for table in gone]
    for each in sources:
        file = f"{each.file}.parquet"
        before = record.table(file) if record else None
        changes += _changed_columns(before, each)
        tables.append(
            _table_plan(dataset, settings, each, before, queries.get(each.file), full=full)
        )
    return PullPlan(
        settings.connection, tables, survey.left, changes, [table.file for table in gone]
    )


def _gone(record: PullRecord, sources: Sequence[Source]) -> list[PulledTable]:
    files = {f"{s.file}.parquet" for s in sources}
    return [table for table in record.tables if table.file not in files]


def _own_source(
    source: Warehouse, name: str, entry: exchange_settings.TableQuery, file: str
) -> Source:
    where = f"{file}: pull.tables.{name}"
    warehouse.require_query(entry.query, f"{where}.query")
    with warehouse.explained(f"{where}.query"):
        columns = source.query_columns(entry.query)
    header = [column for column, _ in columns]
    folded = [column.casefold() for column in header]
    for column in header:
        if folded.count(column.casefold()) > 1:
            raise SettingsError(f"{where}: its query has the column {column!r} twice.")
    for column in (*entry.key, *([entry.changed_at] if entry.changed_at else [])):
        if column not in header:
            raise SettingsError(
                f"{where}: its query has no column {column!r}.{did_you_mean(column, header)}"
            )
    relation = warehouse.Relation("", name, columns, entry.key)
    return Source(
        name, name, OF_QUERY, relation, columns, entry.key, entry.changed_at, None, None
    )  # fmt: skip


def _why_gone(table: PulledTable, there: Mapping[str, Mapping[str, str]]) -> str:
    """Say why a table that was pulled is none to pull any more, by the columns of today."""
    if (columns := there.get(table.relation)) is None:
        schema = table.relation.rpartition(".")[0]
        like = [
            label
            for label, has in there.items()
            if label.startswith(schema) and set(table.columns) <= set(has.items())
        ]
        hint = f"; {like[0]} has its columns" if like and not table.query else ""
        return f"{table.relation}: is not there any more{hint}"
    lost = [name for name, _ in table.columns if name not in columns]
    if lost:
        noun = "column" if len(lost) == 1 else "columns"
        return (
            f"{table.relation}: {noun} {', '.join(lost)} not there any more; without, it is no "
            "table known here"
        )
    return f"{table.relation}: is no table known here any more by the columns it has now"


def _require_apart(dataset: str, sources: Sequence[Source], record: PullRecord | None) -> None:
    """Refuse to write beside an export of the same name: every row would be there twice."""
    ours = {table.file for table in record.tables} if record else set()
    folder = paths.raw_folder(dataset)
    others = [f.name for f in intake.files_of(folder) if f.name not in ours]
    stems = {recognise.fold_header(name.partition(".")[0]): name for name in others}
    for each in sources:
        if other := stems.get(recognise.fold_header(each.file)):
            raise ExchangeError(
                f"data/raw/{dataset}/{other} holds the same table as {each.file}.parquet, so every "
                "row would be read twice; move it away."
            )


def _changed_columns(before: PulledTable | None, source: Source) -> list[str]:
    """Return what is other than last time of a table that was pulled before."""
    if before is None:
        return []
    there, then = dict(source.relation.columns), dict(before.columns)
    label = source.relation.label
    moved = [] if before.relation == label else [f"{label}: was {before.relation}"]
    lost = [f"{label}: column {name} is not there any more" for name in then if name not in there]
    other = [
        f"{label}: column {name} was {kind}, now {there[name]}"
        for name, kind in then.items()
        if name in there and there[name] != kind
    ]
    return moved + lost + other


def _require_same(plan: PullPlan, *, is_accepted: bool) -> None:
    """Stop where a table or column that was read is gone: a figure would move without a word."""
    if plan.changes and not is_accepted:
        raise ExchangeError(
            "\n".join(plan.changes) + "\nNothing was pulled, the files of the last pull stay. If "
            "these changes are intended, pull with --accept-schema."
        )


def _table_plan(
    dataset: str,
    settings: exchange_settings.PullSettings,
    source: Source,
    before: PulledTable | None,
    query: str | None,
    *,
    full: bool,
) -> TablePlan:
    """Decide whether what changed is enough."""
    file = paths.raw_folder(dataset) / f"{source.file}.parquet"
    has_file = before is not None and file.is_file() and intake.file_sha256(file) == before.sha256
    kind = dict(source.relation.columns).get(source.changed_at or "", "")
    since = None
    if full:
        why = "all, as asked"
    elif before is None:
        why = "all, the first time"
    elif source.changed_at is None:
        why = "all, as nothing says when a row changed"
    elif before.watermark is None:
        why = "all, as no row of the last pull said when it changed"
    elif not before.key or before.key != source.key:
        why = "all, as no column tells its rows apart"
    elif before.columns != source.columns or (before.query or None) != query:
        why = "all, as its columns or its query are others now"
    elif not has_file:
        why = "all, as its file is not the one that was pulled"
    else:
        start = dt.datetime.fromisoformat(before.watermark)
        start -= dt.timedelta(minutes=settings.overlap_minutes)
        why, since = "changed", warehouse.Since(source.changed_at, kind, start.isoformat())
    return TablePlan(source, before, since, why, query, has_file)


def _pull_table(
    source: Warehouse,
    session: duckdb.DuckDBPyConnection,
    staging: Path,
    plan: TablePlan,
    now: dt.datetime,
) -> PulledTable:
    with warehouse.explained(plan.source.relation.label):
        return _pull_rows(source, session, staging, plan, now)


def _pull_rows(
    source: Warehouse,
    session: duckdb.DuckDBPyConnection,
    staging: Path,
    plan: TablePlan,
    now: dt.datetime,
) -> PulledTable:
    table = plan.source
    origin = plan.query if plan.query is not None else table.relation
    n_there = source.count(origin)
    file = staging / f"{table.file}.parquet"
    how, since = plan.why, plan.since
    rows = pulled_rows.write_rows(source, session, file, plan, since, now)
    has_all = table.mark is not None and table.deleted_column is None  # those marked are left out
    if since is not None and not has_all and rows.n_rows != n_there:
        how, since = "all, as rows came or went without a new time", None
        rows = pulled_rows.write_rows(source, session, file, plan, since, now)
    if since is None and rows.n_read != n_there:
        raise ExchangeError(
            f"{table.relation.label}: {n_there:,} rows are there, but {rows.n_read:,} were read."
        )
    return PulledTable(
        file=file.name,
        object_name=table.object_name,
        relation=table.relation.label,
        query=plan.query or "",
        statement=source.statement,
        columns=table.columns,
        key=table.key if rows.is_keyed else (),
        changed_at=table.changed_at,
        watermark=rows.watermark,
        n_rows=rows.n_rows,
        n_read=rows.n_read,
        n_marked_deleted=rows.n_marked_deleted,
        how=how,
        deletions=BY_MARK if table.mark else UNSEEN if since else NONE_LOST,
        sha256=intake.file_sha256(file),
    )
