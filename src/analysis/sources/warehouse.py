"""Databases that hold CRM tables, such as a warehouse: their tables, and rows as Arrow.

PostgreSQL and SQLite by their installed ADBC drivers, a folder of Parquet by the database that
cleaning runs on.  All is read in one transaction that can write nothing.  A query is always part of
a statement of ours, so that it can be nothing but a query.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import duckdb

from analysis.project.errors import ExchangeError
from analysis.project.hidden_secrets import without_secrets
from analysis.project.settings import SettingsError
from analysis.project.strange_files import why_strange
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from analysis.project.exchange_settings import Connection

LONGEST_MESSAGE = 300
BATCH_ROWS = 100_000
PATIENCE_S = 20  # to connect
# Of PostgreSQL what Arrow holds as it is; anything else is read as its text.
NATIVE_TYPES = frozenset(
    {"text", "character varying", "character", "boolean", "smallint", "integer", "bigint"}
    | {"double precision", "date", "timestamp without time zone", "timestamp with time zone"}
)
# What drivers say before the cause, and behind it.
OF_STEP = re.compile(r"^(?:[A-Z_]+: )?(?:\[\w+\] )?(?:Failed to \w+ \w+: )?(?:[\w ]+ Error: )?")
NOT_UTF8 = re.compile(
    "not valid UTF-?8|invalid UTF-?8|invalid byte sequence for encoding", re.IGNORECASE
)
WHILE_READING = "get_next failed"  # rows of a statement that was understood
STATEMENT = re.compile(r"\n(?:query|Query was):")
TIMES = frozenset({"date", "timestamp without time zone", "timestamp with time zone", ""})
DECLARED = (
    "declared "  # before a type of SQLite's, which holds a cell to nothing: all is read as text
)


class Relation(NamedTuple):
    """A table or view: its columns with their types, and the columns of its primary key.

    `is_key_certain` where whoever holds it lets no two rows have one key, and none a blank one.
    """

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...] = ()
    is_key_certain: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(name for name, _ in self.columns)

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


class Warehouse(Protocol):
    """What a database must answer; `statement` is the last one that read rows."""

    statement: str

    def relations(self) -> list[Relation]:
        """Return every table and view that can be seen."""

    def query_columns(self, query: str) -> tuple[tuple[str, str], ...]:
        """Return the columns that a query of a dataset's own has, with their types."""

    def count(self, source: Relation | str) -> int:
        """Return how many rows a table or a query has."""

    def rows(
        self, source: Relation | str, columns: Sequence[tuple[str, str]], since: Since | None
    ) -> pa.RecordBatchReader:
        """Return the rows of a table or a query, all or those changed since a time."""


class Since(NamedTuple):
    """A column of times, its type, and the time from which on rows are read.

    Rows without a time are read every time.
    """

    column: str
    kind: str
    time: str  # ISO 8601, UTC


@contextlib.contextmanager
def open_warehouse(connection: Connection) -> Iterator[Warehouse]:
    """Open a connection of the root's settings for reading.

    Raises
    ------
    ExchangeError
        If it cannot be reached, or a driver says no; the message holds no secret.
    """
    if connection.driver == "parquet":
        with _opened_folder(connection) as folder, explained():
            yield folder
        return
    driver = _driver(connection.driver)
    with explained(), contextlib.ExitStack() as stack:
        if connection.driver == "sqlite":
            session = stack.enter_context(driver.connect(_sqlite_address(connection)))
            cursor = stack.enter_context(session.cursor())
            yield _Sqlite(cursor)
        else:
            session = stack.enter_context(driver.connect(_postgresql_address(connection)))
            cursor = stack.enter_context(session.cursor())
            # all by the transaction: a pooler in between takes no options, and keeps sessions
            cursor.execute("set transaction isolation level repeatable read, read only")
            # a scan that begins anywhere would bring the same rows in another order each time
            cursor.execute("set local synchronize_seqscans = off")
            yield _Postgresql(cursor)


def may_hold_times(kind: str) -> bool:
    """Return whether a column of this type can say when a row was changed."""
    return kind in TIMES or kind.startswith(DECLARED)


def require_query(query: str, where: str) -> None:
    """Refuse a text that cannot be part of a statement; `SettingsError` says why."""
    if ";" in query:
        raise SettingsError(f"{where}: must be one query without a semicolon.")
    if not query.strip().lower().startswith(("select", "with")):
        raise SettingsError(f"{where}: must begin with select or with.")


