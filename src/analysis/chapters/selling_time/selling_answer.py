"""What the company's records say of selling hours, read once for all tables of the chapter."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.selling_time import (
    elasticity,
    parts_of_the_week,
    rep_weeks,
    time_use,
    worth_of_an_hour,
)

if TYPE_CHECKING:
    import pandas as pd

    from analysis.stats.result import Result
    from analysis.store.company import Company

NOT_OF_ONE_TEAM = "What one more hour brings is learnt from the weeks of all teams together."


class SellingTime:
    """What selling hours bring, learnt from all quarters up to the one reported.

    Attributes
    ----------
    panel : panel ``rep_quarter`` up to the quarter; `stays` its rows of the quarter
    weeks : rep-weeks the elasticity is estimated from
    effect : elasticity of opportunities created
    hour, required : cost of an hour and what it must bring
    basis : hours and bookings of the quarter
    worth : bookings that one more hour brings
    elasticity_used : the elasticity that sums of more hours rest on, and whose it is
    """

    def __init__(self, company: Company, *, smallest_elasticity: float) -> None:
        """Estimate the elasticity; a smaller one than `smallest_elasticity` is not material."""
        company.require_whole(NOT_OF_ONE_TEAM)
        quarter, house = company.quarter, company.settings
        panel, weekly = company.table("rep_quarter"), company.table("rep_week")
        self.company = company
        self.panel = panel[panel["quarter"] <= quarter]
        self.stays = panel[panel["quarter"] == quarter]
        self.weeks = rep_weeks.select_weeks(weekly[weekly["quarter"] <= quarter])
        self.effect = elasticity.estimate_elasticity(
            self.weeks, smallest_relevant=smallest_elasticity
        )
        self.logged: dict[str, Any] = {"minimum_logged_share": house.hours.minimum_logged_share}
        self.counted: dict[str, Any] = {
            **self.logged,
            "currency": house.company.currency,
            "smallest_cell": house.people.smallest_cell,
        }
        self.hour = self.cost_measure("cost_per_selling_hour")
        self.required = self.cost_measure("required_bookings_per_selling_hour")
        self.basis = worth_of_an_hour.selling_basis(self.stays, **self.counted)
        self.worth = worth_of_an_hour.marginal_value(self.basis, self.effect)
        self.elasticity_used = worth_of_an_hour.elasticity_worth(self.effect)

    def cost_measure(self, measure: str) -> Result:
        """Return a measure of the chapter on cost, of the quarter reported."""
        result = cost.estimate_cost(self.stays, measure, **self.counted)
        return answerability.hide_withheld(result, self.company.audit)

    @property
    def margin(self) -> dict[str, float]:
        """Gross margin of bookings [0-1], under the key that the calculations use."""
        return {"gross_margin_rate": self.company.settings.money.gross_margin_rate}

    @cached_property
    def activities(self) -> pd.DataFrame:
        """Clean activities of all quarters."""
        return self.company.table("activities")

    @cached_property
    def recent(self) -> pd.DataFrame:
        """Activities of the quarter reported."""
        return parts_of_the_week.activities_within(
            self.activities, self.company.first_day, self.company.day_after
        )

    @cached_property
    def entries(self) -> pd.DataFrame:
        """Hours of the quarter by the record they were spent on."""
        return parts_of_the_week.hours_by_record(
            self.stays, self.recent, self.company.table("leads"), **self.logged
        )

    @cached_property
    def parts(self) -> pd.DataFrame:
        """Parts of the week that cut across the classes, such as hours on disqualified leads."""
        return parts_of_the_week.parts_of_week(self.stays, self.entries, **self._costs)

    @cached_property
    def burdens(self) -> pd.DataFrame:
        """Cost of what is not selling, largest first."""
        return time_use.week_burdens(self.stays, **self._costs)

    @cached_property
    def _costs(self) -> dict[str, Any]:
        return {
            **self.logged,
            "cost_of_hour": self.cost_measure("cost_per_available_hour"),
            "cost_of_selling_hour": self.hour,
        }

    @property
    def sentence(self) -> str:
        """Worth of one more hour beside what quotas assume, in one sentence."""
        return worth_of_an_hour.hour_sentence(
            self.basis, self.effect, required=self.required, cost_per_hour=self.hour, **self.margin
        )

    @property
    def bottleneck(self) -> str:
        """Largest burden of the week, in one sentence."""
        return time_use.largest_burden(
            self.burdens, self.company.quarter, currency=self.counted["currency"]
        )
