"""Which hours count and why: what each source claimed, what was junk, who logged and since when.

Restates the account of the cleaning pass (``audit.json``) and the panels as tables and sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGGED_ALL = 0.995  # of working days: what a figure shows as 100 %
FULLY_LOGGED = 0.9  # share of working days from which a team counts as logging


def hours_ledger(account: Mapping[str, Any]) -> pd.DataFrame:
    """Return step by step how each source of hours comes to those it counts.

    One row a source and step.

    Columns: ``source`` (file and kind of entry), ``step``, ``rows`` it took, ``hours_before``,
    ``hours_after`` [h] and ``junk`` (whether it says that the source's times cannot be trusted).
    """
    rows = [
        (
            f"{s['source_file']} {s['kind']}".strip(),
            s["step"],
            s["n_rows"],
            s["hours_before"],
            s["hours_after"],
            s["is_junk"],
        )
        for s in account.get("hours_steps", ())
    ]
    return pd.DataFrame(
        rows, columns=["source", "step", "rows", "hours_before", "hours_after", "junk"]
    )


def hours_sentence(account: Mapping[str, Any]) -> str:
    """Return in one sentence what became of the hours exported, and which sources were refused."""
    sources = account.get("hours_sources", ())
    if not sources:
        return "No entry of the exports has a length: there are no hours to count."
    exported, junk = (sum(s[c] for s in sources) for c in ("exported_hours", "junk_hours"))
    counted = account["hours_steps"][-1]["hours_after"]
    refused = [
        f"{s['source_file']} ({s['kind']}, {s['junk_share']:.0%} junk)"
        for s in sources
        if s["is_refused"]
    ]
    return (
        f"Of {exported:,.0f} hours exported, {junk:,.0f} ({junk / exported:.1%}) are junk and "
        f"{counted:,.0f} count. "
        f"Sources refused: {', '.join(refused) or 'none'}. Rep-days above 12 hours: "
        f"{account['n_long_days']:,}."
    )


def refused_sources(account: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each source refused for hours."""
    return [
        f"Hours unknown: {s['junk_share']:.0%} of the hours of {s['source_file']} ({s['kind']}) "
        "are junk, so whoever logs there has no hours in this report."
        for s in account.get("hours_sources", ())
        if s["is_refused"]
    ]


def logged_days(teams: pd.DataFrame, quarters: int, quarter: str) -> pd.DataFrame:
    """Return the share of working days with logging.

    One row a team and quarter, the last `quarters` to `quarter`.

    Columns: ``team_name``, ``quarter``, ``logged_share``, ``is_partial``, ``n_reps``,
    ``logging_change``; teams by name.
    """
    named = teams[
        teams["team_name"].notna() & (teams["n_reps"] > 0) & (teams["quarter"] <= quarter)
    ]
    last = sorted(named["quarter"].unique())[-quarters:]
    table = named[named["quarter"].isin(last)].sort_values(
        ["team_name", "quarter"], ignore_index=True
    )
    return table[["team_name", "quarter", "logged_share", "is_partial", "n_reps", "logging_change"]]


def teams_with_gaps(table: pd.DataFrame) -> list[str]:
    """Return the teams that did not log every working day, from what `logged_days` returns."""
    is_short = ~(table["logged_share"] >= LOGGED_ALL)
    return sorted(table.loc[is_short, "team_name"].unique())


def logging_changes(table: pd.DataFrame) -> str:
    """Return in one sentence where logging changed and not only selling, from what `logged_days`
    returns.
    """
    changed = table[table["logging_change"].notna()]
    where = changed["team_name"] + " " + changed["quarter"] + " (" + changed["logging_change"] + ")"
    return f"Logging changed: {', '.join(where) or 'nowhere'}."


def logging_sentence(table: pd.DataFrame) -> str:
    """Return in one sentence how much of working time was logged, from what `logged_days` returns."""  # noqa: E501
    short = table.loc[table["logged_share"] < FULLY_LOGGED, "team_name"].nunique()
    return (
        f"{table['team_name'].nunique()} teams over {table['quarter'].nunique()} quarters; {short} "
        f"of them logged less than {FULLY_LOGGED:.0%} of their working days in at least one "
        f"quarter. {logging_changes(table)}"
    )
