"""The panels that models read: names, kinds and meaning of their columns, each once."""

from __future__ import annotations

from analysis.tables.canonical import ACTIVITY_CLASSES, DEFINITION_LABELS
from analysis.tables.columns import Column, Table

C = Column
UNASSIGNED = "unassigned"  # the team of what belongs to none, so that teams sum to the company

_PAY = (
    C(
        "base_amount",
        "number",
        "base salary for the days employed in the period, leave included [currency]",
    ),
    C("commission_amount", "number", "commission on the period's bookings [currency]"),
    C("fringe_amount", "number", "non-cash fringe on that cash pay [currency]"),
    C("overhead_amount", "number", "overhead for the days employed [currency]"),
)
_DEFINITIONS = tuple(
    C(name, "number", f"{label} [h]; union of intervals, so no minute counts twice")
    for name, label in DEFINITION_LABELS.items()
)
_LATE = (
    C(
        "late_selling_hours",
        "number",
        (
            "those of selling_hours on opportunities past proposal then [h]; missing without "
            "stage history"
        ),
    ),
    C("logged_hours", "number", "hours of any class; union of intervals [h]"),
)
_HOURS = (
    *_DEFINITIONS,
    *_LATE,
    *(
        C(f"{name}_class_hours", "number", f"hours of class {name} alone [h]")
        for name in ACTIVITY_CLASSES
    ),
)
_SHIFTERS = tuple(
    C(
        f"{kind}_days",
        "count",
        f"weekdays under {what} [days]; missing where no hours_shifters are kept",
    )
    for kind, what in (
        ("training", "training"),
        ("outage", "an outage of the tools"),
        ("assistant", "an assigned assistant"),
    )
)
_DEALS = (
    C(
        "bookings_amount",
        "number",
        "contract value won, by close date; of a split deal each rep's share [currency]",
    ),
    C("new_bookings_amount", "number", "those of new business [currency]"),
    C("expansion_bookings_amount", "number", "those of expansions [currency]"),
    C("renewal_bookings_amount", "number", "those of renewals [currency]"),
    C(
        "other_bookings_amount",
        "number",
        "those of any other or no type: the four sum to bookings_amount [currency]",
    ),
    C("n_won", "count", "opportunities won, by close date"),
    C("n_lost", "count", "opportunities lost, by close date"),
    C(
        "n_created",
        "count",
        "opportunities created, by who first moved their stage, else by today's owner",
    ),
    C(
        "pipeline_created_amount",
        "number",
        "contract value, as it stands today, of opportunities created [currency]",
    ),
)
_FUNNEL = (
    C(
        "n_leads",
        "count",
        "leads created, by their owner's team; missing where there are no leads at all",
    ),
    C("n_mql", "count", "leads first marketing qualified"),
    C("n_sal", "count", "leads first accepted by sales"),
    C("n_sql", "count", "leads first qualified by sales"),
    C("n_converted", "count", "leads converted"),
    C("n_recycled", "count", "times a lead was handed back to marketing"),
)
_ROLE = C("role", "category", "role as the CRM has it today")
_PARTIAL = C("is_partial", "boolean", "the data do not cover the whole quarter")
_PAID = C(
    "paid_hours",
    "number",
    "weekdays times the day's length and fte: leave and holidays are paid [h]",
)
_AVAILABLE = C(
    "available_hours", "number", "working days less time off, times the day's length and fte [h]"
)

