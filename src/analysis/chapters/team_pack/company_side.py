"""What a team's pack takes from the whole company: its index, which figures may be shown, and
averages of all teams.

It is worked out for all teams at once, for alignment is scored of all of them together, and is
plain data: a pack is then made from the team's rows and this alone.  A figure of the company stands
beside a team's only where at least three other teams with enough people are behind it, so that
taking the team's own off it tells of none of them.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.chapters.alignment import chapter as alignment
from analysis.chapters.alignment import weights
from analysis.chapters.alignment.items import ITEMS
from analysis.chapters.cost import chapter as cost_chapter
from analysis.chapters.cost import cost, cost_breakdown
from analysis.chapters.data_quality import answerability
from analysis.chapters.lead_funnel import funnel_answer, stages
from analysis.chapters.team_pack import team_requests
from analysis.project.errors import CrmDataError
from analysis.tables.panel_tables import UNASSIGNED

if TYPE_CHECKING:
    from analysis.chapters.alignment.items import Profile
    from analysis.stats.result import Result
    from analysis.store.company import Company

FEWEST_OTHERS = 3  # teams behind a figure of the company that stands beside a team's
PEOPLE, HOURS, COST = "people", "hours", "cost"  # what a pack may show, by whom it is of
OF_PEOPLE = {
    "cost_per_selling_hour": COST,
    "required_bookings_per_selling_hour": COST,
    "selling_hours_per_week": HOURS,
    "win_rate": PEOPLE,
    "share_of_target": PEOPLE,
    "lead_to_opportunity_rate": PEOPLE,
}  # measures of the company that may stand beside, and whose figures they are
Side = dict[str, Any]


def packed_teams(company: Company) -> list[str]:
    """Ids of the teams that had a rep in the quarter reported, in order."""
    stays = company.rows_of_quarter("rep_quarter")
    ids = stays["team_id"].dropna().astype(str).unique()
    return sorted(team for team in ids if team != UNASSIGNED)


def company_sides(company: Company) -> dict[str, Side]:
    """What each team's pack takes from the whole company, by the team's id.

    ``shows``, ``shows_before``: by `PEOPLE`, `HOURS`, `COST`, whether figures of the quarter
    reported and of the one before may be shown.  ``beside``: the company's figure by measure, where
    it may stand beside; ``week``: its hours by class of activity, likewise.  ``index``: the team's
    alignment index as a `Result`, None without one.  ``practices``: a row a practice observed of
    it.  ``requests``: what became of its requests, by quarter, as the company's own files of
    decisions have it.
    """
    before = replace(company, quarter=str(company.period.shifted(-1)))
    showable, showable_before = _teams_shown(company), _teams_shown(before)
    scored = _scored_alignment(company)
    figures, week = _company_figures(company), _company_week(company)
    requests = team_requests.requests_by_team(company)
    sides = {}
    for team in packed_teams(company):
        beside = {
            name: value
            for name, value in figures.items()
            if _may_stand_beside(company, team, showable[OF_PEOPLE[name]])
        }
        aligned = _alignment_of(scored, team)
        if aligned["mean"] is not None:
            beside["alignment_index"] = aligned["mean"]
        sides[team] = {
            "shows": {kind: team in teams for kind, teams in showable.items()},
            "shows_before": {kind: team in teams for kind, teams in showable_before.items()},
            "beside": beside,
            "week": week if _may_stand_beside(company, team, showable[HOURS]) else {},
            "index": aligned["index"],
            "practices": aligned["practices"],
            "requests": requests.get(team, {}),
        }
    return sides


def _stays(company: Company) -> pd.DataFrame:
    return company.rows_of_quarter("rep_quarter")


def _counted(company: Company) -> dict[str, pd.DataFrame]:
    """Stays of the quarter that each kind of figure counts."""
    stays, share = _stays(company), company.settings.hours.minimum_logged_share
    hours = cost.left_out(stays, "selling_hours_per_week", minimum_logged_share=share) == ""
    return {
        PEOPLE: stays,
        HOURS: stays[hours],
        COST: cost.counted_stays(stays, minimum_logged_share=share),
    }


def _teams_shown(company: Company) -> dict[str, dict[str, int]]:
    """Teams of which each kind of figure may be shown, with the reps it is of."""
    showable = {}
    for kind, stays in _counted(company).items():
        hides = cost_chapter.teams_of_hidden_cost if kind == COST else cost_chapter.hidden_teams
        hidden = hides(company, stays) if len(stays) else set()
        sizes = stays.groupby(stays["team_id"].astype(str))["rep_id"].nunique()
        showable[kind] = {
            str(team): int(n)
            for team, n in sizes.items()
            if team not in hidden and n >= company.settings.people.smallest_cell
        }
    return showable


def _may_stand_beside(company: Company, team: str, sizes: dict[str, int]) -> bool:
    """Whether enough other teams, none of them hidden, are behind a figure of the company."""
    others = [n for other, n in sizes.items() if other not in {team, UNASSIGNED}]
    return len(others) >= FEWEST_OTHERS and sum(others) >= company.settings.people.smallest_cell


def _company_figures(company: Company) -> dict[str, float]:
    """Measures of the whole company that are known and not withheld."""
    figures: dict[str, float] = {}
    stays = _stays(company)
    if len(stays):
        costs = cost_chapter.quarter_costs(company)
        figures |= {r.name: r.estimate for r in (costs.hour, costs.required, costs.weekly)}
    teams = company.rows_of_quarter("team_quarter")
    closed = float(teams["n_won"].sum() + teams["n_lost"].sum())
    figures["win_rate"] = float(teams["n_won"].sum()) / closed if closed else math.nan
    figures["share_of_target"] = share_of_target(stays)
    leads = lead_share(company)
    figures["lead_to_opportunity_rate"] = leads.estimate if leads else math.nan
    withheld = answerability.withheld_metrics(company.audit)
    if "bookings" in withheld:
        figures.pop("share_of_target")
    return {n: v for n, v in figures.items() if n not in withheld and not math.isnan(v)}


def _company_week(company: Company) -> dict[str, float]:
    """Hours of a logged week by class of activity, of all teams; empty where withheld."""
    stays = _stays(company)
    if stays.empty or "hours" in answerability.withheld_questions(company.audit):
        return {}
    week = cost_breakdown.week_by_class(
        stays.assign(who=""),
        "who",
        minimum_logged_share=company.settings.hours.minimum_logged_share,
    ).drop(columns=["who", "n_reps"])
    return {str(k): float(v) for k, v in week.iloc[0].items()} if len(week) else {}


def share_of_target(stays: pd.DataFrame) -> float:
    """Bookings over quota of the reps that have one [0-1]; NaN where none has."""
    with_quota = stays[stays["quota_amount"] > 0]
    quota = float(with_quota["quota_amount"].sum())
    return float(with_quota["bookings_amount"].sum()) / quota if quota else math.nan


def lead_share(company: Company) -> Result | None:
    """Share of leads that became an opportunity within 90 days, as the chapter on leads has it.

    None without a lead by the end of the quarter.
    """
    panel = company.table("lead_dates")
    as_of = min(company.last_day, company.day_after - dt.timedelta(days=1))
    funnel = stages.lead_funnel(panel, company.table("quarters"), as_of)
    if funnel.rows.empty:
        return None
    answer = funnel_answer.FunnelAnswer(
        company, funnel, funnel, funnel_answer.SOURCE, [], None, pd.DataFrame(), math.nan,
        pd.Series(dtype="float64"), None, None, None, "",
    )  # fmt: skip
    return funnel_answer.conversion_result(answer, "opportunity")


class _Alignment(NamedTuple):
    """Alignment of all teams in the quarter reported: index, and the evidence of each practice."""

    quarter: str
    scores: pd.DataFrame
    evidence: pd.DataFrame
    profile: Profile


def _scored_alignment(company: Company) -> _Alignment | None:
    if "index" in answerability.withheld_questions(company.audit):
        return None
    tables = {name: company.table(name) for name in alignment.TABLES}
    quarter = company.quarter
    try:
        scored = alignment.score_alignment(
            tables, quarter, house=company.settings, last_day=company.audit["as_of"]
        )
    except CrmDataError:
        return None
    now = scored.aligned[(scored.aligned["quarter"] == quarter) & scored.aligned["index"].notna()]
    evidence = scored.evidence[scored.evidence["quarter"] == quarter]
    return _Alignment(quarter, now, evidence, scored.profile)


def _alignment_of(scored: _Alignment | None, team: str) -> dict[str, Any]:
    """Return a team's index, the mean of all teams where it may stand beside, and its practices."""
    if scored is None:
        return {"index": None, "mean": None, "practices": []}
    others = scored.scores["team_id"] != team
    has_others = int(others.sum()) >= FEWEST_OTHERS
    mine = alignment.company_index(scored.scores[~others], scored.quarter)
    mean = alignment.company_index(scored.scores, scored.quarter).estimate
    rows = weights.practice_gains(
        scored.evidence, scored.quarter, items=scored.profile, reader=team, fewest=FEWEST_OTHERS
    ).drop(columns=["team_id", "rank"])
    points = {item.id: float(item.points) for item in ITEMS}
    rows = rows.assign(points=rows["item"].map(points))
    if not has_others:  # what the best of so few teams reach would tell of them
        rows = rows.assign(target=math.nan, gain=math.nan)
    return {
        "index": _plain(mine._asdict()) if mine.is_known else None,
        "mean": mean if has_others else None,
        "practices": [_plain(row) for row in rows.to_dict("records")],
    }


def _plain(row: Any) -> dict[str, Any]:
    """Return a row as JSON keeps it: an unknown number is None."""
    return {str(k): None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
