"""The database that cleaning runs on, embedded, and the few words of SQL every table shares.

Values reach SQL as variables, names through the schema; nothing a CRM says is ever part of a
statement.  Memory is bounded and spills to a temporary folder.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

MEMORY_LIMIT = "4GB"

# The suffix of an 18-character Salesforce id: five characters a letter, a bit set for each capital.
MACROS = """
create macro id_letter(x, o) as substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1
  + (substr(x, o, 1) between 'A' and 'Z')::int + 2 * (substr(x, o + 1, 1) between 'A' and 'Z')::int
  + 4 * (substr(x, o + 2, 1) between 'A' and 'Z')::int + 8 * (substr(x, o + 3, 1) between 'A' and 'Z')::int
  + 16 * (substr(x, o + 4, 1) between 'A' and 'Z')::int, 1);
create macro id_18(x) as substr(x, 1, 15) || id_letter(x, 1) || id_letter(x, 6) || id_letter(x, 11);
create macro fiscal_quarter(d) as
  year(d + to_months(getvariable('fiscal_shift'))) || 'Q' || quarter(d + to_months(getvariable('fiscal_shift')));
create macro name_key(x) as regexp_replace(lower(strip_accents(x)), '[^\\p{L}\\p{N}]', '', 'g');
create macro without_email(x) as case when contains(x, '@')
  then regexp_replace(x, '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+', '[e-mail]', 'g') else x end;
"""


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory for one dataset; closed and cleared away at the end."""
    with tempfile.TemporaryDirectory(prefix="alignment-roi-") as spill:
        connection = duckdb.connect(config={"temp_directory": spill, "memory_limit": MEMORY_LIMIT})
        try:
            connection.execute("set timezone = 'UTC'")
            connection.execute(MACROS)
            yield connection
        finally:
            connection.close()


def set_variable(connection: duckdb.DuckDBPyConnection, name: str, value: str | float | dt.date | None) -> None:
    """Make `value` readable in SQL as ``getvariable('<name>')``."""
    connection.execute(f"set variable {identifier(name)} = $value", {"value": value})


def identifier(name: str) -> str:
    """Return `name` quoted as a name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` quoted as a text constant (for settings; CRM text never comes here)."""
    return "'" + text.replace("'", "''") + "'"
