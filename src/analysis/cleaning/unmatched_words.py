"""Words of the subjects that match no class of activity, for the analyst's eyes on a terminal.

A subject may name a client or a colleague, so none is stored, logged or shown.  A single word is
shown only where at least five reps use it and it is no name that any export holds; nothing of this
is kept once the database is closed.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.sources.intake import Export

SQL = read_statements(__name__)
FEWEST_REPS = 5  # that must use a word before it is shown
MOST_WORDS = 20
SHORTEST = 3  # letters
# Tables whose records are people or companies: of their exports, any column that may hold a name.
OF_PEOPLE = {"reps", "leads", "accounts", "attendees"}
OWNERS = r"owner|user|account|company|contact|person|assigned|attendee|organi[sz]er|e-?mail"
OWNER_COLUMN = re.compile(OWNERS, re.IGNORECASE)
NAME_COLUMN = re.compile(
    rf"{OWNERS}|name|nombre|nom\b|firma|empresa|azienda|bedrijf", re.IGNORECASE
)
_LETTERS = r"[^\pL]+"


class UnmatchedWord(NamedTuple):
    """A word of unmatched subjects: how many reps use it, in how many entries."""

    word: str
    n_reps: int
    n_entries: int


def collect_names(
    connection: duckdb.DuckDBPyConnection, exports: Sequence[Export], refused: Sequence[Path]
) -> None:
    """Make ``name_words``, every word of a column that may hold a name, of any export or any CSV
    file (`refused`) that fills no table.

    Needs the text tables of the exports, before they are dropped.
    """
    connection.execute("create or replace temp table name_words (word varchar)")
    for export in exports:
        if not export.tables:  # known, and its text not loaded: among `refused`
            continue
        columns = {f"c{i}": head for i, head in enumerate(export.header)}
        of_people = bool(OF_PEOPLE.intersection(export.tables))
        _add_names(
            connection, export.text_table, columns, NAME_COLUMN if of_people else OWNER_COLUMN
        )
    for file in refused:  # a list of contacts is no table of ours, and its names are names
        if file.suffix.lower() != ".csv":
            continue
        with contextlib.suppress(duckdb.Error):
            connection.execute(
                "create or replace temp table refused_text as "
                "from read_csv(?, all_varchar = true, ignore_errors = true)",
                [re.sub(r"([*?[])", r"[\1]", str(file))],  # a name, never a pattern
            )
            heads = [name for name, *_ in connection.execute("describe refused_text").fetchall()]
            columns = dict(zip(heads, heads, strict=True))
            _add_names(connection, "refused_text", columns, NAME_COLUMN)
            connection.execute("drop table refused_text")


def _add_names(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    naming: re.Pattern[str],
) -> None:
    """Add the words of the columns whose head is `naming`; `columns` holds heads by column."""
    for column, head in columns.items():
        if naming.search(head):
            connection.execute(
                SQL["name_words"], {"name": column, "letters": _LETTERS, "table": table}
            )


def unmatched_words(connection: duckdb.DuckDBPyConnection) -> tuple[UnmatchedWord, ...]:
    """Return the words of subjects that match no class, most reps first.

    Of clean entries with a length; a word that at least five reps use, that is no name and has
    three letters.  Needs ``activities``, ``parsed_activities`` and ``name_words``.
    """
    rows = connection.execute(
        SQL["unmatched_words"],
        {
            "letters": _LETTERS,
            "shortest": SHORTEST,
            "fewest": FEWEST_REPS,
            "most": MOST_WORDS,
        },
    ).fetchall()
    return tuple(UnmatchedWord(*row) for row in rows)


def words_lines(words: Sequence[UnmatchedWord]) -> list[str]:
    """Return what a terminal shows of them; nothing where there are none."""
    if not words:
        return []
    listed = ", ".join(f"{w.word} ({w.n_reps} reps)" for w in words)
    says = (
        f"Words of entries that match no class of activity, used by {FEWEST_REPS} reps or more: "
        f"{listed}. Add patterns for them to activity_classes in alignment.toml. "
        "Shown here only, kept nowhere."
    )
    return [says]
