"""What a lead of each activity brings, and when: rates, lags and amounts drawn together.

A draw gives each owner a weight, the same for every activity, rate, lag and amount, so what moves
together stays together.  The first draw weighs all alike: it is the estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.lead_funnel.stages import owner_codes, passage, watched_within
from analysis.project.errors import CrmDataError
from analysis.stats.intervals import ENDS
from analysis.stats.survival import (
    FEWEST_AT_RISK,
    FEWEST_CLUSTERS,
    DayCounts,
    day_counts,
    incidence_of_counts,
)

if TYPE_CHECKING:
    import datetime as dt

    from analysis.chapters.lead_funnel.stages import Funnel
    from analysis.stats.survival import Floats, Ints

MONTH_DAYS = 30.4375
LONGEST_DAYS = 730  # a win later than this after the lead counts for nothing
N_DRAWS = 400
FEWEST_WINS = 10  # with an amount, below which an activity's wins are worth what all are on average
SEED = 15


class LeadYield(NamedTuple):
    """What leads bring: draws by activities, and by months since the month a lead came in.

    `won` is the share of leads won in each month, `amount` what such a win is worth [currency],
    `weights` those of `owners`, by which other sums are drawn alike.  Nothing after `horizon` days
    counts.
    """

    activities: list[str]
    won: Floats  # draws x activities x months
    amount: Floats  # draws x activities
    weights: Floats  # draws x owners
    owners: pd.Index
    horizon: int
    n_wins: Ints  # by activity

    @property
    def per_lead(self) -> Floats:
        """What a lead brings within the horizon [currency]: a row a draw, a column an activity."""
        return np.asarray(self.won.sum(axis=2) * self.amount)


def lead_yield(
    funnel: Funnel,
    activities: list[str],
    *,
    wins_since: dt.date | None = None,
    longest: int = LONGEST_DAYS,
    n_draws: int = N_DRAWS,
    seed: int = SEED,
) -> LeadYield:
    """Return what leads of each activity bring.

    Raises
    ------
    CrmDataError
        If too few leads were watched for long, or none was won.
    """
    way = passage(funnel, "won", wins_since=wins_since)
    horizon = _days_told(way.days, way.entry, longest)
    way = watched_within(way, horizon)
    codes = owner_codes(way.rows)
    own = way.rows["rep_id"].cat.remove_unused_categories()
    owners = pd.Index(own.cat.categories)  # in the order of their codes
    n_owners = int(codes.max(initial=-1)) + 1
    weights = _owner_weights(n_owners, n_draws, seed)
    of = pd.Categorical(way.rows["activity"], categories=activities).codes
    value = way.rows["deal_amount"].to_numpy(float)
    is_win = way.ending == 1
    has_value = is_win & ~np.isnan(value)
    if not has_value.any():
        raise CrmDataError(
            "lead_dates: no lead was won with an amount, so what a lead brings is unknown. Export "
            "won opportunities and the leads that became them."
        )

    def mean_amount(rows: np.ndarray) -> Floats:
        sums, n = (
            weights @ np.bincount(codes[rows], weights=each, minlength=n_owners)
            for each in (value[rows], np.ones(int(rows.sum())))
        )
        return np.asarray(np.divide(sums, n, out=np.full(len(n), np.nan), where=n > 0))

    average = mean_amount(has_value)
    won, amount, n_wins = [], [], []
    for at in range(len(activities)):
        mine = of == at
        counts = day_counts(
            way.days[mine], way.ending[mine], entry=way.entry[mine], clusters=codes[mine],
            n_days=horizon, n_clusters=n_owners,
        )  # fmt: skip
        share = incidence_of_counts(DayCounts(*(weights @ each for each in counts)))
        won.append(share_by_month(share, horizon))
        wins = mine & has_value
        theirs = mean_amount(wins) if wins.sum() >= FEWEST_WINS else average
        amount.append(np.where(np.isnan(theirs), average, theirs))
        n_wins.append(int((mine & is_win).sum()))
    return LeadYield(
        activities, np.stack(won, axis=1), np.stack(amount, axis=1), weights,
        owners, horizon, np.array(n_wins),
    )  # fmt: skip


def _days_told(days: Ints, entry: Ints, longest: int) -> int:
    """Return up to which day, at most `longest`, enough leads were watched without a break."""
    at_risk = day_counts(days, np.zeros_like(days), entry=entry).at_risk[0][: longest + 1]
    too_few = np.flatnonzero(at_risk < FEWEST_AT_RISK)
    last = int(too_few[0]) - 1 if len(too_few) else len(at_risk) - 1
    if last < 1:
        raise CrmDataError(
            f"lead_dates: fewer than {FEWEST_AT_RISK} leads were watched for a win, so what a lead "
            "brings is unknown. Export leads with the opportunities they became."
        )
    return last


def _owner_weights(n_owners: int, n_draws: int, seed: int) -> Floats:
    """Return how often each owner is drawn with replacement; the first row takes each once.

    Of too few owners all draws are missing, and with them every interval.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_owners, np.full(n_owners, 1 / n_owners), size=n_draws).astype(float)
    if n_owners < FEWEST_CLUSTERS:  # so few say nothing of how owners differ
        drawn[:] = np.nan
    return np.concatenate([np.ones((1, n_owners)), drawn])


def share_by_month(share: Floats, horizon: int) -> Floats:
    """Return the share won in each month since the one a lead came in, evenly spread over it."""
    n_months = int(np.ceil(horizon / MONTH_DAYS)) + 1
    came = (np.arange(30) + 0.5) / 30 * MONTH_DAYS  # when in its month a lead came
    ends = np.arange(n_months + 1)[:, None] * MONTH_DAYS - came  # days since, at each month's end
    left = np.clip(np.floor(ends - 1).astype(int), -1, horizon)
    padded = np.concatenate([np.zeros((len(share), 1)), share], axis=1)  # nothing before day 0
    within = np.clip(ends - 1 - left, 0, 1)
    right = np.minimum(left + 1, horizon)
    by_end = ((1 - within) * padded[:, left + 1] + within * padded[:, right + 1]).mean(axis=2)
    return np.diff(by_end, axis=1)


def drawn_interval(draws: Floats) -> tuple[float, float, float]:
    """Return the estimate, which is the first draw, and the 95% interval of the others; missing
    where there are none.
    """
    others = draws[1:][~np.isnan(draws[1:])]
    low, high = np.quantile(others, ENDS) if len(others) else (np.nan, np.nan)
    return float(draws[0]), float(low), float(high)
