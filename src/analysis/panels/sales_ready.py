"""Each version of what makes a lead sales-ready, replayed on every lead.

A version may ask for what was known within `SIGNAL_DAYS` after the lead came (`SIGNALS`).  What it
cannot decide stays missing: the lead is neither ready nor not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from analysis.project.errors import OwnMapError
from analysis.sources.composed_sql import create_view, named_columns, query_text
from analysis.sources.database import insert_rows, set_variable
from analysis.sources.own_definitions import OWN_FILE, Definition
from analysis.sources.own_maps import first_line
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Sequence

SQL = read_statements(__name__)
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
    connection.execute(SQL["sales_ready_leads"])
    if not definitions:
        return
    set_variable(connection, "signal_days", SIGNAL_DAYS)
    connection.execute(SQL["lead_signals"])
    approvals = {d.name: _approval(connection, d) for d in definitions}
    agreed = [d for d in definitions if approvals[d.name] == "sales" and d.side == "both"]
    _name_versions_in_force(connection, agreed)
    for definition in definitions:
        _require_condition(connection, definition)
        try:
            judged = ["lead_id", "created_on", *named_columns({"is_ready": definition.when})]
            create_view(connection, "judged_leads", query_text(judged, "lead_signals"))
            connection.execute(
                SQL["ready_leads"],
                {
                    "name": definition.name,
                    "metric": definition.metric,
                    "side": definition.side,
                    "valid_from": definition.valid_from,
                    "approval": approvals[definition.name],
                },
            )
        except duckdb.Error as error:
            raise _refusal(definition, first_line(error, definition.when)) from None


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
    connection.execute(SQL["versions"])
    insert_rows(
        connection,
        "versions_in_force",
        [(d.name, d.metric, d.valid_from, d.valid_from) for d in agreed],
    )
    connection.execute(SQL["versions_in_force"])


def _require_condition(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    """Refuse an expression that is neither true nor false, or asks for what leads do not have."""
    try:
        judged = ["lead_id", *named_columns({"is_ready": definition.when})]
        query = query_text(judged, "lead_signals") + " limit 0"
        kind = connection.execute("describe " + query).fetchall()[1][1]
        connection.execute(query)
    except duckdb.Error as error:
        raise _refusal(definition, first_line(error, definition.when)) from None
    if kind != "BOOLEAN":
        raise _refusal(definition, f"it is a {kind.lower()}, neither true nor false")


def _refusal(definition: Definition, why: str) -> OwnMapError:
    return OwnMapError(
        f"{OWN_FILE}: definition {definition.name}: when cannot be replayed: "
        f"{why}. It may ask for {', '.join(SIGNALS)}."
    )
