"""Reps where there is no export of users: those who own deals, or are paid, measured or in a team.

An export of deals alone answers what deals can answer.  What only a users' export says (title,
first day, time zone, who has left) stays missing, and the gate says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analysis.sources import intake

SQL = read_statements(__name__)


def people_of_rows(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, n_in: Mapping[str, int]
) -> tuple[intake.Intake, dict[str, int]]:
    """Fill ``parsed_reps`` with the people whom other tables name, where no file fills it.

    A refused file may be the users' export, so then nothing is filled.  Return the intake with a
    note on each file, and the rows in.
    """
    if n_in["reps"] or not (n_in["opportunities"] or n_in["leads"]) or intake.refusals:
        return intake, dict(n_in)
    connection.execute(SQL["of_deals"])
    if not n_in["opportunities"]:
        connection.execute(SQL["of_leads"])
    connection.execute(SQL["reps"])
    counts = dict(
        connection.execute(
            "select source_file, count(*) from parsed_reps group by source_file"
        ).fetchall()
    )
    exports = [
        export._replace(
            warnings=(
                *export.warnings,
                (
                    f"no export of users: {counts[export.file]:,} people whom its rows name stand "
                    "for the reps"
                ),
            )
        )
        if export.file in counts
        else export
        for export in intake.exports
    ]
    return intake._replace(exports=exports), dict(n_in) | {"reps": sum(counts.values())}
