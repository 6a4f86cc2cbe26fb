"""Text columns → typed columns, and what could not be read.

Each way of reading is one SQL expression over a trimmed, non-blank text `{x}`; it gives nothing
where the text is not of its form.  Here stands how APIs write; what else a column of an export
holds is decided by its cells in `evidence`.  What is not read is never lost: it makes the row's
`unreadable` list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.sources.cells import dates, numbers
from analysis.sources.cells.reading import CELL_RULES, ERRORS, Reading, of_spreadsheet
from analysis.sources.composed_sql import query_text
from analysis.sources.database import DOMAIN, LETTER, quote_identifier, quote_literal
from analysis.tables.columns import SQL_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.sources.cells.reading import MappedColumn
    from analysis.tables.columns import Kind

VERSION = "modified_at"  # the work column that says which of several versions holds
SCIENTIFIC = r"[0-9]+[.,][0-9]+[eE][+-]?[0-9]+|[0-9]+[eE][+][0-9]+"  # 12E45 may be an id

_ID = (
    f"case when not regexp_full_match({{x}}, '{SCIENTIFIC}|#.*[!?A]|=.*|[0-9]{{16,}}[.,]0+') and not contains({{x}}, '@') "
    "then plain_id({x})"
)
_NUMBER = f"case when regexp_full_match({{x}}, '{numbers.NUMBER}') then {{x}}::double end"
_TRUE = (
    "('true', '1', '1.0', 'yes', 't', 'y', 'on', 'x', 'checked', 'wahr', 'ja', 'j', 'vrai', "
    "'oui', 'verdadero', 'sí', 'si', 'vero', 'sim', 'waar', 'verdadeiro', 'prawda', 'tak', 'sant', "
    "'sann', 'sand', 'tosi', 'kyllä', 'pravda', 'ano', 'igaz', 'igen', 'doğru', 'evet', 'adevărat', 'da', "
    "'истина', 'да')"
)
_FALSE = (
    "('false', '0', '0.0', 'no', 'f', 'n', 'off', 'unchecked', 'falsch', 'nein', 'faux', 'non', "
    "'falso', 'não', 'onwaar', 'nee', 'fałsz', 'nie', 'falskt', 'nej', 'usann', 'nei', 'falsk', 'epätosi', "
    "'ei', 'nepravda', 'ne', 'hamis', 'nem', 'yanl\u0131ş', 'hay\u0131r', 'fals', 'nu', 'ложь', 'нет')"
)


# What says when a record changed or how a user is called, and so tells no version of it from
# another.
NOT_CONTENT = (VERSION, "stated_name", "given_name", "family_name", "person_email")


def _quarter_sql() -> str:
    """Return the SQL of a quarter's name, such as 2026Q1, out of the ways people write one.

    A letter or word must mark which digit is the quarter: 2026/1 may be a month.
    """
    word = "(?:q|t|k|qtr|quarter|quartal|trimestre|trimester|kwartaal)"
    year, gap = "(?:fy *)?'?((?:20)?[0-9]{2})", "[ /_.,-]*"
    ways = (
        (f"(?i){year}{gap}{word}[. ]*([1-4])", 1, 2),
        (f"(?i){word}[. ]*([1-4]){gap}{year}", 2, 1),
        (f"(?i)([1-4])(?:st|nd|rd|th|[.]|er|e|º|°)? *{word}{gap}{year}", 2, 1),
    )
    cases = [
        f"when regexp_full_match({{x}}, {quote_literal(way)}) then "
        f"'20' || right(regexp_extract({{x}}, {quote_literal(way)}, {y}), 2) "
        f"|| 'Q' || regexp_extract({{x}}, {quote_literal(way)}, {q})"
        for way, y, q in ways
    ]
    return f"case {' '.join(cases)} end"


class Parser(NamedTuple):
    """A way to read a cell: its SQL, the rule that an unreadable text breaks, and the texts it
    takes.
    """

    sql: str
    rule: str
    takes: str


_LENGTH_OF = "a number of {0}, or a length with its unit such as 90 s, 1:30:00 or PT30M"

PARSERS: dict[str, Parser] = {
    "text": Parser(
        f"case when {{x}}[1] = '#' and upper({{x}}) in {ERRORS} then null else without_email({{x}}) end",
        "unreadable_text",
        "any text but a spreadsheet's error; e-mail addresses are masked",
    ),
    "id": Parser(
        f"{_ID} end",
        "unreadable_id",
        "any text but a number in scientific notation, one of 16 digits or more with decimals, "
        "or an e-mail address (read those as person)",
    ),
    "ids": Parser(
        (
            "list_aggregate(list_transform(string_split({x}, ';'), lambda i: plain_id(trim(i))), "
            "'string_agg', ';')"
        ),
        "unreadable_id",
        "ids with ; between them",
    ),
    "rep": Parser(
        f"case when is_person({{x}}) then pseudonym({{x}}) else {_ID} end end",
        "unreadable_id",
        (
            "an id, or the name or e-mail address of a person, kept as a pseudonym only and "
            "looked up among the users"
        ),
    ),
    "salesforce_rep": Parser(
        "case when is_person({x}) then pseudonym({x}) else salesforce_id({x}) end",
        "id_checksum",
        "15 letters and digits, or 18 with the right suffix; or a user's name or e-mail address",
    ),
    "salesforce_named": Parser(
        f"case when not regexp_full_match({{x}}, '{SCIENTIFIC}|[#=].*') and regexp_matches({{x}}, "
        f"'{LETTER}[^A-Za-z0-9]|[^A-Za-z0-9]{LETTER}|^[A-Za-z0-9]{{1,11}}$')"
        " then nullif(name_key({x}), '') else salesforce_id({x}) end",
        "id_checksum",
        "15 letters and digits, or 18 with the right suffix; or a name of more than one word",
    ),
    "entry_id": Parser(
        "case when contains({x}, '@') then 'U' || substr(sha256(getvariable('dataset_key') || {x}), 1, 24) else {x} end",
        "unreadable_id",
        "any text; one that may hold an e-mail address is kept as a pseudonym only",
    ),
    "salesforce_id": Parser(
        "salesforce_id({x})",
        "id_checksum",
        "15 letters and digits, or 18 with the right suffix; all capitals are set right by it",
    ),
    "name_key": Parser(
        "nullif(name_key({x}), '')", "unreadable_name", "a text with a letter or digit"
    ),
    "person": Parser(
        "pseudonym({x})",
        "unreadable_name",
        "a person's name, kept as a pseudonym only",
    ),
    "email_domain": Parser(
        f"lower(regexp_extract({{x}}, '@({DOMAIN})$', 1))",
        "unreadable_email",
        "an e-mail address, of which the domain alone is read; any other text has none",
    ),
    "number": Parser(
        _NUMBER, "unreadable_number", "a number such as -1200.50, in its column's notation"
    ),
    "percent": Parser(
        f"case when regexp_full_match({{x}}, '{numbers.NUMBER}') and {{x}}::double between 0 and 100 then {{x}}::double / 100 end",
        "unreadable_number",
        "a percentage from 0 to 100",
    ),
    "probability": Parser(
        f"case when regexp_full_match({{x}}, '{numbers.NUMBER}') and {{x}}::double between 0 and 100 then {{x}}::double / 100 end",
        "unreadable_number",
        "a percentage from 0 to 100, or shares where no cell is above 1",
    ),
    "fraction": Parser(
        f"case when regexp_full_match({{x}}, '{numbers.NUMBER}') and {{x}}::double between 0 and 1 then {{x}}::double end",
        "unreadable_number",
        "a share from 0 to 1",
    ),
    "currency": Parser(
        "case when regexp_full_match({x}, '[A-Z]{3}') then {x} else nullif(money_code({x}), '?') end",
        "unreadable_currency",
        "an ISO code such as EUR, or a sign that is one currency's",
    ),
    "count": Parser(
        "case when regexp_full_match({x}, '[0-9]{1,18}([.]0+)?') then split_part({x}, '.', 1)::bigint end",
        "unreadable_number",
        "a whole number",
    ),
    "date": Parser(
        f"case when regexp_full_match({{x}}, '{dates.DATE}') then {dates.CAST['date']} end",
        "unreadable_date",
        "a date such as 2026-09-30, in its column's notation",
    ),
    "timestamp": Parser(
        f"case when regexp_full_match({{x}}, '{dates.STAMP}') then {dates.CAST['timestamp']} end",
        "unreadable_timestamp",
        "a date and time with its zone, such as 2026-09-30T14:30:00Z, in its column's notation",
    ),
    "midnight": Parser(
        f"case when regexp_full_match({{x}}, '{dates.DATE}') then {dates.CAST['midnight']} end",
        "unreadable_date",
        "a date such as 2026-09-30, taken as its midnight UTC",
    ),
    "quarter": Parser(
        _quarter_sql(),
        "unknown_quarter",
        "a year and a quarter such as 2026Q1, Q1 2026, FY26 Q1 or 1Q26",
    ),
    "boolean": Parser(
        f"case when lower({{x}}) in {_TRUE} then true when lower({{x}}) in {_FALSE} then false end",
        "unreadable_boolean",
        "true, false, yes, no, 1 or 0, and their like in six languages",
    ),
} | {
    name: Parser(
        f"case when regexp_full_match({{x}}, '{numbers.NUMBER}') then {{x}}::double * {factor!r} end"
        if factor
        else "null::double",
        "unreadable_duration",
        _LENGTH_OF.format(name)
        if factor
        else "a length with its unit, such as 90 s, 1:30:00 or PT30M",
    )
    for name, factor in numbers.LENGTHS.items()
}


def cell_rule_reasons() -> dict[str, str]:
    """Return every rule a cell can break, with its reason."""
    ways = {p.rule: f"a cell of another form; taken is {p.takes}" for p in PARSERS.values()}
    return ways | CELL_RULES | {"unmapped_value": "a value the field map does not know"}


NAMES = (
    "text",
    "name_key",
    "person",
    "email_domain",
)  # may begin with an apostrophe that is theirs


def text_sql(field: MappedColumn, columns: dict[str, str]) -> str:
    """Return the SQL of a field's text without outer blanks, and the SQL that guards it.

    Null where blank or missing.

    What guards a text from a spreadsheet is a formula that is a quoted constant, or an apostrophe
    in front.
    """
    if field.constant is not None:
        return quote_literal(field.constant)
    names = [field.source or "", *field.also]
    cells = [cell for name in names if (cell := columns.get(name.strip().casefold())) is not None]
    texts = [_cell_text(field, cell) for cell in cells]
    if not texts:
        return "null::varchar"
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _cell_text(field: MappedColumn, cell: str) -> str:
    if field.is_bare:
        text = f"nullif({cell}, '')"
    elif field.parser not in NAMES or field.is_quoted:
        text = f"unquoted(cell_text({cell}))"
    else:
        text = f"cell_text({cell})"
    tokens = dict.fromkeys((*field.missing, *field.blanks))
    if not tokens:
        return text
    # not one nullif in another: each writes the text out twice
    return (
        f"case when {text} in ({', '.join(map(quote_literal, tokens))}) then null else {text} end"
    )


def strict_reading(parser: str) -> Reading:
    """Return how a text is read where the column's other cells tell nothing."""
    return Reading(PARSERS[parser].sql, f"'{PARSERS[parser].rule}'")


