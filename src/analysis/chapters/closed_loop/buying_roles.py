"""Who at target accounts has which part in buying, and whether anybody in it was met.

A role counts only where the CRM notes one: an account without any says nothing about who was met.
Roles that few people hold are not shown apart, for they would tell of one person.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.stats.intervals import share_interval
from analysis.stats.suppression import MARK_COLUMN, few_hidden

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

COLUMNS = ["role", "n_people", "n_accounts", "n_met", "share", "low", "high", "per_account"]


class RolesMet(NamedTuple):
    """`rows` has a row a role; `n_known` target accounts of `n_targets` have a role on record;
    `n_unnamed` people met there have none, missing where nobody says who was met.
    """

    rows: pd.DataFrame
    n_known: int
    n_targets: int
    n_unnamed: float


def roles_met(
    roles: pd.DataFrame, met: pd.DataFrame, targets: Collection[str], *, smallest: int
) -> RolesMet:
    """Return which roles were met at target accounts that have any role on record.

    Parameters
    ----------
    roles : ``contact_roles``: ``account_id``, ``person_key``, ``roles`` (several joined by ;)
    met : people met: ``account_id``, ``person_key``; without rows nobody says who was met
    smallest : fewer people of a role are not shown

    ``n_people`` on record, ``n_accounts`` with one, ``n_met`` of these where one was met, their
    ``share`` [0-1] with its 95% interval, and people of the role met ``per_account`` with one;
    missing where nobody says who was met, or small.
    """
    wanted = set(targets)
    mine = roles[roles["account_id"].isin(wanted)].dropna(subset=["roles"])
    parts = mine.assign(role=mine["roles"].str.split("; ")).explode("role")
    parts = parts.drop_duplicates(["account_id", "person_key", "role"])
    n_known = int(mine["account_id"].nunique())
    seen_there = met[met["account_id"].isin(wanted)][["account_id", "person_key"]]
    seen_there = seen_there.drop_duplicates()
    both = seen_there.merge(parts[["account_id", "person_key", "role"]])
    n_unnamed = len(seen_there) - len(both.drop_duplicates(["account_id", "person_key"]))
    by = parts.groupby("role")
    table = by.agg(n_people=("person_key", "nunique"), n_accounts=("account_id", "nunique"))
    counts = both.groupby("role").agg(
        n_met=("account_id", "nunique"), n_people_met=("person_key", "size")
    )
    table = table.join(counts).fillna({"n_met": 0, "n_people_met": 0})
    ends = [
        share_interval(int(hits), int(n))
        for hits, n in zip(table["n_met"], table["n_accounts"], strict=True)
    ]
    table = table.assign(
        share=table["n_met"] / table["n_accounts"],
        low=[end[0] for end in ends],
        high=[end[1] for end in ends],
        per_account=table["n_people_met"] / table["n_accounts"],
    )
    if met.empty:
        table[COLUMNS[3:]] = np.nan
    table = table.reset_index().sort_values(["n_people", "role"], ascending=[False, True])
    shown_rows = few_hidden(table, smallest=smallest, keep=["role"], n="n_people")
    return RolesMet(
        shown_rows[[*COLUMNS, MARK_COLUMN]].reset_index(drop=True), n_known, len(wanted),
        math.nan if met.empty else n_unnamed,
    )  # fmt: skip


def roles_gap(roles: RolesMet, *, has_roles: bool) -> str:
    """Say why it cannot be told which roles were met; "" where it can, or where no list is in
    force.
    """
    if roles.n_targets and not has_roles:
        return (
            "We cannot tell which roles were met at target accounts: no export notes the part a "
            "contact has in buying. Export OpportunityContactRole, or fill in contact_roles.csv."
        )
    if roles.n_targets and not roles.n_known:
        return "We cannot tell which roles were met: no target account has a role on record."
    return ""
