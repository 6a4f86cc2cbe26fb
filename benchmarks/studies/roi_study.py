"""What the appraisal makes of programmes whose worth is known.

Truth drawn from the prior it states.

Each draw is a company of teams whose programme adds a lift drawn from the prior, wholly through
hours or wholly through recycled leads.  The growth estimate sees twelve quarters, the truth is the
added bookings of all the horizon.  `benchmarks/roi.py` draws a thousand, the tests a few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import imputation
from analysis.chapters.growth.panel import team_panel
from analysis.chapters.roi import appraised_programme, benefit, case, mechanisms, simulation
from analysis.chapters.roi.case import Assumptions, Case, GrowthEffect, Prior, Uncertain
from analysis.chapters.roi.mechanisms import Way
from studies import team_panels as simulated

if TYPE_CHECKING:
    from analysis.chapters.growth.imputation import GrowthEffects

Channel = Literal["hours", "leads"]

PRIOR = Prior(3.0, 4.0)
ASSUMPTIONS = Assumptions(0.70, 0.10, 0.25)
HORIZON, KNOWN_QUARTERS, ALL_QUARTERS, N_AVERAGED = 12, 12, 16, 5
LAST_QUARTER = "2027Q3"
ELASTICITY, ELASTICITY_ERROR, ELASTICITY_DF = 0.34, 0.05, 100
HOURS, HOURS_LOG_SD = 1_000.0, 0.05  # of a team a quarter [h]
RECYCLED, RECYCLED_LOG_SD = (
    0.10,
    0.01,
)  # share of bookings from recycled leads before; noise of its log
COMMISSION, COMMISSION_ERROR = 0.04, 0.002
HOUR_COST, HOUR_COST_ERROR, RATES_DF = 107.0, 4.0, 150
MEETING_HOURS, COST_PER_TEAM = 250.0, 25_000.0  # of a team and quarter [h], [USD]
Row = dict[str, float | str | bool]


class PlantedCompany(NamedTuple):
    """A company with its programme: what the appraisal sees, and the truth it does not."""

    case: Case
    effects: GrowthEffects
    ways: tuple[Way, ...]
    true_log_lift: float
    true_npv: float
    true_benefit: float


def plant_company(
    seed: int, channel: Channel, *, n_teams: int = 24, log_lift: float | None = None
) -> PlantedCompany:
    """Return a company whose lift is drawn from the prior, or is `log_lift`."""
    rng = np.random.default_rng([seed, 31])
    drawn_lift = (PRIOR.mean_points + PRIOR.sd_points * rng.standard_normal()) / 100
    lift = drawn_lift if log_lift is None else log_lift
    path = benefit.effect_weights(
        np.arange(ALL_QUARTERS), n_quarters=N_AVERAGED, fade_rate=ASSUMPTIONS.fade_rate
    )
    drawn_teams = simulated.draw_teams(
        simulated.Teams(
            seed=seed,
            n_teams=n_teams,
            n_quarters=ALL_QUARTERS,
            last_quarter=LAST_QUARTER,
            effect=lift,
            effect_path=tuple(path),
        )
    )
    table = drawn_teams.team_quarter.assign(effect=drawn_teams.truth["effect"].to_numpy())
    table = _with_channels(table, channel, rng)
    observed = table[table["quarter"].isin(sorted(table["quarter"].unique())[:KNOWN_QUARTERS])]
    whole = team_panel(observed, drawn_teams.programme)
    effects = imputation.estimate_effects(whole)
    effect = GrowthEffect(
        effects.estimate, effects.standard_error, effects.df, "found", effects.n_treated
    )
    starts = appraised_programme.programme_starts(whole)
    bookings = case.bookings_timeline(observed, starts, horizon_quarters=HORIZON)
    costs = costs_of(bookings, len(starts))
    appraised = Case(
        bookings=bookings,
        costs=costs,
        initial_amount=0.0,
        effect=effect,
        commission_rate=Uncertain(
            COMMISSION + COMMISSION_ERROR * rng.standard_normal(), COMMISSION_ERROR, RATES_DF
        ),
        cost_per_hour=Uncertain(
            HOUR_COST + HOUR_COST_ERROR * rng.standard_normal(), HOUR_COST_ERROR, RATES_DF
        ),
        baseline_error=case.baseline_error(observed),
        cost_error=Uncertain(0.0),
        correlation=0.0,
        assumptions=ASSUMPTIONS,
        prior=PRIOR,
        currency="USD",
    )
    gained, npv = _truth(table, starts, appraised)
    ways = (
        Way(
            "Hours recovered",
            _change(observed, drawn_teams.programme, "hours"),
            Uncertain(
                ELASTICITY + ELASTICITY_ERROR * rng.standard_normal(),
                ELASTICITY_ERROR,
                ELASTICITY_DF,
            ),
        ),
        Way(
            "Leads recycled",
            _change(observed, drawn_teams.programme, "recycled_factor"),
            Uncertain(1.0),
        ),
    )
    return PlantedCompany(appraised, effects, ways, lift, npv, gained)


def interval_calibration(
    seed: int, channel: Channel, *, n_teams: int = 24, n_draws: int = 4_000
) -> Row:
    """Return where the truth lies in the appraisal's intervals, with the prior and without it.

    ``rank`` is the share of draws below the true NPV; ``covers_50`` and ``covers_90`` are of NPV,
    ``benefit_90`` of the benefit, ``flat_50`` and ``flat_90`` of NPV without the prior;
    ``by_hours`` and ``by_leads`` are what the decomposition gives each way, and ``bottom_up_95``
    whether the interval of their sum covers the lift.
    """
    planted_company = plant_company(seed, channel, n_teams=n_teams)
    appraisal = simulation.appraise_case(planted_company.case, n_draws=n_draws, seed=seed)
    flat = simulation.appraise_case(
        planted_company.case._replace(prior=None), n_draws=n_draws, seed=seed
    )
    parts = mechanisms.decompose_effect(
        planted_company.case.effect, planted_company.ways, bookings_amount=1.0
    ).set_index("role")
    by_hours, by_leads = parts.loc[["way"], "log_points"].tolist()
    beside = parts.loc["beside"]
    return {
        "channel": channel,
        "truth": planted_company.true_npv,
        "rank": float((appraisal.npv < planted_company.true_npv).mean()),
        "covers_50": _covers(appraisal.npv, planted_company.true_npv, 0.50),
        "covers_90": _covers(appraisal.npv, planted_company.true_npv, 0.90),
        "benefit_90": _covers(appraisal.pv_benefit, planted_company.true_benefit, 0.90),
        "flat_50": _covers(flat.npv, planted_company.true_npv, 0.50),
        "flat_90": _covers(flat.npv, planted_company.true_npv, 0.90),
        "by_hours": float(by_hours),
        "by_leads": float(by_leads),
        "lift": planted_company.true_log_lift,
        "bottom_up_95": bool(beside["low"] <= planted_company.true_log_lift <= beside["high"]),
        "sd": float(appraisal.npv.std()),
        "flat_sd": float(flat.npv.std()),
    }


def benefit_coverage(
    seed: int, channel: Channel, *, log_lift: float = 0.15, n_draws: int = 4_000
) -> Row:
    """Return whether the benefit's 90% interval covers a fixed lift's, once and with the ways added
    to the total.

    Without the prior, which speaks of lifts drawn from it.
    """
    planted_company = plant_company(seed, channel, log_lift=log_lift)
    once = planted_company.case._replace(prior=None)
    ways = sum(way.change.estimate * way.yields.estimate for way in planted_company.ways)
    twice = once._replace(effect=once.effect._replace(estimate=once.effect.estimate + ways))
    return {
        "channel": channel,
        "once_90": _covers(
            simulation.appraise_case(once, n_draws=n_draws).pv_benefit,
            planted_company.true_benefit,
            0.90,
        ),
        "twice_90": _covers(
            simulation.appraise_case(twice, n_draws=n_draws).pv_benefit,
            planted_company.true_benefit,
            0.90,
        ),
    }


def _with_channels(table: pd.DataFrame, channel: Channel, rng: np.random.Generator) -> pd.DataFrame:
    """Return `table` with hours and what recycled leads multiply bookings by.

    One of them carries the effect.
    """
    by_hours = table["effect"] / ELASTICITY if channel == "hours" else 0.0
    by_leads = table["effect"] if channel == "leads" else 0.0
    noise = rng.standard_normal((2, len(table)))
    return table.assign(
        hours=HOURS * np.exp(by_hours + HOURS_LOG_SD * noise[0]),
        recycled_factor=(1 + RECYCLED) * np.exp(by_leads + RECYCLED_LOG_SD * noise[1]),
    )


def _change(observed: pd.DataFrame, programme: pd.DataFrame, outcome: str) -> Uncertain:
    effects = imputation.estimate_effects(team_panel(observed, programme, outcome=outcome))
    return Uncertain(effects.estimate, effects.standard_error, effects.df)


def costs_of(bookings: pd.DataFrame, n_adopters: int) -> pd.DataFrame:
    """Return a programme's costs over the quarters of `bookings`, the same each quarter."""
    ahead = bookings[bookings["period"] >= 0]
    rows = ahead.groupby(["period", "quarter"], as_index=False)["bookings_amount"].first()
    return pd.DataFrame(
        {
            "period": rows["period"],
            "quarter": rows["quarter"],
            "is_observed": rows["bookings_amount"].notna(),
            "cost_amount": COST_PER_TEAM * n_adopters,
            "hires_amount": 0.0,
            "meeting_hours": MEETING_HOURS * n_adopters,
        }
    )


def _truth(table: pd.DataFrame, starts: dict[str, str], appraised: Case) -> tuple[float, float]:
    """Return present values of the benefit and NPV by what truly came, in quarters that are known
    or not.
    """
    theirs = table[table["team_id"].isin(list(starts))]
    added = (
        (theirs["bookings_amount"] * -np.expm1(-theirs["effect"])).groupby(theirs["quarter"]).sum()
    )
    names = appraised.costs["quarter"]
    factors = (1 + ASSUMPTIONS.discount_rate) ** (-np.arange(1, HORIZON + 1) / 4)
    gained = float((added.reindex(names).to_numpy() * factors).sum()) * (
        ASSUMPTIONS.gross_margin_rate - COMMISSION
    )
    cost = appraised.costs["cost_amount"] + HOUR_COST * appraised.costs["meeting_hours"]
    return gained, gained - float((cost.to_numpy() * factors).sum())


def _covers(draws: np.ndarray, truth: float, level: float) -> bool:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return bool(low <= truth <= high)
