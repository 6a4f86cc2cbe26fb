"""A programme's case from the tables and settings of a company, in one call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.chapters.growth import assessment, growth_answer
from analysis.chapters.growth.panel import NEVER
from analysis.chapters.roi import case
from analysis.chapters.roi import costs as roi_costs
from analysis.chapters.roi.case import GrowthEffect
from analysis.project import quarters
from analysis.project.errors import CrmDataError, require_columns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from analysis.chapters.growth.assessment import Assessment, AssessmentTables
    from analysis.chapters.growth.growth_answer import GrowthAnswer
    from analysis.chapters.growth.panel import Panel
    from analysis.chapters.roi.case import Case
    from analysis.project.settings import Settings


OWN = (
    "team_quarter",
    "rep_quarter",
    "programme",
    "quarantine",  # teams whose start cannot be read
    "programme_costs",
    "activities",
    "attendees",
    "reps",
    "opportunities",
)
ALSO = ("rep_week", "campaigns", "assets", "asset_uses", "leads")  # of the other sections
TABLES = tuple(sorted({*OWN, *ALSO}))


class Programme(NamedTuple):
    """A company's programme up to a quarter.

    ``growth`` is what the growth chapter tells, ``known`` the tables that it rests on, ``held`` the
    time of people in joint meetings and ``programme_starts`` the first quarter by team.
    """

    case: Case
    growth: GrowthAnswer
    tables: AssessmentTables
    joint_meetings: pd.DataFrame
    starts: dict[str, str]


def company_programme(
    tables: Mapping[str, pd.DataFrame],
    *,
    quarter: str,
    house: Settings,
    own_specification: str | None = None,
    looks: Sequence[Mapping[str, Any]] = (),
) -> Programme:
    """Return the programme of a company as of `quarter`.

    Growth effect, costs and meeting hours up to then, and the case built on them.

    Parameters
    ----------
    tables : those of `TABLES` by name
    quarter : last quarter that counts
    house : the dataset's settings
    own_specification, looks : as `growth_answer.answer_growth` takes them

    Raises
    ------
    CrmDataError
        If no team has started by `quarter`, or the tables cannot carry an appraisal.
    """
    month = house.company.fiscal_year_start_month
    tables_of_then = assessment.tables_as_of(tables, quarter, fiscal_year_start_month=month)
    team, rep = (
        tables_of_then.team_quarter,
        tables["rep_quarter"][tables["rep_quarter"]["quarter"] <= quarter],
    )
    growth = growth_answer.answer_growth(
        tables_of_then, quarter, own_specification=own_specification, looks=looks
    )
    if growth.assessment is None:
        started = starts_by(tables["programme"], quarter, month)
        effect = not_assessed(len(started), growth.reason)
    else:
        started, effect = (
            programme_starts(growth.assessment.panel),
            growth_effect(growth.assessment),
        )
    theirs = rep.loc[rep["team_id"].isin(list(started)), "rep_id"].unique()
    activities = activities_until(tables["activities"], quarters.parse_quarter(quarter).end(month))
    joint_meetings = roi_costs.joint_meeting_time(
        activities[activities["rep_id"].isin(theirs)], tables["attendees"], tables["reps"]
    )
    costs = tables["programme_costs"]
    appraised = programme_case(
        team, rep, costs, joint_meetings, starts=started, effect=effect, house=house,
        hires_log=hires_of(growth),
    )  # fmt: skip
    return Programme(appraised, growth, tables_of_then, joint_meetings, started)


def activities_until(activities: pd.DataFrame, end: dt.date) -> pd.DataFrame:
    """Return the activities that started before the day `end` (UTC)."""
    require_columns(activities, ["started_at"], "activities")
    return activities[
        ~(pd.to_datetime(activities["started_at"], utc=True) >= pd.Timestamp(end, tz="UTC"))
    ]


def not_assessed(n_teams: int, why: str) -> GrowthEffect:
    """Return the growth effect of a company whose data cannot carry the comparison.

    Nothing was estimated.
    """
    nan, needs = math.nan, f"Its effect is not known: {why}."
    return GrowthEffect(nan, nan, 0, "cannot tell", n_teams, needs=needs, kind="association")


def starts_by(
    programme: pd.DataFrame, quarter: str, fiscal_year_start_month: int = 1
) -> dict[str, str]:
    """Return the first full quarter of each team's programme, of teams that started by `quarter`."""  # noqa: E501
    require_columns(programme, ["team_id", "start_date"], "programme")
    start_of = {}
    for team, start in zip(
        programme["team_id"], pd.to_datetime(programme["start_date"]).dt.date, strict=True
    ):
        first = quarters.quarter_containing(start, fiscal_year_start_month)
        first = first.shifted(int(first.start(fiscal_year_start_month) < start))
        if str(first) <= quarter:
            start_of[str(team)] = str(first)
    if not start_of:
        ids = ", ".join(map(str, programme["team_id"][:3]))
        raise CrmDataError(
            f"programme: some team must have started by {quarter}, but {len(programme)} of "
            f"{len(programme)} have not "
            f"(team_id {ids}).\nReport a quarter in which the programme ran."
        )
    return start_of


