"""The ledger of leads: handed over, returned, nurtured, qualified again, or gone; none is lost.

A lead's dated steps are read as stays with marketing, with sales, in nurture, disqualified or
converted.  Every stay ends in exactly one other or goes on, so what came in equals what went out
plus what is there, round by round, whatever order the CRM wrote its steps in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MOST_ROUNDS = 3  # hand-overs of one lead that get a row of their own; later ones share the last
BEFORE, SALES, NURTURE, OUT, CONVERTED = range(5)
STATES = ("with marketing", "with sales", "nurture", "disqualified", "converted")
OF_STAGE = {
    "mql": SALES, "sal": SALES, "sql": SALES, "nurture": NURTURE, "disqualified": OUT,
    "converted": CONVERTED,
}  # fmt: skip
STAGE_ORDER = ("open", "mql", "sal", "sql", "nurture", "disqualified", "converted")


class LeadStays(NamedTuple):
    """Stays of leads: a row a stay.

    `rows`: ``lead_id``, ``state`` (place in `STATES`), ``came_from`` and ``went_to`` (-1: it goes
    on), ``began_at``, ``ended_at``, and ``round``, the hand-over it belongs to, from 1; 0 before
    the first.  `n_unknown` steps are of leads that no export holds, `n_nameless` of a status that
    the map does not know, `n_later` after the day looked at: none of them is in `rows`.
    """

    rows: pd.DataFrame
    n_unknown: int
    n_nameless: int
    n_later: int


def lead_stays(history: pd.DataFrame, leads: pd.DataFrame, until: pd.Timestamp) -> LeadStays:
    """Return the stays of leads that their dated steps before `until` tell of.

    Parameters
    ----------
    history : ``lead_status_history``: ``lead_id``, ``lead_stage``, ``entered_at``
    leads : ``leads``: ``lead_id``; with ``converted_on`` where the history lacks that step
    until : the moment after the last that counts

    Steps of one second are taken in the order of the stages.  A lead without any step has no stay.
    """
    require_columns(history, ["lead_id", "lead_stage", "entered_at"], "lead_status_history")
    require_columns(leads, ["lead_id", "converted_on"], "leads")
    ids = pd.Index(leads["lead_id"])
    number = ids.get_indexer(pd.Index(history["lead_id"])).astype(np.int64)
    place = {name: at for at, name in enumerate(STAGE_ORDER)}
    codes = history["lead_stage"].astype(object).map(place).fillna(-1).to_numpy()
    stage = codes.astype(np.int64)
    at = _utc(history["entered_at"])
    is_ours, is_named = number >= 0, (stage >= 0) & at.notna().to_numpy()
    more = _conversions_without_step(leads, number, stage)
    steps = pd.DataFrame(
        {
            "number": np.concatenate([number, more.index.to_numpy(np.int64)]),
            "stage": np.concatenate([stage, np.full(len(more), place["converted"])]),
            "at": pd.concat([at, more], ignore_index=True),
        }
    )
    is_past = (steps["at"] < until).to_numpy()
    is_told = np.concatenate([is_ours & is_named, np.ones(len(more), bool)])
    chosen = steps[is_told & is_past & (steps["stage"].to_numpy() > place["open"])]
    chosen = chosen.sort_values(["number", "at", "stage"], kind="stable")
    return LeadStays(
        _stays_of(chosen, leads["lead_id"].to_numpy()),
        int((~is_ours).sum()),
        int((is_ours & ~is_named).sum()),
        int((is_ours & is_named & ~is_past[: len(history)]).sum()),
    )


def _utc(moments: pd.Series) -> pd.Series:
    utc: pd.Series = pd.to_datetime(moments, utc=True).dt.as_unit("us")
    return utc


def _conversions_without_step(leads: pd.DataFrame, number: Ints, stage: Ints) -> pd.Series:
    """Return when leads converted of which the history says other things alone, by their number.

    They are dated to the end of the day: what else was done on it came before.
    """
    n, converted = len(leads), len(STAGE_ORDER) - 1
    is_ours = number >= 0
    has_any, has_step = np.zeros(n, bool), np.zeros(n, bool)
    has_any[number[is_ours]] = True
    has_step[number[is_ours & (stage == converted)]] = True
    days = leads["converted_on"].reset_index(drop=True)
    days = days[days.notna().to_numpy() & has_any & ~has_step]
    return _utc(days) + pd.Timedelta(hours=23, minutes=59)


def _stays_of(steps: pd.DataFrame, names: NDArray[np.object_]) -> pd.DataFrame:
    """Return the stays of ordered steps; steps of one state in a row are one stay."""
    of_stage = np.array([OF_STAGE.get(name, BEFORE) for name in STAGE_ORDER])
    state, lead = of_stage[steps["stage"].to_numpy()], steps["number"].to_numpy()
    is_first = np.ones(len(steps), bool)
    is_first[1:] = lead[1:] != lead[:-1]
    is_new = is_first.copy()
    is_new[1:] |= state[1:] != state[:-1]
    rows = pd.DataFrame(
        {"lead_id": names[lead[is_new]], "began_at": steps.loc[is_new, "at"].reset_index(drop=True)}
    )
    state, is_first = state[is_new], is_first[is_new]
    came_from = np.where(is_first, BEFORE, np.roll(state, 1))
    is_last = np.append(is_first[1:], True)[: len(state)]
    went_to = np.where(is_last, -1, np.roll(state, -1))
    handed = (state == SALES).astype(np.int64)
    total = np.cumsum(handed)
    before = np.where(is_first, total - handed, 0)
    rounds = total - np.maximum.accumulate(before)
    ended_at = rows["began_at"].shift(-1).where(~is_last)
    return rows.assign(
        state=state, came_from=came_from, went_to=went_to, ended_at=ended_at, round=rounds
    )


def ledger_by_round(stays: LeadStays, *, most_rounds: int = MOST_ROUNDS) -> pd.DataFrame:
    """Return the leads' ledger: a row a round of hand-over.

    ``handed_over`` = ``converted`` + ``disqualified`` + ``returned`` + ``with_sales``, and
    ``returned`` = ``requalified`` + ``closed_in_nurture`` + ``in_nurture``: what came back to
    sales, what was disqualified or converted without it, what is still there.  The last row holds
    `most_rounds` and more, so that no lead goes round unseen.
    """
    rows = stays.rows
    sold, nursed = rows[rows["state"].eq(SALES)], rows[rows["state"].eq(NURTURE)]
    nursed = nursed[nursed["came_from"].eq(SALES)]

    def by_round(part: pd.DataFrame, chosen: pd.Series) -> Ints:
        place = np.minimum(part.loc[chosen, "round"].to_numpy(np.int64), most_rounds)
        return np.asarray(np.bincount(place, minlength=most_rounds + 1)[1:], np.int64)

    every = pd.Series(data=True, index=sold.index)
    return pd.DataFrame(
        {
            "round": np.arange(1, most_rounds + 1),
            "handed_over": by_round(sold, every),
            "converted": by_round(sold, sold["went_to"].eq(CONVERTED)),
            "disqualified": by_round(sold, sold["went_to"].eq(OUT)),
            "returned": by_round(sold, sold["went_to"].eq(NURTURE)),
            "with_sales": by_round(sold, sold["went_to"].eq(-1)),
            "requalified": by_round(nursed, nursed["went_to"].eq(SALES)),
            "closed_in_nurture": by_round(nursed, nursed["went_to"].isin([OUT, CONVERTED])),
            "in_nurture": by_round(nursed, nursed["went_to"].eq(-1)),
        }
    )


def entries_to_sales(stays: LeadStays) -> dict[str, int]:
    """Return the hand-overs by where the lead came from; they sum to those of the ledger."""
    sold = stays.rows[stays.rows["state"].eq(SALES)]
    counts = np.bincount(sold["came_from"].to_numpy(np.int64), minlength=len(STATES))
    return {name: int(n) for name, n in zip(STATES, counts, strict=True) if name != STATES[SALES]}
