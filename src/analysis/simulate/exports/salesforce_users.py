"""Whom and what the CRM knows: users and their teams, accounts, products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports import words
from analysis.simulate.exports.salesforce_deals import N_MARKETERS, team_zones
from analysis.simulate.world.calendar import REGIONS
from analysis.simulate.world.people import NEVER, SEGMENTS

if TYPE_CHECKING:
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.company_parameters import SimulatedCompany

ROBOT = 3  # the place of the integration user among the titles
PARENT_RATE = 0.03  # accounts with a parent


def user_files(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys
) -> dict[str, pa.Table]:
    """Return User and UserRole."""
    window, people = tables.draws.window, tables.draws.people
    n_reps, n_teams = len(people.rep_seat), company.n_teams
    n = len(keys.user)
    others = n - n_reps
    rng = np.random.default_rng([company.seed, 7])
    code = rng.permutation(len(words.FIRST) * len(words.LAST))[
        np.arange(n) % (len(words.FIRST) * len(words.LAST))
    ]
    first, last = code % len(words.FIRST), code // len(words.FIRST)
    names = [
        f"{words.FIRST[f]} {words.LAST[s]}"
        for f, s in zip(first.tolist(), last.tolist(), strict=True)
    ]
    names[-1] = "Integration User"
    titles = np.repeat([0, 1, 2, ROBOT], [n_reps, n_teams, N_MARKETERS, 1])
    current = keys.home.copy()
    current[people.rep.ravel()] = people.team.ravel()  # the latest week wins
    role = np.concatenate([current, np.arange(n_teams), np.full(N_MARKETERS, n_teams), [-1]])
    start = np.concatenate([people.rep_start, np.full(others, -1200)])
    end = np.concatenate([people.rep_end, np.full(others, NEVER)])
    user = pa.table(
        {
            "Id": keys.user,
            "Name": pa.array(names),
            "Email": pa.array(
                [
                    f"{name.lower().replace(' ', '.')}.{i}@northwind.example"
                    for i, name in enumerate(names)
                ]
            ),
            "Title": sf.pick_words(
                ["Account Executive", "Sales Manager", "Marketing Manager", None], titles
            ),
            "UserRoleId": sf.pick_words(keys.team, role),
            "IsActive": sf.flag_texts(end == NEVER),
            "ManagerId": sf.pick_words(
                keys.user, np.concatenate([n_reps + current, np.full(others, -1)])
            ),
            "TimeZoneSidKey": pa.array(
                [*keys.zone, *team_zones(people), *["America/New_York"] * (N_MARKETERS + 1)]
            ),
            "UserType": sf.pick_words(
                ["Standard", "AutomatedProcess"], (titles == ROBOT).astype(np.int64)
            ),
            "CreatedDate": sf.utc_stamps(window.start, start * 86_400 + 36_000),
            "StartDate__c": sf.day_texts(window.start, start),
            "EndDate__c": sf.day_texts(window.start, end - 3, is_known=end != NEVER),
            "FTE__c": pa.array(np.concatenate([people.fte, np.ones(others)])),
        }
    )
    blank = [None]
    role_table = pa.table(
        {
            "Id": keys.team,
            "Name": pa.array([*people.team_names, "Marketing"]),
            "ParentRoleId": sf.constant_column(None, n_teams + 1),
            "Region__c": pa.array([REGIONS[r] for r in people.team_region.tolist()] + blank),
            "Segment__c": pa.array([SEGMENTS[s] for s in people.team_segment.tolist()] + blank),
        }
    )
    return {"User": user, "UserRole": role_table}


def account_files(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys
) -> dict[str, pa.Table]:
    """Return Account and Product2; a few account names are hostile, a few only look like tests."""
    rng = np.random.default_rng([company.seed, 8])
    n = len(keys.account)
    stem, field = rng.integers(0, len(words.STEMS), n), rng.integers(0, len(words.FIELDS), n)
    names = [
        f"{words.STEMS[s]} {words.FIELDS[f]} {i}"
        for i, (s, f) in enumerate(zip(stem.tolist(), field.tolist(), strict=True))
    ]
    special = [*words.HOSTILE, *words.INNOCENT]
    for place, name in zip(
        np.linspace(2, n - 1, len(special)).astype(int).tolist(), special, strict=True
    ):
        names[place] = name
    region = tables.draws.people.team_region[np.arange(n) // company.accounts_per_team]
    parent = np.where(
        rng.random(n) < PARENT_RATE,
        np.arange(n) // company.accounts_per_team * company.accounts_per_team,
        -1,
    )
    country = region * 4 + rng.integers(0, 4, n)
    account = pa.table(
        {
            "Id": keys.account,
            "Name": pa.array(names),
            "Industry": sf.pick_words(words.INDUSTRIES, rng.integers(0, len(words.INDUSTRIES), n)),
            "BillingCountry": sf.pick_words(
                [c for name in REGIONS for c in words.COUNTRIES[name]], country
            ),
            "NumberOfEmployees": pa.array(
                np.rint(np.exp(5 + 1.4 * rng.standard_normal(n))).astype(np.int64) + 1
            ),
            "ParentId": sf.pick_words(keys.account, np.where(parent == np.arange(n), -1, parent)),
            "MasterRecordId": sf.constant_column(None, n),
            "IsDeleted": sf.constant_column("false", n),
        }
    )
    n_products = len(words.PRODUCTS)
    product = pa.table(
        {
            "Id": keys.product,
            "Name": pa.array(words.PRODUCTS),
            "ProductCode": pa.array([f"NW-{100 + i}" for i in range(n_products)]),
            "Family": pa.array(
                [("Platform", "Services")[i > n_products - 3] for i in range(n_products)]
            ),
            "IsActive": sf.constant_column("true", n_products),
        }
    )
    return {"Account": account, "Product2": product}
