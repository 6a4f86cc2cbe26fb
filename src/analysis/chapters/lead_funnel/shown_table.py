"""How a table of the chapter is made ready to be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.stats.suppression import MARK_COLUMN
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    import pandas as pd


def shown_table(
    frame: pd.DataFrame,
    caption: str,
    columns: dict[str, tuple[str, str]],
    source: str,
    note: str = "",
    *,
    is_read: bool = False,
) -> LabelledTable:
    """Return a labelled table of these columns, with the marks of hidden cells.

    A column without any value goes, where none is hidden and no sentence or figure reads it.
    """
    marks = [MARK_COLUMN] if MARK_COLUMN in frame.columns else []
    if len(frame) and not marks and not is_read:
        columns = {k: v for k, v in columns.items() if frame[k].notna().any()}
    return LabelledTable(frame[[*columns, *marks]], caption, columns, source, note=note)
