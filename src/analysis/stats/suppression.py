"""No row of a report may let anyone work out the figures of a few people.

Rows of fewer than `smallest` reps are hidden.  Assume that every total is published somewhere: then
total less what is shown is the sum of what is hidden, so the hidden rows of a total must together
be at least two rows and at least `smallest` reps.  Until they are, the next-smallest row is hidden
too (ties: the upper one), and hides its n as well, for its n would give away the other's.

A row without anybody hides nothing and protects nobody; a row whose n is unknown counts as small.
Where a total consists of one row only there is nothing to hide it behind: do not publish that
total.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

N_COLUMN = "n_reps"
MARK_COLUMN = "suppressed"  # what stands in the place of n
HIDDEN = "[c]"  # confidential, as statistical offices mark it


def _complemented(counts: NDArray[np.float64], smallest: int) -> NDArray[np.bool_]:
    """Return which rows under one total are hidden."""
    hidden = np.isnan(counts) | ((counts > 0) & (counts < smallest))
    if not hidden.any():
        return hidden
    for row in np.argsort(counts, kind="stable"):
        if hidden.sum() > 1 and np.nansum(counts[hidden]) >= smallest:
            break
        if counts[row] > 0:
            hidden[row] = True
    return hidden


def few_hidden(
    frame: pd.DataFrame, *, smallest: int, keep: Sequence[str], n: str = N_COLUMN
) -> pd.DataFrame:
    """Return the table with the values of small cells set to missing.

    For rows that do not add up to a total.

    Figures of the whole company side by side give no other away, so none is hidden to protect one.
    Parameters and result are those of `suppress_cells`.
    """
    require_columns(frame, [n, *keep], "suppression")
    counts = pd.to_numeric(frame[n]).to_numpy(dtype=float, na_value=np.nan)
    hidden = ~((counts >= smallest) | (counts == 0))
    visible = {c: frame[c] if c in keep else frame[c].mask(hidden) for c in frame.columns}
    return pd.DataFrame(
        {**visible, MARK_COLUMN: np.where(hidden, f"<{smallest}", "")}, index=frame.index
    )


def few_apart(counts: pd.Series, *, smallest: int) -> NDArray[np.bool_]:
    """Return which counts differ from the first by fewer than `smallest` people, but differ.

    The difference of the two would be the figure of those few.

    Examples
    --------
    >>> few_apart(pd.Series([30, 30, 29, 25, 34]), smallest=5).tolist()
    [False, False, True, False, True]
    """
    apart = (counts - counts.iloc[0]).abs().to_numpy(dtype=float)
    few: NDArray[np.bool_] = (apart > 0) & (apart < smallest)
    return few


def rounded_total(total: float, n: int) -> float:
    """Return a total of `n` people's pay, rounded to about what one of them is paid.

    Else the totals of two quarters, or of all and of those counted elsewhere, would tell the pay of
    one.  The step is 1, 2 or 5 times a power of ten and at least the mean.

    Examples
    --------
    >>> rounded_total(1_234_567.0, 30)
    1250000.0
    >>> rounded_total(float("nan"), 0)
    nan
    """
    if not (total > 0 and n > 0):
        return total
    mean = total / n
    power = 10.0 ** math.floor(math.log10(mean))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= mean)
    return round(total / step) * step


def suppress_cells(
    frame: pd.DataFrame,
    *,
    smallest: int,
    keep: Sequence[str],
    n: str = N_COLUMN,
    within: Sequence[str] = (),
    also: Sequence[bool] | NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Return the table without the values of small cells, and of cells that would reveal them.

    Parameters
    ----------
    frame : DataFrame, one row per published cell, without rows of totals
        `n` counts the reps behind a row.
    smallest : fewest reps a row may show
    keep : columns that name the row and stay; every other column is a value and goes
    within : columns whose groups have a published total of their own, such as region
    also : rows hidden in any case, because other tables would give a small one away with them

    Returns
    -------
    DataFrame
        The same rows; column ``suppress_cells`` holds what stands in the place of n: ``<5`` for a
        small row, ``[c]`` for one hidden to protect it, nothing elsewhere.
    """
    require_columns(frame, [n, *keep, *within], "suppression")
    if MARK_COLUMN in frame.columns:
        raise ValueError(f"the table already has a column {MARK_COLUMN}: suppress once")
    counts = pd.to_numeric(frame[n]).to_numpy(dtype=float, na_value=np.nan)
    if (counts < 0).any():
        raise ValueError(f"{n} must not be below 0, got {np.nanmin(counts):g}")
    groups = [np.arange(len(frame))]
    if within:
        indices = frame.groupby(list(within), dropna=False, sort=False).indices
        groups = [np.asarray(rows) for rows in indices.values()]
    hidden = np.zeros(len(frame), dtype=bool)
    for rows in groups:
        hidden[rows] = _complemented(counts[rows], smallest)
    if also is not None:
        hidden |= np.asarray(also, dtype=bool)
    small = hidden & ~(counts >= smallest)
    named = {*keep, *within}
    visible = {c: frame[c] if c in named else frame[c].mask(hidden) for c in frame.columns}
    marks = np.select([small, hidden], [f"<{smallest}", HIDDEN], default="")
    return pd.DataFrame({**visible, MARK_COLUMN: marks}, index=frame.index)
