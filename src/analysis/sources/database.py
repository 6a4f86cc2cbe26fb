"""The database that cleaning runs on, embedded, and the few words of SQL every table shares.

Values reach SQL as variables, names through the schema; nothing a CRM says is ever part of a
statement.  Memory is bounded and spills to a temporary folder.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from analysis.project.scratch_folder import scratch_folder
from analysis.sources.cells import dates, month_names, numbers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MEMORY_LIMIT = "4GB"
SMALL = (
    64 * 2**20
)  # [bytes] of exports: one thread reads them with two thirds of the CPU that several take, as soon

# A list of words that a cell is compared with would become a join: eleven of them in one statement
# take four times as long on a few rows, and as long on many.
UNUSED_OPTIMIZERS = ("in_clause",)
# Of a few rows planning takes all the time: below this many bytes these cost more than they save.
FEW = 2**20
UNUSED_OF_FEW = (
    "common_subplan",
    "statistics_propagation",
    "common_subexpressions",
    "regex_range",
    "sampling_pushdown",
    "build_side_probe_side",
    "reorder_filter",
    "join_filter_pushdown",
    "duplicate_groups",
)

# Blanks that `trim` alone leaves: tabs and line ends, no-break and thin blanks, marks of no width.
BLANKS = (
    "' "
    "\t\r\n\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff'"
)
# the same as a pattern: most cells have none, and are left alone
SPACE = r"[\s\p{Z}\v\x{200B}-\x{200D}\x{2060}\x{FEFF}]"
# A letter of any script as a pattern.  Some signs pass for one; \p{L}, which knows them all, takes
# ten times as long to compile, in each column of each file.
LETTER = r"[A-Za-z\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1FFF}\x{2C00}-\x{2DFF}\x{3005}-\x{10FFFF}]"
# An address in any script, also in an internationalised domain or with its sign in disguise.
_BESIDE = r"\s@\x{FF20}<>()\[\]{},;:|"
_DOTS = r".\x{3002}\x{FF0E}\x{FF61}"
DOMAIN = f"[^{_BESIDE}{_DOTS}]+(?:[{_DOTS}][^{_BESIDE}{_DOTS}]+)+"
ADDRESS = rf"[^{_BESIDE}]+(?:@|\x{{FF20}}|%40){DOMAIN}"
# What a CRM puts behind the name of a user who left.
LEFT = (
    "inactive(?: user)?|deactivated(?: user)?|deleted(?: "
    "user)?|disabled|former|archived|removed|inaktiv|deaktiviert|ausgeschieden|inactif|d[eé]sactiv[eé]e?|inactiv[oa]|desactivad[oa]|inattiv[oa]|inativ[oa]|desativad[oa]|inactief"
)
TITLES = (
    "jr|sr|ii|iii|iv|ph[.]?d|m[.]?d|mba|esq|cpa|dr"  # stand behind a comma and are no first name
)

# The suffix of an 18-character Salesforce id says which of the 15 before are capitals: five
# characters a letter, the first of them the lowest bit.  In a letter's or digit's code the sixth
# bit is clear for capitals only; those of five bytes lie 8 bits apart, and the remainder by 127
# puts them side by side.
MACROS = f"""
create macro id_letter(x, o) as substr('5PXH1LTD3NVFZJRB4OWG0KSC2MUEYIQA', 1
  + ((('0x' || hex(substr(x, o, 5)))::bigint >> 5) & 4311810305) % 127, 1);
create macro id_suffix(x) as id_letter(x, 1) || id_letter(x, 6) || id_letter(x, 11);
create macro id_18(x) as substr(x, 1, 15) || id_suffix(x);
create macro id_respelled(x) as list_aggregate(list_transform(range(15), lambda i: case
  when (strpos('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', upper(x)[16 + i // 5]) - 1) & (1 << (i % 5)::int) > 0
  then upper(x[i + 1]) else lower(x[i + 1]) end), 'string_agg', '');
create macro salesforce_id(x) as case
  when regexp_full_match(x, '[A-Za-z0-9]{{15}}([A-Z0-5]{{3}})?|[a-z0-9]{{15}}[a-z0-5]{{3}}') then list_filter(list_transform(
    [case when regexp_full_match(x, '[A-Z0-9]{{18}}|[a-z0-9]{{18}}') then id_respelled(x) else substr(x, 1, 15) end],
    lambda r: id_18(r)), lambda i: starts_with(substr(i, 16), upper(substr(x, 16))))[1] end;
create macro unguarded(x) as nullif(trim(replace(regexp_extract(x,
  '^=(?:T[(])?"((?:[^"]|"")*)"[)]?$', 1), '""', '"')), '');
create macro bare_text(x) as case when trim(x, {BLANKS})[1] = '='
  and regexp_full_match(trim(x, {BLANKS}), '="(?:[^"]|"")*"|=T[(]"(?:[^"]|"")*"[)]') then unguarded(trim(x, {BLANKS}))
  else nullif(trim(x, {BLANKS}), '') end;
create macro cell_text(x) as case when regexp_matches(x, '^{SPACE}|^=|{SPACE}$') then bare_text(x) else nullif(x, '') end;
create macro unquoted(x) as case when x[1] = '''' then nullif(trim(regexp_replace(x, '^''(.*?)''?$', '\\1')), '') else x end;
create macro plain_id(x) as case when regexp_full_match(x, '[0-9]{{1,15}}([.]0{{1,2}}|,0)')
  then regexp_extract(x, '^[0-9]+') else x end;
create macro turned(x) as case when regexp_matches(x, ', ?(?:{TITLES})[.]?$') then x
  else regexp_replace(x, '^([^,@]+), ?([^,@]+)$', '\\2 \\1') end;
create macro person_text(x) as trim(turned(trim(regexp_replace(regexp_replace(regexp_replace(
  lower(nfc_normalize(translate(x, '\u2019\u2018\u2010\u2011', '''''--'))), '[\\x{{200B}}-\\x{{200F}}\\x{{2060}}\\x{{FEFF}}\\x{{AD}}]', '', 'g'),
  '[\\s\\p{{Z}}]+', ' ', 'g'), ' ?[<(\\[](?:{LEFT}|mailto:|[^<>()]*@[^<>()]*)[>)\\]]', '', 'g'))));
