"""Defects of the files that tell how sales and marketing work together; keys are those of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.simulate.dirt import Rates
    from analysis.simulate.sheet import Sheet
    from analysis.simulate.window import Ints

YEAR = 365  # days


def _ahead(sheet: Sheet, column: str, days: int, rows: Ints) -> list[str]:
    """Return the dates of some rows, moved by `days`."""
    dates = np.array(sheet.take(column, rows), "datetime64[D]") + days
    return [str(date) for date in dates]


def soil_goals(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Repeat a few goals."""
    del files
    rows = sheet.choose(rates.goals_twice)
    sheet.added.append(sheet.table.take(pa.array(rows)))
    sheet.note("repeated_record", "drop", sheet.take("goal_id", rows))


def soil_plans(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Let a few plans end before they begin."""
    del files
    rows = sheet.choose(rates.plans_turned_round)
    key = sheet.take("plan_id", rows)
    sheet.alter("ends_before_start", "quarantine", rows, key, period_end=_ahead(sheet, "period_start", -1, rows))


def soil_targets(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Write a few shares in percent."""
    del files
    stated = np.array([value is not None for value in sheet.text("conversion_target")])
    rows = sheet.choose(rates.shares_in_percent, stated)
    share = [f"{100 * float(text):.1f}" for text in sheet.take("conversion_target", rows)]
    key = sheet.take("target_id", rows)
    sheet.alter("rate_out_of_range", "quarantine", rows, key, conversion_target=share)


def soil_uses(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Let a few uses name an asset that nobody knows."""
    del files
    rows = sheet.choose(rates.unknown_assets)
    key = sheet.take("use_id", rows)
    sheet.alter("unknown_asset", "quarantine", rows, key, asset_id=[f"asset-gone-{i}" for i in range(len(rows))])


def soil_requests(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Answer more questions than there are, and begin work before it is asked for."""
    del files
    rows = sheet.choose(rates.requests_overanswered)
    key = sheet.take("request_id", rows)
    sheet.alter("too_many_answers", "quarantine", rows, key, n_questions_answered=["14"] * len(rows))
    rows = sheet.choose(rates.requests_begun_early)
    key = sheet.take("request_id", rows)
    sheet.alter("started_before_asked", "quarantine", rows, key, work_started_on=_ahead(sheet, "asked_on", -3, rows))


def soil_answers(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Give a few answers a score that the scale does not have."""
    del files
    rows = sheet.choose(rates.scores_off_scale)
    key = [f"{r}|{i}" for r, i in zip(sheet.take("response_id", rows), sheet.take("item", rows), strict=True)]
    sheet.alter(
        "score_out_of_range", "quarantine", rows, key, score=["0", "6"] * (len(rows) // 2) + ["7"] * (len(rows) % 2)
    )


def soil_meetings(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Date a few meetings a year ahead."""
    rows = sheet.choose(rates.meetings_ahead)
    key = sheet.take("meeting_id", rows)
    last = np.datetime64(max(files["working_calendar"]["date"].to_pylist()))
    sheet.alter("after_as_of", "drop", rows, key, held_on=[str(last + YEAR)] * len(rows))


SUBJECTS: dict[str, Callable[[Sheet, Rates, dict[str, pa.Table]], None]] = {
    "goals": soil_goals,
    "plans": soil_plans,
    "activity_targets": soil_targets,
    "asset_uses": soil_uses,
    "marketing_requests": soil_requests,
    "survey_answers": soil_answers,
    "joint_meetings": soil_meetings,
}
