"""A table ready to be shown: its caption, labels and formats of columns, and source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True)
class LabelledTable:
    """A frame with its caption, the format and label of its columns, its source and a note.

    Chapters return it and `report.show` shows it, so a notebook's cell is one call.

    Attributes
    ----------
    frame : the rows; with a column ``n_reps`` those of too few reps are hidden when shown
    caption : what the table says, with its n and quarter
    columns : of each column shown, in order: its format (`report.formats`) and its label
    source : the tables the figures come from
    note : what a reader must know beside it
    currency : of published figures which are not the company's; else that of the company
    """

    frame: pd.DataFrame
    caption: str
    columns: Mapping[str, tuple[str, str]]
    source: str
    note: str = field(default="", kw_only=True)
    currency: str = field(default="", kw_only=True)

    @property
    def formats(self) -> dict[str, str]:
        """Format of each column."""
        return {name: shown_as for name, (shown_as, _) in self.columns.items()}

    @property
    def labels(self) -> dict[str, str]:
        """Label of each column."""
        return {name: label for name, (_, label) in self.columns.items()}

    def __repr__(self) -> str:
        """Show the rows under their caption, as a REPL wants it."""
        return f"{self.caption}\n{self.frame.to_string(max_rows=20)}\nSource: {self.source}"
