"""Each cohort of teams against teams not in the programme, quarter by quarter, from the quarter
before it joined.

The companion of the headline.  It uses one quarter as the yardstick where imputation uses all
quarters before the start: less is assumed of what went before, and the spread is about twice as
wide.  Where the two are further apart than their joint interval, something is assumed that does not
hold.

Source: Callaway and Sant'Anna (2021), "Difference-in-differences with multiple time periods",
Journal of Econometrics 225.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import counterfactual
from analysis.chapters.growth.imputation import HORIZON, GrowthEffects, summarise_paths
from analysis.chapters.growth.panel import NEVER
from analysis.stats import intervals, jackknife
from analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from analysis.chapters.growth.panel import Panel, Places
    from analysis.stats.fixed_effects import Vector

Control = Literal["never", "not yet"]
Base = Literal["varying", "universal"]


class EstimatorAgreement(NamedTuple):
    """How far two estimates of the same average effect are apart [log], by the jackknife of their
    difference.
    """

    difference: float
    low: float
    high: float
    agrees: bool


class _Cells(NamedTuple):
    """Effects by cohort and quarter: a row a design, a column a cell."""

    cohort: Places
    column: Places
    effect: Vector
    n_treated: Vector


def group_time(
    whole: Panel, *, control: Control = "not yet", base: Base = "varying"
) -> pd.DataFrame:
    """Return one row a cohort and quarter: ``cohort``, ``quarter``, ``event_time``, ``effect``
    [log], ``n_treated``.

    Before the start `base` ``varying`` compares with the quarter before, ``universal`` with the
    quarter before the start.
    """
    everyone = np.ones((1, len(whole.teams)), bool)
    cells = _group_time(whole, everyone, control, base)
    return pd.DataFrame(
        {
            "cohort": [whole.quarters[c] for c in cells.cohort],
            "quarter": [whole.quarters[t] for t in cells.column],
            "event_time": cells.column - cells.cohort,
            "effect": cells.effect[0],
            "n_treated": cells.n_treated[0].astype(int),
        }
    )


def by_cohort(cells: pd.DataFrame) -> tuple[pd.Series[float], float]:
    """Return each cohort's mean effect since its start, and the mean over cohorts by their teams."""  # noqa: E501
    since = cells[cells["event_time"] >= 0]
    by = since.groupby("cohort", sort=True)
    mean, weight = by["effect"].mean(), by["n_treated"].first()
    return mean, float((mean * weight).sum() / weight.sum())


def by_event_time(cells: pd.DataFrame) -> pd.Series[float]:
    """Return the mean effect at each quarter since the start, cohorts by their teams."""
    with_effect = cells.dropna(subset="effect")
    weighted = (
        (with_effect["effect"] * with_effect["n_treated"]).groupby(with_effect["event_time"]).sum()
    )
    return (weighted / with_effect["n_treated"].groupby(with_effect["event_time"]).sum()).rename(
        "effect"
    )


def estimate_by_cohort(
    whole: Panel, *, horizon: tuple[int, int] = HORIZON, control: Control = "not yet"
) -> GrowthEffects:
    """Return the average effect over `horizon`, as `imputation.estimate_effects` does.

    Same weights, same jackknife.
    """
    events = np.arange(horizon[0], horizon[1] + 1)
    path, n = _by_event(
        _group_time(whole, counterfactual.leaving_out(len(whole.teams)), control, "varying"), events
    )
    return summarise_paths(
        whole, events, path, n, f"Callaway-Sant'Anna, compared with teams that {_words(control)}"
    )


def around_start(
    whole: Panel, *, horizon: tuple[int, int] = HORIZON, control: Control = "not yet"
) -> GrowthEffects:
    """Return the path against the quarter before the start, as far back as every cohort reaches.

    The quarter before the start is the reference and not among the event quarters.
    """
    back = int(whole.starts[whole.starts < NEVER].min())
    events = np.concatenate([np.arange(-back, -1), np.arange(0, horizon[1] + 1)])
    path, n = _by_event(
        _group_time(whole, counterfactual.leaving_out(len(whole.teams)), control, "universal"),
        events,
    )
    return summarise_paths(
        whole, events, path, n, "Callaway-Sant'Anna against the quarter before the start"
    )


def compare_estimates(
    one: GrowthEffects, other: GrowthEffects, *, level: float = LEVEL
) -> EstimatorAgreement:
    """Return whether two estimates from the same teams are closer than chance takes them apart."""
    difference = one.estimate - other.estimate
    distance = np.asarray(one.average_without - other.average_without, np.float64) - difference
    reach = intervals.t_quantile(distance.size - 1, level) * float(
        np.sqrt(jackknife.jackknife_spread(distance))
    )
    return EstimatorAgreement(
        difference, difference - reach, difference + reach, abs(difference) <= reach
    )


def _words(control: Control) -> str:
    return "never joined" if control == "never" else "had not joined yet"


def _group_time(whole: Panel, include: np.ndarray, control: Control, base: Base) -> _Cells:
    """Return effects by design: mean change of the cohort less mean change of its controls."""
    n_quarters = len(whole.quarters)
    is_observed = ~np.isnan(whole.matrix)
    values = np.nan_to_num(whole.matrix)
    cohorts = np.unique(whole.starts[whole.starts < NEVER])
    weights = include.astype(float)
    places, effects, sizes = [], [], []
    for c in cohorts:
        for t in range(n_quarters):
            from_ = c - 1 if t >= c or base == "universal" else t - 1
            if from_ < 0 or t == from_:
                continue
            both = is_observed[:, t] & is_observed[:, from_]
            apart = NEVER - 1 if control == "never" else max(t, from_)
            change = np.where(both, values[:, t] - values[:, from_], 0.0)
            joined = both & (whole.starts == c)
            # A cohort is no control for itself: before its start it would be.
            others = both & (whole.starts > apart) & (whole.starts != c)
            n_joined, n_others = weights @ joined, weights @ others
            with np.errstate(invalid="ignore", divide="ignore"):
                effects.append(
                    weights @ (joined * change) / n_joined - weights @ (others * change) / n_others
                )
            places.append((c, t))
            sizes.append(n_joined)
    at = np.array(places)
    return _Cells(at[:, 0], at[:, 1], np.array(effects).T, np.array(sizes).T)


def _by_event(cells: _Cells, events: Places) -> tuple[Vector, Places]:
    event = cells.column - cells.cohort
    has_effect = np.isfinite(cells.effect)
    weight = np.where(has_effect, cells.n_treated, 0.0)
    total = np.where(has_effect, cells.effect, 0.0) * weight
    path = np.full((len(total), events.size), np.nan)
    n = np.zeros(events.size, int)
    for k, e in enumerate(events):
        here = event == e
        sums = weight[:, here].sum(axis=1)
        path[:, k] = np.where(
            sums > 0, total[:, here].sum(axis=1) / np.where(sums > 0, sums, 1), np.nan
        )
        n[k] = int(weight[0, here].sum())
    return path, n
