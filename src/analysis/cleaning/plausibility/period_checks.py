"""A month or quarter that holds far fewer rows than those around it, and a table that ends before
the others.

A dip lies below both sides: a trend, a season or a start do not.  The noise of a table is taken
from its own months, so that a company which closes most deals in the last month of a quarter is
left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import bearing_of
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from analysis.cleaning.plausibility.dataset import Dataset

FEWEST_PERIODS = {"month": 6, "quarter": 5}
NEIGHBOURS = 3
FEWEST_USUAL = 8.0  # rows that the neighbours hold
LEAST_NOISE = 0.12  # of a period's rows, as a share [log]
SIGMAS = 4.0
STRAY = 0.1  # of the median period: rows before the export begins
LATE_ENTRIES = 2  # periods at the end in which what was begun is often not entered yet


class Dated(NamedTuple):
    """Rows of a table counted by one of its dates."""

    table: str
    column: str
    among: str = "true"
    n_left_out: int = 0


COUNTED = (
    Dated("opportunities", "close_date", "status <> 'open'"),
    Dated("opportunities", "created_at", n_left_out=LATE_ENTRIES),
    Dated("activities", "started_at", "kind = 'event'"),
    Dated("activities", "started_at"),
    Dated("leads", "created_at", n_left_out=LATE_ENTRIES),
    Dated("stage_history", "entered_at"),
)


def periods_with_fewer_rows(data: Dataset) -> Iterator[CheckReading]:
    """Yield, for each table and date, the month and the quarter with the deepest drop below their
    neighbours.
    """
    for dated in COUNTED:
        if data.has(dated.table):
            monthly = _by_month(data, dated)
            for length in ("month", "quarter"):
                counts = _of_whole_periods(data, monthly, length)
                if len(counts) >= FEWEST_PERIODS[length]:
                    yield _deepest(counts, dated, length)
                if length == "month" and dated.column == "close_date":
                    yield from _emptied(counts, dated)


def _by_month(data: Dataset, dated: Dated) -> pd.Series[float]:
    by_month = query_text(
        ["date_trunc('month', day)::date as month", "sum(n)::bigint as n"], _days(dated)
    )
    rows = data.frame(by_month + " group by month order by month")
    return rows.set_index(pd.to_datetime(rows["month"]))["n"].astype(float)


def _days(dated: Dated) -> str:
    """Return the query of the days that rows are of, with how many; days of activities are there."""
    if dated.table == "activities":
        counted = query_text(["day", "sum(n) as n"], "activity_days", where=dated.among)
    else:
        counted = query_text(
            [f"{dated.column}::date as day", "count(*) as n"],
            quote_identifier(dated.table),
            where=f"{dated.among} and {dated.column} is not null",
        )
    return f"({counted} group by day)"


def _of_whole_periods(data: Dataset, monthly: pd.Series[float], length: str) -> pd.Series[float]:
    """Return the rows of each whole period between the first and the last day of the data."""
    if monthly.empty:
        return monthly
    first, last = (
        max(pd.Timestamp(data.account.first_day), monthly.index.min()),
        pd.Timestamp(data.account.as_of),
    )
    freq, end = (
        ("MS", pd.offsets.MonthEnd(0)) if length == "month" else ("QS", pd.offsets.QuarterEnd(0))
    )
    whole = pd.date_range(first, last, freq=freq)
    counts = monthly.resample(freq).sum().reindex(whole[whole + end <= last], fill_value=0.0)
    begun = counts >= STRAY * counts.median()
    return counts.loc[begun.idxmax() :] if begun.any() else counts.iloc[:0]


def _emptied(counts: pd.Series[float], dated: Dated) -> Iterator[CheckReading]:
    """Yield the months without a row, where there is one stretch of them and both months beside it
    are full.
    """
    n = counts.to_numpy()
    empty = [i for i, rows in enumerate(n) if rows == 0]
    if (
        not empty
        or empty[-1] - empty[0] + 1 != len(empty)
        or not 0 < empty[0] <= empty[-1] < len(n) - 1
    ):
        return
    beside = min(n[empty[0] - 1], n[empty[-1] + 1])
    if beside >= FEWEST_USUAL:
        yield CheckReading(
            "period_with_fewer_rows",
            bearing_of(dated.table),
            1.0,
            int(n.sum()),
            f"In {counts.index[empty[0]]:%Y-%m} there are no {_noun(dated)} by {dated.column}, in "
            f"the months beside it at least {beside:,.0f}.",
            dated.table,
        )


def _sides(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lower of the medians of the three periods before and after each."""
    nothing = float("nan")
    before = [np.median(n[max(0, i - NEIGHBOURS) : i]) if i else nothing for i in range(len(n))]
    after = [
        np.median(n[i + 1 : i + 1 + NEIGHBOURS]) if i + 1 < len(n) else nothing
        for i in range(len(n))
    ]
    return np.fmin(before, after)


