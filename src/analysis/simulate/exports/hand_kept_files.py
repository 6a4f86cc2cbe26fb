"""What no CRM holds: memberships, pay, quotas, working days, the programme, control totals,
practices.

What the alignment programme costs a team: once when it begins, and every quarter from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.simulate.exports import (
    practice_agreements,
    practice_content,
    practice_details,
    practice_meetings,
    practice_requests,
    practice_scene,
    practice_survey,
)
from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.practice_scene import made_up_ids
from analysis.simulate.exports.salesforce_deals import CURRENCIES
from analysis.simulate.world import weekly_hours
from analysis.simulate.world.calendar import REGIONS
from analysis.simulate.world.people import NEVER

if TYPE_CHECKING:
    from analysis.simulate.exports.practice_scene import Scene
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.calendar import Ints
    from analysis.simulate.world.company_parameters import SimulatedCompany

BASE = (75_000.0, 100_000.0, 130_000.0)  # by segment [USD/year]
RAISE = 1.03  # a year
QUOTA = 500_000.0  # [USD/quarter]
RAMP = (0.25, 0.5, 1.0)  # of a quota, by quarters since the rep started
FINANCE_LOG_SD = 0.0005


def hand_kept_files(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys
) -> dict[str, pa.Table]:
    """Return all of them, by file name."""
    rng = np.random.default_rng([company.seed, 11])
    scene = practice_scene.practice_scene(company, tables, keys)
    files = {
        "rep_team_history": _memberships(company, tables, keys),
        "compensation": _pay(tables, keys, rng),
        "quotas": _quotas(tables, keys, rng),
        "working_calendar": _calendar(tables),
        "programme": _programme(tables, keys),
        "hours_shifters": _shifters(tables, keys),
        "finance_bookings": _finance(tables, keys, rng),
        **practice_agreements.agreement_files(scene),
        **practice_agreements.targeting_files(scene),
        **practice_content.content_files(scene),
        **practice_requests.request_file(scene),
        **practice_meetings.meeting_minutes(scene),
        **practice_survey.voice_files(scene),
        **programme_cost_file(scene),
    }
    return practice_details.with_practice_details(scene, files)


def _memberships(company: SimulatedCompany, tables: SimulatedTables, keys: Keys) -> pa.Table:
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
            "rep_id": sf.pick_words(keys.user, rep[order]),
            "team_id": sf.pick_words(keys.team, team[order]),
            "valid_from": sf.day_texts(window.start, start[order]),
            "valid_to": sf.day_texts(window.start, end[order], is_known=end[order] != NEVER),
        }
    )


def _pay(tables: SimulatedTables, keys: Keys, rng: np.random.Generator) -> pa.Table:
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
    base = np.array(BASE)[people.team_segment[keys.home]] * np.exp(
        0.08 * rng.standard_normal(len(keys.home))
    )
    amount = np.round(base[rep] * people.fte[rep] * RAISE ** year.astype(np.float64), -2)
    n, ends = len(rep), (end < days[-1]) | (people.rep_end[rep] == end)
    return pa.table(
        {
            "rep_id": sf.pick_words(keys.user, rep),
            "valid_from": sf.day_texts(window.start, start),
            "valid_to": sf.day_texts(window.start, end, is_known=ends),
            "base_amount": sf.amount_texts(amount),
            "base_period": sf.constant_column("year", n),
            "commission_rate": sf.constant_column("0.04", n),
            "commission_basis": sf.constant_column("bookings", n),
            "fringe_rate": sf.constant_column("0.188", n),
            "overhead_amount": sf.amount_texts(18_000 * people.fte[rep]),
            "currency": sf.constant_column("USD", n),
        }
    )


def _quotas(tables: SimulatedTables, keys: Keys, rng: np.random.Generator) -> pa.Table:
    """Return one row per rep and quarter in which the rep worked; the period is half-open."""
    window, people = tables.draws.window, tables.draws.people
    rows = tables.panels.rep_quarter
    rep, quarter = rows["rep"].to_numpy(), rows["quarter"].to_numpy()
    edges = np.append(np.flatnonzero(np.diff(window.quarter, prepend=-1)), window.n_days)
    started = people.rep_start[rep]
    past = np.where(started < 0, 2, quarter - window.quarter[np.maximum(started, 0)])
    level = np.exp(0.08 * rng.standard_normal(len(people.rep_seat)))
    amount = np.round(
        QUOTA * level[rep] * people.fte[rep] * np.array(RAMP)[np.clip(past, 0, 2)], -3
    )
    return pa.table(
        {
            "rep_id": sf.pick_words(keys.user, rep),
            "period_start": sf.day_texts(window.start, edges[quarter]),
            "period_end": sf.day_texts(window.start, edges[quarter + 1]),
            "quota_amount": sf.amount_texts(amount),
            "currency": sf.constant_column("USD", len(rep)),
        }
    )


def _calendar(tables: SimulatedTables) -> pa.Table:
    window = tables.draws.window
    day, region = (
        np.tile(np.arange(window.n_days), len(REGIONS)),
        np.repeat(np.arange(len(REGIONS)), window.n_days),
    )
    return pa.table(
        {
            "date": sf.day_texts(window.start, day),
            "region": sf.pick_words(REGIONS, region),
            "is_workday": sf.flag_texts(window.is_workday.ravel()),
        }
    )


def _programme(tables: SimulatedTables, keys: Keys) -> pa.Table:
    window, people = tables.draws.window, tables.draws.people
    team = np.flatnonzero(people.adopted != NEVER)
    start = np.flatnonzero(np.diff(window.quarter, prepend=-1))[people.adopted[team]]
    return pa.table(
        {
            "team_id": sf.pick_words(keys.team, team),
            "start_date": sf.day_texts(window.start, start),
            "decided_by": sf.pick_words(["CRO", "Regional VP"], team % 2),
            "announced_on": sf.day_texts(window.start, start - 45),
        }
    )


def _shifters(tables: SimulatedTables, keys: Keys) -> pa.Table:
    window, rows = tables.draws.window, tables.draws.hours.shifters
    return pa.table(
        {
            "shifter_id": pa.array([f"shifter-{i + 1}" for i in range(len(rows))]),
            "kind": sf.pick_words(weekly_hours.KINDS, rows["kind"].to_numpy()),
            "rep_id": sf.pick_words(keys.user, rows["rep"].to_numpy()),
            "team_id": sf.pick_words(keys.team, rows["team"].to_numpy()),
            "start_date": sf.day_texts(window.start, rows["start"].to_numpy()),
            "end_date": sf.day_texts(window.start, rows["end"].to_numpy()),
        }
    )


def _finance(tables: SimulatedTables, keys: Keys, rng: np.random.Generator) -> pa.Table:
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
            "bookings_amount": sf.amount_texts(total),
            "currency": sf.constant_column("USD", len(quarters)),
        }
    )


KINDS = ("people", "tools", "content", "incentives")
ONCE = (
    9_000.0,
    3_000.0,
    3_000.0,
    0.0,
)  # [USD a team]: training and facilitation, set-up, first material
RUNNING = (2_200.0, 1_200.0, 1_000.0, 600.0)  # [USD a team and quarter]
EMEA, EURO = 1, 1  # places of the region that pays in the currency


def programme_cost_file(scene: Scene) -> dict[str, pa.Table]:
    """Return a row per team, quarter and kind; the first quarter holds what is paid once too."""
    rng = scene.rng(14)
    people = scene.tables.draws.people
    team, quarter, _ = scene.grid(len(KINDS))
    kind = np.arange(len(team)) % len(KINDS)
    since = quarter - people.adopted[team]
    on = (people.adopted[team] != NEVER) & (since >= 0)
    team, quarter, kind, since = team[on], quarter[on], kind[on], since[on]
    usd = (np.take(RUNNING, kind) + np.where(since == 0, np.take(ONCE, kind), 0.0)) * rng.uniform(
        0.85, 1.15, len(team)
    )
    currency = np.where(people.team_region[team] == EMEA, EURO, 0)
    table = pa.table(
        {
            "cost_id": pa.array(made_up_ids("cost", len(team)), pa.string()),
            "team_id": sf.pick_words(scene.keys.team, team),
            "period_start": sf.day_texts(scene.start, scene.edge[quarter]),
            "period_end": sf.day_texts(scene.start, scene.edge[quarter + 1]),
            "kind": sf.pick_words(KINDS, kind),
            "cost_amount": sf.amount_texts(np.round(usd * scene.keys.rates[quarter, currency], 2)),
            "currency": sf.pick_words(CURRENCIES, currency),
        }
    )
    return {"programme_costs": table}
