"""The funnel by the quarter a lead came in: how many got how far, and what became of the others.

Shares are of leads that came, never of those that closed in a month: an old lead won today
belongs to the quarter it came in.  A cohort too young for a share to be final is told by the leads
that were watched, and marked.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.lead_funnel.stages import (
    LATER,
    NOT_EXPORTED,
    STAGES,
    passage,
    share_reaching,
)
from analysis.stats.intervals import wilson_interval
from analysis.stats.survival import day_of_share, share_by

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from analysis.chapters.lead_funnel.stages import Funnel

OPPORTUNITY_DAYS, WIN_DAYS = 90, 365  # by which a share of leads is read
LEAST_LOST = 0.5  # of 100 leads: fewer are none, once rounded
STEP_COLUMNS = ("step", "n", "share", "low", "high", "days", "n_ended", "n_open", "lost_per_100")


def funnel_counts(
    rows: pd.DataFrame, by: str = "", *, stages: Sequence[str] = LATER
) -> pd.DataFrame:
    """Leads at each stage: a row a group and stage, in the order of stages.

    ``n_any`` got as far, ``n_all`` have every date up to it in order; ``of_before`` and ``of_all``
    are shares of those who got as far as the stage before and of all leads, with Wilson's 95%
    interval; ``amount`` is that of their opportunities [currency].
    """
    groups = rows[by].astype("category") if by else pd.Series("All", rows.index, dtype="category")
    names = [*groups.cat.categories, math.nan]  # the last is of leads without a group
    codes = groups.cat.codes.to_numpy(np.int64) % len(names)
    is_here = np.bincount(codes, minlength=len(names)) > 0
    counts = _counts_by_stage(rows, codes, stages, len(names))
    n_any = counts["n_any"]
    counts |= {
        "n_before": np.concatenate([n_any[:1], n_any[:-1]]),
        "n_leads": np.broadcast_to(n_any[0], n_any.shape),
    }
    table = pd.DataFrame(
        {
            "stage": ["lead", *stages] * int(is_here.sum()),
            **{name: each.T[is_here].ravel() for name, each in counts.items()},
            "group": np.array(names, object)[is_here].repeat(len(stages) + 1),
        }
    )
    for share, size in (("of_before", "n_before"), ("of_all", "n_leads")):
        table[share] = table["n_any"] / table[size].where(table[size] > 0)
        low, high = wilson_interval(table[share], table[size])
        table[f"{share}_low"], table[f"{share}_high"] = low, high
    return table


def _counts_by_stage(
    rows: pd.DataFrame, codes: np.ndarray, stages: Sequence[str], n_groups: int
) -> dict[str, np.ndarray]:
    """Return counts and money, a row a stage and a column a group; money is missing where none of
    it is known.
    """
    amount = rows["deal_amount"].to_numpy(float)
    is_priced = ~np.isnan(amount)
    in_order, last = np.ones(len(rows), bool), np.zeros(len(rows))
    counts: dict[str, list[np.ndarray]] = {"n_any": [], "n_all": [], "amount": []}
    for stage in ["lead", *stages]:
        got_as_far = in_order
        if stage != "lead":
            got_as_far = rows[f"by_{stage}"].notna().to_numpy()
            day = rows[stage].to_numpy(float)
            in_order = in_order & (day >= last)  # a missing day is not in order
            last = np.where(in_order, day, last)
        priced = got_as_far & is_priced
        money = np.bincount(codes[priced], weights=amount[priced], minlength=n_groups)
        is_known = np.bincount(codes[priced], minlength=n_groups) > 0
        counts["n_any"].append(np.bincount(codes[got_as_far], minlength=n_groups))
        counts["n_all"].append(np.bincount(codes[in_order], minlength=n_groups))
        counts["amount"].append(np.where(is_known, money, math.nan))
    return {name: np.stack(each) for name, each in counts.items()}


def what_became(rows: pd.DataFrame, by: str = "cohort") -> pd.DataFrame:
    """Leads by where they are now: a row a group, whose parts sum to its leads.

    ``won``, ``lost`` (as a deal), ``disqualified``, ``unknown`` (its deal is in no export),
    ``handed_back`` (to marketing, open) and ``open``.
    """
    is_unknown = rows["outcome"].eq(NOT_EXPORTED).to_numpy(bool)
    ends = {
        "won": rows["won"].notna().to_numpy(),
        "lost": rows["lost"].notna().to_numpy(),
        "unknown": is_unknown,
        "disqualified": rows["disqualified"].notna().to_numpy(),
        "handed_back": (rows["is_recycled"] & rows["by_opportunity"].isna()).to_numpy(),
    }
    names = [*ends, "open"]
    end = np.select(list(ends.values()), list(range(len(ends))), default=len(ends))
    groups = rows[by].astype("category").cat
    counts = np.bincount(
        (groups.codes.to_numpy(np.int64) + 1) * len(names) + end,
        minlength=(len(groups.categories) + 1) * len(names),
    ).reshape(-1, len(names))
    index = pd.Index([None, *groups.categories], name=by)
    table = pd.DataFrame(counts, index=index, columns=names)
    if not counts[0].any():
        table = table.iloc[1:]
    return table.assign(n_leads=table.sum(axis=1)).reset_index()


def cohort_shares(
    funnel: Funnel, by: str = "cohort", *, wins_since: dt.date | None = None
) -> pd.DataFrame:
    """Share of each group's leads that became an opportunity within 90 days, and a win in a year.

    Those still open count as long as they were watched.  Missing where too few were watched so
    long; ``is_young`` where not all were.  A row a group: ``n_leads``, ``n_reps`` behind them, and
    ``opportunity``, ``won`` each with ``_low`` and ``_high``.
    """
    groups = funnel.rows[by].astype("category")
    codes = groups.cat.codes
    ways = {
        stage: (passage(funnel, stage, wins_since=wins_since), horizon)
        for stage, horizon in (("opportunity", OPPORTUNITY_DAYS), ("won", WIN_DAYS))
    }
    group_of = {stage: codes[way.rows.index].to_numpy() for stage, (way, _) in ways.items()}
    records = []
    for name, rows in funnel.rows[["rep_id", "age"]].groupby(groups, observed=True, dropna=False):
        code = codes.loc[rows.index[0]]
        record = {by: name, "n_leads": len(rows), "n_reps": rows["rep_id"].nunique()}
        for stage, (way, horizon) in ways.items():
            mine = way.only(np.flatnonzero(group_of[stage] == code))
            values = share_by(share_reaching(mine, horizon), horizon)
            record |= dict(zip((stage, f"{stage}_low", f"{stage}_high"), values, strict=True))
        record["is_young"] = bool((rows["age"] < WIN_DAYS).any())
        records.append(record)
    return pd.DataFrame(records).astype({by: object})


def stage_passages(funnel: Funnel, *, wins_since: dt.date | None = None) -> pd.DataFrame:
    """Return how leads pass each step from one stage to the next: a row a step.

    ``share`` goes on within a year of reaching the stage, with 95% interval by owner; ``days`` is
    by when half of those had; ``n_ended`` were disqualified or lost there, ``n_open`` are there
    still; ``lost_per_100`` are the leads that do not go on, of 100 that came.
    """
    records, arriving = [], 100.0
    for start, to in itertools.pairwise(["lead", *funnel.stages]):
        way = passage(funnel, to, start=start, wins_since=wins_since)
        curve = share_reaching(way, WIN_DAYS)
        horizon = min(WIN_DAYS, len(curve.share) - 1)
        share, low, high = share_by(curve, WIN_DAYS)
        lost = arriving * (1 - share)
        arriving = arriving * share
        records.append(
            {
                "step": f"{STAGES[start]} to {STAGES[to]}",
                "n": len(way.rows),
                "share": share,
                "low": low,
                "high": high,
                "days": day_of_share(curve, 0.5, horizon),
                "n_ended": int((way.ending == 2).sum()),
                "n_open": int((way.ending == 0).sum()),
                "lost_per_100": lost,
            }
        )
    return pd.DataFrame(records, columns=STEP_COLUMNS)


def largest_leak(steps: pd.DataFrame) -> pd.Series | None:
    """Return the step at which most of 100 leads are lost; None where no step can be told, or
    hardly any lead is lost.
    """
    measured = steps[steps["lost_per_100"] >= LEAST_LOST]
    return None if measured.empty else measured.sort_values("lost_per_100", kind="stable").iloc[-1]


def touched_by(
    deals: pd.DataFrame, marketing: set[str] | None, sales: set[str] | None
) -> pd.DataFrame:
    """Bookings by who touched the deal: both sides, one, or neither; shares sum to 1.

    Parameters
    ----------
    deals : opportunities won: ``opportunity_id``, ``deal_amount``
    marketing : deals that a lead, a response or a campaign belongs to; None where nobody exported
        any
    sales : deals that a call or meeting belongs to; None alike
    """
    if marketing is None or sales is None or deals.empty:
        return pd.DataFrame(columns=["touched", "n_deals", "amount", "share"])
    mine, theirs = (deals["opportunity_id"].isin(ids) for ids in (marketing, sales))
    words = ["Marketing and sales", "Marketing alone", "Sales alone", "Neither"]
    kind = np.select([mine & theirs, mine, theirs], words[:3], default=words[3])
    grouped = deals.groupby(kind)["deal_amount"]
    table = pd.DataFrame({"n_deals": grouped.size(), "amount": grouped.sum()}).reindex(
        words, fill_value=0
    )
    total = float(table["amount"].sum())
    table["share"] = table["amount"] / total if total else math.nan
    return table.rename_axis("touched").reset_index()
