"""What the chapter shows: the assessment in percent and in plain words, and why where there can be none.

A company of few teams, or without a programme, still has its alignment index: what growth cannot answer is
said in its place.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.claims import CLAIMS
from analysis.models.alignment import bands, items
from analysis.models.growth import (
    answer,
    assessment,
    imputation,
    specification,
    tiers,
)
from analysis.models.growth.panel import NEVER
from analysis.models.growth.verdict import percent
from analysis.models.result import Result
from analysis.quarters import quarter
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.models.growth.assessment import Assessment, Tables
    from analysis.models.result import Kind, Verdict

HASHED = "specification"  # what stands before the hash in a method
# What bookings and their growth are computed from: the index may read none of it.
BOOKINGS_FROM = (
    "opportunities.deal_amount", "opportunities.raw_amount", "opportunities.fx_rate", "opportunities.status",
    "opportunity_splits.split_rate", "stage_history.raw_amount",
)  # fmt: skip
POINTS = "percentage points of yearly growth"
PUBLISHED = (("growth_aligned", "Best fifth"), (None, "Middle half"), ("growth_laggard", "Laggards, the last 30%"))
NO_PROGRAMME = (
    "programme: no team is known to have started by the quarter reported.\nEnter teams and the days they started in "
    "programme.csv; a start is never inferred from the index."
)
NULL_MEAN, NULL_SD = 6.87, 9.38  # percent a year: the normal growth whose sorting gives the published figures


class Told(NamedTuple):
    """What growth has to say: an assessment, or why there can be none."""

    made: Assessment | None
    why: str = ""

    @property
    def growth_gap(self) -> Result:
        """The gap in bookings as a share, as cards show it."""
        return _as_share(self.made.growth_gap) if self.made else _unknown("growth_gap", "of bookings", self.why)

    @property
    def early(self) -> Result:
        """The gap in opportunities created as a share."""
        return (
            _as_share(self.made.early)
            if self.made
            else _unknown("opportunities_gap", "of opportunities created", self.why)
        )

    @property
    def verdict(self) -> Verdict:
        """Verdict on bookings."""
        return (self.made.growth_gap.verdict if self.made else None) or "cannot tell"

    @property
    def reason(self) -> str:
        """Why there can be no assessment, as a clause without table, ids and remedy.

        Prose is markdown, and an id is any text: none may get into it.
        """
        return self.why.split("\n")[0].partition(": ")[2].partition(" (")[0].rstrip(".")

    def sentence(self) -> str:
        """Return the one sentence leadership can repeat."""
        if self.made:
            return answer.sentence(self.made)
        return f"Whether joining the alignment programme changes bookings cannot be told: {self.reason}."

    def needs(self) -> str:
        """Return what would tell, beside what was fixed beforehand."""
        if not self.made:
            return self.why
        power = self.made.power
        settled = power.settling or ("" if self.verdict == "found" else power.sentence())
        return f"Specification {self.made.specification.sha256[:12]}, fixed beforehand. {settled}".rstrip()


def told(
    tables: Tables, quarter_reported: str, *, own_specification: str | None, looks: Sequence[Mapping[str, Any]]
) -> Told:
    """Return the assessment as of a quarter, or why the data cannot carry one.

    Parameters
    ----------
    tables : what an assessment stands on
    quarter_reported : last quarter known
    own_specification : text of the dataset's ``growth.toml``; None: the project's own specification
    looks : what earlier reports published of ``growth_gap``; their ``method`` names the specification

    Raises
    ------
    ValueError
        If the dataset's own specification is wrong; the message names the key.
    """
    spec = specification.default() if own_specification is None else specification.parse(own_specification)
    if tables.programme.empty:
        return Told(None, NO_PROGRAMME)
    named = [re.search(rf"{HASHED} (\w+)", str(look["method"])) for look in looks]
    earlier = tuple(found[1] for found in named if found)
    try:
        return Told(assessment.assess(tables, quarter=quarter_reported, spec=spec, earlier_hashes=earlier))
    except CrmDataError as error:
        return Told(None, str(error))


def _as_share(result: Result) -> Result:
    """Return a result in percent as a share."""
    return result._replace(
        estimate=result.estimate / 100,
        low=result.low / 100,
        high=result.high / 100,
        unit=result.unit.removeprefix("percent "),
    )


def path(growth: Told) -> pd.DataFrame:
    """Return the path before and since the start, with one band over all of it: one row a quarter.

    Columns: ``event_time`` [quarters since the start], ``estimate``, ``low``, ``high`` [percent] and
    ``n_teams`` behind it.
    """
    if growth.made is None:
        return pd.DataFrame(columns=["event_time", "estimate", "low", "high", "n_teams"], dtype="float64")
    made, spec = growth.made, growth.made.specification
    table, _ = imputation.event_study(
        made.panel, rng=np.random.default_rng(0), horizon=spec.horizon, n_quarters=spec.placebo_quarters,
        anticipation=spec.anticipation_quarters,
    )  # fmt: skip
    shown = table[["event_time"]].copy()
    for name in ("estimate", "low", "high"):
        shown[name] = table[name].map(percent)
    return shown.assign(n_teams=table["n_cells"])


def by_tier(
    team_quarter: pd.DataFrame, scores: pd.DataFrame, last_quarter: str, *, low: float, high: float
) -> tuple[pd.DataFrame, Result]:
    """Return yearly growth of aligned, middle and laggard teams by the index of the year before, and the gap.

    Parameters
    ----------
    team_quarter : panel, a team and quarter
    scores : what `alignment.index.scores` returns
    last_quarter : end of the year of growth
    low, high : cuts of the index fixed in advance [points]; a value on a cut goes to the lower tier

    Returns
    -------
    DataFrame, one row a tier
        ``tier``, ``n_teams``, ``growth``, ``low``, ``high`` [percent a year].
    Result
        ``tier_gap``, a difference [percentage points]; without a value where a tier has under two teams.
    """
    before = str(quarter(last_quarter).shifted(-tiers.QUARTERS_IN_YEAR))
    tiers.require_lagged(before, last_quarter)
    tiers.require_not_growth(items.columns_read())
    tiers.require_apart(items.columns_read(), BOOKINGS_FROM)
    index = scores[scores["quarter"] == before].set_index("team_id")["index"]
    named = bands.by_cut(index, low=low, high=high, names=tiers.TIERS)
    try:
        growth = tiers.yearly_growth(team_quarter, last_quarter)
    except CrmDataError as error:
        return tiers.table_by_tier(pd.Series(dtype="float64"), named), _unknown(
            "tier_gap", POINTS, str(error), len(named)
        )
    table = tiers.table_by_tier(growth, named)
    try:
        return table, tiers.contrast(growth, named)
    except CrmDataError as error:
        return table, _unknown("tier_gap", POINTS, str(error), len(named))


def sorting() -> pd.DataFrame:
    """Return the published groups beside what sorting on growth alone shows: one row a group [percent a year]."""
    null = tiers.null_sort(NULL_MEAN, NULL_SD)
    rows = [
        (label, 100 * CLAIMS[name].value if name else float("nan"), value)
        for (name, label), value in zip(PUBLISHED, null, strict=True)
    ]
    return pd.DataFrame(rows, columns=["label", "published", "by_sorting"])


def reservations(growth: Told) -> pd.DataFrame:
    """Return what was asked of the answer and what came of it: one row a check, ``check``, ``held``, ``says``."""
    if growth.made is None:
        return pd.DataFrame({"check": ["Teams to compare"], "held": ["no"], "says": [growth.why]})
    table = growth.made.guards().rename(columns={"guard": "check", "passed": "held"})
    return table.assign(check=table["check"].str.capitalize())


def vendor_points() -> tuple[float, str]:
    """Return the published gap and what it is, for the grey line of the path [percent]."""
    best, worst = CLAIMS["growth_aligned"], CLAIMS["growth_laggard"]
    gap = 100 * (best.value - worst.value)
    return gap, f"published gap, a vendor's: {gap:.0f} points ({best.year}, n = {best.n}, grade {best.grade})"


def gap_sentence(gap: Result) -> str:
    """Return the gap between aligned and laggard teams as what it is, a difference."""
    if not gap.is_known:
        return f"No gap is given: {gap.method}"
    return (
        f"Aligned less laggard teams: {gap.estimate:+.1f} percentage points ({gap.low:+.1f} to {gap.high:+.1f}; "
        f"n = {gap.n} teams), a difference and not an effect."
    )


def data_sentence(growth: Told) -> str:
    """Return in a sentence what the comparison stands on."""
    if growth.made is None:
        return f"No comparison of teams that joined with others: {growth.reason}."
    effects, panel = growth.made.evidence.effects, growth.made.panel
    starts = pd.Series(panel.starts[panel.starts < NEVER]).map(lambda place: panel.quarters[place])
    cohorts = ", ".join(f"{n} in {name}" for name, n in starts.value_counts().sort_index().items())
    left = "; ".join(f"{n} {why}" for why, n in panel.left_out.items() if n) or "none"
    return (
        f"{effects.n_teams} teams over {len(panel.quarters)} quarters up to {panel.quarters[-1]}; {effects.n_treated} "
        f"started the programme ({cohorts}); left out: {left}. Teams are as they were before anybody started."
    )


def _unknown(name: str, unit: str, why: str, n: int = 0) -> Result:
    kind: Kind = "difference" if name == "tier_gap" else "association"
    verdict: Verdict | None = None if name == "tier_gap" else "cannot tell"
    return Result(
        name, math.nan, math.nan, math.nan, unit, n, "teams", why, "team_quarter, alignment index", kind, verdict
    )
