"""For each rule a row on which it fires and one close by on which it must not."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from crm_tables import ADA, BEN, SOUTH
from rule_rows import BASE, CY, DAY, DEE, ELEVEN, EVE, LATER, NEXT, OTHER_KEY, STAY, TEN, Row


class Case(NamedTuple):
    """A rule, the rows it must take (or mark) among `rows`, by their place, and the rows."""

    table: str
    rule: str
    taken: set[int]
    rows: list[Row]


def _case(table: str, rule: str, fires: Row, misses: Row) -> Case:
    """Return a rule judged by one row alone; the near miss has another key."""
    other = OTHER_KEY.get(table, {})
    return Case(table, rule, {0}, [BASE[table] | fires, BASE[table] | other | misses])


def _repeats(table: str, change: Row, other_key: Row) -> list[Case]:
    """Return the cases of a key that stands twice: the same line again, and another version of it."""
    row = BASE[table]
    return [
        Case(table, "repeated_record", {1}, [row, row, row | other_key]),
        Case(table, "conflicting_record", {0, 1}, [row, row | change, row | other_key]),
    ]


def _hours(n: float) -> dt.datetime:
    return TEN + dt.timedelta(hours=n)


def _quarters(amounts: list[float], rep: str) -> list[Row]:
    days = [dt.date(2026, m, 1) for m in (1, 4, 7, 10)] + [dt.date(2027, 1, 1)]
    spans = zip(days, days[1:], amounts, strict=False)
    return [
        {"rep_id": rep, "period_start": a, "period_end": b, "raw_quota": q} for a, b, q in spans
    ]


def _merged(table: str, key: str, *rules: str) -> list[Case]:
    """Return the cases of what became of a record that was merged."""
    named = rules or ("merged_record", "merge_cycle", "merge_conflict", "survivor_absent")
    return [_case(table, r, {key: f"gone {r}"}, {key: f"gone {r}, not"}) for r in named]


def _deals(*amounts: float) -> list[Row]:
    return [
        BASE["opportunities"] | {"opportunity_id": i, "record_name": i, "raw_amount": a}
        for i, a in zip("abcdefgh", amounts, strict=False)
    ]


DEAL, FINANCE = BASE["opportunities"], BASE["finance_bookings"] | {"currency": "USD"}
RATE = BASE["fx_rates"] | {"valid_to": None}
CORPORATE = {
    "currency": "EUR",
    "valid_from": DAY,
    "rate_to_corporate": 1.0,
    "source_file": "dated.csv",
}
STEP, MOVE, TOUCH = BASE["stage_history"], BASE["lead_status_history"], BASE["touches"]
EVENT, CALL = (
    BASE["activities"],
    BASE["activities"] | {"kind": "call", "ended_at": None, "stated_minutes": None},
)
CASES: list[Case] = [
    *_repeats("reps", {"role": "manager"}, {"rep_id": BEN}),
    _case("reps", "not_a_person", {"role": "integration"}, {"rep_id": BEN, "role": "marketing"}),
    _case("reps", "unknown_time_zone", {"time_zone": "Mars/Phobos"}, {"rep_id": BEN, "time_zone": "Europe/Paris"}),
    Case(
        "reps",
        "two_users_of_a_person",
        {0, 1},
        [
            BASE["reps"] | {"rep_id": rep, "person_email": address}
            for rep, address in ((ADA, "P1"), (BEN, "P1"), ("R3", "P3"), ("R4", None), ("R5", None))
        ],
    ),
    Case("teams", "repeated_record", {1}, [BASE["teams"], BASE["teams"]]),
    _case("teams", "not_a_sales_team", {"team_id": SOUTH, "team_name": "Marketing"}, {"team_name": "Marketing"}),
    _case("teams", "owner_without_team", {"team_id": None, "of_owner_id": "1"}, {"of_owner_id": "1"}),
    Case("rep_team_history", "repeated_record", {1}, [BASE["rep_team_history"]] * 2),
    _case("rep_team_history", "unknown_rep", {"rep_id": "nobody"}, {}),
    _case("rep_team_history", "unknown_team", {"team_id": "nowhere"}, {}),
    Case(
        "rep_team_history", "overlapping_membership", {1},
        [
            STAY | {"valid_from": DAY, "valid_to": LATER}, STAY | {"valid_from": NEXT, "valid_to": LATER},
            STAY | {"valid_from": LATER},
        ],
    ),
    *_repeats("fx_rates", {"rate_to_reporting": 1.2}, {"valid_from": NEXT}),
    Case("fx_rates", "rate_not_positive", {0}, [RATE | {"rate_to_reporting": 0.0}, RATE | {"valid_from": LATER}]),
    Case("fx_rates", "rate_in_other_currency", {0, 1}, [RATE, RATE | {"currency": "USD", "rate_to_reporting": 0.8}, RATE | {"valid_from": LATER, "source_file": "other.csv"}]),
    Case("fx_rates", "overlapping_rates", {0, 1}, [RATE | {"valid_to": LATER}, RATE | {"valid_from": NEXT, "valid_to": LATER, "rate_to_reporting": 1.2}, RATE | {"currency": "GBP", "valid_to": LATER}]),
    Case("fx_rates", "rate_left_open", {0}, [RATE, RATE | {"valid_from": NEXT, "rate_to_reporting": 1.2}, RATE | {"currency": "GBP", "valid_from": NEXT}]),
    Case("fx_rates", "inclusive_last_day", {0}, [RATE | {"valid_to": DAY}, RATE | {"valid_from": NEXT, "rate_to_reporting": 1.2}]),
    Case("fx_rates", "rate_by_corporate_currency", {0, 1}, [CORPORATE, CORPORATE | {"currency": "USD", "rate_to_corporate": 1.25}, RATE | {"currency": "GBP"}]),
    *_repeats("working_calendar", {"is_workday": False}, {"region": "AMER"}),
    *_repeats("products", {"product_name": "GTX Plus"}, {"product_id": "p2"}),
    _case("accounts", "deleted_record", {"is_deleted": True}, {"account_id": "a2", "is_deleted": False}),
    *_repeats("accounts", {"account_name": "Acme Ltd"}, {"account_id": "a2"}),
    *_repeats("compensation", {"raw_base": 90_000.0}, {"valid_from": NEXT}),
    _case("compensation", "unknown_unit", {"base_period": "week"}, {"base_period": "month", "rep_id": BEN}),
    _case("compensation", "unknown_unit", {"currency": "XXX"}, {"currency": "EUR", "rep_id": BEN}),
    _case("compensation", "implausible_pay", {"raw_base": 999.0}, {"raw_base": 1000.0, "rep_id": BEN}),
    _case("compensation", "implausible_pay", {"commission_rate": 10.0}, {"commission_rate": 1.5, "rep_id": BEN}),
    _case("compensation", "implausible_pay", {"fringe_rate": 18.8}, {"fringe_rate": 0.188, "rep_id": BEN}),
    *_repeats("quotas", {"raw_quota": 1.0}, {"rep_id": CY}),
    _case("quotas", "missing_quota", {"raw_quota": None}, {"rep_id": CY, "raw_quota": 0.0, "period_start": DAY}),
    _case("quotas", "unknown_currency", {"currency": "XXX"}, {"rep_id": CY, "currency": "EUR", "period_start": DAY}),
    _case("quotas", "manager_rollup", {"rep_id": BEN}, {"rep_id": ADA}),
    _case("quotas", "unknown_rep", {"rep_id": "nobody"}, {"rep_id": ADA}),
    _case("quotas", "quantity_quota", {"is_amount": False}, {"rep_id": CY, "is_amount": True, "period_start": DAY}),
    _case("compensation", "unknown_rep", {"rep_id": "nobody"}, {}),
    Case(
        "quotas", "repeated_annual", {0, 1, 2, 3},
        [*_quarters([2e6] * 4, ADA), *_quarters([5e5] * 4, CY), *_quarters([6e5] * 4, DEE), *_quarters([9e5] * 4, EVE)],
    ),
    _case(
        "opportunities",
        "converted_by_crm",
        {"currency": "XXX", "converted_amount": 5.0, "converted_currency": "USD"},
        {"converted_amount": 5.0, "converted_currency": "USD"},
    ),
    *_repeats("finance_bookings", {"bookings_amount": 1.0}, {"quarter": "2026Q2"}),
    _case("finance_bookings", "unknown_currency", {"currency": "EUR"}, {"currency": "USD", "quarter": "2026Q2"}),
    Case("finance_bookings", "unknown_currency", {1}, [FINANCE, FINANCE | {"currency": None, "quarter": "2026Q2"}]),
    *_repeats("programme", {"start_date": NEXT}, {"team_id": SOUTH}),
    _case("opportunities", "deleted_record", {"is_deleted": True}, {"is_deleted": None}),
    _case("opportunities", "test_record", {"record_name": "TEST - ignore"}, {"record_name": "Testa S.p.A."}),
    _case("opportunities", "test_record", {"record_name": "test"}, {"record_name": "Contest Ltd"}),
    *_repeats("opportunities", {"raw_amount": 1.0}, {"opportunity_id": "o2", "record_name": "Another"}),
    _case("opportunities", "negative_amount", {"raw_amount": -0.01}, {"raw_amount": 0.0}),
    _case("opportunities", "unknown_currency", {"currency": "XXX"}, {"currency": "XXX", "raw_amount": None}),
    _case("opportunities", "unknown_currency", {"currency": "EUR"}, {"currency": "EUR", "close_date": DAY}),
    _case("opportunities", "unknown_currency", {"currency": "XXX"}, {"currency": "XXX", "close_date": None, "status": "open"}),
    _case("opportunities", "amount_without_day", {"currency": "EUR", "close_date": None, "status": "open"}, {"close_date": None, "status": "open"}),
    Case("opportunities", "blank_currency", {1}, [DEAL, DEAL | {"opportunity_id": "b", "record_name": "b", "currency": None}, DEAL | {"opportunity_id": "c", "record_name": "c", "currency": None, "raw_amount": None}, DEAL | {"opportunity_id": "d", "record_name": "d", "currency": None, "is_blank_own_currency": True}]),
    Case("opportunities", "amount_out_of_scale", {2}, _deals(10, 10, 1001, 1000, 10)),
    Case("opportunities", "amount_contradicts_history", {2}, [*_deals(10, 10), DEAL | {"opportunity_id": "o5", "record_name": "o5", "raw_amount": 1001.0}, *_deals(0, 0, 1001, 10)[2:]]),
    Case("opportunities", "amount_contradicts_finance", {2}, _deals(10, 10, 5001, 1500, 10)),  # of 2,000 and 2 %
    _case("opportunities", "won_without_amount", {"raw_amount": None}, {"raw_amount": None, "status": "lost"}),
    _case("opportunities", "closed_before_created", {"close_date": DAY - 2 * (NEXT - DAY)}, {"close_date": DAY - (NEXT - DAY)}),
    _case("opportunities", "product_spelling", {"product_text": "GTXPro"}, {"product_text": "GTX Pro"}),
    _case("opportunities", "product_spelling", {"product_text": "gtx-pro"}, {"product_text": "GTX Plus Pro"}),
    _case("opportunities", "unknown_owner", {"owner_rep_id": "nobody"}, {}),
    _case("activities", "deleted_record", {"is_deleted": True}, {"is_deleted": False}),
    _case("activities", "series_master", {"is_series_master": True}, {"is_series_master": False}),
    *_repeats("activities", {"minutes": 61.0}, {"activity_id": "x2", "subject": "Call"}),
    _case("activities", "cancelled", {"subject": "Canceled: Demo"}, {"subject": "Cancellation terms: call"}),
    _case("activities", "cancelled", {"subject": "CANCELLED"}, {"subject": "Demo, not cancelled"}),
    _case("activities", "cancelled", {"subject": "Client call - CANCELLED"}, {"subject": "Orders: why are they cancelled so often?"}),
    _case("activities", "cancelled", {"subject": "Demo (abgesagt)"}, {"subject": "Demo (abgesagte Aufträge)"}),
    _case("activities", "cancelled", {"subject": "[Annulé] Démo"}, {"subject": "Annuleringsvoorwaarden"}),
    _case("activities", "cancelled", {"subject": "Client call canceled"}, {"subject": "Cancel or keep: call"}),
    _case("activities", "cancelled", {"subject": "Declined: Demo"}, {"subject": "Why the offer was declined"}),
    _case("activities", "unknown_meeting_outcome", {"outcome": "Cooled off"}, {"outcome": "Abgeschlossen"}),
    _case("activities", "cancelled", {"subject": "Abgesagt: Demo"}, {"subject": "Abgesagte Aufträge"}),
    _case("activities", "no_show", {"subject": "No Show: Demo"}, {"subject": "No-show rate review"}),
    _case("activities", "no_show", {"subject": "Demo - NO SHOW"}, {"subject": "Show-and-tell: demo"}),
    _case("activities", "no_show", {"subject": "Nicht erschienen: Demo"}, {"subject": "Demo"}),
    _case("activities", "cancelled_meeting", {"shown_as": "cancelled"}, {"shown_as": "Busy"}),
    _case("activities", "declined_meeting", {"shown_as": "declined"}, {"shown_as": None}),
    _case("activities", "free_time", {"shown_as": "free"}, {"shown_as": "free", "is_all_day": True}),
    _case("activities", "tentative_meeting", {"shown_as": "tentative"}, {"shown_as": "Busy"}),
    _case("activities", "unknown_rep", {"rep_id": "nobody"}, {}),
    _case(
        "activities", "timestamp_before_1990",
        {"started_at": dt.datetime(1970, 1, 19, tzinfo=dt.UTC), "ended_at": None},
        {"started_at": dt.datetime(1990, 1, 1, tzinfo=dt.UTC), "ended_at": None},
    ),
    _case(
        "activities", "after_as_of",
        {"started_at": dt.datetime(2026, 4, 1, tzinfo=dt.UTC), "ended_at": None},
        {"started_at": dt.datetime(2026, 3, 31, 23, 59, tzinfo=dt.UTC), "ended_at": None},
    ),
    _case("activities", "missing_start", {"started_at": None}, {"started_at": None, "kind": "task", "minutes": 0.0, "stated_minutes": None}),
    _case("activities", "ends_before_start", {"ended_at": _hours(-1)}, {"ended_at": TEN}),
    _case("activities", "duration_disagrees", {"stated_minutes": 62.0}, {"stated_minutes": 61.0}),
    _case("activities", "duration_disagrees", {"stated_minutes": 0.0}, {"stated_minutes": 1440.0, "is_all_day": True}),
    _case(
        "activities", "longer_than_8_hours",
        {"minutes": 481.0, "stated_minutes": 481.0}, {"minutes": 480.0, "stated_minutes": 480.0},
    ),
    Case(
        "activities", "import_burst", set(range(51)),
        [CALL | {"activity_id": f"i{i}", "started_at": _hours(i)} for i in range(51)]
        + [CALL | {"activity_id": f"b{i}", "started_at": _hours(i), "rep_id": BEN} for i in range(50)],
    ),
    Case(
        "activities", "double_logged", {1},
        [EVENT, EVENT | {"activity_id": "x2", "logged_at": ELEVEN}, EVENT | {"activity_id": "x3", "subject": "Call"}],
    ),
    _case("activities", "all_day", {"is_all_day": True}, {"is_all_day": None, "subject": "Call"}),
    _case(
        "activities", "event_without_duration",
        {"minutes": None, "ended_at": None}, {"minutes": 0.0, "ended_at": TEN, "stated_minutes": 0.0},
    ),
    Case("activities", "call_without_duration", {0}, [CALL | {"minutes": None}, CALL | {"activity_id": "x2", "minutes": 0.0}]),
]  # fmt: skip
