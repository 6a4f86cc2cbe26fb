"""Teams and quarters: the cells in which every item of evidence is counted.

An event belongs to the team its rep was in on that day and to the quarter of that day in the
company's time zone.  A hand-kept row without a team speaks for every team.  Nothing after a
quarter's end counts for it, so that an index computed later equals the one computed then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns, require_rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

Half = Literal["odd", "even"]
KEY = ["team_id", "quarter"]
MONTHS = 3  # in a quarter
EPOCH_MONDAY = np.datetime64("1970-01-05")


class Cells(NamedTuple):
    """The cells (a team and quarter each), and the calendars that assign an event to one.

    `table` has a row a team and quarter (index) with ``from_day`` and ``measured_to``, the first
    day not measured, and ``region``; `quarters` the same by quarter; `stays` a row a rep's stay in
    a team. With `half`, only odd or even weeks count.
    """

    table: pd.DataFrame
    quarters: pd.DataFrame
    stays: pd.DataFrame
    time_zone: str
    half: Half | None = None

    @property
    def teams(self) -> pd.DataFrame:
        """The teams, one row each."""
        return pd.DataFrame({"team_id": self.table.index.get_level_values("team_id").unique()})


def midnights(values: pd.Series) -> pd.Series:
    """Return dates as timestamps at midnight."""
    return pd.to_datetime(values).astype("datetime64[us]")


def make_cells(
    tables: Mapping[str, pd.DataFrame],
    *,
    time_zone: str,
    as_of: dt.date | None = None,
    half: Half | None = None,
) -> Cells:
    """Return the cells of the teams that had a rep in a quarter, from quarters, teams and
    rep_team_history.
    """
    for name, columns in {
        "quarters": ["quarter", "from_day", "until_day"],
        "teams": ["team_id", "region"],
        "rep_team_history": ["rep_id", "team_id", "valid_from", "valid_to"],
    }.items():
        require_columns(tables[name], columns, name)
        require_rows(tables[name], name, "to score teams by")
    quarters = pd.DataFrame(
        {
            "quarter": tables["quarters"]["quarter"].astype("str"),
            "from_day": midnights(tables["quarters"]["from_day"]),
            "measured_to": midnights(tables["quarters"]["until_day"]),
        }
    ).sort_values("from_day")
    if as_of is not None:
        end = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        quarters = quarters[quarters["from_day"] < end]
        quarters["measured_to"] = quarters["measured_to"].mask(quarters["measured_to"] > end, end)
    history = tables["rep_team_history"]
    stays = pd.DataFrame(
        {
            "rep_id": history["rep_id"].astype("str"),
            "team_id": history["team_id"].astype("str"),
            "valid_from": midnights(history["valid_from"]).fillna(pd.Timestamp("1900-01-01")),
            "valid_to": midnights(history["valid_to"]).fillna(pd.Timestamp("2200-01-01")),
        }
    ).sort_values(["valid_from", "rep_id"], ignore_index=True)
    both = stays.merge(quarters, how="cross")
    there = both[(both["valid_from"] < both["measured_to"]) & (both["valid_to"] > both["from_day"])]
    table = there[[*KEY, "from_day", "measured_to"]].drop_duplicates(KEY)
    table = table.merge(
        tables["teams"][["team_id", "region"]].astype("str"), on="team_id", how="inner"
    )
    table = table.sort_values(["team_id", "from_day"]).set_index(KEY)
    return Cells(table, quarters.set_index("quarter"), stays, time_zone, half)


def local_days(cells: Cells, stamps: pd.Series) -> pd.Series:
    """Return the day of each timestamp in the company's time zone."""
    local: pd.Series = pd.to_datetime(stamps, utc=True).dt.tz_convert(cells.time_zone)
    day: pd.Series = local.dt.tz_localize(None).dt.floor("D")
    return day


def day_starts(cells: Cells, values: pd.Series) -> pd.Series:
    """Return when each day begins in the company's time zone."""
    local = midnights(values).dt.tz_localize(
        cells.time_zone, ambiguous=True, nonexistent="shift_forward"
    )
    utc: pd.Series = local.dt.tz_convert("UTC")
    return utc


def week_mondays(day: pd.Series) -> pd.Series:
    """Return each day's Monday."""
    monday: pd.Series = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
    return monday