def _value_and_rule(
    field: MappedColumn, reading: Reading, text: str, *, is_required: bool
) -> tuple[str, str]:
    value, rule = (sql.replace("{x}", text) for sql in (reading.value, reading.rule))
    if not field.values:
        return value, rule
    cases = " ".join(f"when {quote_literal(a)} then {quote_literal(b)}" for a, b in field.values)
    return f"case {text} {cases} else {'null' if is_required else value} end", "'unmapped_value'"


def _cell(column: str, rule: str, text: str) -> str:
    return f"{{'column': {column}, 'rule': {rule}, 'text': {text}}}"


def _with_code(
    values: dict[str, str], checks: list[tuple[str, str]], codes: dict[str, str]
) -> None:
    """Let amounts that name their currency fill the row's currency, and set aside what contradicts
    it.
    """
    named = ", ".join(f"nullif({code}, '?')" for code in codes.values())
    currency_sql = values.get("currency", "null::varchar")
    values["currency"] = f"coalesce({currency_sql}, {named})"
    for column, code in codes.items():
        text = quote_identifier("text " + column)
        fits = f"{code} = '?' and {quote_identifier('currency')} is null"
        checks.append((fits, _cell(quote_literal(column), "'ambiguous_currency'", text)))
        checks.append(
            (
                f"nullif({code}, '?') <> {quote_identifier('currency')}",
                _cell(quote_literal(column), "'currency_disagrees'", text),
            )
        )


