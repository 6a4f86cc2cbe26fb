"""Whether the programme pays, over the joint uncertainty of the estimates.

Ten thousand draws of everything that was estimated; what was only stated (margin, discount, fade)
is varied in `npv_sensitivity` and never dressed up as a distribution.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.roi import benefit, uncertainty
from analysis.chapters.roi.case import QUARTERS_PER_YEAR
from analysis.chapters.roi.uncertainty import BASELINE, COMMISSION, COST, EFFECT, HOUR, INPUTS
from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from analysis.chapters.roi.case import Case
    from analysis.stats.fixed_effects import Vector


N_DRAWS = 10_000
SHOWN = (0.10, 0.50, 0.90)
CUBIC = 3  # terms of the curve by which NPV follows one input
BREAK_EVEN = np.linspace(-0.5, 1.0, 61)  # effects searched [log points]
BREAK_EVEN_DRAWS = 400
DRAWN_TOGETHER = {COMMISSION, HOUR}  # by one jackknife; all other inputs are unrelated


class Appraisal(NamedTuple):
    """Draws of the outcome: an entry a draw; amounts in currency of the first start."""

    inputs: pd.DataFrame
    pv_benefit: Vector
    pv_cost: Vector
    npv: Vector
    payback_months: Vector
    by_quarter: pd.DataFrame


class Flows(NamedTuple):
    """Benefit and cost by draw and quarter [currency]."""

    benefit: Vector
    cost: Vector


def case_flows(case: Case, inputs: pd.DataFrame) -> Flows:
    """Return benefit and cost of each quarter from the first start: a row a draw of `inputs`."""
    stated = case.assumptions
    drawn = {name: inputs[name].to_numpy(float) for name in INPUTS}
    added = benefit.added_bookings(
        case.bookings, drawn[EFFECT], 1 + drawn[BASELINE], n_quarters=case.effect.n_quarters,
        fade_rate=stated.fade_rate,
    )  # fmt: skip
    if added.shape[1] != case.n_periods:
        raise ValueError(
            f"bookings and costs must cover one horizon, got {added.shape[1]} and "
            f"{case.n_periods} quarters"
        )
    is_ahead = ~case.costs["is_observed"].to_numpy(bool)
    spent, hours = (
        case.costs["cost_amount"].to_numpy(float),
        case.costs["meeting_hours"].to_numpy(float),
    )
    cost = (
        spent
        + np.multiply.outer(drawn[COST], spent * is_ahead)
        + np.multiply.outer(drawn[HOUR], hours)
    )
    return Flows(added * (stated.gross_margin_rate - drawn[COMMISSION])[:, None], cost)


def net_present_value(case: Case, inputs: pd.DataFrame) -> Vector:
    """Return the net present value at the first start [currency], an entry a draw of `inputs`."""
    cash_flows = case_flows(case, inputs)
    return _present(case, cash_flows.benefit - cash_flows.cost) - case.initial_amount


def appraise_case(case: Case, *, n_draws: int = N_DRAWS, seed: int = 0) -> Appraisal:
    """Return the draws of present values, NPV and payback of a programme."""
    inputs = uncertainty.draw_inputs(case, n_draws=n_draws, seed=seed)
    cash_flows = case_flows(case, inputs)
    pv_benefit, pv_cost = (
        _present(case, cash_flows.benefit),
        _present(case, cash_flows.cost) + case.initial_amount,
    )
    net = cash_flows.benefit - cash_flows.cost
    sums = net.cumsum(axis=1) - case.initial_amount
    quantiles = np.quantile(sums, SHOWN, axis=0)
    by_quarter = case.costs[["period", "quarter", "is_observed"]].assign(
        benefit_amount=np.median(cash_flows.benefit, axis=0),
        cost_amount=np.median(cash_flows.cost, axis=0),
        net_p10=quantiles[0],
        net_p50=quantiles[1],
        net_p90=quantiles[2],
    )
    months = benefit.payback_months(
        net, initial=case.initial_amount, periods_per_year=QUARTERS_PER_YEAR
    )
    return Appraisal(inputs, pv_benefit, pv_cost, pv_benefit - pv_cost, months, by_quarter)


def npv_quantiles(appraisal: Appraisal) -> pd.DataFrame:
    """Return P10, P50 and P90: one row a figure.

    Columns: ``figure``, ``p10``, ``p50``, ``p90`` [currency at the first start].  P(NPV > 0) and
    payback are apart: neither is money.
    """
    rows = [
        ("Benefit, present value", appraisal.pv_benefit),
        ("Cost, present value", appraisal.pv_cost),
        ("Net present value", appraisal.npv),
    ]
    return pd.DataFrame(
        [(name, *np.quantile(values, SHOWN)) for name, values in rows],
        columns=["figure", "p10", "p50", "p90"],
    )


def payback_shares(appraisal: Appraisal, *, horizon_quarters: int) -> pd.DataFrame:
    """Return the probability that the programme has paid back by each quarter.

    One row a year of the horizon, then never.

    Columns: ``payback``, ``probability`` [0-1]; they sum to 1, and "never" means not within the
    horizon.
    """
    months = appraisal.payback_months
    n_years = math.ceil(horizon_quarters / QUARTERS_PER_YEAR)
    years = np.ceil(np.maximum(months, 1e-9) / benefit.MONTHS_PER_YEAR)
    rows = [(f"in year {year}", float((years == year).mean())) for year in range(1, n_years + 1)]
    rows.append(("never", float(np.isinf(months).mean())))
    return pd.DataFrame(rows, columns=["payback", "probability"])


def npv_drivers(appraisal: Appraisal) -> pd.DataFrame:
    """Return what each input's uncertainty does to NPV, the strongest first.

    One row an input drawn.

    NPV is followed by a cubic in each input, what the inputs unrelated to it do taken off before,
    so that a weak input is not drowned by the draws of a strong one.  ``share_of_variance`` is the
    first-order share var(E[NPV | input]) / var(NPV) [0-1] and ``npv_low`` and ``npv_high`` are
    E[NPV | input at its P10 and P90] [currency].  ``worth_knowing`` is what knowing the input
    exactly before deciding would be worth (EVPPI) [currency]; the decision is to run such a
    programme over such a horizon or not.
    """
    total, now = float(appraisal.npv.var()), max(float(appraisal.npv.mean()), 0.0)
    values = {name: appraisal.inputs[name].to_numpy(float) for name in INPUTS}
    values = {
        name: x for name, x in values.items() if np.ptp(x) > 0
    }  # what is taken as known drives nothing
    parts, most = _additive(values, appraisal.npv), worth_of_certainty(appraisal)
    rows = []
    for name, x in values.items():
        unrelated = [
            part
            for other, part in parts.items()
            if other != name and not {name, other} <= DRAWN_TOGETHER
        ]
        curve = np.polynomial.Polynomial.fit(x, appraisal.npv - sum(unrelated), CUBIC)
        fitted = curve(x)
        low, high = np.quantile(x, [SHOWN[0], SHOWN[-1]])
        share = min(float(fitted.var()) / total, 1.0) if total > 0 else math.nan
        ends = (float(low), float(high), float(curve(low)), float(curve(high)))
        gain = float(np.maximum(fitted, 0).mean()) - now
        rows.append(
            (name, INPUTS[name], *ends, share, min(max(gain, 0.0), most))
        )  # part of knowing everything
    names = [
        "name",
        "input",
        "p10",
        "p90",
        "npv_low",
        "npv_high",
        "share_of_variance",
        "worth_knowing",
    ]
    table = pd.DataFrame(rows, columns=names)
    return table.sort_values("share_of_variance", ascending=False, ignore_index=True)


def worth_of_certainty(appraisal: Appraisal) -> float:
    """Return what knowing everything before deciding would be worth (EVPI) [currency]."""
    return float(np.maximum(appraisal.npv, 0).mean()) - max(float(appraisal.npv.mean()), 0.0)


def break_even(case: Case, *, seed: int = 0) -> tuple[float, float, float]:
    """Return the effect at which NPV is zero, with the 95% interval by all other inputs [log
    points].

    NaN where no effect between -0.5 and 1.0 does it.
    """
    inputs = uncertainty.draw_inputs(case, n_draws=BREAK_EVEN_DRAWS, seed=seed)
    inputs = pd.concat([uncertainty.central_inputs(case), inputs], ignore_index=True)
    grid = inputs.loc[inputs.index.repeat(BREAK_EVEN.size)].reset_index(drop=True)
    grid[EFFECT] = np.tile(BREAK_EVEN, len(inputs))
    crossing = _crossings(net_present_value(case, grid).reshape(len(inputs), BREAK_EVEN.size))
    if np.isnan(crossing).any():
        return float(crossing[0]), math.nan, math.nan
    low, high = np.quantile(crossing[1:], intervals.ENDS)
    return float(crossing[0]), float(low), float(high)


def by_lift(case: Case, lifts: npt.ArrayLike, *, seed: int = 0) -> pd.DataFrame:
    """Return what the programme is worth at each of `lifts`, whatever was estimated.

    One row a lift.

    Columns: ``lift`` [0-1 of adopters' bookings], ``p10``, ``p50``, ``p90`` of NPV [currency] by
    all inputs but the effect.
    """
    at = np.asarray(lifts, float)
    if not (at > -1).all():
        raise ValueError(f"lifts must be above -1, got {at.min():g}")
    inputs = uncertainty.draw_inputs(case, n_draws=BREAK_EVEN_DRAWS, seed=seed)
    grid = inputs.loc[inputs.index.repeat(at.size)].reset_index(drop=True)
    grid[EFFECT] = np.tile(np.log1p(at), len(inputs))
    ends = np.quantile(net_present_value(case, grid).reshape(len(inputs), at.size), SHOWN, axis=0)
    return pd.DataFrame({"lift": at, "p10": ends[0], "p50": ends[1], "p90": ends[2]})


def case_variants(case: Case) -> dict[str, Case]:
    """Return the case under other stated assumptions, and without the prior, by the name of the
    change.
    """
    stated = case.assumptions
    margin, discount, fade = stated
    return {
        "As stated": case,
        "Margin five points lower": case._replace(
            assumptions=stated._replace(gross_margin_rate=margin - 0.05)
        ),
        "Discount rate five points higher": case._replace(
            assumptions=stated._replace(discount_rate=discount + 0.05)
        ),
        "Effect never fades": case._replace(assumptions=stated._replace(fade_rate=0.0)),
        "Effect fades twice as fast": case._replace(
            assumptions=stated._replace(fade_rate=min(2 * fade, 1.0))
        ),
        "Costs to come twice as high": case._replace(
            cost_error=case.cost_error._replace(estimate=1.0)
        ),
        "No prior: this company's data alone": case._replace(prior=None),
    }


def npv_sensitivity(case: Case, *, seed: int = 0, n_draws: int = N_DRAWS) -> pd.DataFrame:
    """Return NPV under other stated assumptions and without the prior: one row an assumption.

    The draws are those of the headline, so that "As stated" shows its figures.

    Columns: ``assumption``, ``p10``, ``p50``, ``p90`` [currency], ``probability_positive`` [0-1].
    """
    rows = []
    for name, variant in case_variants(case).items():
        values = net_present_value(
            variant, uncertainty.draw_inputs(variant, n_draws=n_draws, seed=seed)
        )
        rows.append((name, *np.quantile(values, SHOWN), float((values > 0).mean())))
    return pd.DataFrame(rows, columns=["assumption", "p10", "p50", "p90", "probability_positive"])


def _present(case: Case, each: Vector) -> Vector:
    return benefit.present_value(
        each, case.assumptions.discount_rate, periods_per_year=QUARTERS_PER_YEAR
    )


def _additive(values: Mapping[str, Vector], outcome: Vector) -> dict[str, Vector]:
    """Return what each of `values` adds to `outcome` by a cubic of its own, all fitted at once,
    with mean zero.
    """
    powers = {
        name: np.vander((x - x.mean()) / x.std(), CUBIC + 1)[:, :-1] for name, x in values.items()
    }
    powers = {name: each - each.mean(axis=0) for name, each in powers.items()}
    if not powers:
        return {}
    slopes = np.linalg.lstsq(
        np.hstack(list(powers.values())), outcome - outcome.mean(), rcond=None
    )[0]
    return {
        name: each @ slopes[CUBIC * i : CUBIC * (i + 1)]
        for i, (name, each) in enumerate(powers.items())
    }


def _crossings(values: Vector) -> Vector:
    """Return where each row of `values` over `BREAK_EVEN` first passes from below zero to zero or
    above.
    """
    passes = (values[:, :-1] < 0) & (values[:, 1:] >= 0)
    at = passes.argmax(axis=1)
    row = np.arange(len(values))
    below, above = values[row, at], values[row, at + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = -below / (above - below)
    crossing = BREAK_EVEN[at] + share * (BREAK_EVEN[at + 1] - BREAK_EVEN[at])
    return np.where(passes.any(axis=1), crossing, np.nan)
