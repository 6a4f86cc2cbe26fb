"""What came in, what was kept, and what the data can therefore answer.

Everything here restates the account of the cleaning pass (``audit.json``) and the panels as
tables; nothing is estimated but the win rate, whose interval is `clustered_win_rate`'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.chapters.data_quality import clustered_win_rate
from analysis.project.errors import require_columns, require_rows
from analysis.project.money import signed_percent
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping


OUT_OF_SCALE = {
    "amount_contradicts_history",
    "amount_contradicts_finance",
    "longer_than_8_hours",
}  # rules that know the amount to be wrong


def rows_ledger(account: Mapping[str, Any]) -> pd.DataFrame:
    """Return what became of each table's rows: one row a table that an export fills.

    Columns: ``table``, ``rows_in``, ``clean``, ``quarantined``, ``dropped``; the last three add up
    to the first.
    """
    rows = [
        (t["table"], t["n_in"], t["n_clean"], t["n_quarantined"], t["n_dropped"])
        for t in account["tables"]
        if t["n_in"]
    ]
    return pd.DataFrame(rows, columns=["table", "rows_in", "clean", "quarantined", "dropped"])


def largest_losses(ledger: pd.DataFrame) -> pd.DataFrame:
    """Return the tables that lost most rows, and one last row for all others together.

    What a figure has room for.

    Takes and returns a table such as `ledger` makes.
    """
    lost = ledger["clean"] < ledger["rows_in"]
    rest = ledger[~lost]
    if rest.empty:
        return ledger
    one = rest.drop(columns="table").sum().to_frame().T.assign(table=f"{len(rest)} others")
    return pd.concat([ledger[lost], one[ledger.columns]], ignore_index=True)


def in_words(name: str) -> str:
    """Return the name of a table, rule or step as a reader would write it.

    Examples
    --------
    >>> in_words("amount_contradicts_history")
    'Amount contradicts history'
    """
    words = name.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def rules_that_matched(account: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each rule did, leaving out rules that matched no row: one row a table and rule.

    Columns: ``table``, ``rule``, ``action``, ``rows``, ``share`` (of the table's rows in),
    ``money_amount`` [currency], ``hours`` [h], ``reason``.
    """
    rows = [
        (
            r["table"],
            r["rule"],
            r["action"],
            r["n_rows"],
            r["n_rows"] / r["n_of"],
            r["money_amount"],
            r["hours"],
            r["reason"],
        )
        for r in account["rules"]
        if r["n_rows"]
    ]
    columns = ["table", "rule", "action", "rows", "share", "money_amount", "hours", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    table[["money_amount", "hours"]] = table[["money_amount", "hours"]].astype(float)
    return table


def files_understood(account: Mapping[str, Any]) -> pd.DataFrame:
    """Return how each file was understood, refused ones last: ``file``, ``rows``,
    ``understood_as``, ``fills``.

    Why a file was refused is for the analyst who cleans: the reason may quote the file's own
    content.
    """
    rows: list[tuple[str, float, str, str]] = [
        (f["file"], f["n_rows"], f["layout"], ", ".join(f["tables"]) or "nothing reads it yet")
        for f in account["files"]
    ]
    rows += [
        (r["file"], math.nan, "not understood; `alignment-roi clean` says why", "nothing")
        for r in account["refusals"]
    ]
    return pd.DataFrame(rows, columns=["file", "rows", "understood_as", "fills"])


def finance_reconciliation(account: Mapping[str, Any]) -> pd.DataFrame:
    """Return bookings beside finance's control total, a row a quarter.

    ``crm_amount``, ``finance_amount``, ``gap_rate``.
    """
    rows = [
        (r["quarter"], r["bookings_amount"], r["finance_amount"], r["gap_rate"])
        for r in account["reconciliation"]
    ]
    return pd.DataFrame(rows, columns=["quarter", "crm_amount", "finance_amount", "gap_rate"])


def finance_gap(account: Mapping[str, Any], quarter: str) -> Result:
    """Return how far the quarter's bookings in the CRM lie from finance's.

    NaN where finance states none.
    """
    table = finance_reconciliation(account).set_index("quarter")
    rate = float(table["gap_rate"].get(quarter, math.nan))
    return Result(
        "bookings_gap_to_finance",
        rate,
        math.nan,
        math.nan,
        "of finance's bookings",
        len(table),
        "quarters reconciled",
        "bookings in the CRM less finance's total, over that total",
        "opportunities, finance_bookings",
    )


def closed_deals(teams: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Return deals closed by quarter: one row a quarter of `teams` (panel ``team_quarter``).

    `stays` is panel ``rep_quarter``.  Columns: ``quarter``, ``n_won``, ``n_lost``, ``win_rate``
    with ``low`` and ``high`` (95%, see `clustered_win_rate`), ``bookings_amount`` [currency],
    ``is_partial``.
    """
    require_columns(
        teams, ["quarter", "n_won", "n_lost", "bookings_amount", "is_partial"], "team_quarter"
    )
    sums = {"n_won": "sum", "n_lost": "sum", "bookings_amount": "sum", "is_partial": "any"}
    table = teams.groupby("quarter", as_index=False).agg(sums)
    rates = [
        clustered_win_rate.clustered_win_rate(
            teams[teams["quarter"] == quarter], stays[stays["quarter"] == quarter], ""
        )
        for quarter in table["quarter"]
    ]
    table["win_rate"] = [r.estimate for r in rates]
    table["low"], table["high"] = [r.low for r in rates], [r.high for r in rates]
    columns = [
        "quarter",
        "n_won",
        "n_lost",
        "win_rate",
        "low",
        "high",
        "bookings_amount",
        "is_partial",
    ]
    return table[columns]


def quarter_bookings(teams: pd.DataFrame, quarter: str, currency: str) -> Result:
    """Return the quarter's bookings: a total of all deals won, so it has no interval."""
    rows = teams[teams["quarter"] == quarter]
    require_rows(rows, "team_quarter", f"in {quarter}")
    return Result(
        "bookings",
        float(rows["bookings_amount"].sum()),
        math.nan,
        math.nan,
        currency,
        int(rows["n_won"].sum()),
        "deals won",
        "contract value of opportunities won, by close date",
        f"opportunities, {quarter}",
    )


def at_stake(
    account: Mapping[str, Any],
    opportunities: pd.DataFrame,
    activities: pd.DataFrame,
    currency: str,
) -> pd.DataFrame:
    """Return what quarantined rows could change at most: one row a measure.

    Columns: ``measure``, ``clean`` and ``quarantined`` sums, ``share`` of the latter in the former,
    ``rows`` quarantined.  Amounts and lengths that are wrong by their very scale do not count.
    """
    set_aside = rules_that_matched(account)
    taken = set_aside[(set_aside["action"] == "quarantine") & ~set_aside["rule"].isin(OUT_OF_SCALE)]
    money, hours = taken[taken["table"] == "opportunities"], taken[taken["table"] == "activities"]
    clean_money = opportunities["deal_amount"].sum()
    clean_hours = activities["minutes"].sum() / 60
    rows = [
        (
            f"contract value of opportunities [{currency}]",
            clean_money,
            money["money_amount"].clip(lower=0).sum(),
            money["rows"].sum(),
        ),
        (
            "hours of activities [h]",
            clean_hours,
            hours["hours"].clip(lower=0).sum(),
            hours["rows"].sum(),
        ),
    ]
    table = pd.DataFrame(rows, columns=["measure", "clean", "quarantined", "rows"])
    table["share"] = table["quarantined"] / table["clean"].where(table["clean"] > 0)
    return table[["measure", "clean", "quarantined", "share", "rows"]]


def rows_sentence(account: Mapping[str, Any]) -> str:
    """Return in one sentence what became of all rows."""
    table = rows_ledger(account)
    n_in, clean, quarantined, dropped = (
        int(table[c].sum()) for c in ("rows_in", "clean", "quarantined", "dropped")
    )
    lost = n_in - clean - quarantined - dropped
    usable = (
        f"{clean / n_in:.1%} of {n_in:,} rows were usable; {quarantined:,} "
        f"({quarantined / n_in:.2%}) are in doubt and set aside, {dropped:,} "
        f"({dropped / n_in:.2%}) are repeats and the like."
    )
    return f"{usable} {lost:,} are unaccounted for." if lost else usable


def gap_sentence(account: Mapping[str, Any]) -> str:
    """Return in one sentence how far bookings lie from finance's totals."""
    table = finance_reconciliation(account)
    if table.empty:
        return "Bookings are not reconciled: the exports hold no finance_bookings."
    worst = table.sort_values("gap_rate", key=abs).iloc[-1]
    return (
        f"Bookings in the CRM lie between {signed_percent(table['gap_rate'].min(), 2)} and "
        f"{signed_percent(table['gap_rate'].max(), 2)} of "
        f"finance's totals over {len(table)} quarters; furthest in {worst['quarter']}."
    )


def closed_sentence(teams: pd.DataFrame, stays: pd.DataFrame) -> str:
    """Return in one sentence how many deals closed over all quarters, and which quarters are
    partial.
    """
    rate = clustered_win_rate.clustered_win_rate(teams, stays, "")
    partial = sorted(teams.loc[teams["is_partial"], "quarter"].unique())
    return (
        f"All quarters together: {int(teams['n_won'].sum()):,} won of {rate.n:,} closed, a win "
        "rate of "
        f"{rate.estimate:.2%} ({rate.low:.1%} to {rate.high:.1%}). Partial: "
        f"{', '.join(partial) or 'none'}."
    )
