"""What the gate says of a question reaches every reader: page one, cards, key metrics, chapters, provenance."""

import json

import pytest
from report_cells import compiled, outputs, result, said, shows, write
from shown import show_as

from analysis.chapters.data_quality import answerability
from analysis.project import settings
from analysis.project.settings import KeyMetric
from analysis.report import output, page_plan, show
from analysis.report.run import plan as run_plan
from analysis.report.run import provenance
from analysis.store import needs
from analysis.store.company import Company
from analysis.store.run_record import Outcome

LOST = "60 of 200 deals of March are in no row."


def finding(
    check: str, severity: str, *questions: str, accepted=None, sentence=LOST
) -> dict[str, object]:
    """Return a finding as the account of a pass holds it."""
    return {
        "check": check, "table": "opportunities", "questions": list(questions), "severity": severity, "value": 0.3,
        "n": 200, "sentence": sentence, "remedy": "Export March again.", "examples": [], "accepted": accepted,
    }  # fmt: skip


def account(findings=(), absent=(), rules=(), **statuses) -> dict[str, object]:
    """Return an account whose gate found these; each question of `statuses` has that status and every check."""
    every = {q: {"status": "answered", "checks": []} for q in answerability.QUESTION_WORDS}
    checks = [f["check"] for f in findings]
    for name, status in statuses.items():
        every[name] = {"status": status.replace("_", " "), "checks": checks}
    controls = [{"control": c, "remedy": f"Export {c}."} for c in absent]
    return {
        "dataset": "here",
        "tables": [{"table": "opportunities", "n_in": 200}],
        "rules": list(rules),
        "gate": {"findings": list(findings), "questions": every, "controls_absent": controls},
    }


@pytest.fixture
def damaged():
    """Bookings withheld, win rate warned of."""
    found = [
        finding("rows", "withhold", "bookings"),
        finding("months", "warn", "win_rate", sentence="May is thin."),
    ]
    return account(found, bookings="withheld", win_rate="warned")


@pytest.fixture
def withholding(damaged):
    """Let cards be made for a company of which bookings are withheld, and clear that away."""
    show_as(currency="EUR", smallest_cell=5, audit=damaged)
    yield
    show_as(currency="USD", smallest_cell=5)


def test_every_headline_of_the_notebooks_belongs_to_a_question():
    """A headline that no question covers would be shown although its question is withheld."""
    known = set(answerability.METRIC_QUESTIONS.values())
    assert known == set(answerability.QUESTION_WORDS)
    assert set(page_plan.QUESTIONS) - {"next"} <= known


def test_an_account_without_a_gate_withholds_nothing():
    assert answerability.withheld_questions({"tables": []}) == {}
    assert answerability.page_one_lines({"tables": []}, "USD") == []
    assert not answerability.is_all_withheld({})


def test_a_withheld_figure_shows_the_reason_and_no_number(withholding):
    card = show.card(
        result("bookings", 590_000.0, 5e5, 6e5, unit="EUR"), label="Bookings", headline=True
    )
    assert card["shown"] == {"value": "withheld", "unit": "", "interval": "", "n": ""}
    assert (card["estimate"], card["low"], card["high"], card["n"]) == (None, None, None, None)
    assert (card["verdict"], card["note"]) == ("withheld", LOST)
    (metric,) = output.headline_metrics([card]).values()
    assert "590" not in json.dumps(metric)
    assert metric["method"] == f"withheld: {LOST} Export March again."


def test_a_figure_warned_of_stays_a_figure(withholding):
    card = show.card(result("win_rate", 0.3, 0.28, 0.32, unit="of deals closed"), label="Win rate")
    assert card["estimate"] == 0.3


def test_a_table_of_a_withheld_question_is_its_reason(withholding):
    (output,) = outputs(show.is_withheld, "win_rate", "bookings")
    assert "Withheld." in output["data"]["text/plain"]
    assert LOST.rstrip(".") in output["data"]["text/plain"]
    assert outputs(show.is_withheld, "win_rate") == []


def test_a_key_metric_withheld_has_neither_value_nor_met_nor_trend(withholding):
    card = show.card(
        result("bookings", 590_000.0, 5e5, 6e5, unit="EUR"), label="Bookings", headline=True
    )
    watched = KeyMetric(name="bookings", owner="Finance", definition="won", target=500_000.0)
    (row,) = page_plan.key_metrics(
        [watched], [card], [], {"bookings": {"2026Q1": 1.0, "2026Q2": 2.0}}
    )
    assert (row["value"], row["met"], row["trend"]) == ("withheld", "withheld", [])


def test_a_key_metric_whose_chapter_is_left_out_is_withheld_too(damaged):
    watched = KeyMetric(name="bookings", owner="Finance", definition="won", target=1.0)
    (row,) = page_plan.key_metrics([watched], [], [], {}, answerability.withheld_metrics(damaged))
    assert (row["value"], row["met"]) == ("withheld", "")


