"""A table without which there is no report, and of which no row is left.

Said with what could not be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis.cleaning.pipeline import REQUIRED_TABLES
from analysis.project.errors import CrmDataError
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    import duckdb

    from analysis.cleaning.pipeline import Audit

N_SHOWN = 3
LONGEST = 40
SHOWN_KINDS = ("id", "date", "timestamp", "boolean")  # never a name, an amount or an address
_NAMES_NOBODY = re.compile(
    r"\S*\d\S*|[^\W\d_]{0,6}|\S*[:/.-]\S*"
)  # of an id: a code, not a person's name


def require_clean_rows(connection: duckdb.DuckDBPyConnection, account: Audit) -> None:
    """Refuse a dataset of whose required tables one has rows, and none that is clean.

    Raises
    ------
    CrmDataError
        With the table, the rules and how many rows each took, and three texts that could not be
        read.
    """
    required = {name for names in REQUIRED_TABLES for name in names}
    if any(t.table == "opportunities" and t.n_in for t in account.tables):
        required.discard("leads")  # deals are there: without leads a chapter is missing, no more
    for table in account.tables:
        if table.table in required and table.n_in and not table.n_clean:
            raise CrmDataError(_refusal(connection, table.table, table.n_in))


def _refusal(connection: duckdb.DuckDBPyConnection, table: str, n_in: int) -> str:
    rules = connection.execute(
        'select rule, "column", count(*) as n from set_aside where table_name = ? group by rule, "column" '
        'order by n desc, rule, "column" limit ?',
        [table, N_SHOWN],
    ).fetchall()
    rule_counts = ", ".join(
        f"{rule}{f' in {column}' if column else ''} {n:,}" for rule, column, n in rules
    )
    texts = [text for _, column, _ in rules if column for text in _texts(connection, table, column)]
    examples = f" Not read, for example: {', '.join(texts[:N_SHOWN])}." if texts else ""
    files = connection.execute(
        "select distinct source_file from set_aside where table_name = ? order by 1 limit 3",
        [table],
    ).fetchall()
    where = ", ".join(name for (name,) in files if name)
    return (
        f"{table}: none of {n_in:,} rows is clean ({rule_counts}).{examples} Without a clean row "
        f"there is no report: export the column in another form{f' ({where})' if where else ''}, "
        "or say in fields.toml how it is written."
    )


def _texts(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[str]:
    """Return cells that could not be read, where the column's kind lets them be shown."""
    kind = next((c.kind for c in TABLES[table].columns if c.name == column), None)
    if kind not in SHOWN_KINDS:
        return []
    rows = connection.execute(
        """
        select distinct "text" from set_aside
        where table_name = ? and "column" = ? and "text" is not null order by 1 limit 20""",
        [table, column],
    ).fetchall()
    texts = [text for (text,) in rows if kind != "id" or _NAMES_NOBODY.fullmatch(text)]
    return [f"{column} {text[:LONGEST]!r}" for text in texts[:N_SHOWN]]
