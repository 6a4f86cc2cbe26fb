"""A row of each table that no rule takes, and what stands around it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crm_tables import ADA, BEN, NORTH, SOUTH
from rule_rows_practice import PRACTICE_AROUND, PRACTICE_KEYS, PRACTICE_ROWS

Row = dict[str, Any]
CY, DEE, EVE = "005000000000003AAA", "005000000000004AAA", "005000000000005AAA"
DAY, NEXT, LATER = dt.date(2026, 2, 2), dt.date(2026, 2, 3), dt.date(2026, 2, 9)
TEN = dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC)
ELEVEN = TEN + dt.timedelta(hours=1)

BASE: dict[str, Row] = {
    "reps": {"rep_id": ADA, "role": "rep"},
    "teams": {"team_id": NORTH, "team_name": "North"},
    "rep_team_history": {"rep_id": ADA, "team_id": NORTH, "valid_from": DAY},
    "fx_rates": {"currency": "EUR", "valid_from": DAY, "valid_to": NEXT, "rate_to_reporting": 1.1},
    "working_calendar": {"date": DAY, "region": "EMEA", "is_workday": True},
    "products": {"product_id": "p1", "product_name": "GTX Pro"},
    "accounts": {"account_id": "a1", "account_name": "Acme"},
    "compensation": {
        "rep_id": ADA, "valid_from": DAY, "valid_to": NEXT, "raw_base": 100_000.0, "base_period": "year", "currency": "USD",
        "commission_rate": 0.1, "fringe_rate": 0.2,
    },
    "quotas": {
        "rep_id": ADA, "period_start": dt.date(2026, 1, 1), "period_end": dt.date(2026, 4, 1), "raw_quota": 500_000.0,
        "currency": "USD",
    },
    "finance_bookings": {"quarter": "2026Q1", "bookings_amount": 100.0, "currency": "USD"},
    "programme": {"team_id": NORTH, "start_date": DAY},
    "opportunities": {
        "opportunity_id": "o1", "owner_rep_id": ADA, "status": "won", "raw_amount": 100.0, "currency": "USD",
        "created_at": TEN, "close_date": NEXT, "record_name": "Deal",
    },
    "accepted_names": {"table_name": "products", "variant": "GTX-Profi", "canonical": "GTX Pro"},
    "record_merges": {"table_name": "accounts", "record_id": "a8", "survivor_id": "a9"},
    "hours_shifters": {"shifter_id": "s1", "kind": "training", "rep_id": ADA, "start_date": DAY, "end_date": NEXT},
    "time_study": {"rep_id": ADA, "day": DAY, "observed_hours": 3.0},
    "campaigns": {
        "campaign_id": "c1", "campaign_name": "Fair", "start_date": DAY, "end_date": NEXT, "currency": "USD",
        "raw_budget": 10.0, "raw_cost": 12.0,
    },
    "opportunity_splits": {"opportunity_id": "o9", "rep_id": ADA, "split_rate": 1.0},
    "stage_history": {
        "opportunity_id": "o9", "stage": "Proposal", "entered_at": TEN, "probability": 0.5, "changed_by_rep_id": ADA,
    },
    "leads": {
        "lead_id": "l1", "created_at": TEN, "owner_rep_id": ADA, "lead_status": "MQL", "lead_stage": "mql",
        "is_converted": False, "company_name": "Acme", "email_domain": "acme.com",
    },
    "lead_status_history": {
        "lead_id": "l9", "field_name": "Status", "lead_status": "MQL", "previous_status": "Open", "lead_stage": "mql",
        "entered_at": TEN,
    },
    "touches": {"lead_id": "l9", "campaign_id": "c9", "is_response": True, "responded_at": TEN, "added_at": TEN},
    "attendees": {"activity_id": "x9", "relation_id": "003000000000001AAA", "answer": "Accepted"},
    "contact_roles": {"account_id": "a1", "contact_id": "k1", "roles": "Decision Maker"},
    "activities": {
        "activity_id": "x1", "rep_id": ADA, "kind": "event", "subject": "Demo", "started_at": TEN, "ended_at": ELEVEN,
        "minutes": 60.0, "stated_minutes": 60.0, "logged_at": TEN, "is_all_day": False,
    },
    **PRACTICE_ROWS,
}  # fmt: skip

NO_SURVIVOR = ("merge_cycle", "merge_conflict", "survivor_absent")
STAY = {"rep_id": ADA, "team_id": NORTH}
AROUND: dict[str, list[Row]] = {  # what stands already when a table is judged
    "reps": [
        {"rep_id": ADA, "role": "rep", "hired_on": dt.date(2025, 1, 1)},
        {"rep_id": BEN, "role": "manager"},
        *({"rep_id": r, "role": "rep"} for r in (CY, DEE)),
        {"rep_id": EVE, "role": "rep", "hired_on": dt.date(2026, 6, 1)},
    ],
    "teams": [{"team_id": NORTH}, {"team_id": SOUTH}],
    "products": [{"product_id": "p1", "product_name": "GTX Pro", "product_key": "gtxpro"}],
    "finance_bookings": [{"quarter": "2026Q1", "bookings_amount": 2000.0}],
    "fx_rates": [
        {"currency": "EUR", "valid_from": DAY, "valid_to": NEXT, "rate_to_reporting": 1.1}
    ],
    "opportunities": [
        {
            "opportunity_id": "o9",
            "status": "won",
            "stage": "Closed Won",
            "created_at": TEN,
            "close_date": LATER,
        },
        {
            "opportunity_id": "o8",
            "status": "open",
            "stage": "Proposal",
            "created_at": TEN,
            "close_date": LATER,
        },
    ],
    "leads": [
        {"lead_id": i, "person_key": f"P{i}", "opportunity_id": o}
        for i, o in (("l9", "o9"), ("l8", "o8"), ("l7", None))
    ],
    "campaigns": [{"campaign_id": "c9"}, {"campaign_id": "c8"}],
    "activities": [{"activity_id": "x9"}, {"activity_id": "x8"}],
    "accounts": [{"account_id": "a1"}, {"account_id": "s"}],
    **PRACTICE_AROUND,
    "parsed_rep_team_history": [STAY, {"rep_id": BEN, "team_id": SOUTH}],
    "parsed_stage_history": [
        {
            "opportunity_id": "o7",
            "stage": "Closed Won",
            "entered_at": ELEVEN,
            "changed_by_rep_id": CY,
        },
        {
            "opportunity_id": "o6",
            "stage": "Closed Won",
            "entered_at": ELEVEN,
            "changed_by_rep_id": EVE,
        },
        {"opportunity_id": "o5", "stage": "Closed Won", "entered_at": ELEVEN, "raw_amount": 10.0},
    ],
    "parsed_lead_status_history": [
        {"lead_id": "l6", "lead_stage": "nurture", "entered_at": ELEVEN}
    ],
    "parsed_products": [{"product_id": "p1", "product_name": "GTX Pro"}],
    "due_stages": [{"stage": "Etapa 4"}],
    "survivors": [
        {
            "table_name": t,
            "record_id": f"gone {r}",
            "survivor_id": None if r in NO_SURVIVOR else "s",
            "rule": r,
        }
        for t in ("accounts", "products", "leads", "opportunities")
        for r in ("merged_record", "accepted_name", "same_name", *NO_SURVIVOR)
    ],
    "own_domains": [{"domain": "northwind.example"}],
    "set_aside": [
        {"table_name": "accounts", "record_key": "a5", "rule": "test_record"},
        {"table_name": "leads", "record_key": "l5", "rule": "deleted_record"},
        {"table_name": "leads", "record_key": "l9", "rule": "repeated_record"},
    ],
}


OTHER_KEY: dict[str, Row] = {
    "opportunities": {"opportunity_id": "o2", "record_name": "Another deal"},
    "accounts": {"account_id": "a2", "account_name": "Acme Two"},
    "leads": {"lead_id": "l2"},
    "campaigns": {"campaign_id": "c2"},
    "hours_shifters": {"shifter_id": "s2"},
    "time_study": {"day": NEXT},
    "accepted_names": {"variant": "GTX-Pr0"},
    "record_merges": {"record_id": "a7"},
    "opportunity_splits": {"opportunity_id": "o8"},
    "stage_history": {"opportunity_id": "o8"},
    "lead_status_history": {"lead_id": "l8"},
    "touches": {"lead_id": "l8"},
    "attendees": {"activity_id": "x8"},
    "quotas": {"rep_id": BEN},
    "compensation": {"rep_id": BEN},
    "activities": {"activity_id": "x2", "subject": "Client call"},
    "rep_team_history": {"rep_id": BEN},
    **PRACTICE_KEYS,
}