def test_a_figure_of_a_withheld_question_has_no_value_wherever_it_is_used(damaged):
    """Bookings are withheld there and the win rate of other things is not: only the first goes."""
    booked = result("bookings", 590_000.0, 5e5, 6e5, unit="EUR")
    hidden = answerability.hide_withheld(booked, damaged)
    assert (hidden.is_known, hidden.name) == (False, "bookings")
    other = booked._replace(name="growth_gap_of_another")
    assert answerability.hide_withheld(other, damaged) is other


def test_a_target_nobody_set_is_neither_met_nor_missed():
    show_as(currency="USD", smallest_cell=5)
    card = show.card(result("win_rate", 1.0, 0.9, 1.0, unit="of deals closed"), label="Win rate")
    watched = KeyMetric(name="win_rate", owner="Sales", definition="won of closed")
    (row,) = page_plan.key_metrics([watched], [card], [], {})
    assert (row["target"], row["met"]) == ("no target set", "")


def test_page_one_says_in_four_lines_what_the_gate_says(damaged):
    taken = {
        "table": "opportunities",
        "action": "quarantine",
        "rule": "negative_amount",
        "n_rows": 30,
        "money_amount": 4_200_000.0,
    }
    damaged["rules"] = [taken, taken | {"action": "flag"}, taken | {"table": "activities"}]
    damaged["gate"]["controls_absent"] = [{"control": "stage history", "remedy": "Export it."}]
    assert answerability.page_one_lines(damaged, "EUR") == [
        {"head": "Withheld", "text": f"bookings. {LOST}"},
        {"head": "Warned", "text": "win rate. May is thin."},
        {
            "head": "Set aside",
            "text": "30 of 200 deals are in no figure. 30 of them come to €4.20M.",
        },
        {"head": "Not exported", "text": "stage history. With them one file could check another."},
    ]


def test_money_that_is_known_in_part_is_told_as_a_least_sum():
    """Rows of a currency without a rate have an amount nobody can add up."""
    taken = {
        "table": "opportunities",
        "action": "quarantine",
        "rule": "negative_amount",
        "n_rows": 30,
        "money_amount": 4_200_000.0,
    }
    lines = answerability.page_one_lines(
        account(rules=[taken, taken | {"money_amount": None}]), "EUR"
    )
    assert lines == [
        {
            "head": "Set aside",
            "text": "60 of 200 deals are in no figure. 60 of them come to at least €4.20M.",
        }
    ]


def test_an_amount_of_another_scale_is_no_money_that_is_missing():
    """Eleven amounts a hundred times too large are named apart from the rest."""
    rest = {"table": "opportunities", "action": "quarantine", "rule": "unreadable_date"}
    rest |= {"n_rows": 30, "money_amount": 4_200_000.0}
    slips = rest | {"rule": "amount_contradicts_history", "n_rows": 11, "money_amount": 4e8}
    (line,) = answerability.page_one_lines(account(rules=[rest, slips]), "EUR")
    assert line["text"] == (
        "41 of 200 deals are in no figure. 30 of them come to €4.20M. 11 carry amounts far above "
        "what the stage history says (€400.00M): most likely a slip of typing."
    )


def test_the_finding_that_explains_most_stands_first():
    found = [
        finding("goals", "withhold", "index", sentence="No goal could be used."),
        finding("rows", "withhold", "bookings", "win_rate"),
    ]
    lines = answerability.page_one_lines(
        account(found, bookings="withheld", win_rate="withheld", index="withheld"), "EUR"
    )
    assert lines[0]["text"] == f"bookings, win rate and the alignment index. {LOST} And 1 more."


def test_what_only_touches_a_question_is_its_warning():
    """Pay of too few withholds cost, and worth is warned of for the same cause."""
    lines = answerability.page_one_lines(
        account([finding("pay", "withhold", "cost", "worth")], cost="withheld", worth="warned"),
        "EUR",
    )
    assert [line["text"] for line in lines] == [
        f"the cost of an hour. {LOST}",
        f"the worth of an hour. {LOST}",
    ]


def test_an_accepted_warning_is_told_with_reason_and_day_and_nowhere_else():
    taken = {"reason": "The spring fair moved.", "accepted_on": "2026-10-01"}
    told = account([finding("months", "warn", "win_rate", accepted=taken)])
    assert answerability.page_one_lines(told, "EUR") == []
    assert answerability.plain_lines(told) == ([], [])
    (row,) = answerability.finding_rows(told)
    assert row["result"] == "accepted on 2026-10-01: win rate"
    assert "Accepted because: The spring fair moved." in row["what was seen"]


def test_the_console_says_what_is_warned_of_and_withheld(damaged):
    warned, withheld = answerability.plain_lines(damaged)
    assert warned == ["warning (win rate): May is thin. Export March again."]
    assert withheld == [f"withheld (bookings): {LOST} Export March again."]


@pytest.mark.parametrize(
    ("statuses", "is_all"),
    [
        (dict.fromkeys(answerability.QUESTION_WORDS, "withheld"), True),
        (dict.fromkeys(answerability.QUESTION_WORDS, "withheld") | {"pay": "not_asked"}, True),
        (dict.fromkeys(answerability.QUESTION_WORDS, "withheld") | {"pay": "warned"}, False),
        (dict.fromkeys(answerability.QUESTION_WORDS, "not_asked"), False),
    ],
)
def test_a_report_fails_where_every_question_asked_is_withheld(statuses, is_all):
    assert (
        answerability.is_all_withheld(account([finding("rows", "withhold")], **statuses)) == is_all
    )


