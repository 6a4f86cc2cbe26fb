"""Rows that hold from day to day: last days as they are meant, none open twice, none paid twice."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from crm_tables import NORTH, ROLES, SOUTH, opportunity, user, write

from analysis.cleaning.validity import INTERVALS, interval_rules
from analysis.tables.canonical import TABLES

D = dt.date
REP = [f"005{n:012d}AAA" for n in range(30)]  # each test has some of its own


def stay(rep: str, start: str, end: str = "", team: str = NORTH) -> dict[str, str]:
    return {"rep_id": rep, "team_id": team, "valid_from": start, "valid_to": end}


def pay(rep: str, start: str, end: str = "", base: str = "100000") -> dict[str, str]:
    row = {
        "rep_id": rep,
        "valid_from": start,
        "valid_to": end,
        "base_amount": base,
        "base_period": "year",
    }
    return row | {
        "currency": "USD",
        "commission_rate": "0.1",
        "fringe_rate": "0.2",
        "overhead_amount": "0",
    }


def quota(rep: str, start: str, end: str, amount: str = "500000") -> dict[str, str]:
    return {
        "rep_id": rep,
        "period_start": start,
        "period_end": end,
        "quota_amount": amount,
        "currency": "USD",
    }


def shifter(n: int, start: str, end: str = "") -> dict[str, str]:
    return {
        "shifter_id": f"s{n}",
        "kind": "training",
        "rep_id": REP[1],
        "team_id": "",
        "start_date": start,
        "end_date": end,
    }


THREE = (("2025-01-01", "2025-06-30"), ("2025-07-01", "2025-09-30"), ("2025-10-01",))
STARTS = ("2025-01-01", "2025-04-01", "2025-07-01")
LAST_DAYS, DAYS_AFTER = (
    ("2025-03-31", "2025-06-30", "2025-09-30"),
    ("2025-04-01", "2025-07-01", "2025-10-01"),
)
WHOLE = [  # twenty-eight that meet, and one that leaves a day out
    pay(r, f"{2000 + y}-01-01", f"{2001 + y}-01-01") for r in REP[11:13] for y in range(5, 20)
]
ENDED = [
    stay(r, *days) for r in REP[21:23] for days in (("2025-01-01", "2025-07-01"), ("2025-07-01",))
]
FILES = {
    "stays_last": [stay(r, *days) for r in REP[1:3] for days in THREE],
    "pay_last": [pay(r, *days) for r in REP[1:3] for days in THREE],
    "pay_next": [pay(REP[3], "2025-01-01", "2025-07-01"), pay(REP[3], "2025-07-01")],
    "quotas_last": [quota(*r) for r in zip(REP[1:4], STARTS, LAST_DAYS, strict=True)],
    "quotas_after": [quota(*r) for r in zip(REP[4:7], STARTS, DAYS_AFTER, strict=True)],
    "quotas_some": [
        quota(REP[27], "2020-01-01", "2020-06-30"), quota(REP[27], "2020-07-01", "2020-12-31"),
        quota(REP[27], "2021-01-01", "2021-05-15"), quota(REP[27], "2021-07-01", "2021-11-15"),
        quota(REP[27], "2022-01-01", "2022-05-15"), quota(REP[27], "2022-07-01", "2022-11-15"),
    ],
    "hours_shifters": [
        shifter(1, "2025-03-04", "2025-03-04"), shifter(2, "2025-05-06", "2025-05-08"),
    ],
    "pay_habit": [*WHOLE, pay(REP[13], "2018-01-01", "2018-12-31"), pay(REP[13], "2019-01-01")],
    "pay_kinds": [
        pay(REP[14], "2024-01-01", "2024-12-31"), pay(REP[14], "2025-01-01"),
        pay(REP[15], "2024-01-01", "2025-01-01"), pay(REP[15], "2025-01-01"),
    ],
    "pay_said": [pay(REP[16], "2025-01-01", "2025-07-01"), pay(REP[17], "2025-07-02")],
    "pay_9999": [pay(r, "2025-01-01", "9999-12-31") for r in REP[18:20]],
    "pay_open": [pay(REP[20], "2025-01-01"), pay(REP[20], "2025-07-01", base="110000")],
    "stays_ended": [*ENDED, stay(REP[23], "2025-01-01"), stay(REP[23], "2025-05-01", team=SOUTH)],
    "pay_overlap": [
        pay(REP[24], "2025-01-01", "2025-08-01"), pay(REP[24], "2025-07-01", "2026-01-01", "110000"),
    ],
    "quotas_overlap": [
        quota(REP[24], "2025-01-01", "2025-07-01"), quota(REP[24], "2025-04-01", "2025-07-01"),
    ],
    "pay_gap": [
        pay(REP[25], "2025-01-01", "2025-04-01"), pay(REP[25], "2025-07-01"),
        pay(REP[26], "2025-01-01", "2025-07-01"), pay(REP[26], "2025-07-01"),
    ],
}  # fmt: skip
OPEN_STAYS = [
    stay(REP[1], "2025-01-01"),
    stay(REP[1], "2025-07-01", team=SOUTH),
    stay(REP[2], "2025-01-01"),
]
NO_OVERLAP = '[[rule]]\nname = "overlapping_interval"\naction = "quarantine"\nwhen = "false"\nreason = "ours add up"\n'


def write_company(raw, **files) -> None:
    write(raw, User=[user(r) for r in REP], UserRole=ROLES, Opportunity=[opportunity(1)], **files)


def write_habits(raw) -> None:
    """Write a file a test: how ends are meant is a file's own habit."""
    write_company(raw, **FILES)
    (raw / "fields.toml").write_text('[reading."pay_said.csv"]\nlast_day = "exclusive"\n')


