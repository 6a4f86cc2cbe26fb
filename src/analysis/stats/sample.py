"""The rows an estimate stands on, and why the other rows are not among them.

A table enters here once and is checked here once; every estimator of this room takes what comes
out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import CrmDataError, require_columns, require_rows
from analysis.stats import fixed_effects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from analysis.stats.fixed_effects import AbsorbedEffects, Codes, Vector

# a column keeping less than this of its size within the effects has no variation of its own
FLAT = 1e-8
INTERCEPT = "intercept"


class Factor(NamedTuple):
    """A column of groups as codes: `labels` in sorted order, every one of them used."""

    name: str
    codes: Codes
    labels: pd.Index

    @property
    def n(self) -> int:
        """Number of groups."""
        return self.labels.size


class Sample(NamedTuple):
    """Complete rows as numbers; `left_out` counts the other rows by reason."""

    name: str
    outcome_name: str
    outcome: Vector
    columns: dict[str, Vector]  # regressors first, then instruments
    regressors: tuple[str, ...]
    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    absorb: tuple[Factor, ...]
    clusters: tuple[Factor, ...]
    weights: Vector | None
    left_out: Mapping[str, int]

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.outcome.size


class Design(NamedTuple):
    """A sample with its effects taken out and its rows scaled by the root of their weights.

    In these coordinates weighted least squares on dummies is plain least squares.
    """

    sample: Sample
    names: tuple[str, ...]
    outcome: Vector
    regressors: Vector  # a column a name
    instruments: Vector
    effects: AbsorbedEffects | None
    root_weights: Vector | None


def make_sample(
    table: pd.DataFrame,
    *,
    outcome: str,
    regressors: Sequence[str],
    absorb: Sequence[str] = (),
    cluster: str | Sequence[str] = (),
    weights: str | None = None,
    endogenous: Sequence[str] = (),
    instruments: Sequence[str] = (),
    name: str = "panel",
) -> Sample:
    """Return the complete rows of `table`, as numbers and codes.

    Parameters
    ----------
    table : DataFrame, one row per unit and period
    outcome, regressors : columns of numbers or booleans
    absorb : columns whose effects are taken out; with none, an intercept joins the regressors
    cluster : column within whose groups errors may go together, or two of them
    weights : column of analytic weights, above 0
    endogenous, instruments : regressors not to be trusted, and columns that stand in for them
    name : what to call the table in an error

    Returns
    -------
    Sample
        Rows with a missing value and rows alone in a group of an absorbed factor (which say nothing
        of a slope: Correia 2015, "Singletons, cluster-robust standard errors and fixed effects")
        are left out and counted in `left_out`.

    Raises
    ------
    CrmDataError
        If a column is missing, a number is infinite, a weight is not above 0 or no row is left.
    """
    groups = (cluster,) if isinstance(cluster, str) else tuple(cluster)
    numbers = [outcome, *regressors, *instruments, *([weights] if weights else [])]
    require_columns(table, [*numbers, *absorb, *groups], name)
    _require_arguments(regressors, endogenous, instruments, groups)
    columns = {each: _number(table[each], name) for each in dict.fromkeys(numbers)}
    codes = {
        each: pd.factorize(table[each], sort=True) for each in dict.fromkeys([*absorb, *groups])
    }
    keep = np.ones(len(table), bool)
    for values in columns.values():
        keep &= ~np.isnan(values)
    for each, _ in codes.values():
        keep &= each >= 0
    whole = keep.all()
    complete = Sample(
        name=name,
        outcome_name=outcome,
        outcome=columns[outcome],
        columns={each: columns[each] for each in [*regressors, *instruments]},
        regressors=tuple(regressors),
        endogenous=tuple(endogenous),
        instruments=tuple(instruments),
        absorb=tuple(_factor(each, *codes[each]) for each in absorb),
        clusters=tuple(_factor(each, *codes[each]) for each in groups),
        weights=columns[weights] if weights else None,
        left_out={},
    )
    if not whole:
        complete = subset_sample(complete, keep, "a value is missing")
    complete = without_singletons(complete)
    require_rows(table.iloc[: complete.n], name, "left to estimate from")
    if complete.weights is not None and not (complete.weights > 0).all():
        n_bad = int((~(complete.weights > 0)).sum())
        raise CrmDataError(
            f"{name}: {weights} must be above 0, but {n_bad} of {complete.n} rows are not. "
            "Drop these rows or weigh them."
        )
    return complete


def subset_sample(whole: Sample, keep: npt.NDArray[np.bool_], reason: str) -> Sample:
    """Return the rows in `keep`, the others counted under `reason`."""
    n_out = int((~keep).sum())
    counts = dict(whole.left_out)
    counts[reason] = counts.get(reason, 0) + n_out
    return whole._replace(
        outcome=whole.outcome[keep],
        columns={each: values[keep] for each, values in whole.columns.items()},
        absorb=tuple(_recoded(each, keep) for each in whole.absorb),
        clusters=tuple(_recoded(each, keep) for each in whole.clusters),
        weights=None if whole.weights is None else whole.weights[keep],
        left_out=counts,
    )


def without_singletons(whole: Sample) -> Sample:
    """Return the sample without rows alone in a group of an absorbed factor, until there is none."""  # noqa: E501
    while whole.n:
        alone = np.zeros(whole.n, bool)
        for each in whole.absorb:
            single = np.bincount(each.codes, minlength=each.n) == 1
            if single.any():
                alone |= single[each.codes]
        if not alone.any():
            break
        whole = subset_sample(whole, ~alone, "alone in its group")
    return whole


def make_design(whole: Sample) -> Design:
    """Return the sample with its effects taken out.

    Raises
    ------
    CrmDataError
        If a column does not vary within the effects.
    """
    roots = None if whole.weights is None else np.sqrt(whole.weights)
    absorbed = (
        fixed_effects.absorb_effects([each.codes for each in whole.absorb], whole.weights)
        if whole.absorb
        else None
    )
    names = whole.regressors if absorbed else (INTERCEPT, *whole.regressors)
    outcome = _projected(absorbed, whole.outcome, roots)
    return Design(
        sample=whole,
        names=names,
        outcome=outcome,
        regressors=_matrix(whole, absorbed, names, roots),
        instruments=_matrix(whole, absorbed, whole.instruments, roots),
        effects=absorbed,
        root_weights=roots,
    )


def _matrix(
    whole: Sample, absorbed: AbsorbedEffects | None, names: Sequence[str], roots: Vector | None
) -> Vector:
    out = np.empty((whole.n, len(names)), order="F")
    for j, name in enumerate(names):
        raw = whole.columns[name] if name in whole.columns else np.ones(whole.n)
        out[:, j] = _projected(absorbed, raw, roots)
        size = fixed_effects.root_mean_square(raw if roots is None else raw * roots)
        if not fixed_effects.root_mean_square(out[:, j]) > FLAT * size:
            effects = " and ".join(each.name for each in whole.absorb) or "the sample"
            raise CrmDataError(
                f"{whole.name}: {name} does not vary within {effects}, so nothing can be learnt of "
                f"it from {whole.n} rows. Leave it out or absorb less."
            )
    return out


def _projected(absorbed: AbsorbedEffects | None, column: Vector, roots: Vector | None) -> Vector:
    out = column if absorbed is None else fixed_effects.take_out_effects(absorbed, column)
    return out if roots is None else out * roots


def _number(column: pd.Series, table: str) -> Vector:
    values = column.to_numpy(dtype=float, na_value=np.nan)
    n_infinite = int(np.isinf(values).sum())
    if n_infinite:
        raise CrmDataError(
            f"{table}: {column.name} must be finite, but {n_infinite} of {values.size} rows are "
            "not. Look for a division by zero or a logarithm of zero upstream."
        )
    return values


def _factor(name: str, codes: npt.NDArray[np.intp], labels: pd.Index) -> Factor:
    return Factor(name, codes.astype(np.intp, copy=False), labels)


def _recoded(factor: Factor, keep: npt.NDArray[np.bool_]) -> Factor:
    codes = factor.codes[keep]
    used = np.bincount(codes[codes >= 0], minlength=factor.n) > 0
    return Factor(factor.name, (np.cumsum(used) - 1)[codes], factor.labels[used])


def _require_arguments(
    regressors: Sequence[str],
    endogenous: Sequence[str],
    instruments: Sequence[str],
    groups: Sequence[str],
) -> None:
    unknown = [each for each in endogenous if each not in regressors]
    if unknown:
        raise ValueError(f"endogenous must be among regressors, got {', '.join(unknown)}")
    if len(instruments) < len(endogenous):
        raise ValueError(
            f"instruments must be as many as endogenous or more, got {len(instruments)}"
        )
    twice = sorted(
        {
            each
            for each in (*regressors, *instruments)
            if (*regressors, *instruments).count(each) > 1
        }
    )
    if twice:
        raise ValueError(
            "a column must stand once among regressors and instruments, got "
            f"{', '.join(twice)} twice"
        )
    if len(groups) > 2:
        raise ValueError(f"cluster must name at most two columns, got {len(groups)}")
