"""What could speak against an answer: each other explanation of a gap, and whether the data show
it.

A check speaks against an answer only where it rejects, mostly at 1 %; that it does not reject is no
proof, so each says what it would have shown four times in five.  One that cannot be made, for want
of a column, says so and speaks neither way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.growth import contrasts, imputation
from analysis.chapters.growth.panel import NEVER
from analysis.project import money
from analysis.project.errors import CrmDataError
from analysis.stats import intervals, linear
from analysis.stats.intervals import LEVEL
from analysis.stats.sample import make_sample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.chapters.growth.contrasts import Clusters, TeamContrast
    from analysis.chapters.growth.panel import Panel, Places
    from analysis.stats.randomisation import RandomisationTest

Bars = Literal["answer", "direction", "found", "opportunities"]
FEWEST_OTHERS = 3  # teams that never joined, for a word on what became of their leads
SMALLEST_SHIFT = 0.01  # of a share, or of logs: less than this moves nothing
ONE_SIDED = 0.10  # level of a two-sided test of which one side counts: 5 % on that side
MOVES_LEVEL = 0.05  # of what was moved to adopters: small moves make large gaps
DAYS_IN_QUARTER = 365.25 / 4
ZERO_QUARTERS = "adopters booked nothing in some quarters since their start"
WORDS = {True: "yes", False: "no", None: "not checked"}


class Guard(NamedTuple):
    """One check: whether it speaks against the answer (None: not checked), and what the data show.

    ``would_show`` says what the check would have shown four times in five, "" where it rests on
    record and not on chance.  ``bars`` says what falls where it does speak: any answer, an answer
    with a direction, the word "found" alone, or opportunities as evidence of bookings.
    """

    name: str
    speaks: bool | None
    says: str
    would_show: str = ""
    bars: Bars = "answer"


class CheckBasis(NamedTuple):
    """What all checks of a panel share.

    ``sign`` is that of the estimate, ``level`` that of tests in both directions.
    """

    clusters: Clusters
    events: Places
    anticipation: int
    sign: float
    level: float


def guard_table(several: Iterable[Guard]) -> pd.DataFrame:
    """Return one row a check: ``check``, ``speaks`` (yes, no, not checked), ``says``, ``would``."""
    return pd.DataFrame(
        [(g.name, WORDS[g.speaks], g.says, g.would_show) for g in several],
        columns=["check", "speaks", "says", "would"],
    )


def placebo_guard(whole: Panel, basis: CheckBasis, noun: str, *, n_quarters: int) -> Guard:
    """Return whether adopters' outcome already differed just before the start."""
    name = f"{noun} of adopters were already different before the start"
    try:
        before = contrasts.placebo(
            whole, basis.clusters, n_quarters=n_quarters, anticipation=basis.anticipation
        )
    except CrmDataError:
        return Guard(name, None, "too few quarters before the start")
    speaks = abs(before.estimate) > before.reach(basis.level)
    says = f"{_percent(before.estimate)} in the {n_quarters} quarters before"
    return Guard(name, speaks, says, _percent(before.shows_from(basis.level)))


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


def agreement_guard(effect: TeamContrast, companion: TeamContrast, level: float) -> Guard:
    """Return whether two estimators of the same effect are further apart than chance explains."""
    apart = effect.less(companion)
    speaks = abs(apart.estimate) > apart.reach(level)
    return Guard(
        "two ways to estimate it disagree",
        speaks,
        f"{_points(apart.estimate)} apart",
        _points(apart.shows_from(level)),
    )


def start_guard(whole: Panel, basis: CheckBasis, effect: TeamContrast) -> Guard:
    """Return whether the effect is much smaller without the quarters around the start.

    So it is where deals were held back until a team had joined.
    """
    name = "much of it is in the quarters around the start alone"
    try:
        later = contrasts.without_start(
            whole, basis.clusters, basis.events, anticipation=basis.anticipation
        )
    except CrmDataError:
        return Guard(name, None, "too few quarters since the start")
    less = effect.less(later)
    speaks = basis.sign * less.estimate > less.reach(ONE_SIDED)
    says = f"{_percent(later.estimate)} without them, {_percent(effect.estimate)} with them"
    return Guard(name, speaks, says, _points(less.shows_from(ONE_SIDED)))


