"""Goals and plans: what both sides own, signed, aim at, are paid for and look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.models.alignment import cells as cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.models.alignment.cells import Cells
    from analysis.settings import Standards

    Tables = Mapping[str, pd.DataFrame]


def shared_goals(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E11: goals in force with an owner on both sides, of those in force."""
    rows = cell.in_force(cells, tables["goals"], "period_start", "period_end")
    hit = rows[["sales_owner_rep_id", "marketing_owner_rep_id"]].notna().all(axis="columns")
    return cell.tally(cells, rows, hit)


def signed_plans(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E12: plans in force that both sides had signed before their first day, of those in force."""
    rows = cell.in_force(cells, tables["plans"], "period_start", "period_end")
    start = cell.days(rows["period_start"])
    hit = (cell.days(rows["signed_by_sales_on"]) < start) & (cell.days(rows["signed_by_marketing_on"]) < start)
    return cell.tally(cells, rows, hit)


def targeted_spend(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E13: planned spend on activities with a volume and a conversion target, of all planned spend."""
    rows = cell.in_force(cells, tables["activity_targets"], "period_start", "period_end")
    hit = rows[["volume_target", "conversion_target"]].notna().all(axis="columns")
    return cell.tally(cells, rows, hit, weight=rows["spend_amount"])


def pay_parity(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E14: the smaller over the larger share of pay on shared outcomes, of sales and of marketing.

    A contract is known, not sampled: `n` is infinite.  Missing where a side is unknown or neither has any.
    """
    rows = cell.in_force(cells, tables["incentives"], "period_start", "period_end")
    sides = rows.pivot_table(index=cell.KEY, columns="side", values="shared_outcome_rate", aggfunc="mean")
    sides = sides.reindex(index=cells.table.index, columns=["sales", "marketing"]).astype("float64")
    larger = sides.max(axis="columns", skipna=False)
    share = sides.min(axis="columns", skipna=False) / larger.where(larger > 0)
    return pd.DataFrame({"share": share, "n": np.where(share.notna(), np.inf, 0.0)})


def metric_packs(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E15: months in which both sides had a pack of three to five metrics, by the day the second side got it."""
    packs = cell.everywhere(cells, tables["metric_packs"])
    sent = pd.DataFrame({side: cell.days(packs[f"sent_to_{side}_on"]) for side in ("sales", "marketing")})
    day = sent.max(axis="columns").where(sent.notna().all(axis="columns"))
    packs = packs.assign(quarter=cell.quarter_of(cells, day))
    packs["month"] = cell.month_of(cells, packs["quarter"], day)
    good = packs[packs["n_metrics"].between(standards.fewest_metrics, standards.most_metrics)]
    months = good.dropna(subset=["quarter"]).drop_duplicates([*cell.KEY, "month"]).groupby(cell.KEY).size()
    share = months.reindex(cells.table.index, fill_value=0) / cell.MONTHS
    return pd.DataFrame({"share": share, "n": float(cell.MONTHS)}).where(cell.is_kept(cells, day))
