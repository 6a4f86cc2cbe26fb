"""What no CRM holds: memberships, pay, quotas, working days, the programme, control totals, practices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.simulate import hours
from analysis.simulate import salesforce as sf
from analysis.simulate.people import NEVER
from analysis.simulate.practice import agreements, content, costs, levels, meetings, targeting, voices
from analysis.simulate.window import REGIONS

if TYPE_CHECKING:
    from analysis.simulate.company import Company, Tables
    from analysis.simulate.records import Keys
    from analysis.simulate.window import Ints

BASE = (75_000.0, 100_000.0, 130_000.0)  # by segment [USD/year]
RAISE = 1.03  # a year
QUOTA = 500_000.0  # [USD/quarter]
RAMP = (0.25, 0.5, 1.0)  # of a quota, by quarters since the rep started
FINANCE_LOG_SD = 0.0005


def tables(company: Company, tables: Tables, keys: Keys) -> dict[str, pa.Table]:
    """Return all of them, by file name."""
    rng = np.random.default_rng([company.seed, 11])
    scene = levels.scene(company, tables, keys)
    return {
        "rep_team_history": _memberships(company, tables, keys),
        "compensation": _pay(tables, keys, rng),
        "quotas": _quotas(tables, keys, rng),
        "working_calendar": _calendar(tables),
        "programme": _programme(tables, keys),
        "hours_shifters": _shifters(tables, keys),
        "finance_bookings": _finance(tables, keys, rng),
        **agreements.tables(scene),
        **targeting.tables(scene),
        **content.tables(scene),
        **meetings.tables(scene),
        **voices.tables(scene),
        **costs.tables(scene),
    }


def _memberships(company: Company, tables: Tables, keys: Keys) -> pa.Table:
    """Return one row per stay of a rep or manager in a team, half-open."""
    window, people = tables.draws.window, tables.draws.people
    code = people.rep * company.n_teams + people.team
    seat, week = np.nonzero(np.diff(code, axis=1, prepend=-1))
    rep, team = people.rep[seat, week], people.team[seat, week]
    start = np.where(week == 0, people.rep_start[rep], window.week_start[week])
    same_seat = np.append(seat[1:] == seat[:-1], values=False)
    end = np.where(same_seat, np.roll(window.week_start[week], -1), NEVER)
    managers = len(people.rep_seat) + np.arange(company.n_teams)
    rep, team = np.append(rep, managers), np.append(team, np.arange(company.n_teams))
    start, end = (
        np.append(start, np.full(company.n_teams, -1200)),
        np.append(end, np.full(company.n_teams, NEVER)),
    )
    order = np.lexsort((start, rep))
    return pa.table(
        {
            "rep_id": sf.pick(keys.user, rep[order]),
            "team_id": sf.pick(keys.team, team[order]),
            "valid_from": sf.dates(window.start, start[order]),
            "valid_to": sf.dates(window.start, end[order], known=end[order] != NEVER),
        }
    )


def _pay(tables: Tables, keys: Keys, rng: np.random.Generator) -> pa.Table:
    """Return one row per rep and calendar year, half-open."""
    window, people = tables.draws.window, tables.draws.people
    first = int(window.quarters[0][:4])
    years = np.arange(first, int(window.quarters[-1][:4]) + 2)
    edge = ((years - 1970) * 12).astype("datetime64[M]").astype("datetime64[D]") - window.start
    days: Ints = edge.astype(np.int64)
    start = np.maximum(people.rep_start[:, None], days[:-1])
    end = np.minimum(people.rep_end[:, None], days[1:])
    rep, year = np.nonzero(start < end)
    start, end = start[rep, year], end[rep, year]
    base = np.array(BASE)[people.team_segment[keys.home]] * np.exp(0.08 * rng.standard_normal(len(keys.home)))
    amount = np.round(base[rep] * people.fte[rep] * RAISE ** year.astype(np.float64), -2)
    n, ends = len(rep), (end < days[-1]) | (people.rep_end[rep] == end)
    return pa.table(
        {
            "rep_id": sf.pick(keys.user, rep),
            "valid_from": sf.dates(window.start, start),
            "valid_to": sf.dates(window.start, end, known=ends),
            "base_amount": sf.money(amount),
            "base_period": sf.constant("year", n),
            "commission_rate": sf.constant("0.04", n),
            "commission_basis": sf.constant("bookings", n),
            "fringe_rate": sf.constant("0.188", n),
            "overhead_amount": sf.money(18_000 * people.fte[rep]),
            "currency": sf.constant("USD", n),
        }
    )


def _quotas(tables: Tables, keys: Keys, rng: np.random.Generator) -> pa.Table:
    """Return one row per rep and quarter in which the rep worked; the period is half-open."""
    window, people = tables.draws.window, tables.draws.people
    rows = tables.panels.rep_quarter
    rep, quarter = rows["rep"].to_numpy(), rows["quarter"].to_numpy()
    edges = np.append(np.flatnonzero(np.diff(window.quarter, prepend=-1)), window.n_days)
    started = people.rep_start[rep]
    past = np.where(started < 0, 2, quarter - window.quarter[np.maximum(started, 0)])
    level = np.exp(0.08 * rng.standard_normal(len(people.rep_seat)))
    amount = np.round(QUOTA * level[rep] * people.fte[rep] * np.array(RAMP)[np.clip(past, 0, 2)], -3)
    return pa.table(
        {
            "rep_id": sf.pick(keys.user, rep),
            "period_start": sf.dates(window.start, edges[quarter]),
            "period_end": sf.dates(window.start, edges[quarter + 1]),
            "quota_amount": sf.money(amount),
            "currency": sf.constant("USD", len(rep)),
        }
    )


def _calendar(tables: Tables) -> pa.Table:
    window = tables.draws.window
    day, region = (
        np.tile(np.arange(window.n_days), len(REGIONS)),
        np.repeat(np.arange(len(REGIONS)), window.n_days),
    )
    return pa.table(
        {
            "date": sf.dates(window.start, day),
            "region": sf.pick(REGIONS, region),
            "is_workday": sf.flags(window.is_workday.ravel()),
        }
    )


def _programme(tables: Tables, keys: Keys) -> pa.Table:
    window, people = tables.draws.window, tables.draws.people
    team = np.flatnonzero(people.adopted != NEVER)
    start = np.flatnonzero(np.diff(window.quarter, prepend=-1))[people.adopted[team]]
    return pa.table(
        {
            "team_id": sf.pick(keys.team, team),
            "start_date": sf.dates(window.start, start),
            "decided_by": sf.pick(["CRO", "Regional VP"], team % 2),
            "announced_on": sf.dates(window.start, start - 45),
        }
    )


def _shifters(tables: Tables, keys: Keys) -> pa.Table:
    window, rows = tables.draws.window, tables.draws.hours.shifters
    return pa.table(
        {
            "shifter_id": pa.array([f"shifter-{i + 1}" for i in range(len(rows))]),
            "kind": sf.pick(hours.KINDS, rows["kind"].to_numpy()),
            "rep_id": sf.pick(keys.user, rows["rep"].to_numpy()),
            "team_id": sf.pick(keys.team, rows["team"].to_numpy()),
            "start_date": sf.dates(window.start, rows["start"].to_numpy()),
            "end_date": sf.dates(window.start, rows["end"].to_numpy()),
        }
    )


def _finance(tables: Tables, keys: Keys, rng: np.random.Generator) -> pa.Table:
    """Return the control total: bookings by close quarter at that quarter's rates [USD]."""
    quarters, deals = tables.draws.window.quarters, tables.draws.deals.table
    won = deals["is_won"].to_numpy()
    quarter = deals["quarter"].to_numpy()[won]
    usd = pd.Series(keys.amount[won] / keys.rates[quarter, keys.deal_currency[won]])
    total = np.bincount(quarter, usd, len(quarters)).astype(np.float64)
    total *= np.exp(FINANCE_LOG_SD * rng.standard_normal(len(quarters)))
    return pa.table(
        {
            "quarter": pa.array(quarters),
            "bookings_amount": sf.money(total),
            "currency": sf.constant("USD", len(quarters)),
        }
    )
