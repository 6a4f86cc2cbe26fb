"""Coordinated targeting: one list of accounts, campaigns announced in time, one story, people in the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.alignment import cells as cell
from analysis.models.alignment import evidence_cadence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.models.alignment.cells import Cells
    from analysis.settings import Standards

    Tables = Mapping[str, pd.DataFrame]


def target_list(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E16: accounts on both sides' lists that both approved, of those on either, on a quarter's last day."""
    rows = tables["target_accounts"].merge(cells.table.reset_index(), on="team_id")
    last = rows["measured_to"] - pd.Timedelta(days=1)
    ends = cell.days(rows["valid_to"])
    rows = rows.assign(last=last)[(cell.days(rows["valid_from"]) <= last) & (ends.isna() | (ends > last))]
    approvals = [cell.days(rows[f"approved_by_{side}_on"]) <= rows["last"] for side in ("sales", "marketing")]
    rows = rows.assign(is_approved=approvals[0] & approvals[1])
    either = rows.groupby([*cell.KEY, "account_id"]).agg(n=("side", "nunique"), ok=("is_approved", "max")).reset_index()
    return cell.tally(cells, either, (either["n"] == 2) & either["ok"])


def notices(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E17: campaigns announced enough working days before with talking points, of those that went out."""
    rows = tables["campaign_notices"]
    rows = rows.assign(quarter=cell.quarter_of(cells, rows["first_send_on"]))
    told = cell.days(rows["notified_on"])
    ahead = pd.Series(0, index=rows.index)
    regions = rows["team_id"].map(cells.table["region"].groupby("team_id").first())
    for region, part in rows[told.notna()].groupby(regions, dropna=False):
        since, until = (
            day.to_numpy().astype("datetime64[D]") for day in (told[part.index], cell.days(part["first_send_on"]))
        )
        ahead[part.index] = np.busday_count(since, until, holidays=_holidays(tables, region))
    return cell.tally(
        cells, rows, (ahead >= standards.notice_business_days) & rows["has_talking_points"].eq(other=True)
    )


def _holidays(tables: Tables, region: object) -> np.ndarray:
    """Return a region's days off; none where no working calendar is kept."""
    if "working_calendar" not in tables:
        return np.array([], dtype="datetime64[D]")
    days = tables["working_calendar"]
    off = days[(days["region"] == region) & ~days["is_workday"].astype(bool)]
    return cell.days(off["date"]).to_numpy().astype("datetime64[D]")


def narrative(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E18: campaigns that cite the current version of the agreed narrative, of those that went out."""
    rows = tables["campaign_notices"]
    rows = rows.assign(quarter=cell.quarter_of(cells, rows["first_send_on"]))
    return cell.tally(cells, rows, rows["cites_agreed_narrative"])


def field_time(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E19: days marketing was with the team's customers, and campaign meetings reps were in, averaged.

    Each against its standard and no further.
    """
    seats = evidence_cadence.joint(tables, cells)
    field = seats.assign(quarter=cell.quarter_of(cells, seats["day"]))
    field = field[field["is_field"]].dropna(subset=["quarter"]).drop_duplicates([*cell.KEY, "day"])
    held = tables["joint_meetings"]
    campaign = cell.everywhere(cells, held[held["kind"] == "campaign"])
    campaign = campaign.assign(quarter=cell.quarter_of(cells, campaign["held_on"]))
    parts = [
        (rows.groupby(cell.KEY).size().reindex(cells.table.index, fill_value=0) / standard).clip(upper=1)
        for rows, standard in ((field, standards.field_days), (campaign, standards.campaign_meetings))
    ]
    n = float(standards.field_days + standards.campaign_meetings)
    kept = cell.is_kept(cells, held["held_on"]) & cell.is_kept(cells, seats["day"])
    return pd.DataFrame({"share": (parts[0] + parts[1]) / 2, "n": n}).where(kept)
