"""What changed since it was published: a quarter once reported stands, and later edits show.

A published quarter keeps the panels it stood on.  Here they are laid beside today's: where a
measure differs, the CRM was edited since, or the rules were, and as far as the deals tell, how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.project.errors import require_columns
from analysis.project.money import signed_percent

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURES = (
    "bookings_amount",
    "n_won",
    "n_lost",
    "n_created",
    "selling_hours",
    "quota_amount",
    "average_reps",
)
AMOUNT = "bookings_amount"
COLUMNS = ["quarter", "measure", "published", "today", "change", "change_rate", "why"]
SMALLEST = 1e-6  # a change below this share is the rounding of sums


def quarter_totals(teams: pd.DataFrame, measures: Sequence[str] = MEASURES) -> pd.DataFrame:
    """Return each measure summed over teams: one row a quarter; missing where no team has one."""
    require_columns(teams, ["quarter"], "team_quarter")
    measured = [m for m in measures if m in teams.columns]
    return teams.groupby("quarter")[measured].sum(min_count=1)


def deal_moves(
    published: pd.DataFrame, today: pd.DataFrame, set_aside: pd.DataFrame
) -> pd.DataFrame:
    """Return which deals moved a published quarter's bookings, and how.

    One row a quarter and reason.

    Parameters
    ----------
    published : DataFrame, one row an opportunity won, as it stood
        ``opportunity_id``, ``quarter``, ``deal_amount`` [currency], of published quarters only.
    today : DataFrame, the same of all quarters today
    set_aside : DataFrame, one row a row not clean today
        ``table_name``, ``record_key``, ``rule``.

    Returns
    -------
    DataFrame
        ``quarter``, ``reason``, ``n`` deals and ``change`` of bookings [currency].
    """
    columns = ["quarter", "reason", "n", "change"]
    if published.empty:
        return pd.DataFrame(columns=columns)
    rules = (
        set_aside[set_aside["table_name"] == "opportunities"].groupby("record_key")["rule"].first()
    )
    both = published.merge(
        today, on="opportunity_id", how="outer", suffixes=("_then", "_now"), indicator=True
    )
    published_quarters = set(published["quarter"])
    then, now = both["deal_amount_then"].fillna(0.0), both["deal_amount_now"].fillna(0.0)
    stayed = both["quarter_then"] == both["quarter_now"]
    rule = both["opportunity_id"].map(rules).astype("object")
    left = pd.Series("no longer won", index=both.index).mask(
        rule.notna(), "set aside by " + rule.fillna("")
    )
    left = left.mask(both["_merge"] == "both", "moved to " + both["quarter_now"].fillna(""))
    came = ("moved here from " + both["quarter_then"].fillna("")).where(
        both["_merge"] == "both", "added or won later"
    )
    parts = [
        pd.DataFrame(
            {"quarter": both["quarter_then"], "reason": "amount changed", "change": now - then}
        )[stayed & (now != then)],
        pd.DataFrame({"quarter": both["quarter_then"], "reason": left, "change": -then})[
            ~stayed & both["quarter_then"].isin(published_quarters)
        ],
        pd.DataFrame({"quarter": both["quarter_now"], "reason": came, "change": now})[
            ~stayed & both["quarter_now"].isin(published_quarters)
        ],
    ]
    table = (
        pd.concat(parts)
        .groupby(["quarter", "reason"], as_index=False)
        .agg(n=("change", "size"), change=("change", "sum"))
    )
    return table[columns]


def restatement_table(
    published: pd.DataFrame, today: pd.DataFrame, moved: pd.DataFrame
) -> pd.DataFrame:
    """Return what differs today from what was published.

    One row a quarter and measure, none where nothing does.

    `published` and `today` are panel ``team_quarter``, `moved` is what `deal_moves` returns.
    Columns: ``quarter``, ``measure``, ``published``, ``today``, ``change``, ``change_rate`` (of
    published) and ``why``, for bookings and deals won.
    """
    if published.empty:
        return pd.DataFrame(columns=COLUMNS)
    then, now = (
        quarter_totals(teams)
        .melt(ignore_index=False, var_name="measure", value_name=name)
        .reset_index()
        .dropna()
        for teams, name in ((published, "published"), (today, "today"))
    )
    both: pd.DataFrame = then.merge(now, on=["quarter", "measure"], how="left")
    both["change"] = both["today"].fillna(0.0) - both["published"]
    both["change_rate"] = both["change"] / both["published"].where(both["published"] != 0)
    changes_by_quarter: dict[str, list[str]] = {}
    for quarter, reason, n in zip(moved["quarter"], moved["reason"], moved["n"], strict=True):
        changes_by_quarter.setdefault(quarter, []).append(f"{n} {reason}")
    about_deals = both["measure"].isin([AMOUNT, "n_won"])
    why = [
        "; ".join(changes_by_quarter.get(quarter, [])) if about else ""
        for quarter, about in zip(both["quarter"], about_deals, strict=True)
    ]
    both["why"] = [text or "the deals kept do not tell" for text in why]
    differs = both["change"].abs() > SMALLEST * both["published"].abs()
    restated: pd.DataFrame = both.loc[differs, COLUMNS]
    return restated.sort_values(["quarter", "measure"], ignore_index=True)


def restatement_notices(restated: pd.DataFrame, tolerance_rate: float) -> list[str]:
    """Return a sentence for each published quarter whose bookings moved by more than
    `tolerance_rate`.
    """
    moved = restated[
        (restated["measure"] == AMOUNT) & (restated["change_rate"].abs() > tolerance_rate)
    ]
    return [
        f"Restated: bookings of {quarter} are {signed_percent(rate, 1)} off what was published "
        f"({why})."
        for quarter, rate, why in zip(
            moved["quarter"], moved["change_rate"], moved["why"], strict=True
        )
    ]


def restatement_sentence(restated: pd.DataFrame, n_published: int) -> str:
    """Return in one sentence what moved since it was published."""
    if not n_published:
        return (
            "No quarter before this one was published from here, so nothing can have been restated."
        )
    published = "1 quarter was" if n_published == 1 else f"{n_published} quarters were"
    if restated.empty:
        return f"{published} published before: today's data give the same figures for each."
    quarters = restated["quarter"].unique()
    differ = (
        "1 figure of {} differs"
        if len(restated) == 1
        else f"{len(restated)} figures of {{}} differ"
    )
    return (
        f"{published} published before; {differ.format(', '.join(quarters))} today. "
        "All figures of this report, of past quarters too, are of today's data."
    )
