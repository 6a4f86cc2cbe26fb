"""The cases of how sales and marketing work together: see `rule_cases`."""

from __future__ import annotations

import datetime as dt

from crm_tables import AS_OF, BEN, SOUTH
from rule_cases import Case, _case, _repeats
from rule_rows import BASE
from rule_rows_practice import DAY, FIRST, NEXT, PRACTICE_KEYS, PRACTICE_ROWS

AFTER, BEFORE = AS_OF + (NEXT - DAY), DAY - (NEXT - DAY)
ANSWER, LISTED = BASE["survey_answers"], BASE["target_accounts"]
ANOTHER = {  # what makes a second version of the same key
    "sales_ready_definitions": {"valid_to": NEXT}, "goals": {"metric": "pipeline"}, "plans": {"signed_by_sales_on": DAY},
    "activity_targets": {"volume_target": 6}, "incentives": {"shared_outcome_rate": 0.2}, "metric_packs": {"n_metrics": 5},
    "target_accounts": {"valid_to": NEXT}, "campaign_notices": {"notified_on": DAY}, "assets": {"is_in_library": True},
    "asset_uses": {"used_on": NEXT}, "marketing_requests": {"n_questions_answered": 12}, "joint_meetings": {"minutes_late": 6.0},
    "survey_answers": {"score": 5}, "programme_costs": {"raw_cost": 11.0}, "feedback": {"theme": "speed"},
    "stage_owners": {"accountable": "sales"}, "campaign_milestones": {"done_on": DAY}, "content_ideas": {"rep_id": BEN},
    "content_trials": {"is_held_out": True}, "channels": {"refresh_days": 30},
}  # fmt: skip
NAMES_A_TEAM = (
    "target_accounts",
    "campaign_notices",
    "asset_uses",
    "marketing_requests",
    "survey_answers",
    "feedback",
    "content_ideas",
)
NAMES_NO_TEAM = ("content_trials", "channels")
ENDS = {"period_end": DAY}, {"period_end": NEXT}

