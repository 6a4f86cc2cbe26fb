"""Which rows of each table are a team's: what its pack, and a notebook run for it, may know.

A table that is not named here has no rows of one team: asking for it is an error, never the whole
company's rows.  What a rep did belongs to the team the rep was in on that day, so a rep who moved
is with each team for the days there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[str], pd.DataFrame]

# without a row of any team: the calendar, and what is sold
SHARED = frozenset({"quarters", "working_calendar", "products"})
BY_TEAM = frozenset(
    {
        "teams", "team_quarter", "rep_quarter", "rep_week", "rep_team_history", "lead_dates",
        "won_deals", "marketing_requests", "activity_targets",
    }
)  # fmt: skip
BY_DAY = {
    "observed_days": (("rep_id",), "day"),
    "opportunities": (("owner_at_close_rep_id", "owner_rep_id"), "close_date"),
    "activities": (("rep_id",), "started_at"),
}  # whose day it was, by the first column that says so
BY_PARENT = {
    "touches": ("lead_id", "lead_dates"),
    "stage_history": ("opportunity_id", "opportunities"),
}
BY_REP = frozenset({"reps"})
# The company's alone: its money cannot be told apart by team.
EMPTY = frozenset({"campaigns"})
EVER, ALWAYS = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")  # ends of an open stay
UNSAID = "The company's report says why."  # its finding may name rows of another team


def rows_of_team(name: str, team: str, read: Read) -> pd.DataFrame:
    """Return a team's rows of a table; `read` gives a table of the whole company.

    Taken of a team's own rows it returns all of them.

    Raises
    ------
    ValueError
        If no row of the table can be said to be of one team.
    """
    if name not in SHARED | EMPTY | BY_TEAM | BY_REP | set(BY_PARENT) | set(BY_DAY):
        raise ValueError(f"table {name} has no rows of one team: leave team empty")
    rows = read(name)
    if name in SHARED:
        return rows
    if name in EMPTY:
        return rows.iloc[:0]
    if name in BY_TEAM:
        return rows[rows["team_id"] == team]
    if name in BY_REP:
        return rows[rows["rep_id"].isin(_stays(team, read)["rep_id"])]
    if name in BY_PARENT:
        key, parent = BY_PARENT[name]
        return rows[rows[key].isin(rows_of_team(parent, team, read)[key].dropna())]
    return rows[_is_within_stay(rows, *BY_DAY[name], _stays(team, read))]


def _stays(team: str, read: Read) -> pd.DataFrame:
    history = read("rep_team_history")
    return history[history["team_id"] == team]


def _is_within_stay(
    rows: pd.DataFrame, reps: tuple[str, ...], day: str, stays: pd.DataFrame
) -> pd.Series[bool]:
    """Return which rows lie within a stay of their rep; of several `reps` the first that is there.

    A row without a day belongs to the team that its rep is in last.
    """
    whose = rows[reps[0]]
    for other in reps[1:]:
        whose = whose.fillna(rows[other])
    when = pd.to_datetime(rows[day], utc=True).dt.tz_localize(None).fillna(ALWAYS)
    events = pd.DataFrame({"rep_id": whose.astype(object), "when": when, "at": range(len(rows))})
    spans = pd.DataFrame(
        {
            "rep_id": stays["rep_id"].astype(object),
            "begin": pd.to_datetime(stays["valid_from"]).fillna(EVER),
            "end": pd.to_datetime(stays["valid_to"]).fillna(ALWAYS),
        }
    )
    both = events[events["rep_id"].isin(spans["rep_id"])].merge(spans, on="rep_id")
    is_last = (both["when"] == ALWAYS) & (both["end"] == ALWAYS)
    within = (both["when"] >= both["begin"]) & (both["when"] < both["end"]) | is_last
    return pd.Series(events["at"].isin(both.loc[within, "at"]).to_numpy(), rows.index)


def account_of_team(account: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of the cleaning pass's account that a team's pack may know.

    Which tables have rows and which questions are withheld, without any count or name in it.
    """
    gate = account.get("gate") or {}
    findings = [
        {**f, "sentence": UNSAID, "remedy": "", "examples": [], "table": None, "value": 0.0, "n": 0}
        for f in gate.get("findings", [])
    ]
    tables = [
        {
            "table": t["table"],
            "n_in": min(t["n_in"], 1),
            "n_clean": min(t["n_clean"], 1),
            "columns": {name: min(n, 1) for name, n in t["columns"].items()},
        }
        for t in account["tables"]
    ]
    return {
        "as_of": account["as_of"],
        "first_day": account["first_day"],
        "stamp": account["stamp"],
        "tables": tables,
        "files": [],
        "rules": [],
        "refusals": [],
        "reconciliation": [],
        **({"gate": {"questions": gate["questions"], "findings": findings}} if gate else {}),
    }
