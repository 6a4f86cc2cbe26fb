"""How far the index can be relied on, and what its error does to tiers and gaps.

Evidence: odd weeks against even weeks, and one quarter against the next.  Survey: omega, with alpha
beside it as a warning line only, since practices need not go together.  Reliability decides how
often a tier is right, so it is translated into that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.multivariate.factor import Factor

from analysis.chapters.alignment.index import combine_shares, evidence_grid
from analysis.project.errors import require_columns
from analysis.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

ENOUGH_SPLIT_HALF, ENOUGH_OMEGA, ENOUGH_ICC2, ENOUGH_AGREEMENT = 0.8, 0.8, 0.6, 0.7
UNIFORM_VARIANCE = 2.0  # of a 5-point item answered at random: (5^2 - 1) / 12
FEWEST = 3  # below, a correlation says nothing
N_DRAWS = 500
COLUMNS = ["measure", "value", "low", "high", "n", "n_of", "enough", "is_enough"]


class TeamAgreement(NamedTuple):
    """Whether people of a team agree enough to speak of the team's answer."""

    icc1: float  # one person's answer as a measure of the team's
    icc2: float  # the team's mean as one
    r_wg: float  # median over teams, 0 (as if at random) to 1


def spearman_brown(correlation: float) -> float:
    """Return the reliability of the whole from the correlation of its halves.

    None where they are opposites.
    """
    return 2 * correlation / (1 + correlation) if correlation > -1 else math.nan


def split_half(odd: pd.DataFrame, even: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return the reliability of the evidence that has days: one row, by odd against even weeks.

    The correlation is within quarters, so that a practice spreading everywhere does not pass for
    reliability.  The interval draws teams again.

    Parameters
    ----------
    odd, even : what `evidence.table` returns with ``half`` set
    rng : seeded generator of the bootstrap
    """
    chosen = [item for item in evidence_grid(odd).items if item.is_split]
    scored = []
    for evidence in (odd, even):
        cells = evidence_grid(evidence, chosen)
        values = combine_shares(cells.share, cells.points, [item.dimension for item in cells.items])
        scored.append(pd.Series(values, index=cells.units))
    both = pd.concat(scored, axis="columns", keys=["odd", "even"]).dropna()
    both -= both.groupby("quarter").transform("mean")
    value, ends, n = _by_team(both, rng, lambda pairs: spearman_brown(_correlation(pairs)))
    return _row(
        "split-half of evidence, Spearman-Brown", value, ends, n, "teams", ENOUGH_SPLIT_HALF
    )


def quarter_to_quarter(scores: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Return how far a team keeps its place from one quarter to the next.

    One row, an intraclass correlation.

    Below the split-half reliability by as much as teams truly changed.
    """
    require_columns(scores, ["team_id", "quarter", "index"], "alignment index")
    wide = scores.pivot_table(index="team_id", columns="quarter", values="index").sort_index(
        axis="columns"
    )
    wide -= wide.mean()
    pairs = pd.concat(
        [
            pd.DataFrame({"odd": wide.iloc[:, i], "even": wide.iloc[:, i + 1]}).dropna()
            for i in range(wide.shape[1] - 1)
        ]
        or [pd.DataFrame({"odd": pd.Series(dtype="float64"), "even": pd.Series(dtype="float64")})]
    )
    pairs.index.name = "team_id"
    value, ends, n = _by_team(pairs, rng, _intraclass)
    return _row("quarter to quarter, intraclass correlation", value, ends, n, "teams", math.nan)


def _correlation(pairs: np.ndarray) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.corrcoef(pairs.T)[0, 1])


def _intraclass(pairs: np.ndarray) -> float:
    """Return the correlation of pairs each taken both ways round."""
    return _correlation(np.concatenate([pairs, pairs[:, ::-1]]))


def _by_team(
    pairs: pd.DataFrame, rng: np.random.Generator, of: Callable[[np.ndarray], float]
) -> tuple[float, tuple[float, float], int]:
    """Return a statistic of pairs with its 95% interval, teams drawn again, and the number of
    teams.
    """
    parts = [part.to_numpy() for _, part in pairs.groupby("team_id")]
    if len(parts) < FEWEST:
        return math.nan, (math.nan, math.nan), len(parts)
    drawn = [
        of(np.concatenate([parts[i] for i in rng.integers(0, len(parts), len(parts))]))
        for _ in range(N_DRAWS)
    ]
    low, high = np.nanquantile(drawn, intervals.ENDS)
    return float(of(pairs.to_numpy())), (float(low), float(high)), len(parts)


def _row(
    measure: str, value: float, ends: tuple[float, float], n: int, n_of: str, enough: float
) -> pd.DataFrame:
    row = (
        measure,
        value,
        *ends,
        n,
        n_of,
        enough,
        None if math.isnan(enough) else bool(value >= enough),
    )
    return pd.DataFrame([row], columns=COLUMNS)


def omega_total(correlation: npt.ArrayLike) -> float:
    """Return omega total of items with this correlation matrix, from one factor by principal axes.

    Examples
    --------
    Eight items that load 0.7: (8 x 0.7)^2 / ((8 x 0.7)^2 + 8 x 0.51).

    >>> loads = np.full((8, 8), 0.49) + np.diag(np.full(8, 0.51))
    >>> round(omega_total(loads), 4)
    0.8849
    """
    loadings = (
        Factor(corr=np.asarray(correlation, float), n_factor=1, method="pa").fit().loadings[:, 0]
    )
    common = float(np.sum(loadings) ** 2)
    return common / (common + float(np.sum(1 - loadings**2)))


