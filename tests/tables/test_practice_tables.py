"""The files that tell how sales and marketing work together: read, cleaned, templated, and kept inert."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io

import pytest
from crm_tables import ADA, BEN, NORTH, ROLES, cleaned, opportunity, user, write

from analysis.sources import field_maps, intake, recognise, templates
from analysis.tables.canonical import TABLES

NAMES = [
    "sales_ready_definitions",
    "goals",
    "plans",
    "activity_targets",
    "incentives",
    "metric_packs",
    "target_accounts",
    "campaign_notices",
    "assets",
    "asset_uses",
    "marketing_requests",
    "joint_meetings",
    "survey_answers",
    "programme_costs",
    "feedback",
    "stage_owners",
    "campaign_milestones",
    "content_ideas",
    "content_trials",
    "channels",
]
HOSTILE = [
    "'; drop table goals; --",
    '=HYPERLINK("http://evil.example","x")',
    "<script>alert(1)</script>",
    "#panic()",
    "$x$",
]


A, B = "001000000000001AAA", "001000000000002AAA"
PLAN = {
    "plan_id": "p1", "team_id": NORTH, "side": "SALES", "period_start": "2026-01-13", "period_end": "2026-04-13",
    "signed_by_sales_on": "2026-01-05", "signed_by_marketing_on": "",
}  # fmt: skip
MEETING = {
    "meeting_id": "m1", "team_id": "", "held_on": "2026-02-13", "kind": "Weekly", "has_agenda": "yes", "has_leader": "0",
    "minutes_late": "", "is_executive_present": "",
}  # fmt: skip
EUROS = {
    "currency": "EUR", "valid_from": "2025-12-15", "valid_to": "2026-01-15", "rate_to_reporting": "1.1",
}  # fmt: skip
COST = {
    "cost_id": "x1", "team_id": NORTH, "period_start": "2026-01-01", "period_end": "2026-04-01", "kind": "people",
    "cost_amount": "100", "currency": "USD",
}  # fmt: skip
COSTS = [
    COST, COST | {"cost_id": "x2", "currency": "EUR"}, COST | {"cost_id": "x3", "currency": "GBP"},
    COST | {"cost_id": "x4", "currency": ""}, COST | {"cost_id": "x5", "cost_amount": ""},
]  # fmt: skip
LINE = {
    "team_id": NORTH, "valid_from": "2026-01-13", "valid_to": "", "approved_by_sales_on": "", "approved_by_marketing_on": "",
}  # fmt: skip
LINES = [
    LINE | {"side": s, "account_id": i}
    for s, i in (("sales", A), ("sales", B), ("marketing", B), ("sales", "001x"))
]
FEEDBACK = [
    {
        "feedback_id": f"b{n}", "team_id": NORTH, "rep_id": ADA, "reported_on": "2026-02-13", "theme": t, "trend": t,
        "product_id": "", "segment": t,
    }
    for n, t in enumerate(HOSTILE)
]  # fmt: skip
GOALS = [
    {
        "goal_id": t, "team_id": NORTH, "period_start": "2026-01-13", "period_end": "2026-04-13", "metric": t,
        "target_value": "", "sales_owner_rep_id": "", "marketing_owner_rep_id": "",
    }
    for t in HOSTILE
    if "=" not in t and "#" not in t
]  # fmt: skip
OFF_SCALE = {"v1": "6", "v2": "4.5", "v3": ""}  # the third answer of each response
ANSWERS = [
    {
        "response_id": response, "team_id": NORTH, "side": "sales", "answered_on": "2026-03-13", "item": str(n),
        "score": score if n == 3 else "4",
    }
    for response, score in OFF_SCALE.items()
    for n in range(1, 11)
]  # fmt: skip


def write_company(raw, **files) -> None:
    """Write a company of Ada's team with the files given."""
    write(raw, Opportunity=[opportunity(1)], User=[user(), user(BEN)], UserRole=ROLES, **files)


