"""Content and requests: whether what is made is found, used and asked for in an orderly way."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pandas as pd

from analysis.models.alignment import cells as cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.models.alignment.cells import Cells
    from analysis.settings import Standards

    Tables = Mapping[str, pd.DataFrame]


def _used(tables: Tables, cells: Cells) -> pd.DataFrame:
    """Return which asset a team used in which quarter: one row each."""
    uses = tables["asset_uses"]
    uses = uses.assign(quarter=cell.quarter_of(cells, uses["used_on"]))
    return uses.dropna(subset=["quarter"]).drop_duplicates([*cell.KEY, "asset_id"])[[*cell.KEY, "asset_id"]]


def used_in_library(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E20: assets in the library, of those the team used."""
    rows = _used(tables, cells).merge(tables["assets"][["asset_id", "is_in_library"]], on="asset_id")
    return cell.tally(cells, rows, rows["is_in_library"])


def library_used(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E21: assets of the library the team used in this quarter or the last, of those old enough to be known.

    Missing in the first quarter of the log, which knows of one quarter only.
    """
    assets = tables["assets"]
    in_library = assets["is_in_library"].eq(other=True)
    shelf = cell.everywhere(cells, assets.loc[in_library, ["asset_id", "team_id", "created_on"]])
    rows = shelf.merge(cells.table.reset_index(), on="team_id")
    oldest = rows["measured_to"] - pd.Timedelta(days=standards.library_age_days)
    rows = rows[cell.days(rows["created_on"]) < oldest]
    used = _used(tables, cells._replace(half=None))
    names = cells.quarters.index
    after = dict(itertools.pairwise(names))
    recent = pd.concat([used, used.assign(quarter=used["quarter"].map(after))])
    key = [*cell.KEY, "asset_id"]
    hit = pd.MultiIndex.from_frame(rows[key]).isin(pd.MultiIndex.from_frame(recent[key].dropna()))
    first = used["quarter"].map({name: i for i, name in enumerate(names)}).min()
    known = names.get_indexer(cells.table.index.get_level_values("quarter")) > first
    return cell.tally(cells, rows, pd.Series(hit, index=rows.index)).where(pd.Series(known, index=cells.table.index))


def sales_input(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001
    """E22: new assets somebody of sales had a hand in, of those made."""
    rows = cell.everywhere(cells, tables["assets"])
    rows = rows.assign(quarter=cell.quarter_of(cells, rows["created_on"]))
    return cell.tally(cells, rows, rows["has_sales_input"])


def vetted_requests(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E23: requests with every vetting question answered, of those work began on."""
    rows = tables["marketing_requests"]
    rows = rows.assign(quarter=cell.quarter_of(cells, rows["work_started_on"]))
    return cell.tally(cells, rows, rows["n_questions_answered"] >= standards.n_questions)
