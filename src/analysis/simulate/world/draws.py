"""One company, drawn: what its panels and its records have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analysis.simulate.world import calendar, opportunities, people, weekly_hours


class CompanyDraws(NamedTuple):
    """One company, drawn: what its panels and its records have in common."""

    window: calendar.Window
    people: people.Staff
    hours: weekly_hours.WeeklyHours
    deals: opportunities.Deals
