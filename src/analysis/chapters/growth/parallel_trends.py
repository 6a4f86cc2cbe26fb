"""The effect that is left if the teams' trends had gone on to part as they parted before.

Relative magnitudes: from one period to the next the trends may part, after the start, by up to
M-bar times the most they parted before it.  At M-bar 0.5 a finding has to leave zero out.  Bookings
of single quarters jump by chance alone, and chance before the start would be allowed as a trend
after it; so a period is a half-year here, as the specification says.

Source: Rambachan and Roth (2023), "A more credible approach to parallel trends", Review of Economic
Studies 90. The bounds are a closed form; diff-diff, which is called from here alone, is held equal
to it and adds what is not (smoothness).  It takes a second to import, so it is imported where it is
called.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth.panel import NEVER
from analysis.project.errors import CrmDataError
from analysis.stats import intervals, jackknife
from analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.panel import Panel
    from analysis.stats.fixed_effects import Vector

M_BAR = 0.5
PERIOD_QUARTERS = 2


class TrendBounds(NamedTuple):
    """The average effect [log] if trends may part by `m_bar` times as much as before the start.

    ``set_low`` and ``set_high`` bound what could be true at the estimates; ``low`` and ``high`` add
    chance. ``breakdown`` is the M-bar at which zero comes in, 0 if it is in from the start.
    """

    m_bar: float
    estimate: float
    set_low: float
    set_high: float
    low: float
    high: float
    breakdown: float
    largest_change: float
    convention: str

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0


class TrendPeriods(NamedTuple):
    """A path by periods around the reference period.

    Earlier periods first, then those since the start.

    ``weights`` of the later ones sum to 1; ``covariance`` is the jackknife's.
    """

    before: Vector
    after: Vector
    weights: Vector
    covariance: Vector
    df: int


def trend_periods(path: GrowthEffects, *, n_quarters: int = PERIOD_QUARTERS) -> TrendPeriods:
    """Return the path of `callaway_santanna.around_start` in periods of `n_quarters`, the last
    before the start being 0.

    Raises
    ------
    CrmDataError
        If there are fewer than two periods before the start, or the quarters since it have a gap.
    """
    events = np.array(path.event_quarters)
    back = -int(events.min()) // n_quarters
    since = events[events >= 0]
    if back < 2 or not since.size or since.max() != since.size - 1:
        raise CrmDataError(
            f"panel: bounds need 2 periods of {n_quarters} quarters before every start and no gap "
            f"after it, but {max(back, 0)} periods before and {since.size} quarters after are "
            "known. Compare again with a longer history."
        )
    full = np.array(sorted([*events, -1]))
    place = {int(e): k for k, e in enumerate(full)}
    spread = np.zeros(
        (full.size, events.size)
    )  # from the path to the path with its reference quarter
    for k, e in enumerate(events):
        spread[place[int(e)], k] = 1.0
    starts = [-n_quarters * k for k in range(back, 0, -1)] + list(
        range(0, int(since.max()) + 1, n_quarters)
    )
    rows = [
        [place[e] for e in range(s, s + n_quarters) if e in place and e <= since.max()]
        for s in starts
    ]
    means = np.array([spread[each].mean(axis=0) for each in rows])
    means -= means[back - 1]
    map_ = np.delete(means, back - 1, axis=0)
    sizes = np.array([len(each) for each in rows[back:]], float)
    distance = (path.without - path.path) @ map_.T
    moved = map_ @ path.path
    return TrendPeriods(
        before=moved[: back - 1],
        after=moved[back - 1 :],
        weights=sizes / sizes.sum(),
        covariance=jackknife.jackknife_spread(distance),
        df=path.df,
    )


def relative_magnitudes(
    trend_periods: TrendPeriods, *, m_bar: float = M_BAR, level: float = LEVEL
) -> TrendBounds:
    """Return the average effect if trends may part, a period, by `m_bar` times the most they did
    before.

    The largest change before the start is taken as estimated; chance in it makes the bounds wider,
    not narrower, on average.

    Raises
    ------
    ValueError
        If `m_bar` is below 0.
    """
    if not m_bar >= 0:
        raise ValueError(f"m_bar must be at least 0, got {m_bar!r}")
    estimate = float(trend_periods.weights @ trend_periods.after)
    later = trend_periods.covariance[trend_periods.before.size :, trend_periods.before.size :]
    reach = intervals.t_quantile(trend_periods.df, level) * float(
        np.sqrt(trend_periods.weights @ later @ trend_periods.weights)
    )
    change = float(np.abs(np.diff([*trend_periods.before, 0.0])).max())
    steps = float(trend_periods.weights @ np.arange(1, trend_periods.weights.size + 1))
    slack = m_bar * change * steps
    left = abs(estimate) - reach
    breakdown = 0.0 if left <= 0 else left / (change * steps) if change > 0 else float("inf")
    return TrendBounds(
        m_bar=m_bar,
        estimate=estimate,
        set_low=estimate - slack,
        set_high=estimate + slack,
        low=estimate - slack - reach,
        high=estimate + slack + reach,
        breakdown=breakdown,
        largest_change=change,
        convention=(
            f"relative magnitudes, M-bar = {m_bar}, {trend_periods.before.size + 1} periods "
            f"before; t({trend_periods.df})"
        ),
    )


def by_diff_diff(
    trend_periods: TrendPeriods,
    *,
    method: str = "relative_magnitude",
    m: float = M_BAR,
    level: float = LEVEL,
) -> TrendBounds:
    """Return the bounds as diff-diff has them.

    `method` ``smoothness`` bounds by `m` how sharply trends may bend.

    The smoothness interval is Rambachan and Roth's shortest of fixed length; for relative
    magnitudes diff-diff has the closed form too.
    """
    from diff_diff.honest_did import HonestDiD
    from diff_diff.results import MultiPeriodDiDResults, PeriodEffect

    n_before = trend_periods.before.size
    path, error = (
        np.concatenate([trend_periods.before, trend_periods.after]),
        np.sqrt(np.diag(trend_periods.covariance)),
    )
    names = [*range(-n_before - 1, -1), *range(trend_periods.after.size)]
    effects = {
        name: PeriodEffect(
            name, float(b), float(se), float("nan"), float("nan"), (float("nan"), float("nan"))
        )
        for name, b, se in zip(names, path, error, strict=True)
    }
    nothing = float("nan")
    event_results = MultiPeriodDiDResults(
        period_effects=effects,
        avg_att=nothing,
        avg_se=nothing,
        avg_t_stat=nothing,
        avg_p_value=nothing,
        avg_conf_int=(nothing, nothing),
        n_obs=0,
        n_treated=0,
        n_control=0,
        pre_periods=names[:n_before],
        post_periods=names[n_before:],
        vcov=trend_periods.covariance,
        interaction_indices={name: k for k, name in enumerate(names)},
        survey_metadata=SimpleNamespace(df_survey=trend_periods.df),
    )
    bounds = HonestDiD(method=method, M=m, alpha=1 - level, l_vec=trend_periods.weights).fit(
        event_results
    )
    return TrendBounds(
        m_bar=m,
        estimate=float(bounds.original_estimate),
        set_low=float(bounds.lb),
        set_high=float(bounds.ub),
        low=float(bounds.ci_lb),
        high=float(bounds.ci_ub),
        breakdown=float("nan"),
        largest_change=float(np.abs(np.diff([*trend_periods.before, 0.0])).max()),
        convention=f"diff-diff HonestDiD, {method}, {m}; t({trend_periods.df})",
    )


def bounds_table(
    trend_periods: TrendPeriods, m_bars: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0)
) -> pd.DataFrame:
    """Return one row an M-bar: ``m_bar``, ``low``, ``high`` [log] and whether zero is left out."""
    several = [relative_magnitudes(trend_periods, m_bar=m) for m in m_bars]
    return pd.DataFrame([(each.m_bar, each.low, each.high, each.excludes_zero) for each in several],
                        columns=["m_bar", "low", "high", "excludes_zero"])  # fmt: skip


def long_table(whole: Panel, outcome: str = "log_outcome") -> pd.DataFrame:
    """Return the panel as diff-diff reads it: ``team``, ``quarter`` from 1, ``first_treated`` (0:
    never), `outcome`.
    """
    n_teams, n_quarters = whole.matrix.shape
    first = np.where(whole.starts < NEVER, whole.starts + 1, 0)
    return pd.DataFrame(
        {
            "team": np.repeat(np.arange(n_teams), n_quarters),
            "quarter": np.tile(np.arange(1, n_quarters + 1), n_teams),
            "first_treated": np.repeat(first, n_quarters),
            outcome: whole.matrix.ravel(),
        }
    )


def group_time_by_diff_diff(whole: Panel, *, control: str = "not_yet_treated") -> pd.DataFrame:
    """Return Callaway-Sant'Anna effects as diff-diff has them: ``cohort``, ``quarter`` and
    ``effect`` [log].
    """
    from diff_diff import CallawaySantAnna

    fit = CallawaySantAnna(estimation_method="reg", control_group=control).fit(
        long_table(whole),
        outcome="log_outcome",
        unit="team",
        time="quarter",
        first_treat="first_treated",
    )
    rows = [
        (whole.quarters[int(c) - 1], whole.quarters[int(t) - 1], float(cell["effect"]))
        for (c, t), cell in fit.group_time_effects.items()
    ]
    return pd.DataFrame(rows, columns=["cohort", "quarter", "effect"]).sort_values(
        ["cohort", "quarter"]
    )


def goodman_bacon(whole: Panel) -> pd.DataFrame:
    """Return the comparisons a two-way regression would mix: ``comparison``, ``estimate`` [log],
    ``weight`` [0-1].

    One row a pair of cohorts.  Weight on "later against earlier treated" is what makes that
    regression wrong under staggered starts (Goodman-Bacon 2021, J. Econometrics 225).  The panel
    must be full.

    Raises
    ------
    CrmDataError
        If a team and quarter is unknown.
    """
    unknown = np.isnan(whole.matrix)
    if unknown.any():
        raise CrmDataError(
            "panel: every team and quarter must be known to weigh comparisons, but "
            f"{int(unknown.sum())} of "
            f"{unknown.size} are not. Leave out teams or quarters with gaps."
        )
    from diff_diff import BaconDecomposition

    fit = BaconDecomposition().fit(
        long_table(whole),
        outcome="log_outcome",
        unit="team",
        time="quarter",
        first_treat="first_treated",
    )
    rows = [
        (c.comparison_type, c.treated_group, c.control_group, c.estimate, c.weight)
        for c in fit.comparisons
    ]
    return pd.DataFrame(rows, columns=["comparison", "treated", "control", "estimate", "weight"])
