"""A company with effects we chose: its parameters, its panels in memory, its records.

``simulate_panels`` answers in a fraction of a second: thousands of companies cost minutes.
``simulate_company`` draws the same company and adds every record behind those panels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.simulate.world import (
    activities,
    calendar,
    lead_contacts,
    lead_handling,
    marketing,
    opportunities,
    people,
    weekly_hours,
)
from analysis.simulate.world.company_panels import Panels, build_panels
from analysis.simulate.world.draws import CompanyDraws

if TYPE_CHECKING:
    from analysis.simulate.world.company_parameters import SimulatedCompany


class SimulatedTables(NamedTuple):
    """Every record, by index rather than id and in days of the window rather than dates."""

    draws: CompanyDraws
    panels: Panels
    calendar: activities.Calendar
    demand: marketing.Demand


def draw_company(company: SimulatedCompany) -> CompanyDraws:
    """Return the draws that panels and records share."""
    days = calendar.make_window(company.last_quarter, company.n_quarters)
    staff = people.hire_people(company, days)
    time = weekly_hours.simulate_hours(company, days, staff)
    return CompanyDraws(days, staff, time, opportunities.simulate_deals(company, days, staff, time))


def simulate_panels(company: SimulatedCompany) -> Panels:
    """Return the panels alone."""
    return build_panels(draw_company(company))


def simulate_company(company: SimulatedCompany) -> SimulatedTables:
    """Return the whole company; its records sum to the panels of the same company."""
    drawn = draw_company(company)
    calendar = activities.simulate_activities(company, drawn)
    demand = marketing.simulate_marketing(company, drawn.window, drawn.people, drawn.deals)
    rng = np.random.default_rng([company.seed, 14])
    calendar.records["lead"] = lead_contacts.lead_of_records(drawn, demand, calendar.records, rng)
    calendar.records["lead"] = lead_handling.touch_leads(
        drawn.window, demand.leads, calendar.records
    )
    return SimulatedTables(drawn, build_panels(drawn), calendar, demand)
