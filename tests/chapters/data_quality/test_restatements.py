"""A quarter once published stands; what differs today shows, and how it came."""

from __future__ import annotations

import pandas as pd
import pytest
from crm_tables import ROLES, event, opportunity, user, write

from analysis.chapters.data_quality import restatements
from analysis.project import paths
from analysis.store import processed


def deals(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["opportunity_id", "quarter", "deal_amount"])


def teams(**measures) -> pd.DataFrame:
    """Return two teams in 2026Q1 and one in 2026Q2."""
    return pd.DataFrame({"quarter": ["2026Q1", "2026Q1", "2026Q2"]} | measures)


NOTHING_ASIDE = pd.DataFrame({"table_name": [], "record_key": [], "rule": []}, dtype=str)
ASIDE = pd.DataFrame(
    {"table_name": ["opportunities"], "record_key": ["d"], "rule": ["deleted_record"]}
)


def test_every_way_a_deal_can_move_is_told():
    """Of 2026Q1: a grew by 5, b moved on, c is lost, d was deleted, e came from nowhere; f stood still."""
    then = deals(
        ("a", "2026Q1", 10.0), ("b", "2026Q1", 20.0), ("c", "2026Q1", 30.0), ("d", "2026Q1", 40.0), ("f", "2026Q1", 1.0)
    )  # fmt: skip
    now = deals(
        ("a", "2026Q1", 15.0), ("b", "2026Q2", 20.0), ("e", "2026Q1", 7.0), ("f", "2026Q1", 1.0)
    )
    got = restatements.deal_moves(then, now, ASIDE).set_index("reason")
    assert got["change"].to_dict() == {
        "amount changed": 5.0,
        "moved to 2026Q2": -20.0,
        "no longer won": -30.0,
        "set aside by deleted_record": -40.0,
        "added or won later": 7.0,
    }
    assert (got["n"] == 1).all()
    assert (got["quarter"] == "2026Q1").all()


def test_the_moves_of_a_quarter_sum_to_its_restatement():
    """100 published, 55 today."""
    then = deals(("a", "2026Q1", 60.0), ("b", "2026Q1", 40.0))
    now = deals(("a", "2026Q1", 55.0), ("b", "2026Q2", 40.0))
    assert restatements.deal_moves(then, now, NOTHING_ASIDE)["change"].sum() == 55.0 - 100.0


def test_a_deal_between_two_published_quarters_moves_both():
    then = deals(("a", "2026Q1", 10.0), ("z", "2026Q2", 1.0))
    now = deals(("a", "2026Q2", 10.0), ("z", "2026Q2", 1.0))
    got = restatements.deal_moves(then, now, NOTHING_ASIDE)
    assert got[["quarter", "reason", "change"]].to_numpy().tolist() == [
        ["2026Q1", "moved to 2026Q2", -10.0],
        ["2026Q2", "moved here from 2026Q1", 10.0],
    ]


def test_a_restated_measure_is_named_with_what_moved_it():
    """Bookings of 2026Q1 from 300 to 270; deals won stay; 2026Q2 was not published."""
    then = teams(bookings_amount=[100.0, 200.0, 5.0], n_won=[1, 2, 1]).iloc[:2]
    today = teams(bookings_amount=[100.0, 170.0, 9.0], n_won=[1, 2, 9])
    moved = pd.DataFrame(
        {"quarter": ["2026Q1"], "reason": ["amount changed"], "n": [2], "change": [-30.0]}
    )
    got = restatements.restatement_table(then, today, moved)
    assert got.to_dict("records") == [
        {
            "quarter": "2026Q1", "measure": "bookings_amount", "published": 300.0, "today": 270.0, "change": -30.0,
            "change_rate": pytest.approx(-0.1), "why": "2 amount changed",
        }
    ]  # fmt: skip
    assert restatements.restatement_notices(got, 0.01) == [
        "Restated: bookings of 2026Q1 are \N{MINUS SIGN}10.0% off what was published (2 amount changed)."
    ]
    assert restatements.restatement_notices(got, 0.1) == []
    assert restatements.restatement_sentence(got, 1).startswith(
        "1 quarter was published before; 1 figure of 2026Q1 differs today."
    )


