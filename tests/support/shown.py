"""What tests show without a company on disk: tables by keyword, and a company of two settings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from analysis.report import show
from analysis.store.company import Company
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def show_as(*, currency: str, smallest_cell: int, audit: dict[str, Any] | None = None) -> None:
    """Show what follows as a company's of this currency and smallest cell."""
    house: Any = SimpleNamespace(
        company=SimpleNamespace(currency=currency),
        people=SimpleNamespace(smallest_cell=smallest_cell),
        key_metrics=[],
    )
    show.use(Company("here", "2026Q3", house, audit or {}))


def labelled(
    frame: pd.DataFrame,
    *,
    caption: str,
    formats: dict[str, str],
    source: str,
    labels: dict[str, str] | None = None,
    note: str = "",
) -> LabelledTable:
    """A labelled table; a column without a label gets its own name for one."""
    plain = {name: name.replace("_", " ").capitalize() for name in formats} | (labels or {})
    columns = {name: (shown_as, plain[name]) for name, shown_as in formats.items()}
    return LabelledTable(frame, caption, columns, source, note=note)


def show_table(frame: pd.DataFrame, **about: Any) -> None:
    """Show a table made on the spot."""
    show.table(labelled(frame, **about))


def show_practices(frame: pd.DataFrame, **about: Any) -> None:
    """Show practices made on the spot."""
    show.practices(labelled(frame, **about))


def show_figure(figure: Figure, *, title: str, alt: str, data: pd.DataFrame, **about: Any) -> None:
    """Show a figure under a title, with a table made on the spot."""
    figure.suptitle(title)
    show.figure(figure, labelled(data, **about), alt=alt)