def _driver(name: str) -> Any:
    try:
        return importlib.import_module(f"adbc_driver_{name}.dbapi")
    except ImportError:
        raise ExchangeError(
            f"the driver adbc_driver_{name} is not installed: `make warehouse` in the project's "
            "folder installs it."
        ) from None


@contextlib.contextmanager
def explained(what: str = "") -> Iterator[None]:
    """Turn a driver's error while reading `what` into one line without a secret.

    Raises
    ------
    ExchangeError
        In place of what the driver raised.
    """
    try:
        yield
    except ExchangeError:
        raise
    except (duckdb.Error, OSError) as error:
        raise ExchangeError(_driver_words(error, what)) from None
    except Exception as error:
        if not type(error).__module__.startswith(("adbc_driver_manager", "pyarrow")):
            raise
        raise ExchangeError(_driver_words(error, what)) from None


def _driver_words(error: BaseException, what: str) -> str:
    """Return the cause alone: no word on the driver's own steps, no statement, and, where rows were
    read, nothing in quotes: it may be a cell's text.
    """
    text = without_secrets(str(error))
    if NOT_UTF8.search(text):
        text = "a text in it is not UTF-8"
    elif WHILE_READING in text:
        text = re.sub(r'".*"', "[a cell]", text.partition("\n")[0])
    text = OF_STEP.sub("", STATEMENT.split(text)[0]).rpartition("ERROR:")[2]
    words = " ".join(line.strip() for line in text.splitlines() if line.strip(" ^"))
    words = words if len(words) <= LONGEST_MESSAGE else f"{words[:LONGEST_MESSAGE]} ..."
    return f"{what}: {words}" if what else words


def _postgresql_address(connection: Connection) -> str:
    """Return the address of a server, without a password: that is libpq's to find."""
    options = {
        "connect_timeout": str(PATIENCE_S),
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "application_name": "alignment-roi",
        "sslmode": connection.tls if not connection.is_here else "prefer",
    }
    if options["sslmode"] == "verify-full":
        options["sslrootcert"] = connection.certificates or "system"
    host = quote(connection.host or "", safe="")
    return (
        f"postgresql://{quote(connection.user or '', safe='')}@{host}:{connection.port}/"
        f"{quote(connection.database or '', safe='')}?{urlencode(options, quote_via=quote)}"
    )


def _sqlite_address(connection: Connection) -> str:
    file = Path(connection.path or "").expanduser()
    if not file.is_file():
        raise ExchangeError(f"connections: there is no file {file.name}.")
    return f"file:{quote(str(file.resolve()))}?mode=ro"


