"""Text columns → typed columns, and what could not be read.

Each way of reading is one SQL expression over a trimmed, non-blank text `{x}`; it gives nothing
where the text is not of its form.  Numbers are checked by their form before any cast, zones are
explicit.  What is not read is never lost: it makes the row's `unreadable` list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.crm.engine import identifier, literal
from analysis.schema import SQL_TYPES

if TYPE_CHECKING:
    from analysis.crm.mapping import Field
    from analysis.schema import Kind

NUMBER = r"[+-]?[0-9]{1,15}([.][0-9]+)?"  # 15 digits: what a double still holds to the unit
SCIENTIFIC = r"[0-9]+[.][0-9]+[eE][+-]?[0-9]+|[0-9]+[eE][+][0-9]+"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
ZONE = r"(Z|[+-][0-9]{2}:?[0-9]{2})"

_NUMBER = f"case when regexp_full_match({{x}}, '{NUMBER}') then {{x}}::double end"
_TRUE = "('true', '1', 'yes', 't', 'y')"
_FALSE = "('false', '0', 'no', 'f', 'n')"


class Parser(NamedTuple):
    """A way of reading: its SQL, the rule a text breaks that it cannot read, and what it takes."""

    sql: str
    rule: str
    takes: str


PARSERS: dict[str, Parser] = {
    "text": Parser("without_email({x})", "unreadable_text", "any text; e-mail addresses are masked"),
    "id": Parser(
        f"case when not regexp_full_match({{x}}, '{SCIENTIFIC}') and not contains({{x}}, '@') then {{x}} end",
        "unreadable_id",
        "any text but a number in scientific notation or an e-mail address (read those as person)",
    ),
    "salesforce_id": Parser(
        "case when regexp_full_match({x}, '[A-Za-z0-9]{15}') then id_18({x}) "
        "when regexp_full_match({x}, '[A-Za-z0-9]{18}') and {x} = id_18({x}) then {x} end",
        "id_checksum",
        "15 letters and digits, or 18 with the right suffix",
    ),
    "name_key": Parser("nullif(name_key({x}), '')", "unreadable_name", "a text with a letter or digit"),
    "person": Parser(
        "'P' || upper(substr(sha256(getvariable('dataset_key') || lower({x})), 1, 11))",
        "unreadable_name",
        "a person's name, kept as a pseudonym only",
    ),
    "number": Parser(_NUMBER, "unreadable_number", "digits with a decimal point, such as -1200.50"),
    "percent": Parser(
        f"case when regexp_full_match({{x}}, '{NUMBER}') and {{x}}::double between 0 and 100 then {{x}}::double / 100 end",
        "unreadable_number",
        "a percentage from 0 to 100",
    ),
    "count": Parser(
        "case when regexp_full_match({x}, '[0-9]{1,18}([.]0+)?') then split_part({x}, '.', 1)::bigint end",
        "unreadable_number",
        "a whole number",
    ),
    "date": Parser(
        f"case when regexp_full_match({{x}}, '{DATE}') then try_cast({{x}} as date) end",
        "unreadable_date",
        "a date such as 2026-09-30",
    ),
    "timestamp": Parser(
        f"case when regexp_full_match({{x}}, '{DATE}[T ]{CLOCK}{ZONE}') then try_cast({{x}} as timestamptz) end",
        "unreadable_timestamp",
        "a date and time with its zone, such as 2026-09-30T14:30:00Z",
    ),
    "midnight": Parser(
        f"case when regexp_full_match({{x}}, '{DATE}') then timezone('UTC', try_cast({{x}} as timestamp)) end",
        "unreadable_date",
        "a date such as 2026-09-30, taken as its midnight UTC",
    ),
    "boolean": Parser(
        f"case when lower({{x}}) in {_TRUE} then true when lower({{x}}) in {_FALSE} then false end",
        "unreadable_boolean",
        "true, false, yes, no, 1 or 0",
    ),
}


def value_sql(parser: str, text_sql: str) -> str:
    """Return the SQL that reads the text `text_sql` by `parser`: null where it is not of that form."""
    return PARSERS[parser].sql.replace("{x}", text_sql)


def _text_sql(field: Field, columns: dict[str, str]) -> str:
    """Return the SQL of a field's trimmed text: null where blank or a token for missing."""
    if field.constant is not None:
        return literal(field.constant)
    column = columns.get((field.source or "").strip().casefold())
    if column is None:
        return "null::varchar"
    text = f"nullif(trim({column}), '')"
    for token in field.missing:
        text = f"nullif({text}, {literal(token)})"
    return text


def _typed_sql(field: Field, text: str, *, is_required: bool) -> str:
    value = value_sql(field.parser, text)
    if field.values:
        cases = " ".join(f"when {literal(a)} then {literal(b)}" for a, b in field.values)
        value = f"case {text} {cases} else {'null' if is_required else value} end"
    return value


def table_sql(
    text_table: str,
    file: str,
    header: tuple[str, ...],
    fields: tuple[Field, ...],
    columns: dict[str, Kind],
    required: set[str],
) -> str:
    """Return the SELECT that types one export's texts into a table's columns and work columns.

    Beside `columns` the rows hold ``source_file``, ``source_row``, ``row_hash`` (of all that was read) and
    ``unreadable``: a list of ``{column, rule, text}``, one for each cell that held a text of another form.
    """
    by_name = {f.name: f for f in fields}
    texts = {name.strip().casefold(): f"t.c{i}" for i, name in enumerate(header)}
    read = {n: f for n, f in by_name.items() if f.sql is None}
    inner = [f"{_text_sql(f, texts)} as {identifier('text ' + n)}" for n, f in read.items()]
    values, checks = [], []
    for name, field in read.items():
        text = identifier("text " + name)
        typed = _typed_sql(field, text, is_required=name in required)
        rule = "unmapped_value" if field.values else PARSERS[field.parser].rule
        values.append(f"({typed})::{SQL_TYPES[columns[name]]} as {identifier(name)}")
        checks.append(
            f"case when {text} is not null and {identifier(name)} is null "
            f"then {{'column': '{name}', 'rule': '{rule}', 'text': {text}}} end"
        )
    computed = [
        f"({f.sql})::{SQL_TYPES[columns[n]]} as {identifier(n)}" for n, f in by_name.items() if f.sql is not None
    ]
    absent = [f"null::{SQL_TYPES[kind]} as {identifier(n)}" for n, kind in columns.items() if n not in by_name]
    kept = ", ".join(
        [*map(identifier, read), *computed, *absent, "source_file", "source_row", "row_hash", "unreadable"]
    )
    return f"""
      select {kept}
      from (select *, list_filter([{", ".join(checks)}], lambda cell: cell is not null) as unreadable,
            hash(row({", ".join(map(identifier, read))})) as row_hash
        from (select *, {", ".join(values)}
          from (select {", ".join(inner)}, {literal(file)} as source_file, t.source_row from {identifier(text_table)} t)))"""