_PANELS = [
    Table(
        "rep_week",
        "a rep and week (from Monday) of employment",
        ("rep_id", "week_start"),
        (
            C("rep_id", "id", "rep"),
            C("week_start", "date", "Monday"),
            C("team_id", "id", "team as of the week's first day employed"),
            _ROLE,
            C("region", "category", "that team's region"),
            C("segment", "category", "that team's segment"),
            C("quarter", "category", "fiscal quarter of the week's first day employed"),
            _PARTIAL,
            _PAID,
            _AVAILABLE,
            *_HOURS,
            *_SHIFTERS,
            C("n_activities", "count", "activities of any class"),
            C(
                "coverage",
                "category",
                "ok; partial_week; no_logging or refused_source (hours unknown, not zero)",
            ),
            *_DEALS,
            *_PAY,
        ),
    ),
    Table(
        "rep_quarter",
        "a rep's stay in a team within a fiscal quarter",
        ("rep_id", "team_id", "quarter"),
        (
            C("rep_id", "id", "rep"),
            C("team_id", "id", "team"),
            _ROLE,
            C("region", "category", "the team's region"),
            C("segment", "category", "the team's segment"),
            C("quarter", "category", "fiscal quarter such as 2026Q3"),
            _PARTIAL,
            C("days_employed", "count", "calendar days employed in the team within the quarter"),
            _PAID,
            _AVAILABLE,
            C("weeks_employed", "number", "working days employed / 5 [weeks]"),
            C(
                "logged_share",
                "number",
                "share of employed working days in weeks with coverage ok; hours are of those",
            ),
            *_HOURS,
            *_SHIFTERS,
            *_DEALS,
            C("quota_amount", "number", "quota, prorated by day [currency]"),
            *_PAY,
        ),
    ),
    Table(
        "team_quarter",
        "a team and fiscal quarter; team unassigned: what belongs to none",
        ("team_id", "quarter"),
        (
            C("team_id", "id", "team"),
            C("team_name", "text", "as the CRM calls it"),
            C("region", "category", "region"),
            C("segment", "category", "segment"),
            C("quarter", "category", "fiscal quarter"),
            C("n_reps", "count", "reps with at least one day in the team"),
            C("average_reps", "number", "rep-days / days of the quarter"),
            C("n_reps_moved_in", "count", "reps who came from another team"),
            C("n_reps_moved_out", "count", "reps who went to another team"),
            _PARTIAL,
            C("logged_share", "number", "share of employed working days with logging"),
            C(
                "coverage",
                "category",
                "ok; low (under hours.minimum_logged_share); no_logging; refused_source",
            ),
            C(
                "logging_change",
                "category",
                (
                    "what changed in logging since the quarter before: coverage, kinds of entry, "
                    "entries; missing: nothing"
                ),
            ),
            C(
                "entries_per_week",
                "number",
                "entries but days off, per rep and logged week [1/week]",
            ),
            *_DEFINITIONS,
            *_LATE,
            *_SHIFTERS,
            *_DEALS,
            C("n_open", "count", "opportunities open at the quarter's end"),
            C(
                "open_pipeline_amount",
                "number",
                "their contract value as it stands today [currency]",
            ),
            C(
                "win_rate",
                "number",
                "won / (won + lost), by close date; missing where nothing closed",
            ),
            C(
                "rerouted_share",
                "number",
                (
                    "share of opportunities closed that another team had created; missing where "
                    "none of both is known"
                ),
            ),
            *_FUNNEL,
            C("quota_amount", "number", "sum of the reps' prorated quotas [currency]"),
            *(c._replace(meaning=f"the reps' {c.meaning}; missing where one's is") for c in _PAY),
        ),
    ),
    Table(
        "observed_days",
        "a rep's day of the time study, beside what the records hold of it",
        ("rep_id", "day"),
        (
            C("rep_id", "id", "rep"),
            C("day", "date", "day"),
            C("week_start", "date", "Monday of its week"),
            C("quarter", "category", "fiscal quarter of the day"),
            C("observed_hours", "number", "selling hours that the observer counted [h]"),
            C(
                "recorded_hours",
                "number",
                "selling hours in the records [h]; missing where the week is not logged",
            ),
        ),
    ),
    Table(
        "won_deals",
        "an opportunity won, as a published quarter keeps it",
        ("opportunity_id",),
        (
            C("opportunity_id", "id", "opportunity"),
            C("quarter", "category", "fiscal quarter of the close date"),
            C("close_date", "date", "closed"),
            C("deal_amount", "number", "contract value; missing where it is unknown [currency]"),
            C("team_id", "id", "team credited"),
        ),
    ),
    Table(
        "lead_dates",
        "a lead and the day it first reached each stage, as the CRM says",
        ("lead_id",),
        (
            C("lead_id", "id", "lead"),
            C("created_on", "date", "created"),
            C(
                "activity",
                "category",
                (
                    "marketing activity: type of the campaign of the first response up to the "
                    "conversion, else the source; missing where it is unknown or there are no touches"
                ),
            ),
            C(
                "activity_basis",
                "category",
                "first response, lead source, or response to a campaign without type",
            ),
            C("lead_source", "category", "where the lead came from, as the CRM says"),
            C("rep_id", "id", "owner today"),
            C("team_id", "id", "team of that owner on the day the lead was created"),
            C("segment", "category", "that team's segment"),
            C("mql_on", "date", "first marketing qualified"),
            C("sal_on", "date", "first accepted by sales"),
            C("sql_on", "date", "first qualified by sales"),
            C(
                "opportunity_on",
                "date",
                "became an opportunity; where no lead names one, converted",
            ),
            C("won_on", "date", "its opportunity was won"),
            C("lost_on", "date", "its opportunity was lost"),
            C(
                "disqualified_on",
                "date",
                "disqualified and still so; missing where nobody dated it",
            ),
            C("recycled_on", "date", "first handed back to marketing"),
            C("opportunity_id", "id", "its opportunity"),
            C(
                "outcome",
                "category",
                "of its opportunity: won, lost, open, or not exported; missing without one",
            ),
            C(
                "deal_amount",
                "number",
                (
                    "contract value of its opportunity, shared equally by the leads that name it "
                    "[currency]"
                ),
            ),
            C(
                "rep_hours",
                "number",
                (
                    "hours of calls and meetings about it or its opportunity [h]; missing where no "
                    "activity names a lead"
                ),
            ),
        ),
    ),
    Table(
        "sales_ready_leads",
        "a lead and a version of what makes a lead sales-ready, replayed",
        ("definition", "lead_id"),
        (
            C("definition", "category", "version, as the dataset's sales_ready.toml names it"),
            C("metric", "category", "what the version counts"),
            C("side", "category", "whose version it is: both, sales or marketing"),
            C("valid_from", "date", "first day in force"),
            C(
                "approval",
                "category",
                "who approved it: sales, nobody, not of sales, or unknown (in no export of users)",
            ),
            C("lead_id", "id", "lead"),
            C(
                "is_sales_ready",
                "boolean",
                "meets the version by what was known in its first 30 days; missing: undecided",
            ),
            C("is_in_force", "boolean", "the agreed version of the day on which the lead came"),
        ),
    ),
]
PANELS: dict[str, Table] = {t.name: t for t in _PANELS}
