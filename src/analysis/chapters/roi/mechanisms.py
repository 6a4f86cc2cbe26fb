"""How the programme may have raised bookings: each way estimated like the growth effect.

Same teams, same starts, same estimator, another outcome: hours sold, the share of opportunities
that came from recycled leads, and the win rate.  `mechanisms` sets them beside the total and adds
nothing to it.

By which way the effect on bookings came: hours, leads, win rate, and what none of them explains.

Bookings are hours' yield times win rate times deal size, so in logs the ways add up.  The total is
the one that counts; the ways only share it out, and their own sum is shown beside it and never
added.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.chapters.growth import assessment, imputation
from analysis.chapters.growth.panel import panel_until
from analysis.chapters.roi.case import Uncertain
from analysis.project import quarters
from analysis.project.errors import CrmDataError, require_columns
from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.chapters.roi.appraised_programme import Programme
    from analysis.chapters.roi.case import Case, GrowthEffect
    from analysis.chapters.roi.options import NextHour

HOURS, LEADS, WINS = "Hours sold", "Opportunities from recycled leads", "Win rate"
RECYCLED_SHARE = "recycled_opportunity_share"
ENDS = ["estimate", "low", "high"]


def mechanisms_of_company(
    tables: Mapping[str, pd.DataFrame], programme: Programme, hour: NextHour, *, quarter: str
) -> pd.DataFrame:  # fmt: skip
    """Return each way's contribution beside the total, from ``leads``, ``opportunities`` and the
    tables growth uses.
    """
    tables_of_then = programme.tables
    stays = (
        tables["rep_quarter"] if tables_of_then.rep_quarter is None else tables_of_then.rep_quarter
    )
    month = tables_of_then.fiscal_year_start_month
    shares = recycled_shares(tables["leads"], tables["opportunities"], stays, month=month)
    way_list = estimate_mechanisms(
        tables_of_then, shares, hours_yield=hour.elasticity, quarter=quarter
    )
    return beside_the_total(programme.case, way_list)


def estimate_mechanisms(
    tables_of_then: assessment.AssessmentTables,
    shares: pd.DataFrame,
    *,
    hours_yield: Uncertain,
    quarter: str,
) -> tuple[Way, ...]:
    """Return the ways that can be estimated as of `quarter`.

    What the data cannot carry is left out.

    Parameters
    ----------
    tables_of_then : what growth was assessed on
    shares : what `recycled_shares` returns
    hours_yield : elasticity of bookings with respect to selling hours; NaN leaves hours out
    quarter : last quarter that counts
    """
    joined = tables_of_then.team_quarter.merge(shares, on=["team_id", "quarter"], how="left")
    by_team = tables_of_then._replace(team_quarter=joined, rep_quarter=None)
    one = Uncertain(1.0)
    hours, wins = (
        _change(tables_of_then, "selling_hours", quarter),
        _change(by_team, "win_rate", quarter),
    )
    leads = _change(by_team, RECYCLED_SHARE, quarter, is_log=False)
    way_list = [
        Way(HOURS, hours, hours_yield) if hours and not np.isnan(hours_yield.estimate) else None,
        Way(LEADS, leads_change(leads), one) if leads else None,
        Way(WINS, wins, one) if wins else None,
    ]
    return tuple(way for way in way_list if way)


def recycled_shares(
    leads: pd.DataFrame, opportunities: pd.DataFrame, stays: pd.DataFrame, *, month: int = 1
) -> pd.DataFrame:
    """Return which share of a quarter's opportunities came from recycled leads.

    One row a team and quarter.

    An opportunity counts for the team in which its owner spent most of the quarter it was created
    in.

    Parameters
    ----------
    leads : ``opportunity_id``, ``is_recycled``
    opportunities : ``opportunity_id``, ``owner_rep_id``, ``created_at``
    stays : ``rep_quarter``: ``rep_id``, ``team_id``, ``quarter``, ``days_employed``
    month : first of the fiscal year

    Returns
    -------
    DataFrame
        ``team_id``, ``quarter``, ``recycled_opportunity_share`` [0-1]; empty where no lead led to
        an opportunity.
    """
    require_columns(leads, ["opportunity_id", "is_recycled"], "leads")
    require_columns(
        opportunities, ["opportunity_id", "owner_rep_id", "created_at"], "opportunities"
    )
    recycled = leads.loc[
        leads["is_recycled"].astype("boolean").fillna(value=False), "opportunity_id"
    ].dropna()
    if leads["opportunity_id"].isna().all():
        return pd.DataFrame({"team_id": [], "quarter": [], RECYCLED_SHARE: []}, dtype="object")
    days = pd.to_datetime(opportunities["created_at"]).dt.date
    names = {day: str(quarters.quarter_containing(day, month)) for day in days.dropna().unique()}
    leads_by_team = pd.DataFrame(
        {
            "rep_id": opportunities["owner_rep_id"],
            "quarter": days.map(names),
            RECYCLED_SHARE: opportunities["opportunity_id"].isin(recycled).astype(float),
        }
    )
    home = stays.sort_values(["days_employed", "team_id"]).drop_duplicates(
        ["rep_id", "quarter"], keep="last"
    )
    leads_by_team = leads_by_team.merge(
        home[["rep_id", "quarter", "team_id"]], on=["rep_id", "quarter"]
    )
    return leads_by_team.groupby(["team_id", "quarter"])[RECYCLED_SHARE].mean().reset_index()


def beside_the_total(case: Case, way_list: tuple[Way, ...]) -> pd.DataFrame:
    """Return each way, the unexplained rest and the total as changes of bookings.

    One row a part, as `decompose` has them.

    Columns: ``part``, ``estimate``, ``low``, ``high`` (95%) [0-1 of bookings].  One plus each, ways
    and rest multiply to the total.
    """
    rows = decompose_effect(case.effect, way_list, bookings_amount=1.0)
    log = rows[["log_points", "low", "high"]].to_numpy(float)
    return pd.DataFrame(np.expm1(log), columns=ENDS).assign(part=rows["part"])[["part", *ENDS]]


def _change(
    tables_of_then: assessment.AssessmentTables, outcome: str, quarter: str, *, is_log: bool = True
) -> Uncertain | None:
    rows = (
        tables_of_then.team_quarter
        if tables_of_then.rep_quarter is None
        else tables_of_then.rep_quarter
    )
    if outcome not in rows.columns or not rows[outcome].notna().any():
        return None
    try:
        whole = assessment.team_panel_of(tables_of_then, outcome, is_log=is_log)
        effects = imputation.estimate_effects(
            whole if whole.quarters[-1] == quarter else panel_until(whole, quarter)
        )
    except CrmDataError:
        return None
    return Uncertain(effects.estimate, effects.standard_error, effects.df)


TOTAL, BOTTOM_UP, REST = (
    "Total effect on bookings",
    "Sum of the ways, beside and not added",
    "Not by these ways",
)


class Way(NamedTuple):
    """A way by which bookings may have grown.

    `change` is the programme's effect on the log of what moved (hours, opportunities, win rate);
    `yields` what one log point of that does to log bookings (an elasticity; 1 where it is
    proportional).
    """

    name: str
    change: Uncertain
    yields: Uncertain


def leads_change(recycled_share: Uncertain) -> Uncertain:
    """Return the change of log opportunities if `recycled_share` of them came from recycled leads
    beyond before.

    Without those, opportunities would be 1 - share of what they are: -log(1 - share).

    Examples
    --------
    >>> from analysis.chapters.roi.case import Uncertain
    >>> round(leads_change(Uncertain(0.10, 0.02, 20)).estimate, 4)
    0.1054
    """
    share = recycled_share.estimate
    if not share < 1:
        raise ValueError(f"recycled_share must be below 1, got {share!r}")
    return recycled_share._replace(
        estimate=-math.log1p(-share), standard_error=recycled_share.standard_error / (1 - share)
    )


def decompose_effect(
    effect: GrowthEffect, ways: Sequence[Way], *, bookings_amount: float
) -> pd.DataFrame:
    """Return each way, the unexplained rest, the total, and the sum of the ways.

    One row each.

    Parameters
    ----------
    effect : the total, in log points
    ways : whose contributions are to be told apart
    bookings_amount : adopters' bookings of a year without the programme [currency/year]

    Returns
    -------
    DataFrame
        ``part``, ``role`` (way, rest, total or beside), ``log_points`` with ``low`` and ``high``
        (95%), ``bookings_amount`` [currency/year].  Ways and rest add up to the total in log points
        and in currency, which is shared out in proportion; the total alone enters an appraisal.
    """
    parts = [(way.name, "way", *_product(way)) for way in ways]
    summed = sum(part[2] for part in parts)
    summed_error = math.sqrt(sum(part[3] ** 2 for part in parts))
    df = min([effect.df, *(part[4] for part in parts)])
    rest_error = math.hypot(effect.standard_error, summed_error)
    total_amount = bookings_amount * math.expm1(effect.estimate)
    rows = [
        *parts,
        (REST, "rest", effect.estimate - summed, rest_error, df),
        (TOTAL, "total", effect.estimate, effect.standard_error, effect.df),
        (BOTTOM_UP, "beside", summed, summed_error, df),
    ]
    table = pd.DataFrame(rows, columns=["part", "role", "log_points", "standard_error", "df"])
    reach = stats.t.ppf(intervals.ENDS[1], np.maximum(table["df"], 1)) * table["standard_error"]
    amount = table["log_points"] * (total_amount / effect.estimate if effect.estimate else math.nan)
    amount = amount.where(table["role"] != "beside", bookings_amount * math.expm1(summed))
    columns = ["part", "role", "log_points", "low", "high", "bookings_amount"]
    return table.assign(
        low=table["log_points"] - reach, high=table["log_points"] + reach, bookings_amount=amount
    )[columns]


def _product(way: Way) -> tuple[float, float, int]:
    """Return estimate, standard error (delta method, taken as unrelated) and df of change times
    yield.
    """
    change, yields = way.change, way.yields
    error = math.hypot(
        change.estimate * yields.standard_error, yields.estimate * change.standard_error
    )
    degrees = [each.df for each in (change, yields) if each.standard_error > 0]
    return change.estimate * yields.estimate, error, min(degrees, default=1)
