"""Who has which part in buying, and research on accounts: by sales, by marketing, or by both.

Drawn after everything else, by chance of their own, so that nothing that was there before moves.
An account is researched by both sides at most once, so that the hours done twice are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports.salesforce_activities import CONTACTS_PER_ACCOUNT, EVENT
from analysis.simulate.exports.salesforce_deals import N_MARKETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.simulate.defects.sheet import Defect
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.company_parameters import SimulatedCompany

ROLE_SEED, RESEARCH_SEED = 17, 18
NOTED = 0.7  # share of accounts whose contacts have a role on record
ROLES = (  # by place of the contact at its account; the last word is none that anybody knows
    ("Decision Maker", "Executive Sponsor"),
    ("Economic Buyer", "Influencer"),
    ("Business User", "Evaluator", "--None--", "Asks for Eve"),
)
SUBJECT = "Account research"
PREPARES = r"^(?:Preparation|Account research)"
PART = 0.15  # of accounts: researched by both; as many by sales alone, and by marketing alone
LAGS = (4, 21)  # days between the two
MINUTES = (45, 90, 150)  # of a marketer's research
GAP = 600  # seconds between beginnings of one marketer's research on one day
AFTERNOON = 15 * 3600  # of UTC, in seconds: one date wherever the teams are, but in the far east


class AccountRecords(NamedTuple):
    """Files by name, and what `truth.json` says of them."""

    files: dict[str, pa.Table]
    truth: dict[str, object]


def account_records(
    company: SimulatedCompany,
    tables: SimulatedTables,
    keys: Keys,
    events: pa.Table,
    defects: Mapping[str, Defect],
) -> AccountRecords:
    """Return OpportunityContactRole and Event with the research of accounts."""
    roles, n_with = _contact_roles(company, keys)
    research, twice = _research(company, tables, keys, events, defects)
    return AccountRecords(
        {"OpportunityContactRole": roles, "Event": research},
        {"accounts_with_role": n_with, "research_twice": twice},
    )


def _contact_roles(company: SimulatedCompany, keys: Keys) -> tuple[pa.Table, dict[str, int]]:
    """Return a row a contact of the accounts noted, on the account's first deal."""
    rng = np.random.default_rng([company.seed, ROLE_SEED])
    account, deal = np.unique(keys.deal_account, return_index=True)
    is_noted = rng.random(len(account)) < NOTED
    account, deal = account[is_noted], deal[is_noted]
    place = np.tile(np.arange(CONTACTS_PER_ACCOUNT), len(account))
    row = np.repeat(np.arange(len(account)), CONTACTS_PER_ACCOUNT)
    chance = rng.random(len(row))
    words = [ROLES[p][int(x * len(ROLES[p]))] for p, x in zip(place, chance, strict=True)]
    contact = account[row] * CONTACTS_PER_ACCOUNT + place
    table = pa.table(
        {
            "Id": sf.salesforce_ids("00K", np.arange(len(row))),
            "OpportunityId": sf.pick_words(keys.deal, deal[row]),
            "ContactId": sf.salesforce_ids("003", contact),
            "Role": pa.array(words),
            "IsPrimary": sf.flag_texts(place == 0),
            "IsDeleted": sf.constant_column("false", len(row)),
        }
    )
    return table, {word: words.count(word) for word in sorted(set(words))}


