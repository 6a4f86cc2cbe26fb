"""Goals and plans: what both sides own, signed, aim at, are paid for and look at.

Content and requests: whether what is made is found, used and asked for in an orderly way.

Coordinated targeting: one list of accounts, campaigns announced in time, one story, people in the
field.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.alignment import score_meetings, team_quarters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.chapters.alignment.team_quarters import Cells
    from analysis.project.settings import Standards

    Tables = Mapping[str, pd.DataFrame]


def shared_goals(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E11: goals in force with an owner on both sides, of those in force."""
    rows = team_quarters.in_force(cells, tables["goals"], "period_start", "period_end")
    hit = rows[["sales_owner_rep_id", "marketing_owner_rep_id"]].notna().all(axis="columns")
    return team_quarters.tally_hits(cells, rows, hit)


def signed_plans(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E12: plans in force that both sides had signed before their first day, of those in force."""
    rows = team_quarters.in_force(cells, tables["plans"], "period_start", "period_end")
    start = team_quarters.midnights(rows["period_start"])
    hit = (team_quarters.midnights(rows["signed_by_sales_on"]) < start) & (
        team_quarters.midnights(rows["signed_by_marketing_on"]) < start
    )
    return team_quarters.tally_hits(cells, rows, hit)


def targeted_spend(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E13: planned spend on activities with a volume and a conversion target, of all planned spend."""  # noqa: E501
    rows = team_quarters.in_force(cells, tables["activity_targets"], "period_start", "period_end")
    hit = rows[["volume_target", "conversion_target"]].notna().all(axis="columns")
    return team_quarters.tally_hits(cells, rows, hit, weight=rows["spend_amount"])


def pay_parity(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E14: the smaller over the larger share of pay on shared outcomes, of sales and of marketing.

    A contract is known, not sampled: `n` is infinite.  Missing where a side is unknown or neither
    has any.
    """
    rows = team_quarters.in_force(cells, tables["incentives"], "period_start", "period_end")
    sides = rows.pivot_table(
        index=team_quarters.KEY, columns="side", values="shared_outcome_rate", aggfunc="mean"
    )
    sides = sides.reindex(index=cells.table.index, columns=["sales", "marketing"]).astype("float64")
    share = share_parity(sides)
    return pd.DataFrame({"share": share, "n": np.where(share.notna(), np.inf, 0.0)})


def share_parity(sides: pd.DataFrame) -> pd.Series[float]:
    """Return the smaller over the larger of two sides' shares, ``sales`` and ``marketing`` [0-1].

    Missing where a side is unknown or neither has any.

    Examples
    --------
    >>> share_parity(pd.DataFrame({"sales": [0.4, 0.0], "marketing": [0.1, 0.0]})).tolist()
    [0.25, nan]
    """
    larger = sides.max(axis="columns", skipna=False)
    return sides.min(axis="columns", skipna=False) / larger.where(larger > 0)


def metric_packs(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E15: months in which both sides had a pack of three to five metrics, by the day the second
    side got it.
    """
    packs = team_quarters.spread_over_teams(cells, tables["metric_packs"])
    sent = pd.DataFrame(
        {
            side: team_quarters.midnights(packs[f"sent_to_{side}_on"])
            for side in ("sales", "marketing")
        }
    )
    day = sent.max(axis="columns").where(sent.notna().all(axis="columns"))
    packs = packs.assign(quarter=team_quarters.quarter_of(cells, day))
    packs["month"] = team_quarters.month_of(cells, packs["quarter"], day)
    good = packs[packs["n_metrics"].between(standards.fewest_metrics, standards.most_metrics)]
    months = (
        good.dropna(subset=["quarter"])
        .drop_duplicates([*team_quarters.KEY, "month"])
        .groupby(team_quarters.KEY)
        .size()
    )
    share = months.reindex(cells.table.index, fill_value=0) / team_quarters.MONTHS
    return pd.DataFrame({"share": share, "n": float(team_quarters.MONTHS)}).where(
        team_quarters.is_kept(cells, day)
    )


def _used(tables: Tables, cells: Cells) -> pd.DataFrame:
    """Return which asset a team used in which quarter: one row each."""
    uses = tables["asset_uses"]
    uses = uses.assign(quarter=team_quarters.quarter_of(cells, uses["used_on"]))
    return uses.dropna(subset=["quarter"]).drop_duplicates([*team_quarters.KEY, "asset_id"])[
        [*team_quarters.KEY, "asset_id"]
    ]


def used_in_library(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E20: assets in the library, of those the team used."""
    rows = _used(tables, cells).merge(
        tables["assets"][["asset_id", "is_in_library"]], on="asset_id"
    )
    return team_quarters.tally_hits(cells, rows, rows["is_in_library"])


def library_used(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E21: assets of the library the team used in this quarter or the last, of those old enough to
    judge.

    Missing in the first quarter of the log, which knows of one quarter only.
    """
    assets = tables["assets"]
    in_library = assets["is_in_library"].eq(other=True)
    shelf = team_quarters.spread_over_teams(
        cells, assets.loc[in_library, ["asset_id", "team_id", "created_on"]]
    )
    rows = shelf.merge(cells.table.reset_index(), on="team_id")
    oldest = rows["measured_to"] - pd.Timedelta(days=standards.library_age_days)
    rows = rows[team_quarters.midnights(rows["created_on"]) < oldest]
    used = _used(tables, cells._replace(half=None))
    names = cells.quarters.index
    after = dict(itertools.pairwise(names))
    recent = pd.concat([used, used.assign(quarter=used["quarter"].map(after))])
    key = [*team_quarters.KEY, "asset_id"]
    hit = pd.MultiIndex.from_frame(rows[key]).isin(pd.MultiIndex.from_frame(recent[key].dropna()))
    first = used["quarter"].map({name: i for i, name in enumerate(names)}).min()
    has_library = names.get_indexer(cells.table.index.get_level_values("quarter")) > first
    return team_quarters.tally_hits(cells, rows, pd.Series(hit, index=rows.index)).where(
        pd.Series(has_library, index=cells.table.index)
    )


def sales_input(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E22: new assets somebody of sales had a hand in, of those made."""
    rows = team_quarters.spread_over_teams(cells, tables["assets"])
    rows = rows.assign(quarter=team_quarters.quarter_of(cells, rows["created_on"]))
    return team_quarters.tally_hits(cells, rows, rows["has_sales_input"])


def vetted_requests(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E23: requests with every vetting question answered, of those work began on."""
    rows = tables["marketing_requests"]
    rows = rows.assign(quarter=team_quarters.quarter_of(cells, rows["work_started_on"]))
    return team_quarters.tally_hits(
        cells, rows, rows["n_questions_answered"] >= standards.n_questions
    )


def target_list(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E16: accounts on both sides' lists that both approved, of those on either, on a quarter's
    last day.
    """
    rows = tables["target_accounts"].merge(cells.table.reset_index(), on="team_id")
    last = rows["measured_to"] - pd.Timedelta(days=1)
    ends = team_quarters.midnights(rows["valid_to"])
    rows = rows.assign(last=last)[
        (team_quarters.midnights(rows["valid_from"]) <= last) & (ends.isna() | (ends > last))
    ]
    approvals = [
        team_quarters.midnights(rows[f"approved_by_{side}_on"]) <= rows["last"]
        for side in ("sales", "marketing")
    ]
    rows = rows.assign(is_approved=approvals[0] & approvals[1])
    either = (
        rows.groupby([*team_quarters.KEY, "account_id"])
        .agg(n=("side", "nunique"), ok=("is_approved", "max"))
        .reset_index()
    )
    return team_quarters.tally_hits(cells, either, (either["n"] == 2) & either["ok"])


def campaign_notices(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E17: campaigns announced enough working days before with talking points, of those that went
    out.
    """
    rows = tables["campaign_notices"]
    rows = rows.assign(quarter=team_quarters.quarter_of(cells, rows["first_send_on"]))
    regions = rows["team_id"].map(cells.table["region"].groupby("team_id").first())
    ahead = notice_days(rows, regions, tables.get("working_calendar"))
    return team_quarters.tally_hits(
        cells,
        rows,
        (ahead >= standards.notice_business_days) & rows["has_talking_points"].eq(other=True),
    )


def notice_days(
    notices: pd.DataFrame, regions: pd.Series, calendar: pd.DataFrame | None
) -> pd.Series[float]:
    """Return how many working days before its first send a campaign was announced [d].

    Below 0 where it was afterwards, missing where it never was.

    Parameters
    ----------
    notices : ``notified_on``, ``first_send_on``
    regions : region of each row's team
    calendar : ``working_calendar``, where one is kept
    """
    notice_day = team_quarters.midnights(notices["notified_on"])
    ahead = pd.Series(np.nan, index=notices.index)
    for region, part in notices[notice_day.notna()].groupby(regions, dropna=False):
        since, until = (
            day.to_numpy().astype("datetime64[D]")
            for day in (notice_day[part.index], team_quarters.midnights(part["first_send_on"]))
        )
        ahead[part.index] = np.busday_count(since, until, holidays=_holidays(calendar, region))
    return ahead


def _holidays(calendar: pd.DataFrame | None, region: object) -> np.ndarray:
    """Return a region's days off; none where no working calendar is kept."""
    if calendar is None:
        return np.array([], dtype="datetime64[D]")
    off = calendar[(calendar["region"] == region) & ~calendar["is_workday"].astype(bool)]
    return team_quarters.midnights(off["date"]).to_numpy().astype("datetime64[D]")


def narrative_use(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E18: campaigns that cite the current version of the agreed narrative, of those that went out."""  # noqa: E501
    rows = tables["campaign_notices"]
    rows = rows.assign(quarter=team_quarters.quarter_of(cells, rows["first_send_on"]))
    return team_quarters.tally_hits(cells, rows, rows["cites_agreed_narrative"])


def field_time(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E19: days marketing was with the team's customers, and campaign meetings reps were in,
    averaged.

    Each against its standard and no further.
    """
    seats = score_meetings.joint_activities(tables, cells)
    field = seats.assign(quarter=team_quarters.quarter_of(cells, seats["day"]))
    field = (
        field[field["is_field"]]
        .dropna(subset=["quarter"])
        .drop_duplicates([*team_quarters.KEY, "day"])
    )
    joint_meetings = tables["joint_meetings"]
    campaign = team_quarters.spread_over_teams(
        cells, joint_meetings[joint_meetings["kind"] == "campaign"]
    )
    campaign = campaign.assign(quarter=team_quarters.quarter_of(cells, campaign["held_on"]))
    parts = [
        (
            rows.groupby(team_quarters.KEY).size().reindex(cells.table.index, fill_value=0)
            / standard
        ).clip(upper=1)
        for rows, standard in (
            (field, standards.field_days),
            (campaign, standards.campaign_meetings),
        )
    ]
    n = float(standards.field_days + standards.campaign_meetings)
    has_records = team_quarters.is_kept(cells, joint_meetings["held_on"]) & team_quarters.is_kept(
        cells, seats["day"]
    )
    return pd.DataFrame({"share": (parts[0] + parts[1]) / 2, "n": n}).where(has_records)
