"""What the cells of a column show about its notation.

One look at each export before it is typed.

The first look counts, in one pass, which cells are as an API writes them.  Only columns that hold
anything else are looked at closer.  What is decided here is compiled into the SQL that types the
export, so each cell is judged by its column and none on its own.
"""

from __future__ import annotations

import zoneinfo
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from analysis.project.errors import OwnMapError
from analysis.sources.cells import dates, month_names, numbers, parsers
from analysis.sources.cells.reading import (
    CONNECTOR_MARK,
    DECIMALS,
    LAST_DAYS,
    OF_CONNECTOR,
    ORDERS,
    Ambiguous,
    Hints,
    Reading,
)
from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier, quote_literal, set_map
from analysis.sources.field_maps import require_known
from analysis.sources.files import report_layout
from analysis.sources.files.text_table import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analysis.sources import field_maps, intake
    from analysis.sources.cells import reading

MOST_SPELLINGS = 5_000  # a column with more holds no dates
HAS_WORDS = (
    r"length(x) < 80 and regexp_matches(x, '[0-9\x{660}-\x{669}\x{6F0}-\x{6F9}]') "
    r"and regexp_matches(x, '\p{L}')"
)
Key = tuple[str, str]  # a column of an export as columns are compared, and the way of reading it
Counts = dict[str, int]


def _first_look(
    connection: duckdb.DuckDBPyConnection, table: str, texts: Mapping[Key, str]
) -> dict[Key, Counts]:
    """Count in one pass over a text table which cells of each column are as an API writes them."""
    if not texts:
        return {}
    names = {key: quote_identifier(f"x{i}") for i, key in enumerate(texts)}
    selects = {
        (key, count): sql.replace("{x}", name)
        for key, name in names.items()
        for count, sql in ({"n": "count({x})"} | _first_counts(key[1])).items()
    }
    cells = query_text(
        [f"{texts[key]} as {name}" for key, name in names.items()], f"{quote_identifier(table)} t"
    )
    row = connection.execute(query_text(selects.values(), f"({cells})")).fetchone()
    counts: dict[Key, Counts] = {key: {} for key in texts}
    for (key, count), value in zip(selects, row or (), strict=True):
        counts[key][count] = value
    return counts


def _second_look(
    connection: duckdb.DuckDBPyConnection, table: str, text: str, kind: str, plain: str | None
) -> Counts:
    """Count the notations of those cells of a column that are written otherwise.

    `plain` is what is read of each.
    """
    if kind in dates.FAST:
        counts, fast = dates.second_counts(), dates.FAST[kind]
    else:
        counts, fast = numbers.second_counts(kind), numbers.NUMBER
    cells = query_text([f"{text} as x"], f"{quote_identifier(table)} t")
    is_other = f"x is not null and not regexp_full_match(x, '{fast}')"
    others = query_text(
        [f"{(plain or '{x}').replace('{x}', 'x')} as x"], f"({cells})", where=is_other
    )
    counted = [count.replace("{x}", "x") for count in counts.values()]
    row = connection.execute(query_text(counted, f"({others})")).fetchone()
    return dict(zip(counts, row or (), strict=True))


def _spellings_with_words(
    connection: duckdb.DuckDBPyConnection, table: str, text: str, fast: str
) -> Counter[str]:
    """Return the spellings with words among a column's cells that are not as an API writes them."""
    cells = query_text([f"{text} as x"], f"{table} t")
    words = query_text(
        ["date_spelling(date_plain(x)) as spelling", "count(*) as n"],
        f"({cells})",
        where=f"x is not null and not regexp_full_match(x, '{fast}') and {HAS_WORDS}",
    )
    rows = connection.execute(
        words + " group by spelling order by n desc, spelling limit $most",
        {"most": MOST_SPELLINGS + 1},
    ).fetchall()
    return Counter() if len(rows) > MOST_SPELLINGS else Counter(dict(rows))


