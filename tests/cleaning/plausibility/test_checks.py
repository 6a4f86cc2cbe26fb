"""Each check of plausibility: a company that trips it, and one like it that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from plausible_company import alarms, changed, company, dataset

from analysis.cleaning.plausibility import (
    amount_checks,
    date_checks,
    hours_checks,
    interval_checks,
    outcome_checks,
    ownership_checks,
    pay_checks,
    period_checks,
    programme_checks,
    reference_checks,
    set_aside_checks,
    stage_history_checks,
    target_checks,
)
from analysis.cleaning.plausibility.checks import read_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import duckdb

    from analysis.cleaning.plausibility.checks import CheckReading
    from analysis.cleaning.plausibility.dataset import Dataset

__all__ = ["company"]

WON = "status = 'won'"


class Case(NamedTuple):
    """A change of the whole company that a check speaks of, and a smaller one of which it says nothing."""

    reads: Callable[[Dataset], Iterable[CheckReading]]
    check: str
    trips: str
    quiet: str
    severity: str = "withhold"
    panels: bool = False


def first(n: int, table: str, change: str, key: str, where: str = "true") -> str:
    """Return the SQL that changes the first rows of a table, by their key."""
    return f"update {table} set {change} where {key} in (select {key} from {table} where {where} order by {key} limit {n})"


def deals(n: int, change: str, where: str = "true") -> str:
    """Return the SQL that changes the first deals."""
    return first(n, "opportunities", change, "opportunity_id", where)


def lost_rows(table: str, where: str) -> str:
    """Return the SQL that takes rows out of a table."""
    return f"delete from {table} where {where}"


def aside(n: int, table: str, rule: str, column: str = "null") -> str:
    """Return the SQL that makes rows of a table set aside by a rule."""
    return f"insert into set_aside select '{table}', '{rule}', '{table}.csv', i, 'K' || i, {column}, null, null, null from range({n}) t(i)"


BY_OWNERS = "update activities set rep_id = 'R' || substr(opportunity_id, 2)::int % 6;"
NOBODY_MOVES = "update rep_team_history set team_id = 'T' || substr(rep_id, 2)::int % 2;"
ACCOUNTS_BY_TEAM = """
update opportunities set account_id = 'A' || (substr(opportunity_id, 2)::int + (created_at >= '2025-07-01')::int) % 2;"""
MONDAYS = """
insert into joint_meetings by name
select 'M' || i as meeting_id, 'T' || i % 2 as team_id, date '2025-01-06' + 7 * i::int as held_on, 'minutes.csv' as source_file,
  i as source_row from range(40) t(i);"""
PROGRAMME = """
insert into programme by name select 'T' || i as team_id, date '{}' as start_date, 'programme.csv' as source_file, i as source_row
from range({}) t(i)"""
PAST_PARITY = """
delete from fx_rates; update opportunities set currency = 'EUR' where opportunity_id > 'D100';
insert into fx_rates by name select 'EUR' as currency, date '2025-01-01' + 60 * i::int as valid_from, date '2025-01-01' + 60 * i::int + 60
  as valid_to, [{}][i + 1] as rate_to_reporting from range(6) t(i)"""

CASES = [
    Case(set_aside_checks.rows_set_aside, "rows_set_aside",
         aside(40, "opportunities", "unreadable_date", "'close_date'"), aside(3, "opportunities", "unreadable_date")),
    Case(set_aside_checks.rows_set_aside, "rows_set_aside",
         aside(10, "opportunities", "unreadable_date", "'close_date'"), aside(2, "quotas", "missing_quota"), "warn"),
    Case(set_aside_checks.rows_set_aside, "rows_set_aside",
         PROGRAMME.format("2025-04-01", 2) + ";" + aside(1, "programme", "missing_required", "'start_date'"), "select 1", "warn"),
    Case(programme_checks.teams_of_programme, "programme_of_unknown_teams",
         PROGRAMME.format("2025-04-01", 9), PROGRAMME.format("2025-04-01", 2), "warn"),
    Case(programme_checks.begun_programme, "programme_not_begun", PROGRAMME.format("2027-01-01", 2), PROGRAMME.format("2025-04-01", 2)),
    Case(set_aside_checks.rows_set_aside, "taken_for_repeats",
         "insert into rule_kinds values ('activities', 'double_logged', 'repeat');" + aside(300, "activities", "double_logged"),
         "insert into rule_kinds values ('activities', 'double_logged', 'repeat');" + aside(60, "activities", "double_logged"), "warn"),
    Case(set_aside_checks.rows_set_aside, "table_without_clean_row",
         lost_rows("quotas", "true") + ";" + aside(24, "quotas", "missing_required"), lost_rows("quotas", "true")),
    Case(set_aside_checks.money_set_aside, "money_set_aside",
         "insert into money_aside values ('unknown_currency', 30, 30, 0, 500000)",
         "insert into money_aside values ('unknown_currency', 1, 1, 0, 10000)"),
    Case(set_aside_checks.uneven_values, "set_aside_unevenly",
         "insert into uneven_values values ('opportunities', 'currency', 'EUR', 40, 38, 300, 40)",
         "insert into uneven_values values ('opportunities', 'currency', 'EUR', 8, 4, 300, 8)"),
    Case(set_aside_checks.deciding_cells, "deciding_cell_blank",
         "insert into deciding_cells values ('opportunities', 'Opportunity.csv', 'is_won', 30, 300)",
         "insert into deciding_cells values ('opportunities', 'Opportunity.csv', 'is_won', 1, 300)"),
    Case(set_aside_checks.differing_versions, "two_versions_of_a_record",
         aside(60, "opportunities", "conflicting_record"), aside(2, "opportunities", "conflicting_record")),
    Case(reference_checks.unknown_ids, "unknown_opportunities",
         lost_rows("opportunities", "opportunity_id < 'D060'"), lost_rows("opportunities", "opportunity_id < 'D002'")),
    Case(reference_checks.unknown_ids, "unknown_accounts",
         lost_rows("accounts", "true") + "; insert into accounts by name select 'B1' as account_id",
         lost_rows("accounts", "account_id = 'A1'"), "warn"),
    Case(reference_checks.unknown_ids, "unknown_reps",
         deals(60, "owner_rep_id = 'X1'"), deals(1, "owner_rep_id = 'X1'")),
    Case(reference_checks.unknown_parents, "children_of_unknown_opportunities",
         "insert into unknown_parents values ('stage_history', 'opportunities', 120, 600, 60, ['X1', 'X2'])",
         "insert into unknown_parents values ('stage_history', 'opportunities', 4, 600, 2, ['X1', 'X2'])"),
    Case(reference_checks.unknown_parents, "children_of_unknown_activities",
         "insert into unknown_parents values ('attendees', 'activities', 400, 1566, 200, ['X1'])",
         "insert into unknown_parents values ('attendees', 'activities', 20, 1566, 10, ['X1'])"),
    Case(reference_checks.unknown_parents, "children_of_unknown_reps",
         "insert into unknown_parents values ('compensation', 'reps', 4, 12, 2, ['X1'])",
         "insert into unknown_parents values ('compensation', 'reps', 1, 12, 1, ['X1'])"),
    Case(reference_checks.reps_without, "reps_without_rep_team_history",
         lost_rows("rep_team_history", "rep_id < 'R4'"), lost_rows("rep_team_history", "rep_id < 'R1'")),
    Case(reference_checks.reps_without, "reps_without_compensation",
         lost_rows("compensation", "rep_id < 'R2'"), lost_rows("compensation", "rep_id < 'R1'"), "warn"),
    Case(reference_checks.reps_without, "reps_without_quotas",
         lost_rows("quotas", "rep_id < 'R2'"), lost_rows("quotas", "rep_id < 'R1'"), "warn"),
    Case(reference_checks.reps_without, "reps_without_activities",
         lost_rows("activities", "rep_id < 'R4'"), lost_rows("activities", "rep_id < 'R1'")),
    Case(reference_checks.bookings_without_team, "bookings_without_team",
         "update won_deals set team_id = 'unassigned' where opportunity_id < 'D100'",
         "update won_deals set team_id = 'unassigned' where opportunity_id < 'D005'"),
    Case(outcome_checks.one_sided, "one_sided_outcomes",
         lost_rows("opportunities", "status = 'lost'"), lost_rows("opportunities", "status = 'lost' and opportunity_id > 'D040'")),
    Case(outcome_checks.one_sided, "one_sided_outcomes",
         f"update opportunities set status = 'open' where {WON}", deals(60, "status = 'open'", WON)),
    Case(outcome_checks.one_sided_parts, "one_sided_quarter",
         lost_rows("opportunities", "status = 'lost' and quarter(close_date) = 3"),
         lost_rows("opportunities", "status = 'lost' and quarter(close_date) = 3 and opportunity_id > 'D130'")),
    Case(outcome_checks.one_sided_parts, "one_sided_pipeline",
         f"update opportunities set pipeline = if({WON} and opportunity_id < 'D100', 'Direct', 'Partner')",
         f"update opportunities set pipeline = if({WON} and opportunity_id < 'D010', 'Direct', 'Partner')", "warn"),
    Case(outcome_checks.same_deal_again, "same_deal_again",
         f"insert into same_deals select opportunity_id, status, deal_amount from opportunities where {WON} and opportunity_id < 'D060'",
         f"insert into same_deals select opportunity_id, status, deal_amount from opportunities where {WON} limit 1"),
    Case(outcome_checks.dates_of_closes, "won_long_after_the_export",
         deals(10, "close_date = date '2062-03-01'", WON), deals(10, "close_date = date '2026-01-20'", WON)),
    Case(outcome_checks.dates_of_closes, "won_long_after_the_export",
         deals(1, "close_date = date '2062-03-01'", WON), deals(1, "close_date = date '2062-03-01'", "status = 'open'"), "warn"),
    Case(reference_checks.reps_without, "reps_without_opportunities",
         "update opportunities set owner_rep_id = 'R1', owner_at_close_rep_id = null",
         "update opportunities set owner_rep_id = 'R1'; update reps set hired_on = date '2025-08-01' where rep_id <> 'R1'"),
    Case(reference_checks.reps_without, "leavers_without_deals",
         "update reps set is_active = false where rep_id = 'R1'; update opportunities set owner_rep_id = 'R3', "
         "owner_at_close_rep_id = null where owner_rep_id = 'R1' or owner_at_close_rep_id = 'R1'",
         "update reps set is_active = false where rep_id = 'R1'", "warn"),
    Case(reference_checks.reps_without, "two_users_of_a_person",
         "update reps set flagged_by = 'two_users_of_a_person' where rep_id in ('R1', 'R2')",
         "update reps set flagged_by = 'two_users_of_a_person' where rep_id in ('R1', 'R2'); "
         "delete from opportunities where owner_rep_id = 'R2'", "warn"),
    Case(hours_checks.hours_counted, "hours_of_no_rep",
         lost_rows("rep_quarter", "true"), "update rep_quarter set logged_hours = 0 where rep_id < 'R5'"),
    Case(period_checks.periods_with_fewer_rows, "period_with_fewer_rows",
         lost_rows("opportunities", "month(close_date) = 6 or close_date > '2025-08-31'"),
         lost_rows("opportunities", "close_date > '2025-08-31'")),
    Case(outcome_checks.win_rate_of_a_month, "win_rate_of_a_month",
         "update opportunities set status = 'lost', close_date = date '2025-06-15' where month(close_date) in (6, 7)",
         deals(3, "status = 'lost'", f"{WON} and month(close_date) = 6"), "warn"),
    Case(outcome_checks.contradicted_outcomes, "won_without_amount",
         deals(20, "raw_amount = null, deal_amount = null", WON), deals(1, "raw_amount = null", WON)),
    Case(outcome_checks.contradicted_outcomes, "closed_without_date",
         deals(20, "close_date = null", "status <> 'open'"), deals(1, "close_date = null", "status <> 'open'")),
    Case(outcome_checks.contradicted_outcomes, "status_against_probability",
         deals(30, "probability = 0.5", WON), deals(2, "probability = 0.5", WON)),
    Case(outcome_checks.contradicted_outcomes, "status_against_stage_name",
         deals(30, "status = 'lost'", WON), deals(1, "status = 'lost'", WON)),
    Case(outcome_checks.contradicted_outcomes, "stage_with_two_outcomes",
         deals(40, "status = 'lost'", WON), deals(2, "status = 'lost'", WON)),
    Case(outcome_checks.contradicted_outcomes, "closed_before_created",
         deals(60, "created_at = close_date + interval 9 day"), deals(2, "created_at = close_date + interval 9 day")),
    Case(outcome_checks.dates_of_closes, "closed_after_the_export",
         deals(40, "close_date = date '2026-03-01'", "status <> 'open'"),
         deals(2, "close_date = date '2026-03-01'", "status <> 'open'")),
    Case(outcome_checks.owners_of_deals, "one_owner_has_most",
         "update opportunities set owner_rep_id = 'R1'", deals(40, "owner_rep_id = 'R1'")),
    Case(outcome_checks.owners_of_deals, "won_by_no_rep",
         "update opportunities set owner_rep_id = 'R9' where owner_rep_id < 'R3'", deals(2, "owner_rep_id = 'X1'")),
    Case(outcome_checks.dates_of_closes, "closed_on_one_day",
         deals(100, "close_date = date '2025-06-30'", "status <> 'open'"),
         deals(4, "close_date = date '2025-06-30'", "status <> 'open'")),
    Case(outcome_checks.dates_of_closes, "closed_on_one_day",
         "delete from opportunities where opportunity_id > 'D115'; "
         "update opportunities set close_date = date '2025-06-30' where status <> 'open' and opportunity_id < 'D020'",
         "delete from opportunities where opportunity_id > 'D115'", "warn"),
    Case(stage_history_checks.against_history, "history_against_stage",
         "update stage_history set stage = 'Proposal' where stage like 'Closed%' and opportunity_id < 'D100'",
         "update stage_history set stage = 'Proposal' where stage like 'Closed%' and opportunity_id < 'D003'"),
    Case(stage_history_checks.against_history, "history_against_raw_amount",
         deals(40, "raw_amount = raw_amount / 1000", WON), deals(1, "raw_amount = raw_amount / 1000", WON)),
    Case(stage_history_checks.against_history, "history_against_close_date",
         deals(60, "close_date = close_date - 60", "status <> 'open'"),
         deals(60, "close_date = close_date - 20", "status <> 'open'")),
    Case(period_checks.periods_with_fewer_rows, "period_with_fewer_rows",
         lost_rows("activities", "month(started_at) = 5"), lost_rows("activities", "month(started_at) = 5 and rep_id < 'R1'")),
    Case(period_checks.periods_with_fewer_rows, "period_with_fewer_rows",
         lost_rows("opportunities", "month(created_at) in (4, 5, 6)"), lost_rows("opportunities", "month(created_at) > 9")),
    Case(period_checks.tables_that_end_early, "table_ends_early",
         lost_rows("activities", "started_at > '2025-09-01'"), lost_rows("activities", "started_at > '2025-12-15'")),
    Case(interval_checks.ends_of_intervals, "gap_of_one_day",
         "update rep_team_history set valid_to = valid_to - 1", "update rep_team_history set valid_to = valid_to - 1 where rep_id = 'R1'"),
    Case(interval_checks.ends_of_intervals, "overlapping_intervals",
         "update compensation set valid_to = null", "update compensation set valid_to = valid_to - 30"),
    Case(interval_checks.ends_of_intervals, "overlapping_intervals",
         "update fx_rates set valid_to = null", "update fx_rates set valid_to = valid_to - 30"),
    Case(interval_checks.ends_of_intervals, "ends_on_last_of_month",
         "update quotas set period_end = period_end - 1",
         "update quotas set period_end = period_end - 1 where period_start = '2025-01-01'"),
    Case(interval_checks.quarters_without, "quarter_without_base_amount",
         lost_rows("compensation", "valid_to is null and rep_id < 'R4'"),
         "update compensation set base_amount = 1", panels=True),
    Case(interval_checks.quarters_without, "quarter_without_quota_amount",
         lost_rows("quotas", "month(period_start) = 4 and rep_id < 'R4'"), "select 1", panels=True),
    Case(interval_checks.quarters_without, "days_without_team",
         lost_rows("rep_team_history", "valid_to is null and rep_id < 'R4'"),
         "update rep_team_history set valid_to = valid_to - 3", panels=True),
    Case(pay_checks.pay_out_of_scale, "pay_out_of_scale",
         first(2, "compensation", "base_amount = base_amount / 12", "rep_id"), "update compensation set base_amount = base_amount * 2"),
    Case(amount_checks.rates_apart, "rates_apart",
         "insert into fx_rates by name select 'EUR' as currency, date '2025-08-01' as valid_from, 11.2 as rate_to_reporting; "
         "update opportunities set currency = 'EUR' where opportunity_id > 'D100'",
         "insert into fx_rates by name select 'EUR' as currency, date '2025-08-01' as valid_from, 1.3 as rate_to_reporting; "
         "update opportunities set currency = 'EUR' where opportunity_id > 'D100'"),
    Case(amount_checks.rates_apart, "rates_apart",
         "insert into fx_rates by name select 'EUR' as currency, date '2025-08-01' as valid_from, 0.9 as rate_to_reporting; "
         "update opportunities set currency = 'EUR' where opportunity_id > 'D100'",
         "insert into fx_rates by name select 'EUR' as currency, date '2025-08-01' as valid_from, 1.2 as rate_to_reporting; "
         "update opportunities set currency = 'EUR' where opportunity_id > 'D100'"),
    Case(amount_checks.rates_apart, "rates_grown_old",
         "update fx_rates set valid_from = date '2021-01-01' where valid_to is null; "
         "update opportunities set currency = 'EUR' where opportunity_id > 'D100'",
         "update opportunities set currency = 'EUR' where opportunity_id > 'D100'", "warn"),
    Case(amount_checks.rates_apart, "rates_apart",  # drifting past 1 is no rate turned round
         PAST_PARITY.format("1.09, 1.11, 1.07, 1.08, 1.09, 0.93"), PAST_PARITY.format("1.09, 1.11, 1.07, 1.03, 1.01, 0.96")),
    Case(ownership_checks.work_of_others, "worked_by_another_team",
         BY_OWNERS + NOBODY_MOVES + deals(30, "owner_rep_id = 'R1'", "status <> 'open'"),
         BY_OWNERS + NOBODY_MOVES + deals(2, "owner_rep_id = 'R1'", "status <> 'open'"), "warn"),
    Case(ownership_checks.work_of_others, "worked_by_others",
         BY_OWNERS + deals(30, "owner_rep_id = 'R1'", "status <> 'open'"),
         BY_OWNERS + deals(14, "owner_rep_id = 'R1'", "status <> 'open'"), "warn"),
    Case(ownership_checks.accounts_of_stays, "accounts_of_another_team",
         ACCOUNTS_BY_TEAM + "update rep_team_history set team_id = 'T2' where rep_id = 'R0' and valid_to is null", ACCOUNTS_BY_TEAM, "warn"),
    Case(date_checks.dates_out_of_order, "dates_out_of_order",
         MONDAYS + "update joint_meetings set held_on = held_on - 364 where source_row % 5 = 0",
         MONDAYS + "update joint_meetings set held_on = held_on - 364 where source_row = 5", "warn"),
    Case(date_checks.meetings_on_rest_days, "meetings_on_rest_days",
         MONDAYS + "update joint_meetings set held_on = held_on - 365 where source_row % 5 = 0",
         MONDAYS + "update joint_meetings set held_on = held_on - 364 where source_row % 5 = 0", "warn"),
    Case(pay_checks.pay_out_of_scale, "pay_beside_base",
         first(4, "compensation", "commission_rate = 1", "rep_id"), "update compensation set commission_rate = 0.4"),
    Case(pay_checks.pay_out_of_scale, "pay_beside_base",
         "update compensation set overhead_amount = 500000", "update compensation set overhead_amount = 50000"),
    Case(hours_checks.odd_entries, "meetings_of_odd_length",
         "update activities set minutes = 1", "update activities set minutes = 30"),
    Case(hours_checks.odd_entries, "calls_of_odd_length",
         "update activities set kind = 'call', minutes = 0.03", "update activities set kind = 'call', minutes = 0.5 + 0.13"),
    Case(hours_checks.odd_entries, "calls_of_round_seconds",
         "update activities set kind = 'call', minutes = 0.5",
         "update activities set kind = 'call', minutes = (30 + source_row % 4 + 1) / 60.0", "warn"),
    Case(hours_checks.odd_entries, "meetings_of_unknown_outcome",
         "update activities set flagged_by = 'unknown_meeting_outcome'", "update activities set flagged_by = 'other'"),
    Case(target_checks.quotas_out_of_scale, "quotas_out_of_scale",
         "update quotas set quota_amount = quota_amount / 1000 where rep_id in ('R1', 'R2')",
         "update quotas set quota_amount = quota_amount / 10 where rep_id in ('R1', 'R2')"),
    Case(reference_checks.teams_of_users, "teams_of_users",
         "insert into teams_of_users select rep_id, case when rep_id = 'R0' then 'T0' else team_id end from rep_team_history "
         "where valid_to is null",
         "insert into teams_of_users select rep_id, team_id from rep_team_history where valid_to is null", "warn"),
    Case(reference_checks.teams_of_users, "teams_of_users",  # nearly all heaped into one team
         "insert into teams_of_users select rep_id, team_id from rep_team_history where valid_to is null; "
         "update rep_team_history set team_id = 'T9'",
         "insert into teams_of_users select rep_id, case team_id when 'T0' then 'T1' else 'T0' end "
         "from rep_team_history where valid_to is null", "warn"),
    Case(target_checks.bookings_against_quotas, "bookings_against_quotas",
         "update rep_quarter set bookings_amount = bookings_amount * 10", "update rep_quarter set bookings_amount = bookings_amount * 1.1",
         "warn"),
    Case(target_checks.bookings_against_quotas, "bookings_against_quotas",  # every rep far above
         "update rep_quarter set bookings_amount = 1.5 * quota_amount",
         "update rep_quarter set bookings_amount = if(rep_id = 'R0', 0.9, 1.6) * quota_amount", "warn"),
    Case(target_checks.quotas_of_other_periods, "quotas_of_other_periods",
         "update quotas set period_end = '2026-01-01' where rep_id = 'R1' and month(period_start) = 1",
         "update quotas set period_end = '2026-01-01', quota_amount = 4 * quota_amount where rep_id = 'R1' and month(period_start) = 1", "warn"),
    Case(outcome_checks.open_by_due_date, "open_by_due_date",
         deals(3, "flagged_by = 'open_by_due_date'"), deals(3, "flagged_by = 'owner_changed_since'"), "warn"),
    Case(pay_checks.pay_against_quotas, "pay_against_quotas",
         "update compensation set base_amount = base_amount / 50", "update compensation set base_amount = base_amount / 2", "warn"),
    Case(pay_checks.pay_out_of_range, "pay_out_of_range",
         "update compensation set base_amount = base_amount / 12", "update compensation set base_amount = base_amount / 2", "warn"),
    Case(pay_checks.pay_out_of_range, "pay_out_of_range",
         "update compensation set base_amount = base_amount * 12", "update compensation set base_amount = base_amount * 4", "warn"),
    Case(target_checks.sums_among_quotas, "sums_among_quotas",
         "update rep_quarter set quota_amount = 80000 where rep_id in ('R0', 'R1')",
         "update rep_quarter set quota_amount = 70000 where rep_id in ('R0', 'R1')"),
    Case(target_checks.sums_among_quotas, "sums_among_quotas",
         "update rep_quarter set quota_amount = 200000 where rep_id = 'R0'",
         "update rep_quarter set quota_amount = 190000 where rep_id = 'R0'"),
    Case(amount_checks.rates_out_of_range, "rates_out_of_range",
         "update fx_rates set rate_to_reporting = 1 / rate_to_reporting; update opportunities set currency = 'EUR' where opportunity_id < 'D030'",
         "update fx_rates set rate_to_reporting = 0.97"),
    Case(amount_checks.rates_out_of_range, "rates_out_of_range",
         "update fx_rates set rate_to_reporting = 1 / rate_to_reporting", "select 1", "warn"),
    Case(amount_checks.rates_out_of_range, "rates_out_of_range",
         "update fx_rates set rate_to_reporting = 0.67, currency = 'JPY'",
         "update fx_rates set rate_to_reporting = 0.0067, currency = 'JPY'", "warn"),
    Case(hours_checks.hours_of_reps, "rep_quarters_without_hours",
         "update rep_quarter set logged_hours = 0 where rep_id < 'R4'",
         "update rep_quarter set logged_hours = 0 where rep_id < 'R1'"),
    Case(hours_checks.hours_of_reps, "teams_without_hours",
         "update rep_quarter set logged_hours = null where team_id = 'T0'",
         "update rep_quarter set logged_hours = null where team_id = 'T0' and rep_id = 'R0'", "warn"),
    Case(hours_checks.hours_of_reps, "hours_of_a_quarter",
         "update rep_quarter set logged_hours = 0.2 where quarter = '2025Q2'",
         "update rep_quarter set logged_hours = logged_hours * 0.6 where quarter = '2025Q2'"),
    Case(hours_checks.odd_entries, "hours_unclassified",
         "update rep_day_hours set unclassified_class_hours = logged_hours where rep_id < 'R4'",
         "update rep_day_hours set unclassified_class_hours = logged_hours where month(day) = 1 and rep_id = 'R1'"),
    Case(hours_checks.odd_entries, "meetings_at_night",
         "update meeting_starts set local_at = local_at + interval 14 hour where rowid % 2 = 0",
         "update meeting_starts set local_at = local_at + interval 8 hour"),
    Case(hours_checks.odd_entries, "activities_without_length",
         "update activities set minutes = null where rep_id < 'R3'", first(40, "activities", "minutes = null", "activity_id")),
    Case(reference_checks.reps_without, "reps_without_meetings",
         "insert into reps by name select 'Q' || i as rep_id, 'rep' as role from range(12) t(i);"
         "insert into activities by name select 'C' || i as activity_id, 'Q' || i as rep_id, 'call' as kind, timestamptz '2025-12-30 10:00:00Z' "
         "as started_at, 9 as minutes, false as is_all_day from range(12) t(i)",
         "update activities set kind = 'call' where rep_id < 'R1'"),
    Case(amount_checks.finance_gap, "finance_gap",
         "update finance_bookings set bookings_amount = bookings_amount * 2 where quarter = '2025Q2'",
         "update finance_bookings set bookings_amount = bookings_amount * 1.01"),
    Case(amount_checks.reporting_currency, "reporting_currency_not_one",
         "insert into fx_rates by name select 'USD' as currency, date '2024-01-01' as valid_from, 0.8 as rate_to_reporting",
         "insert into fx_rates by name select 'USD' as currency, date '2024-01-01' as valid_from, 1.0 as rate_to_reporting"),
    Case(amount_checks.scale_of_amounts, "amounts_out_of_scale",
         deals(40, "deal_amount = deal_amount / 1000", WON), deals(1, "deal_amount = deal_amount / 1000", WON)),
    Case(amount_checks.scale_of_amounts, "amounts_by_currency",
         deals(30, "currency = 'JPY', deal_amount = deal_amount * 150", WON), deals(30, "currency = 'JPY'", WON)),
    Case(set_aside_checks.money_set_aside, "large_deals",
         deals(1, "deal_amount = 5000000, flagged_by = 'owner_changed_since amount_out_of_scale'", WON),
         deals(1, "deal_amount = 12000, flagged_by = 'amount_out_of_scale'", WON)),
]  # fmt: skip


def test_the_whole_company_trips_no_check(company):
    assert alarms(company) == {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.check)
def test_a_check_speaks_where_the_data_are_wrong_and_not_where_they_are_nearly_right(
    company: duckdb.DuckDBPyConnection, case: Case
):
    with changed(company, case.trips, panels=case.panels):
        assert alarms(company, case.reads).get(case.check) == case.severity
    with changed(company, case.quiet, panels=case.panels):
        assert case.check not in alarms(company, case.reads)


OF_FILES = {
    "file_refused",
    "file_not_all",
    "notation_reads_a_part",
    "people_without_users",
}  # in test_plausibility_gate


def _bearing(company: duckdb.DuckDBPyConnection, check: str) -> tuple[str, ...]:
    return next(
        r.bearing.decides
        for r in outcome_checks.contradicted_outcomes(dataset(company))
        if r.check == check
    )


def test_most_deals_closed_before_they_were_created_decide_bookings_but_not_where_an_import_made_them(
    company,
):
    with changed(company, "update opportunities set created_at = close_date + interval 1462 day"):
        assert "bookings" in _bearing(company, "closed_before_created")
    with changed(
        company, "update opportunities set created_at = timestamptz '2026-01-05 09:00:00Z'"
    ):
        assert "bookings" not in _bearing(company, "closed_before_created")


def test_days_of_change_date_an_export_whose_deals_were_created_by_an_import(company):
    moved = (
        "delete from stage_history; delete from leads; delete from activities; "
        "update opportunities set created_at = timestamptz '2025-01-01 09:00:00Z'"
    )
    with changed(company, moved):
        assert "closed_after_the_export" not in alarms(company, outcome_checks.dates_of_closes)


def test_the_rows_of_all_unknown_ids_are_counted(company):
    """Sixty deals are owned by two who are no users: 60 rows of 2 ids."""
    with changed(company, deals(60, "owner_rep_id = 'X' || substr(opportunity_id, 4)::int % 2")):
        odd = {
            r.n_odd for r in reference_checks.unknown_ids(dataset(company)) if "2 of" in r.sentence
        }
    assert odd == {60}


def test_meetings_of_two_sources_are_no_repeats_within_one(company):
    taken = "insert into rule_kinds values ('activities', 'double_logged', 'repeat');" + aside(
        1500, "activities", "double_logged"
    )
    with changed(company, taken):
        assert alarms(company, set_aside_checks.rows_set_aside) == {"taken_for_repeats": "withhold"}
    with changed(company, taken + "; insert into repeats_across values ('activities', 1500)"):
        assert alarms(company, set_aside_checks.rows_set_aside) == {}


def test_every_check_has_a_company_that_trips_it():
    with_a_case = {case.check for case in CASES} | OF_FILES
    alike = {
        "unknown_leads", "unknown_campaigns", "children_of_unknown_leads", "children_of_unknown_assets", "children_of_unknown_campaigns",
        "children_of_unknown_accounts", "amounts_by_file", "amounts_by_month",
    }  # fmt: skip
    assert {name for name in read_limits() if " " not in name} == with_a_case | alike
