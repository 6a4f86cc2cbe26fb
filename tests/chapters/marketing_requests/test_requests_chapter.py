"""The chapter on a simulated company: a choice, what stands beside it, and what it says without capacity."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis import cli
from analysis.chapters.marketing_requests import (
    chapter,
    request_answer,
    request_commands,
    reviewed_requests,
)
from analysis.project.settings import RequestSettings
from analysis.store.company import Company, open_company


class Undecided(Company):
    """The company before anything was decided on the requests of the last quarters."""

    def table(self, name):
        rows = super().table(name)
        if name != "marketing_requests":
            return rows
        is_late = rows["asked_on"].astype(str) >= "2026-04-01"
        undone = [
            "decision",
            "work_started_on",
            "done_on",
            "outcome_bookings_amount",
            "outcome_leads",
        ]
        return rows.assign(**{c: rows[c].astype(object).where(~is_late, None) for c in undone})


class Quiet(Company):
    """The company in a quarter in which nobody asked for anything."""

    def table(self, name):
        rows = super().table(name)
        if name != "marketing_requests":
            return rows
        return rows[rows["asked_on"] < self.first_day]


@pytest.fixture(scope="module")
def company(tiny_root):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALIGNMENT_ROI_ROOT", str(tiny_root))
        yield open_company("tiny")


def with_capacity(company, **stated):
    house = company.settings.model_copy(update={"requests": RequestSettings(**stated)})
    return reviewed_requests.review_requests(
        Undecided(company.dataset, company.quarter, house, company.audit)
    )


def test_without_capacity_no_choice_is_made_and_the_page_says_so(company):
    reviewed = with_capacity(company)
    assert reviewed.choice is None
    assert request_answer.next_step(reviewed).startswith("State marketing's hours")
    assert math.isnan(request_answer.hours_asked(reviewed).estimate)
    assert request_answer.best_value(reviewed).verdict == "cannot tell"
    assert chapter.value_of_hours(reviewed).frame.empty
    assert "we cannot tell" in request_answer.hour_sentence(reviewed)


def test_requests_that_fit_nowhere_are_not_called_unknown(company):
    reviewed = with_capacity(company, capacity_hours=0.0)
    assert request_answer.next_step(reviewed).startswith(
        "Take on no request now: those that pay do not fit"
    )
    assert "Ask for hours" not in request_answer.first_step(reviewed)


def test_what_is_in_it_for_reps_sums_to_what_the_quarter_is_to_bring(company, figure):
    """Bookings a rep of each team, times its reps, are those promised, cut to what promises came to."""
    reviewed = with_capacity(company)
    burden = chapter.burden_by_team(reviewed).frame.dropna(subset=["bookings_per_rep"])
    teams = company.table("teams").set_index("team_name")["team_id"].reindex(burden["team"])
    of_quarter = reviewed.of_quarter.groupby("team_id")["promised_bookings_amount"].sum()
    forecast = reviewed.kept_shares["bookings"].estimate * float(of_quarter.reindex(teams).sum())
    total = float((burden["bookings_per_rep"] * burden["n_reps"]).sum())
    assert total == pytest.approx(forecast)
    figure("002-19", f"bookings per rep times reps: {total:,.0f}, forecast {forecast:,.0f}")


def test_a_quarter_without_any_request_has_no_team_in_its_table(company):
    quiet = reviewed_requests.review_requests(
        Quiet(company.dataset, company.quarter, company.settings, company.audit)
    )
    assert chapter.burden_by_team(quiet).frame.empty


def test_requests_that_were_all_set_aside_are_not_called_none():
    """Two of three rows, one by two rules; the third was dropped as a repeat, and one is of deals."""
    aside = pd.DataFrame(
        [
            ("marketing_requests", "missing_required", "quarantine", 2),
            ("marketing_requests", "unknown_team", "quarantine", 2),
            ("marketing_requests", "unknown_team", "quarantine", 3),
            ("marketing_requests", "repeated_record", "drop", 4),
            ("opportunities", "missing_required", "quarantine", 5),
        ],
        columns=["table_name", "rule", "action", "source_row"],
    ).assign(source_file="a.csv")
    assert reviewed_requests._rows_set_aside(aside) == (
        "; 2 rows were set aside (missing_required, unknown_team)"
    )
    assert reviewed_requests._rows_set_aside(aside.iloc[3:]) == ""


def test_requests_left_out_are_named_by_what_an_asker_can_mend_and_what_not():
    left_out = pd.Series({"nothing is promised": 3, "no hour of selling is costed": 1})
    assert request_answer._of_the_others(2, left_out) == (
        "Put off 2 more, each with a review date. Of 3 nobody says what they bring: ask first. "
        "1 request cannot be weighed (no hour of selling is costed)."
    )


def test_every_candidate_is_chosen_tabled_or_named_as_unknown(company):
    """What is in the best set, what is not, and what nobody can put into money are all that wait."""
    reviewed = with_capacity(company, capacity_hours=5_000.0)
    n_known = len(reviewed.choice.rows)
    assert n_known + int(reviewed.choice.left_out.sum()) == len(reviewed.candidates)
    assert len(reviewed.chosen) <= n_known
    assert reviewed.best.is_proven


def test_the_best_set_is_never_below_a_list_worked_down(company):
    ways = chapter.other_ways_to_choose(with_capacity(company, capacity_hours=300.0)).frame
    assert (ways["lost_amount"] >= -1e-6).all()


def test_no_request_of_the_company_is_judged_by_its_asker(company):
    """No column of a table shown names a rep, a person or an owner."""
    reviewed = with_capacity(company, capacity_hours=300.0)
    shown = [
        chapter.data_table(reviewed), chapter.do_or_not(reviewed), chapter.displaced(reviewed), chapter.deadlines(reviewed),
        chapter.by_trigger(reviewed), chapter.by_kind(reviewed), chapter.burden_by_team(reviewed),
    ]  # fmt: skip
    labels = [label.lower() for table in shown for label in table.labels.values()]
    assert not [x for x in labels if "name" in x or "owner" in x or "asker" in x]


def test_planted_optimism_is_inside_its_interval_in_the_company(company):
    kept = with_capacity(company).kept_shares["bookings"]
    optimism = request_answer.optimism(with_capacity(company))
    assert kept.n >= 10
    assert optimism.low < 1.5 < optimism.high


def test_a_company_without_an_open_request_decides_on_none(company):
    reviewed = reviewed_requests.review_requests(company)
    assert reviewed.candidates.empty
    assert not reviewed.has_choice
    assert request_answer.next_step(reviewed) == "Decide on no request now: none is open."
    assert "No request waits" in request_answer.deadline_sentence(reviewed)


def test_what_waits_for_a_session_is_what_nobody_decided_on(company):
    waiting = request_commands.requests_to_vet("tiny", is_leader=False)
    assert waiting["is_open"].all()
    assert waiting["asked_on"].is_monotonic_increasing
    assert request_commands.requests_to_vet("tiny", is_leader=True).empty


def test_an_ask_is_priced_by_the_article_where_no_company_is_named(figure):
    """30 minutes of 20 reps are 10 hours: 3,990 at 399, 37,880 at 3,788."""
    ask = ["ask", "--minutes", "30", "--reps", "20", "--field", "Mood", "--field"]
    ran = CliRunner().invoke(cli.app, [*ask, "Close date", "--text", "We need a needle"])
    assert ran.exit_code == 0
    lines = ran.stdout.splitlines()
    assert lines[1:3] == [
        "cost of the selling hours: $3,990",
        "bookings those hours must bring: $37,880",
    ]
    assert "words to avoid: 'need' at character 4" in lines
    assert lines[-1] == "fields the exports hold already: Close date"
    figure("002-22", "of the fields Mood and Close date the exports hold one: Close date")
    figure("002-10", "30 min x 20 reps: $3,990 at $399 an hour, $37,880 at $3,788")


def test_a_dataset_that_is_none_is_refused(company):
    ran = CliRunner().invoke(cli.app, ["vet", "../etc"])
    assert ran.exit_code == 2
