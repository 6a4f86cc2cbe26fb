"""Every item of evidence for every team and quarter: how much was done, of how much.

What a dataset does not hold leaves an item unobserved, which is neither 0 nor 1; the index prints
how much of it was observed.  Tables are cut down to what the index may read first: no amount, win
or quota is in sight when a team is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import score_leads, score_meetings, score_plans, team_quarters
from analysis.chapters.alignment.items import (
    CORE_TABLES,
    OPTIONAL_READS,
    READS,
    Item,
    profile_items,
    require_practices,
)
from analysis.project.errors import CrmDataError, require_columns
from analysis.project.settings import Standards
from analysis.stats import intervals

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    Counting = Callable[[Mapping[str, pd.DataFrame], team_quarters.Cells, Standards], pd.DataFrame]

COUNTING: dict[str, Counting] = {
    "E01": score_leads.sales_ready_definition,
    "E02": score_leads.lead_disposition,
    "E03": score_leads.first_touch,
    "E04": score_leads.lead_recycling,
    "E05": score_leads.closed_loop,
    "E06": score_meetings.weekly_meetings,
    "E07": score_meetings.manager_meetings,
    "E08": score_meetings.onboarding_meetings,
    "E09": score_meetings.quarterly_reviews,
    "E10": score_meetings.run_well,
    "E11": score_plans.shared_goals,
    "E12": score_plans.signed_plans,
    "E13": score_plans.targeted_spend,
    "E14": score_plans.pay_parity,
    "E15": score_plans.metric_packs,
    "E16": score_plans.target_list,
    "E17": score_plans.campaign_notices,
    "E18": score_plans.narrative_use,
    "E19": score_plans.field_time,
    "E20": score_plans.used_in_library,
    "E21": score_plans.library_used,
    "E22": score_plans.sales_input,
    "E23": score_plans.vetted_requests,
}
COLUMNS = ["team_id", "quarter", "item", "k", "n", "share", "low", "high", "standard_error"]
DEFAULT = Standards()


def readable_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables with rows, cut down to `items.READS`: no outcome is left in them."""
    usable = {}
    for name, columns in READS.items():
        table = tables.get(name)
        if table is None or table.empty:
            continue
        if name == "opportunities" and "is_closed" not in table:
            require_columns(table, ["status"], name)
            table = table.assign(is_closed=table["status"] != "open")  # closed, not whether won
        wanted = [c for c in columns if c in table or f"{name}.{c}" not in OPTIONAL_READS]
        require_columns(table, wanted, name)
        usable[name] = table[wanted]
    return usable


def standard_error(share: pd.Series, n: pd.Series) -> pd.Series:
    """Return the error of a share of `n`.

    That of a count whose chance is the share by Jeffreys' prior.

    Above 0 at shares of 0 and 1, and 0 where `n` is infinite.

    Examples
    --------
    8 of 10: the chance is 8.5 / 11, the variance 8.5 x 2.5 / 11^2 / 10.

    >>> standard_error(pd.Series([0.8]), pd.Series([10.0])).round(4).item()
    0.1325
    """
    size = n.where((n > 0) & np.isfinite(n))
    chance = (share * size + 0.5) / (size + 1)
    error = (chance * (1 - chance) / size) ** 0.5
    finite: pd.Series[float] = error.mask(np.isinf(n), 0.0).where(share.notna())
    return finite


def evidence_table(
    tables: Mapping[str, pd.DataFrame],
    *,
    time_zone: str,
    items: Sequence[Item] | str = "full",
    standards: Standards = DEFAULT,
    as_of: dt.date | None = None,
    half: team_quarters.Half | None = None,
) -> pd.DataFrame:
    """Return the evidence: one row a team, quarter and item.

    Parameters
    ----------
    tables : clean tables by name, as `errors` has them, with panel ``quarters``
        ``quarters``, ``teams`` and ``rep_team_history`` are needed; any other may be missing.
    time_zone : the company's, for the day of a timestamp
    items : items to count, or the name of a profile
        ``core`` looks at calendar, CRM and staff data alone even where more is held.
    standards : what counts as in time or enough, ``alignment`` of the settings
    as_of : last day known, where the last quarter is not over
    half : ``odd`` or ``even`` weeks alone, for the split-half reliability

    Returns
    -------
    DataFrame
        ``team_id``, ``quarter``, ``item``; ``share`` [0-1] with ``low`` and ``high`` (95%, Wilson)
        and ``standard_error``, and ``k`` of ``n`` it is made of (`n` the effective number where
        rows weigh unequally, infinite where nothing is sampled).  An unobserved item has a missing
        share and n = 0.

    Raises
    ------
    ValueError
        If an item is an outcome, or unknown.
    CrmDataError
        If a table lacks a column, or a counted share is outside 0 to 1.
    """
    chosen = profile_items(items) if isinstance(items, str) else tuple(items)
    require_practices(chosen)
    unknown = [item.id for item in chosen if item.id not in COUNTING]
    if unknown:
        raise ValueError(f"items must be of {', '.join(COUNTING)}, got {', '.join(unknown)}")
    usable = readable_tables(tables)
    if items == "core":
        usable = {name: t for name, t in usable.items() if name in CORE_TABLES}
    place = team_quarters.make_cells(usable, time_zone=time_zone, as_of=as_of, half=half)
    rows = [
        _counted(item, usable, place, standards).assign(item=item.id)
        for item in chosen
        if half is None or item.is_split
    ]
    if not rows:
        raise ValueError("no item has days, so odd and even weeks cannot be scored apart")
    long = pd.concat(rows).reset_index()
    wrong = long["share"].notna() & ~long["share"].between(0, 1)
    if wrong.any():
        raise CrmDataError(
            f"alignment evidence: a share must be 0 to 1, but {int(wrong.sum())} of {len(long)} "
            "are not "
            f"({', '.join(long.loc[wrong, 'item'].unique()[:3])}). Look for rates outside 0 to 1 "
            "and spend below 0."
        )
    return long[COLUMNS].sort_values(["team_id", "quarter", "item"], ignore_index=True)


def _counted(
    item: Item, usable: Mapping[str, pd.DataFrame], place: team_quarters.Cells, standards: Standards
) -> pd.DataFrame:
    if any(needs <= set(usable) for needs in item.needs):
        count = COUNTING[item.id](usable, place, standards)
    else:
        count = pd.DataFrame({"share": np.nan, "n": 0.0}, index=place.table.index)
    n, share = count["n"].where(count["share"].notna(), 0.0), count["share"]
    low, high = intervals.wilson_interval(share, n)
    k = (share * n).where(np.isfinite(n))
    error = standard_error(share, n)
    return pd.DataFrame(
        {"share": share, "n": n, "k": k, "low": low, "high": high, "standard_error": error}
    )
