"""By which ways the programme may have moved bookings, each estimated as the growth effect is.

Same teams, same starts, same estimator, another outcome: hours sold, the share of opportunities that came
from recycled leads, and the win rate.  `decomposition` sets them beside the total and adds nothing to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import quarters
from analysis.models.growth import assessment, imputation
from analysis.models.growth.panel import until
from analysis.models.roi import decomposition
from analysis.models.roi.case import Uncertain
from analysis.models.roi.decomposition import Way
from analysis.schema import CrmDataError, require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.models.roi.assemble import Programme
    from analysis.models.roi.case import Case
    from analysis.models.roi.next_hour import NextHour

HOURS, LEADS, WINS = "Hours sold", "Opportunities from recycled leads", "Win rate"
RECYCLED_SHARE = "recycled_opportunity_share"
ENDS = ["estimate", "low", "high"]


def of_company(
    tables: Mapping[str, pd.DataFrame], programme: Programme, hour: NextHour, *, quarter: str
) -> pd.DataFrame:  # fmt: skip
    """Return what `beside_the_total` does, from ``leads``, ``opportunities`` and the tables growth rests on."""
    known = programme.known
    stays = tables["rep_quarter"] if known.rep_quarter is None else known.rep_quarter
    month = known.fiscal_year_start_month
    shares = recycled_shares(tables["leads"], tables["opportunities"], stays, month=month)
    found = ways(known, shares, hours_yield=hour.elasticity, quarter=quarter)
    return beside_the_total(programme.case, found)


def ways(known: assessment.Tables, shares: pd.DataFrame, *, hours_yield: Uncertain, quarter: str) -> tuple[Way, ...]:
    """Return the ways that can be estimated as of `quarter`; what the data cannot carry is left out.

    Parameters
    ----------
    known : what growth was assessed on
    shares : what `recycled_shares` returns
    hours_yield : elasticity of bookings with respect to selling hours; NaN leaves hours out
    quarter : last quarter that counts
    """
    joined = known.team_quarter.merge(shares, on=["team_id", "quarter"], how="left")
    by_team = known._replace(team_quarter=joined, rep_quarter=None)
    one = Uncertain(1.0)
    hours, wins = _change(known, "selling_hours", quarter), _change(by_team, "win_rate", quarter)
    leads = _change(by_team, RECYCLED_SHARE, quarter, is_log=False)
    found = [
        Way(HOURS, hours, hours_yield) if hours and not np.isnan(hours_yield.estimate) else None,
        Way(LEADS, decomposition.leads_change(leads), one) if leads else None,
        Way(WINS, wins, one) if wins else None,
    ]
    return tuple(way for way in found if way)


def recycled_shares(
    leads: pd.DataFrame, opportunities: pd.DataFrame, stays: pd.DataFrame, *, month: int = 1
) -> pd.DataFrame:
    """Return which share of a quarter's opportunities came from recycled leads: one row a team and quarter.

    An opportunity counts for the team in which its owner spent most of the quarter it was created in.

    Parameters
    ----------
    leads : ``opportunity_id``, ``is_recycled``
    opportunities : ``opportunity_id``, ``owner_rep_id``, ``created_at``
    stays : ``rep_quarter``: ``rep_id``, ``team_id``, ``quarter``, ``days_employed``
    month : first of the fiscal year

    Returns
    -------
    DataFrame
        ``team_id``, ``quarter``, ``recycled_opportunity_share`` [0-1]; empty where no lead led to an opportunity.
    """
    require_columns(leads, ["opportunity_id", "is_recycled"], "leads")
    require_columns(opportunities, ["opportunity_id", "owner_rep_id", "created_at"], "opportunities")
    recycled = leads.loc[leads["is_recycled"].astype("boolean").fillna(value=False), "opportunity_id"].dropna()
    if leads["opportunity_id"].isna().all():
        return pd.DataFrame({"team_id": [], "quarter": [], RECYCLED_SHARE: []}, dtype="object")
    days = pd.to_datetime(opportunities["created_at"]).dt.date
    names = {day: str(quarters.containing(day, month)) for day in days.dropna().unique()}
    made = pd.DataFrame(
        {
            "rep_id": opportunities["owner_rep_id"],
            "quarter": days.map(names),
            RECYCLED_SHARE: opportunities["opportunity_id"].isin(recycled).astype(float),
        }
    )
    home = stays.sort_values(["days_employed", "team_id"]).drop_duplicates(["rep_id", "quarter"], keep="last")
    made = made.merge(home[["rep_id", "quarter", "team_id"]], on=["rep_id", "quarter"])
    return made.groupby(["team_id", "quarter"])[RECYCLED_SHARE].mean().reset_index()


def beside_the_total(case: Case, found: tuple[Way, ...]) -> pd.DataFrame:
    """Return the ways, what they leave and the total as changes of bookings: one row a part, as `decompose` has them.

    Columns: ``part``, ``estimate``, ``low``, ``high`` (95%) [0-1 of bookings].  One plus each, ways and rest
    multiply to the total.
    """
    rows = decomposition.decompose(case.effect, found, bookings_amount=1.0)
    log = rows[["log_points", "low", "high"]].to_numpy(float)
    return pd.DataFrame(np.expm1(log), columns=ENDS).assign(part=rows["part"])[["part", *ENDS]]


def _change(known: assessment.Tables, outcome: str, quarter: str, *, is_log: bool = True) -> Uncertain | None:
    rows = known.team_quarter if known.rep_quarter is None else known.rep_quarter
    if outcome not in rows.columns or not rows[outcome].notna().any():
        return None
    try:
        whole = assessment.team_panel_of(known, outcome, is_log=is_log)
        got = imputation.estimate(whole if whole.quarters[-1] == quarter else until(whole, quarter))
    except CrmDataError:
        return None
    return Uncertain(got.estimate, got.standard_error, got.df)
