"""One team's pack: what its leader is shown, each thing from one call."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from analysis.chapters.closed_loop import loop_answer
from analysis.chapters.cost import chapter as cost_chapter
from analysis.chapters.cost import cost_breakdown
from analysis.chapters.data_quality import (
    answerability,
    clustered_win_rate,
    row_accounts,
    won_deals,
)
from analysis.chapters.data_quality import chapter as data_chapter
from analysis.chapters.growth import chapter as growth_chapter
from analysis.chapters.marketing_requests import reviewed_requests
from analysis.chapters.roi import chapter as roi_chapter
from analysis.chapters.selling_time import selling_answer
from analysis.chapters.team_pack import company_side, team_requests
from analysis.chapters.team_pack.company_side import COST, HOURS, PEOPLE
from analysis.project.nearest_name import did_you_mean
from analysis.project.parameters import ParameterError
from analysis.stats.result import Result
from analysis.store import team_view
from analysis.store.company import of_team
from analysis.tables.canonical import ACTIVITY_CLASSES
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.chapters.cost.chapter import QuarterCosts
    from analysis.store.company import Company

LONGEST_NAME = 60  # characters of a team's name
MOST_PRACTICES = 5
NOT_SHOWN = "Not shown: of too few people, or it would tell of another team's few."
NAN = math.nan
PERCENT = 100
LEAD_COUNTS = {
    "n_leads": "Leads that came in",
    "n_mql": "Marketing qualified",
    "n_sal": "Accepted by sales",
    "n_sql": "Sales qualified",
    "n_converted": "Became an opportunity",
    "n_recycled": "Handed back to marketing",
}
ELSEWHERE = {
    "What the exports hold": data_chapter.NOT_OF_ONE_TEAM,
    "What one more hour is worth": selling_answer.NOT_OF_ONE_TEAM,
    "Whether aligned teams grow faster": growth_chapter.NOT_OF_ONE_TEAM,
    "Whether alignment pays": roi_chapter.NOT_OF_ONE_TEAM,
    "What becomes of a lead once sales has it": loop_answer.NOT_OF_ONE_TEAM,
    "What marketing does next": reviewed_requests.NOT_OF_ONE_TEAM,
}  # questions of the company's report that a pack does not answer, and why


class TeamPack(NamedTuple):
    """A team's quarter: its rows, and `side`, what it takes from the whole company.

    `costs` and `before` are of the quarter reported and of the one before, None without a stay or
    where either is a part of a quarter only; `leads` the share that became an opportunity, None
    without leads.
    """

    company: Company
    side: Mapping[str, Any]
    costs: QuarterCosts
    before: QuarterCosts | None
    leads: Result | None

    @property
    def quarter_before(self) -> str:
        """The quarter before the one reported."""
        return str(self.company.period.shifted(-1))

    def shows(self, kind: str) -> bool:
        """Whether figures of a kind (people, hours, cost) may be shown of this team."""
        return bool(self.side["shows"][kind])


def team_name(company: Company) -> str:
    """Name of a company's team, its id without one; cut where no line holds it."""
    named = company.table("teams")["team_name"].dropna()
    text = str(named.iloc[0]) if len(named) else company.team
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


def read_pack(company: Company) -> TeamPack:
    """A team's quarter, from its own rows and what it takes from the whole company.

    Where no team is named it is the first by its id.

    Raises
    ------
    ParameterError
        If the team had no rep in the quarter reported, or no team had one.
    """
    if not company.team:
        teams = company_side.packed_teams(company)
        if not teams:
            raise ParameterError(f"no rep is linked to a team in {company.quarter}: no pack")
        company = of_team(company, teams[0])
    side = team_view.read_side(company.dataset)
    if side is None:
        side = side_of_team(company)
    costs, before = cost_chapter.quarter_costs(company), None
    earlier = replace(company, quarter=str(company.period.shifted(-1)))
    stays = earlier.rows_of_quarter("rep_quarter")
    parts = pd.concat([stays["is_partial"], costs.stays["is_partial"]]).astype(bool)
    if len(stays) and not parts.any():
        before = cost_chapter.quarter_costs(earlier)
    return TeamPack(company, side, costs, before, company_side.lead_share(company))


def side_of_team(company: Company) -> dict[str, Any]:
    """What the pack of `company.team` takes from the whole company, as its view would hold it."""
    teams = company_side.packed_teams(company.whole)
    if company.team not in teams:
        raise ParameterError(
            f"team {company.team!r} had no rep in {company.quarter}."
            f"{did_you_mean(company.team, teams)}"
        )
    side = company_side.company_sides(company.whole)[company.team]
    plain: dict[str, Any] = json.loads(json.dumps(side))
    return plain


def _hidden(result: Result, *, is_shown: bool) -> Result:
    """Return the result without its figures where they may not be shown."""
    if is_shown:
        return result
    return result._replace(estimate=NAN, low=NAN, high=NAN, n=0, method=NOT_SHOWN)


def note_of(pack: TeamPack, kind: str, note: str = "") -> str:
    """What stands under a figure of a kind: `note`, or why it is not shown."""
    return note if pack.shows(kind) else NOT_SHOWN