class _Database:
    """A cursor of a driver, and the statement it ran last."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.statement = ""

    def _table(self, statement: str) -> list[dict[str, Any]]:
        self._cursor.execute(statement)
        rows: list[dict[str, Any]] = self._cursor.fetch_arrow_table().to_pylist()
        return rows

    def count(self, source: Relation | str) -> int:
        return int(self._table(query_text(["count(*) as n"], _from(source)))[0]["n"])


class _Postgresql(_Database):
    """Tables of a PostgreSQL server, in one transaction that sees one state and writes nothing."""

    def relations(self) -> list[Relation]:
        columns = self._table(  # not information_schema, which has no materialized view
            "select n.nspname::text as schema, r.relname::text as name, a.attname::text as column,"
            " pg_catalog.format_type(a.atttypid, null) as kind"
            " from pg_catalog.pg_class r join pg_catalog.pg_namespace n on n.oid = r.relnamespace"
            " join pg_catalog.pg_attribute a on a.attrelid = r.oid"
            " where r.relkind in ('r', 'p', 'v', 'm', 'f') and not r.relispartition"
            " and a.attnum > 0 and not a.attisdropped"
            " and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
            " and has_schema_privilege(n.oid, 'usage')"
            " and has_column_privilege(r.oid, a.attnum, 'select')"
            " order by n.nspname, r.relname, a.attnum"
        )
        keys = self._table(
            "select n.nspname::text as schema, r.relname::text as name, a.attname::text as column"
            " from pg_catalog.pg_index i join pg_catalog.pg_class r on r.oid = i.indrelid"
            " join pg_catalog.pg_namespace n on n.oid = r.relnamespace"
            " join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum = any(i.indkey)"
            " where i.indisprimary order by n.nspname, r.relname, a.attnum"
        )
        return [r._replace(is_key_certain=bool(r.key)) for r in _relations(columns, keys)]

    def query_columns(self, query: str) -> tuple[tuple[str, str], ...]:
        self._cursor.adbc_prepare(query)  # by itself, lest it close a bracket of ours
        self._cursor.execute(query_text(["*"], _from(query)) + " limit 0")
        schema = self._cursor.fetch_record_batch().schema
        kinds = {
            b"timestamptz": "timestamp with time zone",
            b"timestamp": "timestamp without time zone",
            b"date": "date",
        }
        stated = [(f.metadata or {}).get(b"POSTGRESQL:type", b"").strip(b"'") for f in schema]
        return tuple(
            (field.name, kinds.get(kind, kind.decode() or "unknown"))
            for field, kind in zip(schema, stated, strict=True)
        )

    def rows(
        self, source: Relation | str, columns: Sequence[tuple[str, str]], since: Since | None
    ) -> pa.RecordBatchReader:
        cells = [
            quote_identifier(name)
            if kind in NATIVE_TYPES
            else f"{quote_identifier(name)}::text as {quote_identifier(name)}"
            for name, kind in columns
        ]
        only = ""
        if since is not None:
            column = quote_identifier(since.column)
            literal = f"timestamptz {quote_literal(since.time)}"
            if since.kind != "timestamp with time zone":  # written without a zone: taken as UTC
                literal = f"({literal} at time zone 'UTC')"
            only = f"{column} >= {literal} or {column} is null"
        self.statement = query_text(cells, _from(source), where=only)
        self._cursor.execute(self.statement)
        return _with_endless_times(self._cursor.fetch_record_batch())


# PostgreSQL has a time before and one after all others.  The driver adds to them what lies between
# 1970 and 2000, so that they come round as days before our era: as sent, and as they are meant.
ENDLESS = {
    "date32[day]": ("int32", {-(2**31) + 10_956: 2**31 - 1, -(2**31) + 10_957: -(2**31) + 1}),
    "timestamp[us": (
        "int64",
        {
            -(2**63) + 946_684_799_999_999: 2**63 - 1,
            -(2**63) + 946_684_800_000_000: -(2**63) + 1,
        },
    ),
}


def _with_endless_times(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return batches in which a time without end is one to the database that reads them."""
    import pyarrow as pa  # noqa: PLC0415 - most commands need none
    import pyarrow.compute as pc  # noqa: PLC0415

    places = [
        (n, field, *as_counted)
        for n, field in enumerate(reader.schema)
        for kind, as_counted in ENDLESS.items()
        if str(field.type).startswith(kind)
    ]

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            batch.validate(full=True)  # a server whose encoding is SQL_ASCII takes any bytes
            columns = list(batch.columns)
            for n, field, number, meanings in places:
                counts = columns[n].view(number)
                for sent, meant in meanings.items():
                    is_endless = pc.equal(counts, pa.scalar(sent, number))
                    if pc.any(is_endless).as_py():
                        counts = pc.if_else(is_endless, pa.scalar(meant, number), counts)
                        columns[n] = counts.view(field.type)
            yield pa.RecordBatch.from_arrays(columns, schema=reader.schema)

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


class _Sqlite(_Database):
    """Tables of an SQLite file, opened for reading: every cell as its text."""

    def relations(self) -> list[Relation]:
        import adbc_driver_manager  # noqa: PLC0415 - comes with the drivers

        names = self._table(
            "select name from sqlite_master where type in ('table', 'view')"
            " and name not like 'sqlite\\_%' escape '\\' order by name"
        )
        cells: list[dict[str, Any]] = []
        for name in (row["name"] for row in names):
            columns = query_text(
                ["c.name as column", "c.pk as place", "lower(c.type) as kind"],
                f"pragma_table_info({quote_literal(name)}) c",
            )
            with contextlib.suppress(adbc_driver_manager.Error):  # a view of what is gone
                cells += [
                    row
                    | {"schema": "", "name": name, "kind": DECLARED + (row["kind"] or "nothing")}
                    for row in self._table(columns)
                ]
        return _relations(cells, [row for row in cells if row["place"]])

    def query_columns(self, query: str) -> tuple[tuple[str, str], ...]:
        self._cursor.adbc_prepare(query)  # by itself, lest it close a bracket of ours
        self._cursor.execute(query_text(["*"], _from(query)) + " limit 0")
        return tuple((name, "") for name in self._cursor.fetch_record_batch().schema.names)

    def rows(
        self, source: Relation | str, columns: Sequence[tuple[str, str]], since: Since | None
    ) -> pa.RecordBatchReader:
        # The driver decides a column's type by its first rows, and stops at a later one of another:
        # a first row of texts, taken off again, makes every column one of texts.
        cells = [_sqlite_text(name) for name, _ in columns]
        first = ", ".join(f"'' as {quote_identifier(name)}" for name, _ in columns)
        only = ""
        if since is not None:
            time = f"datetime({quote_identifier(since.column)})"
            only = f"{time} >= datetime({quote_literal(since.time)}) or {time} is null"
        self.statement = query_text(cells, _from(source), where=only)
        self._cursor.execute("select " + first + " union all " + self.statement)
        return _without_first_row(self._cursor.fetch_record_batch())


