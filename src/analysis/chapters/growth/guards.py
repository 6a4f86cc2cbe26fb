"""What else could have made the gap.

Each other way tested, and a finding withheld where it is open.

A guard that fails says in words what was seen.  One that cannot be checked, for want of a column,
says so and neither passes nor fails.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import imputation
from analysis.chapters.growth.panel import NEVER, team_panel
from analysis.project.errors import CrmDataError
from analysis.stats import intervals, linear
from analysis.stats.intervals import LEVEL
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.panel import Panel

NeededFor = Literal["any", "found"]
SettledBy = Literal["teams", "quarters", "neither"]
SHOWN = {
    "rerouted_share": "deals that another team had created",
    "net_moves": "the team's reps",
    "logging_changed": "teams whose logging changed",
}
FEWEST_OTHERS = 3  # teams that never joined, for a word on what became of their leads
SMALLEST_SHIFT = 0.01  # of a share: less rerouting than this moves nothing
DAYS_IN_QUARTER = 365.25 / 4


class Guard(NamedTuple):
    """One other way: whether it is shut (`passed`; None where it cannot be checked), and what was
    seen.

    Without those `needed_for` "any" the design earns no word on effects at all; the others are
    asked of a finding alone.  `settled_by` says what would settle one that fails: more teams, more
    quarters (how many: `quarters`), or neither.
    """

    name: str
    passed: bool | None
    says: str
    needed_for: NeededFor = "any"
    settled_by: SettledBy = "neither"
    quarters: int = 0


def guard_table(several: Iterable[Guard]) -> pd.DataFrame:
    """Return one row a guard: ``guard``, ``passed`` (yes, no, not checked) and ``says``."""
    words = {True: "yes", False: "no", None: "not checked"}
    return pd.DataFrame(
        [(g.name, words[g.passed], g.says) for g in several], columns=["guard", "passed", "says"]
    )


def placebo_guard(whole: Panel, *, n_quarters: int, anticipation: int = 0) -> Guard:
    """Return whether adopters were no different just before the start."""
    name = f"nothing found in the {n_quarters} quarters before the start"
    try:
        effects = imputation.placebo_effects(
            whole, n_quarters=n_quarters, anticipation=anticipation
        )
    except CrmDataError:
        return Guard(name, None, "too few quarters before the start")
    return Guard(name, effects.low <= 0 <= effects.high, f"{_percent(effects)} before the start")


def placebo_dates(whole: Panel, *, most: int = 4) -> pd.DataFrame:
    """Return the "effect" had the start come 1, 2.

    Quarters earlier: one row a date, log points.

    Columns: ``quarters_earlier``, ``estimate``, ``low``, ``high``.
    """
    rows = []
    for n in range(1, most + 1):
        try:
            effects = imputation.placebo_effects(whole, n_quarters=n)
        except CrmDataError:
            break
        rows.append((n, effects.estimate, effects.low, effects.high))
    return pd.DataFrame(rows, columns=["quarters_earlier", "estimate", "low", "high"])


def trend_guard(
    whole: Panel, *, anticipation: int = 0, level: float = LEVEL, wanted: float = 0.8
) -> Guard:
    """Return whether adopters' outcomes ran parallel to the others' before the start, and what
    would have shown.
    """
    name = "trends before the start run parallel"
    try:
        slope = imputation.drift_before_start(whole, anticipation=anticipation, level=level)
    except CrmDataError:
        return Guard(name, None, "too few quarters before the start")
    slope_phrase = (
        f"{100 * slope.estimate:+.1f} points a quarter ({100 * slope.low:+.1f} to "
        f"{100 * slope.high:+.1f})"
    )
    power = f"{100 * slope.detectable(wanted):.1f} would show {wanted:.0%} of the time"
    return Guard(name, not slope.excludes_zero, f"{slope_phrase}; {power}")


def rerouting_guard(
    team_quarter: pd.DataFrame, programme: pd.DataFrame, *, fiscal_year_start_month: int = 1
) -> list[Guard]:
    """Return whether deals, leads and reps were not moved to those who joined since they did."""
    table_ = team_quarter
    if {"n_reps_moved_in", "n_reps_moved_out", "average_reps"} <= set(table_.columns):
        net = table_["n_reps_moved_in"] - table_["n_reps_moved_out"]
        table_ = table_.assign(
            net_moves=net / table_["average_reps"].where(table_["average_reps"] > 0)
        )
    several = (
        ("no deals rerouted to adopters", "rerouted_share", False),
        ("no reps moved to adopters", "net_moves", False),
    )
    month = fiscal_year_start_month
    checks = [
        _unmoved(name, table_, programme, column, is_log=is_log, month=month)
        for name, column, is_log in several
    ]
    return [*checks, leads_guard(team_quarter, programme, fiscal_year_start_month=month)]


def leads_guard(
    team_quarter: pd.DataFrame, programme: pd.DataFrame, *, fiscal_year_start_month: int = 1
) -> Guard:
    """Return whether adopters' leads, if they grew, did not come out of the other teams'.

    More leads may be what the programme does; leads taken from others are not.  So a gain of
    adopters stands against a finding where leads of the teams that never joined fell since the
    first start (a mean change a team, t interval).  A fall for another reason is taken for a move
    too: the guard errs on that side.
    """
    name, column = "no leads reallocated to adopters", "n_leads"
    if column not in team_quarter.columns or team_quarter[column].isna().all():
        return Guard(name, None, "leads: not known")
    try:
        whole = team_panel(
            team_quarter,
            programme,
            outcome=column,
            is_log=True,
            fiscal_year_start_month=fiscal_year_start_month,
        )
        gain = imputation.estimate_effects(whole)
    except CrmDataError:
        return Guard(name, None, "leads: known of too few teams")
    first = int(whole.starts.min())
    others = whole.matrix[whole.starts == NEVER]
    change = np.nanmean(others[:, first:], axis=1) - np.nanmean(others[:, :first], axis=1)
    change = change[~np.isnan(change)]
    if change.size < FEWEST_OTHERS:
        return Guard(name, None, f"leads: only {change.size} teams never joined")
    reach = (
        intervals.t_quantile(change.size - 1) * float(change.std(ddof=1)) / math.sqrt(change.size)
    )
    middle = float(change.mean())
    low, high = (100 * math.expm1(each) for each in (middle - reach, middle + reach))
    says = (
        f"adopters' leads {_percent(gain)}; the others' {100 * math.expm1(middle):+.1f}% "
        f"({low:+.1f} to {high:+.1f})"
    )
    return Guard(name, not (gain.low > 0 and high < 0), says)


def logging_guard(
    team_quarter: pd.DataFrame, programme: pd.DataFrame, *, fiscal_year_start_month: int = 1
) -> Guard:
    """Return whether logging did not change with the start."""
    name = "logging did not change with the start"
    if "logging_change" not in team_quarter.columns:
        return Guard(name, None, "logging_change is not known")
    flagged = team_quarter.assign(
        logging_changed=team_quarter["logging_change"].notna().astype(float)
    )
    return _unmoved(
        name, flagged, programme, "logging_changed", is_log=False, month=fiscal_year_start_month
    )


def lead_guard(whole: Panel, index: pd.DataFrame, *, level: float = LEVEL) -> Guard:
    """Return whether growth does not come first.

    Next quarter's index must not follow this quarter's growth.

    Index of the next quarter on growth of this one, this quarter's index and whether the team had
    joined by then; team and quarter effects absorbed, clustered by team.

    Parameters
    ----------
    whole : Panel
    index : DataFrame, a team and quarter
        ``team_id``, ``quarter`` and ``alignment_index`` [0-100].
    """
    name = "the index does not follow growth"
    shape = whole.matrix.shape
    matrix = np.full(shape, np.nan)
    row = whole.teams.get_indexer(pd.Index(index["team_id"]))
    column = pd.Index(whole.quarters).get_indexer(pd.Index(index["quarter"]))
    inside = (row >= 0) & (column >= 0)
    matrix[row[inside], column[inside]] = index["alignment_index"].to_numpy(
        dtype=float, na_value=np.nan
    )[inside]
    team, quarter = np.indices((shape[0], shape[1] - 2))
    rows = pd.DataFrame(
        {
            "team_id": team.ravel(),
            "quarter": quarter.ravel(),
            "growth": np.diff(whole.matrix, axis=1)[:, :-1].ravel(),
            "index": matrix[:, 1:-1].ravel(),
            "next_index": matrix[:, 2:].ravel(),
            "joined": (whole.starts[:, None] <= np.arange(2, shape[1])).ravel().astype(float),
        }
    ).dropna()
    if rows["team_id"].nunique() < 3 or rows["quarter"].nunique() < 3:
        return Guard(name, None, "the index is known for too few quarters")
    fit = linear.least_squares(
        make_sample(
            rows,
            outcome="next_index",
            regressors=["growth", "index", "joined"],
            absorb=["team_id", "quarter"],
            cluster="team_id",
            name="index",
        )
    )
    term = fit.table(level).loc["growth"]
    is_led = bool(term["low"] > 0)
    return Guard(
        name,
        not is_led,
        f"{term['estimate'] / 10:+.2f} points per 10% of growth, p = {term['p_value']:.3f}",
    )


def sales_cycle(whole: Panel, median_cycle_days: float | None) -> Guard:
    """Return whether the adopter in the middle has been in the programme as long as a deal takes to
    close.
    """
    name = "as many quarters since the start as a sales cycle"
    if median_cycle_days is None or np.isnan(median_cycle_days):
        return Guard(name, None, "the sales cycle is not known")
    since = float(np.median(len(whole.quarters) - whole.starts[whole.starts < NEVER]))
    cycle = median_cycle_days / DAYS_IN_QUARTER
    more = max(math.ceil(cycle - since), 0)
    says = f"{since:.0f} quarters; median cycle {cycle:.1f}"
    return Guard(name, since >= cycle, says, settled_by="quarters", quarters=more)


def announcement_guard(programme: pd.DataFrame) -> Guard:
    """Return whether starts were announced before they came, not dated afterwards."""
    name = "starts were announced before they came"
    if "announced_on" not in programme.columns or programme["announced_on"].isna().all():
        return Guard(name, None, "announced_on is not known")
    late = pd.to_datetime(programme["announced_on"]) > pd.to_datetime(programme["start_date"])
    return Guard(name, not late.any(), f"{int(late.sum())} of {len(late)} announced afterwards")


def single_team(effects: GrowthEffects) -> Guard:
    """Return whether the sign is the same without any one team."""
    flips = np.sign(effects.average_without) != np.sign(effects.estimate)
    low, high = (
        100 * np.expm1(each)
        for each in (effects.average_without.min(), effects.average_without.max())
    )
    says = f"{low:+.1f}% to {high:+.1f}% without one of them"
    return Guard("no single team decides the sign", not flips.any(), says, "found", "teams")


def _unmoved(
    name: str,
    team_quarter: pd.DataFrame,
    programme: pd.DataFrame,
    column: str,
    *,
    is_log: bool,
    month: int,
) -> Guard:
    if column not in team_quarter.columns or team_quarter[column].isna().all():
        return Guard(name, None, f"{SHOWN[column]}: not known")
    try:
        whole = team_panel(
            team_quarter, programme, outcome=column, is_log=is_log, fiscal_year_start_month=month
        )
        effects = imputation.estimate_effects(whole)
    except CrmDataError:
        return Guard(name, None, f"{SHOWN[column]}: known of too few teams")
    is_moved = (effects.low > 0 or effects.high < 0) and abs(effects.estimate) > SMALLEST_SHIFT
    low, middle, high = (100 * each for each in (effects.low, effects.estimate, effects.high))
    return Guard(
        name, not is_moved, f"{middle:+.1f} points of {SHOWN[column]} ({low:+.1f} to {high:+.1f})"
    )


def _percent(effects: GrowthEffects) -> str:
    low, middle, high = (100 * np.expm1(x) for x in (effects.low, effects.estimate, effects.high))
    return f"{middle:+.1f}% ({low:+.1f} to {high:+.1f})"
