"""Whether the cost of an hour is good: a target that somebody set says so, nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.project import money

if TYPE_CHECKING:
    from analysis.project.settings import KeyMetric
    from analysis.stats.result import Result


def judge_cost(hour: Result, watched: KeyMetric | None, *, currency: str) -> str:
    """Return in one or two sentences whether the cost of an `hour` is good; "" where it is unknown.

    `watched` is the key metric of that name, None where there is none.
    """
    if not hour.is_known:
        return ""
    if watched is None or watched.target is None:
        return (
            "These figures alone cannot say whether that is good: nobody set a target, and a "
            "vendor's example is no yardstick. Compare it with what one more hour brings."
        )
    target = f"{watched.aim} {money.amount_text(watched.target, currency)}"
    return f"The target of {target} is {'met' if watched.is_met(hour.estimate) else 'missed'}."