def write_own_ways(raw) -> None:
    """Write a dataset that says how its ends are meant, and that its quotas add up."""
    files = {n: FILES[n] for n in ("pay_said", "quotas_overlap")}
    write_company(raw, stays_open=OPEN_STAYS, **files)
    (raw / "fields.toml").write_text('[reading]\nlast_day = "inclusive"\n')
    (raw / "rules").mkdir()
    (raw / "rules" / "quotas.toml").write_text(NO_OVERLAP)


@pytest.fixture(scope="module")
def habits(clean_folder):
    return clean_folder(write_habits)


@pytest.fixture(scope="module")
def own_ways(clean_folder):
    return clean_folder(write_own_ways)


def ends_of(got, table: str, file: str, end: str = "valid_to"):
    """Return the clean ends of a file's rows with their flags, by key."""
    clean = got.tables[table].fillna({"flagged_by": ""})
    clean = clean[clean["source_file"] == f"{file}.csv"]
    return [
        (None if pd.isna(e) else e, f) for e, f in zip(clean[end], clean["flagged_by"], strict=True)
    ]


def notes(got, table: str, file: str) -> list[str]:
    (found,) = (f for f in got.audit.files if f.file == f"{file}.csv")
    return [n for n in (*found.notes, *found.warnings) if n.startswith(table)]


# Last days


@pytest.mark.parametrize(
    ("table", "file"), [("rep_team_history", "stays_last"), ("compensation", "pay_last")]
)
def test_ends_a_day_before_the_next_row_are_last_days(habits, table, file):
    """30 June and 30 September count, so the first days that do not are 1 July and 1 October."""
    ends = ends_of(habits, table, file)
    assert {e for e, _ in ends if e} == {D(2025, 7, 1), D(2025, 10, 1)}
    assert all(flags == "" for _, flags in ends)
    assert any("valid_to is the last day that counts" in n for n in notes(habits, table, file))


def test_ends_that_are_the_next_start_are_left_as_they_are(habits):
    ends = ends_of(habits, "compensation", "pay_next")
    assert ends == [(D(2025, 7, 1), ""), (None, "")]
    assert notes(habits, "compensation", "pay_next") == []


@pytest.mark.parametrize("file", ["quotas_last", "quotas_after"])
def test_quotas_of_one_quarter_end_on_its_last_day_or_the_day_after(habits, file):
    """One quota a rep, so that no row follows another: the ends of months tell."""
    ends = ends_of(habits, "quotas", file, "period_end")
    assert [e for e, _ in ends] == [D(2025, 4, 1), D(2025, 7, 1), D(2025, 10, 1)]