def growth_effect(assessment: Assessment) -> GrowthEffect:
    """Return what an appraisal takes from the growth chapter.

    The estimate with drift allowed for, opportunities being evidence where nothing bars them.
    """
    graded, spec = assessment.graded, assessment.specification
    effect, ruling = graded.bookings.with_evidence, graded.bookings.ruling
    return GrowthEffect(
        estimate=effect.estimate,
        standard_error=effect.error,
        df=effect.df,
        verdict=ruling.verdict,
        n_teams=assessment.panel.n_treated,
        against=tuple(f"{each.name} ({each.says})" for each in ruling.against),
        drift_to_believe=graded.drift_to_believe,
        drift=graded.drift,
        n_quarters=spec.horizon[1] + 1,
        kind=ruling.kind,
        not_counted=graded.not_counted,
    )


def hires_of(growth: GrowthAnswer) -> float:
    """Return how much faster adopters' head count grew than the others' [log]; 0 where it did not,
    or is unknown.
    """
    heads = growth.assessment.heads if growth.assessment else None
    return max(math.log1p(heads.estimate / 100), 0.0) if heads else 0.0


def programme_starts(whole: Panel) -> dict[str, str]:
    """Return each adopter's first quarter of the programme, as the growth estimate counts it."""
    return {
        str(team): whole.quarters[start]
        for team, start in zip(whole.teams, whole.starts, strict=True)
        if start < NEVER
    }


def programme_case(
    team_quarter: pd.DataFrame,
    rep_quarter: pd.DataFrame,
    programme_costs: pd.DataFrame,
    joint_meetings: pd.DataFrame,
    *,
    starts: Mapping[str, str],
    effect: GrowthEffect,
    house: Settings,
    hires_log: float = 0.0,
) -> Case:
    """Return the case of a programme, appraised from its first start over the settings' horizon.

    Parameters
    ----------
    team_quarter, rep_quarter : panels up to the quarter reported
    programme_costs : items of cost, see `errors`
    joint_meetings : what `costs.joint_meeting_time` returns, of the adopters' representatives
    starts : first quarter of the programme by team, see `starts`
    effect : the growth estimate, in log points
    house : the dataset's settings
    hires_log : by how much adopters' heads grew beyond the others' [log]; their pay is a cost
    """
    money, month = house.money, house.company.fiscal_year_start_month
    bookings = case.bookings_timeline(team_quarter, starts, horizon_quarters=money.horizon_quarters)
    names = bookings.loc[bookings["period"] >= 0, "quarter"].drop_duplicates().tolist()
    costs = roi_costs.by_quarter(programme_costs, fiscal_year_start_month=month)
    hours = roi_costs.meeting_hours(joint_meetings, fiscal_year_start_month=month)
    whole = team_quarter.loc[~team_quarter["is_partial"].astype(bool), "quarter"]
    hires = roi_costs.pay_of_hires(rep_quarter, starts, hires_log)
    spent = roi_costs.cost_timeline(costs, hours, hires, names, last_observed=str(whole.max()))
    commission, hour, correlation = case.by_rep(rep_quarter)
    appraised = case.Case(
        bookings=bookings,
        costs=spent.costs,
        initial_amount=spent.initial_amount,
        effect=effect,
        commission_rate=commission,
        cost_per_hour=hour,
        baseline_error=case.baseline_error(team_quarter),
        cost_error=spent.error,
        correlation=correlation,
        assumptions=case.Assumptions(money.gross_margin_rate, money.discount_rate, money.fade_rate),
        prior=case.Prior(money.prior_gap_points, money.prior_gap_sd_points),
        currency=house.company.currency,
    )
    return appraised if appraised.has_bookings else without_bookings(appraised)


def without_bookings(appraised: Case) -> Case:
    """Return the case with one more objection: its horizon ended before the bookings of teams that
    joined begin.
    """
    names = appraised.costs["quarter"]
    why = (
        f"the horizon, {names.iloc[0]} to {names.iloc[-1]}, ended before the bookings known of the "
        "teams that joined begin"
    )
    effect = appraised.effect
    return appraised._replace(effect=effect._replace(against=(why, *effect.against)))