def _research(
    company: SimulatedCompany,
    tables: SimulatedTables,
    keys: Keys,
    events: pa.Table,
    defects: Mapping[str, Defect],
) -> tuple[pa.Table, dict[str, float]]:
    """Return the events, some of the reps' preparation about an account, and marketers' research.

    Also the hours done twice: the smaller of the two researches of an account that both made.
    """
    rng = np.random.default_rng([company.seed, RESEARCH_SEED])
    mine = _research_of_reps(company, keys, events, defects, rng)
    start = tables.draws.window.start
    n, n_days = len(mine), tables.draws.window.n_days
    is_marketings = np.arange(n) % 3 != 1  # by both, by sales alone, by marketing alone in turn
    is_reps = np.arange(n) % 3 != 2
    lag = rng.integers(*LAGS, n) * np.where(rng.random(n) < 0.5, 1, -1)
    day = (mine["day"].to_numpy().astype("datetime64[D]") - start).astype(np.int64)
    lag = np.where((day + lag >= n_days) | (day + lag < 0), -lag, lag)
    minutes = np.take(MINUTES, rng.integers(0, len(MINUTES), n))
    marketer = len(keys.user) - 1 - N_MARKETERS + np.arange(n) % N_MARKETERS
    of_day = mine.assign(marketer=marketer, begins=day + lag).groupby(["marketer", "begins"])
    begin = (day + lag) * 86_400 + AFTERNOON + of_day.cumcount().to_numpy() * GAP
    n_rows = int(is_marketings.sum())
    columns = {
        "Id": sf.salesforce_ids("00U", 10_000_000 + np.arange(n_rows)),
        "Subject": sf.constant_column(SUBJECT, n_rows),
        "StartDateTime": sf.utc_stamps(start, begin[is_marketings]),
        "EndDateTime": sf.utc_stamps(start, (begin + minutes * 60)[is_marketings]),
        "DurationInMinutes": pa.array(minutes[is_marketings]).cast(pa.string()),
        "WhatId": sf.pick_words(keys.account, mine["account"].to_numpy()[is_marketings]),
        "OwnerId": sf.pick_words(keys.user, marketer[is_marketings]),
        "CreatedDate": sf.utc_stamps(start, (begin + minutes * 60)[is_marketings]),
    }
    added = {
        name: columns.get(name, sf.constant_column(EVENT.get(name), n_rows))
        for name in events.column_names
    }
    what = np.array(events["WhatId"].to_pylist(), dtype=object)
    what[mine["row"].to_numpy()[is_reps]] = np.array(keys.account.to_pylist(), dtype=object)[
        mine["account"].to_numpy()[is_reps]
    ]
    place = events.column_names.index("WhatId")
    changed = events.set_column(place, "WhatId", pa.array(what.tolist(), pa.string()))
    both = is_marketings & is_reps
    twice = np.minimum(minutes, mine["minutes"].to_numpy())[both].sum() / 60
    table = pa.concat_tables([changed, pa.table(added).cast(changed.schema)])
    return table, {"accounts": int(both.sum()), "hours": round(float(twice), 4)}


def _research_of_reps(
    company: SimulatedCompany,
    keys: Keys,
    events: pa.Table,
    defects: Mapping[str, Defect],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return entries of reps that prepare something, each with an account of the rep's first team:
    ``row``, ``day``, ``minutes``, ``account``; no account twice, and no entry that is soiled.
    """
    names = ["Id", "Subject", "StartDateTime", "DurationInMinutes", "OwnerId", "WhatId"]
    table = events.select(names).to_pandas()
    soiled = {i for d in defects.values() if d.file == "Event" for i in d.ids}
    number = {name: n for n, name in enumerate(keys.user.to_pylist()[: len(keys.home)])}
    fits = (
        table["Subject"].str.contains(PREPARES, na=False)
        & table["WhatId"].isna()
        & ~table["Id"].isin(soiled)
        & ~table.duplicated(["OwnerId", "StartDateTime"], keep=False)
        & table["OwnerId"].isin(number)
    )
    mine = table[fits].assign(row=np.flatnonzero(fits))
    mine = mine.iloc[rng.permutation(len(mine))]
    mine["team"] = keys.home[mine["OwnerId"].map(number).to_numpy()]
    per_team = company.accounts_per_team
    mine = mine[mine.groupby("team").cumcount() < int(3 * PART * per_team)]
    account = mine["team"] * per_team + mine.groupby("team").cumcount()
    named: pd.DataFrame = mine.assign(
        account=account,
        day=mine["StartDateTime"].str[:10],
        minutes=mine["DurationInMinutes"].astype(float),
    ).reset_index(drop=True)
    return named
