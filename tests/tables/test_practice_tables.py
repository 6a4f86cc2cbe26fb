"""The files that tell how sales and marketing work together: read, cleaned, templated, and kept inert."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from crm_tables import ADA, BEN, NORTH, ROLES, Pass, cleaned, opportunity, user, write

from analysis.sources import field_maps, intake, recognise, templates
from analysis.tables.canonical import TABLES
from analysis.tables.practice_tables import PRACTICE_TABLES

NAMES = [t.name for t in PRACTICE_TABLES]
HOSTILE = [
    "'; drop table goals; --",
    '=HYPERLINK("http://evil.example","x")',
    "<script>alert(1)</script>",
    "#panic()",
    "$x$",
]


def company(raw, **files) -> Pass:
    """Clean a company of Ada's team with the files given."""
    write(raw, Opportunity=[opportunity(1)], User=[user(), user(BEN)], UserRole=ROLES, **files)
    return cleaned()


def test_each_template_is_read_into_its_own_table(raw):
    """Nobody else's layout has its columns: the file may have any name."""
    templates.write_templates(raw)
    known = field_maps.exports_known("here")
    for template in templates.hand_kept_templates():
        found = recognise.recognise_layouts(template.columns, known)
        assert [e.table for e in found] == [template.table], template.name
    assert {t.table for t in templates.hand_kept_templates()} >= set(NAMES)


def test_empty_templates_are_refused_nowhere_and_fill_nothing(raw):
    templates.write_templates(raw)
    got = company(raw)
    assert got.audit.refusals == ()
    assert all(got.account(name) == (0, 0, 0, 0) for name in NAMES)


def test_the_readme_of_a_dataset_says_what_each_file_is_for_with_an_example(raw):
    templates.write_templates(raw)
    text = (raw / "README.md").read_text()
    for name in NAMES:
        assert f"`{name}.csv`: one row is {TABLES[name].row}." in text
        assert f"For example `{templates.EXAMPLES[name]}`" in text


def test_the_examples_can_be_read_cell_by_cell(raw):
    """Their ids are nobody's here, so rules may ask who they are; no cell is of another form and none is missing."""
    files = {}
    for template in templates.hand_kept_templates():
        (cells,) = csv.reader(io.StringIO(templates.EXAMPLES[template.name]))
        files[template.name] = [dict(zip(template.columns, cells, strict=True))]
    got = company(raw, **files)
    assert got.audit.refusals == ()
    held = got.tables["set_aside"]
    assert (
        not held["rule"].str.startswith(("unreadable", "missing_", "spreadsheet", "unmapped")).any()
    )
    assert set(held["rule"]) <= {
        "unknown_rep",
        "unknown_team",
        "unknown_account",
        "unknown_campaign",
        "unknown_asset",
        "unknown_owner",
        "after_as_of",
        "unknown_unit",
        "matches_nothing",
        "not_a_sales_team",
    }


def test_sides_and_kinds_are_one_word_however_they_are_written(raw):
    """Sales, SALES and sales; a pair of plans that differs in nothing else conflicts."""
    plan = {
        "plan_id": "p1",
        "team_id": NORTH,
        "side": "SALES",
        "period_start": "2026-01-13",
        "period_end": "2026-04-13",
    }
    signed = {"signed_by_sales_on": "2026-01-05", "signed_by_marketing_on": ""}
    meeting = {"meeting_id": "m1", "team_id": "", "held_on": "2026-02-13", "kind": "Weekly"}
    flags = {"has_agenda": "yes", "has_leader": "0", "minutes_late": "", "is_executive_present": ""}
    got = company(raw, plans=[plan | signed], joint_meetings=[meeting | flags])
    assert got.tables["plans"]["side"].tolist() == ["sales"]
    row = got.tables["joint_meetings"].iloc[0]
    assert (row["kind"], row["has_agenda"], row["has_leader"]) == ("weekly", True, False)
    assert row[["team_id", "minutes_late", "is_executive_present"]].isna().all()


def cost(n: int, **other: str) -> dict[str, str]:
    row = {
        "cost_id": f"x{n}",
        "team_id": NORTH,
        "period_start": "2026-01-01",
        "period_end": "2026-04-01",
    }
    return row | {"kind": "people", "cost_amount": "100", "currency": "USD"} | other


