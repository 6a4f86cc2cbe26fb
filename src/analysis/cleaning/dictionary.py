"""The data dictionary: what may come in, what cleaning makes of it, and by which rules.

Everything it says comes from where the code reads it too: tables from `errors`, panels from
`panel_tables`, exports from the field maps, rules from the rule files.  ``data/README.md`` is this
page; ``python -m analysis.dictionary > data/README.md`` writes it anew.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.cleaning import rules
from analysis.sources.cells import parsers
from analysis.sources.cells.reading import CELL_QUIRKS
from analysis.tables.canonical import TABLES, read_declaration
from analysis.tables.columns import SOURCE, SQL_TYPES
from analysis.tables.panel_tables import PANELS
from analysis.tables.quirks import QUIRKS, named_tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analysis.tables.columns import Column, Kind, Table

BY_HAND = "house.toml"
TESTS = Path(__file__).parents[3] / "tests"

HEAD = """\
# Data dictionary

Written by `python -m analysis.cleaning.dictionary > data/README.md`; a test holds it equal to the code. Do not edit it by hand.

Exports go into `data/raw/<dataset>/` as they were received. `alignment-roi clean <dataset>` makes the tables and panels
below, as Parquet files in `data/processed/<dataset>/`. Every row of every export ends in exactly one place:

    rows in = clean + quarantined + dropped

A *quarantined* row cannot be trusted. A *dropped* row is known to be no fact of its own, such as a repeat. Both are
kept, with rule, file and line, in `quarantine.parquet`. A *flagged* row stays clean and is marked. Nothing is filled
in: what is missing stays missing.

Ids are text. Timestamps are UTC, dates are dates. Intervals are half-open: `valid_to` is the first day that no longer
counts. A `_rate` or share runs from 0 to 1. An `_amount` is money in the reporting currency of `alignment.toml`.
"""

EXPORTS = """\
A file is recognised by its columns, never by its name. It must hold the columns named here; it may hold more. Case,
blanks, punctuation and the order of columns do not matter. Files are CSV in UTF-8, UTF-16 or Windows cp1252, separated
by comma, semicolon, tab or bar; XLSX workbooks; JSON, as lines, an array or an API's answer; Parquet; and calendars as
`.ics`. Columns of other names are mapped in a `fields.toml` beside the exports; the maps in `src/analysis/sources/fields/`
show how.
A fallback is used only where no other file fills the table.
"""

HAND_FILES = """\
All are optional. What is missing switches off what needs it, and the report says so. The header must hold every column
marked *yes*; a cell may be blank unless the table below requires it.
"""

CELLS = """\
A text that is not of its column's form is never guessed at: it quarantines its row by the rule named here, and is kept
in the quarantine. A blank cell is missing; it quarantines the row only where the table requires one.

Dates, numbers and lengths of time are read in the notation their column's cells show: a day above 12 tells day from
month, `0.5` or `1,200.50` tells the decimal sign. What contradicts its column is quarantined; where nothing tells, the
file is refused, until `fields.toml` of the dataset says what holds, for all its exports or for one:

```toml
[reading]
date_order = "day-first"      # or "month-first", or "year-first" for years of two digits
decimal = "comma"             # or "point"
time_zone = "company"         # of times that name none: alignment.toml's, or a zone such as "Europe/Berlin"
[reading."Quotas.csv"]
date_order = "month-first"
```

