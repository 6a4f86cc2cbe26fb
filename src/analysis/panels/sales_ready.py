"""Each version of what makes a lead sales-ready, replayed on every lead.

A version may ask for what was known within `SIGNAL_DAYS` after the lead came (`SIGNALS`).  What it
cannot decide stays missing: the lead is neither ready nor not.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import duckdb

from analysis.project.errors import OwnMapError
from analysis.sources.database import insert_rows, set_variable
from analysis.sources.own_definitions import OWN_FILE, Definition

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNAL_DAYS = 30
SIGNALS = ("created_on", "lead_source", "segment", "team_id", "n_responses", "n_campaigns",
           "campaign_type", "is_mql")  # fmt: skip
OF_SALES = ("rep", "manager")  # roles whose approval counts for sales


def make_sales_ready(
    connection: duckdb.DuckDBPyConnection, definitions: Sequence[Definition]
) -> None:
    """Make the panel ``sales_ready_leads``; needs ``lead_dates`` and the clean tables.

    Raises
    ------
    OwnMapError
        If an expression asks for what no lead has, or is neither true nor false.
    """
    connection.execute(
        "create or replace table sales_ready_leads (definition varchar, metric varchar, "
        "side varchar, valid_from date, approval varchar, lead_id varchar, "
        "is_sales_ready boolean, is_in_force boolean)"
    )
    if not definitions:
        return
    set_variable(connection, "signal_days", SIGNAL_DAYS)
    connection.execute(
        resources.files("analysis.panels").joinpath("sales_ready.sql").read_text(encoding="utf-8")
    )
    approvals = {d.name: _approval(connection, d) for d in definitions}
    agreed = [d for d in definitions if approvals[d.name] == "sales" and d.side == "both"]
    _name_versions_in_force(connection, agreed)
    for definition in definitions:
        _require_condition(connection, definition)
        try:
            connection.execute(
                f"""
                insert into sales_ready_leads
                select $name, $metric, $side, $valid_from, $approval, r.lead_id, r.is_ready,
                  coalesce(f.definition = $name, false)
                from (select lead_id, created_on, {definition.when} as is_ready from lead_signals) r
                left join versions_in_force f on f.metric = $metric
                  and r.created_on >= f.from_day and r.created_on < f.until_day""",
                {
                    "name": definition.name,
                    "metric": definition.metric,
                    "side": definition.side,
                    "valid_from": definition.valid_from,
                    "approval": approvals[definition.name],
                },
            )
        except duckdb.Error as error:
            raise _refusal(definition, str(error)) from None


def _approval(connection: duckdb.DuckDBPyConnection, definition: Definition) -> str:
    """Return who approved a version: sales, nobody, not of sales, or unknown."""
    if not definition.approved_by:
        return "nobody"
    row = connection.execute(
        "select max(role) from reps where rep_id = $approver", {"approver": definition.approved_by}
    ).fetchone()
    role = row[0] if row else None
    if role is None:
        return "unknown"
    return "sales" if role in OF_SALES else "not of sales"


def _name_versions_in_force(
    connection: duckdb.DuckDBPyConnection, agreed: Sequence[Definition]
) -> None:
    """Make ``versions_in_force``: from which day to which each agreed version of a metric held."""
    connection.execute(
        "create or replace temp table versions_in_force "
        "(definition varchar, metric varchar, from_day date, until_day date)"
    )
    insert_rows(
        connection,
        "versions_in_force",
        [(d.name, d.metric, d.valid_from, d.valid_from) for d in agreed],
    )
    connection.execute(
        """
        create or replace temp table versions_in_force as
        select definition, metric, from_day, lead(from_day, 1, date '2200-01-01')
            over (partition by metric order by from_day, definition) as until_day
        from versions_in_force"""
    )


def _require_condition(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    """Refuse an expression that is neither true nor false, or asks for what leads do not have."""
    try:
        kind = connection.execute(
            f"describe select {definition.when} as is_ready from lead_signals"
        ).fetchall()[0][1]
        connection.execute(
            f"select lead_id, {definition.when} as is_ready from lead_signals limit 0"
        )
    except duckdb.Error as error:
        raise _refusal(definition, str(error)) from None
    if kind != "BOOLEAN":
        raise _refusal(definition, f"it is a {kind.lower()}, neither true nor false")


def _refusal(definition: Definition, why: str) -> OwnMapError:
    return OwnMapError(
        f"{OWN_FILE}: definition {definition.name}: when cannot be replayed: "
        f"{why.partition(chr(10))[0]}. It may ask for {', '.join(SIGNALS)}."
    )
