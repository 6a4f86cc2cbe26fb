"""What the chapter shows: the assessment in percent and plain words, or why there can be none.

A company of few teams, or without a programme, still has its alignment index: what growth cannot
answer is said in its place.

One sentence the leadership can repeat, made from the verdict and never typed.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment import items, score_tiers
from analysis.chapters.growth import (
    assessment,
    grading,
    guards,
    imputation,
    power,
    specification,
    tier_contrast,
)
from analysis.chapters.growth.panel import NEVER
from analysis.chapters.growth.verdict import log_points_percent
from analysis.project.claims import CLAIMS
from analysis.project.errors import CrmDataError
from analysis.project.money import signed_number
from analysis.project.quarters import parse_quarter
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.chapters.growth.assessment import Assessment, AssessmentTables
    from analysis.chapters.growth.grading import GradedGrowth
    from analysis.chapters.growth.guards import Guard
    from analysis.stats.result import Kind, Verdict

HASHED = "specification"  # what stands before the hash in a method
# What bookings and their growth are computed from: the index may read none of it.
BOOKINGS_FROM = (
    "opportunities.deal_amount",
    "opportunities.raw_amount",
    "opportunities.fx_rate",
    "opportunities.status",
    "opportunity_splits.split_rate",
    "stage_history.raw_amount",
)
POINTS = "percentage points of yearly growth"
PUBLISHED = (
    ("growth_aligned", "Best fifth"),
    (None, "Middle half"),
    ("growth_laggard", "Laggards, the last 30%"),
)
NO_PROGRAMME = (
    "programme: no team is known to have started by the quarter reported.\nEnter teams and the "
    "days they started in "
    "programme.csv; a start is never inferred from the index."
)
NULL_MEAN, NULL_SD = (
    6.87,
    9.38,
)  # percent a year: the normal growth whose sorting gives the published figures


class GrowthAnswer(NamedTuple):
    """The assessment of growth, or the reason why there can be none."""

    assessment: Assessment | None
    why: str = ""

    @property
    def growth_gap(self) -> Result:
        """The gap in bookings as a share, as cards show it."""
        return (
            _as_share(self.assessment.growth_gap)
            if self.assessment
            else _unknown("growth_gap", "of bookings", self.why)
        )

    @property
    def early(self) -> Result:
        """The gap in opportunities created as a share."""
        return (
            _as_share(self.assessment.early)
            if self.assessment
            else _unknown("opportunities_gap", "of opportunities created", self.why)
        )

    @property
    def per_rep(self) -> Result:
        """The gap in bookings per rep as a share: what remains once head count is taken out."""
        result = self.assessment.per_rep if self.assessment else None
        why = self.why or "the reps of too few teams are known"
        return _as_share(result) if result else _unknown(assessment.PER_REP, "of bookings", why)

    def heads_note(self) -> str:
        """Return a sentence on how adopters' number of reps has changed."""
        result = self.assessment.heads if self.assessment else None
        if result is None:
            return "How many reps adopters have is not known."
        change = _signed(result.estimate)
        if change == "0%":
            return "Adopters have as many reps as before they joined."
        return f"Adopters have {change} reps since they joined."

    @property
    def verdict(self) -> Verdict:
        """Verdict on bookings."""
        return (self.assessment.growth_gap.verdict if self.assessment else None) or "cannot tell"

    @property
    def reason(self) -> str:
        """Why there can be no assessment, as a clause without table, ids and remedy.

        Prose is markdown, and an id is any text: none may get into it.
        """
        return self.why.split("\n")[0].partition(": ")[2].partition(" (")[0].rstrip(".")

    @property
    def is_harm(self) -> bool:
        """Whether joining is found, or likely, to have lowered bookings."""
        return self.verdict in {"found", "likely"} and self.growth_gap.estimate < 0

    def sentence(self) -> str:
        """Return the one sentence leadership can repeat."""
        if self.assessment:
            return growth_sentence(self.assessment)
        return (
            "We cannot tell whether joining the alignment programme changes bookings: "
            f"{self.reason}."
        )

    def needs(self) -> str:
        """Return what would settle the question, beside what was fixed beforehand."""
        if not self.assessment:
            return self.why
        graded, spec = self.assessment.graded, self.assessment.specification
        answer = graded.bookings
        chances = "" if self.verdict == "found" else power.power_sentence(*answer[:2], spec)
        return " ".join(
            filter(
                None,
                [
                    f"Specification {spec.sha256[:12]}, fixed beforehand.",
                    drift_sentence(graded),
                    chances,
                ],
            )
        )


