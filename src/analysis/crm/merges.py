"""Chains of merges followed to their end.

A merged into B and B into C is A merged into C.  Merges that lead back to themselves have no end, and
a record merged into two that are not one has two: neither is guessed at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Fate(NamedTuple):
    """What became of a record: its last survivor (None where that cannot be told) and the rule that says so."""

    survivor: str | None
    rule: str


def _fate(targets: Iterable[str], fates: dict[str, Fate]) -> Fate:
    known = [fates[t] for t in targets if t in fates]
    for rule in ("merge_cycle", "merge_conflict"):
        if any(f.rule == rule for f in known):
            return Fate(None, rule)
    ends = {fates[t].survivor if t in fates else t for t in targets}
    return Fate(ends.pop(), "merged_record") if len(ends) == 1 else Fate(None, "merge_conflict")


def resolve(pairs: Iterable[tuple[str, str]]) -> dict[str, Fate]:
    """Return the fate of every record that was merged into another, by way of however many others.

    Examples
    --------
    >>> resolve([("a", "b"), ("b", "c")])["a"]
    Fate(survivor='c', rule='merged_record')
    >>> sorted({f.rule for f in resolve([("a", "b"), ("b", "a")]).values()})
    ['merge_cycle']
    """
    targets: dict[str, set[str]] = {}
    for loser, survivor in pairs:
        if loser != survivor:
            targets.setdefault(loser, set()).add(survivor)
    fates: dict[str, Fate] = {}
    for start in sorted(targets):
        path = [start] if start not in fates else []
        on_path = set(path)
        while path:
            here = path[-1]
            open_ends = sorted(t for t in targets[here] if t in targets and t not in fates)
            if open_ends and not on_path & set(open_ends):
                path.append(open_ends[0])
                on_path.add(open_ends[0])
                continue
            fates[here] = Fate(None, "merge_cycle") if open_ends else _fate(targets[here], fates)
            on_path.discard(path.pop())
    return fates
