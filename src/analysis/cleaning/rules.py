"""Named rules that judge rows: data in, verdicts counted.

A rule is an entry of ``tables/canonical_tables/<table>.toml``, or of a dataset's own
``rules/<table>.toml``: name, SQL predicate, action, reason.  Rules judge in the order they stand; the first that matches a
row takes it, so every row ends in exactly one of clean, quarantined and dropped.  A flag marks a
row and leaves it clean.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import duckdb

from analysis.cleaning import validity
from analysis.project import paths
from analysis.project.errors import OwnMapError, read_utf8
from analysis.project.nearest_name import did_you_mean
from analysis.sources import field_maps, own_maps, own_sql
from analysis.sources.cells import parsers
from analysis.sources.composed_sql import (
    blank_columns,
    create_empty_table,
    create_table,
    create_view,
    named_columns,
    query_text,
)
from analysis.sources.database import has_row, quote_identifier, quote_literal
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES, read_declaration
from analysis.tables.columns import SQL_TYPES
from analysis.tables.rulebook import Action, Rule, Rulebook, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.tables.columns import Kind, Table

SQL = read_statements(__name__)
UNREADABLE = "unreadable"
MISSING_REQUIRED = "missing_required"
INTAKE_RULES: dict[
    str, tuple[Action, str]
] = {  # what reading a file sets aside before any row is typed
    "unreadable_line": (
        "quarantine",
        "a line that is no row: too many or too few columns, or a quote never closed",
    ),
    "report_title": ("drop", "a line above the header: a report's title or filter"),
    "report_footer": (
        "drop",
        "one of the lines behind a blank one at the end that fill one cell each: a report's footer",
    ),
    "report_total": (
        "drop",
        "a total of the rows above it: no key, or the word total for one, and their sum",
    ),
    "unverified_total": (
        "quarantine",
        "it calls itself a total, but no rows above it add up to it",
    ),
    "blank_row": ("drop", "a row of which no cell is filled"),
    "broken_entry": (
        "quarantine",
        "a calendar entry that cannot be understood; the others of its calendar stay",
    ),
    "unknown_zone": (
        "quarantine",
        "a calendar entry in a zone that is named and defined nowhere: when it was cannot be told",
    ),
    "crowded_series": (
        "quarantine",
        "a series that repeats within the day or beyond measure: no meetings, not written out",
    ),
}
INTAKE_PLANNED = {
    "report_title",
    "report_footer",
    "report_total",
    "blank_row",
    "cancelled_meeting",
    "free_time",
}
INTAKE_QUIRKS = {
    "report_title": 1,
    "report_footer": 1,
    "report_total": 2,
    "unverified_total": 2,
    "broken_entry": 23,
    "unknown_zone": 17,
    "crowded_series": 23,
}


class RuleEffect(NamedTuple):
    """What one rule did: rows it matched, of how many, and the money and hours on them."""

    table: str
    rule: str
    action: Action
    reason: str
    n_rows: int
    n_of: int
    money_amount: float | None
    hours: float | None


RULE_KEYS = {
    **dict.fromkeys(("name", "action", "when", "reason", "scope", "only_if", "alike"), "text"),
    "is_junk": "flag",
    "quirk": "whole",
}
PARTS = {"work": "texts", "derive": "texts", "rule": "tables"}


def _rule(entry: dict[str, Any], where: str) -> Rule:
    if entry.get("name") == UNREADABLE:
        return Rule(UNREADABLE, "quarantine", "", "")
    called = entry.get("name") if isinstance(entry.get("name"), str) else "?"
    field_maps.require_form(entry, RULE_KEYS, f"{where}: rule {called}: ")
    unknown = set(entry) - set(Rule._fields)
    lacking = {"name", "action", "when", "reason"} - set(entry)
    if unknown or lacking:
        raise OwnMapError(
            f"{where}: rule {entry.get('name', '?')} "
            + (
                f"has {', '.join(sorted(unknown))}"
                if unknown
                else f"lacks {', '.join(sorted(lacking))}"
            )
            + f"; a rule has {', '.join(Rule._fields)}."
        )
    for key, allowed in (("action", get_args(Action)), ("scope", get_args(Scope))):
        if entry.get(key, allowed[0]) not in allowed:
            raise OwnMapError(
                f"{where}: rule {entry['name']}: {key} is {entry[key]!r}; allowed are {', '.join(allowed)}."
                + did_you_mean(entry[key], allowed)
            )
    return Rule(**entry)


def read_rulebook(table: str, dataset: str) -> Rulebook:
    """Return the rules of a table: the house's, then those of the dataset's own folder.

    A rule of the dataset's own that has the name of one of the house stands in its place, so
    ``when = "false"`` switches it off.

    Raises
    ------
    OwnMapError
        If an entry is not a rule, or a file is called as no table; the message says what is
        allowed.
    """
    for file in paths.own_files(dataset, "rules"):
        field_maps.require_known(file.stem, TABLES, f"rules/{file.name}: a table")
    own = paths.own_file(dataset, f"rules/{table}.toml")
    work: dict[str, Kind] = validity.interval_work(table)
    derive: dict[str, str] = {}
    rules: dict[str, Rule] = {}
    where = f"rules/{table}.toml"
    own_content = field_maps.parse_toml(read_utf8(own, where, OwnMapError), where) if own else {}
    for content in (_house_rules(table), own_content):
        for key in content:
            field_maps.require_known(key, PARTS, f"{where}: a part")
        field_maps.require_form(content, PARTS, f"{where}: ")
        for kind in content.get("work", {}).values():
            field_maps.require_known(kind, SQL_TYPES, f"{where}: a kind under [work]")
        judges = [_rule(entry, where) for entry in content.get("rule", [])]
        columns = content.get("derive", {})
        if content is own_content:
            _require_own_columns(TABLES[table], content, set(work), where)
            columns, judges = _own_expressions(columns, judges, where)
        work |= content.get("work", {})
        derive |= columns
        rules |= {rule.name: rule for rule in judges}
        for name, action, when, reason in validity.interval_rules(table):
            rules.setdefault(name, Rule(name, action, when, reason, "table"))
    return Rulebook(work, derive, tuple(rules.values()), own is not None)


OURS = ("source_file", "source_row", "row_hash", "unreadable", "flagged_by", "rid", "rowid")


def _require_own_columns(table: Table, content: dict[str, Any], work: set[str], where: str) -> None:
    """Refuse columns of the dataset's own that would stand in for how rows are counted."""
    for name in content.get("work", {}):
        own_sql.require_name(name, f"{where}: a column under [work]")
        if name in OURS:
            raise OwnMapError(
                f"{where}: {name} under [work] is a column every table has already; choose "
                "another name."
            )
    names = [c.name for c in table.columns if c.name not in OURS]
    columns = [*names, *sorted({*work, *content.get("work", {})} - {*names, *OURS})]
    for name in content.get("derive", {}):
        field_maps.require_known(name, columns, f"{where}: a column under [derive]")


