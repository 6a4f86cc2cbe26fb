"""Deals without a users' export: their owners are the people, and the gate says so."""

from __future__ import annotations

import pytest
from crm_tables import ADA, BEN, cleaned, opportunity, user, write

from analysis.project.errors import CrmDataError
from analysis.store import processed

CLOSED = {"IsWon": "false", "CloseDate": "2026-02-11"}
QUOTA = {"period_start": "2026-01-01", "period_end": "2026-04-01", "currency": "USD"}


def test_owners_and_people_with_a_quota_are_the_reps_where_no_file_says_who_there_is(raw):
    quota = QUOTA | {"rep_id": "005000000000003AAA", "quota_amount": "500"}
    deals = [opportunity(1), opportunity(2), opportunity(3, OwnerId=BEN, **CLOSED)]
    write(raw, Opportunity=deals, quotas=[quota])
    got = cleaned()
    reps = got.tables["reps"].set_index("rep_id")["role"].to_dict()
    assert reps == {ADA: "rep", BEN: "rep", "005000000000003AAA": "rep"}
    assert got.account("reps") == (3, 3, 0, 0)
    assert got.tables["opportunities"]["status"].tolist() == ["won", "won", "lost"]
    warnings = {f.file: f.warnings for f in got.audit.files}
    assert "2 people whom its rows name stand" in warnings["Opportunity.csv"][0]


def test_where_a_users_export_is_there_no_owner_is_made_a_person(raw):
    write(raw, Opportunity=[opportunity(1), opportunity(2, OwnerId=BEN, **CLOSED)], User=[user()])
    assert cleaned().tables["reps"]["rep_id"].tolist() == [ADA]


def test_a_file_that_was_refused_may_be_the_users_so_the_run_stops(raw):
    write(raw, Opportunity=[opportunity(1)])
    (raw / "User.csv").write_bytes(b"")
    with pytest.raises(CrmDataError, match=r"(?s)reps: no export in .*User\.csv: it is empty"):
        cleaned()


def test_the_gate_warns_of_what_deals_answer_and_withholds_nothing(raw):
    write(raw, Opportunity=[opportunity(1), opportunity(2, OwnerId=BEN, **CLOSED)])
    verdict = processed.dry_run("here")["gate"]
    asked = {q: v["status"] for q, v in verdict["questions"].items() if v["status"] != "not asked"}
    assert asked == {"bookings": "warned", "win_rate": "warned"}
    assert [f["check"] for f in verdict["findings"]] == ["people_without_users"]