def _deepest(counts: pd.Series[float], dated: Dated, length: str) -> CheckReading:
    n = np.asarray(counts, dtype=np.float64)
    usual = _sides(n)
    end = len(n) - dated.n_left_out
    n, usual, periods = n[:end], usual[:end], counts.index[:end]
    is_usual = (usual >= FEWEST_USUAL) & (n > 0)
    noise = np.log(n[is_usual] / usual[is_usual])
    spread = (
        max(1.4826 * float(np.median(np.abs(noise - np.median(noise)))), LEAST_NOISE)
        if is_usual.any()
        else LEAST_NOISE
    )
    depth = np.where(
        usual >= FEWEST_USUAL, (usual - n) / np.sqrt(usual + (spread * usual) ** 2 + 1e-9), 0.0
    )
    at = int(np.argmax(depth))
    value = 1.0 - n[at] / usual[at] if depth[at] > SIGMAS else 0.0
    name = f"{periods[at]:%Y-%m}" if length == "month" else f"the quarter from {periods[at]:%Y-%m}"
    return CheckReading(
        "period_with_fewer_rows",
        bearing_of(dated.table),
        float(value),
        int(counts.sum()),
        (
            f"In {name} there are {n[at]:,.0f} {_noun(dated)} by {dated.column}, around it "
            f"{usual[at]:,.0f} a {length}."
        ),
        dated.table,
    )


def _noun(dated: Dated) -> str:
    if dated.among == "kind = 'event'":
        return "meetings"
    return "closed deals" if dated.column == "close_date" else f"rows of {dated.table}"


ENDING = (
    Dated("opportunities", "close_date", "status <> 'open'"),
    Dated("activities", "started_at", "kind = 'event'"),
    Dated("activities", "started_at"),
    Dated("stage_history", "entered_at"),
)
MANY_GAPS = 10  # a pause this many times as long as the usual one between two days with rows


def tables_that_end_early(data: Dataset) -> Iterator[CheckReading]:
    """Yield how long before the export's day the last row of a table lies, as a share of the whole
    time.
    """
    first, last = data.account.first_day, data.account.as_of
    for dated in ENDING:
        if not data.has(dated.table) or (last - first).days <= 0:
            continue
        until, begin, n_dates = data.row(
            query_text(["max(day)", "min(day)", "count(*)"], _days(dated))
        )
        if until is None:
            continue
        n_days = max((last - until).days, 0)
        is_long = n_days > MANY_GAPS * (until - begin).days / n_dates
        yield CheckReading(
            "table_ends_early",
            bearing_of(dated.table),
            share_of(n_days, (last - first).days) if is_long else 0.0,
            (last - first).days,
            f"The last of the {_noun(dated)} by {dated.column} is of {until}, {n_days:,} days "
            f"before the data end ({last}).",
            dated.table,
            (),
            n_days,
        )