def _own_expressions(
    derive: dict[str, str], rules: list[Rule], where: str
) -> tuple[dict[str, str], list[Rule]]:
    """Return the dataset's own columns and rules with their SQL ready to stand among ours."""
    columns: dict[str, str] = {}
    growths: dict[str, int] = {}
    for name, sql in derive.items():
        own = own_sql.read_expression(sql, f"{where}: {name} under [derive]", columns=growths)
        columns[name], growths[name] = own.sql, max(1, own.growth)
    judges = []
    for rule in rules:
        if rule.name == UNREADABLE:
            judges.append(rule)
            continue
        own_sql.require_name(rule.name, f"{where}: a rule")
        at = f"{where}: rule {rule.name}"
        when = own_sql.read_expression(rule.when, at, columns=growths)
        only_if = rule.only_if and own_sql.read_expression(
            rule.only_if, f"{at}: only_if", columns=growths
        )
        judges.append(rule._replace(when=when.sql, only_if=only_if.sql if only_if else None))
    return columns, judges


def _house_rules(table: str) -> dict[str, Any]:
    """Return what the package says of a table's rules; not to be changed."""
    return {key: value for key, value in read_declaration(table).items() if key in PARTS}


def _verdict_sql(rule: Rule, table: Table) -> str:
    if rule.name != UNREADABLE:
        return f"when {rule.when} then {quote_literal(rule.name)}"
    blank = " or ".join(
        f"{quote_identifier(c.name)} is null" for c in table.columns if c.is_required
    )
    return (
        f"when len(unreadable) > 0 then unreadable[1].rule when {blank} then "
        f"{quote_literal(MISSING_REQUIRED)}"
    )


def _first_blank(table: Table) -> str:
    """Return the SQL of the name of a row's first required column that is blank."""
    cases = " ".join(
        f"when {quote_identifier(c.name)} is null then {quote_literal(c.name)}"
        for c in table.columns
        if c.is_required
    )
    return f"case {cases} end" if cases else "null"


def _is_called_for(connection: duckdb.DuckDBPyConnection, rule: Rule) -> bool:
    """Return whether a rule has any row to see: one that fulfils its `only_if`."""
    if rule.only_if is None:
        return True
    query = query_text(["1"], "candidates this", where=rule.only_if)
    return connection.execute(query + " limit 1").fetchone() is not None


