"""The tables of how sales and marketing work together.

What was agreed, promised, met about and made.

All are optional and kept by hand: no CRM holds them.  What is missing leaves its items of the
alignment index unobserved.  A missing ``team_id`` speaks for every team.
"""

from __future__ import annotations

from analysis.tables.columns import Column, Table

C = Column

_TEAM = C("team_id", "id", "team; missing: all teams")
_SIDE = C("side", "category", "sales or marketing", is_required=True)
_PERIOD = (
    C("period_start", "date", "first day", is_required=True),
    C("period_end", "date", "first day after", is_required=True),
)
_APPROVALS = (
    C("approved_by_sales_on", "date", "day sales approved; missing: not yet"),
    C("approved_by_marketing_on", "date", "day marketing approved; missing: not yet"),
)

PRACTICE_TABLES: tuple[Table, ...] = (
    Table(
        "sales_ready_definitions",
        "a version of what makes a lead sales-ready, [valid_from, valid_to)",
        ("definition_id",),
        (
            C("definition_id", "id", "version", is_required=True),
            _TEAM,
            C("valid_from", "date", "first day in force", is_required=True),
            C("valid_to", "date", "first day no longer in force; missing: still"),
            *_APPROVALS,
        ),
    ),
    Table(
        "goals",
        "a goal of a period",
        ("goal_id",),
        (
            C("goal_id", "id", "goal", is_required=True),
            _TEAM,
            *_PERIOD,
            C("metric", "category", "what is measured", is_required=True),
            C("target_value", "number", "value aimed at, in the metric's own unit"),
            C("sales_owner_rep_id", "id", "who owns it in sales; missing: nobody"),
            C("marketing_owner_rep_id", "id", "who owns it in marketing; missing: nobody"),
        ),
    ),
    Table(
        "plans",
        "a side's plan of a period",
        ("plan_id",),
        (
            C("plan_id", "id", "plan", is_required=True),
            _TEAM,
            _SIDE,
            *_PERIOD,
            C("signed_by_sales_on", "date", "day sales signed; missing: not yet"),
            C("signed_by_marketing_on", "date", "day marketing signed; missing: not yet"),
        ),
    ),
    Table(
        "activity_targets",
        "what a marketing activity of a period is to bring",
        ("target_id",),
        (
            C("target_id", "id", "target", is_required=True),
            _TEAM,
            C(
                "campaign_type",
                "category",
                "kind of activity, as campaigns call it",
                is_required=True,
            ),
            *_PERIOD,
            C("spend_amount", "number", "planned spend [currency]"),
            C("currency", "category", "ISO 4217 code the spend was stated in"),
            C("volume_target", "count", "leads it is to bring; missing: none set"),
            C(
                "conversion_target",
                "number",
                "share of them to become opportunities, 0 to 1; missing: none set",
            ),
        ),
        money="spend_amount",
    ),
    Table(
        "incentives",
        "how much of a side's variable pay hangs on outcomes both sides share",
        ("team_id", "side", "period_start"),
        (
            _TEAM,
            _SIDE,
            *_PERIOD,
            C("shared_outcome_rate", "number", "share of variable pay on shared outcomes, 0 to 1"),
        ),
    ),
    Table(
        "metric_packs",
        "a month's pack of key metrics",
        ("pack_id",),
        (
            C("pack_id", "id", "pack", is_required=True),
            _TEAM,
            C("month_start", "date", "first day of the month it covers", is_required=True),
            C("n_metrics", "count", "metrics in it", is_required=True),
            C("sent_to_sales_on", "date", "day sales got it; missing: never"),
            C("sent_to_marketing_on", "date", "day marketing got it; missing: never"),
        ),
    ),
    Table(
        "target_accounts",
        "an account on a side's list of targets, [valid_from, valid_to)",
        ("team_id", "side", "account_id", "valid_from"),
        (
            C("team_id", "id", "team whose market it is", is_required=True),
            _SIDE,
            C("account_id", "id", "account", is_required=True),
            C("valid_from", "date", "first day on the list", is_required=True),
            C("valid_to", "date", "first day no longer on it; missing: still"),
            *_APPROVALS,
            C(
                "executive_key",
                "id",
                "pseudonym of the executive to be met there; missing: nobody is named",
            ),
        ),
    ),
    Table(
        "campaign_notices",
        "a campaign as it was, or was not, announced to a sales team",
        ("notice_id",),
        (
            C("notice_id", "id", "notice", is_required=True),
            C("team_id", "id", "team told", is_required=True),
            C("campaign_id", "id", "campaign", is_required=True),
            C("first_send_on", "date", "day the campaign went out", is_required=True),
            C("notified_on", "date", "day the team was told; missing: never"),
            C("has_talking_points", "boolean", "talking points came with it"),
            C(
                "cites_agreed_narrative",
                "boolean",
                "the campaign cites the agreed narrative's current version",
            ),
            C(
                "target_list_seen_on",
                "date",
                "day the team saw the event's list of invitees; missing: not yet",
            ),
            C("schedule_seen_on", "date", "day it saw the event's schedule; missing: not yet"),
        ),
    ),
    Table(
        "assets",
        "a piece of sales material",
        ("asset_id",),
        (
            C("asset_id", "id", "asset", is_required=True),
            _TEAM,
            C("created_on", "date", "made", is_required=True),
            C("is_in_library", "boolean", "lies in the shared library"),
            C("has_sales_input", "boolean", "somebody of sales had a hand in it"),
            C("production_hours", "number", "marketing hours it took [h]"),
        ),
    ),
    Table(
        "asset_uses",
        "a use of an asset with a customer",
        ("use_id",),
        (
            C("use_id", "id", "use", is_required=True),
            C("asset_id", "id", "asset", is_required=True),
            C("team_id", "id", "team that used it", is_required=True),
            C("used_on", "date", "used", is_required=True),
            C("opportunity_id", "id", "opportunity it was used in"),
        ),
    ),
    Table(
        "marketing_requests",
        "something sales asked of marketing",
        ("request_id",),
        (
            C("request_id", "id", "request", is_required=True),
            C("team_id", "id", "team that asked", is_required=True),
            C("asked_on", "date", "asked", is_required=True),
            C("trigger", "category", "competitor, client, gap, plan or other"),
            C("decision", "category", "approve, table, add to plan or alternative; missing: open"),
            C(
                "n_questions_answered",
                "count",
                "of the 12 vetting questions and the leader's own, answered; missing: not counted",
            ),
            C("work_started_on", "date", "first hour of work; missing: not begun"),
            C("marketing_hours", "number", "marketing hours asked for [h]"),
            C("topic", "category", "what it is about, in the words of a list kept together"),
            C("kind", "category", "what is asked for, of the articles' kinds, or other"),
            C("campaign_type", "category", "activity it names, as campaigns call it"),
            C("audience", "category", "segment it is for"),
            C("goal_id", "id", "shared goal it serves"),
            C("skill", "category", "skill of marketing it needs"),
            C("selling_hours", "number", "hours of selling it takes from reps [h]"),
            C("cost_amount", "number", "outlay beside hours [currency]"),
            C("promised_bookings_amount", "number", "bookings it is said to bring [currency]"),
            C("outcome_bookings_amount", "number", "bookings that came of it [currency]"),
            C("currency", "category", "ISO 4217 code the amounts were stated in"),
            C("promised_leads", "count", "leads it is said to bring"),
            C("outcome_leads", "count", "leads that came of it"),
            C("wanted_on", "date", "day by which it is wanted"),
            C("answered_on", "date", "first answer of marketing; missing: none yet"),
            C("sales_signed_on", "date", "sales signed off what is to be built"),
            C("done_on", "date", "done; missing: not done"),
            C("after_request_id", "id", "request that has to be done before it"),
        ),
        money="cost_amount",
    ),
    Table(
        "joint_meetings",
        "a meeting of sales and marketing, as its minutes have it",
        ("meeting_id",),
        (
            C("meeting_id", "id", "meeting", is_required=True),
            _TEAM,
            C("held_on", "date", "held", is_required=True),
            C("kind", "category", "weekly, managers, quarterly or campaign", is_required=True),
            C("has_agenda", "boolean", "an agenda was sent before"),
            C("has_leader", "boolean", "somebody led it"),
            C("minutes_late", "number", "began, or overran, by this [min]"),
            C("is_executive_present", "boolean", "an executive was there"),
        ),
    ),
    Table(
        "survey_answers",
        "a person's answer to one item of the two-sided survey",
        ("response_id", "item"),
        (
            C("response_id", "id", "filled-in survey; never the person", is_required=True),
            C(
                "item",
                "count",
                "1 to 10: two each on language, trust, no blame, plans and value",
                is_required=True,
            ),
            C("team_id", "id", "team, or the team that marketing serves", is_required=True),
            _SIDE,
            C("answered_on", "date", "answered", is_required=True),
            C("score", "count", "1 (not at all) to 5 (fully)", is_required=True),
        ),
    ),
    Table(
        "programme_costs",
        "what the alignment programme cost over [period_start, period_end)",
        ("cost_id",),
        (
            C("cost_id", "id", "item", is_required=True),
            _TEAM,
            *_PERIOD,
            C(
                "kind",
                "category",
                "people, tools, content or incentives; meetings are computed",
                is_required=True,
            ),
            C("cost_amount", "number", "cost of the period [currency]"),
            C("currency", "category", "ISO 4217 code it was stated in"),
        ),
        money="cost_amount",
    ),
    Table(
        "feedback",
        "something customers keep saying, as a rep brought it to a meeting",
        ("feedback_id",),
        (
            C("feedback_id", "id", "report", is_required=True),
            C("team_id", "id", "team", is_required=True),
            C("rep_id", "id", "who brought it", is_required=True),
            C("reported_on", "date", "brought", is_required=True),
            C(
                "theme",
                "category",
                "problem, in the words of a list kept together",
                is_required=True,
            ),
            C("trend", "category", "market trend behind it, from such a list"),
            C("product_id", "id", "product it is about"),
            C("segment", "category", "market segment of the client; never the client"),
        ),
    ),
)
