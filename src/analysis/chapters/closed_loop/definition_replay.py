"""What each version of a sales-ready lead would have let through, and what became of those leads.

A version that lets through leads which convert more often sorts better; it does not make them
convert.  Where the two sides keep a version each, the counts stand side by side.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.lead_funnel.cohorts import OPPORTUNITY_DAYS
from analysis.chapters.lead_funnel.stages import passage, share_reaching
from analysis.stats.survival import share_by

if TYPE_CHECKING:
    from analysis.chapters.lead_funnel.stages import Funnel

APPROVALS = {
    "sales": "by sales",
    "nobody": "by nobody",
    "not of sales": "rejected: not of sales",
    "unknown": "unknown user",
}


def replayed_versions(replayed: pd.DataFrame, funnel: Funnel) -> pd.DataFrame:
    """Return what became of the leads that each version lets through: a row a version.

    ``n_leads`` of `funnel` replayed, of which ``n_ready``, ``n_unready`` and ``n_undecided``;
    ``share`` ready of those decided; ``n_in_force`` came while the version held; ``ready`` and
    ``unready`` are the shares that became an opportunity within 90 days, each with ``_low`` and
    ``_high``.

    Parameters
    ----------
    replayed : panel ``sales_ready_leads``
    """
    mine = replayed[replayed["lead_id"].isin(funnel.rows["lead_id"])]
    names = ["definition", "metric", "side", "valid_from", "approval"]
    records = []
    for key, rows in mine.groupby(names, sort=False):
        is_ready = rows.set_index("lead_id")["is_sales_ready"].astype("boolean")
        decided = is_ready.notna()
        n_ready, n_decided = int(is_ready.fillna(value=False).sum()), int(decided.sum())
        record = dict(zip(names, key, strict=True)) | {
            "n_leads": len(rows),
            "n_ready": n_ready,
            "n_unready": n_decided - n_ready,
            "n_undecided": len(rows) - n_decided,
            "share": n_ready / n_decided if n_decided else math.nan,
            "n_in_force": int(rows["is_in_force"].sum()),
        }
        of_lead = funnel.rows["lead_id"].map(is_ready)
        for name, wanted in (("ready", True), ("unready", False)):
            part = funnel.only(of_lead.eq(wanted).fillna(value=False).astype(bool))
            way = passage(part, "opportunity")
            values = share_by(share_reaching(way, OPPORTUNITY_DAYS), OPPORTUNITY_DAYS)
            record |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
        records.append(record)
    return (
        pd.DataFrame(records).sort_values("valid_from", kind="stable")
        if records
        else (pd.DataFrame(columns=[*names, "n_leads"]))
    )


def relative_gap(one: float, other: float) -> float:
    """Return how far two counts of one metric lie apart, of the larger [0-1].

    Examples
    --------
    >>> relative_gap(400, 280), relative_gap(5, 5)
    (0.3, 0.0)
    """
    larger = max(one, other)
    return abs(one - other) / larger if larger > 0 else (0.0 if larger == 0 else math.nan)


def language_gaps(versions: pd.DataFrame, replayed: pd.DataFrame) -> pd.DataFrame:
    """Return each metric that the sides count by definitions of their own: a row a metric.

    ``sales`` and ``marketing`` count the leads that the latest version of each side lets through,
    ``both`` those of both; ``gap`` is their difference of the larger.
    """
    records = []
    columns = ["metric", "sales", "marketing", "both", "gap"]
    for metric, rows in versions.groupby("metric", sort=False):
        latest = rows.drop_duplicates("side", keep="last").set_index("side")["definition"]
        if not {"sales", "marketing"} <= set(latest.index):
            continue
        sides = [
            set(
                replayed.loc[
                    replayed["definition"].eq(latest[side])
                    & replayed["is_sales_ready"].eq(other=True),
                    "lead_id",
                ]
            )
            for side in ("sales", "marketing")
        ]
        n_sales, n_marketing = len(sides[0]), len(sides[1])
        records.append(
            (metric, n_sales, n_marketing, len(sides[0] & sides[1]),
             relative_gap(n_sales, n_marketing))
        )  # fmt: skip
    return pd.DataFrame(records, columns=columns)
