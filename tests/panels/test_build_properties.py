"""Whatever is logged and sold: a day has 24 hours, a union is no more than its parts, teams are the company."""

from __future__ import annotations

import datetime as dt
import random

import pandas as pd
import pytest
from crm_tables import ADA, BEN, NORTH, SOUTH, frame, place
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_session import undone_house

from analysis.cleaning import hours
from analysis.panels import build
from analysis.project import settings as house

START = dt.datetime(2026, 2, 2, tzinfo=dt.UTC)
few = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
entries = st.lists(
    st.fixed_dictionaries(
        {
            "rep_id": st.sampled_from([ADA, BEN]),
            "minute": st.integers(0, 4 * 24 * 60),
            "minutes": st.one_of(st.none(), st.integers(0, 480).map(float)),
            "activity_class": st.sampled_from(
                ["selling", "preparation", "prospecting", "internal"]
            ),
        }
    ),
    max_size=25,
)
sold = st.lists(
    st.fixed_dictionaries(
        {
            "owner_rep_id": st.sampled_from([ADA, BEN, "nobody"]),
            "status": st.sampled_from(["won", "lost", "open"]),
            "close_date": st.dates(dt.date(2025, 12, 1), dt.date(2026, 5, 31)),
            "created_at": st.integers(0, 360 * 24).map(
                lambda h: dt.datetime(2025, 6, 1, tzinfo=dt.UTC) + dt.timedelta(hours=h)
            ),
            "deal_amount": st.one_of(
                st.none(), st.integers(0, 10**8).map(lambda cents: cents / 100)
            ),
            "opportunity_type": st.sampled_from(["new", "expansion", "renewal", None]),
        }
    ),
    max_size=15,
)
STAYS = [
    {"rep_id": ADA, "team_id": NORTH, "valid_to": dt.date(2026, 2, 4)},
    {"rep_id": ADA, "team_id": SOUTH, "valid_from": dt.date(2026, 2, 10)},
    {"rep_id": BEN, "team_id": SOUTH, "valid_from": dt.date(2026, 1, 7)},
]
REPS = [
    {"rep_id": ADA, "role": "rep", "time_zone": "Asia/Kolkata"},
    {"rep_id": BEN, "role": "rep", "time_zone": "America/New_York"},
]


def activities(drawn) -> list[dict]:
    """Return clean activities, numbered."""
    return [
        {k: v for k, v in e.items() if k != "minute"}
        | {"activity_id": str(n), "kind": "event", "is_all_day": False}
        | {"started_at": START + dt.timedelta(minutes=e["minute"])}
        for n, e in enumerate(drawn)
    ]


def counted(rows: list[dict]) -> pd.DataFrame:
    with undone_house() as connection:
        place(connection, reps=REPS, activities=rows)
        hours.by_day(connection)
        return frame(connection, "rep_day_hours").sort_values(["rep_id", "day"], ignore_index=True)


def minutes_by_hand(rows: list[dict], rep: str, classes: set[str]) -> int:
    """Return how many minutes of the rep's time at least one entry of `classes` covers, minute by minute."""
    covered: set[int] = set()
    for row in rows:
        if row["rep_id"] == rep and row["minutes"] and row["activity_class"] in classes:
            first = int((row["started_at"] - START).total_seconds() // 60)
            covered |= set(range(first, first + int(row["minutes"])))
    return len(covered)


@few
@given(drawn=entries)
def test_a_day_has_24_hours_and_a_union_is_what_is_covered(raw, drawn):
    rows = activities(drawn)
    got = counted(rows)
    assert (got.filter(regex="_hours$").drop(columns="late_selling_hours") <= 24).all(axis=None)
    for rep in (ADA, BEN):
        mine = got[got["rep_id"] == rep]
        for name, classes in (
            ("selling_hours", {"selling"}),
            ("selling_preparation_hours", {"selling", "preparation"}),
            ("logged_hours", {"selling", "preparation", "prospecting", "internal"}),
        ):
            assert mine[name].sum() * 60 == pytest.approx(minutes_by_hand(rows, rep, classes)), name
    claimed = sum(r["minutes"] or 0 for r in rows) / 60
    assert got["logged_hours"].sum() <= claimed + 1e-9


@few
@given(drawn=entries.filter(len))
def test_one_entry_more_never_takes_an_hour_away(raw, drawn):
    rows = activities(drawn)
    more, fewer = counted(rows), counted(rows[:-1])
    both = more.merge(fewer, on=["rep_id", "day"], how="left", suffixes=("", "_before")).fillna(0.0)
    for name in ("selling_hours", "selling_prospecting_hours", "logged_hours"):
        assert (both[name] >= both[f"{name}_before"] - 1e-9).all()


def panels(rows: list[dict], deals: list[dict]) -> dict[str, pd.DataFrame]:
    with undone_house() as connection:
        teams = [{"team_id": t, "team_name": t} for t in (NORTH, SOUTH)]
        place(
            connection,
            reps=REPS,
            teams=teams,
            rep_team_history=STAYS,
            activities=rows,
            opportunities=deals,
        )
        hours.by_day(connection)
        build.make_panels(
            connection,
            dt.date(2026, 1, 1),
            dt.date(2026, 3, 31),
            house.load_dataset_settings("here"),
        )
        return {n: frame(connection, n) for n in ("rep_week", "rep_quarter", "team_quarter")}


@few
@given(drawn=entries, deals=sold, seed=st.integers(0, 9))
def test_teams_are_the_company_and_order_changes_nothing(raw, drawn, deals, seed):
    rows, deals = activities(drawn), [d | {"opportunity_id": str(n)} for n, d in enumerate(deals)]
    got = panels(rows, deals)
    teams = got["team_quarter"]
    won = [
        d
        for d in deals
        if d["status"] == "won"
        and d["close_date"].strftime("%Y%m") in {"202601", "202602", "202603"}
    ]
    assert teams["bookings_amount"].sum() == pytest.approx(
        sum(d["deal_amount"] or 0 for d in won), abs=0.01
    )
    assert teams["n_won"].sum() == len(won)
    kinds = teams.filter(regex="^(new|expansion|renewal|other)_bookings_amount$").sum(
        axis="columns"
    )
    assert kinds.tolist() == pytest.approx(teams["bookings_amount"].tolist(), abs=0.01)
    pending = [
        d
        for d in deals
        if d["created_at"].date() <= dt.date(2026, 3, 30)
        and (d["status"] == "open" or d["close_date"] > dt.date(2026, 3, 31))
    ]
    assert teams["n_open"].sum() >= len(pending)
    assert teams["selling_hours"].sum() == pytest.approx(
        got["rep_quarter"]["selling_hours"].sum(), abs=0.01
    )
    shuffled = random.Random(seed)  # noqa: S311 - an order, no secret
    again = panels(shuffled.sample(rows, len(rows)), shuffled.sample(deals, len(deals)))
    for name, table in got.items():
        pd.testing.assert_frame_equal(table, again[name])
