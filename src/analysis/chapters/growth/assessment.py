"""The one call that answers.

Estimate, everything that could speak against it, verdict, and what would tell.

What an assessment may know as of a quarter: panels, starts and the sales cycle, nothing from after
its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import (
    callaway_santanna,
    guards,
    imputation,
    parallel_trends,
    power,
    specification,
    verdict,
)
from analysis.chapters.growth.panel import panel_until, team_panel
from analysis.chapters.growth.verdict import Look, log_points_percent
from analysis.project import quarters
from analysis.project.errors import CrmDataError, require_columns
from analysis.stats.result import Result

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from analysis.chapters.growth.guards import Guard
    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.panel import Panel
    from analysis.chapters.growth.parallel_trends import TrendBounds
    from analysis.chapters.growth.power import Power
    from analysis.chapters.growth.specification import Specification
    from analysis.chapters.growth.verdict import Ruling
    from analysis.stats.randomisation import RandomisationTest
    from analysis.stats.result import Verdict

SEED = 20


class AssessmentTables(NamedTuple):
    """What an assessment stands on; None switches off what needs it.

    ``team_quarter`` (a team and quarter; with ``alignment_index`` the lead test is made),
    ``programme`` (a team's start), ``rep_quarter`` (a rep's stay in a team within a quarter) and
    the median sales cycle [days].
    """

    team_quarter: pd.DataFrame
    programme: pd.DataFrame
    rep_quarter: pd.DataFrame | None = None
    median_cycle_days: float | None = None
    fiscal_year_start_month: int = 1


class Evidence(NamedTuple):
    """One outcome as of one quarter, with all that was asked of it."""

    effects: GrowthEffects
    companion: GrowthEffects
    bounds: TrendBounds | None
    beyond_trend: GrowthEffects | None
    randomisation: RandomisationTest
    guards: tuple[Guard, ...]


class Assessment(NamedTuple):
    """The answer, and what stands behind it.

    ``early`` is the outcome that shows first (opportunities created); ``activity`` has a row an
    outcome from entries to bookings.  ``reasons`` say what stands against a finding.  ``looks`` are
    for the report to keep.
    """

    growth_gap: Result
    early: Result
    evidence: Evidence
    power: Power
    reasons: tuple[str, ...]
    activity: pd.DataFrame
    looks: tuple[Look, ...]
    is_exploratory: bool
    specification: Specification
    panel: Panel

    def guards(self) -> pd.DataFrame:
        """Return one row a guard: ``guard``, ``passed`` and ``says``."""
        return guards.guard_table(self.evidence.guards)


def assess_growth(
    tables: AssessmentTables,
    *,
    quarter: str | None = None,
    spec: Specification | None = None,
    earlier_hashes: tuple[str, ...] = (),
) -> Assessment:
    """Return whether joining the programme made teams grow, as of `quarter` (the last one known by
    default).

    What has a switch date can stand in for the programme: for ``single_exec``, one executive for
    both sides, give as ``programme`` a row a team with the day it came under one (``team_id``,
    ``start_date``).  A team that always was has no quarter before and is left out and counted.

    Parameters
    ----------
    tables : Tables
    spec : Specification
        The project's own by default.
    earlier_hashes : tuple of str
        ``sha256`` of the specifications of earlier looks at these data.

    Raises
    ------
    CrmDataError
        If the data cannot carry the comparison at all; the message says what is missing.
    """
    spec = spec or specification.default_specification()
    whole = _as_of(team_panel_of(tables, spec.outcome), quarter)
    now = whole.quarters[-1]
    evidence, ruling, before = judge_panel(tables, whole, spec)
    created_panel = _as_of(team_panel_of(tables, spec.early_outcome), now)
    activity = activity_and_wins(tables, now)
    created, _, _ = judge_panel(tables, created_panel, spec, is_early=True)
    created = created._replace(guards=(*created.guards, _wins_too(activity)))
    return Assessment(
        growth_gap=_result("growth_gap", whole, evidence, spec, ruling),
        early=_result(
            "opportunities_gap",
            created_panel,
            created,
            spec,
            verdict.rule_on_effect(created.effects, created.guards, spec),
        ),
        evidence=evidence,
        power=power.detectable_gap(
            evidence.effects,
            evidence.bounds,
            evidence.beyond_trend,
            evidence.guards,
            gap_percent=spec.smallest_relevant_percent,
            wanted=spec.power,
            alpha=spec.alpha,
            trend_level=spec.trend_level,
            most_teams=spec.most_teams,
        ),
        reasons=ruling.reasons,
        activity=activity,
        looks=(*before, _look(whole, evidence.effects, ruling.verdict, spec)),
        is_exploratory=specification.is_exploratory(spec, earlier_hashes),
        specification=spec,
        panel=whole,
    )


def judge_panel(
    tables: AssessmentTables, whole: Panel, spec: Specification, *, is_early: bool = False
) -> tuple[Evidence, Ruling, tuple[Look, ...]]:
    """Return the evidence on `whole` with the look a quarter earlier among its guards, the ruling,
    and that look.
    """
    evidence = examine_panel(tables, whole, spec, is_early=is_early)
    name = whole.quarters[-2]
    looks: tuple[Look, ...] = ()
    try:
        earlier = panel_until(whole, name)
        evidence_so_far = examine_panel(tables, earlier, spec, is_early=is_early)
    except CrmDataError:
        guard = verdict.earlier_guard(None, name)
    else:
        then = verdict.rule_on_effect(evidence_so_far.effects, evidence_so_far.guards, spec).verdict
        guard = verdict.earlier_guard(then == "found", name)
        looks = (_look(earlier, evidence_so_far.effects, then, spec),)
    evidence = evidence._replace(guards=(*evidence.guards, guard))
    return evidence, verdict.rule_on_effect(evidence.effects, evidence.guards, spec), looks


def team_panel_of(tables: AssessmentTables, outcome: str, *, is_log: bool = True) -> Panel:
    """Return the panel of `outcome`, by baseline team where stays of reps hold it."""
    stays = (
        tables.rep_quarter
        if tables.rep_quarter is not None and outcome in tables.rep_quarter.columns
        else None
    )
    return team_panel(
        tables.team_quarter, tables.programme, rep_quarter=stays, outcome=outcome, is_log=is_log,
        fiscal_year_start_month=tables.fiscal_year_start_month,
    )  # fmt: skip


def examine_panel(
    tables: AssessmentTables, whole: Panel, spec: Specification, *, is_early: bool = False
) -> Evidence:
    """Return the estimate of `whole` as of its last quarter, and every guard but that of an earlier
    look.

    An early outcome need not wait for a sales cycle.
    """
    effects = imputation.estimate_effects(
        whole, horizon=spec.horizon, anticipation=spec.anticipation_quarters
    )
    companion = callaway_santanna.estimate_by_cohort(whole, horizon=spec.horizon)
    bounds, beyond = bounds_of(whole, spec), beyond_trend(whole, spec)
    drawn = imputation.randomise_starts(
        whole, rng=np.random.default_rng(SEED), n_draws=spec.randomisation_draws, alpha=spec.alpha,
        horizon=spec.horizon, anticipation=spec.anticipation_quarters,
    )  # fmt: skip
    month, team_quarters = tables.fiscal_year_start_month, tables.team_quarter
    team_quarters = team_quarters[team_quarters["quarter"].isin(whole.quarters)]
    several = [
        verdict.agreement_guard(callaway_santanna.compare_estimates(effects, companion)),
        guards.placebo_guard(
            whole, n_quarters=spec.placebo_quarters, anticipation=spec.anticipation_quarters
        ),
        guards.trend_guard(whole, anticipation=spec.anticipation_quarters, wanted=spec.power),
        *guards.rerouting_guard(team_quarters, tables.programme, fiscal_year_start_month=month),
        guards.logging_guard(team_quarters, tables.programme, fiscal_year_start_month=month),
        guards.announcement_guard(tables.programme),
    ]
    if "alignment_index" in team_quarters.columns:
        several.append(guards.lead_guard(whole, team_quarters))
    if not is_early:
        several.append(guards.sales_cycle(whole, tables.median_cycle_days))
    several += [
        guards.single_team(effects),
        verdict.bounds_guard(bounds, effects),
        verdict.extrapolation_guard(beyond, effects, spec.trend_level),
        verdict.randomisation_guard(drawn, spec.alpha),
    ]
    return Evidence(effects, companion, bounds, beyond, drawn, tuple(several))


def bounds_of(whole: Panel, spec: Specification) -> TrendBounds | None:
    """Return the effect if trends part, or None where the quarters before the start are too few."""
    try:
        trend_periods = parallel_trends.trend_periods(
            callaway_santanna.around_start(whole, horizon=spec.horizon),
            n_quarters=spec.honest_period_quarters,
        )
    except CrmDataError:
        return None
    return parallel_trends.relative_magnitudes(trend_periods, m_bar=spec.m_bar, level=spec.level)


def beyond_trend(whole: Panel, spec: Specification) -> GrowthEffects | None:
    """Return the effect had the trend before the start gone on, or None where no trend can be told."""  # noqa: E501
    try:
        return imputation.estimate_beyond_drift(
            whole,
            horizon=spec.horizon,
            anticipation=spec.anticipation_quarters,
            level=spec.trend_level,
        )
    except CrmDataError:
        return None


def activity_and_wins(tables: AssessmentTables, quarter: str) -> pd.DataFrame:
    """Return what joining went with, from what is logged to what is booked: one row an outcome.

    Columns: ``outcome``, ``estimate``, ``low``, ``high`` [percent] and ``n_teams``.  More entries
    and more opportunities with no more wins is activity, not growth.
    """
    rows = []
    for outcome in ("entries_per_week", "n_created", "n_won", "bookings_amount"):
        if outcome not in tables.team_quarter.columns:
            continue
        try:
            effects = imputation.estimate_effects(_as_of(team_panel_of(tables, outcome), quarter))
        except CrmDataError:
            continue
        rows.append(
            (
                outcome,
                log_points_percent(effects.estimate),
                log_points_percent(effects.low),
                log_points_percent(effects.high),
                effects.n_teams,
            )
        )
    return pd.DataFrame(rows, columns=["outcome", "estimate", "low", "high", "n_teams"])


def _wins_too(activity: pd.DataFrame) -> Guard:
    """Return whether wins rose with activity."""
    name, by = "wins rose with activity", activity.set_index("outcome")
    if "n_won" not in by.index or "entries_per_week" not in by.index:
        return guards.Guard(name, None, "wins or entries are not known")
    won, entries = by.loc["n_won"], by.loc["entries_per_week"]
    is_flat = bool(entries["low"] > 0 and not won["low"] > 0)
    says = (
        f"entries {entries['estimate']:+.1f}%, wins {won['estimate']:+.1f}% (from "
        f"{won['low']:+.1f}%)"
    )
    return guards.Guard(name, not is_flat, says)


def _as_of(whole: Panel, quarter: str | None) -> Panel:
    return (
        whole if quarter is None or quarter == whole.quarters[-1] else panel_until(whole, quarter)
    )


def _look(whole: Panel, effects: GrowthEffects, word: Verdict, spec: Specification) -> Look:
    return Look(
        outcome=whole.outcome,
        quarter=whole.quarters[-1],
        estimate=log_points_percent(effects.estimate),
        low=log_points_percent(effects.low),
        high=log_points_percent(effects.high),
        n_teams=effects.n_teams,
        n_treated=effects.n_treated,
        verdict=word,
        sha256=spec.sha256,
    )


def _result(
    name: str, whole: Panel, evidence: Evidence, spec: Specification, ruling: Ruling
) -> Result:
    effects = evidence.effects
    noun = {"bookings_amount": "bookings", "n_created": "opportunities created"}.get(
        whole.outcome, whole.outcome
    )
    quarters = (
        f"quarters {effects.event_quarters[0]} to {effects.event_quarters[-1]} since the start"
    )
    left = "; ".join(f"{n} {why}" for why, n in whole.left_out.items() if n) or "none"
    return Result(
        name=name,
        estimate=log_points_percent(effects.estimate),
        low=log_points_percent(effects.low),
        high=log_points_percent(effects.high),
        unit=f"percent of {noun}",
        n=effects.n_teams,
        n_of="teams",
        method=(
            f"{effects.convention}; {effects.n_treated} adopters; {quarters}; left out: {left}; "
            f"specification {spec.sha256[:12]}"
        ),
        source="team_quarter, programme",
        kind=ruling.kind,
        verdict=ruling.verdict,
    )


def tables_as_of(
    clean_tables: Mapping[str, pd.DataFrame], quarter: str, *, fiscal_year_start_month: int = 1
) -> AssessmentTables:
    """Return the tables of an assessment as of `quarter`.

    Parameters
    ----------
    clean_tables : ``team_quarter``, ``rep_quarter``, ``programme`` and ``opportunities`` by name
    quarter : last quarter that counts; a start on or after its end had not come
    fiscal_year_start_month : as in the settings
    """
    end = quarters.parse_quarter(quarter).end(fiscal_year_start_month)
    programme = clean_tables["programme"]
    require_columns(programme, ["team_id", "start_date"], "programme")
    begun = programme[
        ~(pd.to_datetime(programme["start_date"]) >= pd.Timestamp(end))
    ]  # an unknown start is refused
    team, rep = (
        clean_tables[name][clean_tables[name]["quarter"] <= quarter]
        for name in ("team_quarter", "rep_quarter")
    )
    return AssessmentTables(
        team,
        begun,
        rep,
        median_cycle_days(clean_tables["opportunities"], end=end),
        fiscal_year_start_month,
    )


def median_cycle_days(opportunities: pd.DataFrame, *, end: dt.date) -> float:
    """Return the median days from creation to close of deals won before the day `end`.

    NaN where none was.
    """
    require_columns(opportunities, ["status", "close_date", "cycle_days"], "opportunities")
    won = (opportunities["status"] == "won") & (
        pd.to_datetime(opportunities["close_date"]) < pd.Timestamp(end)
    )
    return float(opportunities.loc[won, "cycle_days"].median())