def cronbach_alpha(answers: npt.ArrayLike) -> tuple[float, float, float]:
    """Return Cronbach's alpha of answers, a row a person and a column an item, with Feldt's 95%
    interval.
    """
    table = np.asarray(answers, float)
    n, k = table.shape
    value = float(
        k / (k - 1) * (1 - table.var(axis=0, ddof=1).sum() / table.sum(axis=1).var(ddof=1))
    )
    free = (n - 1, (n - 1) * (k - 1))
    low, high = (1 - (1 - value) * float(stats.f.ppf(q, *free)) for q in reversed(intervals.ENDS))
    return value, low, high


def of_survey(people: pd.DataFrame) -> pd.DataFrame:
    """Return the reliability of the survey: omega, and alpha as a warning line; two rows.

    Parameters
    ----------
    people : what `survey.survey_responses` returns
        Only people who answered every item count.
    """
    items = [c for c in people.columns if isinstance(c, int | np.integer)]
    whole = people[items].dropna()
    moving = whole.loc[:, whole.std() > 0] if len(whole) > len(items) else whole.iloc[:0]
    if moving.shape[1] < FEWEST or len(moving) <= moving.shape[1]:
        nothing = (math.nan, math.nan)
        return pd.concat(
            [
                _row(
                    "omega total of the survey",
                    math.nan,
                    nothing,
                    len(whole),
                    "people",
                    ENOUGH_OMEGA,
                ),
                _row("alpha of the survey", math.nan, nothing, len(whole), "people", math.nan),
            ],
            ignore_index=True,
        )
    value, low, high = cronbach_alpha(moving)
    omega = omega_total(moving.corr())
    return pd.concat(
        [
            _row(
                "omega total of the survey",
                omega,
                (math.nan, math.nan),
                len(whole),
                "people",
                ENOUGH_OMEGA,
            ),
            _row("alpha of the survey", value, (low, high), len(whole), "people", math.nan),
        ],
        ignore_index=True,
    )


def team_agreement(people: pd.DataFrame) -> TeamAgreement:
    """Return whether answers may be averaged by team, from what `survey.survey_responses` returns.

    ICC(1) and ICC(2) by one-way analysis of variance with the mean group size of unequal groups;
    r_wg of each team's mean scores against answers at random, none below 0, its median.
    """
    scores = people.dropna(subset=["mean"]).groupby("team_id")["mean"]
    sizes, means = scores.size(), scores.mean()
    n, k = int(sizes.sum()), len(sizes)
    if k < 2 or n <= k:
        return TeamAgreement(math.nan, math.nan, math.nan)
    grand = float((sizes * means).sum() / n)
    between = float((sizes * (means - grand) ** 2).sum()) / (k - 1)
    inside = float((scores.var(ddof=1) * (sizes - 1)).sum()) / (n - k)
    size = (n - float((sizes**2).sum()) / n) / (k - 1)
    r_wg = (1 - scores.var(ddof=1).dropna() / UNIFORM_VARIANCE).clip(lower=0)
    return TeamAgreement(
        (between - inside) / (between + (size - 1) * inside),
        (between - inside) / between,
        float(r_wg.median()),
    )


def agreement_table(people: pd.DataFrame) -> pd.DataFrame:
    """Return `team_agreement` as rows of `COLUMNS`: ICC(1), ICC(2) and r_wg."""
    result, n = team_agreement(people), len(people)
    nothing = (math.nan, math.nan)
    rows = [
        _row(
            "one person's answer for the team's, ICC(1)",
            result.icc1,
            nothing,
            n,
            "people",
            math.nan,
        ),
        _row("a team's mean answer, ICC(2)", result.icc2, nothing, n, "people", ENOUGH_ICC2),
        _row("agreement within teams, r_wg", result.r_wg, nothing, n, "people", ENOUGH_AGREEMENT),
    ]
    return pd.concat(rows, ignore_index=True)


def tier_consequences(
    reliability: float, *, rng: np.random.Generator, n: int = 200_000
) -> dict[str, float]:
    """Return what a reliability means for 20/50/30 tiers, by `n` simulated units [shares].

    ``right_tier``; ``top_correct`` and ``laggard_correct``, of those so called; ``changes_tier``
    next quarter though nothing truly changed; ``gap_left``, how much of the true gap between top
    and laggard the observed tiers show.
    """
    if not 0 < reliability <= 1:
        raise ValueError(f"reliability must be above 0 and at most 1, got {reliability!r}")
    true = rng.standard_normal(n)
    measurements = [
        math.sqrt(reliability) * true + math.sqrt(1 - reliability) * rng.standard_normal(n)
        for _ in range(2)
    ]
    cut = stats.norm.ppf([0.3, 0.8])
    own, first, second = (np.searchsorted(cut, values) for values in (true, *measurements))
    gaps = [float(true[tier == 2].mean() - true[tier == 0].mean()) for tier in (own, first)]
    return {
        "right_tier": float((own == first).mean()),
        "top_correct": float((own[first == 2] == 2).mean()),
        "laggard_correct": float((own[first == 0] == 0).mean()),
        "changes_tier": float((first != second).mean()),
        "gap_left": gaps[1] / gaps[0],
    }