def moved_guard(
    name: str, whole: Panel | None, basis: CheckBasis, noun: str, level: float = MOVES_LEVEL
) -> Guard:
    """Return whether something was moved to adopters since the start, in the estimate's direction.

    `whole` holds shares, or logs; the test is two-sided at `level`.
    """
    if whole is None:
        return Guard(name, None, f"{noun}: not known")
    try:
        moved = contrasts.average_effect(
            whole, basis.clusters, basis.events, anticipation=basis.anticipation
        )
    except CrmDataError:
        return Guard(name, None, f"{noun}: known of too few teams")
    along = basis.sign * moved.estimate
    speaks = along > max(moved.reach(level), SMALLEST_SHIFT)
    return Guard(
        name,
        bool(speaks),
        f"{_points(moved.estimate)} of {noun}",
        _points(max(moved.shows_from(level), SMALLEST_SHIFT)),
    )


def leads_guard(whole: Panel | None, basis: CheckBasis) -> Guard:
    """Return whether adopters' leads came at the other teams' expense.

    More leads may be what the programme does; leads taken from others are not.  So a gain of
    adopters speaks against a rise where leads of the teams that never joined fell since the first
    start (a mean change a team, t interval).  A fall for another reason is taken for a move too:
    the check errs on that side.
    """
    name = "leads were taken from the other teams"
    if whole is None:
        return Guard(name, None, "leads: not known")
    try:
        gain = contrasts.average_effect(whole, basis.clusters, basis.events)
    except CrmDataError:
        return Guard(name, None, "leads: known of too few teams")
    first = int(whole.starts.min())
    others = whole.matrix[whole.starts == NEVER]
    is_whole = ~np.isnan(others[:, first:]).all(axis=1) & ~np.isnan(others[:, :first]).all(axis=1)
    others = others[is_whole]
    if len(others) < FEWEST_OTHERS:
        return Guard(name, None, f"leads: only {len(others)} teams never joined")
    change = np.nanmean(others[:, first:], axis=1) - np.nanmean(others[:, :first], axis=1)
    error = float(change.std(ddof=1)) / math.sqrt(change.size)
    reach = intervals.t_point(1 - MOVES_LEVEL / 2, change.size - 1) * error
    middle = float(change.mean())
    speaks = basis.sign > 0 and gain.estimate > gain.reach(MOVES_LEVEL) and middle + reach < 0
    says = f"adopters' leads {_percent(gain.estimate)}, the others' {_percent(middle)}"
    return Guard(name, bool(speaks), says, _percent(gain.shows_from(MOVES_LEVEL)))


def logging_guard(entries: Panel | None, changes: Panel | None, basis: CheckBasis) -> Guard:
    """Return whether adopters log more since the start: then opportunities show nothing.

    `entries` holds log entries a rep and week, `changes` whether the team's logging changed.
    """
    name = "adopters log more since the start"
    rows = [
        moved_guard(name, whole, basis._replace(sign=1.0), noun)
        for whole, noun in ((entries, "entries a week"), (changes, "teams whose logging changed"))
    ]
    comparable = [each for each in rows if each.speaks is not None]
    if not comparable:
        return rows[0]._replace(bars="opportunities")
    worst = next((each for each in comparable if each.speaks), comparable[0])
    return worst._replace(bars="opportunities")


def conversion_guard(bookings: TeamContrast, opportunities: TeamContrast) -> Guard:
    """Return whether bookings and opportunities moved apart: then the one is no evidence of the
    other.
    """
    apart = bookings.less(opportunities)
    speaks = abs(apart.estimate) > apart.reach(ONE_SIDED)
    return Guard(
        "bookings and opportunities moved apart",
        speaks,
        f"{_points(apart.estimate)} apart",
        _points(apart.shows_from(ONE_SIDED)),
        "opportunities",
    )


def announcement_guard(programme: pd.DataFrame) -> Guard:
    """Return whether starts were dated afterwards."""
    name = "starts were announced only afterwards"
    if "announced_on" not in programme.columns or programme["announced_on"].isna().all():
        return Guard(name, None, "announced_on is not known")
    late = pd.to_datetime(programme["announced_on"]) > pd.to_datetime(programme["start_date"])
    return Guard(name, bool(late.any()), f"{int(late.sum())} of {len(late)} announced afterwards")


