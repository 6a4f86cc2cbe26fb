"""Defects of users and of files kept by hand; their keys are id and date joined by ``|``.

Defects of the files that tell how sales and marketing work together; keys are those of the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import salesforce_format as sf

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.simulate.defects.sheet import Rates, Sheet
    from analysis.simulate.world.calendar import Ints

QUARTERS = 4
YEAR = 365  # days


def soil_users(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Repeat a few users."""
    del files
    sheet.add("repeated_record", "drop", sheet.choose(rates.repeated_users))


def soil_memberships(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Add stays that overlap another one of the same rep, in another team."""
    teams, reps = np.array(sheet.text("team_id")), np.array(sheet.text("rep_id"))
    today = np.datetime64(max(files["working_calendar"]["date"].to_pylist()))
    settled = np.array(sheet.text("valid_from"), "datetime64[D]") < today - YEAR
    stays = pc.is_null(sheet.table["valid_to"]).to_numpy() & settled
    sellers = pc.equal(files["User"]["Title"], "Account Executive").fill_null(False)  # noqa: FBT003 Arrow's signature
    ours = np.isin(reps, files["User"]["Id"].filter(sellers).to_pylist())
    others = len(np.unique(teams)) > 1
    rows = sheet.choose(rates.overlapping_memberships if others else 0, stays & ours)
    away = [next(team for team in teams.tolist() if team != teams[row]) for row in rows]
    start = [str(today - YEAR // 2 + 30 * i) for i in range(len(rows))]
    copy = _replaced(sheet.table.take(pa.array(rows)), team_id=away, valid_from=start)
    sheet.added.append(copy)
    sheet.note("overlapping_membership", "quarantine", _keys(copy, "rep_id", "valid_from"))


def soil_pay(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Write a few salaries in thousands."""
    del files
    rows = sheet.choose(rates.implausible_pay)
    keys = _keys(sheet.table.take(pa.array(rows)), "rep_id", "valid_from")
    sheet.alter("implausible_pay", "quarantine", rows, keys, base_amount=["100"] * len(rows))


def soil_quotas(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Add managers' quotas, which repeat their reports'; enter a few yearly quotas as quarterly
    ones.
    """
    table = sheet.table
    amount = pc.cast(table["quota_amount"], pa.float64()).to_numpy()
    if rates.manager_rollups:
        user = dict(
            zip(
                files["User"]["Id"].to_pylist(), files["User"]["ManagerId"].to_pylist(), strict=True
            )
        )
        totals: dict[tuple[str, str, str], float] = {}
        rows = (table[name].to_pylist() for name in ("rep_id", "period_start", "period_end"))
        for rep, start, end, quota in zip(*rows, amount.tolist(), strict=True):
            key = (user[rep], start, end)
            totals[key] = totals.get(key, 0.0) + quota
        managers, starts, ends = zip(*totals, strict=True)
        extra = pa.table(
            {
                "rep_id": managers,
                "period_start": starts,
                "period_end": ends,
                "quota_amount": sf.amount_texts(np.array(list(totals.values()))),
                "currency": sf.constant_column("USD", len(totals)),
            }
        )
        sheet.added.append(extra)
        sheet.note("manager_rollup", "drop", _keys(extra, "rep_id", "period_start"))
    rows_annual = _whole_years(sheet, rates.repeated_annual)
    keys = _keys(table.take(pa.array(rows_annual)), "rep_id", "period_start")
    yearly = sf.amount_texts(amount[rows_annual] * QUARTERS).to_pylist()
    sheet.alter("repeated_annual", "quarantine", rows_annual, keys, quota_amount=yearly)


def _whole_years(sheet: Sheet, n_reps: int) -> Ints:
    """Return the four rows of one calendar year of some reps whose quota did not change in it."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row, (rep, start) in enumerate(
        zip(sheet.text("rep_id"), sheet.text("period_start"), strict=True)
    ):
        groups.setdefault((str(rep), str(start)[:4]), []).append(row)
    quota = sheet.text("quota_amount")
    able = {
        rep: rows
        for (rep, _), rows in groups.items()  # the latest whole year wins
        if len(rows) == QUARTERS and len({quota[row] for row in rows}) == 1
    }
    chosen = sheet.rng.permutation(len(able))[:n_reps]
    picked = [list(able.values())[index] for index in chosen.tolist()]
    return np.sort(np.array(picked, np.int64).ravel())


def _keys(table: pa.Table, one: str, other: str) -> list[str]:
    return [
        f"{a}|{b}" for a, b in zip(table[one].to_pylist(), table[other].to_pylist(), strict=True)
    ]


def _replaced(table: pa.Table, **columns: list[str]) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(
            table.column_names.index(name), name, pa.array(values, pa.string())
        )
    return table


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
    sheet.alter(
        "ends_before_start",
        "quarantine",
        rows,
        key,
        period_end=_ahead(sheet, "period_start", -1, rows),
    )


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
    sheet.alter(
        "unknown_asset",
        "quarantine",
        rows,
        key,
        asset_id=[f"asset-gone-{i}" for i in range(len(rows))],
    )


def soil_requests(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Answer more questions than there are, and begin work before it is asked for."""
    del files
    rows = sheet.choose(rates.requests_overanswered)
    key = sheet.take("request_id", rows)
    sheet.alter(
        "too_many_answers", "quarantine", rows, key, n_questions_answered=["14"] * len(rows)
    )
    rows = sheet.choose(rates.requests_begun_early)
    key = sheet.take("request_id", rows)
    sheet.alter(
        "started_before_asked",
        "quarantine",
        rows,
        key,
        work_started_on=_ahead(sheet, "asked_on", -3, rows),
    )


def soil_answers(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Give a few answers a score that the scale does not have."""
    del files
    rows = sheet.choose(rates.scores_off_scale)
    key = [
        f"{r}|{i}"
        for r, i in zip(sheet.take("response_id", rows), sheet.take("item", rows), strict=True)
    ]
    sheet.alter(
        "score_out_of_range",
        "quarantine",
        rows,
        key,
        score=["0", "6"] * (len(rows) // 2) + ["7"] * (len(rows) % 2),
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
