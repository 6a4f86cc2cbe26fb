"""Rows that hold from day to day: last days as they are meant, none open twice, none paid twice."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from crm_tables import ADA, BEN, NORTH, ROLES, SOUTH, cleaned, opportunity, user, write

from analysis.cleaning.validity import INTERVALS, interval_rules
from analysis.tables.canonical import TABLES

D = dt.date
CY = "005000000000003AAA"
REPS = [user(), user(BEN), user(CY)]


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


def shifter(n: int, start: str, end: str = "", rep: str = ADA) -> dict[str, str]:
    return {
        "shifter_id": f"s{n}",
        "kind": "training",
        "rep_id": rep,
        "team_id": "",
        "start_date": start,
        "end_date": end,
    }


def rate(start: str, end: str = "", value: str = "1.1") -> dict[str, str]:
    return {"currency": "EUR", "valid_from": start, "valid_to": end, "rate_to_reporting": value}


def kept(raw, table: str, rows, end: str = "valid_to", **reading: str):
    """Return the pass, and the clean rows' ends with their flags, by key."""
    write(raw, User=REPS, UserRole=ROLES, Opportunity=[opportunity(1)], **{table: rows})
    if reading:
        said = "\n".join(f'{k} = "{v}"' for k, v in reading.items())
        (raw / "fields.toml").write_text(f"[reading]\n{said}\n")
    got = cleaned()
    clean = got.tables[table].fillna({"flagged_by": ""})
    return got, [
        (None if pd.isna(e) else e, f) for e, f in zip(clean[end], clean["flagged_by"], strict=True)
    ]


def notes(got, table: str) -> list[str]:
    (file,) = (f for f in got.audit.files if f.file == f"{table}.csv")
    return [n for n in (*file.notes, *file.warnings) if n.startswith(table)]


# Last days


@pytest.mark.parametrize(
    ("table", "rows", "end"),
    [
        ("rep_team_history", [stay(r, *days) for r in (ADA, BEN) for days in (("2025-01-01", "2025-06-30"), ("2025-07-01", "2025-09-30"), ("2025-10-01",))], "valid_to"),
        ("compensation", [pay(r, *days) for r in (ADA, BEN) for days in (("2025-01-01", "2025-06-30"), ("2025-07-01", "2025-09-30"), ("2025-10-01",))], "valid_to"),
    ],
)  # fmt: skip
def test_ends_a_day_before_the_next_row_are_last_days(raw, table, rows, end):
    """30 June and 30 September count, so the first days that do not are 1 July and 1 October."""
    got, ends = kept(raw, table, rows, end)
    assert {e for e, _ in ends if e} == {D(2025, 7, 1), D(2025, 10, 1)}
    assert all(flags == "" for _, flags in ends)
    assert any("valid_to is the last day that counts" in n for n in notes(got, table))


def test_ends_that_are_the_next_start_are_left_as_they_are(raw):
    got, ends = kept(
        raw, "compensation", [pay(ADA, "2025-01-01", "2025-07-01"), pay(ADA, "2025-07-01")]
    )
    assert ends == [(D(2025, 7, 1), ""), (None, "")]
    assert notes(got, "compensation") == []


@pytest.mark.parametrize(
    ("last", "first_after"),
    [
        (("2025-03-31", "2025-06-30", "2025-09-30"), D(2025, 4, 1)),
        (("2025-04-01", "2025-07-01", "2025-10-01"), D(2025, 4, 1)),
    ],
)
def test_quotas_of_one_quarter_end_on_its_last_day_or_the_day_after(raw, last, first_after):
    """One quota a rep, so that no row follows another: the ends of months tell."""
    starts = ("2025-01-01", "2025-04-01", "2025-07-01")
    rows = [quota(r, s, e) for r, s, e in zip((ADA, BEN, CY), starts, last, strict=True)]
    _, ends = kept(raw, "quotas", rows, "period_end")
    assert min(e for e, _ in ends) == first_after


def test_a_training_that_ends_the_day_it_begins_is_a_day(raw):
    got, ends = kept(
        raw,
        "hours_shifters",
        [shifter(1, "2025-03-04", "2025-03-04"), shifter(2, "2025-05-06", "2025-05-08")],
        "end_date",
    )
    assert [e for e, _ in ends] == [D(2025, 3, 5), D(2025, 5, 9)]
    assert any("which is then a day and not none" in n for n in notes(got, "hours_shifters"))


def test_one_end_in_many_a_day_early_is_flagged_and_not_the_habit(raw):
    """Twenty-eight that meet, and Cy's that leaves a day out."""
    whole = [
        pay(r, f"{2000 + y}-01-01", f"{2001 + y}-01-01") for r in (ADA, BEN) for y in range(5, 20)
    ]
    got, _ = kept(
        raw, "compensation", [*whole, pay(CY, "2018-01-01", "2018-12-31"), pay(CY, "2019-01-01")]
    )
    assert got.effect("compensation", "gap_of_one_day").n_rows == 1
    assert notes(got, "compensation") == []