def zero_guard(amounts: Panel | None) -> Guard:
    """Return whether adopters had quarters of zero since their start: logs leave these out, so a
    collapse would look like growth.

    `amounts` holds bookings as they are.
    """
    if amounts is None:
        return Guard(ZERO_QUARTERS, None, "bookings of too few teams are known")
    since = (amounts.event_time() >= 0) & ~np.isnan(amounts.matrix)
    n = int((since & (amounts.matrix <= 0)).sum())
    return Guard(ZERO_QUARTERS, n > 0, f"{n} of their {int(since.sum())} quarters since the start")


def sales_cycle(whole: Panel, median_cycle_days: float | None) -> Guard:
    """Return whether the median adopter joined more recently than a deal takes to close."""
    name = "deals begun since the start cannot have closed yet"
    if median_cycle_days is None or np.isnan(median_cycle_days):
        return Guard(name, None, "the sales cycle is not known")
    since = float(np.median(len(whole.quarters) - whole.starts[whole.starts < NEVER]))
    cycle = median_cycle_days / DAYS_IN_QUARTER
    return Guard(
        name, since < cycle, f"{since:.0f} quarters since; a deal takes {cycle:.1f} quarters"
    )


def single_team(effect: TeamContrast, sign: float, noun: str = "team") -> Guard:
    """Return whether the plain estimate, of all teams or without any one of them, has the opposite
    sign to the answer.
    """
    without = effect.estimates[1:]
    low, high = (_percent(float(each)) for each in (without.min(), without.max()))
    return Guard(
        f"a single {noun} decides the sign",
        bool((np.sign(effect.estimates) != sign).any()),
        f"{low} to {high} without one of them",
        bars="direction",
    )


def randomisation_guard(test: RandomisationTest | None, alpha: float) -> Guard:
    """Return whether random picks of teams give as large an effect; skipped where it cannot change
    the verdict.
    """
    name = "chance picks of teams do as well"
    if test is None:
        return Guard(name, None, "the 95% interval holds zero anyway", bars="found")
    says = test.refusal or f"{test.p_value:.1%} of {test.n_drawn:,} picks do"
    return Guard(name, bool(test.refusal) or test.p_value >= alpha, says, bars="found")


def region_guard(clusters: Clusters, refusal: str, *, is_known: bool) -> Guard:
    """Return whether too few regions joined, each as a whole, to tell the programme from regional
    luck.
    """
    name = "whole regions joined, too few to tell it from their fortunes"
    if not is_known:
        return Guard(name, None, "the teams' regions are not known")
    if not clusters.is_region:
        return Guard(name, speaks=False, says="teams joined whatever their region")
    return Guard(
        name, bool(refusal), refusal or f"{clusters.n} regions joined as one or not at all"
    )


def lead_table(whole: Panel, index: pd.DataFrame, *, level: float = LEVEL) -> pd.DataFrame:
    """Return whether next quarter's index follows this quarter's growth: one row.

    Index of the next quarter on growth of this one, this quarter's index and whether the team had
    joined by then; team and quarter effects absorbed, clustered by team.  A slope above zero says
    that the index follows growth and does not lead it; starts come from the programme's dates, so
    it says nothing of the effect of joining.

    Parameters
    ----------
    whole : Panel
    index : DataFrame, a team and quarter
        ``team_id``, ``quarter`` and ``alignment_index`` [0-100].

    Returns
    -------
    DataFrame
        ``estimate``, ``low``, ``high`` [points of the index per log point of growth], ``p_value``.

    Raises
    ------
    CrmDataError
        If the index is known for too few teams or quarters.
    """
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
        raise CrmDataError(
            "alignment index: it must be known for 3 teams and 3 quarters in a row, but it is for "
            f"{rows['team_id'].nunique()} teams and {rows['quarter'].nunique()} quarters.\n"
            "Compare again with a longer history."
        )
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
    return fit.table(level).loc[["growth"], ["estimate", "low", "high", "p_value"]]


def _percent(log_points: float) -> str:
    return money.signed_percent(math.expm1(log_points), 1)


def _points(shift: float) -> str:
    return f"{money.signed_number(100 * shift, 1)} points"
