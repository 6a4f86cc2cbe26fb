"""Defects of users and of files kept by hand; their keys are id and date joined by ``|``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate import salesforce as sf

if TYPE_CHECKING:
    from analysis.simulate.dirt import Rates
    from analysis.simulate.sheet import Sheet
    from analysis.simulate.window import Ints

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
    """Add managers' quotas, which repeat their reports'; put yearly quotas into quarters."""
    table = sheet.table
    amount = pc.cast(table["quota_amount"], pa.float64()).to_numpy()
    if rates.manager_rollups:
        user = dict(zip(files["User"]["Id"].to_pylist(), files["User"]["ManagerId"].to_pylist(), strict=True))
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
                "quota_amount": sf.money(np.array(list(totals.values()))),
                "currency": sf.constant("USD", len(totals)),
            }
        )
        sheet.added.append(extra)
        sheet.note("manager_rollup", "drop", _keys(extra, "rep_id", "period_start"))
    rows_annual = _whole_years(sheet, rates.repeated_annual)
    keys = _keys(table.take(pa.array(rows_annual)), "rep_id", "period_start")
    yearly = sf.money(amount[rows_annual] * QUARTERS).to_pylist()
    sheet.alter("repeated_annual", "quarantine", rows_annual, keys, quota_amount=yearly)


def _whole_years(sheet: Sheet, n_reps: int) -> Ints:
    """Return the four rows of one calendar year of some reps whose quota did not change in it."""
    groups: dict[tuple[str, str], list[int]] = {}
    for row, (rep, start) in enumerate(zip(sheet.text("rep_id"), sheet.text("period_start"), strict=True)):
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
    return [f"{a}|{b}" for a, b in zip(table[one].to_pylist(), table[other].to_pylist(), strict=True)]


def _replaced(table: pa.Table, **columns: list[str]) -> pa.Table:
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
    return table