def answer_growth(
    tables: AssessmentTables,
    quarter_reported: str,
    *,
    own_specification: str | None,
    looks: Sequence[Mapping[str, Any]],
) -> GrowthAnswer:
    """Return the assessment as of a quarter, or why the data cannot carry one.

    Parameters
    ----------
    tables : what an assessment stands on
    quarter_reported : last quarter known
    own_specification : text of the dataset's ``growth.toml``; None: the project's own specification
    looks : what earlier reports published of ``growth_gap``; their ``method`` names the
        specification

    Raises
    ------
    ValueError
        If the dataset's own specification is wrong; the message names the key.
    """
    spec = (
        specification.default_specification()
        if own_specification is None
        else specification.parse_specification(own_specification)
    )
    if tables.programme.empty:
        return GrowthAnswer(None, NO_PROGRAMME)
    named = [re.search(rf"{HASHED} (\w+)", str(look["method"])) for look in looks]
    earlier = tuple(look_before[1] for look_before in named if look_before)
    try:
        return GrowthAnswer(
            assessment.assess_growth(
                tables, quarter=quarter_reported, spec=spec, earlier_hashes=earlier
            )
        )
    except CrmDataError as error:
        return GrowthAnswer(None, str(error))


def _as_share(result: Result) -> Result:
    """Return a result in percent as a share."""
    return result._replace(
        estimate=result.estimate / 100,
        low=result.low / 100,
        high=result.high / 100,
        unit=result.unit.removeprefix("percent "),
    )


def effect_path(growth: GrowthAnswer) -> pd.DataFrame:
    """Return the path before and since the start, with one band over all of it: one row a quarter.

    Columns: ``event_time`` [quarters since the start], ``estimate``, ``low``, ``high`` [percent]
    and ``n_teams`` behind it.
    """
    if growth.assessment is None:
        return pd.DataFrame(
            columns=["event_time", "estimate", "low", "high", "n_teams"], dtype="float64"
        )
    assessment, spec = growth.assessment, growth.assessment.specification
    table, _ = imputation.event_study(
        assessment.panel,
        rng=np.random.default_rng(0),
        horizon=spec.horizon,
        n_quarters=spec.placebo_quarters,
        anticipation=spec.anticipation_quarters,
    )
    points = table[["event_time"]].copy()
    for name in ("estimate", "low", "high"):
        points[name] = table[name].map(log_points_percent)
    return points.assign(n_teams=table["n_cells"])


def by_tier(
    team_quarter: pd.DataFrame, scores: pd.DataFrame, last_quarter: str, *, low: float, high: float
) -> tuple[pd.DataFrame, Result]:
    """Return yearly growth of aligned, middle and laggard teams by the index of the year before,
    and the gap.

    Parameters
    ----------
    team_quarter : panel, a team and quarter
    scores : what `index.index_scores` returns
    last_quarter : end of the year of growth
    low, high : cuts of the index fixed in advance [points]; a value on a cut goes to the lower tier

    Returns
    -------
    DataFrame, one row a tier
        ``tier``, ``n_teams``, ``growth``, ``low``, ``high`` [percent a year].
    Result
        ``tier_gap``, a difference [percentage points]; without a value where a tier has under two
        teams.
    """
    before = str(parse_quarter(last_quarter).shifted(-tier_contrast.QUARTERS_IN_YEAR))
    tier_contrast.require_lagged(before, last_quarter)
    tier_contrast.require_not_growth(items.columns_read())
    tier_contrast.require_apart(items.columns_read(), BOOKINGS_FROM)
    index = scores[scores["quarter"] == before].set_index("team_id")["index"]
    named = score_tiers.by_cut(index, low=low, high=high, names=tier_contrast.TIERS)
    try:
        growth = tier_contrast.yearly_growth(team_quarter, last_quarter)
    except CrmDataError as error:
        return tier_contrast.table_by_tier(pd.Series(dtype="float64"), named), _unknown(
            "tier_gap", POINTS, str(error), len(named)
        )
    table = tier_contrast.table_by_tier(growth, named)
    try:
        return table, tier_contrast.growth_contrast(growth, named)
    except CrmDataError:
        n = dict(zip(table["tier"], table["n_teams"], strict=True))
        fewest, (best, _, worst) = tier_contrast.FEWEST_IN_TIER, tier_contrast.TIERS
        why = (
            f"it takes at least {fewest} {best} and {fewest} {worst} teams, and there are "
            f"{n[best]} and {n[worst]}."
        )
        return table, _unknown("tier_gap", POINTS, why, len(named))