@pytest.fixture(scope="module")
def company(clean_folder):
    """Return the pass over a company with the files of most tests."""
    later = [MEETING | {"meeting_id": d, "held_on": d} for d in ("2026-03-31", "2026-04-01")]
    accounts = [
        {"Id": i, "Name": i, "Industry": "", "MasterRecordId": m} for i, m in ((A, ""), (B, A))
    ]
    return clean_folder(
        functools.partial(
            write_company,
            plans=[PLAN],
            joint_meetings=[MEETING, *later],
            programme_costs=COSTS,
            fx_rates=[EUROS],
            Account=accounts,
            target_accounts=LINES,
            feedback=FEEDBACK,
            goals=GOALS,
            survey_answers=ANSWERS,
        )
    )


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
    write_company(raw)
    got = cleaned()
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
    write_company(raw, **files)
    got = cleaned()
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


def test_sides_and_kinds_are_one_word_however_they_are_written(company):
    """Sales, SALES and sales; a pair of plans that differs in nothing else conflicts."""
    assert company.tables["plans"]["side"].tolist() == ["sales"]
    row = company.rows("joint_meetings", "m1").iloc[0]
    assert (row["kind"], row["has_agenda"], row["has_leader"]) == ("weekly", True, False)
    assert row[["team_id", "minutes_late", "is_executive_present"]].isna().all()


def test_costs_are_converted_at_the_rate_of_their_first_day(company):
    """100 EUR at 1.10 are 110.00; 100 GBP have no rate, and 100 of no currency no sign: both are set aside."""
    held = company.tables["programme_costs"].set_index("cost_id")
    assert held["cost_amount"].to_dict() == {"x1": 100.0, "x2": 110.0}
    assert held["currency"].to_dict() == {"x1": "USD", "x2": "EUR"}
    assert company.aside("programme_costs") == {"unknown_currency": 2, "missing_amount": 1}
    assert company.account("programme_costs") == (5, 2, 3, 0)


def test_a_list_follows_an_account_to_the_one_it_was_merged_into(company):
    """B went into A: where A stands on the list already B's line is dropped, elsewhere it counts as A's."""
    held = company.tables["target_accounts"]
    assert held[["side", "account_id"]].to_numpy().tolist() == [["marketing", A], ["sales", A]]
    assert company.aside("target_accounts") == {"merged_account": 1, "unknown_account": 1}


def test_hostile_words_stay_words(company):
    """Theme, trend, segment, metric: each comes out as it went in, and every table still stands."""
    for column in ("theme", "trend", "segment"):
        assert sorted(company.tables["feedback"][column]) == sorted(HOSTILE)
    assert sorted(company.tables["goals"]["metric"]) == sorted(g["metric"] for g in GOALS)
    assert len(company.tables["reps"]) == 2


@pytest.mark.parametrize(
    ("response", "rule"),
    [("v1", "score_out_of_range"), ("v2", "unreadable_number"), ("v3", "missing_required")],
)
def test_an_answer_off_the_scale_is_set_aside_and_its_sheet_stays(company, response, rule):
    """One answer of each of the three responses goes; the other nine items are still answers."""
    assert company.account("survey_answers") == (30, 27, 3, 0)
    assert company.aside("survey_answers")[rule] == 1
    answers = company.rows("survey_answers", response)
    assert answers["item"].tolist() == [1, 2, 4, 5, 6, 7, 8, 9, 10]


def test_reviews_are_no_exports(raw):
    """A folder of TOML files beside the exports is neither read nor refused."""
    (raw / "reviews").mkdir()
    (raw / "reviews" / "2026Q1.toml").write_text("held_on = 2026-04-14\n")
    write(raw, goals=[{"goal_id": "g"}])
    assert [f.name for f in intake.files_of(raw)] == ["goals.csv"]


def test_dates_after_the_export_are_no_facts(company):
    """A meeting of 1 April is not held yet on 31 March; one of that day is."""
    held = company.rows("joint_meetings", "2026-03-31", "2026-04-01")
    assert held["held_on"].tolist() == [dt.date(2026, 3, 31)]
    assert company.aside("joint_meetings") == {"after_as_of": 1}