def test_what_stands_is_not_restated():
    same = teams(bookings_amount=[0.1, 0.2, 5.0])
    got = restatements.restatement_table(
        same, same.iloc[::-1], restatements.deal_moves(deals(), deals(), NOTHING_ASIDE)
    )
    assert got.empty
    assert (
        restatements.restatement_sentence(got, 2)
        == "2 quarters were published before: today's data give the same figures for each."
    )


def test_a_measure_that_a_panel_of_old_did_not_have_is_left_out():
    got = restatements.restatement_table(
        teams(n_won=[1, 1, 1]),
        teams(n_won=[1, 1, 1], n_created=[5, 5, 5]),
        pd.DataFrame({"quarter": [], "reason": [], "n": []}),
    )
    assert got.empty


def test_nothing_published_is_nothing_restated(raw):
    then = processed.frozen_rows("here", "team_quarter", before="2026Q2")
    moved = restatements.deal_moves(
        processed.frozen_rows("here", "won_deals", before="2026Q2"), deals(), NOTHING_ASIDE
    )
    got = restatements.restatement_table(then, teams(n_won=[1, 1, 1]), moved)
    assert got.empty
    assert restatements.restatement_sentence(got, 0).startswith("No quarter before this one")


def test_a_published_quarter_is_frozen_and_a_later_edit_shows(raw):
    """100 published for 2026Q1; then the amount becomes 130, and publishing again does not hide it."""
    days = ("2026-01-02", "2026-05-04")
    events = [
        event(
            n,
            StartDateTime=f"{d}T10:00:00Z",
            EndDateTime=f"{d}T11:00:00Z",
            CreatedDate=f"{d}T10:00:00Z",
        )
        for n, d in enumerate(days)
    ]
    files = {"Event": events, "User": [user()], "UserRole": ROLES}
    write(raw, Opportunity=[opportunity(1)], **files)
    processed.prepare_dataset("here")
    kept = processed.freeze_panels("here", "2026Q1")
    assert kept == paths.history_folder("here") / "2026Q1"
    before = processed.frozen_hash("here", before="2026Q2")
    write(raw, Opportunity=[opportunity(1, Amount="130")], **files)
    processed.prepare_dataset("here")
    processed.freeze_panels("here", "2026Q1")
    assert processed.frozen_hash("here", before="2026Q2") == before
    assert processed.frozen_rows("here", "team_quarter", before="2026Q1").empty
    then, today = (
        processed.frozen_rows("here", "team_quarter", before="2026Q2"),
        processed.load_table("here", "team_quarter"),
    )
    moved = restatements.deal_moves(
        processed.frozen_rows("here", "won_deals", before="2026Q2"),
        processed.load_table("here", "won_deals"),
        processed.load_table("here", "quarantine"),
    )
    got = restatements.restatement_table(then, today, moved)
    assert got[["measure", "published", "today", "why"]].to_numpy().tolist() == [
        ["bookings_amount", 100.0, 130.0, "1 amount changed"]
    ]


def test_a_quarter_published_before_it_was_over_is_kept_anew(raw):
    """The data end on 10 February: what was kept of 2026Q1 then is no last word."""
    write(raw, Opportunity=[opportunity(1)], Event=[event(1)], User=[user()], UserRole=ROLES)
    processed.prepare_dataset("here")
    processed.freeze_panels("here", "2026Q1")
    write(
        raw,
        Opportunity=[opportunity(1, Amount="130")],
        Event=[event(1)],
        User=[user()],
        UserRole=ROLES,
    )
    processed.prepare_dataset("here")
    processed.freeze_panels("here", "2026Q1")
    assert processed.frozen_rows("here", "won_deals", before="2026Q2")["deal_amount"].tolist() == [
        130.0
    ]
