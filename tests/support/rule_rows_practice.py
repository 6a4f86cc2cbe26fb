"""A row of each table of how sales and marketing work together that no rule takes; see `rule_rows`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crm_tables import ADA, NORTH

Row = dict[str, Any]
DAY, NEXT = dt.date(2026, 2, 2), dt.date(2026, 2, 3)
FIRST = dt.date(2026, 2, 1)
PERIOD = {"period_start": DAY, "period_end": NEXT}

PRACTICE_ROWS: dict[str, Row] = {
    "sales_ready_definitions": {"definition_id": "d1", "team_id": NORTH, "valid_from": DAY, "approved_by_sales_on": DAY},
    "goals": {"goal_id": "g1", "team_id": NORTH, **PERIOD, "metric": "leads", "sales_owner_rep_id": ADA},
    "plans": {"plan_id": "p1", "team_id": NORTH, "side": "Sales", **PERIOD},
    "activity_targets": {
        "target_id": "t1", "team_id": NORTH, "campaign_type": "Webinar", **PERIOD, "raw_spend": 10.0, "currency": "USD",
        "volume_target": 5, "conversion_target": 0.1,
    },
    "incentives": {"team_id": NORTH, "side": "marketing", **PERIOD, "shared_outcome_rate": 0.1},
    "metric_packs": {"pack_id": "k1", "team_id": NORTH, "month_start": FIRST, "n_metrics": 4, "sent_to_sales_on": DAY},
    "target_accounts": {"team_id": NORTH, "side": "sales", "account_id": "a1", "valid_from": DAY},
    "campaign_notices": {"notice_id": "n1", "team_id": NORTH, "campaign_id": "c9", "first_send_on": DAY},
    "assets": {"asset_id": "f1", "team_id": NORTH, "created_on": DAY, "production_hours": 3.0},
    "asset_uses": {"use_id": "u1", "asset_id": "f9", "team_id": NORTH, "used_on": DAY, "opportunity_id": "o9"},
    "marketing_requests": {
        "request_id": "r1", "team_id": NORTH, "asked_on": DAY, "trigger": "Client", "decision": "Approve",
        "n_questions_answered": 13, "work_started_on": NEXT, "marketing_hours": 4.0,
    },
    "joint_meetings": {"meeting_id": "m1", "team_id": NORTH, "held_on": DAY, "kind": "Weekly", "minutes_late": 5.0},
    "survey_answers": {
        "response_id": "v1", "item": 1, "team_id": NORTH, "side": "sales", "answered_on": DAY, "score": 4,
    },
    "programme_costs": {
        "cost_id": "x1", "team_id": NORTH, **PERIOD, "kind": "Tools", "raw_cost": 10.0, "currency": "USD",
    },
    "feedback": {
        "feedback_id": "b1", "team_id": NORTH, "rep_id": ADA, "reported_on": DAY, "theme": "price", "product_id": "p1",
    },
    "stage_owners": {"answer_id": "w1", "team_id": NORTH, "side": "Sales", "stage": "Proposal", "accountable": "Both"},
    "campaign_milestones": {"milestone_id": "l1", "team_id": NORTH, "campaign_id": "c9", "due_on": DAY},
    "content_ideas": {"idea_id": "i1", "team_id": NORTH, "rep_id": ADA, "brought_on": DAY, "asset_id": "f9"},
    "content_trials": {"trial_id": "y1", "account_id": "a1", "begins_on": DAY, "is_held_out": False, "assigned_by": "Lot"},
    "channels": {"channel_id": "web", "owner_rep_id": ADA, "refresh_days": 90},
}  # fmt: skip
PRACTICE_KEYS: dict[str, Row] = {
    "sales_ready_definitions": {"definition_id": "d2"},
    "goals": {"goal_id": "g2"},
    "plans": {"plan_id": "p2"},
    "activity_targets": {"target_id": "t2"},
    "incentives": {"side": "sales"},
    "metric_packs": {"pack_id": "k2"},
    "target_accounts": {"side": "marketing"},
    "campaign_notices": {"notice_id": "n2"},
    "assets": {"asset_id": "f2"},
    "asset_uses": {"use_id": "u2"},
    "marketing_requests": {"request_id": "r2"},
    "joint_meetings": {"meeting_id": "m2"},
    "survey_answers": {"response_id": "v2"},
    "programme_costs": {"cost_id": "x2"},
    "feedback": {"feedback_id": "b2"},
    "stage_owners": {"answer_id": "w2"},
    "campaign_milestones": {"milestone_id": "l2"},
    "content_ideas": {"idea_id": "i2"},
    "content_trials": {"trial_id": "y2"},
    "channels": {"channel_id": "blog"},
}
PRACTICE_AROUND: dict[str, list[Row]] = {"assets": [{"asset_id": "f9", "created_on": DAY}]}
