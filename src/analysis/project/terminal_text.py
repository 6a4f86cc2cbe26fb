"""Text made safe for a terminal: nothing from a CRM moves the cursor or reverses a line."""

from __future__ import annotations

import re

# What acts instead of being shown: controls (escape sequences begin with one), marks of writing
# direction, and separators that some terminals take for a new line.
_ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ufff9-\ufffb\ud800-\udfff]"
)


def terminal_text(text: str) -> str:
    r"""Return `text` with every control character written out as its code; line ends stay.

    Examples
    --------
    >>> print(terminal_text("Team \x1b[31mred\u202e"))
    Team <U+001B>[31mred<U+202E>
    """
    return _ACTING.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)
