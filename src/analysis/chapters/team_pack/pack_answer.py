"""What a pack says in sentences: how the team did, and what it does next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.team_pack import chapter, company_side, team_requests
from analysis.chapters.team_pack.company_side import COST, PEOPLE
from analysis.project import money

if TYPE_CHECKING:
    from analysis.chapters.team_pack.chapter import TeamPack
    from analysis.stats.result import Verdict


def team_sentence(pack: TeamPack) -> str:
    """Say what the team booked and won, and what an hour of selling cost it."""
    currency = pack.company.settings.company.currency
    withheld = answerability.withheld_metrics(pack.company.audit)
    booked, rate = chapter.bookings(pack)[0], chapter.win_rate(pack)
    parts, joined = [], " and "
    if booked.is_known and "bookings" not in withheld:
        share = company_side.share_of_target(pack.costs.stays)
        of_target = "" if math.isnan(share) else f", {share:.0%} of its target"
        amount = money.millions_text(booked.estimate, currency)
        parts.append(f"booked {amount} in {pack.company.quarter}{of_target}")
        joined = ", and " if of_target else " and "
    if rate.is_known and "win_rate" not in withheld:
        parts.append(f"won {rate.estimate:.0%} of the deals it closed")
    says = f"The team {joined.join(parts)}." if parts else ""
    hour = chapter.hour_cost(pack)
    if hour.is_known and hour.name not in withheld:
        amount = money.amount_text(hour.estimate, currency)
        step = _step(pack)
        says = f"{says} A recorded hour of selling cost {amount}{step and f', {step}'}.".strip()
    return says or "Too few people are in this team to show its figures, or none could be told."


def _step(pack: TeamPack) -> str:
    """Say how far the cost of an hour is from the quarter before, paired by rep."""
    shown_before = pack.side["shows_before"][COST]
    if pack.before is None or not (pack.shows(COST) and shown_before):
        return ""
    currency = pack.company.settings.company.currency
    return cost.step_since(pack.costs.change, pack.quarter_before, currency=currency)


def team_verdict(pack: TeamPack) -> Verdict:
    """Whether `team_sentence` states a figure."""
    results = (chapter.bookings(pack)[0], chapter.win_rate(pack), chapter.hour_cost(pack))
    withheld = answerability.withheld_metrics(pack.company.audit)
    has_figure = any(r.is_known and r.name not in withheld for r in results)
    return "found" if has_figure else "cannot tell"


def next_step(pack: TeamPack) -> str:
    """Say which practice to change first, or what it takes to know; its verb first."""
    rows = chapter.practices(pack).frame
    if rows.empty:
        if not pack.shows(PEOPLE):
            return "Read the company's report: this team's own practices are of too few people."
        return "Write down who meets, plans and hands over leads: no practice could be observed."
    first = rows.iloc[0]
    reach = (
        ""
        if math.isnan(first["target"])
        else f", by the best of the other teams {first['target']:.0%} on average"
    )
    practice = f"{first['label'][:1].lower()}{first['label'][1:]}"
    return f"Begin with one practice: {practice}. Kept today: {first['share']:.0%}{reach}."


def data_sentence(pack: TeamPack) -> str:
    """Say whose rows stand behind the pack."""
    stays, company = pack.costs.stays, pack.company
    n_reps, smallest = stays["rep_id"].nunique(), company.settings.people.smallest_cell
    people = f"{n_reps} reps" if n_reps >= smallest else f"Fewer than {smallest} reps"
    partial = (
        " The quarter is not over in these data: it is shown, and compared with none."
        if stays["is_partial"].astype(bool).any()
        else ""
    )
    return (
        f"{people} were in the team in {company.quarter}. What they did counts for the days they "
        f"were in it; data are as of {company.last_day}.{partial}"
    )


def requests_sentence(pack: TeamPack) -> str:
    """Say within how many days the team's requests are done."""
    counts = pack.side["requests"]
    days = counts.get(team_requests.DAYS)
    if days is None:
        return f"We cannot tell how long a request takes: {counts.get('n_done', 0)} are done."
    return f"Four of five of this team's requests are done within {days:.0f} days of being asked."
