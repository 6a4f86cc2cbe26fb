"""People where no users' export says who there is: those who own deals, or are paid, measured or in
a team.

An export of deals alone answers what deals can answer.  What only a users' export says (title,
first day, time zone, who has left) stays missing, and the gate says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analysis.sources import intake

_NAMED_IN = {
    "opportunities": "owner_rep_id",
    "rep_team_history": "rep_id",
    "quotas": "rep_id",
    "compensation": "rep_id",
}
_OF_LEADS = {"leads": "owner_rep_id"}  # where the exports hold leads alone


def people_of_rows(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, n_in: Mapping[str, int]
) -> tuple[intake.Intake, dict[str, int]]:
    """Fill ``parsed_reps`` with the people whom other tables name, where no file fills it.

    A refused file may be the users' export, so then nothing is filled.  Return the intake with a
    note on each file, and the rows in.
    """
    if n_in["reps"] or not (n_in["opportunities"] or n_in["leads"]) or intake.refusals:
        return intake, dict(n_in)
    named_in = _NAMED_IN if n_in["opportunities"] else _NAMED_IN | _OF_LEADS
    named = " union all ".join(
        f"select {column} as rep_id, source_file, source_row from parsed_{table}"
        for table, column in named_in.items()
    )
    connection.execute(
        f"""
        insert into parsed_reps by name
        select rep_id, source_file, source_row, hash(rep_id) as row_hash, [] as unreadable from ({named})
        where rep_id is not null
        qualify row_number() over (partition by rep_id order by source_file, source_row) = 1"""
    )
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