def test_costs_are_converted_at_the_rate_of_their_first_day(raw):
    """100 EUR at 1.10 are 110.00; 100 GBP have no rate, and 100 of no currency no sign: both are set aside."""
    rates = [
        {
            "currency": "EUR",
            "valid_from": "2025-12-15",
            "valid_to": "2026-01-15",
            "rate_to_reporting": "1.1",
        }
    ]
    costs = [
        cost(1),
        cost(2, currency="EUR"),
        cost(3, currency="GBP"),
        cost(4, currency=""),
        cost(5, cost_amount=""),
    ]
    got = company(raw, programme_costs=costs, fx_rates=rates)
    held = got.tables["programme_costs"].set_index("cost_id")
    assert held["cost_amount"].to_dict() == {"x1": 100.0, "x2": 110.0}
    assert held["currency"].to_dict() == {"x1": "USD", "x2": "EUR"}
    assert got.aside("programme_costs") == {"unknown_currency": 2, "missing_amount": 1}
    assert got.account("programme_costs") == (5, 2, 3, 0)


def test_a_list_follows_an_account_to_the_one_it_was_merged_into(raw):
    """B went into A: where A stands on the list already B's line is dropped, elsewhere it counts as A's."""
    a, b = (f"001{n:012d}AAA" for n in (1, 2))
    accounts = [
        {"Id": i, "Name": i, "Industry": "", "MasterRecordId": m} for i, m in ((a, ""), (b, a))
    ]
    line = {
        "team_id": NORTH,
        "valid_from": "2026-01-13",
        "valid_to": "",
        "approved_by_sales_on": "",
        "approved_by_marketing_on": "",
    }
    lines = [
        line | {"side": s, "account_id": i}
        for s, i in (("sales", a), ("sales", b), ("marketing", b), ("sales", "001x"))
    ]
    got = company(raw, Account=accounts, target_accounts=lines)
    held = got.tables["target_accounts"]
    assert held[["side", "account_id"]].to_numpy().tolist() == [["marketing", a], ["sales", a]]
    assert got.aside("target_accounts") == {"merged_account": 1, "unknown_account": 1}


def test_hostile_words_stay_words(raw):
    """Theme, trend, segment, metric: each comes out as it went in, and every table still stands."""
    said = [
        {
            "feedback_id": f"b{n}",
            "team_id": NORTH,
            "rep_id": ADA,
            "reported_on": "2026-02-13",
            "theme": t,
            "trend": t,
            "product_id": "",
            "segment": t,
        }
        for n, t in enumerate(HOSTILE)
    ]
    goals = [
        {
            "goal_id": t,
            "team_id": NORTH,
            "period_start": "2026-01-13",
            "period_end": "2026-04-13",
            "metric": t,
            "target_value": "",
            "sales_owner_rep_id": "",
            "marketing_owner_rep_id": "",
        }
        for t in HOSTILE
        if "=" not in t and "#" not in t
    ]
    got = company(raw, feedback=said, goals=goals)
    for column in ("theme", "trend", "segment"):
        assert sorted(got.tables["feedback"][column]) == sorted(HOSTILE)
    assert sorted(got.tables["goals"]["metric"]) == sorted(g["metric"] for g in goals)
    assert len(got.tables["reps"]) == 2


@pytest.mark.parametrize(
    ("score", "rule"),
    [("6", "score_out_of_range"), ("4.5", "unreadable_number"), ("", "missing_required")],
)
def test_an_answer_off_the_scale_is_set_aside_and_its_sheet_stays(raw, score, rule):
    """One answer of the response goes; the other nine items are still answers."""
    row = {"response_id": "v1", "team_id": NORTH, "side": "sales", "answered_on": "2026-03-13"}
    answers = [row | {"item": str(n), "score": score if n == 3 else "4"} for n in range(1, 11)]
    got = company(raw, survey_answers=answers)
    assert got.account("survey_answers") == (10, 9, 1, 0)
    assert got.aside("survey_answers") == {rule: 1}
    assert got.tables["survey_answers"]["item"].tolist() == [1, 2, 4, 5, 6, 7, 8, 9, 10]


def test_reviews_are_no_exports(raw):
    """A folder of TOML files beside the exports is neither read nor refused."""
    (raw / "reviews").mkdir()
    (raw / "reviews" / "2026Q1.toml").write_text("held_on = 2026-04-14\n")
    write(raw, goals=[{"goal_id": "g"}])
    assert [f.name for f in intake.files_of(raw)] == ["goals.csv"]


def test_dates_after_the_export_are_no_facts(raw):
    """A meeting of 1 April is not held yet on 31 March; one of that day is."""
    rows = [
        {
            "meeting_id": d,
            "team_id": NORTH,
            "held_on": d,
            "kind": "weekly",
            "has_agenda": "",
            "has_leader": "",
            "minutes_late": "",
            "is_executive_present": "",
        }
        for d in ("2026-03-31", "2026-04-01")
    ]
    got = company(raw, joint_meetings=rows)
    assert got.tables["joint_meetings"]["held_on"].tolist() == [dt.date(2026, 3, 31)]
    assert got.aside("joint_meetings") == {"after_as_of": 1}
