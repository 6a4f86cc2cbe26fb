"""Reports of every dataset, such as the companies of a holding: those made on this machine, and
their outcomes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.report.run import shards

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDS = {
    0: "done",
    1: "not made: its data were refused, or every question is withheld",
    2: "not made: wrong usage, or a wrong file of its folder",
    3: "failed: its pull, a notebook or the report",
    70: "failed: a bug of alignment-roi",
    75: "not made: another run works on it",
}  # by exit code


def datasets_of_shard(names: Sequence[str], shard: str | None) -> list[str]:
    """Return the datasets that are this machine's; all of them without a `shard`.

    Parameters
    ----------
    names : all datasets; every machine must see the same ones
    shard : ``i/n``, the i-th of n parts; each dataset is in exactly one

    Raises
    ------
    ValueError
        If there is no dataset, or `shard` is no such part.

    Examples
    --------
    >>> datasets_of_shard(["acme", "beta", "corp"], "1/2")
    ['acme', 'corp']
    """
    if not names:
        raise ValueError("no dataset is in data/raw; `alignment-roi init NAME` makes one")
    return shards.parse_shard(shard).take(sorted(names))


def outcome_lines(ended: Sequence[tuple[str, int]]) -> list[str]:
    """Return a line a dataset, how its run ended by its exit code, and a line that counts.

    Examples
    --------
    >>> outcome_lines([("acme", 0), ("beta", 75)])[-1]
    '1 of 2 datasets done'
    """
    width = max((len(name) for name, _ in ended), default=0)
    rows = [f"{name:<{width}}  {ENDS[code]}" for name, code in ended]
    n_done = sum(code == 0 for _, code in ended)
    noun = "dataset" if len(ended) == 1 else "datasets"
    return [*rows, f"{n_done} of {len(ended)} {noun} done"]
