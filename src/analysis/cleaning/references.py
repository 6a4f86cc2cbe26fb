"""Records that one export names by name and another by id.

Brought together by the parent's table.

A name or e-mail address is looked up only where it is one record's; of two with one name it cannot
be told whose a row is, so it stays unknown and is counted.  People are compared by pseudonym: no
table holds what anyone is called.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from analysis.sources.database import quote_identifier, replace_values
from analysis.sources.field_maps import names_person
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import duckdb

    from analysis.sources import intake

SQL = read_statements(__name__)


class Parent(NamedTuple):
    """A table that others refer to, and its key; the names of its records stand in SQL."""

    table: str
    key: str
    noun: str


PARENTS = (
    Parent("reps", "rep_id", "user"),
    Parent("teams", "team_id", "team"),
    Parent("accounts", "account_id", "account"),
    Parent("products", "product_id", "product"),
    Parent("campaigns", "campaign_id", "campaign"),
    Parent("opportunities", "opportunity_id", "opportunity"),
)


def _children(parent: Parent) -> list[tuple[str, str]]:
    """Return the columns that name records of `parent`: table and column."""
    children = []
    for name, table in TABLES.items():
        for column in table.columns:
            is_key = (name, column.name) == (parent.table, parent.key)
            names = (
                names_person(column.name) if parent.table == "reps" else column.name == parent.key
            )
            if parent.table == "accounts" and (name, column.name) == ("accounts", "parent_id"):
                names = True
            if names and not is_key:
                children.append((name, column.name))
    return children


def _names_strangers(
    connection: duckdb.DuckDBPyConnection, parent: Parent, children: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return those of the columns `children` that hold what is no record's id.

    One statement for all: most exports name every record by its id, and are done with here.
    """
    if not children:
        return []
    tests = [
        f"names_stranger('parsed_{table}', {quote_identifier(column)}, 'parsed_{parent.table}', {parent.key})"
        for table, column in children
    ]
    answers = connection.execute("select " + ", ".join(tests)).fetchone() or ()
    return [child for child, is_so in zip(children, answers, strict=True) if is_so]


def _settled(
    connection: duckdb.DuckDBPyConnection, parent: Parent, table: str, column: str
) -> list[tuple[str, str, bool]]:
    """Look one column's names up; return by file what to say of it, and whether it is a warning."""
    values = {
        "child": f"parsed_{table}",
        "name": column,
        "parent": f"parsed_{parent.table}",
        "key": parent.key,
        "is_person": parent.table == "reps",
    }
    rows = connection.execute(SQL["name_counts"], values).fetchall()
    if any(row[1] for row in rows):
        connection.execute(SQL["new_values"], values)
        replace_values(connection, f"parsed_{table}", column)
    return [sentence for row in rows for sentence in _reference_notes(parent, column, *row)]


def _reference_notes(
    parent: Parent,
    column: str,
    file: str,
    n_matched: int,
    n_ambiguous: int,
    n_unknown: int,
    n_names: int,
    n_of: int,
) -> list[tuple[str, str, bool]]:
    """Say of one file's column how many names found their record."""
    noun, sentences = parent.noun, []
    if n_matched:
        sentences.append(
            (
                file,
                (
                    f"{column}: {n_matched:,} of {n_of:,} rows name a {noun} otherwise than by "
                    f"its id; matched through {parent.table} ({n_names:,} names)"
                ),
                False,
            )
        )
    if n_ambiguous:
        sentences.append(
            (
                file,
                (
                    f"{column}: {n_ambiguous:,} of {n_of:,} rows name a {noun} whose name two of "
                    "them bear: whose they are is unknown; export the id beside the name"
                ),
                True,
            )
        )
    if parent.table == "reps" and n_unknown and (n_matched or n_unknown == n_of):
        sentences.append((file, _unmatched(column, n_unknown, n_of), True))
    return sentences


def _unmatched(column: str, n: int, n_of: int) -> str:
    return (
        f"{column}: {n:,} of {n_of:,} rows name their person by name or e-mail address, which is "
        "no user's of the users' export. Export the users with Name (or FirstName and LastName) "
        "and Email beside their id, or these rows with the owner's id"
    )


def settle_references(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, filled: Collection[str]
) -> intake.Intake:
    """Replace names by ids in the typed tables.

    Return the intake with what was matched, and what could not be, by file.

    `filled`: the tables that hold a row.
    """
    notes: dict[str, list[str]] = defaultdict(list)
    warnings: dict[str, list[str]] = defaultdict(list)
    connection.execute(SQL["macros"])
    for parent in PARENTS:
        if parent.table not in filled:
            continue
        children = _names_strangers(
            connection, parent, [child for child in _children(parent) if child[0] in filled]
        )
        if children:
            connection.execute(SQL[parent.table])
        for table, column in children:
            for file, sentence, is_warning in _settled(connection, parent, table, column):
                (warnings if is_warning else notes)[file].append(sentence)
    exports = [
        e._replace(notes=(*e.notes, *notes[e.file]), warnings=(*e.warnings, *warnings[e.file]))
        for e in intake.exports
    ]
    return intake._replace(exports=exports)