def hour_cost(pack: TeamPack) -> Result:
    """Cost of a recorded hour of selling; missing where pay may not be shown."""
    return _hidden(pack.costs.hour, is_shown=pack.shows(COST))


def weekly_hours(pack: TeamPack) -> Result:
    """Hours sold per rep and week."""
    return _hidden(pack.costs.weekly, is_shown=pack.shows(HOURS))


def win_rate(pack: TeamPack, quarter: str = "") -> Result:
    """Win rate of the quarter reported, or of another `quarter`."""
    of_quarter = quarter or pack.company.quarter
    teams, stays = (
        rows[rows["quarter"] == of_quarter]
        for rows in (pack.company.table(n) for n in ("team_quarter", "rep_quarter"))
    )
    rate = clustered_win_rate.clustered_win_rate(teams, stays, f"opportunities, {of_quarter}")
    return _hidden(rate, is_shown=_shows(pack, of_quarter, PEOPLE))


def bookings(pack: TeamPack) -> tuple[Result, str]:
    """Bookings of the quarter, and what to say beside them: deals without amount, the target."""
    house, company = pack.company.settings.company, pack.company
    won = won_deals.of_quarter(
        company.table("opportunities"), company.quarter, house.fiscal_year_start_month
    )
    total = row_accounts.quarter_bookings(
        company.table("team_quarter"), company.quarter, house.currency
    )
    share = company_side.share_of_target(pack.costs.stays)
    aim = "" if math.isnan(share) else f"{share:.0%} of the target of those who have one."
    note = " ".join(filter(None, [aim, won_deals.bookings_note(won)]))
    result = _hidden(won_deals.complete_bookings(total, won), is_shown=pack.shows(PEOPLE))
    return result, note_of(pack, PEOPLE, note)


def alignment_index(pack: TeamPack) -> Result:
    """Alignment index of the team, as the company's report scores it."""
    quarter, index = pack.company.quarter, pack.side["index"]
    if index is None:
        why = "no practice of this team could be observed"
        return Result(
            "alignment_index", NAN, NAN, NAN, "points of 100", 0, "teams", why,
            f"alignment evidence {quarter}",
        )  # fmt: skip
    ends = {name: NAN if index[name] is None else index[name] for name in ("low", "high")}
    return _hidden(Result(**{**index, **ends, "n_of": "team"}), is_shown=pack.shows(PEOPLE))


def lead_share(pack: TeamPack) -> Result:
    """Share of leads that became an opportunity within 90 days."""
    result = pack.leads or Result(
        "lead_to_opportunity_rate", NAN, NAN, NAN, "of leads", 0, "leads",
        "no lead of this team", f"leads, {pack.company.quarter}",
    )  # fmt: skip
    return _hidden(result, is_shown=pack.shows(PEOPLE))


def _shows(pack: TeamPack, quarter: str, kind: str) -> bool:
    sides = {pack.company.quarter: "shows", pack.quarter_before: "shows_before"}
    return bool(pack.side[sides[quarter]][kind])


def measures(pack: TeamPack) -> LabelledTable:
    """The team's measures, beside the quarter before and all teams: one row a measure."""
    withheld = answerability.withheld_metrics(pack.company.audit)
    rows = [
        row
        for row in _measure_rows(pack)
        if row["name"] not in withheld
        and not (row["name"] == "share_of_target" and "bookings" in withheld)
        and not math.isnan(row["team"])
    ]
    columns = {
        "measure": ("text", "Measure"),
        "team": ("number1", "This team"),
        "before": ("number1", pack.quarter_before),
        "all_teams": ("number1", "All teams"),
        "unit": ("text", "Unit"),
    }
    return LabelledTable(
        pd.DataFrame(rows, columns=["name", *columns]).drop(columns="name"),
        f"The team beside the quarter before and beside all teams, {pack.company.quarter}",
        columns,
        f"rep_quarter, team_quarter, leads, alignment evidence, {pack.company.quarter}",
        note="All teams: the company's figure, shown only where at least "
        f"{company_side.FEWEST_OTHERS} other teams stand behind it.",
    )


