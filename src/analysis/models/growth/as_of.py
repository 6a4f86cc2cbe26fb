"""What an assessment may know as of a quarter: panels, starts and the sales cycle, nothing from after its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import quarters
from analysis.models.growth.assessment import Tables
from analysis.schema import require_columns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


def tables(held: Mapping[str, pd.DataFrame], quarter: str, *, fiscal_year_start_month: int = 1) -> Tables:
    """Return the tables of an assessment as of `quarter`.

    Parameters
    ----------
    held : ``team_quarter``, ``rep_quarter``, ``programme`` and ``opportunities`` by name
    quarter : last quarter that counts; a start on or after its end had not come
    fiscal_year_start_month : as in the settings
    """
    end = quarters.quarter(quarter).end(fiscal_year_start_month)
    programme = held["programme"]
    require_columns(programme, ["team_id", "start_date"], "programme")
    begun = programme[~(pd.to_datetime(programme["start_date"]) >= pd.Timestamp(end))]  # an unknown start is refused
    team, rep = (held[name][held[name]["quarter"] <= quarter] for name in ("team_quarter", "rep_quarter"))
    return Tables(team, begun, rep, median_cycle_days(held["opportunities"], end=end), fiscal_year_start_month)


def median_cycle_days(opportunities: pd.DataFrame, *, end: dt.date) -> float:
    """Return the median days from creation to close of deals won before the day `end`; NaN where none was."""
    require_columns(opportunities, ["status", "close_date", "cycle_days"], "opportunities")
    won = (opportunities["status"] == "won") & (pd.to_datetime(opportunities["close_date"]) < pd.Timestamp(end))
    return float(opportunities.loc[won, "cycle_days"].median())