def test_a_training_that_ends_the_day_it_begins_is_a_day(habits):
    table = "hours_shifters"
    ends = ends_of(habits, table, table, "end_date")
    assert [e for e, _ in ends] == [D(2025, 3, 5), D(2025, 5, 9)]
    assert any("which is then a day and not none" in n for n in notes(habits, table, table))


def test_two_ends_of_five_a_day_before_the_next_row_are_no_habit(habits):
    """Fewer than half: 30 June 2020 stays the day that no longer counts."""
    ends = ends_of(habits, "quotas", "quotas_some", "period_end")
    assert [e for e, _ in ends][:2] == [D(2020, 6, 30), D(2020, 12, 31)]


def test_one_end_in_many_a_day_early_is_flagged_and_not_the_habit(habits):
    """Twenty-eight that meet, and one rep's that leaves a day out."""
    flags = [f for _, f in ends_of(habits, "compensation", "pay_habit")]
    assert flags.count("gap_of_one_day") == 1
    assert notes(habits, "compensation", "pay_habit") == []


def test_ends_of_two_kinds_are_left_and_warned_of(habits):
    ends = ends_of(habits, "compensation", "pay_kinds")
    assert ends[0][0] == D(2024, 12, 31)
    assert [f for _, f in ends].count("gap_of_one_day") == 1
    assert habits.effect("compensation", "gap_of_one_day").n_rows == 2  # and the one in many
    assert any(
        "its valid_to are of two kinds" in n and "fields.toml" in n
        for n in notes(habits, "compensation", "pay_kinds")
    )


@pytest.mark.parametrize(
    ("company", "end"), [("own_ways", D(2025, 7, 2)), ("habits", D(2025, 7, 1))]
)
def test_what_fields_toml_says_goes_before_the_evidence(request, company, end):
    """Inclusive, as one dataset says of all its files; exclusive, as the other says of this one."""
    got = request.getfixturevalue(company)
    assert ends_of(got, "compensation", "pay_said")[0][0] == end


def test_an_end_in_the_year_9999_is_none(habits):
    ends = ends_of(habits, "compensation", "pay_9999")
    assert [str(e) for e, _ in ends] == ["9999-12-31"] * 2


# Left open, overlapping, gaps


def test_pay_left_open_ends_when_the_next_begins(habits):
    """Nobody is paid twice."""
    ends = ends_of(habits, "compensation", "pay_open")
    assert ends == [(D(2025, 7, 1), "left_open"), (None, "")]


def test_stays_without_any_end_end_when_the_next_begins(own_ways):
    ends = ends_of(own_ways, "rep_team_history", "stays_open")
    assert ends == [(D(2025, 7, 1), "left_open"), (None, ""), (None, "")]


def test_a_second_team_beside_an_open_stay_is_set_aside_where_others_end(habits):
    """Which team holds cannot be told, and the other reps' stays end as they should."""
    assert habits.aside("rep_team_history") == {"overlapping_membership": 1}


@pytest.mark.parametrize(
    ("table", "file", "end"),
    [("compensation", "pay_overlap", "valid_to"), ("quotas", "quotas_overlap", "period_end")],
)
def test_of_two_that_overlap_one_counts(habits, table, file, end):
    """In no other file of the table two overlap."""
    assert len(ends_of(habits, table, file, end)) == 1
    assert habits.aside(table) == {"overlapping_interval": 1}


def test_an_overlap_is_counted_twice_without_its_rule(own_ways):
    """Switched off by a rule of the dataset's own."""
    assert len(ends_of(own_ways, "quotas", "quotas_overlap", "period_end")) == 2
    assert own_ways.aside("quotas") == {}


def test_days_on_which_nothing_holds_are_flagged(habits):
    """In no other file of pay they are."""
    ends = ends_of(habits, "compensation", "pay_gap")
    assert [f for _, f in ends] == ["", "gap_before", "", ""]
    assert habits.effect("compensation", "gap_before").n_rows == 1


@pytest.mark.parametrize("table", INTERVALS)
def test_a_table_of_intervals_has_the_columns_it_is_read_by(table):
    one, names = INTERVALS[table], {c.name for c in TABLES[table].columns}
    assert {*one.key, one.start, one.end} <= names
    assert bool(interval_rules(table)) == one.is_single
