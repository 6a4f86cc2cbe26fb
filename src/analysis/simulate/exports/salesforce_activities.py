"""The CRM's calendar: Event, EventRelation and Task, in UTC from each rep's local day."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports import words
from analysis.simulate.exports.salesforce_deals import N_MARKETERS
from analysis.simulate.world import activities

if TYPE_CHECKING:
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.calendar import Ints, Window
    from analysis.simulate.world.company_parameters import SimulatedCompany

CONTACTS_PER_ACCOUNT = 3
CALLS = (activities.CALL, activities.COLD_CALL)
# The columns of Event, and what most rows say.
EVENT = {
    "Id": None, "Subject": None, "StartDateTime": None, "EndDateTime": None,
    "DurationInMinutes": None, "IsAllDayEvent": "false", "IsRecurrence": "false",
    "IsChild": "false", "IsGroupEvent": "false", "ShowAs": "Busy", "EventSubtype": "Event",
    "WhatId": None, "WhoId": None, "OwnerId": None, "CreatedDate": None, "IsDeleted": "false",
}  # fmt: skip
SECOND_CONTACT, WITH_MANAGER = 0.2, 0.08  # share of client meetings
NOTED_AHEAD = 0.8  # share of the meetings in the calendar before they are held
INBOUND = 0.3  # share of calls
LAST_NOTE = 6 * 3600  # seconds before the window's last midnight
TASKS_PER_CALL = 0.08  # e-mails and to-dos, which have no length


def calendar_files(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys
) -> dict[str, pa.Table]:
    """Return Event, EventRelation and Task."""
    rng = np.random.default_rng([company.seed, 10])
    records = tables.calendar.records
    table = records.assign(start=_utc(tables.draws.window, keys, records))
    table["account"] = _accounts(company, keys, records, rng)
    table["contact"] = table["account"] * CONTACTS_PER_ACCOUNT + rng.integers(
        0, CONTACTS_PER_ACCOUNT, len(table)
    )
    is_call = table["kind"].isin(CALLS).to_numpy()
    timed = table[~is_call]
    events = [_events(tables, keys, timed, rng), _all_day(tables, keys, len(timed))]
    return {
        "Event": pa.concat_tables(events),
        "EventRelation": _relations(company, tables, keys, timed, rng),
        "Task": _tasks(tables, keys, table[is_call], rng),
    }


def _utc(window: Window, keys: Keys, records: pd.DataFrame) -> Ints:
    """Return the start of each record in seconds of UTC since the window's first midnight."""
    zones = sorted(set(keys.zone))
    noons = (window.dates(np.arange(window.n_days)).astype("datetime64[h]") + 12).tolist()
    offset = np.array(
        [
            [noon.replace(tzinfo=ZoneInfo(zone)).utcoffset().total_seconds() for noon in noons]
            for zone in zones
        ],
        np.int64,
    )
    zone = np.array([zones.index(name) for name in keys.zone])[records["rep"].to_numpy()]
    start = records["start"].to_numpy()
    return np.asarray(start * 60 - offset[zone, start // 1440])


def _accounts(
    company: SimulatedCompany, keys: Keys, records: pd.DataFrame, rng: np.random.Generator
) -> Ints:
    """Return a client contact's account: its deal's, else one of the team's.

    Else, and where it is about a lead, -1.
    """
    deal, kind, lead = (records[name].to_numpy() for name in ("deal", "kind", "lead"))
    any_account = records["team"].to_numpy() * company.accounts_per_team
    any_account = any_account + rng.integers(0, company.accounts_per_team, len(records))
    client = (kind <= activities.CALL) & (lead < 0)  # a lead has no account yet
    return np.where(client, np.where(deal >= 0, keys.deal_account[deal], any_account), -1)


def _what(keys: Keys, table: pd.DataFrame) -> pa.Array:
    both = pa.concat_arrays([keys.deal, keys.account])
    deal, account = table["deal"].to_numpy(), table["account"].to_numpy()
    return sf.pick_words(
        both, np.where(deal >= 0, deal, np.where(account >= 0, account + len(keys.deal), -1))
    )


def _who(keys: Keys, table: pd.DataFrame) -> pa.Array:
    """Return the lead each record is about, else the contact it is with."""
    account, contact, lead = (table[name].to_numpy() for name in ("account", "contact", "lead"))
    with_contact = sf.blank_out(sf.salesforce_ids("003", np.maximum(contact, 0)), account < 0)
    return pc.coalesce(sf.pick_words(keys.lead, lead), with_contact)


def _events(
    tables: SimulatedTables, keys: Keys, table: pd.DataFrame, rng: np.random.Generator
) -> pa.Table:
    window, n = tables.draws.window, len(table)
    start, seconds, kind = (table[c].to_numpy() for c in ("start", "seconds", "kind"))
    sizes = np.array([len(subjects) for subjects in words.SUBJECTS])
    subject = (np.cumsum(sizes) - sizes)[kind] + (rng.random(n) * sizes[kind]).astype(np.int64)
    joint = table["is_joint"].to_numpy()
    flat = [text for subjects in words.SUBJECTS for text in subjects]
    before, after = -rng.integers(0, 10 * 86_400, n), seconds + rng.integers(0, 86_400, n)
    noted = start + np.where(rng.random(n) < NOTED_AHEAD, before, after)
    return _event_table(
        Id=sf.salesforce_ids("00U", np.arange(n)),
        Subject=sf.pick_words([*flat, words.JOINT], np.where(joint, len(flat), subject)),
        StartDateTime=sf.utc_stamps(window.start, start),
        EndDateTime=sf.utc_stamps(window.start, start + seconds),
        DurationInMinutes=pa.array(seconds // 60).cast(pa.string()),
        IsGroupEvent=sf.flag_texts(joint),
        WhatId=_what(keys, table),
        WhoId=_who(keys, table),
        OwnerId=sf.pick_words(keys.user, table["rep"].to_numpy()),
        CreatedDate=sf.utc_stamps(
            window.start, np.minimum(noted, window.n_days * 86_400 - LAST_NOTE)
        ),
    )


def _all_day(tables: SimulatedTables, keys: Keys, first_id: int) -> pa.Table:
    window, table = tables.draws.window, tables.calendar.all_day
    day, n_days = table["day"].to_numpy(), table["n_days"].to_numpy()
    kind = pd.Categorical(table["kind"], ["vacation", "holiday", "training"]).codes
    return _event_table(
        Id=sf.salesforce_ids("00U", first_id + np.arange(len(table))),
        Subject=sf.pick_words(["Vacation", "Public holiday", "Training: course"], kind),
        StartDateTime=sf.utc_stamps(window.start, day * 86_400),
        EndDateTime=sf.utc_stamps(window.start, (day + n_days) * 86_400),
        DurationInMinutes=pa.array(n_days * 1440).cast(pa.string()),
        IsAllDayEvent=sf.constant_column("true", len(table)),
        ShowAs=sf.pick_words(["OutOfOffice", "Free", "Busy"], kind),
        OwnerId=sf.pick_words(keys.user, table["rep"].to_numpy()),
        CreatedDate=sf.utc_stamps(window.start, (day - 20) * 86_400 + 36_000),
    )


def _event_table(**columns: pa.Array) -> pa.Table:
    """Return events with the usual value in every column not given."""
    n = len(columns["Id"])
    all_columns = {
        name: columns.get(name, sf.constant_column(usual, n)) for name, usual in EVENT.items()
    }
    return pa.table(all_columns)


def _relations(
    company: SimulatedCompany,
    tables: SimulatedTables,
    keys: Keys,
    table: pd.DataFrame,
    rng: np.random.Generator,
) -> pa.Table:
    """Return who else was there: contacts, at times the manager, marketers if joint."""
    n_reps = len(tables.draws.people.rep_seat)
    client = np.flatnonzero((table["account"] >= 0) | (table["lead"] >= 0))
    extra = client[rng.random(len(client)) < SECOND_CONTACT]
    guided = client[rng.random(len(client)) < WITH_MANAGER]
    joint = np.repeat(np.flatnonzero(table["is_joint"].to_numpy()), 2)
    contact, team = table["contact"].to_numpy(), table["team"].to_numpy()
    account = table["account"].to_numpy()
    extra = extra[account[extra] >= 0]  # a lead comes alone
    other = account[extra] * CONTACTS_PER_ACCOUNT + (contact[extra] + 1) % CONTACTS_PER_ACCOUNT
    marketer = (team[joint] + np.arange(len(joint)) % 2 * 5) % N_MARKETERS
    user = np.concatenate([n_reps + team[guided], n_reps + company.n_teams + marketer])
    row = np.concatenate([client, extra, guided, joint])
    order = np.argsort(row, kind="stable")
    first = _who(keys, table.iloc[client])
    relation = pa.concat_arrays(
        [first, sf.salesforce_ids("003", other), sf.pick_words(keys.user, user)]
    )
    answer = rng.choice(3, len(row), p=[0.85, 0.1, 0.05])
    return pa.table(
        {
            "Id": sf.salesforce_ids("0RE", np.arange(len(row))),
            "EventId": sf.salesforce_ids("00U", row[order]),
            "RelationId": relation.take(pa.array(order)),
            "IsInvitee": sf.constant_column("true", len(row)),
            "IsParent": sf.constant_column("false", len(row)),
            "Status": sf.pick_words(["Accepted", "New", "Declined"], answer),
        }
    )


def _tasks(
    tables: SimulatedTables, keys: Keys, calls: pd.DataFrame, rng: np.random.Generator
) -> pa.Table:
    start = tables.draws.window.start
    more = calls.iloc[
        np.sort(rng.choice(len(calls), round(TASKS_PER_CALL * len(calls)), replace=False))
    ]
    table = pd.concat([calls, more], ignore_index=True)
    n, is_call = len(table), np.arange(len(table)) < len(calls)
    day = (
        tables.calendar.records["start"].to_numpy()[np.concatenate([calls.index, more.index])]
        // 1440
    )
    done = table["start"].to_numpy() + np.where(is_call, table["seconds"].to_numpy(), 60)
    sizes = [len(words.SUBJECTS[kind]) for kind in CALLS]
    flat = [*(text for kind in CALLS for text in words.SUBJECTS[kind]), *words.TASKS]
    n_call, n_subjects = sum(sizes), len(flat)
    is_cold = (table["kind"] == activities.COLD_CALL).to_numpy()
    call = np.where(is_cold, rng.integers(sizes[0], n_call, n), rng.integers(0, sizes[0], n))
    subject = np.where(is_call, call, rng.integers(n_call, n_subjects, n))
    kind = np.where(is_call, 0, np.where(subject < n_subjects - 2, 1, 2))
    return pa.table(
        {
            "Id": sf.salesforce_ids("00T", np.arange(n)),
            "Subject": sf.pick_words(flat, subject),
            "TaskSubtype": sf.pick_words(["Call", "Email", "Task"], kind),
            "CallType": sf.pick_words(
                ["Outbound", "Inbound"], np.where(is_call, rng.random(n) < INBOUND, -1)
            ),
            "CallDurationInSeconds": sf.blank_out(
                pa.array(table["seconds"].to_numpy()).cast(pa.string()), ~is_call
            ),
            "ActivityDate": sf.day_texts(start, day),
            "CompletedDateTime": sf.utc_stamps(start, done),
            "Status": sf.constant_column("Completed", n),
            "WhatId": _what(keys, table),
            "WhoId": _who(keys, table),
            "OwnerId": sf.pick_words(keys.user, table["rep"].to_numpy()),
            "CreatedDate": sf.utc_stamps(start, done),
            "IsDeleted": sf.constant_column("false", n),
        }
    )
