"""What two quarterly reviews decided, as TOML: an action carried over keeps its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from analysis.simulate.window import Window

HELD_AFTER = 13  # days from the quarter's last day


class Action(NamedTuple):
    """Something a review decided; `due` in days after the review."""

    id: str
    text: str
    owner: str
    due: int
    metric: str
    status: str
    reason: str


FIRST = (
    Action(
        "A1",
        "Move pipeline reporting out of the reps' week",
        "Sales operations",
        78,
        "selling_hours_per_week",
        "open",
        "",
    ),
    Action(
        "A2",
        "Review the sales-ready definition with every team that has none",
        "Marketing",
        60,
        "alignment_index",
        "done",
        "",
    ),
    Action(
        "A3",
        "Stop the printed brochure",
        "Marketing",
        45,
        "alignment_index",
        "dropped",
        "the trade press asked for one more edition",
    ),
)
SECOND = (
    Action(
        "A1",
        "Move pipeline reporting out of the reps' week",
        "Sales operations",
        78,
        "selling_hours_per_week",
        "done",
        "",
    ),
    Action(
        "A4", "Answer handed-over leads within two working days", "Sales managers", 70, "alignment_index", "open", ""
    ),
    Action(
        "A5",
        "Ask the 12 vetting questions before work on a request begins",
        "Marketing",
        50,
        "alignment_index",
        "open",
        "",
    ),
    Action(
        "A6", "Measure the growth gap again with two more quarters", "Revenue operations", 90, "growth_gap", "open", ""
    ),
)


def files(window: Window) -> dict[str, str]:
    """Return the text of the reviews of the two quarters before the last, by quarter."""
    edge = np.flatnonzero(np.diff(window.quarter, prepend=-1))
    quarters = range(max(len(window.quarters) - 3, 0), len(window.quarters) - 1)
    made = {}
    for quarter, actions in zip(quarters, (FIRST, SECOND), strict=False):
        held = window.start + np.timedelta64(int(edge[quarter + 1]) + HELD_AFTER, "D")
        made[window.quarters[quarter]] = _text(held, actions)
    return made


def _text(held: np.datetime64, actions: tuple[Action, ...]) -> str:
    parts = [f"held_on = {held}\n"]
    for action in actions:
        lines = [
            "[[actions]]",
            f'id = "{action.id}"',
            f'text = "{action.text}"',
            f'owner = "{action.owner}"',
            f"due = {held + np.timedelta64(action.due, 'D')}",
            f'metric = "{action.metric}"',
            f'status = "{action.status}"',
            *([f'reason = "{action.reason}"'] if action.reason else []),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
