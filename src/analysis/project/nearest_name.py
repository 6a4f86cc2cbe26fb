"""Suggestion of the nearest known name for a name that does not exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: object, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return a sentence with the nearest of `names`, with a blank in front; empty where none is
    near.

    Examples
    --------
    >>> did_you_mean("quater", ["quarter", "dataset"])
    ' Did you mean quarter?'
    >>> did_you_mean("team", ["quarter", "dataset"])
    ''
    >>> did_you_mean("00ab", ["00ac", "00AB"])
    ' Did you mean 00AB?'
    """
    candidates = list(names)
    same = [n for n in candidates if n.casefold() == str(name).casefold()]
    near = same or difflib.get_close_matches(str(name), candidates, n=1, cutoff=cutoff)
    return f" Did you mean {near[0]}?" if near else ""
