"""What became of each team's requests to marketing, counted by the quarter they were asked in.

The company's own files of decisions say what a list of requests does not, so this is counted of the
whole company's requests, a team at a time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.chapters.marketing_requests import request_log, turnaround
from analysis.store import request_records

if TYPE_CHECKING:
    from analysis.store.company import Company

COUNTS = {
    "asked": "Asked of marketing",
    "answered": "Answered",
    "taken_on": "Taken on",
    "done": "Done",
    "waiting": "Waiting for a decision",
    "hours": "Marketing hours asked for",
}  # by quarter asked, in the order shown
DAYS = "realistic_days"  # within which four of five are done


def requests_by_team(company: Company) -> dict[str, dict[str, Any]]:
    """What became of each team's requests, by team: `COUNTS` by quarter, `DAYS`, ``n_done``.

    Quarters are the one reported and the one before; a team that never asked is not in it.
    """
    rows = company.table("marketing_requests")
    if rows.empty:
        return {}
    records = request_records.read_records(company.dataset)
    log = request_log.request_log(rows, records, day_after=company.day_after)
    log = log[log["team_id"].notna()]
    return {
        str(team): {
            **{str(quarter): _counts(mine, company, back) for back, quarter in _quarters(company)},
            **_days(mine, company),
        }
        for team, mine in log.groupby("team_id")
    }


def _quarters(company: Company) -> list[tuple[int, str]]:
    return [(back, str(company.period.shifted(-back))) for back in (0, 1)]


def _counts(log: pd.DataFrame, company: Company, back: int) -> dict[str, float | None]:
    """Counts of the requests asked in the quarter `back` quarters ago; hours None if unknown."""
    month = company.settings.company.fiscal_year_start_month
    quarter = company.period.shifted(-back)
    first, end = pd.Timestamp(quarter.start(month)), pd.Timestamp(quarter.end(month))
    mine = log[(log["asked_on"] >= first) & (log["asked_on"] < end)]
    hours = mine["marketing_hours"].sum(min_count=1)
    return {
        "asked": len(mine),
        "answered": int(mine["answered_on"].notna().sum()),
        "taken_on": int(mine["is_taken_on"].sum()),
        "done": int(mine["done_on"].notna().sum()),
        "waiting": int(mine["is_open"].sum()),
        "hours": None if pd.isna(hours) else float(hours),
    }


def _days(log: pd.DataFrame, company: Company) -> dict[str, float | None]:
    """Days within which four of five of a team's requests are done; None below ten done ones."""
    began = log[log["is_in_work"]]
    curve = turnaround.estimate_turnaround(
        *turnaround.days_until(began, "done_on", day_after=company.day_after)
    )
    days = turnaround.realistic_days(curve)
    return {DAYS: None if math.isnan(days) else days, "n_done": curve.n_done}
