"""The panels that models read: names, kinds and meaning of their columns, each once."""

from __future__ import annotations

from analysis.schema import ACTIVITY_CLASSES, DEFINITION_LABELS, Column, Table

C = Column

_PAY = (
    C("base_amount", "number", "base salary for the days employed in the quarter, leave included [currency]"),
    C("commission_amount", "number", "commission on the quarter's bookings [currency]"),
    C("fringe_amount", "number", "non-cash fringe on that cash pay [currency]"),
    C("overhead_amount", "number", "overhead for the days employed [currency]"),
)
_HOURS = tuple(
    C(name, "number", f"{label} [h]; union of intervals, so no minute counts twice")
    for name, label in DEFINITION_LABELS.items()
)
_CLASS_HOURS = tuple(
    C(f"{name}_class_hours", "number", f"hours of class {name} alone [h]") for name in ACTIVITY_CLASSES
)
_DEALS = (
    C("bookings_amount", "number", "contract value won, by close date [currency]"),
    C("n_won", "count", "opportunities won, by close date"),
    C("n_lost", "count", "opportunities lost, by close date"),
    C("n_created", "count", "opportunities created"),
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
            C("available_hours", "number", "working days less time off, times the day's length and fte [h]"),
            *_HOURS,
            *_CLASS_HOURS,
            C("n_activities", "count", "activities of any class"),
            C("coverage", "category", "ok; no_logging (hours unknown, not zero); partial_week"),
            *_DEALS,
        ),
    ),
    Table(
        "rep_quarter",
        "a rep's stay in a team within a fiscal quarter",
        ("rep_id", "team_id", "quarter"),
        (
            C("rep_id", "id", "rep"),
            C("team_id", "id", "team"),
            C("region", "category", "the team's region"),
            C("segment", "category", "the team's segment"),
            C("quarter", "category", "fiscal quarter such as 2026Q3"),
            C("days_employed", "count", "calendar days employed in the team within the quarter"),
            C("paid_hours", "number", "weekdays times the day's length and fte: leave and holidays are paid [h]"),
            C("available_hours", "number", "working days less time off, times the day's length and fte [h]"),
            C("weeks_employed", "number", "working days employed / 5 [weeks]"),
            C("logged_share", "number", "share of employed working days in weeks with coverage ok; hours are of those"),
            *_HOURS,
            *_CLASS_HOURS,
            *_DEALS,
            C("quota_amount", "number", "quota, prorated by day [currency]"),
            *_PAY,
        ),
    ),
    Table(
        "team_quarter",
        "a team and fiscal quarter",
        ("team_id", "quarter"),
        (
            C("team_id", "id", "team"),
            C("team_name", "text", "as the CRM calls it"),
            C("region", "category", "region"),
            C("segment", "category", "segment"),
            C("quarter", "category", "fiscal quarter"),
            C("n_reps", "count", "reps with at least one day in the team"),
            C("average_reps", "number", "rep-days / days of the quarter"),
            C("is_partial", "boolean", "the data do not cover the whole quarter"),
            C("logged_share", "number", "share of employed working days with logging"),
            *_HOURS,
            *_DEALS,
            C("win_rate", "number", "won / (won + lost), by close date; missing where nothing closed"),
            C("quota_amount", "number", "sum of the reps' prorated quotas [currency]"),
        ),
    ),
]
PANELS: dict[str, Table] = {t.name: t for t in _PANELS}