def _plain(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    text: str,
    key: Key,
    column: str,
    column_hints: Hints,
) -> tuple[str, str]:
    """Return the SQL that writes the dates of a column in plain signs, its words read by its
    language, and a note.
    """
    fast = dates.FAST[key[1]]
    spellings = _spellings_with_words(connection, quote_identifier(table), text, fast)
    templates, language = month_names.read_templates(spellings, column, column_hints.language)
    plain, note = "date_plain({x})", ""
    if templates and language:
        name = f"words of {table} {key[0]} {key[1]}"
        set_map(connection, name, templates)
        plain = f"date_by({plain}, getvariable({quote_literal(name)}))"
        is_said = ", as said" if column_hints.language else ""
        note = (
            f"; words of {month_names.language_name(language)}{is_said}" if language != "en" else ""
        )
    return f"case when regexp_full_match({{x}}, '{fast}') then {{x}} else {plain} end", note


def _first_counts(kind: str) -> dict[str, str]:
    return dates.first_counts(kind) if kind in dates.FAST else numbers.first_counts(kind)


def _decide(kind: str, column: str, counts: Counts, hints: Hints) -> Reading:
    if kind in dates.FAST:
        return dates.decide_dates(kind, column, counts, hints)
    return numbers.decide_numbers(kind, column, counts, hints)


def _columns(
    export: intake.Export,
) -> dict[Key, tuple[reading.MappedColumn, field_maps.ExportLayout]]:
    """Return the columns of an export that are read by their cells, each way of reading once."""
    present = {name.strip().casefold() for name in export.header}
    return {
        (field.source.strip().casefold(), field.parser): (field, layout)
        for layout in export.layouts
        for field in layout.fields
        if field.source
        and field.source.strip().casefold() in present
        and field.parser in (*dates.FAST, *numbers.KINDS)
    }


def _missing(connection: duckdb.DuckDBPyConnection, export: intake.Export) -> list[str]:
    """Return how many cells each column's tokens for missing emptied."""
    texts = {name.strip().casefold(): f"c{i}" for i, name in enumerate(export.header)}
    selects = {
        (field.source, token): texts[field.source.strip().casefold()]
        for layout in export.layouts
        for field in layout.fields
        for token in field.missing
        if field.source and field.source.strip().casefold() in texts
    }
    if not selects:
        return []
    counts = [
        f"count(*) filter (where trim({c}) = {quote_literal(token)})"
        for (_, token), c in selects.items()
    ]
    query = query_text(counts, quote_identifier(export.text_table))
    row = connection.execute(query).fetchone() or ()
    return [
        f"{column}: {n:,} cells say {token} and are missing"
        for (column, token), n in zip(selects, row, strict=True)
        if n
    ]


def _studied(
    connection: duckdb.DuckDBPyConnection, export: intake.Export, own: Mapping[str, Any]
) -> tuple[dict[Key, Reading], list[str]]:
    """Look at one export; `Ambiguous` if a column of it cannot be read."""
    fields = _columns(export)
    texts = {name.strip().casefold(): f"t.c{i}" for i, name in enumerate(export.header)}
    landed = OF_CONNECTOR if CONNECTOR_MARK in texts else {}
    sql = {key: parsers.text_sql(field, texts) for key, (field, _) in fields.items()}
    first_counts = _first_look(connection, export.text_table, sql)
    readings, notes = {}, []
    for key, (field, layout) in fields.items():
        counts: Counts = defaultdict(int, first_counts[key])
        column_hints = reading_hints(
            {**landed, **dict(layout.reading), **own}, export.file, layout.map_name
        )
        column, plain, words = field.source or field.name, None, ""
        _require_whole_units(field)
        try:
            if counts["n_fast"] < counts["n"] and key[1] in dates.FAST:
                plain, words = _plain(
                    connection, export.text_table, sql[key], key, column, column_hints
                )
            if key[1] in dates.FAST and dates.is_buddhist(column, counts):
                plain = f"from_buddhist({plain or '{x}'})"
                words += "; years of the Buddhist calendar, 543 taken off"
            if counts["n_fast"] < counts["n"]:
                counts |= _second_look(connection, export.text_table, sql[key], key[1], plain)
            reading = _decide(key[1], column, counts, _for_versions(field, column_hints))
        except Ambiguous:
            if field.name != parsers.VERSION:
                raise
            note = (
                f"{field.source}: its notation cannot be told, so it does not say which of two "
                "versions holds"
            )
            readings[key] = Reading("null::timestamptz", "'unreadable_timestamp'", note)
        else:
            readings[key] = reading._replace(
                plain=plain, note=reading.note and reading.note + words
            )
        notes.append(readings[key].note)
    return readings, [n for n in dict.fromkeys(notes) if n] + _missing(connection, export)