def sorting_contrast() -> pd.DataFrame:
    """Return the published groups beside what sorting on growth alone shows.

    One row a group [percent a year].
    """
    null = tier_contrast.null_sort(NULL_MEAN, NULL_SD)
    rows = [
        (label, 100 * CLAIMS[name].value if name else float("nan"), value)
        for (name, label), value in zip(PUBLISHED, null, strict=True)
    ]
    return pd.DataFrame(rows, columns=["label", "published", "by_sorting"])


def checks_of_answer(growth: GrowthAnswer) -> pd.DataFrame:
    """Return the list of checks that every page shows: one row a check.

    One row a check: ``check``, ``speaks`` (against the answer: yes, no, not checked), ``says`` and
    ``would``, what it would have shown four times in five.
    """
    if growth.assessment is None:
        return pd.DataFrame(
            {"check": ["No teams to compare"], "speaks": ["yes"], "says": [growth.why], "would": ""}
        )
    table = guards.guard_table(growth.assessment.guards)
    return table.assign(check=table["check"].str[0].str.upper() + table["check"].str[1:])


def vendor_points() -> tuple[float, str]:
    """Return the published gap and its label, for the grey line of the path [percent]."""
    best, worst = CLAIMS["growth_aligned"], CLAIMS["growth_laggard"]
    gap = 100 * (best.value - worst.value)
    return (
        gap,
        (
            f"published gap, a vendor's: {gap:.0f} points ({best.year}, n = {best.n}, grade "
            f"{best.grade})"
        ),
    )


def gap_sentence(gap: Result) -> str:
    """Return a sentence on the gap between aligned and laggard teams, called a difference."""
    if not gap.is_known:
        return f"No gap is given: {gap.method}"
    return (
        f"Aligned less laggard teams: {signed_number(gap.estimate, 1)} percentage points "
        f"({signed_number(gap.low, 1)} to {signed_number(gap.high, 1)}; n = {gap.n} teams), a "
        "difference and not an effect."
    )


def data_sentence(growth: GrowthAnswer) -> str:
    """Return a sentence on the teams and quarters behind the comparison."""
    if growth.assessment is None:
        return f"No comparison of teams that joined with others: {growth.reason}."
    effects, panel = growth.assessment.effects, growth.assessment.panel
    starts = pd.Series(panel.starts[panel.starts < NEVER]).map(lambda place: panel.quarters[place])
    cohorts = ", ".join(f"{n} in {name}" for name, n in starts.value_counts().sort_index().items())
    left = "; ".join(f"{n} {why}" for why, n in panel.left_out.items() if n) or "none"
    return (
        f"{effects.n_teams} teams over {len(panel.quarters)} quarters up to {panel.quarters[-1]}; "
        f"{effects.n_treated} started the programme ({cohorts}); left out: {left}. Teams are as "
        "they were before anybody started."
    )


def _unknown(name: str, unit: str, why: str, n: int = 0) -> Result:
    kind: Kind = "difference" if name == "tier_gap" else "association"
    verdict: Verdict | None = None if name == "tier_gap" else "cannot tell"
    return Result(
        name,
        math.nan,
        math.nan,
        math.nan,
        unit,
        n,
        "teams",
        why,
        "team_quarter, alignment index",
        kind,
        verdict,
    )


