"""Whether a meeting took place, by what its subject or its outcome says."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import duckdb

SQL = read_statements(__name__)
_MARK = r"[-\x{2013}\x{2014}:|*~]"


def define_held_meetings(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the SQL macros ``is_cancelled(subject)``, ``is_not_held(outcome)`` and
    ``is_unknown_outcome(outcome)``.

    A subject is cancelled by its first word before a colon, in brackets, behind a dash or as its
    last word.  An outcome in a word of the company's own is unknown: neither held nor not.
    """
    file = resources.files("analysis.cleaning").joinpath("held_meetings.toml")
    words = {name: "|".join(w) for name, w in tomllib.loads(file.read_text("utf-8")).items()}
    both = f"{words['called_off']}|{words['turned_down']}"
    cancelled = "|".join(
        [
            r"^cancell?ed\b",
            rf"^\W*(?:{both})\s*[:\x{{FF1A}}]",
            rf"[(\[<]\s*(?:{both})\s*[)\]>]",
            rf"{_MARK}\s*(?:{both})\W*$",
            rf"\s(?:{words['called_off']})\W*$",
        ]
    )
    taken_back = rf"\b(?:not|nicht|niet|non?|não|pas|inte|ikke)\s+(?:{words['called_off']})\W*$"
    patterns = {
        "cancelled": cancelled,
        "taken_back": taken_back,
        "not_held": words["not_held"],
        "took_place": words["took_place"],
    }
    connection.execute("set variable held_meetings = $patterns", {"patterns": patterns})
    connection.execute(SQL["macros"])