def test_ends_of_two_kinds_are_left_and_warned_of(raw):
    rows = [
        pay(ADA, "2024-01-01", "2024-12-31"),
        pay(ADA, "2025-01-01"),
        pay(BEN, "2024-01-01", "2025-01-01"),
        pay(BEN, "2025-01-01"),
    ]
    got, ends = kept(raw, "compensation", rows)
    assert ends[0][0] == D(2024, 12, 31)
    assert got.effect("compensation", "gap_of_one_day").n_rows == 1
    assert any(
        "its valid_to are of two kinds" in n and "fields.toml" in n
        for n in notes(got, "compensation")
    )


@pytest.mark.parametrize(
    ("said", "end"), [("inclusive", D(2025, 7, 2)), ("exclusive", D(2025, 7, 1))]
)
def test_what_fields_toml_says_goes_before_the_evidence(raw, said, end):
    _, ends = kept(
        raw,
        "compensation",
        [pay(ADA, "2025-01-01", "2025-07-01"), pay(BEN, "2025-07-02")],
        last_day=said,
    )
    assert ends[0][0] == end


def test_an_end_in_the_year_9999_is_none(raw):
    _, ends = kept(
        raw,
        "compensation",
        [pay(ADA, "2025-01-01", "9999-12-31"), pay(BEN, "2025-01-01", "9999-12-31")],
    )
    assert [str(e) for e, _ in ends] == ["9999-12-31"] * 2


# Left open, overlapping, gaps


def test_pay_left_open_ends_when_the_next_begins(raw):
    """Nobody is paid twice."""
    _, ends = kept(
        raw, "compensation", [pay(ADA, "2025-01-01"), pay(ADA, "2025-07-01", base="110000")]
    )
    assert ends == [(D(2025, 7, 1), "left_open"), (None, "")]


def test_stays_without_any_end_end_when_the_next_begins(raw):
    _, ends = kept(
        raw,
        "rep_team_history",
        [stay(ADA, "2025-01-01"), stay(ADA, "2025-07-01", team=SOUTH), stay(BEN, "2025-01-01")],
    )
    assert ends == [(D(2025, 7, 1), "left_open"), (None, ""), (None, "")]


def test_a_second_team_beside_an_open_stay_is_set_aside_where_others_end(raw):
    """Which team holds cannot be told, and Ben's and Cy's stays end as they should."""
    ended = [
        stay(r, *days)
        for r in (BEN, CY)
        for days in (("2025-01-01", "2025-07-01"), ("2025-07-01",))
    ]
    got, _ = kept(
        raw,
        "rep_team_history",
        [*ended, stay(ADA, "2025-01-01"), stay(ADA, "2025-05-01", team=SOUTH)],
    )
    assert got.aside("rep_team_history") == {"overlapping_membership": 1}


@pytest.mark.parametrize(
    ("table", "rows", "end"),
    [
        ("compensation", [pay(ADA, "2025-01-01", "2025-08-01"), pay(ADA, "2025-07-01", "2026-01-01", "110000")], "valid_to"),
        ("quotas", [quota(ADA, "2025-01-01", "2025-07-01"), quota(ADA, "2025-04-01", "2025-07-01")], "period_end"),
    ],
)  # fmt: skip
def test_of_two_that_overlap_one_counts(raw, table, rows, end):
    got, ends = kept(raw, table, rows, end)
    assert len(ends) == 1
    assert got.aside(table) == {"overlapping_interval": 1}


def test_an_overlap_is_counted_twice_without_its_rule(raw):
    """Switched off by a rule of the dataset's own."""
    (raw / "rules").mkdir()
    (raw / "rules" / "quotas.toml").write_text(
        '[[rule]]\nname = "overlapping_interval"\naction = "quarantine"\nwhen = "false"\nreason = "ours add up"\n'
    )
    got, ends = kept(
        raw,
        "quotas",
        [quota(ADA, "2025-01-01", "2025-07-01"), quota(ADA, "2025-04-01", "2025-07-01")],
        "period_end",
    )
    assert len(ends) == 2
    assert got.aside("quotas") == {}


def test_days_on_which_nothing_holds_are_flagged(raw):
    rows = [
        pay(ADA, "2025-01-01", "2025-04-01"),
        pay(ADA, "2025-07-01"),
        pay(BEN, "2025-01-01", "2025-07-01"),
        pay(BEN, "2025-07-01"),
    ]
    got, ends = kept(raw, "compensation", rows)
    assert [f for _, f in ends] == ["", "gap_before", "", ""]
    assert got.effect("compensation", "gap_before").n_rows == 1


@pytest.mark.parametrize("table", INTERVALS)
def test_a_table_of_intervals_has_the_columns_it_is_read_by(table):
    one, names = INTERVALS[table], {c.name for c in TABLES[table].columns}
    assert {*one.key, one.start, one.end} <= names
    assert bool(interval_rules(table)) == one.is_single
