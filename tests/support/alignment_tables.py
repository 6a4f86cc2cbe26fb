"""Two teams of 2026Q1 and Q2 to hang evidence on, and companies with planted archetypes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from analysis.chapters.alignment import reference, scoring
from analysis.chapters.alignment.items import ITEMS

QUARTERS = {"2026Q1": ("2026-01-01", "2026-04-01"), "2026Q2": ("2026-04-01", "2026-07-01")}
MONDAYS = [dt.date(2026, 1, 5) + dt.timedelta(weeks=i) for i in range(13)]  # of 2026Q1
BY_ID = {item.id: item for item in ITEMS}


def day(text):
    return dt.date.fromisoformat(text) if text else None


def stamp(text):
    return pd.Timestamp(text, tz="UTC").as_unit("us")


def periods(names=("2026Q1", "2026Q2")):
    rows = [(name, *map(day, QUARTERS[name])) for name in names]
    return pd.DataFrame(rows, columns=["quarter", "from_day", "until_day"])


def company(**more):
    """Return the tables every item needs: rep A1 and manager A9 in team A, rep B1 in team B, marketer M1."""
    history = [("A1", "A"), ("A9", "A"), ("B1", "B")]
    base = {
        "quarters": periods(),
        "teams": pd.DataFrame({"team_id": ["A", "B"], "region": ["EMEA", "APAC"]}),
        "rep_team_history": pd.DataFrame(history, columns=["rep_id", "team_id"]).assign(
            valid_from=None, valid_to=None
        ),
        "reps": pd.DataFrame(
            {
                "rep_id": ["A1", "A9", "B1", "M1"],
                "role": ["rep", "manager", "rep", "marketing"],
                "hired_on": [None, None, None, None],
            }
        ),
    }
    return base | more


def scored(tables, item, team="A", quarter="2026Q1", **options):
    """Return the row of one item, team and quarter."""
    rows = scoring.evidence_table(tables, time_zone="UTC", items=[BY_ID[item]], **options)
    return rows[(rows["team_id"] == team) & (rows["quarter"] == quarter)].iloc[0]


def funnel(rows, **columns):
    """Return leads and their history from (lead, stage, entered_at); all are rep A1's."""
    history = pd.DataFrame(rows, columns=["lead_id", "lead_stage", "entered_at"])
    history["entered_at"] = history["entered_at"].map(stamp)
    ids = history["lead_id"].unique()
    handed = history[history["lead_stage"] == "mql"].groupby("lead_id")["entered_at"].min()
    leads = pd.DataFrame(
        {
            "lead_id": ids,
            "person_key": [f"P{i}" for i in ids],
            "owner_rep_id": "A1",
            "created_at": handed.reindex(ids).to_numpy(),
            "mql_at": handed.reindex(ids).to_numpy(),
            "opportunity_id": None,
        }
    )
    return {"leads": leads.assign(**columns), "lead_status_history": history}


def meetings(rows):
    """Return minutes from (team, held_on, kind); with agenda, leader, on time, an executive unless said."""
    table = pd.DataFrame(rows, columns=["team_id", "held_on", "kind"])
    return table.assign(
        has_agenda=True, has_leader=True, minutes_late=0.0, is_executive_present=True
    )


def calendar(rows):
    """Return activities and attendees from (rep, started_at, sides): sides such as ("marketing", "customer")."""
    acts = pd.DataFrame([(f"T{i}", rep, stamp(at)) for i, (rep, at, _) in enumerate(rows)])
    acts.columns = ["activity_id", "rep_id", "started_at"]
    there = [
        (f"T{i}", f"{side}{i}", side, "M1" if side == "marketing" else None)
        for i, (_, _, sides) in enumerate(rows)
        for side in sides
    ]
    attendees = pd.DataFrame(there, columns=["activity_id", "person_key", "side", "rep_id"])
    return {"activities": acts.assign(is_all_day=False), "attendees": attendees}


def shares(rows):
    """Return evidence from (team, quarter, item, share, n)."""
    return pd.DataFrame(rows, columns=["team_id", "quarter", "item", "share", "n"])


def planted(n, rng, *, wrong=0.08, unknown=0.1):
    """Return `n` companies and their true archetype: each rule tells the truth but for a share that is wrong."""
    truth = rng.choice([*reference.TYPES, reference.NONE], n)
    values = {}
    for rule in reference.RULES:
        is_met = (truth == rule.archetype) ^ (rng.random(n) < wrong)
        values[rule.column] = np.where(
            rng.random(n) < unknown, np.nan, np.where(is_met, *_values(rule))
        )
    return pd.DataFrame(values), pd.Series(truth)


def _values(rule):
    """Return a value that meets a rule and one that does not."""
    if rule.comparison == "==":
        return rule.cut, 1 - rule.cut
    far = max(1.0, abs(rule.cut)) / 2
    return (
        (rule.cut - far, rule.cut + far)
        if rule.comparison == "<"
        else (rule.cut + far, rule.cut - far)
    )