def test_a_withheld_question_has_a_page_that_says_why_instead_of_figures(tmp_path):
    gap = {
        "position": 0, "title": "2_cost", "question": "What does it cost?", "needs": [], "why": f"{LOST} Export March again.",
        "answers": ["cost"], "is_withheld": True,
    }  # fmt: skip
    other = write(
        tmp_path,
        "1.ipynb",
        said("# What is there?\nFor all."),
        shows(show.finding, "All is there.", verdict="found"),
    )
    doc = compiled(
        other, missing=[gap], exports=[{"head": "Withheld", "text": "the cost of an hour."}]
    )
    line = next(one for one in doc["lines"] if one["key"] == "cost")
    assert (line["word"], line["children"]) == ("Withheld", [f"{LOST} Export March again."])
    assert doc["exports"] == [{"head": "Withheld", "text": "the cost of an hour."}]
    assert "needs" not in doc["statements"]["cannot_tell"][0]


def _notebook(folder, name, answers):
    own = {"alignment_roi": {"needs": {"opportunities": ["status"]}, "answers": answers}}
    cells = [{"cell_type": "markdown", "metadata": {}, "source": f"# {name}?"}]
    (folder / f"{name}.ipynb").write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": own, "cells": cells})
    )


def test_the_plan_leaves_out_the_chapter_of_a_withheld_question(raw, damaged):
    folder = raw.parents[2] / "notebooks"
    folder.mkdir()
    _notebook(folder, "1_data", [])
    _notebook(folder, "2_cost", ["cost"])
    held = {"table": "opportunities", "n_in": 200, "n_clean": 140, "columns": {"status": 140}}
    state = account([finding("rows", "withhold", "cost")], cost="withheld")
    state |= {"as_of": "2026-09-30", "first_day": "2026-01-01", "stamp": "s", "tables": [held]}
    company = Company("here", "2026Q3", settings.load_dataset_settings("here"), state)
    made = run_plan.plan_report(company, {})
    assert [n.stem for n in made.notebooks] == ["1_data"]
    (gap,) = made.missing
    assert (gap["title"], gap["is_withheld"], gap["why"]) == (
        "2_cost",
        True,
        f"{LOST} Export March again.",
    )
    assert needs.read_requirements(folder / "2_cost.ipynb").answers == ["cost"]


def test_a_chapter_the_data_stop_is_a_page_and_a_bug_stays_a_failure(raw):
    folder = raw.parents[2] / "notebooks"
    folder.mkdir()
    for name in ("1_data", "3_worth", "5_pay"):
        _notebook(folder, name, [])
    plan = run_plan.Plan("id", {}, sorted(folder.glob("*.ipynb")), [], {})
    stopped = "CrmDataError: rep_quarter: bookings_amount is 0 in every row, so there is nothing to explain."
    ends = [
        Outcome("1_data", "ok", 1.0),
        Outcome("3_worth", "failed", 1.0, 4, stopped),
        Outcome("5_pay", "failed", 1.0, 4, "KeyError: x"),
    ]
    made, left = run_plan.without_unanswerable(plan, ends)
    assert [n.stem for n in made.notebooks] == ["1_data", "5_pay"]
    assert [(g["title"], g["position"], g["why"]) for g in made.missing] == [
        ("3_worth", 1, "Bookings_amount is 0 in every row, so there is nothing to explain.")
    ]
    assert [(o.notebook, o.status) for o in left] == [("1_data", "ok"), ("5_pay", "failed")]


def test_the_provenance_page_lists_questions_findings_and_what_is_absent(damaged):
    rows = answerability.finding_rows(damaged)
    assert [row["result"] for row in rows] == ["withheld: bookings", "warned: win rate"]
    damaged["gate"]["controls_absent"] = [
        {"control": "attendees", "remedy": "Export EventRelation."}
    ]
    assert answerability.absent_rows(damaged) == [
        {"absent": "attendees", "what to export": "Export EventRelation."}
    ]
    assert hasattr(provenance, "provenance_facts")


def test_a_chapter_the_data_stopped_withholds_what_was_open_and_nothing_else():
    verdicts = {
        "worth": {"status": "answered", "checks": []},
        "hours": {"status": "not asked", "checks": []},
        "cost": {"status": "answered", "checks": []},
    }
    account = {"gate": {"findings": [], "questions": verdicts}}
    got = answerability.with_stopped(account, [(["worth", "hours"], "rep_week: too few weeks.")])
    assert answerability.question_statuses(got) == {
        "worth": "withheld", "hours": "not asked", "cost": "answered",
    }  # fmt: skip
    assert answerability.withheld_questions(got)["worth"].sentence == "Too few weeks."
    assert answerability.question_statuses(account)["worth"] == "answered"
    assert answerability.with_stopped(account, []) is account