def _layers(derive: Mapping[str, str]) -> list[dict[str, str]]:
    """Return computed columns in the groups that one SELECT can compute.

    A column whose SQL mentions one computed before it begins the next group.
    """
    layers: list[dict[str, str]] = []
    for name, sql in derive.items():
        if not layers or any(before.lower() in sql.lower() for before in layers[-1]):
            layers.append({})
        layers[-1][name] = sql
    return layers


def _candidates(connection: duckdb.DuckDBPyConnection, source: str, book: Rulebook) -> None:
    """Make ``candidates``: the parsed rows with the computed columns, numbered by ``rid``.

    What no export fills is no part of ``candidate_rows``, the table behind it.
    """
    layer = quote_identifier(source)
    blank = {
        name: kind
        for name, kind in blank_columns(connection, source).items()
        if name not in book.derive
    }
    for columns in _layers(book.derive):
        names = ", ".join(map(quote_identifier, columns))
        layer_columns = [f"this.* exclude ({names})", *named_columns(columns)]
        layer = f"({query_text(layer_columns, f'{layer} this')})"
    without = f" exclude ({', '.join(map(quote_identifier, blank))})" if blank else ""
    rows = query_text([f"*{without}"], layer)
    create_table(connection, "candidate_rows", rows, is_temporary=True)
    nothing = named_columns({name: f"null::{kind}" for name, kind in blank.items()})
    numbered = query_text(["rowid as rid", "*", *nothing], "candidate_rows")
    create_view(connection, "candidates", numbered)


def judge_rows(
    connection: duckdb.DuckDBPyConnection, table: Table, book: Rulebook, source: str
) -> None:
    """Judge the rows of `source`.

    Make the table called as `table`, and add to ``set_aside_checks``.

    ``set_aside_checks`` holds a row for each row not clean: table, rule, where it stood, its key,
    the cell and text that could not be read, and the money and minutes on it.  Rules that follow
    each other and see one row at a time share a scan; one that sees the table scans what is left by
    then.

    Raises
    ------
    OwnMapError
        If a rule is no SQL over the table's columns.
    """
    if not book.is_own and not has_row(connection, source):
        types = {c.name: SQL_TYPES[c.kind] for c in table.columns}
        create_empty_table(connection, table.name, types)
        return
    try:
        _judge(connection, table, book, source)
    except duckdb.Error as error:
        if not book.is_own and not isinstance(error, _NO_SQL):
            raise
        raise OwnMapError(
            f"rules/{table.name}.toml: {_at_fault(connection, book, source, error)}"
        ) from None


_NO_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


def _at_fault(
    connection: duckdb.DuckDBPyConnection, book: Rulebook, source: str, error: duckdb.Error
) -> str:
    """Say which rule or computed column cannot be run, and what SQL may use."""
    derived = [
        (
            f"{name} under [derive]",
            query_text(named_columns({"tried": sql}), f"{quote_identifier(source)} this"),
        )
        for name, sql in book.derive.items()
    ]
    try:
        _candidates(connection, source, book)
    except duckdb.Error:
        trials = derived
    else:
        trials = [
            (
                f"rule {rule.name}",
                query_text([f"case when ({sql}) then rid end as tried"], "candidates this"),
            )
            for rule in book.rules
            for sql in (rule.when, rule.only_if)
            if sql
        ]
    name, why = own_maps.sql_at_fault(connection, trials, error)
    return (
        f"{name or 'a rule'} cannot be run: {why}. "
        "Its SQL may use the columns of the table, those under [work] and [derive], and no others."
    )


def _judge(
    connection: duckdb.DuckDBPyConnection, table: Table, book: Rulebook, source: str
) -> None:
    _candidates(connection, source, book)
    connection.execute(SQL["verdicts"])
    judges = [r for r in book.rules if r.action != "flag"]
    n_taken = 0
    for _, neighbours in itertools.groupby(judges, key=lambda r: r.scope == "table" and r.name):
        group = [rule for rule in neighbours if _is_called_for(connection, rule)]
        if not group:
            continue
        cases = " ".join(_verdict_sql(rule, table) for rule in group)
        source = _not_taken(n_taken)
        if group[0].alike:
            source = f"({_alike(source, group[0].alike)}) as this"
        judged = query_text(["rid", f"case {cases} end as rule"], source)
        verdicts = query_text(["rid", "rule"], f"({judged})", where="rule is not null")
        counted = connection.execute("insert into verdicts " + verdicts).fetchone()
        n_taken += counted[0] if counted else 0
    if n_taken:
        _set_aside(connection, table)
    _write_clean(connection, table, book, n_taken)


