"""Tables on selling time that only analysts look at, with the formats and labels of a report's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.selling_time import (
    capture,
    quarterly_bookings,
    robustness,
    time_use,
)
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.selling_time.selling_answer import SellingTime

Columns = dict[str, tuple[str, str]]
ENDS: Columns = {"low": ("number2", "95% from"), "high": ("number2", "to")}
COUNTS: Columns = {"n_reps": ("count", "Reps"), "n_rows": ("count", "Rows")}
SLOPE: Columns = {"estimate": ("number2", "Percent by 1% more hours"), **ENDS}
SHARES: Columns = {
    "n_reps": ("count", "Reps"),
    "hours": ("hours", "A week"),
    "hours_low": ("hours", "95% from"),
    "hours_high": ("hours", "to"),
    "paid": ("percent", "Of paid time"),
    "available": ("percent", "Of time available"),
}
GROUP_KINDS = {"team_id": "Team", "role": "Role", "segment": "Segment", "tenure": "Tenure"}


def estimate_tables(selling: SellingTime) -> list[LabelledTable]:
    """Figures corrected for capture, first stage, guards, and estimates made otherwise."""
    weeks, effect, quarter = selling.weeks, selling.effect, selling.company.quarter
    opportunities = selling.company.table("opportunities")
    cycle_days = opportunities.loc[opportunities["status"] == "won", "cycle_days"]
    cycle = quarterly_bookings.over_cycle(weeks, selling.panel, cycle_days, effect)
    weekly = selling.cost_measure("selling_hours_per_week")
    corrected = capture.corrected_figures([selling.hour, selling.required, selling.worth, weekly])
    unseen = robustness.slope_robustness(weeks)
    doses, p_bend = robustness.dose_response(weeks)
    until = f"quarters up to {quarter}"
    return [
        _table(
            corrected,
            f"Figures had the records seen so much of selling, {quarter}",
            {"figure": ("text", "Figure"), "unit": ("text", "Unit")}
            | {
                name: ("number1", f"{name.removeprefix('at_')}%")
                for name in corrected.columns
                if name.startswith("at_")
            },
            "rep_quarter, activities",
        ),
        _table(
            effect.first_stage,
            f"How much a week wholly under each changes selling hours, {until}",
            {
                "shifter": ("text", "What moved hours"),
                "estimate": ("change", "Hours"),
                "low": ("change", "95% from"),
                "high": ("change", "to"),
                **COUNTS,
            },
            "rep_week, hours_shifters",
        ),
        _table(
            effect.guards,
            f"Checks of whether the elasticity is an effect, {until}",
            {
                "guard": ("text", "Check"),
                "says": ("text", "Found"),
                "p_value": ("number3", "p"),
                "passed": ("yes_no", "Holds"),
            },
            "rep_week",
        ),
        _table(
            pd.DataFrame([unseen._asdict()]),
            f"How strong something unseen must be to undo the slope of the rep-quarters, {until}",
            {
                "value": ("percent", "To bring it to 0"),
                "value_alpha": ("percent", "To let its interval reach 0"),
                "partial_r2": ("percent", "Share explained by hours"),
                "df": ("count", "Degrees of freedom"),
            },
            "rep_quarter",
            note=f"Shares of what is left of both hours and opportunities; {unseen.convention}.",
        ),
        _table(
            robustness.leads_and_lags(weeks),
            f"Opportunities by what moved hours before, in and after their week, {until}",
            {"window": ("text", "Moved in"), **SLOPE, "n_reps": ("count", "Reps")},
            "rep_week, hours_shifters",
            note="The weeks after must find nothing.",
        ),
        _table(
            doses,
            f"Elasticity at few, usual and many hours a week, {until}",
            {"hours": ("hours", "A week"), **SLOPE, "n_reps": ("count", "Reps")},
            "rep_week",
            note=f"That it is the same at all: p = {p_bend:.3f}.",
        ),
        _table(
            cycle.terms,
            f"Bookings by selling hours of the quarters around, {until}",
            {"hours_of": ("text", "Hours of"), "way": ("text", "By"), **SLOPE, **COUNTS},
            "rep_week, rep_quarter",
            note=quarterly_bookings.lagged_sentence(cycle),
        ),
    ]


def group_tables(selling: SellingTime) -> list[LabelledTable]:
    """Shares of selling, talks, sources of opportunities, and hours and elasticity by group."""
    company, logged, weeks = selling.company, selling.logged, selling.weeks
    quarter = company.quarter
    staff = time_use.with_tenure(selling.stays, company.table("reps"), company.first_day)
    tenure = staff[["rep_id", "tenure"]].drop_duplicates("rep_id")
    by_tenure = weeks._replace(rows=weeks.rows.merge(tenure))
    names = company.table("teams").set_index("team_id")["team_name"]
    groups = time_use.selling_by_group(staff, list(GROUP_KINDS), **logged)
    groups["group"] = groups["group"].map(names).fillna(groups["group"])
    groups["by"] = groups["by"].map(GROUP_KINDS)
    hours = f"Hours of selling a rep and week, {quarter}"
    return [
        _table(
            time_use.selling_shares(selling.stays, **logged),
            f"{hours}, by definition",
            {"label": ("text", "Counted as selling"), **SHARES},
            "rep_quarter",
        ),
        _table(
            time_use.one_to_one(selling.activities, company.table("attendees")),
            "Conversations with one client alone, by rep and day",
            {
                "conversations": ("count", "In a day"),
                "n_days": ("count", "Days"),
                "share": ("percent", "Of days"),
                "n_reps": ("count", "Reps"),
            },
            "activities, attendees",
            note=f"{time_use.MANY} stands for that many and more.",
        ),
        _table(
            time_use.opportunity_sources(company.table("opportunities")),
            "Where opportunities came from",
            {
                "source": ("text", "Source"),
                "n_created": ("count", "Opportunities"),
                "share": ("percent", "Of all"),
            },
            "opportunities",
        ),
        _table(
            selling.parts,
            f"Parts of the week that cut across the classes, {quarter}",
            {
                "label": ("text", "Went into"),
                "n_reps": ("count", "Reps"),
                "hours": ("hours", "A week"),
                "hours_low": ("hours", "95% from"),
                "hours_high": ("hours", "to"),
                "total_hours": ("count", "Hours a quarter"),
                "amount": ("millions", "Costs a quarter"),
                "n_leads": ("count", "Leads"),
                "n_activities": ("count", "Entries"),
            },
            "rep_quarter, activities, leads",
            note=time_use.not_held(selling.activities),
        ),
        _table(
            groups,
            f"{hours}, by group",
            {"group": ("text", "Group"), "by": ("text", "Of"), **SHARES},
            "rep_quarter, reps",
        ),
        _table(
            time_use.selling_by_group(selling.panel, ["quarter"], **logged),
            "Hours of selling a rep and week, by quarter",
            {"group": ("text", "Quarter"), **SHARES},
            "rep_quarter",
        ),
        *(
            _table(
                robustness.by_group(several, column),
                f"Elasticity by {column}, quarters up to {quarter}",
                {
                    "group": ("text", column.capitalize()),
                    "n_reps": ("count", "Reps"),
                    "alone": ("number2", "Alone"),
                    **SLOPE,
                },
                "rep_week",
                note="Each group is drawn towards all by how much chance is in it.",
            )
            for several, column in ((weeks, "segment"), (by_tenure, "tenure"))
        ),
    ]


def _table(
    frame: pd.DataFrame, caption: str, columns: Columns, source: str, *, note: str = ""
) -> LabelledTable:
    """Return a table of the columns named, whatever else the frame holds."""
    return LabelledTable(frame[list(columns)], caption, columns, source, note=note)
