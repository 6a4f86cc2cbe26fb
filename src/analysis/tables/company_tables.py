"""The tables of a company itself: people, teams, money and days."""

from __future__ import annotations

from analysis.tables.columns import Column, Table

C = Column

COMPANY_TABLES: tuple[Table, ...] = (
    Table(
        "reps",
        "a person or machine that owns CRM records",
        ("rep_id",),
        (
            C(
                "rep_id",
                "id",
                "the CRM's user id, or a pseudonym where that would be a name",
                is_required=True,
            ),
            C("role", "category", "rep, manager, marketing, queue or integration"),
            C("hired_on", "date", "first day of employment"),
            C("left_on", "date", "first day no longer employed"),
            C("fte", "number", "share of a full-time week, 0 to 1"),
            C("is_active", "boolean", "active in the CRM today"),
            C("manager_id", "id", "rep_id of the manager"),
            C("time_zone", "category", "IANA time zone"),
        ),
    ),
    Table(
        "teams",
        "a sales team",
        ("team_id",),
        (
            C("team_id", "id", "the CRM's role or team id", is_required=True),
            C("team_name", "text", "as the CRM calls it"),
            C("region", "category", "sales region"),
            C("segment", "category", "market segment the team sells to"),
        ),
    ),
    Table(
        "rep_team_history",
        "a stay of a rep in a team, [valid_from, valid_to)",
        ("rep_id", "valid_from"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("team_id", "id", "team", is_required=True),
            C("valid_from", "date", "first day in the team; missing: since ever"),
            C("valid_to", "date", "first day no longer in it; missing: still there"),
        ),
    ),
    Table(
        "fx_rates",
        "an exchange rate, [valid_from, valid_to)",
        ("currency", "valid_from"),
        (
            C("currency", "category", "ISO 4217 code", is_required=True),
            C("valid_from", "date", "first day", is_required=True),
            C("valid_to", "date", "first day no longer valid; missing: still valid"),
            C(
                "rate_to_reporting",
                "number",
                "reporting currency per unit of `currency`, on the first day",
                is_required=True,
            ),
            C(
                "rate_to_corporate",
                "number",
                (
                    "the CRM's corporate currency per unit of `currency`; missing: stated in the "
                    "reporting currency"
                ),
            ),
        ),
    ),
    Table(
        "working_calendar",
        "a day of a region",
        ("date", "region"),
        (
            C("date", "date", "day", is_required=True),
            C("region", "category", "sales region", is_required=True),
            C("is_workday", "boolean", "neither weekend nor public holiday", is_required=True),
        ),
    ),
    Table(
        "compensation",
        "a rep's pay over [valid_from, valid_to)",
        ("rep_id", "valid_from"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("valid_from", "date", "first day", is_required=True),
            C("valid_to", "date", "first day no longer valid; missing: still valid"),
            C("base_amount", "number", "base salary, paid leave included [currency/year]"),
            C("commission_rate", "number", "commission as a share of bookings"),
            C(
                "fringe_rate",
                "number",
                "non-cash fringe (insurance, retirement, legally required) on cash pay",
            ),
            C("overhead_amount", "number", "desk, tools, travel [currency/year]"),
        ),
        money="base_amount",
    ),
    Table(
        "quotas",
        "a rep's bookings target over [period_start, period_end)",
        ("rep_id", "period_start"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("period_start", "date", "first day", is_required=True),
            C("period_end", "date", "first day after", is_required=True),
            C("quota_amount", "number", "bookings target of the period [currency]"),
        ),
        money="quota_amount",
    ),
    Table(
        "finance_bookings",
        "a quarter's bookings as finance states them",
        ("quarter",),
        (
            C("quarter", "category", "fiscal quarter such as 2026Q3", is_required=True),
            C("bookings_amount", "number", "control total [currency]", is_required=True),
        ),
        money="bookings_amount",
    ),
    Table(
        "programme",
        "a team's start of the alignment programme",
        ("team_id",),
        (
            C("team_id", "id", "team", is_required=True),
            C("start_date", "date", "decided and announced start", is_required=True),
            C("decided_by", "category", "function that decided"),
            C("announced_on", "date", "day it was announced"),
        ),
    ),
    Table(
        "hours_shifters",
        "something that shifted hours of a rep or a whole team over [start_date, end_date)",
        ("shifter_id",),
        (
            C("shifter_id", "id", "name of what shifted hours", is_required=True),
            C(
                "kind",
                "category",
                "what it was, such as training, outage or assistant",
                is_required=True,
            ),
            C("rep_id", "id", "rep it touched; missing where it touched a team"),
            C("team_id", "id", "team it touched; missing where it touched one rep"),
            C("start_date", "date", "first day", is_required=True),
            C("end_date", "date", "first day after; missing: still on"),
        ),
    ),
    Table(
        "time_study",
        "a rep's day that somebody observed, to learn how much of it the records hold",
        ("rep_id", "day"),
        (
            C("rep_id", "id", "rep", is_required=True),
            C("day", "date", "day, in the rep's own time zone", is_required=True),
            C(
                "observed_hours",
                "number",
                "hours of calls, meetings and demos with clients that the observer counted [h]",
            ),
        ),
    ),
)
