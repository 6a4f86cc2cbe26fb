"""What is spent on material that nobody uses: a cost that could be avoided, apart from the benefit.

It is no part of the appraisal: a programme that grows bookings may or may not end this waste, and no
control group says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.schema import require_columns

if TYPE_CHECKING:
    import datetime as dt

UNUSED_DAYS = 182  # two quarters without a use
TOO_YOUNG_DAYS = 60  # younger material has not had its chance


def unused_content(
    assets: pd.DataFrame, asset_uses: pd.DataFrame, *, as_of: dt.date, marketing_hour_cost_amount: float
) -> pd.DataFrame:
    """Return what material not used in two quarters cost to make: one row a place it lies.

    Parameters
    ----------
    assets : DataFrame, a piece of material
        ``asset_id``, ``created_on``, ``is_in_library``, ``production_hours``.
    asset_uses : DataFrame, a use
        ``asset_id``, ``used_on``.
    as_of : last day of the quarter reported; what is younger than 60 days is left out
    marketing_hour_cost_amount : what an hour of marketing work costs [currency/h]

    Returns
    -------
    DataFrame
        ``place``, ``n_assets``, ``n_unused``, ``n_without_hours`` (unused, of unknown cost),
        ``hours`` [h] and ``cost_amount`` [currency] of the unused ones whose hours are known.
    """
    require_columns(assets, ["asset_id", "created_on", "is_in_library", "production_hours"], "assets")
    require_columns(asset_uses, ["asset_id", "used_on"], "asset_uses")
    end = pd.Timestamp(as_of)
    created, used = pd.to_datetime(assets["created_on"]), pd.to_datetime(asset_uses["used_on"])
    old = assets[created <= end - pd.Timedelta(days=TOO_YOUNG_DAYS)]
    recent = asset_uses.loc[(used <= end) & (used > end - pd.Timedelta(days=UNUSED_DAYS)), "asset_id"]
    in_library = old["is_in_library"].map({True: "in the shared library", False: "elsewhere"})
    place = in_library.astype(object).where(old["is_in_library"].notna(), "place unknown")
    is_unused = ~old["asset_id"].isin(recent)
    hours = old["production_hours"].astype(float).where(is_unused)
    table = pd.DataFrame(
        {
            "place": place,
            "n_assets": 1,
            "n_unused": is_unused.astype(int),
            "n_without_hours": (is_unused & old["production_hours"].isna()).astype(int),
            "hours": hours,
        }
    )
    sums = table.groupby("place", as_index=False).sum(numeric_only=True)
    return sums.assign(cost_amount=sums["hours"] * marketing_hour_cost_amount)


def duplicate_reports(n_reports: int, hours_per_report: float, hour_cost_amount: float) -> float:
    """Return what reports that repeat another cost in a quarter [currency]; counted by hand, no table holds them.

    Examples
    --------
    >>> duplicate_reports(12, 3.0, 60.0)
    2160.0
    """
    if n_reports < 0 or hours_per_report < 0:
        raise ValueError(f"n_reports and hours_per_report must not be below 0, got {n_reports}, {hours_per_report}")
    return n_reports * hours_per_report * hour_cost_amount


def account(unused: pd.DataFrame, *, duplicates_amount: float = 0.0) -> pd.DataFrame:
    """Return what could be avoided: one row an item, of which those that are not known say so by missing values.

    Columns: ``item``, ``n_found`` pieces, ``of`` looked at, ``hours`` [h], ``cost_amount`` [currency].  `unused` is
    what `unused_content` returns; `duplicates_amount` is left out at 0, for nobody has counted.
    """
    nan = float("nan")
    rows = [
        (f"Material not used in two quarters, {place}", unused_n, n, hours, amount)
        for place, unused_n, n, hours, amount in unused[
            ["place", "n_unused", "n_assets", "hours", "cost_amount"]
        ].itertuples(index=False, name=None)
    ] or [("Material not used in two quarters", nan, nan, nan, nan)]
    rows.append(("Reports that repeat another, a quarter", nan, nan, nan, duplicates_amount or nan))
    return pd.DataFrame(rows, columns=["item", "n_found", "of", "hours", "cost_amount"])
