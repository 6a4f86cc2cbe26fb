"""What the tables of the chapter on cost hide because others would tell of a few people."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from analysis.chapters.cost import chapter
from analysis.project import quarters, settings
from analysis.tables.canonical import SELLING_DEFINITIONS


@pytest.fixture
def stays() -> pd.DataFrame:
    """Two teams of six and seven reps: each is paid 1,000 and sold 10 hours."""
    n = 13
    return pd.DataFrame(
        {
            "rep_id": [f"r{i}" for i in range(n)], "team_id": list("aaaaaabbbbbbb"), "segment": "s", "region": "g",
            "quarter": "2026Q3", "is_partial": False, "logged_share": 1.0, "days_employed": 92, "weeks_employed": 13.0,
            "paid_hours": 100.0, "available_hours": 90.0, "logged_hours": 50.0, "quota_amount": 500.0,
            "base_amount": 1_000.0, "commission_amount": 0.0, "fringe_amount": 0.0, "overhead_amount": 0.0,
        }
        | dict.fromkeys(SELLING_DEFINITIONS, 10.0)
    )  # fmt: skip


@pytest.fixture
def costs(root):
    """Return the chapter's costs of a panel."""

    def of(panel: pd.DataFrame) -> chapter.QuarterCosts:
        teams = pd.DataFrame({"team_id": ["a", "b"], "team_name": ["A", "B"]})
        study = pd.DataFrame(columns=["rep_id", "week_start", "quarter", "observed_hours", "recorded_hours"])  # fmt: skip
        tables = {"rep_quarter": panel, "teams": teams, "observed_days": study}
        company = SimpleNamespace(
            quarter="2026Q3", period=quarters.parse_quarter("2026Q3"),
            settings=settings.load_dataset_settings("here"), table=tables.__getitem__,
            rows_of_quarter=lambda name: tables[name][tables[name]["quarter"] == "2026Q3"],
        )  # fmt: skip
        return chapter.quarter_costs(company)

    return of


def test_a_quota_of_one_rep_is_no_teams_requirement(stays, costs):
    """Six of team a are paid and one has a quota: its cost is shown, what it must bring is not.

    Nor is team b's: all less b would be that one.
    """
    shown = chapter.cost_by_team(costs(stays)).frame.set_index("team")
    assert shown["required"].tolist() == [50.0, 50.0]
    stays.loc[1:5, "quota_amount"] = float("nan")
    shown = chapter.cost_by_team(costs(stays)).frame.set_index("team")
    assert shown["cost"].to_dict() == {"A": 100.0, "B": 100.0}
    assert shown["required"].isna().all()


def test_two_figures_of_almost_the_same_reps_are_not_both_shown(stays, costs):
    """13 reps cost 13,000 and 12 of them 12,000: the pay of the one whose hours are unknown."""
    stays.loc[0, "paid_hours"] = float("nan")
    shown = chapter.cost_measures(costs(stays)).frame.set_index("measure")
    assert shown.loc["cost per selling hour", "estimate"] == 100.0
    assert pd.isna(shown.loc["cost per paid hour", "estimate"])
    assert shown.loc["cost per paid hour", "suppressed"] == "[c]"
    assert shown.loc["cost per available hour", "estimate"] == pytest.approx(1_000 / 90)


def test_a_team_whose_sum_grew_by_one_reps_pay_is_hidden_and_the_other_with_it(stays, costs):
    """Team a has r0 since; in team b one went and one came, so of b's sum nobody is told."""
    leaves = pd.concat([stays.iloc[:-1], stays.iloc[-1:].assign(rep_id="new")])
    both = pd.concat([stays.iloc[1:].assign(quarter="2026Q2"), leaves], ignore_index=True)
    assert chapter.cost_by_team(costs(both)).frame["cost"].isna().all()
