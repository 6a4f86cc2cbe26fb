"""Where the rows set aside lie: what is measured while a table's typed rows still stand.

What an export cannot say is rarely spread evenly: one currency, one month, one owner, one file.  So
the rows that were set aside for a reason nobody planned are counted in every value of every column
that sorts rows, and with them the money on them, also where no exchange rate is known for it.
Nothing is decided here; `plausibility` judges what was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.rules import INTAKE_PLANNED
from analysis.sources.database import insert_rows, quote_identifier, quote_literal

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
DECIDING: dict[str, dict[str, str]] = {
    "opportunities": {
        "is_won": "is_closed is distinct from false",
        "is_closed": "is_won is distinct from true",
        "currency": "raw_amount is not null",
        "created_at": "status <> 'open'",
    },
    "compensation": {"base_amount": "true", "valid_from": "true"},
}


def define_tables(connection: duckdb.DuckDBPyConnection, books: Mapping[str, Rulebook]) -> None:
    """Make the tables that `measure_spread` fills, all but ``rule_kinds`` empty.

    ``rule_kinds``: is a rule's drop planned, of repeats, or neither.  ``money_aside``: rows and
    money a rule took from deals, ``n_unpriced`` of them without an amount.  ``uneven_values``: the
    values of a column whose rows were set aside far more often than the table's.
    ``unknown_parents``: rows whose parent no table holds. ``deciding_cells``: blanks of a column
    that decides something by itself, file by file.
    """
    connection.execute(
        """
        create or replace temp table rule_kinds (table_name varchar, rule varchar, kind varchar);
        create or replace temp table money_aside (rule varchar, n bigint, n_closed bigint, n_unpriced bigint, money double);
        create or replace temp table uneven_values (table_name varchar, dimension varchar, value varchar, n bigint, n_aside bigint,
          n_table bigint, n_table_aside bigint);
        create or replace temp table unknown_parents (table_name varchar, parent varchar, n_rows bigint, n_table bigint, n_ids bigint,
          examples varchar[]);
        create or replace temp table deciding_cells (table_name varchar, source_file varchar, "column" varchar, n_blank bigint,
          n bigint)"""
    )
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
    if table.name not in DECIDING:
        return
    there = {
        name for name, *_ in connection.execute(f"describe {quote_identifier(source)}").fetchall()
    }
    for column, among in DECIDING[table.name].items():
        if column not in there:
            continue
        name = quote_identifier(column)
        unread = (
            "list_contains(list_transform(unreadable, lambda cell: cell['column']), "
            f"{quote_literal(column)})"
        )
        connection.execute(
            f"""
            insert into deciding_cells
            select {quote_literal(table.name)}, source_file, {quote_literal(column)},
              count(*) filter ({name} is null and not {unread}), count(*)
            from {quote_identifier(source)}
            where {among}
            group by source_file
            having count({name}) > 0"""
        )


def measure_spread(connection: duckdb.DuckDBPyConnection, table: Table, book: Rulebook) -> None:
    """Measure what a table's rules took, while ``candidates`` and ``verdicts`` are its own."""
    judged = "select 1 from set_aside where table_name = ? and record_key is not null limit 1"
    if connection.execute(judged, [table.name]).fetchone() is None:
        return  # also where no row of the table was judged: `candidates` are another's then
    for rule in book.rules:
        if rule.name in PARENTS:
            _unknown_parents(connection, table.name, rule.name)
    connection.execute(
        """
        create or replace temp table taken as
        select v.rid, v.rule from verdicts v anti join rule_kinds k on k.table_name = ? and k.rule = v.rule""",
        [table.name],
    )
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
    connection.execute(
        """
        insert into money_aside
        select rule, count(*), count(*) filter (status is distinct from 'open'),
          count(*) filter (raw_amount is null and status is distinct from 'open'), sum(abs(case
            when list_contains($disproved, rule) then history_amount * fx_rate
            when raw_amount is null or deal_amount is not null then deal_amount
            else coalesce(raw_amount * f.rate, m.middle, raw_amount) end))
        from candidates c join taken using (rid) cross join (select median(deal_amount) as middle from opportunities) m
        left join (select currency, median(rate_to_reporting) as rate from fx_rates group by currency) f
          on f.currency = c.currency
        group by rule""",
        {"disproved": list(DISPROVED)},
    )


def _unknown_parents(connection: duckdb.DuckDBPyConnection, table: str, rule: str) -> None:
    """Count the rows whose parent is nowhere.

    Children of a row that was set aside are none of them.
    """
    parent, column = PARENTS[rule]
    connection.execute(
        f"""
        insert into unknown_parents
        with absent as (
          select {column} as id from candidates join verdicts using (rid)
          where rule = $rule and {column} not in (
            select coalesce(record_key, "text") from set_aside
            where table_name = $parent and (record_key <> '' or "column" = {quote_literal(column)})))
        select $table, $parent, count(*), (select count(*) from candidates), count(distinct id),
          (select list(id order by id) from (select distinct id from absent order by id limit 3))
        from absent having count(*) > 0""",
        {"table": table, "rule": rule, "parent": parent},
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
    sorted_by = ", ".join(
        f"({sql})::varchar as {quote_identifier(name)}" for name, sql in dimensions.items()
    )
    names = ", ".join(quote_identifier(name) for name in dimensions)
    connection.execute(
        f"""
        insert into uneven_values
        with marked as (
          select t.rid is not null as is_aside, {sorted_by} from candidates left join taken t using (rid)),
        total as (
          select count(*) as n, count(*) filter (is_aside) as n_aside from marked),
        by_value as (
          select dimension, value, count(*) as n, count(*) filter (is_aside) as n_aside,
            count(*) over (partition by dimension) as n_values
          from (unpivot marked on {names} into name dimension value value)
          group by dimension, value)
        select $table, v.dimension, v.value, v.n, v.n_aside, t.n, t.n_aside
        from by_value v, total t
        where v.n_values between 2 and $most and v.n >= $fewest and v.n_aside >= $fewest_aside
          and v.n_aside >= $rate * v.n and v.n < t.n
          and v.n_aside - v.n * t.n_aside / t.n > $sigmas * sqrt(v.n * (t.n_aside / t.n) * (1 - t.n_aside / t.n))""",
        {
            "table": table.name,
            "most": MOST_VALUES,
            "fewest": FEWEST_OF_VALUE,
            "fewest_aside": FEWEST_ASIDE,
            "rate": SMALLEST_RATE,
            "sigmas": SIGMAS,
        },
    )
