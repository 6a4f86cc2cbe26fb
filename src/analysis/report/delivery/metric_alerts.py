"""Alerts on key metrics that crossed a limit since the quarter before; one that stays beyond it
gives none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.project import quarters
from analysis.project.nearest_name import did_you_mean
from analysis.project.settings import SettingsError
from analysis.store import manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.project.exchange_settings import MetricAlert
    from analysis.store.run_record import Manifest


def require_key_metrics(named: Sequence[str], key_metrics: Sequence[str]) -> None:
    """Refuse an alert on a metric that is not a key metric; `SettingsError` names the nearest."""
    for name in named:
        if name not in key_metrics:
            raise SettingsError(
                f"alignment.toml: delivery.alerts: {name!r} is no key metric; those are "
                f"{', '.join(key_metrics)}.{did_you_mean(name, key_metrics)}"
            )


def crossing(alert: MetricAlert, state: Manifest) -> str | None:
    """Return in a sentence that a metric crossed a limit; None where it did not or nobody can tell.

    Both quarters must have published it: where one is unknown, whether it crossed is unknown.
    """
    metric = state["metrics"].get(alert.metric, {})
    now = metric.get("estimate")
    earlier = quarters.parse_quarter(state["quarter"]).shifted(-1)
    before = manifest.published_figures(state["dataset"], earlier).get(alert.metric)
    if now is None or before is None:
        return None
    limit, side = (alert.above, "above") if alert.above is not None else (alert.below, "below")
    if limit is None or not _is_beyond(now, limit, side) or _is_beyond(before, limit, side):
        return None
    return (
        f"{alert.metric} is {now:,g} in {state['quarter']} and was {before:,g} in {earlier}: it is "
        f"now {side} {limit:,g} ({metric.get('unit', '')}, n {metric.get('n', 0):,})."
    )


def _is_beyond(value: float, limit: float, side: str) -> bool:
    return value > limit if side == "above" else value < limit
