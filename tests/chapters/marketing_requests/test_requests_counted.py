"""Requests counted: capacity, answers, fairness, turnaround, overlaps, and the words of an ask."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from request_rows import END, log_of

from analysis.chapters.marketing_requests import (
    asks,
    overlaps,
    request_log,
    request_summary,
    turnaround,
)
from analysis.chapters.marketing_requests.overlaps import Effort
from analysis.store.request_records import RequestRecord

DAY = dt.date(2026, 7, 1)


def test_eighty_seventy_and_fifty_hours_are_two_thirds_too_many_for_120(figure):
    """200 of 120 h is 166.7%, 80 h have no room; tenths of hours add up to the last digit."""
    use = request_summary.capacity_use(pd.Series([80.0, 70.0, 50.0, None]), 120.0)
    assert f"{use.utilisation:.1%}" == "166.7%"
    assert (use.backlog_hours, use.n, use.n_unknown) == (80.0, 4, 1)
    tenths = request_summary.capacity_use(pd.Series([0.1] * 10), 1.0)
    assert abs(tenths.asked_hours - 1.0) < 1e-9
    figure("000-01", f"200 h of 120: {use.utilisation:.1%}, {use.backlog_hours:.0f} h without room")


def test_capacity_that_is_not_stated_is_not_unlimited():
    use = request_summary.capacity_use(pd.Series([80.0]), None)
    assert math.isnan(use.utilisation)
    assert math.isnan(use.backlog_hours)


def test_hours_that_nobody_states_are_not_none_asked_for():
    """Two requests without hours: unknown; no request at all: none of 120 h."""
    unknown = request_summary.capacity_use(pd.Series([None, None], dtype=float), 120.0)
    assert math.isnan(unknown.utilisation)
    assert math.isnan(unknown.backlog_hours)
    assert request_summary.capacity_use(pd.Series([], dtype=float), 120.0).utilisation == 0


def test_states_follow_the_last_step_that_is_known():
    """Decided in the list, begun, done, measured; a day after the quarter is not known in it."""
    log = log_of(
        {}, {"decision": "table"}, {"work_started_on": DAY}, {"done_on": DAY, "decision": "approve"},
        {"done_on": DAY, "outcome_leads": 0}, {"work_started_on": END, "done_on": END},
    )  # fmt: skip
    assert log["state"].tolist() == ["asked", "tabled", "asked", "done", "measured", "asked"]
    assert log["is_open"].tolist() == [True, False, False, False, False, True]
    assert log["is_taken_on"].tolist() == [False, False, True, True, True, False]


def test_what_the_company_decided_wins_over_the_list(figure):
    answers = {str(n): {"text": "x", "score": 1} for n in range(1, 13)}
    states = [
        {"state": "vetted", "on": DAY},
        {"state": "tabled", "on": DAY, "reason": "later", "review_on": dt.date(2026, 9, 1)},
    ]
    record = RequestRecord.model_validate(
        {"request_id": "r1", "answers": answers, "states": states}
    )
    log = log_of({"decision": "approve"}, {"decision": "table"}, records={"r1": record})
    assert log["state"].tolist() == ["tabled", "tabled"]
    assert log["score"].tolist()[0] == 12
    due = request_log.tabled_for_review(log, day_after=END)
    assert due["is_dated"].tolist() == [True, False]
    figure("000-12", "two tabled: both come back, the one without a day is named")


def test_every_trigger_is_counted_also_one_no_list_knows_and_none(figure):
    log = log_of(
        {"trigger": "client", "done_on": DAY}, {"trigger": "client"}, {"trigger": "whim"}, {}
    )
    rows = request_summary.share_taken_on(log, "trigger").set_index("word")
    assert rows["n"].to_dict() == {"client": 2, "whim": 1, "not stated": 1}
    assert rows.index[-1] == "not stated"
    assert rows.loc["client", "taken_on_share"] == 0.5
    low, high = rows.loc["client", ["low", "high"]]
    figure(
        "000-02", f"client 1 of 2 taken on ({low:.0%} to {high:.0%}); a trigger no list knows stays"
    )
    kinds = request_summary.share_taken_on(log_of({"kind": "blog"}, {"kind": "blog"}, {}), "kind")
    assert kinds["n"].tolist() == [2, 1]
    figure("000-03", "each request is of one kind: 2 of 3 a blog, 1 not stated, none dropped")


def test_gini_is_nought_for_equal_and_eight_tenths_for_one_of_five(figure):
    assert request_summary.gini([7, 7, 7]) == 0
    assert request_summary.gini([0, 0, 5, 0, 0]) == pytest.approx(0.8)
    assert math.isnan(request_summary.gini([0, 0]))
    figure(
        "000-07",
        f"Gini of equal shares 0, where one of five takes all {request_summary.gini([0, 0, 5, 0, 0]):.1f}",
    )


def test_the_squeakiest_wheel_is_named_where_asking_pays_and_not_where_it_does_not():
    """Eight teams that ask 1 to 8 times: with a share that rises with the asks, and one at random."""
    rows = [
        {"team_id": f"t{k}", "decision": "approve" if i < round(k * k / 9) else "table", "marketing_hours": 1.0}
        for k in range(1, 9) for i in range(k)
    ]  # fmt: skip
    rises = request_summary.fairness_over_teams(log_of(*rows))
    assert rises.is_squeaky
    even = [r | {"decision": ("approve", "table")[i % 2]} for i, r in enumerate(rows)]
    assert not request_summary.fairness_over_teams(log_of(*even)).is_squeaky


def test_ten_equal_goals_count_as_ten_and_one_as_one(figure):
    hours = pd.Series([2.0] * 10)
    assert request_summary.effective_goals(hours, pd.Series(list("abcdefghij"))) == pytest.approx(
        10
    )
    assert request_summary.effective_goals(hours, pd.Series(["a"] * 10)) == 1
    figure("000-32", "ten equal goals count as 10 (concentration 0.10), one as 1")


def test_a_signature_on_the_day_work_begins_is_in_time_and_none_at_all_is_no_share(figure):
    late, in_time = {"work_started_on": DAY, "sales_signed_on": dt.date(2026, 7, 2)}, {"work_started_on": DAY, "sales_signed_on": DAY}  # fmt: skip
    assert request_summary.signed_before_build(log_of(late, in_time, {"work_started_on": DAY})) == (
        1,
        3,
    )
    assert request_summary.signed_before_build(log_of({"work_started_on": DAY})) == (0, 0)
    figure("002-03", "signed the day after work began, on it, never: 1 of 3 in time")


def test_open_requests_wait_up_to_the_day_it_is_asked():
    """Asked 1 July: done after 10 days, or open for the 92 days to 1 October."""
    days, is_done = turnaround.days_until(
        log_of({"done_on": dt.date(2026, 7, 11)}, {}), "done_on", day_after=END
    )
    assert days.tolist() == [10, 92]
    assert is_done.tolist() == [1, 0]


def test_fewer_than_ten_done_tell_no_deadline():
    curve = turnaround.estimate_turnaround(np.arange(1.0, 10.0), np.ones(9))
    assert math.isnan(turnaround.done_by(curve, 5).share)
    assert math.isnan(turnaround.realistic_days(curve))


def test_a_deadline_met_by_fewer_than_half_is_not_realistic(figure):
    """Ten requests took 1 to 10 days: within 4 days 40%, within 8 days 80%; nobody says when the last is wanted."""
    curve = turnaround.estimate_turnaround(np.arange(1.0, 11.0), np.ones(10))
    wanted = [{"wanted_on": dt.date(2026, 7, 5)}, {"wanted_on": dt.date(2026, 7, 9)}, {}]
    judged = turnaround.judge_deadlines(log_of(*wanted), curve)
    assert judged["done_share"].tolist()[:2] == pytest.approx([0.4, 0.8])
    assert judged["is_realistic"].tolist() == [False, True, pd.NA]
    assert turnaround.realistic_days(curve) == 8
    figure(
        "002-21",
        "in 4 days 40% are done: not realistic; in 8 days 80%; below ten done: cannot tell",
    )


def test_the_chance_to_be_done_by_a_day_covers_with_three_tenths_open(figure):
    """300 companies of 150 requests, lognormal around 18 days, cut off so that some 30% are open."""
    rng = np.random.default_rng(7)
    hits, n_open, truth = [], [], 0.5  # half are done by the median of 18 days
    for _ in range(300):
        took = 18 * np.exp(0.6 * rng.standard_normal(150))
        seen = rng.uniform(0, 72, 150)
        n_open.append((took > seen).mean())
        curve = turnaround.estimate_turnaround(np.minimum(took, seen), (took <= seen).astype(float))
        chance = turnaround.done_by(curve, 18.0)
        hits.append(chance.low <= truth <= chance.high)
    assert np.mean(n_open) == pytest.approx(0.3, abs=0.03)
    assert 0.92 < np.mean(hits) < 0.98
    figure(
        "002-21", f"P(done by t) covers in {np.mean(hits):.3f} of 300, {np.mean(n_open):.0%} open"
    )


def effort(
    name, *, begins=DAY, days=20, activity="Webinar", audience="SMB", topic="price comparison"
):
    first = pd.Timestamp(begins)
    return Effort(name, activity, audience, topic, first, first + pd.Timedelta(days=days))


def test_a_duplicate_is_suggested_and_other_days_audiences_or_subjects_are_not():
    one = effort("a")
    near = [effort("b"), effort("c", topic="Comparison of price"), effort("d", activity=None)]
    far = [
        effort("e", begins=dt.date(2026, 9, 1)), effort("f", audience="Enterprise"),
        effort("g", topic="onboarding"), effort("h", activity="Email"),
    ]  # fmt: skip
    assert [overlaps.is_near(one, other) for other in near] == [True] * 3
    assert [overlaps.is_near(one, other) for other in far] == [False] * 4
    silent = effort("i", topic=None, audience=None)
    assert not overlaps.is_near(one, silent)


def test_two_hundred_labelled_pairs(figure):
    """100 pairs on one subject in other words and days that overlap, 100 that differ in one thing."""
    subjects = ["price comparison", "case study", "security guide", "service plan", "starter kit"]
    hits = []
    for i in range(100):
        topic = subjects[i % 5]
        written = (topic.upper(), " ".join(reversed(topic.split())), f"{topic}s")[i % 3]
        hits.append(
            overlaps.is_near(effort("a", topic=topic), effort("b", topic=written, days=1 + i % 9))
        )
    other = {
        0: {"topic": "renewals"},
        1: {"audience": "Enterprise"},
        2: {"begins": dt.date(2026, 8, 1)},
        3: {"activity": "Email"},
    }
    alarms = [overlaps.is_near(effort("a"), effort("b", **other[i % 4])) for i in range(100)]
    assert np.mean(hits) > 0.95
    assert not any(alarms)
    figure(
        "000-04",
        f"200 pairs: recall {np.mean(hits):.2f}, precision {sum(hits) / (sum(hits) + sum(alarms)):.2f}",
    )


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("we need it", ["we", "need"]),
        ("a needle", []),
        ("AI is here, i.e. now", []),
        ("Then I did", ["I"]),
        ("MUST, but: mandatory!", ["must", "but", "mandatory"]),
        (
            "Thank  you, please; we appreciate the support",
            ["thank you", "please", "we", "appreciate", "support"],
        ),
        ("musty butter, sweet, pleased, supporting", []),
    ],
)
def test_the_articles_words_are_found_whole_in_any_case(text, held):
    got = [w.word for w in asks.check_tone(text).found_words]
    assert sorted(got) == sorted(held)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("please help", 50.0), ("you must help", -100 / 3), ("please, you must", 0.0),
        ("help me now", 0.0), ("I need support", -100 / 3), ("we appreciate it, thank you", 60.0),
    ],
)  # fmt: skip
def test_the_score_is_words_used_less_words_avoided_per_hundred(text, score, figure):
    assert asks.check_tone(text).score == pytest.approx(score)
    figure("002-12", f"{text!r} scores {score:.1f} per hundred words")


def test_threats_are_found_and_neutral_texts_have_none(figure):
    """Of 100 neutral requests fewer than five may be taken for a threat."""
    threats = ["Send it by Friday or else", "We will escalate this", "This is your last warning"]
    assert all(any(w.advice == "threat" for w in asks.check_tone(t).found_words) for t in threats)
    verbs, things = ["Could you send", "Please share", "We would like", "Let us review", "Can we discuss"], ["the list", "your notes", "a date", "the report", "names", "two slides", "the escalation path", "the deadline", "feedback", "the consequences of the launch"]  # fmt: skip
    neutral = [
        f"{v} {t} {when}." for v in verbs for t in things for when in ("this week", "by Friday")
    ]
    alarms = [
        t for t in neutral if any(w.advice == "threat" for w in asks.check_tone(t).found_words)
    ]
    assert len(neutral) == 100
    assert len(alarms) < 5
    figure("002-13", f"3 of 3 threats found, {len(alarms)} of 100 neutral texts taken for one")


def test_a_word_stands_where_it_is_said_to_stand(figure):
    check = asks.check_tone("Now we need it")
    assert [(w.word, w.start) for w in check.found_words] == [("we", 4), ("need", 7)]
    assert math.isnan(asks.check_tone("").score)
    figure("002-11", "need and I are flagged with their place, needle and AI are not")