def _not_taken(n_taken: int) -> str:
    """Return the SQL of the candidates that no rule has taken yet: of most tables, all of them."""
    return "candidates this" + (" anti join verdicts using (rid)" if n_taken else "")


def _alike(source: str, columns: str) -> str:
    """Return the query of the rows of `source` that another equals in `columns`."""
    key = f"hash({', '.join(quote_identifier(c.strip()) for c in columns.split(','))})"
    keys = query_text([f"{key} as key"], source)
    several = query_text(["key"], f"({keys}) group by key having count(*) > 1")
    return query_text(["this.*"], source, where=f"{key} in ({several})")


def _set_aside(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add the rows that a rule took to ``set_aside``."""
    key = " || '|' || ".join(f"coalesce({quote_identifier(k)}::varchar, '')" for k in table.key)
    missing, blank = quote_literal(MISSING_REQUIRED), _first_blank(table)
    columns = [
        quote_literal(table.name),
        "rule",
        "source_file",
        "source_row",
        key,
        f"case rule when unreadable[1].rule then unreadable[1].column when {missing} then {blank} end",
        "case when rule = unreadable[1].rule then without_email(unreadable[1].text) end",
        table.money or "null",
        table.minutes or "null",
    ]
    rows = query_text(columns, "candidates inner join verdicts using (rid)")
    connection.execute("insert into set_aside " + rows)


def _write_clean(
    connection: duckdb.DuckDBPyConnection, table: Table, book: Rulebook, n_taken: int
) -> None:
    marks = [
        f"case when {r.when} then {quote_literal(r.name)} end"
        for r in book.rules
        if r.action == "flag"
    ]
    flags = f"nullif(concat_ws(' ', {', '.join(marks)}), '')" if marks else "null"
    columns = [
        f"{flags if c.name == 'flagged_by' else quote_identifier(c.name)}::{SQL_TYPES[c.kind]} as {quote_identifier(c.name)}"
        for c in table.columns
    ]
    rows = query_text(columns, _not_taken(n_taken), order=map(quote_identifier, table.key))
    create_table(connection, table.name, rows)


def _reasons(table: Table, book: Rulebook) -> dict[str, tuple[Action, str]]:
    """Return action and reason of every rule that can take a row of `table`."""
    reasons: dict[str, tuple[Action, str]] = {
        name: ("quarantine", why) for name, why in parsers.cell_rule_reasons().items()
    }
    reasons |= INTAKE_RULES
    required = ", ".join(c.name for c in table.columns if c.is_required)
    reasons[MISSING_REQUIRED] = ("quarantine", f"blank where one is required ({required})")
    return reasons | {r.name: (r.action, r.reason) for r in book.rules if r.name != UNREADABLE}


def rule_effects(
    connection: duckdb.DuckDBPyConnection, table: Table, book: Rulebook, n_of: int
) -> list[RuleEffect]:
    """Return what each rule did to `table`, those that matched no row included (with 0)."""
    rows = (
        connection.execute(SQL["rows_set_aside"], {"table": table.name}).fetchall() if n_of else []
    )
    flags = {rule.name for rule in book.rules if rule.action == "flag"}
    if n_of and flags and _has_flags(connection, table):
        marked = _flagged_rows(connection, table)
        rows += [row for row in marked if row[0] in flags]
    by_rule = {row[0]: row[1:] for row in rows}
    reasons = _reasons(table, book)
    named = [r.name for r in book.rules if r.name != UNREADABLE]
    return [
        RuleEffect(
            table.name, name, *reasons[name], n, n_of, _rounded(money_amount), _rounded(hour)
        )
        for name in [*named, *sorted(set(by_rule) - set(named))]
        for n, money_amount, hour in [by_rule.get(name, (0, None, None))]
    ]


def _has_flags(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Return whether any clean row of a table is flagged."""
    return connection.execute(SQL["has_flags"], {"table": table.name}).fetchone() is not None


def _flagged_rows(connection: duckdb.DuckDBPyConnection, table: Table) -> list[tuple[Any, ...]]:
    """Return by rule how many clean rows it flagged, and their money and hours."""
    flags = query_text(
        ["*", "unnest(string_split(flagged_by, ' ')) as rule"],
        quote_identifier(table.name),
        where="flagged_by is not null",
    )
    sums = [
        f"exact_sum({table.money or 'null'}, 100)",
        f"exact_sum({table.minutes or 'null'}, 60) / 60",
    ]
    by_rule = query_text(["rule", "count(*)", *sums], f"({flags})")
    return connection.execute(by_rule + " group by rule").fetchall()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