PRACTICE_CASES: list[Case] = [
    *(case for table in PRACTICE_ROWS for case in _repeats(table, ANOTHER[table], PRACTICE_KEYS[table])),
    *(_case(t, "unknown_team", {"team_id": "nowhere"}, {} if t in NAMES_A_TEAM else {"team_id": None}) for t in PRACTICE_ROWS if t not in NAMES_NO_TEAM),
    _case("plans", "unknown_side", {"side": "finance"}, {"side": "MARKETING"}),
    _case("incentives", "unknown_side", {"side": "both"}, {}),
    _case("target_accounts", "unknown_side", {"side": "both"}, {}),
    _case("survey_answers", "unknown_side", {"side": "both"}, {}),
    *(_case(t, "ends_before_start", *ENDS) for t in ("goals", "plans", "activity_targets", "incentives", "programme_costs")),
    *(_case(t, "ends_before_start", {"valid_to": DAY}, {"valid_to": NEXT}) for t in ("sales_ready_definitions", "target_accounts")),
    _case("goals", "unknown_owner", {"marketing_owner_rep_id": "nobody"}, {"marketing_owner_rep_id": BEN}),
    _case("activity_targets", "negative_amount", {"raw_spend": -0.01}, {"raw_spend": 0.0}),
    _case("activity_targets", "unknown_currency", {"currency": "XXX"}, {"currency": "EUR"}),
    _case("activity_targets", "rate_out_of_range", {"conversion_target": 10.0}, {"conversion_target": 1.0}),
    _case("incentives", "rate_out_of_range", {"shared_outcome_rate": -0.1}, {"shared_outcome_rate": 0.0}),
    _case("metric_packs", "not_a_month", {"month_start": DAY}, {"month_start": FIRST}),
    _case("metric_packs", "sent_before_month", {"sent_to_marketing_on": FIRST - (NEXT - DAY)}, {"sent_to_marketing_on": FIRST}),
    _case("target_accounts", "unknown_account", {"account_id": "a7"}, {}),
    Case(
        "target_accounts", "merged_account", {1},
        [LISTED | {"account_id": i} for i in ("s", "gone merged_record", "a1")],
    ),
    _case("campaign_notices", "unknown_campaign", {"campaign_id": "nothing"}, {"campaign_id": "c8"}),
    _case("assets", "negative_hours", {"production_hours": -1.0}, {"production_hours": 0.0}),
    _case("marketing_requests", "negative_hours", {"marketing_hours": -1.0}, {"marketing_hours": None}),
    *(
        _case(table, "after_as_of", {column: AFTER}, {column: AS_OF})
        for table, column in (
            ("assets", "created_on"), ("asset_uses", "used_on"), ("joint_meetings", "held_on"),
            ("survey_answers", "answered_on"), ("feedback", "reported_on"),
        )
    ),
    _case(
        "marketing_requests", "after_as_of",
        {"asked_on": AFTER, "work_started_on": None}, {"asked_on": AS_OF, "work_started_on": None},
    ),
    _case("asset_uses", "unknown_asset", {"asset_id": "f8"}, {"asset_id": "f9"}),
    _case("asset_uses", "used_before_made", {"used_on": BEFORE}, {"used_on": DAY}),
    _case("asset_uses", "unknown_opportunity", {"opportunity_id": "nothing"}, {"opportunity_id": None}),
    _case("marketing_requests", "too_many_answers", {"n_questions_answered": 14}, {"n_questions_answered": 0}),
    _case("marketing_requests", "unknown_decision", {"decision": "maybe"}, {"decision": "Add to plan"}),
    _case("marketing_requests", "unknown_trigger", {"trigger": "'; drop table reps; --"}, {"trigger": "GAP"}),
    _case("marketing_requests", "started_before_asked", {"work_started_on": BEFORE}, {"work_started_on": DAY}),
    _case("marketing_requests", "done_before_begun", {"done_on": DAY}, {"done_on": NEXT}),
    _case("marketing_requests", "negative_amount", {"promised_leads": -1}, {"raw_promised": 0.0, "currency": "USD"}),
    _case("marketing_requests", "unknown_kind", {"kind": "miracle"}, {"kind": "Trade show"}),
    _case("marketing_requests", "unknown_currency", {"raw_cost": 1.0, "currency": "XXX"}, {"raw_cost": 1.0, "currency": "EUR"}),
    _case("marketing_requests", "done_after_as_of", {"done_on": AFTER}, {"done_on": AS_OF}),
    _case("marketing_requests", "wanted_before_asked", {"wanted_on": BEFORE}, {"wanted_on": DAY}),
    _case("joint_meetings", "unknown_kind", {"kind": "lunch"}, {"kind": "MANAGERS"}),
    _case("joint_meetings", "minutes_out_of_range", {"minutes_late": -1.0}, {"minutes_late": 480.0}),
    _case("survey_answers", "item_out_of_range", {"item": 11}, {"item": 10}),
    _case("survey_answers", "score_out_of_range", {"score": 0}, {"score": 1}),
    Case(
        "survey_answers", "mixed_response", {0, 1, 2, 3},
        [
            ANSWER, ANSWER | {"item": 2, "side": "marketing"},
            ANSWER | {"response_id": "v2"}, ANSWER | {"response_id": "v2", "item": 2, "team_id": SOUTH},
            ANSWER | {"response_id": "v3"}, ANSWER | {"response_id": "v3", "item": 2},
        ],
    ),
    _case("programme_costs", "unknown_kind", {"kind": "meetings"}, {"kind": "People"}),
    _case("programme_costs", "missing_amount", {"raw_cost": None}, {"raw_cost": 0.0}),
    _case("programme_costs", "negative_amount", {"raw_cost": -1.0}, {"raw_cost": 1.0}),
    _case("programme_costs", "unknown_currency", {"period_start": dt.date(2026, 1, 1), "currency": "EUR"}, {"currency": "EUR"}),
    _case("feedback", "unknown_rep", {"rep_id": "nobody"}, {"rep_id": BEN}),
    _case("feedback", "unknown_product", {"product_id": "p7"}, {"product_id": None}),
    _case("feedback", "acted_before_brought", {"acted_on": BEFORE}, {"acted_on": DAY}),
    _case("assets", "refreshed_before_made", {"refreshed_on": BEFORE}, {"refreshed_on": DAY}),
    _case(
        "campaign_notices", "posted_without_kit", {"n_reps_with_kit": None, "n_reps_posted": 1},
        {"n_reps_with_kit": 1, "n_reps_posted": 1},
    ),
    _case("metric_packs", "opened_without_mail", {"n_recipients": 1, "n_opened": 2}, {"n_recipients": 2, "n_opened": 2}),
    _case("joint_meetings", "too_many_topics", {"n_topics": 4}, {"n_topics": 3}),
    _case("joint_meetings", "unknown_host", {"host_side": "both"}, {"host_side": "SALES"}),
    _case("stage_owners", "unknown_side", {"side": "finance"}, {"side": "MARKETING"}),
    _case("stage_owners", "unknown_accountable", {"accountable": "Ada"}, {"accountable": None}),
    _case("campaign_milestones", "unknown_campaign", {"campaign_id": "nothing"}, {"campaign_id": "c8"}),
    _case("campaign_milestones", "done_after_as_of", {"done_on": AFTER}, {"done_on": AS_OF}),
    _case("content_ideas", "unknown_rep", {"rep_id": "nobody"}, {"rep_id": None}),
    _case("content_ideas", "after_as_of", {"brought_on": AFTER}, {"brought_on": AS_OF}),
    _case("content_ideas", "unknown_asset", {"asset_id": "f8"}, {"asset_id": None}),
    _case("content_trials", "unknown_account", {"account_id": "a7"}, {}),
    _case("content_trials", "unknown_way", {"assigned_by": "gut"}, {"assigned_by": None}),
    _case("content_trials", "after_as_of", {"begins_on": AFTER}, {"begins_on": AS_OF}),
    _case("channels", "unknown_owner", {"owner_rep_id": "nobody"}, {"owner_rep_id": None}),
    _case("channels", "refreshed_after_as_of", {"refreshed_on": AFTER}, {"refreshed_on": AS_OF}),
]  # fmt: skip
