"""A band that holds the whole path of an event study at once, not each quarter by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import CrmDataError
from analysis.stats.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.stats.fixed_effects import Vector

N_DRAWS = 20_000  # Monte Carlo error of the critical value about 0.01


class Band(NamedTuple):
    """Estimates with one `critical` value for all of them: estimate +- critical x error."""

    names: tuple[str, ...]
    estimate: Vector
    standard_error: Vector
    critical: float
    level: float
    convention: str

    def table(self) -> pd.DataFrame:
        """Return one row a name: estimate, standard_error, low and high, and whether 0 lies
        outside.
        """
        low = self.estimate - self.critical * self.standard_error
        high = self.estimate + self.critical * self.standard_error
        return pd.DataFrame(
            {
                "estimate": self.estimate,
                "standard_error": self.standard_error,
                "low": low,
                "high": high,
                "excludes_zero": (low > 0) | (high < 0),
            },
            index=pd.Index(self.names, name="term"),
        )


def sup_t(
    names: Sequence[str],
    estimate: Vector,
    covariance: Vector,
    *,
    rng: np.random.Generator,
    df: int | None = None,
    level: float = LEVEL,
    n_draws: int = N_DRAWS,
) -> Band:
    """Return the band whose critical value is a quantile of the largest |t| of a joint draw.

    Plug-in sup-t band of Montiel Olea and Plagborg-Moller (2019), J. Applied Econometrics 34;
    with `df` draws are multivariate t, so that one estimate gets its t interval.  An
    estimate without error, such as the reference quarter, takes no part.

    Raises
    ------
    CrmDataError
        If the covariance is not one: negative on its diagonal, or not finite.
    """
    variance = np.diag(covariance)
    if not np.isfinite(covariance).all() or (variance < 0).any():
        raise CrmDataError(
            "band: the covariance must be finite with no negative variance. Check the "
            "estimates first."
        )
    error = np.sqrt(variance)
    live = error > 0
    correlation = covariance[np.ix_(live, live)] / np.outer(error[live], error[live])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = np.abs(rng.standard_normal((n_draws, int(live.sum()))) @ root.T).max(axis=1)
    if df is not None:
        drawn /= np.sqrt(rng.chisquare(df, n_draws) / df)
    by = f"multivariate t({df})" if df is not None else "normal"
    return Band(
        names=tuple(names),
        estimate=np.asarray(estimate, float),
        standard_error=error,
        critical=float(np.quantile(drawn, level)),
        level=level,
        convention=f"sup-t band over {int(live.sum())} estimates, {by}, {n_draws:,} draws",
    )


def sup_t_from_draws(
    names: Sequence[str], estimate: Vector, draws: Vector, *, level: float = LEVEL
) -> Band:
    """Return the band from bootstrap draws of the estimates, a row a draw.

    Errors are the draws' standard deviations; the critical value is the quantile of the largest
    |draw - estimate| / error (Montiel Olea and Plagborg-Moller 2019, by bootstrap).
    """
    center = np.asarray(estimate, float)
    error = np.std(draws, axis=0, ddof=1)
    live = error > 0
    largest = np.abs((draws[:, live] - center[live]) / error[live]).max(axis=1)
    return Band(
        names=tuple(names),
        estimate=center,
        standard_error=error,
        critical=float(np.quantile(largest, level)),
        level=level,
        convention=f"sup-t band over {int(live.sum())} estimates, {draws.shape[0]:,} bootstrap draws",  # noqa: E501
    )