def _require_whole_units(field: reading.MappedColumn) -> None:
    """Raise `Ambiguous` where the header of an amount says that it is in thousands or millions."""
    unit = field.name.endswith("_amount") and report_layout.IN_OTHER_UNITS.search(
        field.source or ""
    )
    if unit:
        raise Ambiguous(
            f'its column {field.source} says "{unit.group().strip()}": map it to a work column of '
            f'another name as = "number", and {field.name} by sql, such as "1000 * that_column"'
        )


def _for_versions(field: reading.MappedColumn, column_hints: Hints) -> Hints:
    """Return the hints for one column: versions are only compared, so their zone may be any."""
    return (
        column_hints._replace(time_zone=column_hints.time_zone or "UTC")
        if field.name == parsers.VERSION
        else column_hints
    )


def study_columns(
    connection: duckdb.DuckDBPyConnection, intake: intake.Intake, own: Mapping[str, Any]
) -> tuple[intake.Intake, dict[str, dict[Key, Reading]]]:
    """Decide how each column of each export is read.

    Returns
    -------
    intake, readings
        The intake with what was decided among each export's notes, and each file with a column that
        does not tell refused; and the readings of each file, by column and way of reading.
    """
    exports, refusals, readings = [], list(intake.refusals), {}
    for export in intake.exports:
        try:
            readings[export.file], notes = _studied(connection, export, own)
        except Ambiguous as problem:
            refusals.append(Refusal(export.file, str(problem), export.tables))
            connection.execute(f"drop table {quote_identifier(export.text_table)}")
            continue
        exports.append(export._replace(notes=(*export.notes, *notes)))
    broken = [line for line in intake.broken_lines if line.file in readings]
    return intake._replace(exports=exports, refusals=refusals, broken_lines=broken), readings


def reading_hints(entries: Mapping[str, Any], file: str, where: str) -> Hints:
    """Return the ``[reading]`` of a field map for one file: ``[reading."<file>"]`` over
    ``[reading]``.

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
    hint_entries = general | of_files.get(file, {})
    for key in ("missing", "not_missing"):
        if not (
            isinstance(hint_entries.get(key, []), list)
            and all(isinstance(text, str) for text in hint_entries.get(key, []))
        ):
            raise OwnMapError(
                f"{where}: [reading] {key} is {hint_entries[key]!r}; it is a list of texts, "
                'such as ["keine Angabe"].'
            )
    for key, allowed in (("date_order", ORDERS), ("decimal", DECIMALS), ("last_day", LAST_DAYS)):
        if key in hint_entries:
            require_known(hint_entries[key], allowed, f"{where}: [reading] {key}: a value")
    if "language" in hint_entries:
        require_known(
            hint_entries["language"],
            month_names.language_codes(),
            f"{where}: [reading] language: a value",
        )
    if (
        hint_entries.get("time_zone", "company") != "company"
        and hint_entries["time_zone"] not in zoneinfo.available_timezones()
    ):
        raise OwnMapError(
            f"{where}: [reading] time_zone is {hint_entries['time_zone']!r}; allowed are "
            "company, or a zone such as Europe/Berlin."
        )
    words: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in hint_entries.items()
    }
    return Hints(**words)