NOUNS = {"growth_gap": "bookings", "opportunities_gap": "new opportunities"}


def growth_sentence(answer: Assessment) -> str:
    """Return what may be said of the programme and bookings, with the interval and the number of
    teams.
    """
    words = result_sentence(answer.growth_gap, answer.against)
    if answer.growth_gap.verdict != "found" and answer.early.verdict in {"found", "likely"}:
        words += f" {result_sentence(answer.early).replace('Joining the programme', 'It', 1)}"
    if answer.per_rep and any(each.name == grading.MORE_REPS for each in answer.against):
        per_rep = answer.per_rep
        words += (
            f" Per rep, bookings changed by {_signed(per_rep.estimate)} "
            f"({_signed(per_rep.low)} to {_signed(per_rep.high)})."
        )
    if answer.is_exploratory:
        words += " Exploratory: the specification was changed after the data had been seen."
    return words


def result_sentence(result: Result, against: Sequence[Guard] = ()) -> str:
    """Return one sentence on one result; `against` are the checks that speak against any answer.

    Examples
    --------
    >>> from analysis.stats.result import Result
    >>> found = Result("growth_gap", 15.2, 8.1, 22.9, "percent of bookings", 40, "teams", "", "", "effect", "found")
    >>> result_sentence(found)
    'Joining the programme raised bookings by 15% (8% to 23%; 40 teams).'
    """  # noqa: E501
    noun = NOUNS.get(result.name, "")
    spread = f"{_signed(result.low)} to {_signed(result.high)}; {result.n} teams"
    size = f"{abs(result.estimate):.0f}%"
    verb = "raised" if result.estimate > 0 else "lowered"
    if result.verdict == "found":
        low, high = sorted((abs(result.low), abs(result.high)))
        return (
            f"Joining the programme {verb} {noun} by {size} ({low:.0f}% to {high:.0f}%; "
            f"{result.n} teams)."
        )
    if result.verdict == "likely":
        return f"Joining the programme probably {verb} {noun}, by about {size} ({spread})."
    if result.verdict == "no material effect":
        return f"Joining the programme made no difference to {noun} that matters ({spread})."
    for each in against:
        if each.name == guards.ZERO_QUARTERS:
            return (
                f"We cannot tell whether joining the programme changed {noun}: adopters "
                f"booked nothing in {each.says}, so no change in percent can be computed."
            )
    if against:
        more = f"{size} {'more' if result.estimate > 0 else 'less'} {noun} than"
        words = f"as many {noun} as" if size == "0%" else more
        why = "; ".join(f"{each.name} ({each.says})" for each in against[:2])
        return (
            f"Teams that joined the programme have {words} expected ({spread}), but that may not "
            f"be its doing: {why}."
        )
    return f"Joining the programme may or may not have changed {noun} ({spread})."


def drift_sentence(graded: GradedGrowth) -> str:
    """Return what adopters gained before the start, and what drift would undo the estimate."""
    if math.isnan(graded.drift):
        return "Too few quarters before the start tell whether adopters were gaining anyway."
    return (
        f"Before the start adopters gained {_points(graded.drift)} a quarter on the others "
        f"(standard error {100 * graded.drift_error:.1f}); to make all of the estimate it would "
        f"take {_points(graded.drift_to_believe)} a quarter."
    )


def vendor_line() -> str:
    """Return the label of the published gap, for the grey line of the chart."""
    best, worst = CLAIMS["growth_aligned"], CLAIMS["growth_laggard"]
    gap = 100 * (best.value - worst.value)
    return (
        f"Vendor survey, not ours: {gap:.0f} points between best and laggards ({best.source}; n = "
        f"{best.n}; grade {best.grade}; {best.is_not})"
    )


def _signed(percent: float) -> str:
    return f"{signed_number(percent)}%"


def _points(log_points: float) -> str:
    return f"{signed_number(100 * log_points, 1)} points"
