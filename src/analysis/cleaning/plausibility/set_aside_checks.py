"""Rows set aside, compared with the rows that remain.

Rows, money, and whether one value of a column lost more than others.

A drop that a rule marks as planned (a deleted record, a report's total, the change of another
field) is no loss, however many there are.  Repeats found by content are counted apart: a sync or an
importer makes them, all in one source, and they are a guess.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, count_words, share_of
from analysis.cleaning.plausibility.questions import AMOUNTS, OF_TABLE, bearing_of
from analysis.sources.composed_sql import query_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

SHOWN_KINDS = ("date", "timestamp", "boolean")  # of which a word of an unreadable cell may be shown
N_RULES = 3  # named in a sentence
OUT_OF_SCALE = "amount_out_of_scale"
_WORD = re.compile(r"[^\W\d_]{3,}")


def rows_set_aside(data: Dataset) -> Iterator[CheckReading]:
    """Yield, of each table, the share of its rows set aside, taken for repeats, and left out by
    plan.
    """
    taken = list(
        data.rows(
            """
            select s.table_name, s.rule, any_value(s."column") as cell, coalesce(any_value(k.kind), 'other') as kind,
              count(*) as n
            from set_aside s left join rule_kinds k using (table_name, rule)
            group by s.table_name, s.rule
            order by s.table_name, n desc, s.rule"""
        )
    )
    for table, n_in in data.n_in.items():
        if table not in OF_TABLE or not n_in:
            continue
        mine = [r for r in taken if r.table_name == table]
        counts = {
            kind: sum(r.n for r in mine if r.kind == kind)
            for kind in ("planned", "repeat", "other")
        }
        of_facts = n_in - counts["planned"]
        bearing = bearing_of(table)
        others = [r for r in mine if r.kind == "other"][:N_RULES]
        why = ", ".join(
            f"{r.rule.replace('_', ' ')}{f' in {r.cell}' if r.cell else ''} {r.n:,}" for r in others
        )
        if data.n_clean[table] == 0:
            yield CheckReading(
                "table_without_clean_row",
                bearing,
                float(counts["planned"] < n_in),
                n_in,
                (
                    f"None of the {n_in:,} rows of {table} could be used "
                    f"({why or 'all were dropped'})."
                ),
                table,
            )
        n_aside = counts["other"]
        yield CheckReading(
            "rows_set_aside",
            bearing,
            share_of(n_aside, of_facts),
            of_facts,
            (
                f"{n_aside:,} of {of_facts:,} rows of {table} were set aside "
                f"({why}){_money_words(data, table)}."
            ),
            table,
            _team_examples(data) if table == "programme" else _word_examples(data, table),
            n_aside,
        )
        (across,) = data.row(
            "select coalesce(sum(n), 0) from repeats_across where table_name = $table",
            {"table": table},
        )
        again = max(counts["repeat"] - int(across), 0)
        yield CheckReading(
            "taken_for_repeats",
            bearing,
            share_of(again, of_facts),
            of_facts,
            f"{again:,} of {of_facts:,} rows of {table} were dropped as logged or imported twice.",
            table,
            (),
            again,
        )


def _money_words(data: Dataset, table: str) -> str:
    """Return, of deals, the money on what was set aside: it is part of no figure."""
    if table != "opportunities":
        return ""
    money, n_unpriced = data.row("select sum(money), sum(n_unpriced) from money_aside")
    words = f", with {money:,.0f} {data.house.company.currency}{_stand_ins(data)}" if money else ""
    return words + (
        f", {count_words(int(n_unpriced), 'closed deal')} of them without a readable amount"
        if n_unpriced
        else ""
    )


def _stand_ins(data: Dataset) -> str:
    """Return, in brackets, how many of the deals set aside are in a currency that nothing converts."""
    (n,) = data.row(
        "select coalesce(sum(n), 0) from money_aside where rule in ('unknown_currency', 'blank_currency')"
    )
    deals = count_words(int(n), "deal")
    return (
        f" ({deals} without an exchange rate, each as the median deal or at another day's rate)"
        if n
        else ""
    )


def _team_examples(data: Dataset) -> tuple[str, ...]:
    """Return teams whose start was set aside."""
    return data.examples(
        """
        select distinct record_key from set_aside
        where table_name = 'programme' and record_key not in (select team_id from programme)
        order by record_key"""
    )


def _word_examples(data: Dataset, table: str) -> tuple[str, ...]:
    """Return the words that unreadable dates share: a language, or a word that somebody added."""
    columns = {c.name for c in data.columns(table) if c.kind in SHOWN_KINDS}
    cells = data.rows(
        """
        select "column" as cell, "text" as words from set_aside
        where table_name = $table and "column" is not null and "text" is not null""",
        {"table": table},
    )
    words = Counter(word for r in cells if r.cell in columns for word in _WORD.findall(r.words))
    return tuple(f"{word} ({n:,} times)" for word, n in words.most_common(3) if n > 1)


def money_set_aside(data: Dataset) -> Iterator[CheckReading]:
    """Yield the share of deals' money set aside, and how much of bookings stands on a few deals out
    of scale.
    """
    if not data.has("opportunities"):
        return
    kept_amount, won, flagged, n_flagged = data.row(
        """
        select sum(abs(deal_amount)), sum(deal_amount) filter (status = 'won'),
          sum(deal_amount) filter (status = 'won' and list_contains(string_split(flagged_by, ' '), $rule)),
          count(*) filter (status = 'won' and list_contains(string_split(flagged_by, ' '), $rule))
        from opportunities""",
        {"rule": OUT_OF_SCALE},
    )
    gone, n_gone = data.row("select sum(money), sum(n) from money_aside")
    currency = data.house.company.currency
    yield CheckReading(
        "money_set_aside",
        AMOUNTS,
        share_of(gone, (gone or 0) + (kept_amount or 0)),
        int(n_gone or 0),
        f"{count_words(int(n_gone or 0), 'deal')} with {gone or 0:,.0f} {currency} "
        f"were set aside{_stand_ins(data)}, "
        f"{share_of(gone, (gone or 0) + (kept_amount or 0)):.1%} of all money of deals.",
        "opportunities",
        (),
        int(n_gone or 0),
    )
    if n_flagged:
        is_settled = _fits_finance(data, bookings=won, otherwise=won - flagged)
        yield CheckReading(
            "large_deals",
            AMOUNTS,
            0.0 if is_settled else share_of(flagged, won),
            int(n_flagged),
            f"{count_words(int(n_flagged), 'won deal')} above 100 times the median make "
            f"{flagged:,.0f} of {won:,.0f} "
            f"{currency} booked; without them it is {won - flagged:,.0f} {currency}.",
            "opportunities",
            data.examples(
                query_text(
                    ["opportunity_id"],
                    "opportunities",
                    where="status = 'won' and "
                    f"list_contains(string_split(flagged_by, ' '), '{OUT_OF_SCALE}')",
                    order=("deal_amount desc", "opportunity_id"),
                )
            ),
            int(n_flagged),
        )


def _fits_finance(data: Dataset, *, bookings: float, otherwise: float) -> bool:
    """Return whether finance's totals lie nearer to `bookings` than they would `otherwise`.

    Finance may count fewer quarters than the CRM: its sum is brought to the CRM's by the quarters
    that both have.
    """
    finance = sum(r.finance_amount for r in data.account.reconciliation)
    of_same_quarters = sum(r.bookings_amount for r in data.account.reconciliation)
    if not finance:
        return False
    others = bookings - of_same_quarters  # of quarters that finance does not count
    return abs(bookings - others - finance) <= abs(otherwise - others - finance)


def uneven_values(data: Dataset) -> Iterator[CheckReading]:
    """Yield, of each table, the one value of a column whose rows were set aside far more often than
    others.
    """
    worst = data.rows(
        """
        select * from uneven_values
        qualify row_number() over (
          partition by table_name order by n_aside desc, n_aside / n desc, dimension, value) = 1
        order by table_name"""
    )
    for r in worst:
        yield CheckReading(
            "set_aside_unevenly",
            bearing_of(r.table_name),
            share_of(r.n_aside, r.n_table),
            int(r.n_table),
            f"Rows of {r.table_name} set aside are not spread evenly: {r.n_aside:,} of {r.n:,} "
            f"where {r.dimension} is {r.value}, {share_of(r.n_table_aside, r.n_table):.1%} of all.",
            r.table_name,
            (str(r.value),),
            int(r.n_aside),
        )


def deciding_cells(data: Dataset) -> Iterator[CheckReading]:
    """Yield, for each file, the number of blank cells in columns that decide what a row counts as."""
    for r in data.rows("select * from deciding_cells where n_blank > 0 order by n_blank desc"):
        yield CheckReading(
            "deciding_cell_blank",
            bearing_of(r.table_name),
            share_of(r.n_blank, r.n),
            int(r.n),
            (
                f"{r.n_blank:,} of {r.n:,} cells of {r.column} in {r.source_file} are blank, the "
                "others filled."
            ),
            r.table_name,
            (),
            int(r.n_blank),
        )


def differing_versions(data: Dataset) -> Iterator[CheckReading]:
    """Yield, for each table, how many rows are differing versions of one id with no later one among
    them.
    """
    counted = data.rows(
        """
        select table_name, count(*) as n, list(distinct record_key order by record_key)[:3] as ids
        from set_aside where rule = 'conflicting_record' group by table_name order by table_name"""
    )
    for r in counted:
        n_in = data.n_in[r.table_name]
        yield CheckReading(
            "two_versions_of_a_record",
            bearing_of(r.table_name),
            share_of(r.n, n_in),
            n_in,
            (
                f"{r.n:,} of {n_in:,} rows of {r.table_name} are versions of one id that differ: "
                "exports overlap."
            ),
            r.table_name,
            tuple(map(str, r.ids)),
            int(r.n),
        )
