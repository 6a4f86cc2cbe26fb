"""What the cells of a column say about how it is written: one look at each export before it is typed.

The first look counts, in one pass, which cells are as an API writes them.  Only columns that hold
anything else are looked at closer.  What is decided here is compiled into the SQL that types the
export, so each cell is judged by its column and none on its own.
"""

from __future__ import annotations

import zoneinfo
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from analysis.crm import dates, month_names, numbers, parse
from analysis.crm.engine import identifier, literal, set_map
from analysis.crm.mapping import require_known
from analysis.crm.reading import CONNECTOR_MARK, DECIMALS, LAST_DAYS, OF_CONNECTOR, ORDERS, Ambiguous, Hints, Reading
from analysis.crm.text_tables import Refusal
from analysis.schema import OwnMapError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analysis.crm import mapping, read

Key = tuple[str, str]  # a column of an export as columns are compared, and the way of reading it
Counts = dict[str, int]


def _first_look(connection: duckdb.DuckDBPyConnection, table: str, texts: Mapping[Key, str]) -> dict[Key, Counts]:
    """Count in one pass over a text table which cells of each column are as an API writes them."""
    if not texts:
        return {}
    names = {key: identifier(f"x{i}") for i, key in enumerate(texts)}
    asked = {
        (key, count): sql.replace("{x}", name)
        for key, name in names.items()
        for count, sql in ({"n": "count({x})"} | _first_counts(key[1])).items()
    }
    inner = ", ".join(f"{texts[key]} as {name}" for key, name in names.items())
    row = connection.execute(
        f"select {', '.join(asked.values())} from (select {inner} from {identifier(table)} t)"
    ).fetchone()
    found: dict[Key, Counts] = {key: {} for key in texts}
    for (key, count), value in zip(asked, row or (), strict=True):
        found[key][count] = value
    return found


def _second_look(connection: duckdb.DuckDBPyConnection, table: str, text: str, kind: str, plain: str | None) -> Counts:
    """Count the notations of those cells of a column that are written otherwise; `plain` is what is read of each."""
    if kind in dates.FAST:
        counts, fast = dates.second_counts(), dates.FAST[kind]
    else:
        counts, fast = numbers.second_counts(kind), numbers.NUMBER
    other = f"select {text} as x from {identifier(table)} t"
    other = f"select x from ({other}) where x is not null and not regexp_full_match(x, '{fast}')"
    if plain:
        other = f"select {plain} as x from ({other})"
    row = connection.execute(f"select {', '.join(counts.values())} from ({other})".replace("{x}", "x")).fetchone()
    return dict(zip(counts, row or (), strict=True))


def _plain(
    connection: duckdb.DuckDBPyConnection, table: str, text: str, key: Key, column: str, said: Hints
) -> tuple[str, str]:
    """Return the SQL that writes the dates of a column in plain signs, its words read by its language, and a note."""
    fast = dates.FAST[key[1]]
    found = month_names.spellings(connection, identifier(table), text, fast)
    templates, language = month_names.templates(found, column, said.language)
    plain, note = "date_plain({x})", ""
    if templates and language:
        name = f"words of {table} {key[0]} {key[1]}"
        set_map(connection, name, templates)
        plain = f"date_by({plain}, getvariable({literal(name)}))"
        is_said = ", as said" if said.language else ""
        note = f"; words of {month_names.language_name(language)}{is_said}" if language != "en" else ""
    return f"case when regexp_full_match({{x}}, '{fast}') then {{x}} else {plain} end", note


def _first_counts(kind: str) -> dict[str, str]:
    return dates.first_counts(kind) if kind in dates.FAST else numbers.first_counts(kind)


def _decide(kind: str, column: str, counts: Counts, hints: Hints) -> Reading:
    if kind in dates.FAST:
        return dates.decided(kind, column, counts, hints)
    return numbers.decided(kind, column, counts, hints)


def _columns(export: read.Export) -> dict[Key, tuple[mapping.Field, mapping.Export]]:
    """Return the columns of an export that are read by their cells, each way of reading once."""
    present = {name.strip().casefold() for name in export.header}
    return {
        (field.source.strip().casefold(), field.parser): (field, layout)
        for layout in export.layouts
        for field in layout.fields
        if field.source and field.source.strip().casefold() in present and field.parser in (*dates.FAST, *numbers.KINDS)
    }


def _missing(connection: duckdb.DuckDBPyConnection, export: read.Export) -> list[str]:
    """Return how many cells each column's tokens for missing emptied."""
    texts = {name.strip().casefold(): f"c{i}" for i, name in enumerate(export.header)}
    asked = {
        (field.source, token): texts[field.source.strip().casefold()]
        for layout in export.layouts
        for field in layout.fields
        for token in field.missing
        if field.source and field.source.strip().casefold() in texts
    }
    if not asked:
        return []
    counts = ", ".join(f"count(*) filter (where trim({c}) = {literal(token)})" for (_, token), c in asked.items())
    row = connection.execute(f"select {counts} from {identifier(export.text_table)}").fetchone() or ()
    return [
        f"{column}: {n:,} cells say {token} and are missing" for (column, token), n in zip(asked, row, strict=True) if n
    ]