def _sqlite_text(name: str) -> str:
    """Return the SQL of a cell as text; a number in the fewest digits that give it back."""
    cell = quote_identifier(name)
    short = f"printf('%!.15g', {cell})"
    number = (
        f"case when cast({short} as real) = {cell} then {short} else printf('%!.17g', {cell}) end"
    )
    return f"case when typeof({cell}) = 'real' then {number} else cast({cell} as text) end"


def _without_first_row(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    import pyarrow as pa  # noqa: PLC0415 - most commands need none

    def batches() -> Iterator[pa.RecordBatch]:
        is_first = True
        for batch in reader:
            batch.validate(full=True)  # SQLite takes any bytes for a text
            yield batch.slice(1) if is_first and batch.num_rows else batch
            is_first = is_first and not batch.num_rows

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


@contextlib.contextmanager
def _opened_folder(connection: Connection) -> Iterator[_ParquetFolder]:
    folder = Path(connection.path or "").expanduser()
    if not folder.is_dir():
        raise ExchangeError(f"connections: there is no folder {folder.name}.")
    session = duckdb.connect()
    try:
        session.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        yield _ParquetFolder(session, folder)
    finally:
        session.close()


class _ParquetFolder:
    """Files of Parquet: each a table, and each folder of such files too."""

    def __init__(self, session: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self._session = session
        self.statement = ""
        self._files: dict[str, list[str]] = {}
        for entry in sorted(folder.iterdir()):
            files = sorted(entry.rglob("*.parquet")) if entry.is_dir() else [entry]
            files = [f for f in files if f.suffix == ".parquet" and not why_strange(f, folder)]
            if files and not entry.name.startswith("."):
                self._files[entry.stem] = [str(f) for f in files]

    def _from(self, name: str) -> str:
        files = ", ".join(quote_literal(_without_patterns(f)) for f in self._files[name])
        return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"

    def relations(self) -> list[Relation]:
        return [
            Relation("", name, self._described(query_text(["*"], self._from(name))))
            for name in self._files
        ]

    def _described(self, statement: str) -> tuple[tuple[str, str], ...]:
        columns = self._session.execute("describe " + statement).fetchall()
        return tuple((str(name), str(kind)) for name, kind, *_ in columns)

    def query_columns(self, query: str) -> tuple[tuple[str, str], ...]:
        raise ExchangeError(f"a folder of Parquet takes no query, got {len(query)} characters.")

    def count(self, source: Relation | str) -> int:
        name = source.name if isinstance(source, Relation) else source
        counted = self._session.execute(query_text(["count(*)"], self._from(name))).fetchone()
        return int(counted[0]) if counted else 0

    def rows(
        self,
        source: Relation | str,
        columns: Sequence[tuple[str, str]],
        since: Since | None,  # noqa: ARG002 - files are read in full
    ) -> pa.RecordBatchReader:
        name = source.name if isinstance(source, Relation) else source
        cells = [quote_identifier(column) for column, _ in columns]
        self.statement = query_text(cells, self._from(name))
        reader: pa.RecordBatchReader = self._session.execute(self.statement).to_arrow_reader(
            BATCH_ROWS
        )
        return reader


def _without_patterns(file: str) -> str:
    """Return a file's name for a reader that takes some signs for a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in file)


def _from(source: Relation | str) -> str:
    if isinstance(source, str):
        return f"(\n{source}\n) q"
    name = quote_identifier(source.name)
    return f"{quote_identifier(source.schema)}.{name}" if source.schema else name


def _relations(columns: Sequence[dict[str, Any]], keys: Sequence[dict[str, Any]]) -> list[Relation]:
    columns_of: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in columns:
        columns_of.setdefault((row["schema"], row["name"]), []).append((row["column"], row["kind"]))
    key_of: dict[tuple[str, str], list[str]] = {}
    for row in keys:
        key_of.setdefault((row["schema"], row["name"]), []).append(row["column"])
    return [
        Relation(*at, tuple(columns), tuple(key_of.get(at, ())))
        for at, columns in columns_of.items()
    ]