What the cells tell wins over what is said here. `clean --dry-run` prints what was decided, and by how many cells.
"""

RULES = """\
Rules judge in the order they stand in `src/analysis/tables/canonical_tables/<table>.toml`; the first that matches takes the row.
Rules of your own go into `data/raw/<dataset>/rules/<table>.toml`. The audit counts the rows of each rule, and the money
and hours on them, also where it is 0. The quirk is the number in the list that follows.
"""

QUIRKS_HEAD = """\
A rule answers some, the reading of files and cells or the counting of hours the others. Each has a test named for it
(`quirk_<number>`) in the files named here; the test of a rule fails when the rule is switched off.
"""

# What a hand-kept file's column means where it is not the column of the table it fills.
HAND_COLUMNS = {
    (
        "compensation",
        "base_amount",
    ): "base salary, paid leave included, per `base_period` in `currency`",
    (
        "compensation",
        "base_period",
    ): "`year` or `month`: what base_amount and overhead_amount are for",
    ("compensation", "overhead_amount"): "desk, tools, travel, per `base_period` in `currency`",
    ("compensation", "currency"): "ISO 4217 code of the amounts",
    (
        "target_accounts",
        "executive_contact_id",
    ): "the CRM's id of the executive to be met there; missing: nobody is named",
    ("contact_roles", "contact_id"): "the CRM's id of the contact, as in attendees",
    ("contact_roles", "roles"): "part in buying, such as decision maker; several joined by ;",
    ("quotas", "quota_amount"): "bookings target of the period, in `currency`",
    ("quotas", "currency"): "ISO 4217 code of the amount",
    ("finance_bookings", "currency"): "ISO 4217 code; must be the reporting currency",
    (
        "calendars",
        "calendar",
    ): "an .ics file's name, the name it gives itself, or its organizer's address",
    ("calendars", "rep_id"): "the rep whose calendar it is",
    ("names", "table"): "accounts or products",
    ("activity_targets", "spend_amount"): "planned spend, in `currency`",
    ("programme_costs", "cost_amount"): "cost of the period, in `currency`",
    (
        "time_study",
        "hours_observed",
    ): "hours of calls, meetings and demos with clients that an observer counted that day [h]; 0 counts, blank does not",
}

ALSO_WRITTEN = {
    "quarters.parquet": (
        "a row is a fiscal quarter: `quarter`, `from_day`, `until_day` (first day after), "
        "`is_partial`"
    ),
    "quarantine.parquet": "a row is one set aside: table, rule, action, reason, file, line, key, the cell not read, "
    "money and hours on it",
    "name_review.csv": "likely pairs of names of accounts and products, as rows of `names.csv` and how alike; "
    "copy those that are one into `data/raw/<dataset>/names.csv` (same spelling twice: stands for "
    "itself)",
    "audit.json": "the account of the pass: files and how they were understood, refusals, rows by table and by "
    "rule, "
    "the gap to finance",
}


def _map(file: str) -> dict[str, Any]:
    folder = resources.files("analysis.sources").joinpath("fields")
    return tomllib.loads(folder.joinpath(file).read_text(encoding="utf-8"))


def _maps() -> dict[str, dict[str, Any]]:
    folder = resources.files("analysis.sources").joinpath("fields")
    return {name: _map(name) for name in sorted(f.name for f in folder.iterdir())}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        f"| {' | '.join(str(c).replace('|', chr(92) + '|') for c in line)} |\n" for line in lines
    )


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _exports() -> Iterator[tuple[str, str, str, str]]:
    """Yield map, export, columns and tables of every export of a CRM, in the maps' order."""
    for file, content in _maps().items():
        if file == BY_HAND:
            continue
        filled: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for entry in content["export"]:
            table = entry.get("table")
            fallback = " (fallback)" if entry.get("fallback") else ""
            filled.setdefault((entry["object"], tuple(entry["needs"])), []).extend(
                [f"`{table}`{fallback}"] * bool(table)
                + ["looked up by other exports"] * ("lookup" in entry)
            )
        for (name, needs), tables in filled.items():
            yield (
                content["name"],
                f"`{name}`",
                _code(needs),
                ", ".join(tables) or "nothing reads it yet",
            )


def _hand_file(entry: dict[str, Any]) -> str:
    """Return the section of one plain file.

    Its columns, which must be there, their form and meaning.
    """
    name, columns = entry["object"], entry.get("columns", {})
    forms = {field["from"]: field.get("as", "text") for field in columns.values()}
    meanings = (
        {c.name: c.meaning for c in TABLES[entry["table"]].columns} if "table" in entry else {}
    )
    rows = [
        (
            f"`{column}`",
            "yes" if column in entry["needs"] else "",
            forms.get(column, ""),
            HAND_COLUMNS.get((name, column)) or meanings[column],
        )
        for column in dict.fromkeys([*entry["needs"], *forms])
    ]
    fills = (
        f"Fills `{entry['table']}`."
        if "table" in entry
        else "Recognised, but nothing reads it yet."
    )
    return f"### {name}.csv\n\n{fills}\n\n" + _table(
        ("Column", "In the header", "Form", "Meaning"), rows
    )


def _filled_by(table: str) -> str:
    sources = [
        f"{content['name']} `{e['object']}`" + (" (fallback)" if e.get("fallback") else "")
        for file, content in _maps().items()
        for e in content["export"]
        if e.get("table") == table and file != BY_HAND
    ]
    by_hand = [f"`{e['object']}.csv`" for e in _map(BY_HAND)["export"] if e.get("table") == table]
    return "; ".join(dict.fromkeys([*sources, *by_hand]))


