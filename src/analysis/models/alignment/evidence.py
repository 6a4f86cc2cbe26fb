"""Every item of evidence for every team and quarter: how much was done, of how much.

What a dataset does not hold leaves an item unobserved, which is neither 0 nor 1; the index prints
how much of it was observed.  Tables are cut down to what the index may read first: no amount, win
or quota is in sight when a team is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from analysis.models.alignment import cells as cell
from analysis.models.alignment import (
    evidence_cadence,
    evidence_content,
    evidence_leads,
    evidence_plans,
    evidence_targeting,
)
from analysis.models.alignment.items import (
    CORE_TABLES,
    OPTIONAL_READS,
    READS,
    Item,
    profile,
    require_practices,
)
from analysis.schema import CrmDataError, require_columns
from analysis.settings import Standards

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    Counting = Callable[[Mapping[str, pd.DataFrame], cell.Cells, Standards], pd.DataFrame]

COUNTING: dict[str, Counting] = {
    "E01": evidence_leads.sales_ready_definition,
    "E02": evidence_leads.disposition,
    "E03": evidence_leads.first_touch,
    "E04": evidence_leads.recycling,
    "E05": evidence_leads.closed_loop,
    "E06": evidence_cadence.weekly,
    "E07": evidence_cadence.managers,
    "E08": evidence_cadence.onboarding,
    "E09": evidence_cadence.quarterly,
    "E10": evidence_cadence.run_well,
    "E11": evidence_plans.shared_goals,
    "E12": evidence_plans.signed_plans,
    "E13": evidence_plans.targeted_spend,
    "E14": evidence_plans.pay_parity,
    "E15": evidence_plans.metric_packs,
    "E16": evidence_targeting.target_list,
    "E17": evidence_targeting.notices,
    "E18": evidence_targeting.narrative,
    "E19": evidence_targeting.field_time,
    "E20": evidence_content.used_in_library,
    "E21": evidence_content.library_used,
    "E22": evidence_content.sales_input,
    "E23": evidence_content.vetted_requests,
}
COLUMNS = ["team_id", "quarter", "item", "k", "n", "share", "low", "high", "standard_error"]
DEFAULT = Standards()
Z = float(stats.norm.ppf(0.975))


def readable(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables with rows, cut down to `items.READS`: no outcome is left in them."""
    held = {}
    for name, columns in READS.items():
        table = tables.get(name)
        if table is None or table.empty:
            continue
        if name == "opportunities" and "is_closed" not in table:
            require_columns(table, ["status"], name)
            table = table.assign(is_closed=table["status"] != "open")  # closed, not whether won
        wanted = [c for c in columns if c in table or f"{name}.{c}" not in OPTIONAL_READS]
        require_columns(table, wanted, name)
        held[name] = table[wanted]
    return held


def standard_error(share: pd.Series, n: pd.Series) -> pd.Series:
    """Return the error of a share of `n`: that of a count whose chance is the share by Jeffreys' prior.

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
    known: pd.Series[float] = error.mask(np.isinf(n), 0.0).where(share.notna())
    return known


def wilson(share: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return Wilson's 95% interval of a share of `n`; the share itself where `n` is infinite.

    Examples
    --------
    >>> [round(end.item(), 3) for end in wilson(pd.Series([0.8]), pd.Series([10.0]))]
    [0.49, 0.943]
    """
    size = n.where(n > 0)
    with np.errstate(invalid="ignore"):
        middle = (share + Z**2 / (2 * size)) / (1 + Z**2 / size)
        reach = Z / (1 + Z**2 / size) * np.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2))
    return middle - reach, middle + reach


def table(
    tables: Mapping[str, pd.DataFrame],
    *,
    time_zone: str,
    items: Sequence[Item] | str = "full",
    standards: Standards = DEFAULT,
    as_of: dt.date | None = None,
    half: cell.Half | None = None,
) -> pd.DataFrame:
    """Return the evidence: one row a team, quarter and item.

    Parameters
    ----------
    tables : clean tables by name, as `schema` has them, with panel ``quarters``
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
        ``team_id``, ``quarter``, ``item``; ``share`` [0-1] with ``low`` and ``high`` (95%, Wilson) and
        ``standard_error``, and ``k`` of ``n`` it is made of (`n` the effective number where rows
        weigh unequally, infinite where nothing is sampled).  An unobserved item has a missing share and n = 0.

    Raises
    ------
    ValueError
        If an item is an outcome, or unknown.
    CrmDataError
        If a table lacks a column, or a counted share is outside 0 to 1.
    """
    chosen = profile(items) if isinstance(items, str) else tuple(items)
    require_practices(chosen)
    unknown = [item.id for item in chosen if item.id not in COUNTING]
    if unknown:
        raise ValueError(f"items must be of {', '.join(COUNTING)}, got {', '.join(unknown)}")
    held = readable(tables)
    if items == "core":
        held = {name: t for name, t in held.items() if name in CORE_TABLES}
    place = cell.make(held, time_zone=time_zone, as_of=as_of, half=half)
    rows = [
        _counted(item, held, place, standards).assign(item=item.id) for item in chosen if half is None or item.is_split
    ]
    if not rows:
        raise ValueError("no item has days, so odd and even weeks cannot be scored apart")
    long = pd.concat(rows).reset_index()
    wrong = long["share"].notna() & ~long["share"].between(0, 1)
    if wrong.any():
        raise CrmDataError(
            f"alignment evidence: a share must be 0 to 1, but {int(wrong.sum())} of {len(long)} are not "
            f"({', '.join(long.loc[wrong, 'item'].unique()[:3])}). Look for rates outside 0 to 1 and spend below 0."
        )
    return long[COLUMNS].sort_values(["team_id", "quarter", "item"], ignore_index=True)


def _counted(item: Item, held: Mapping[str, pd.DataFrame], place: cell.Cells, standards: Standards) -> pd.DataFrame:
    if any(needs <= set(held) for needs in item.needs):
        got = COUNTING[item.id](held, place, standards)
    else:
        got = pd.DataFrame({"share": np.nan, "n": 0.0}, index=place.table.index)
    n, share = got["n"].where(got["share"].notna(), 0.0), got["share"]
    low, high = wilson(share, n)
    k = (share * n).where(np.isfinite(n))
    error = standard_error(share, n)
    return pd.DataFrame({"share": share, "n": n, "k": k, "low": low, "high": high, "standard_error": error})
