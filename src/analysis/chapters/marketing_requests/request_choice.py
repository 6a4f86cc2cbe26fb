"""The choice for the next quarter: open requests with a value, which of them must wait for others,
and the capacity.

What is unknown of a request keeps it out of the choice, and is counted; what is unknown of capacity
keeps a choice from being made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.marketing_requests.capacity_choice import ChoiceProblem

if TYPE_CHECKING:
    import datetime as dt

    from analysis.project.settings import RequestSettings

OUT_OF_HAND = "waits for a request that is not done and not open"


class NextChoice(NamedTuple):
    """The problem, the rows of its requests in the same order, and why others are left out."""

    problem: ChoiceProblem
    rows: pd.DataFrame
    left_out: pd.Series


def room_left(stated: RequestSettings, in_work: pd.DataFrame) -> RequestSettings:
    """Return capacity less what requests in work will take in full; never below 0.

    What a request in work does not state is not taken off.
    """
    hours = in_work["marketing_hours"].astype(float)
    by_skill = hours.groupby(in_work["skill"]).sum()
    outlay = float(in_work["cost_amount"].astype(float).sum())

    def less(capacity: float | None, taken: float) -> float | None:
        return None if capacity is None else max(0.0, capacity - taken)

    return stated.model_copy(
        update={
            "capacity_hours": less(stated.capacity_hours, float(hours.sum())),
            "budget_amount": less(stated.budget_amount, outlay),
            "skill_hours": {
                skill: less(limit, float(by_skill.get(skill, 0.0)))
                for skill, limit in stated.skill_hours.items()
            },
        }
    )


def next_choice(
    valued: pd.DataFrame,
    done_ids: set[str],
    stated: RequestSettings,
    *,
    begins: dt.date,
    ends: dt.date,
) -> NextChoice:
    """Return the choice among open requests for the quarter from `begins` to before `ends`.

    Parameters
    ----------
    valued : open requests with ``amount`` [currency], what each brings before marketing's own pay
        (missing: cannot tell), ``why``, and columns of the request log
    done_ids : requests that are done: what waits for them need wait no longer
    stated : hours, budget, skills and goals there is room for; `capacity_hours` must be stated
    """
    if stated.capacity_hours is None:
        raise ValueError("requests.capacity_hours is not stated in alignment.toml")
    why = valued["why"].mask(valued["amount"].isna() & (valued["why"] == ""), "cannot tell")
    places = {i: at for at, i in enumerate(valued["request_id"])}
    waits = valued["after_request_id"].where(~valued["after_request_id"].isin(done_ids))
    while True:  # what waits for a request that is left out is left out too
        open_ids = set(valued["request_id"][why == ""])
        is_lost = waits.notna() & ~waits.isin(open_ids) & (why == "")
        if not is_lost.any():
            break
        why = why.mask(is_lost, OUT_OF_HAND)
    candidates = valued[why == ""].reset_index(drop=True)
    places = {i: at for at, i in enumerate(candidates["request_id"])}
    after = tuple(
        (at, places[before])
        for at, before in enumerate(waits[why == ""].tolist())
        if pd.notna(before)
    )
    capacities, weights, limits = _capacities(candidates, stated, begins=begins, ends=ends)
    goals, _ = pd.factorize(candidates["goal_id"])
    problem = ChoiceProblem(
        tuple(candidates["request_id"]),
        candidates["amount"].to_numpy(dtype=float),
        capacities,
        weights,
        limits,
        after,
        tuple(int(g) for g in goals),
        stated.most_goals,
        frozenset(np.flatnonzero(candidates["is_must_have"].astype(bool)).tolist()),
    )
    return NextChoice(problem, candidates, why[why != ""].value_counts())


def _capacities(
    candidates: pd.DataFrame, stated: RequestSettings, *, begins: dt.date, ends: dt.date
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return what bounds the choice: names, a row of uses each, and limits.

    A deadline within the quarter is one too: what is wanted by a day has to fit into the share of
    the hours that lies before it.
    """
    hours = candidates["marketing_hours"].to_numpy(dtype=float)
    names, rows, limits = ["hours"], [hours], [float(stated.capacity_hours or 0.0)]
    if stated.budget_amount is not None:
        names.append("budget")
        rows.append(candidates["cost_amount"].to_numpy(dtype=float))
        limits.append(stated.budget_amount)
    for skill, limit in sorted(stated.skill_hours.items()):
        names.append(f"hours of {skill}")
        rows.append(np.where((candidates["skill"] == skill).to_numpy(dtype=bool), hours, 0.0))
        limits.append(limit)
    first, last = pd.Timestamp(begins), pd.Timestamp(ends)
    wanted = candidates["wanted_on"]
    for day in sorted(wanted[(wanted >= first) & (wanted < last)].unique()):
        names.append(f"hours by {pd.Timestamp(day):%Y-%m-%d}")
        rows.append(np.where(((wanted <= day) & (wanted >= first)).to_numpy(), hours, 0.0))
        share = (pd.Timestamp(day) - first).days / (last - first).days
        limits.append(float(stated.capacity_hours or 0.0) * share)
    return tuple(names), np.vstack(rows), np.array(limits)
