"""What the index says of deliveries: when and to how many, in doubt, paused, overdue."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from analysis.project import exchange_settings, quarters, settings
from analysis.project.errors import ExchangeError
from analysis.report.delivery import dispatch, ledger

if TYPE_CHECKING:
    from analysis.project.exchange_settings import DeliverySettings


class DeliveryLine(NamedTuple):
    """A line on a report's delivery; `is_open` where somebody has to act."""

    text: str
    is_open: bool = False


def delivery_lines(dataset: str, quarter: str, today: dt.date) -> list[DeliveryLine]:
    """Return what became of a report's delivery; nothing where it has no recipient."""
    try:
        house = exchange_settings.read_delivery()
        noted = [d for d in ledger.read_deliveries(dataset).values() if d.quarter == quarter]
    except (settings.SettingsError, ExchangeError) as error:
        return [DeliveryLine(str(error).splitlines()[0], is_open=True)]
    of_reports = [d for d in noted if d.kind == "report"]
    lines = []
    sent = [d for d in of_reports if d.state == "sent" and d.sent_at]
    for packs, what in ((False, "Delivered"), (True, "Packs delivered")):
        some = [d for d in sent if (d.pack is not None) == packs]
        if some:
            n = len({(d.to.lower(), d.pack) for d in some})
            last = max(str(d.sent_at)[:10] for d in some)
            lines.append(DeliveryLine(f"{what} to {n}, last on {last}"))
    if n := sum(d.is_in_doubt for d in noted):
        which = "1 delivery is" if n == 1 else f"{n} deliveries are"
        text = f"{which} in doubt: alignment-roi deliver {dataset} --dry-run"
        lines.append(DeliveryLine(text, is_open=True))
    if house is not None:
        lines += _by_settings(dataset, quarter, house, today, is_sent=bool(sent))
    return lines


def _by_settings(
    dataset: str, quarter: str, house: DeliverySettings, today: dt.date, *, is_sent: bool
) -> list[DeliveryLine]:
    if until := dispatch.paused_until(house, dataset, today):
        return [DeliveryLine(f"Deliveries are paused until {until}")]
    if is_sent or not any(r.dataset == dataset for r in house.recipients):
        return []
    due = _due(dataset, house, today)
    if due is not None and due[0] == quarter:
        return [DeliveryLine(f"Overdue since {due[1]}: delivered to nobody yet", is_open=True)]
    return [DeliveryLine("Delivered to nobody yet")]


def due_day(dataset: str, quarter: str) -> dt.date | None:
    """Return the day a quarter's report is due, None where no schedule says so."""
    try:
        house = exchange_settings.read_delivery()
        month = settings.load_dataset_settings(dataset).company.fiscal_year_start_month
    except ValueError:  # wrong settings, which `report` and `deliver` refuse
        return None
    days = house.schedule_of(dataset).due_days if house else None
    if days is None:
        return None
    return quarters.parse_quarter(quarter).end(month) + dt.timedelta(days=days)


def overdue_lines(reported: dict[str, set[str]], today: dt.date) -> list[str]:
    """Return a line a dataset whose report is due and was never made.

    `reported` holds the quarters of each dataset that have a report, whole or failed.
    """
    try:
        house = exchange_settings.read_delivery()
    except settings.SettingsError:
        return []
    lines = []
    for schedule in house.schedules if house else ():
        due = _due(schedule.dataset, house, today) if house else None
        paused = house is not None and dispatch.paused_until(house, schedule.dataset, today)
        newest = max(reported.get(schedule.dataset, ()), default="")
        if due and not paused and newest < due[0]:
            lines.append(f"{schedule.dataset} {due[0]}: overdue since {due[1]}, not made yet")
    return lines


def _due(dataset: str, house: DeliverySettings, today: dt.date) -> tuple[str, dt.date] | None:
    try:
        month = settings.load_dataset_settings(dataset).company.fiscal_year_start_month
    except ValueError:  # of a dataset whose own settings are wrong: `report` says so
        return None
    return dispatch.due_quarter(dataset, house, today, month)