def quarter_of(cells: Cells, day: pd.Series) -> pd.Series:
    """Return the quarter each day is measured in.

    Missing outside, and outside the half asked for.
    """
    day = midnights(day)
    place = np.searchsorted(cells.quarters["from_day"].to_numpy(), day.to_numpy(), side="right") - 1
    clipped = np.clip(place, 0, None)
    inside = (
        (place >= 0)
        & day.notna().to_numpy()
        & (day.to_numpy() < cells.quarters["measured_to"].to_numpy()[clipped])
    )
    if cells.half is not None:
        number = (day.to_numpy().astype("datetime64[D]") - EPOCH_MONDAY).astype("int64") // 7
        inside &= number % 2 == (1 if cells.half == "odd" else 0)
    names = pd.Series(
        cells.quarters.index.to_numpy()[clipped], index=day.index, dtype="str", name="quarter"
    )
    return names.where(inside)


def month_of(cells: Cells, quarter: pd.Series, day: pd.Series) -> pd.Series:
    """Return which month of its quarter each day is in, 0 to 2, counted from the day on which the
    quarter begins.

    With a quarter of months these are the calendar's; one of weeks would touch four of those.
    """
    began = midnights(quarter.map(cells.quarters["from_day"]))
    months = (
        12 * (day.dt.year - began.dt.year)
        + day.dt.month
        - began.dt.month
        - (day.dt.day < began.dt.day)
    )
    place: pd.Series = months.clip(upper=MONTHS - 1)
    return place


def team_of(cells: Cells, rep: pd.Series, day: pd.Series) -> pd.Series:
    """Return the team each rep was in on a day; missing where the rep was in none."""
    questions = pd.DataFrame(
        {"rep_id": rep.astype("str"), "day": midnights(day), "row": np.arange(len(rep))}
    )
    questions = questions.dropna(subset=["rep_id", "day"]).sort_values("day")
    matches = pd.merge_asof(
        questions, cells.stays, left_on="day", right_on="valid_from", by="rep_id"
    )
    matches = matches[matches["day"] < matches["valid_to"]]
    team = pd.Series(None, index=range(len(rep)), dtype="str", name="team_id")
    team.loc[matches["row"].to_numpy()] = matches["team_id"].to_numpy()
    return team.set_axis(rep.index)


def spread_over_teams(cells: Cells, rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` with each one that names no team repeated for every team."""
    of_all = rows["team_id"].isna()
    if not of_all.any():
        return rows
    spread = rows[of_all].drop(columns="team_id").merge(cells.teams, how="cross")
    return pd.concat([rows[~of_all], spread], ignore_index=True)


def in_force(cells: Cells, rows: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Return `rows`, one for each cell their interval [start, end) overlaps."""
    spread = spread_over_teams(cells, rows).merge(cells.table.reset_index(), on="team_id")
    begun = midnights(spread[start]) < spread["measured_to"]
    on = spread[end].isna() | (midnights(spread[end]) > spread["from_day"])
    return spread[begun & on]


def is_kept(cells: Cells, entries: pd.Series) -> pd.Series:
    """Return by cell whether it lies between the first and the last quarter in which a log has an
    entry.

    Before its first entry a log says nothing: no meeting noted is then no meeting missed.
    """
    quarters_with_entries = quarter_of(cells._replace(half=None), entries).dropna()
    names = cells.quarters.index
    place = names.get_indexer(pd.Index(quarters_with_entries.unique()))
    on = pd.Series(
        (np.arange(len(names)) >= place.min(initial=len(names)))
        & (np.arange(len(names)) <= place.max(initial=-1)),
        index=names,
    )
    has_entries = on.reindex(cells.table.index.get_level_values("quarter")).to_numpy()
    return pd.Series(has_entries, index=cells.table.index)


def tally_hits(
    cells: Cells, rows: pd.DataFrame, hit: pd.Series, weight: pd.Series | None = None
) -> pd.DataFrame:
    """Return how much of each cell's rows is a hit: ``share`` and ``n``, a row a cell.

    A row whose `hit` is missing is not counted.  With `weight`, `n` is the number of equal rows
    that would be as precise: (sum w)^2 / sum w^2.  A cell without rows has a missing share, not one
    of 0.
    """
    w = pd.Series(1.0, index=rows.index) if weight is None else weight.astype("float64")
    is_countable = hit.notna() & w.notna() & rows["quarter"].notna() & rows["team_id"].notna()
    rows, w, hit = rows[is_countable], w[is_countable], hit[is_countable].astype("float64")
    sums = (
        pd.DataFrame({"k": hit * w, "w": w, "w2": w**2})
        .groupby([rows["team_id"], rows["quarter"]])
        .sum()
    )
    sums = sums[sums["w"] > 0].reindex(cells.table.index)
    return pd.DataFrame(
        {"share": sums["k"] / sums["w"], "n": (sums["w"] ** 2 / sums["w2"]).fillna(0.0)}
    )