def _studied(
    connection: duckdb.DuckDBPyConnection, export: read.Export, own: Mapping[str, Any]
) -> tuple[dict[Key, Reading], list[str]]:
    """Look at one export; `Ambiguous` if a column of it cannot be read."""
    fields = _columns(export)
    texts = {name.strip().casefold(): f"t.c{i}" for i, name in enumerate(export.header)}
    landed = OF_CONNECTOR if CONNECTOR_MARK in texts else {}
    sql = {key: parse.text_sql(field, texts) for key, (field, _) in fields.items()}
    found = _first_look(connection, export.text_table, sql)
    readings, notes = {}, []
    for key, (field, layout) in fields.items():
        counts: Counts = defaultdict(int, found[key])
        said = hints({**landed, **dict(layout.reading), **own}, export.file, layout.map_name)
        column, plain, words = field.source or field.name, None, ""
        try:
            if counts["n_fast"] < counts["n"]:
                if key[1] in dates.FAST:
                    plain, words = _plain(connection, export.text_table, sql[key], key, column, said)
                counts |= _second_look(connection, export.text_table, sql[key], key[1], plain)
            reading = _decide(key[1], column, counts, _for_versions(field, said))
        except Ambiguous:
            if field.name != parse.VERSION:
                raise
            note = f"{field.source}: its notation cannot be told, so it does not say which of two versions holds"
            readings[key] = Reading("null::timestamptz", "'unreadable_timestamp'", note)
        else:
            readings[key] = reading._replace(plain=plain, note=reading.note and reading.note + words)
        notes.append(readings[key].note)
    return readings, [n for n in dict.fromkeys(notes) if n] + _missing(connection, export)


def _for_versions(field: mapping.Field, said: Hints) -> Hints:
    """Return the hints for one column: versions are only compared, so their zone may be any."""
    return said._replace(time_zone=said.time_zone or "UTC") if field.name == parse.VERSION else said


def study(
    connection: duckdb.DuckDBPyConnection, intake: read.Intake, own: Mapping[str, Any]
) -> tuple[read.Intake, dict[str, dict[Key, Reading]]]:
    """Decide how each column of each export is read.

    Returns
    -------
    intake, readings
        The intake with what was decided among each export's notes, and each file with a column that does not
        tell refused; and the readings of each file, by column and way of reading.
    """
    exports, refusals, readings = [], list(intake.refusals), {}
    for export in intake.exports:
        try:
            readings[export.file], notes = _studied(connection, export, own)
        except Ambiguous as problem:
            refusals.append(Refusal(export.file, str(problem), export.tables))
            connection.execute(f"drop table {identifier(export.text_table)}")
            continue
        exports.append(export._replace(notes=(*export.notes, *notes)))
    broken = [line for line in intake.broken_lines if line.file in readings]
    return intake._replace(exports=exports, refusals=refusals, broken_lines=broken), readings


def hints(entries: Mapping[str, Any], file: str, where: str) -> Hints:
    """Return the ``[reading]`` of a field map for one file: ``[reading."<file>"]`` over ``[reading]``.

    Raises
    ------
    OwnMapError
        If a key or a value is not known.
    """
    of_files = {name: part for name, part in entries.items() if isinstance(part, dict)}
    general = {name: value for name, value in entries.items() if name not in of_files}
    for part in (general, *of_files.values()):
        for key in part:
            require_known(key, Hints._fields, f"{where}: [reading]: a key")
    said = general | of_files.get(file, {})
    for key in ("missing", "not_missing"):
        if not (isinstance(said.get(key, []), list) and all(isinstance(text, str) for text in said.get(key, []))):
            raise OwnMapError(
                f'{where}: [reading] {key} is {said[key]!r}; it is a list of texts, such as ["keine Angabe"].'
            )
    for key, allowed in (("date_order", ORDERS), ("decimal", DECIMALS), ("last_day", LAST_DAYS)):
        if key in said:
            require_known(said[key], allowed, f"{where}: [reading] {key}: a value")
    if "language" in said:
        require_known(said["language"], month_names.languages(), f"{where}: [reading] language: a value")
    if said.get("time_zone", "company") != "company" and said["time_zone"] not in zoneinfo.available_timezones():
        raise OwnMapError(
            f"{where}: [reading] time_zone is {said['time_zone']!r}; allowed are company, or a zone such as Europe/Berlin."
        )
    words: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items()}
    return Hints(**words)