def table_sql(
    text_table: str,
    file: str,
    header: tuple[str, ...],
    fields: tuple[MappedColumn, ...],
    columns: dict[str, Kind],
    required: set[str],
    readings: Mapping[tuple[str, str], Reading] | None = None,
) -> str:
    """Return the SELECT that types one export's texts into a table's columns and work columns.

    `readings` says by (column of the export, way of reading) what its cells decided.  Beside
    `columns` the rows hold ``source_file``, ``source_row``, ``row_hash`` (of all that was read) and
    ``unreadable``: a list of ``{column, rule, text}``, one for each cell that held a text of
    another form.
    """
    by_name = {f.name: f for f in fields}
    texts = {name.strip().casefold(): f"t.c{i}" for i, name in enumerate(header)}
    plain_fields = {n: f for n, f in by_name.items() if f.sql is None}
    read = {
        n: f
        for n, f in plain_fields.items()
        if f.constant is not None or (f.source or "").strip().casefold() in texts
    }
    inner = [f"{text_sql(f, texts)} as {quote_identifier('text ' + n)}" for n, f in read.items()]
    values: dict[str, str] = dict.fromkeys(plain_fields, "null")
    checks: list[tuple[str, str]] = []
    codes: dict[str, str] = {}
    plain = []
    for name, field in read.items():
        text = of = quote_identifier("text " + name)
        reading = (readings or {}).get(
            ((field.source or "").strip().casefold(), field.parser)
        ) or strict_reading(field.parser)
        if reading.plain:
            of = quote_identifier("plain " + name)
            plain.append(f"{reading.plain.replace('{x}', text)} as {of}")
        values[name], rule = _value_and_rule(field, reading, of, is_required=name in required)
        if name != VERSION:  # a version that cannot be dated is not comparable; its row stands
            checks.append(
                (
                    f"{text} is not null and {quote_identifier(name)} is null",
                    _cell(quote_literal(name), rule, text),
                )
            )
        if reading.code and "currency" in columns:
            codes[name] = reading.code.replace("{x}", text)
    if codes:
        _with_code(values, checks, codes)
    typed = [
        f"({sql})::{SQL_TYPES[columns[n]]} as {quote_identifier(n)}" for n, sql in values.items()
    ]
    computed = [
        f"({f.sql})::{SQL_TYPES[columns[n]]} as {quote_identifier(n)}"
        for n, f in by_name.items()
        if f.sql is not None and n not in values
    ]
    absent = [
        f"null::{SQL_TYPES[kind]} as {quote_identifier(n)}"
        for n, kind in columns.items()
        if n not in by_name and n not in values
    ]
    kept_columns = [
        *map(quote_identifier, values),
        *computed,
        *absent,
        "source_file",
        "source_row",
        "row_hash",
        "unreadable",
    ]
    nothing = '[]::struct("column" varchar, rule varchar, "text" varchar)[]'
    unread = (
        f"case when {' or '.join(f'({when})' for when, _ in checks)} then list_transform(list_filter(["
        + ", ".join(f"case when {when} then {cell} end" for when, cell in checks)
        + "], lambda cell: cell is not null), lambda cell: "
        + _cell(
            "cell['column']",
            of_spreadsheet("cell.rule").replace("{x}", "cell['text']"),
            "cell['text']",
        )
        + f") else {nothing} end"
        if checks
        else nothing
    )
    rows = f"{quote_identifier(text_table)} t"
    first = [*inner, f"{quote_literal(file)} as source_file", "t.source_row"]
    content = ", ".join(quote_identifier(v) for v in values if v not in NOT_CONTENT)
    of_row = [f"{unread} as unreadable", f"hash(row({content})) as row_hash"]
    source = f"({query_text(first, rows)})"
    for layer in (plain, typed, of_row):
        if layer:
            source = f"({query_text(['*', *layer], source)})"
    return query_text(kept_columns, source)
