"""Rep-weeks used to estimate the worth of selling time, and why the others are left out.

A deal that is about to close pulls hours to it: cause runs from the deal to the hours.  So hours on
deals past proposal are taken out, and what is left is asked what it does to opportunities created.
Something that moved hours for reasons of its own (training, an outage, an assistant assigned) is an
instrument; without one, hours and opportunities only go together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import CrmDataError, require_columns
from analysis.stats import fixed_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

LATE = "late_selling_hours"  # part of selling_hours spent on deals past proposal
SHIFTERS: dict[str, str] = {
    "training_days": "days of assigned training",
    "outage_days": "days of a system outage",
    "assistant_days": "days with an assigned assistant",
}
WEEKDAYS = 5
LOGGED = "ok"  # the coverage of a whole week with logging
NEEDED = ["rep_id", "week_start", "team_id", "available_hours", "selling_hours", "coverage"]
FEWEST_SHIFTED = 20  # rep-weeks: with fewer a shifter's effect on hours is an anecdote
SMALLEST_MOVE = 1e-8  # of the week: below, what is left of a shifter is rounding
TOGETHER = 0.5  # of the team-mates: above, the team was treated and not the rep
FEWEST_TEAMS, FEWEST_SHIFTED_TEAMS = 3, 2  # where teams are treated: fewer have no error
LEAD_WEEKS = 4  # weeks ahead in which nothing may foretell today


class Weeks(NamedTuple):
    """Rep-weeks to estimate from.

    `rows` has a row a rep and logged week: the panel's columns, ``log_hours`` (selling hours, those
    on late deals taken out, log of h), ``log_available`` (log of h), and a column
    ``<shifter>_share`` [0-1 of the week's weekdays] for each of `shifters`.  `left_out` counts the
    other rows by reason; `lacks` says which columns of the panel would be needed and are not there;
    `cluster` is the column of the unit that was treated: the team where a shifter meets whole
    teams, else the rep.
    """

    rows: pd.DataFrame
    shifters: tuple[str, ...]
    left_out: dict[str, int]
    lacks: tuple[str, ...]
    cluster: str = "rep_id"


def select_weeks(panel: pd.DataFrame, outcomes: Sequence[str] = ("n_created",)) -> Weeks:
    """Return the rows of ``rep_week`` that an estimate can stand on.

    Parameters
    ----------
    panel : DataFrame, a rep and week
        ``rep_week`` of `panel_tables`; `LATE` and `SHIFTERS` where the company has them.
    outcomes : columns that must be known

    Raises
    ------
    CrmDataError
        If a column is missing or no row is left.
    """
    require_columns(panel, [*NEEDED, *outcomes], "rep_week")
    has_late = LATE in panel.columns and bool(panel[LATE].notna().any())
    hours = panel["selling_hours"] - panel[LATE] if has_late else panel["selling_hours"]
    reasons = {
        "not a whole week with logging": panel["coverage"] != LOGGED,
        "hours or outcome unknown": hours.isna() | panel[list(outcomes)].isna().any(axis="columns"),
        "no working day available": ~(panel["available_hours"] > 0),
        "no selling hour before proposal": ~(hours > 0),
    }
    is_usable, left_out = np.ones(len(panel), bool), {}
    for reason, is_out in reasons.items():
        bad = is_out.to_numpy(bool) & is_usable
        left_out[reason] = int(bad.sum())
        is_usable &= ~bad
    if not is_usable.any():
        raise CrmDataError(
            "rep_week: no row has logged selling hours. See the audit of `alignment-roi clean`."
        )
    rows = panel[is_usable].copy()
    rows["log_hours"] = np.log(hours[is_usable].astype(float))
    rows["log_available"] = np.log(rows["available_hours"].astype(float))
    shifters_that_vary = []
    for name in SHIFTERS:
        if name in rows.columns and int((rows[name] > 0).sum()) >= FEWEST_SHIFTED:
            rows[share_column(name)] = rows[name].astype(float) / WEEKDAYS
            column = share_column(name)
            is_usable_shift = is_varying(rows, column) and is_seen_in_teams(rows, column)
            shifters_that_vary += [name] if is_usable_shift else []
    lacks = [
        *([] if has_late else [LATE]),
        *([] if shifters_that_vary else ["one of " + ", ".join(SHIFTERS)]),
    ]
    cluster = (
        "team_id"
        if any(meets_teams(rows, share_column(name)) for name in shifters_that_vary)
        else "rep_id"
    )
    rows[cluster] = rows[cluster].fillna("no team") if rows[cluster].isna().any() else rows[cluster]
    counts = {why: n for why, n in left_out.items() if n}
    return Weeks(
        rows.reset_index(drop=True), tuple(shifters_that_vary), counts, tuple(lacks), cluster
    )


def is_seen_in_teams(rows: pd.DataFrame, column: str) -> bool:
    """Return whether a shifter's error can be estimated: one that hits whole teams must have hit at
    least two of three or more, so that each can be left out.
    """
    if not meets_teams(rows, column):
        return True
    shifted = rows.loc[rows[column] > 0, "team_id"].nunique()
    return rows["team_id"].nunique() >= FEWEST_TEAMS and shifted >= FEWEST_SHIFTED_TEAMS


def meets_teams(rows: pd.DataFrame, column: str) -> bool:
    """Return whether a shifter hits whole teams at once.

    More than half of a shifted rep's team-mates have it that week.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"team_id": [1, 1, 2, 2], "week_start": 1})
    >>> rows["outage"], rows["course"] = [0.4, 0.4, 0, 0], [1.0, 0, 1, 0]
    >>> meets_teams(rows, "outage"), meets_teams(rows, "course")
    (True, False)
    """
    is_on = rows[column] > 0
    groups = is_on.groupby([rows["team_id"], rows["week_start"]])
    mates = groups.transform("size") - 1
    alike = (groups.transform("sum") - 1)[is_on & (mates > 0)] / mates[is_on & (mates > 0)]
    return bool(len(alike) and alike.mean() > TOGETHER)


def is_varying(rows: pd.DataFrame, column: str) -> bool:
    """Return whether a column varies once rep and week effects are taken out.

    A shift of all reps at once does not.
    """
    codes = tuple(pd.factorize(rows[name])[0] for name in ("rep_id", "week_start"))
    left = fixed_effects.take_out_effects(
        fixed_effects.absorb_effects(codes), rows[column].to_numpy(float)
    )
    return bool(np.abs(left).max() > SMALLEST_MOVE)


def shifter_sentence(weeks: Weeks) -> str:
    """Return a sentence on what shifted hours from outside, and in how many rep-weeks."""
    if not weeks.shifters:
        return "Nothing is recorded that moved hours for reasons of its own."
    counts = (
        f"{SHIFTERS[name]} ({int((weeks.rows[name] > 0).sum()):,} rep-weeks)"
        for name in weeks.shifters
    )
    return f"Hours were moved by {', '.join(counts)}."


def share_column(shifter: str) -> str:
    """Return the column that holds a shifter's share of the week."""
    return f"{shifter.removesuffix('_days')}_share"


def window_mean(rows: pd.DataFrame, column: str, first: int, last: int) -> pd.Series[float]:
    """Return the rep's mean of `column` over the weeks `first` to `last` from each.

    Negative is past.

    Weeks are counted on the calendar; missing where one of them is.

    Examples
    --------
    >>> import pandas as pd
    >>> weeks = pd.to_datetime(["2026-01-05", "2026-01-12", "2026-01-19"])
    >>> rows = pd.DataFrame({"rep_id": "a", "week_start": weeks, "x": [1.0, 2.0, 4.0]})
    >>> window_mean(rows, "x", 1, 2).tolist()
    [3.0, nan, nan]
    """
    start, (rep, reps) = pd.to_datetime(rows["week_start"]), pd.factorize(rows["rep_id"])
    week = ((start - start.min()).dt.days // 7).to_numpy()
    wide = np.full((int(week.max()) + 1, len(reps)), np.nan)
    wide[week, rep] = rows[column].to_numpy(float)
    n_weeks = last - first + 1
    later = pd.DataFrame(wide).rolling(n_weeks, min_periods=n_weeks).mean().shift(-last).to_numpy()
    return pd.Series(later[week, rep], index=rows.index, name=column)