def _measure_rows(pack: TeamPack) -> list[dict[str, Any]]:
    money, beside = pack.company.settings.company.currency, pack.side["beside"]
    before = pack.before

    def earlier(kind: str, name: str) -> float:
        if before is None or not _shows(pack, pack.quarter_before, kind):
            return NAN
        return float(getattr(before, name).estimate)

    share = company_side.share_of_target
    of_target = [share(c.stays) if c else NAN for c in (pack.costs, before)]
    rate_before = win_rate(pack, pack.quarter_before).estimate if before else NAN
    rows = (
        ("cost_per_selling_hour", "Cost of a recorded hour of selling", 1,
         hour_cost(pack).estimate, earlier(COST, "hour"), f"{money} an hour"),
        ("required_bookings_per_selling_hour", "Bookings each recorded hour must bring", 1,
         _hidden(pack.costs.required, is_shown=pack.shows(COST)).estimate,
         earlier(COST, "required"), f"{money} an hour"),
        ("selling_hours_per_week", "Hours sold per rep and week", 1,
         weekly_hours(pack).estimate, earlier(HOURS, "weekly"), "h"),
        ("win_rate", "Win rate", PERCENT,
         win_rate(pack).estimate, rate_before, "% of deals closed"),
        ("share_of_target", "Bookings, of the target", PERCENT,
         of_target[0] if pack.shows(PEOPLE) else NAN,
         of_target[1] if _shows(pack, pack.quarter_before, PEOPLE) else NAN, "% of quota"),
        ("lead_to_opportunity_rate", "Leads that became an opportunity within 90 days", PERCENT,
         lead_share(pack).estimate, NAN, "% of leads"),
        ("alignment_index", "Alignment index", 1, alignment_index(pack).estimate, NAN,
         "points of 100"),
    )  # fmt: skip
    return [
        {
            "name": name,
            "measure": label,
            "team": times * team,
            "before": times * then,
            "all_teams": times * beside.get(name, NAN),
            "unit": unit,
        }
        for name, label, times, team, then, unit in rows
    ]


def week(pack: TeamPack) -> LabelledTable:
    """Where a logged week goes, beside all teams: one row a class of activity."""
    classes = [name for name in ACTIVITY_CLASSES if name != "time_off"]
    share = pack.company.settings.hours.minimum_logged_share
    mine = cost_breakdown.week_by_class(
        pack.costs.stays.assign(who=""), "who", minimum_logged_share=share
    )
    withheld = "hours" in answerability.withheld_questions(pack.company.audit)
    is_shown = pack.shows(HOURS) and len(mine) > 0 and not withheld
    beside = pack.side["week"]
    rows = [
        (name.capitalize(), float(mine[name].iloc[0]), beside.get(name, NAN))
        for name in classes
        if is_shown
    ]
    return LabelledTable(
        pd.DataFrame(rows, columns=["activity", "team", "all_teams"]),
        f"Hours per rep and logged week, {pack.company.quarter}",
        {
            "activity": ("text", "Activity"),
            "team": ("hours", "This team"),
            "all_teams": ("hours", "All teams"),
        },
        f"activities, {pack.company.quarter}",
        note="" if pack.shows(HOURS) else NOT_SHOWN,
    )


def _gains(pack: TeamPack) -> pd.DataFrame:
    names = ["label", "share", "target", "gain", "points"]
    rows = pd.DataFrame(pack.side["practices"] if pack.shows(PEOPLE) else [], columns=names)
    rows = rows.astype(dict.fromkeys(names[1:], "float64"))
    lost = rows["gain"].where(rows["gain"].notna(), (1 - rows["share"]) * rows["points"])
    order = lost.sort_values(ascending=False, kind="stable").index
    return rows.assign(lost=lost).loc[order]


def practices(pack: TeamPack) -> LabelledTable:
    """Practices that would move the team's index most: one row a practice, largest first."""
    rows = _gains(pack)
    return LabelledTable(
        rows.loc[rows["lost"] > 0, ["label", "share", "target", "gain"]].head(MOST_PRACTICES),
        f"Practices that would move the alignment index most, {pack.company.quarter}",
        {
            "label": ("text", "Practice"),
            "share": ("percent0", "Kept today"),
            "target": ("percent0", "Best others, on average"),
            "gain": ("number1", "Points gained there"),
        },
        "alignment evidence",
        note="" if pack.shows(PEOPLE) else NOT_SHOWN,
    )


def leads_and_requests(pack: TeamPack) -> LabelledTable:
    """Leads and requests of the quarter and the one before: one row a count."""
    teams = pack.company.table("team_quarter").set_index("quarter")
    quarter_names = (pack.company.quarter, pack.quarter_before)
    rows: list[tuple[object, ...]] = []
    for name, label in LEAD_COUNTS.items():
        counts = [
            float(teams[name].get(q, NAN)) if _shows(pack, q, PEOPLE) else NAN
            for q in quarter_names
        ]
        rows.append((label, *counts))
    for name, label in team_requests.COUNTS.items():
        values = [(pack.side["requests"].get(q) or {}).get(name) for q in quarter_names]
        rows.append((f"Requests: {label.lower()}", *(NAN if n is None else n for n in values)))
    frame = pd.DataFrame(rows, columns=["count", "now", "before"])
    return LabelledTable(
        frame[frame[["now", "before"]].notna().any(axis=1)],
        f"Leads and requests to marketing, {pack.company.quarter}",
        {
            "count": ("text", "Count"),
            "now": ("count", pack.company.quarter),
            "before": ("count", pack.quarter_before),
        },
        f"leads, marketing_requests, {pack.company.quarter}",
    )


def questions_elsewhere() -> LabelledTable:
    """Questions that only the company's report answers, and why: one row a question."""
    return LabelledTable(
        pd.DataFrame(list(ELSEWHERE.items()), columns=["question", "why"]),
        "What only the company's report says",
        {"question": ("text", "Question"), "why": ("text", "Why not of one team")},
        "the company's report",
    )