create macro pseudonym(x) as
  'P' || upper(substr(sha256(getvariable('dataset_key') || nullif(person_text(x), '')), 1, 11));
create macro is_person(x) as regexp_matches(x, '@|{LETTER}.*[\\s\\p{{Z}}].*{LETTER}|{LETTER} ?, ?{LETTER}');
create macro name_key(x) as regexp_replace(lower(strip_accents(x)), '[^\\p{{L}}\\p{{N}}]', '', 'g');
create macro without_email(x) as case when contains(x, '@') or contains(x, '\uff20') or contains(x, '%40')
  then regexp_replace(x, '{ADDRESS}', '[e-mail]', 'g') else x end;
create macro person_key(x) as 'P' || upper(substr(sha256(getvariable('dataset_key') || x), 1, 15));
create macro is_placeholder(x) as coalesce(lower(trim(x)) in
  ('select', '-select-', '--select--', 'none', '-none-', '--none--', '-', '--', 'n/a', '#n/a', 'null', '(blank)', 'tbd', '?',
  '- none -', '-- none --', '- select -', '(none)', '(null)', '[null]', '<na>', 'nan', 'undefined', '(not set)', 'not set', '\\n'), false);
create macro hubspot_team(teams) as case when json_valid(teams) then list_transform([json_extract(teams, '$[*]')], lambda all_teams:
  list_transform([list_filter(all_teams, lambda t: json_extract_string(t, '$.primary') = 'true' or len(all_teams) = 1)],
    lambda first: case when len(first) = 1 then first[1] end)[1])[1] end;
create macro is_near(mine, other) as coalesce(mine.origin <> other.origin and (
  epoch(mine.from_at) - epoch(other.from_at) <= 300
  or least(epoch(mine.from_at) + mine.minutes * 60, epoch(other.from_at) + other.minutes * 60) - epoch(mine.from_at)
     >= 0.8 * 60 * least(mine.minutes, other.minutes)), false);
"""


@contextmanager
def open_session(
    n_bytes: int = 0, *, has_macros: bool = True
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory for one dataset of `n_bytes`.

    Closed and cleared away at the end.  Without macros it only copies, and is there at once.
    """
    with scratch_folder() as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(spill),
            "memory_limit": MEMORY_LIMIT,
        }
        unused: tuple[str, ...] = UNUSED_OPTIMIZERS
        if n_bytes <= SMALL:
            config["threads"] = 1
        if n_bytes <= FEW:
            unused += UNUSED_OF_FEW
        connection = duckdb.connect(config=config)
        try:
            connection.execute(  # a log is no place for a bar
                "set timezone = 'UTC'; set enable_progress_bar = false; "
                f"set disabled_optimizers = '{','.join(unused)}'"
            )
            if has_macros:
                connection.execute(MACROS)
                connection.execute(dates.MACROS + month_names.MACROS + numbers.MACROS)
            yield connection
        finally:
            connection.close()


def confine_session(connection: duckdb.DuckDBPyConnection, output: Path | None) -> None:
    """Let what follows reach no file but those of the folder `output`, and no setting.

    To be called when every export is read, before any SQL of a dataset's own is run.
    """
    folders = [] if output is None else [str(output)]
    listed = ", ".join(quote_literal(folder) for folder in folders)
    connection.execute(
        f"set allowed_directories = [{listed}]; set python_enable_replacements = false; "
        "set enable_external_access = false; set lock_configuration = true"
    )


def set_variable(
    connection: duckdb.DuckDBPyConnection, name: str, value: str | float | dt.date | None
) -> None:
    """Make `value` readable in SQL as ``getvariable('<name>')``."""
    connection.execute(f"set variable {quote_identifier(name)} = $value", {"value": value})


def set_map(
    connection: duckdb.DuckDBPyConnection, name: str, entries: Mapping[str, Sequence[str]]
) -> None:
    """Make lists of texts by a text readable in SQL as ``getvariable('<name>')[<text>]``."""
    connection.execute(
        f"set variable {quote_identifier(name)} = map($keys::varchar[], $values::varchar[][])",
        {"keys": list(entries), "values": [list(v) for v in entries.values()]},
    )


def insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]
) -> None:
    """Append `rows` to a table in one statement: a statement a row is what takes the time."""
    if rows:
        columns = ", ".join("unnest(?)" for _ in rows[0])
        connection.execute(
            f"insert into {quote_identifier(table)} select {columns}",
            [list(c) for c in zip(*rows, strict=True)],
        )


def has_row(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether a table has any row."""
    return (
        connection.execute(f"select 1 from {quote_identifier(table)} limit 1").fetchone()
        is not None
    )


def quote_identifier(name: str) -> str:
    """Return `name` quoted as a name of a table or column."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return `text` quoted as a text constant (for settings; CRM text never comes here)."""
    return "'" + text.replace("'", "''") + "'"
