"""Who answers for what: by hand, and agreement at both its ends."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.alignment import reference
from analysis.chapters.joint_work import role_agreement

STAGES = ["leads", "meeting", "offer", "renewal", "service"]


def answers(**by_side):
    """Return an answer of each side for each stage that it has a word for."""
    rows = [
        {"team_id": "n", "side": side, "stage": stage, "accountable": word}
        for side, words in by_side.items()
        for stage, word in zip(STAGES, words, strict=True)
    ]
    return pd.DataFrame(rows)


def test_a_stage_has_one_owner_only_where_both_sides_name_the_same_one(figure):
    """Agreed; each leaves it to the other; nobody; both; and one side does not answer."""
    got = role_agreement.stage_ownership(
        answers(
            sales=["marketing", "marketing", "sales", "both", "sales"],
            marketing=["marketing", "sales", "nobody", "both", None],
        )
    ).set_index("stage")
    judged = got["has_one_owner"].dropna()  # who did not answer neither agrees nor parts
    assert judged.to_dict() == dict(zip(STAGES[:4], [True] + 3 * [False], strict=True))
    assert got.index[got["is_hole"].fillna(value=False)].tolist() == ["meeting", "offer"]
    assert got["is_hole"].isna().tolist() == [s == "service" for s in got.index]
    assert pd.isna(got.loc["service", "marketing"])
    figure("001-14", "5 stages: 1 with one accountable side, 2 that nobody answers for")


def test_two_owners_named_by_one_side_are_several_and_no_agreement():
    twice = pd.concat([answers(sales=["sales"] * 5, marketing=["sales"] * 5)] * 2).reset_index()
    twice.loc[0, "accountable"] = "marketing"
    got = role_agreement.stage_ownership(twice).set_index("stage")
    assert got.loc["leads", "sales"] == "several"
    assert got["has_one_owner"].sum() == 4


def test_kappa_is_one_for_equal_answers_and_about_nothing_for_chance(figure):
    """Two thousand answers drawn apart: the standard error is 0.02."""
    rng = np.random.default_rng(0)
    one, other = (pd.Series(rng.choice(["sales", "marketing", "both"], 2000)) for _ in range(2))
    same, apart = role_agreement.cohen_kappa(one, one), role_agreement.cohen_kappa(one, other)
    assert same.kappa == 1.0
    assert abs(apart.kappa) < 0.05
    assert apart.low < 0 < apart.high
    figure(
        "003-04",
        f"kappa {same.kappa:.0f} on equal answers, {apart.kappa:+.3f} on chance (n = 2,000)",
    )


def test_kappa_by_hand_leaves_blank_answers_out():
    """Of 4 answered by both 3 agree; by chance (2 x 3 + 2 x 1) / 16 = 1/2: (3/4 - 1/2) / (1/2)."""
    one = pd.Series(["sales", "sales", "marketing", "marketing", None, "sales"])
    other = pd.Series(["sales", "sales", "marketing", "sales", "sales", None])
    got = role_agreement.cohen_kappa(one, other)
    assert (got.kappa, got.n) == (pytest.approx(0.5), 4)
    assert np.isnan(role_agreement.cohen_kappa(one.iloc[:2], other.iloc[:2]).kappa)


def test_a_role_agreed_a_year_ago_is_due_the_day_after(figure):
    """Agreed on 30 September 2025, 29 September 2025 and never, on 30 September 2026."""
    rows = answers(sales=["sales"] * 5, marketing=["sales"] * 5)
    days = {"leads": dt.date(2025, 9, 30), "meeting": dt.date(2025, 9, 29), "offer": None}
    rows = rows[rows["stage"].isin(days)].assign(agreed_on=lambda t: t["stage"].map(days))
    assert role_agreement.stale_share(rows, dt.date(2026, 9, 30)) == (2, 3)
    figure("001-34", "of roles agreed 365 and 366 days ago and never, 2 of 3 are due for review")


def goals(*rows):
    columns = ["goal_id", "metric", "parent_goal_id"]
    return pd.DataFrame(rows, columns=columns)


def test_a_goal_leads_to_revenue_to_nowhere_or_in_a_circle(figure):
    """Up to revenue by two; one without a parent; two that serve each other; one whose parent is gone."""
    got = role_agreement.goal_paths(
        goals(
            ("r", "Increase revenue", None), ("p", "pipeline", "r"), ("l", "leads", "p"),
            ("alone", "leads", None), ("a", "calls", "b"), ("b", "mails", "a"), ("lost", "leads", "x"),
        )
    )  # fmt: skip
    assert got.tolist() == ["revenue"] * 3 + ["nowhere", "circle", "circle", "nowhere"]
    figure("003-06", "7 goals: 3 lead to revenue, 2 nowhere, 2 in a circle")


def test_a_goal_that_only_says_increase_revenue_is_a_fifth_specific(figure):
    bare = {"metric": "revenue", "baseline_value": None, "target_value": None, "period_end": None}
    owners = {"sales_owner_rep_id": None, "marketing_owner_rep_id": None}
    full = {"baseline_value": 1.0, "target_value": 2.0, "period_end": dt.date(2026, 9, 30)}
    rows = pd.DataFrame([bare | owners, bare | full | owners | {"sales_owner_rep_id": "r"}])
    got = role_agreement.goal_specificity(rows)
    assert got.tolist() == [0.2, 1.0]
    figure("003-07", f"'increase revenue' alone: {got[0]:.1f}")


def test_pay_by_a_quarter_as_much_is_a_parity_of_a_quarter(figure):
    """40 % of sales' variable pay and 10 % of marketing's; one side unknown; neither has any."""
    pay = pd.DataFrame(
        {
            "team_id": ["a", "a", "b", "c", "c"],
            "side": ["sales", "marketing", "sales", "sales", "marketing"],
            "shared_outcome_rate": [0.4, 0.1, 0.4, 0.0, 0.0],
        }
    )
    got = role_agreement.parity_by_team(pay)
    assert got["a"] == pytest.approx(0.25)
    assert got[["b", "c"]].isna().all()
    figure("001-36", f"sales 40 %, marketing 10 %: parity {got['a']:.2f}")


def test_one_stage_in_two_spellings_is_one_and_one_side_alone_agrees_with_nobody():
    """Marketing writes " Leads" where sales writes "leads"; of the others it says nothing."""
    both = answers(sales=["sales"] * 5, marketing=["sales"] + [None] * 4)
    both.loc[both["side"].eq("marketing"), "stage"] = [" Leads", *STAGES[1:]]
    got = role_agreement.stage_ownership(both)
    assert len(got) == 5
    assert got["has_one_owner"].dropna().tolist() == [True]


def test_a_side_that_says_one_word_of_all_stages_agrees_by_chance_alone():
    one = pd.Series(["sales"] * 4)
    assert np.isnan(role_agreement.cohen_kappa(one, one.where([True] * 3 + [False], "both")).kappa)


@pytest.mark.parametrize(
    ("metric", "end"),
    [("Umsatz", "revenue"), ("Sales", "revenue"), ("Chiffre d'affaires", "revenue"),
     ("sales calls", "nowhere"), ("Sales-accepted leads", "nowhere"), ("leads", "nowhere")],
)  # fmt: skip
def test_revenue_is_known_by_its_name_and_sales_calls_are_none(metric, end):
    goals = pd.DataFrame({"goal_id": ["a"], "metric": [metric], "parent_goal_id": [None]})
    assert role_agreement.goal_paths(goals).tolist() == [end]


def test_roles_without_any_day_of_review_are_not_called_old():
    stages = answers(sales=["sales"] * 5).assign(agreed_on=pd.NaT)
    assert role_agreement.stale_share(stages, dt.date(2026, 9, 30)) == (0, 0)


def test_targets_of_one_metric_that_part_are_opposed_in_any_case(figure):
    """Sales alone aims at 10 leads and marketing alone at 20 Leads; a shared goal opposes none."""
    goals = pd.DataFrame(
        {
            "team_id": "t", "metric": ["leads", "Leads ", "pipeline"], "target_value": [10, 20, 5],
            "sales_owner_rep_id": ["r", None, "r"], "marketing_owner_rep_id": [None, "m", "m"],
        }
    )  # fmt: skip
    assert reference.goal_conflicts(goals) == 1
    assert reference.goal_conflicts(goals.assign(target_value=7)) == 0
    figure("001-08", "one metric, each side a target of its own: 1 opposed; equal targets: 0")
