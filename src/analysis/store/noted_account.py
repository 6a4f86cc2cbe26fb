"""The account of the cleaning pass for a run whose reads are noted.

Any change of the exports changes some part of the account, and most notebooks read few of its
parts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from analysis.project.read_notes import note_read

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = "absent"
IS_THERE = "?"  # ends the key of whether a part is there and holds anything


class NotedAccount(Mapping[str, Any]):
    """An account, or the part of it at `place`, that notes each part that is read."""

    def __init__(self, content: dict[str, Any], place: tuple[str, ...] = ()) -> None:
        self._content = content
        self._place = place

    def _note(self, *names: str) -> None:
        note_read("account", json.dumps([*self._place, *names]))

    def __getitem__(self, name: str) -> Any:
        """Return a part; one that has parts notes those that are read, another one itself."""
        value = self._content.get(name)
        if isinstance(value, dict):
            self._note(name, IS_THERE)
            return NotedAccount(value, (*self._place, name))
        self._note(name)
        return self._content[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is such a part, and note that this was asked."""
        self._note(str(name), IS_THERE)
        return name in self._content

    def __bool__(self) -> bool:
        """Return whether it holds anything, and note that this was asked."""
        self._note(IS_THERE)
        return bool(self._content)

    def __iter__(self) -> Iterator[str]:
        """Go through the names of all parts: then all of it counts."""
        self._note()
        return iter(self._content)

    def __len__(self) -> int:
        """Return how many parts there are; all of it counts then, too."""
        self._note()
        return len(self._content)


def part_hash(account: Mapping[str, Any], key: str) -> str:
    """Return the hash of the part of an account that a noted `key` names.

    Examples
    --------
    >>> part_hash({"gate": {"n": 1}}, '["gate", "n"]') == part_hash({"n": 1}, '["n"]')
    True
    >>> part_hash({}, '["gate", "n"]')
    'absent'
    """
    names = json.loads(key)
    part: Any = account
    for name in names[:-1] if names[-1:] == [IS_THERE] else names:
        if not isinstance(part, Mapping) or name not in part:
            return ABSENT
        part = part[name]
    if names[-1:] == [IS_THERE]:
        part = [type(part).__name__, bool(part)]
    return hashlib.sha256(json.dumps(part, sort_keys=True, default=str).encode()).hexdigest()
