"""The chapter for a company that keeps all of it, and for one that keeps nothing."""

import dataclasses
import datetime as dt

import pandas as pd
import pytest

from analysis.chapters.joint_work import chapter, content_trial, joint_work_answer
from analysis.chapters.joint_work.content_trial import TrialArms
from analysis.store.company import Company, open_company


class Bare(Company):
    """A company that keeps no table by hand."""

    def table(self, name: str) -> pd.DataFrame:
        """Return the table, without rows where it is kept by hand."""
        whole = super().table(name)
        return whole.iloc[:0] if name in joint_work_answer.TABLES else whole


@pytest.fixture(scope="module")
def work(tiny_root):
    """Return what the tiny company keeps."""
    patch = pytest.MonkeyPatch()
    patch.setenv("ALIGNMENT_ROI_ROOT", str(tiny_root))
    yield joint_work_answer.review_joint_work(open_company("tiny"))
    patch.undo()


@pytest.fixture(scope="module")
def bare(work):
    fields = {f.name: getattr(work.company, f.name) for f in dataclasses.fields(work.company)}
    return joint_work_answer.review_joint_work(Bare(**fields))


def tables(work):
    return {
        "kinds": chapter.campaigns_by_kind(work),
        "teams": chapter.campaigns_by_team(work),
        "campaigns": chapter.campaign_shares(work),
        "content": chapter.content_shares(work),
        "coverage": chapter.coverage(work),
        "read": chapter.most_read_assets(work),
        "roles": chapter.role_shares(work),
        "trial": chapter.trial_arms(work),
    }


def test_a_company_that_keeps_everything_fills_every_table(work):
    assert not work.gaps
    made = tables(work)
    assert not [name for name, table in made.items() if table.frame.empty]
    for table in made.values():
        assert set(table.columns) <= set(table.frame.columns)
        assert table.caption
        assert table.source
    shares = pd.concat([made[name].frame for name in ("campaigns", "content", "roles")])
    assert shares["share"].between(0, 1).all()
    assert (shares["low"] <= shares["share"]).all()
    assert (shares["share"] <= shares["high"]).all()
    assert made["trial"].frame["n"].sum() == len(work.rows["content_trials"])


def test_a_trial_that_does_nothing_is_not_called_an_extra_sale(work):
    """The simulator's trial by lot moves no deal; how many accounts would tell is said."""
    assert work.trial_way == "lot"
    assert joint_work_answer.verdict(work) == "cannot tell"
    assert "We cannot tell" in joint_work_answer.sale_sentence(work)
    assert "accounts" in joint_work_answer.holdout_sentence(work)
    assert "not what content brought" in chapter.influence_sentence(work)


def test_a_company_that_keeps_nothing_is_told_in_one_line_each_what_it_would_get(bare):
    """No table, no figure, no failure; every missing table has its line."""
    assert bare.gaps == list(joint_work_answer.TABLES)
    empty = {name: table.frame.empty for name, table in tables(bare).items()}
    assert [name for name, is_empty in empty.items() if not is_empty] == ["roles"]
    roles = chapter.role_shares(bare).frame["what"].tolist()
    assert roles == [  # the calendar tells that
        "Reps heard in a meeting of up to six",
        "Joint meetings put into the calendar 30 days ahead",
        "Accounts marketing researched that sales did within 30 days",
    ]
    lacks = chapter.missing_tables(bare).frame["lacks"]
    assert lacks.tolist() == [joint_work_answer.GAPS[name] for name in joint_work_answer.TABLES]
    assert joint_work_answer.answer_sentence(bare) == ""
    assert joint_work_answer.next_step(bare) == ""
    assert not joint_work_answer.notice_result(bare).is_known
    assert not joint_work_answer.trial_result(bare).is_known
    assert "no account was left out" in joint_work_answer.sale_sentence(bare)
    assert chapter.handling_sentence(bare) == ""
    assert chapter.influence_sentence(bare) == joint_work_answer.GAPS["asset_uses"]
    agreed, paid, aims, _ = chapter.agreement_sentences(bare)
    gaps = joint_work_answer.GAPS
    assert (agreed, paid, aims) == (gaps["stage_owners"], gaps["incentives"], gaps["goals"])


@pytest.mark.parametrize(
    ("base", "n_accounts", "words"),
    [
        (1.0, 85, "No trial by account can find one sale more in 100 accounts: 100.0%"),
        (0.9, 4, "a trial can find no extra."),
        (0.04, 6_000, "half of them left out by lot, a trial can find 1.5 more in 100."),
        (0.04, 13_486, ""),
    ],
)
def test_how_much_a_trial_of_all_accounts_can_find(base, n_accounts, words):
    """6,743 accounts an arm find one in 100 on top of 4%: 13,486 are enough."""
    sentence = joint_work_answer.holdout_size(base, n_accounts)
    assert words in sentence
    assert bool(sentence) == bool(words)


@pytest.mark.parametrize(
    ("arms", "words"),
    [
        (TrialArms(1000, 1000, 80, 40, 9, 9), "Content brought 40 sales more than as many"),
        (TrialArms(1000, 1000, 40, 80, 9, 9), "Content brought 40 sales fewer than as many"),
        (TrialArms(20_000, 20_000, 800, 800, 9, 9), "no extra sale that matters"),
    ],
)
def test_each_verdict_has_its_sentence(work, arms, words):
    told = work._replace(trial=content_trial.extra_sales(arms, "lot", 180))
    assert words in joint_work_answer.sale_sentence(told)
    assert joint_work_answer.holdout_sentence(told) == ""
    assert joint_work_answer.is_harm(told) == ("fewer" in words)


def test_one_executive_over_both_sides_is_what_the_settings_say(work, figure):
    """Named with a day, without one, and not at all."""
    house = work.company.settings

    def said(**stated):
        company = house.company.model_copy(update=stated)
        settings = house.model_copy(update={"company": company})
        return chapter.executive_sentence(
            work._replace(company=dataclasses.replace(work.company, settings=settings))
        )

    since = dt.date(2026, 1, 1)
    assert said(joint_executive="CRO", joint_executive_since=since).endswith("2026-01-01: CRO.")
    assert said(joint_executive="CRO", joint_executive_since=None).endswith("both sides: CRO.")
    assert "is not stated" in said(joint_executive="", joint_executive_since=None)
    figure("000-29", "one executive over both sides since 2026-01-01: CRO; or not stated")


def test_roles_come_before_notice_and_notice_before_a_trial(work):
    """What to do next: owners where stages lack one; else earlier notice; else a trial."""
    assert joint_work_answer.next_step(work).startswith("Agree on one accountable side")
    owned = work._replace(rows=work.rows | {"stage_owners": work.rows["stage_owners"].iloc[:0]})
    assert joint_work_answer.next_step(owned).startswith("Announce campaigns earlier")
    timely = owned._replace(
        notices=owned.notices.assign(is_in_time=True),
        rows=owned.rows | {"content_trials": owned.rows["content_trials"].iloc[:0]},
    )
    assert joint_work_answer.next_step(timely).startswith("Leave some accounts out")
