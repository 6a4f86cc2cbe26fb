"""The company in tables that models read, truth and records side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.simulate.world.people import NEVER
from analysis.simulate.world.weekly_hours import KINDS

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Floats, Ints, Window
    from analysis.simulate.world.draws import CompanyDraws


class Panels(NamedTuple):
    """The company in tables that models read.

    ``rep_week`` has a row per rep and Monday week, ``rep_quarter`` per rep and quarter,
    ``team_quarter`` per team and quarter.  Money in USD, hours in h; truth that no export holds
    (true hours, skill, demand, effect) stands beside what the records will say.
    """

    rep_week: pd.DataFrame
    rep_quarter: pd.DataFrame
    team_quarter: pd.DataFrame


def build_panels(drawn: CompanyDraws) -> Panels:
    """Return the panels of a company that is drawn."""
    return Panels(_rep_week(drawn), _rep_quarter(drawn), _team_quarter(drawn))


def _rep_week(drawn: CompanyDraws) -> pd.DataFrame:
    days, staff, time, sold = drawn
    n_seats, n_weeks = staff.rep.shape
    table = sold.table
    inside = table["created"].to_numpy() >= 0
    cell = table["seat"].to_numpy()[inside] * n_weeks + days.week_of(
        table["created"].to_numpy()[inside]
    )
    quarter = days.quarter[np.maximum(days.week_start, 0)]
    logged = np.where(time.is_logged, time.logged_minutes / 60, np.nan)
    columns = {
        "rep": staff.rep,
        "team": staff.team,
        "week": np.broadcast_to(np.arange(n_weeks), staff.rep.shape),
        "quarter": np.broadcast_to(quarter, staff.rep.shape),
        "worked_days": time.worked,
        "selling_hours": time.selling,
        "late_hours": time.late,
        "logged_hours": logged,
        "logged_late_hours": np.where(time.is_logged, time.logged_late_minutes / 60, np.nan),
        "log_full_week_hours": time.log_hours,
        "skill": staff.skill[staff.rep],
        "log_shift": time.log_shift,
        "demand": time.hot[:, quarter],
    }
    columns |= {f"{kind}_days": shifted for kind, shifted in zip(KINDS, time.shifted, strict=True)}
    columns["expected_opportunities"] = sold.expected
    columns["opportunities_created"] = np.bincount(cell, minlength=n_seats * n_weeks).reshape(
        n_seats, n_weeks
    )
    frame = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, copy=False)
    frame["week_start"] = days.dates(days.week_start)[frame["week"].to_numpy()].astype(
        "datetime64[s]"
    )
    return frame


def _rep_quarter(drawn: CompanyDraws) -> pd.DataFrame:
    days, staff, time, sold = drawn
    n_quarters, n_reps = len(days.quarters), len(staff.rep_seat)
    share = time.worked_piece / np.maximum(time.worked, 1)[:, days.piece_week]
    cell = (staff.rep[:, days.piece_week] * n_quarters + days.piece_quarter).ravel()
    n = n_reps * n_quarters

    def total(values: Floats) -> Floats:
        return np.bincount(cell, values.ravel(), n).astype(np.float64)

    frame = pd.DataFrame(
        {
            "rep": np.repeat(np.arange(n_reps), n_quarters),
            "quarter": np.tile(np.arange(n_quarters), n_reps),
            "worked_days": total(time.worked_piece.astype(np.float64)).astype(np.int64),
            "selling_hours": total(time.selling[:, days.piece_week] * share),
            "late_hours": total(time.late[:, days.piece_week] * share),
        }
    )
    last = np.zeros(n, np.int64)
    last[cell] = staff.team[:, days.piece_week].ravel()  # the later week overwrites the earlier
    frame["team"] = last
    frame = frame.join(_sales(sold.table, days, "creator", "owner", n_reps))
    return frame[frame["worked_days"] > 0].reset_index(drop=True)


def _team_quarter(drawn: CompanyDraws) -> pd.DataFrame:
    days, staff, _, sold = drawn
    n_teams, n_quarters = sold.effect.shape
    team, quarter = (grid.ravel() for grid in np.indices(sold.effect.shape))
    weeks = np.bincount(days.piece_quarter, minlength=n_quarters)
    cell = (staff.team[:, days.piece_week] * n_quarters + days.piece_quarter).ravel()
    event = quarter - staff.adopted[team]
    frame = pd.DataFrame(
        {
            "team": team,
            "quarter": quarter,
            "headcount": np.bincount(cell, minlength=n_teams * n_quarters) / weeks[quarter],
            "adopted": event >= 0,
            "event_time": np.where(staff.adopted[team] == NEVER, np.nan, event),
            "effect": sold.effect.ravel(),
            "shock": sold.shock.ravel(),
        }
    )
    return frame.join(_sales(sold.table, days, "team_created", "team", n_teams))


def _sales(
    table: pd.DataFrame, days: Window, by_created: str, by_closed: str, n: int
) -> pd.DataFrame:
    """Return creations, closings, wins and bookings [USD] by unit and quarter."""
    n_quarters = len(days.quarters)
    size = n * n_quarters
    new = table[table["created"] >= 0]
    created_cell: Ints = (
        new[by_created].to_numpy() * n_quarters + days.quarter[new["created"].to_numpy()]
    )
    done = table[table["is_closed"]]
    cell: Ints = done[by_closed].to_numpy() * n_quarters + done["quarter"].to_numpy()
    won = done["is_won"].to_numpy()
    return pd.DataFrame(
        {
            "opportunities_created": np.bincount(created_cell, minlength=size),
            "closed": np.bincount(cell, minlength=size),
            "won": np.bincount(cell[won], minlength=size),
            "bookings": np.bincount(cell[won], done["amount_usd"].to_numpy()[won], size),
        }
    )
