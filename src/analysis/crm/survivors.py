"""Records that became one: by a merge in the CRM, by one name, or by an analyst's decision.

Merges are followed to the last survivor, and what hangs on a record hangs on its survivor from then
on, with its money and hours.  Where merges lead back to themselves, or one record into two, nothing
is moved: the rules set those rows aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.crm import merges, names
from analysis.crm.engine import identifier, insert_rows, literal
from analysis.schema import TABLES

if TYPE_CHECKING:
    import duckdb

MERGEABLE = {
    "accounts": "account_id",
    "products": "product_id",
    "opportunities": "opportunity_id",
    "leads": "lead_id",
}
NAMED = ("accounts", "products")
CHILDREN = {"account_id": "accounts", "parent_id": "accounts", "product_id": "products"} | {
    "opportunity_id": "opportunities",
    "lead_id": "leads",
}


def _stated(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> list[tuple[str, str]]:
    """Return the merges that the CRM states: who went into whom."""
    listed = (
        f"""
        union select {key}, master_record_id from {identifier("parsed_" + table)}
        where {key} is not null and master_record_id is not null
        union select trim(unnest(string_split(merged_record_ids, ';'))), {key} from {identifier("parsed_" + table)}
        where {key} is not null and merged_record_ids is not null"""
        if table != "products"
        else ""
    )
    found = connection.execute(
        f"select record_id, survivor_id from record_merges where table_name = ? {listed}", [table]
    ).fetchall()
    return [(loser, survivor) for loser, survivor in found if loser and survivor]


def _survivors(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> list[tuple[str, str, str | None, str]]:
    stated = _stated(connection, table, key)
    by_name = names.pairs(connection, table, key, {loser for loser, _ in stated}) if table in NAMED else []
    if not stated and not by_name:
        return []
    fates = merges.resolve([*stated, *((loser, survivor) for loser, survivor, _ in by_name)])
    why = {loser: rule for loser, _, rule in by_name}
    standing = {
        i
        for (i,) in connection.execute(
            f"select distinct {key} from {identifier('parsed_' + table)} where {key} is not null"
        ).fetchall()
    }
    rows: list[tuple[str, str, str | None, str]] = []
    for record, fate in sorted(fates.items()):
        if fate.survivor is not None and fate.survivor not in standing:
            rows.append((table, record, None, "survivor_absent"))
        else:
            rows.append((table, record, fate.survivor, why.get(record, fate.rule) if fate.survivor else fate.rule))
    return rows


def define(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table ``survivors``: of a record merged, its survivor and the rule that says so."""
    connection.execute(
        "create or replace temp table survivors (table_name varchar, record_id varchar, survivor_id varchar, rule varchar)"
    )


def settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``survivors`` from the typed tables and decisions, and hang the typed rows on the survivors.

    A record's own history (of stages, of statuses) and splits stay its own and go with it.
    """
    define(connection)
    rows = [row for table, key in MERGEABLE.items() for row in _survivors(connection, table, key)]
    if not rows:
        return
    insert_rows(connection, "survivors", rows)
    moved = {table for table, _, survivor, _ in rows if survivor is not None}
    for name, table in TABLES.items():
        for column in table.columns:
            parent = CHILDREN.get(column.name)
            if parent not in moved or column.name in table.key:
                continue
            mark = ", rekeyed_by = concat_ws(' ', rekeyed_by, s.rule)" if name == "opportunities" else ""
            connection.execute(
                f"""update {identifier("parsed_" + name)} as child set {identifier(column.name)} = s.survivor_id{mark}
                from survivors s where s.table_name = {literal(str(parent))} and s.survivor_id is not null
                  and s.record_id = child.{identifier(column.name)}"""
            )