def _kind(kind: Kind) -> str:
    return f"{kind} ({SQL_TYPES[kind]})"


def _columns(columns: Iterable[Column], *, is_panel: bool) -> str:
    if is_panel:
        return _table(
            ("Column", "Kind", "Meaning"),
            ((f"`{c.name}`", _kind(c.kind), c.meaning) for c in columns),
        )
    rows = (
        (f"`{c.name}`", _kind(c.kind), "yes" if c.is_required else "", c.meaning) for c in columns
    )
    return _table(("Column", "Kind", "Required", "Meaning"), rows)


def _section(table: Table, *, is_panel: bool) -> str:
    own = [c for c in table.columns if c not in SOURCE]
    filled = "" if is_panel else f" Filled by: {_filled_by(table.name) or 'no export so far'}."
    head = f"### {table.name}\n\nA row is {table.row}. Key: {_code(table.key)}.{filled}\n\n"
    return head + _columns(own, is_panel=is_panel)


def _judgements() -> Iterator[tuple[str, str, str, str, int | None]]:
    """Yield rule, tables, action, reason and quirk.

    Rules that say the same of several tables once.
    """
    tables: dict[tuple[str, str, str, int | None], list[str]] = {}
    for name in TABLES:
        for rule in read_declaration(name).get("rule", []):
            if rule["name"] != rules.UNREADABLE:
                same = (rule["name"], rule["action"], rule["reason"], rule.get("quirk"))
                tables.setdefault(same, []).append(name)
    every = "every table"
    for intake_rule, (set_aside, why) in rules.INTAKE_RULES.items():
        yield intake_rule, every, set_aside, why, rules.INTAKE_QUIRKS.get(intake_rule, 10)
    yield rules.MISSING_REQUIRED, every, "quarantine", "blank where one is required", None
    for cell_rule, why in parsers.cell_rule_reasons().items():
        yield cell_rule, every, "quarantine", why, CELL_QUIRKS.get(cell_rule)
    for (rule_name, action, reason, quirk), judged in tables.items():
        yield (
            rule_name,
            every if judged == list(TABLES) else ", ".join(judged),
            action,
            reason,
            quirk,
        )


def _quirks(
    judged: Sequence[tuple[str, str, str, str, int | None]],
) -> Iterator[tuple[object, ...]]:
    """Yield each quirk: what it is, the rules that answer it, the files that test it."""
    tests = named_tests(TESTS)
    for quirk, what in QUIRKS.items():
        answers = dict.fromkeys(name for name, *_, cited in judged if cited == quirk)
        files = {test.split("::")[0] for test in tests[quirk]} | (
            {"test_rules"} if answers else set()
        )
        yield quirk, what, _code(answers), _code(sorted(files))


def dictionary_markdown() -> str:
    """Return the data dictionary as markdown."""
    judged = list(_judgements())
    parts = [
        HEAD,
        "## Exports that are recognised\n\n" + EXPORTS,
        _table(("Map", "Export", "Recognised by", "Fills"), _exports()),
        "## What no CRM holds: plain files\n\n" + HAND_FILES,
        *(_hand_file(e) for e in _map(BY_HAND)["export"]),
        "## How a cell is read\n\n" + CELLS,
        _table(
            ("Form", "Takes", "Rule"),
            ((f"`{n}`", p.takes, f"`{p.rule}`") for n, p in parsers.PARSERS.items()),
        ),
        "## Clean tables\n\nEach also has the columns that say where a row came from:\n",
        _columns(SOURCE, is_panel=True),
        *(_section(t, is_panel=False) for t in TABLES.values()),
        (
            "## Panels\n\nWhat the notebooks read: made from the clean tables, never from the "
            "exports.\n"
        ),
        *(_section(t, is_panel=True) for t in PANELS.values()),
        "## Written beside them\n",
        _table(("File", "What"), ((f"`{name}`", what) for name, what in ALSO_WRITTEN.items())),
        "## Rules\n\n" + RULES,
        _table(
            ("Rule", "Table", "Action", "Reason", "Quirk"),
            (
                (f"`{name}`", where, action, why, quirk or "")
                for name, where, action, why, quirk in judged
            ),
        ),
        "## Quirks of CRM exports\n\n" + QUIRKS_HEAD,
        _table(("Quirk", "What it is", "Rules", "Tests"), _quirks(judged)),
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.buffer.write(dictionary_markdown().encode())
