"""How rows set aside are spread over values and files, measured while a table's typed rows still
stand.

What an export cannot say is rarely spread evenly: one currency, one month, one owner, one file.  So
the rows that were set aside for a reason nobody planned are counted in every value of every column
that sorts rows, and with them the money on them, also where no exchange rate is known for it.
Nothing is decided here; `plausibility` judges what was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.rules import INTAKE_PLANNED
from analysis.sources.composed_sql import create_view, named_columns, query_text
from analysis.sources.database import insert_rows, quote_identifier
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analysis.tables.columns import Table
    from analysis.tables.rulebook import Rulebook

FEWEST_ASIDE = 5  # rows of one value set aside: fewer are chance
FEWEST_OF_VALUE = 8  # rows that hold a value at all
SMALLEST_RATE = 0.25  # of a value's rows, to be worth a word
SIGMAS = 4.0  # above the table's rate, as if rows were set aside at random
MOST_VALUES = 400  # a column of more sorts nothing
SORTING = (
    "owner_rep_id",
    "rep_id",
    "team_id",
    "source_file",
)  # ids that sort rows, beside categories and months

# Rules that take a deal because its amount cannot be true.
DISPROVED = ("amount_contradicts_history", "amount_contradicts_finance")

# Rules that take a row whose parent no table holds: the parent's table and the column that names
# it.
PARENTS = {
    "unknown_rep": ("reps", "rep_id"),
    "unknown_opportunity": ("opportunities", "opportunity_id"),
    "unknown_activity": ("activities", "activity_id"),
    "unknown_lead": ("leads", "lead_id"),
    "unknown_asset": ("assets", "asset_id"),
    "unknown_account": ("accounts", "account_id"),
    "unknown_campaign": ("campaigns", "campaign_id"),
}

# Columns of which a blank decides something by itself, and the rows on which it may not be blank.
DECIDING = {
    "opportunities": ("is_won", "is_closed", "currency", "created_at"),
    "compensation": ("base_amount", "valid_from"),
}
SQL = read_statements(__name__)


def define_tables(connection: duckdb.DuckDBPyConnection, books: Mapping[str, Rulebook]) -> None:
    """Make the tables that `measure_spread` fills, empty but for ``rule_kinds``.

    ``rule_kinds``: is a rule's drop planned, of repeats, or neither.  ``money_aside``: rows and
    money a rule took from deals, ``n_unpriced`` of them without an amount.  ``uneven_values``: the
    values of a column whose rows were set aside far more often than the table's.
    ``unknown_parents``: rows whose parent no table holds. ``deciding_cells``: blanks of a column
    that decides something by itself, file by file.
    """
    connection.execute(SQL["tables"])
    insert_rows(
        connection,
        "rule_kinds",
        [(name, rule, kind) for name, book in books.items() for rule, kind in _kinds(book)],
    )


def _kinds(book: Rulebook) -> list[tuple[str, str]]:
    kinds = [(rule, "planned") for rule in sorted(INTAKE_PLANNED)]
    return kinds + [
        (r.name, "planned" if r.is_planned else "repeat")
        for r in book.rules
        if r.is_planned or r.is_repeat
    ]


def count_deciding(connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
    """Count, file by file, the blanks of each deciding column of the typed rows in `source`."""
    for column in DECIDING.get(table.name, ()):
        if column in connection.table(source).columns:
            connection.execute(SQL[column], {"source": source})


def measure_spread(connection: duckdb.DuckDBPyConnection, table: Table, book: Rulebook) -> None:
    """Measure how the rows that a table's rules took are spread, while ``candidates`` and
    ``verdicts`` hold this table.
    """
    if connection.execute(SQL["was_judged"], {"table": table.name}).fetchone() is None:
        return  # also where no row of the table was judged: `candidates` are another's then
    for rule in book.rules:
        if rule.name in PARENTS:
            _unknown_parents(connection, table.name, rule.name)
    connection.execute(SQL["taken"], {"table": table.name})
    if table.name == "opportunities":
        _money(connection)
    (n_taken,) = connection.execute("select count(*) from taken").fetchone() or (0,)
    if n_taken >= FEWEST_ASIDE:
        _uneven(connection, table)


def _money(connection: duckdb.DuckDBPyConnection) -> None:
    """Sum the money of the deals set aside.

    One without a rate on its day counts at a rate its currency has on another, or else as the
    median deal. An amount that the deal's history or finance's total disproves is no money: what
    its history says is.
    """
    connection.execute(SQL["money_aside"], {"disproved": list(DISPROVED)})


def _unknown_parents(connection: duckdb.DuckDBPyConnection, table: str, rule: str) -> None:
    """Count the rows whose parent is nowhere.

    Children of a row that was set aside are none of them.
    """
    parent, column = PARENTS[rule]
    connection.execute(
        SQL["unknown_parents"],
        {"table": table, "rule": rule, "parent": parent, "name": column},
    )


def _dimensions(table: Table) -> dict[str, str]:
    """Return by what rows are sorted: SQL of each category, owner and month."""
    dimensions: dict[str, str] = {}
    for column in table.columns:
        name = quote_identifier(column.name)
        if column.kind == "category" or column.name in SORTING:
            dimensions[column.name] = name
        elif column.kind in ("date", "timestamp"):
            dimensions[f"month of {column.name}"] = f"strftime({name}::date, '%Y-%m')"
    return dimensions


def _uneven(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Count every value of every column that sorts rows, in one look.

    Keep those that lost far more than the table.
    """
    dimensions = _dimensions(table)
    columns = {name: f"({sql})::varchar" for name, sql in dimensions.items()}
    marked = ["t.rid is not null as is_aside", *named_columns(columns)]
    source = "candidates left join taken as t using (rid)"
    create_view(connection, "marked_rows", query_text(marked, source))
    connection.execute(
        SQL["uneven_values"],
        {
            "table": table.name,
            "most": MOST_VALUES,
            "fewest": FEWEST_OF_VALUE,
            "fewest_aside": FEWEST_ASIDE,
            "rate": SMALLEST_RATE,
            "sigmas": SIGMAS,
        },
    )
