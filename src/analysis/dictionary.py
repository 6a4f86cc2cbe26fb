"""The data dictionary: what may come in, what cleaning makes of it, and by which rules.

Everything it says comes from where the code reads it too: tables from `schema`, panels from
`panel_schema`, exports from the field maps, rules from the rule files.  ``data/README.md`` is this
page; ``python -m analysis.dictionary > data/README.md`` writes it anew.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

from analysis.crm import parse, rules
from analysis.panel_schema import PANELS
from analysis.schema import SOURCE, SQL_TYPES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analysis.schema import Column, Kind, Table

BY_HAND = "house.toml"

HEAD = """\
# Data dictionary

Written by `python -m analysis.dictionary > data/README.md`; a test holds it equal to the code. Do not edit it by hand.

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
A file is recognised by its columns, never by its name. It must hold the columns named here; it may hold more. Case and
the order of columns do not matter. So far files are CSV in UTF-8, separated by comma, semicolon, tab or bar. Columns of
other names are mapped in a `fields.toml` beside the exports; the maps in `src/analysis/crm/fields/` show how.
A fallback is used only where no other file fills the table.
"""

HAND_FILES = """\
All are optional. What is missing switches off what needs it, and the report says so. The header must hold every column
marked *yes*; a cell may be blank unless the table below requires it.
"""

CELLS = """\
A text that is not of its column's form is never guessed at: it quarantines its row by the rule named here, and is kept
in the quarantine. A blank cell is missing; it quarantines the row only where the table requires one.
"""

RULES = """\
Rules judge in the order they stand in `src/analysis/crm/rules/<table>.toml`; the first that matches takes the row.
Rules of your own go into `data/raw/<dataset>/rules/<table>.toml`. The audit counts the rows of each rule, and the money
and hours on them, also where it is 0. The quirk is the number in the list that follows.
"""

# What a hand-kept file's column means where it is not the column of the table it fills.
HAND_COLUMNS = {
    ("compensation", "base_amount"): "base salary, paid leave included, per `base_period` in `currency`",
    ("compensation", "base_period"): "`year` or `month`: what base_amount is paid for",
    ("compensation", "overhead_amount"): "desk, tools, travel, a year in `currency`",
    ("compensation", "currency"): "ISO 4217 code of the amounts",
    ("quotas", "quota_amount"): "bookings target of the period, in `currency`",
    ("quotas", "currency"): "ISO 4217 code of the amount",
    ("finance_bookings", "currency"): "ISO 4217 code; must be the reporting currency",
    ("hours_shifters", "shifter_id"): "name of what shifted hours",
    ("hours_shifters", "kind"): "what it was, such as training, outage or assistant",
    ("hours_shifters", "rep_id"): "rep it touched; blank where it touched a team",
    ("hours_shifters", "team_id"): "team it touched; blank where it touched one rep",
    ("hours_shifters", "start_date"): "first day",
}

ALSO_WRITTEN = {
    "quarters.parquet": "a row is a fiscal quarter: `quarter`, `from_day`, `until_day` (first day after), `is_partial`",
    "quarantine.parquet": "a row is one set aside: table, rule, action, reason, file, line, key, the cell not read, "
    "money and hours on it",
    "audit.json": "the account of the pass: files and how they were understood, refusals, rows by table and by rule, "
    "the gap to finance",
}

# What is known to go wrong in CRM exports, by the number that rules cite.
QUIRKS = {
    1: "A report's footer below the rows",
    2: "Totals and subtotals among the rows, or a pivot in place of records",
    3: "Group cells left blank below the first",
    4: "Ids of 15 characters whose case matters, and of 18",
    5: "Long ids that a spreadsheet turned into numbers",
    6: "Several currencies in one column, or no rate for one",
    7: "Numbers written the local way",
    8: "Dates of another or of mixed order",
    9: "UTF-16 and other encodings",
    10: "Line breaks, commas and quotes inside cells",
    11: "API names, labels and translated labels",
    12: "Deleted and archived records in the export",
    13: "Merged records",
    14: "Stage history newest first, or with stages left out",
    15: "A close date that a time zone moves into another quarter",
    16: "Seconds read as milliseconds: times in 1970",
    17: "Clocks that change: a length by the wall clock",
    18: "Fiscal years that do not start in January",
    19: "Quarters that the data cover in part",
    20: "Tasks without a length, and lengths in another unit",
    21: "A stated length that contradicts start and end",
    22: "All-day entries",
    23: "A series' master beside its meetings",
    24: "One meeting, a row an invitee",
    25: "The same meeting logged by the rep and by a sync",
    26: "Bulk imports that look like work",
    27: "Cancelled, future, negative or unknown length",
    28: "Mail and meetings captured outside the CRM: logging differs by team and date",
    29: "What counts as selling",
    30: "Reps who join, leave or change teams; owners of today on deals of yesterday",
    31: "Queues, machines and people who left as owners",
    32: "Quotas repeated, rolled up or blank",
    33: "A published figure that was rounded",
    34: "Pay by month or year, rates as percent or share",
    35: "One lead in many campaigns",
    36: "Leads handed back and qualified again",
    37: "Leads converted without an opportunity",
    38: "Placeholders that stand for missing",
    39: "Spellings of one name",
    40: "Test records",
    41: "Negative, absent and absurd amounts",
    42: "Closed before it was created",
    43: "A probability that contradicts the stage",
    44: "Several pipelines in one export",
    45: "One deal of several companies",
    46: "Deals split between owners",
    47: "Very many duplicates",
    48: "Cells that a spreadsheet or page would run",
    49: "Formulas, spreadsheet errors and dates made of text",
    50: "Names, e-mails and pay",
    51: "Empty, cut or capped files",
    52: "The same record twice, or in two versions",
    53: "Spellings of yes and no",
    54: "Records nested in records",
}


def _map(kind: str, file: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("analysis.crm").joinpath(kind, file).read_text(encoding="utf-8"))


def _maps() -> dict[str, dict[str, Any]]:
    folder = resources.files("analysis.crm").joinpath("fields")
    return {name: _map("fields", name) for name in sorted(f.name for f in folder.iterdir())}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(c).replace('|', chr(92) + '|') for c in line)} |\n" for line in lines)


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
            )
        for (name, needs), tables in filled.items():
            yield content["name"], f"`{name}`", _code(needs), ", ".join(tables) or "nothing reads it yet"


def _hand_file(entry: dict[str, Any]) -> str:
    """Return the section of one plain file: its columns, which must be there, their form and meaning."""
    name, columns = entry["object"], entry.get("columns", {})
    forms = {field["from"]: field.get("as", "text") for field in columns.values()}
    known = {c.name: c.meaning for c in TABLES[entry["table"]].columns} if "table" in entry else {}
    rows = [
        (
            f"`{column}`",
            "yes" if column in entry["needs"] else "",
            forms.get(column, ""),
            HAND_COLUMNS.get((name, column)) or known[column],
        )
        for column in dict.fromkeys([*entry["needs"], *forms])
    ]
    fills = f"Fills `{entry['table']}`." if "table" in entry else "Recognised, but nothing reads it yet."
    return f"### {name}.csv\n\n{fills}\n\n" + _table(("Column", "In the header", "Form", "Meaning"), rows)


def _filled_by(table: str) -> str:
    found = [
        f"{content['name']} `{e['object']}`" + (" (fallback)" if e.get("fallback") else "")
        for file, content in _maps().items()
        for e in content["export"]
        if e.get("table") == table and file != BY_HAND
    ]
    by_hand = [f"`{e['object']}.csv`" for e in _map("fields", BY_HAND)["export"] if e.get("table") == table]
    return "; ".join([*found, *by_hand])


def _kind(kind: Kind) -> str:
    return f"{kind} ({SQL_TYPES[kind]})"


def _columns(columns: Iterable[Column], *, is_panel: bool) -> str:
    if is_panel:
        return _table(("Column", "Kind", "Meaning"), ((f"`{c.name}`", _kind(c.kind), c.meaning) for c in columns))
    rows = ((f"`{c.name}`", _kind(c.kind), "yes" if c.is_required else "", c.meaning) for c in columns)
    return _table(("Column", "Kind", "Required", "Meaning"), rows)


def _section(table: Table, *, is_panel: bool) -> str:
    own = [c for c in table.columns if c not in SOURCE]
    filled = "" if is_panel else f" Filled by: {_filled_by(table.name) or 'no export so far'}."
    head = f"### {table.name}\n\nA row is {table.row}. Key: {_code(table.key)}.{filled}\n\n"
    return head + _columns(own, is_panel=is_panel)


def _judgements() -> Iterator[tuple[str, str, str, str, int | None]]:
    """Yield rule, tables, action, reason and quirk; rules that say the same of several tables once."""
    tables: dict[tuple[str, str, str, int | None], list[str]] = {}
    for name in TABLES:
        for rule in _map("rules", f"{name}.toml").get("rule", []):
            if rule["name"] != rules.UNREADABLE:
                same = (rule["name"], rule["action"], rule["reason"], rule.get("quirk"))
                tables.setdefault(same, []).append(name)
    every = "every table"
    for intake_rule, (set_aside, why) in rules.INTAKE_RULES.items():
        yield intake_rule, every, set_aside, why, 10
    yield rules.MISSING_REQUIRED, every, "quarantine", "blank where one is required", None
    yield "unmapped_value", every, "quarantine", "a value the field map does not know", None
    for (rule_name, action, reason, quirk), judged in tables.items():
        yield rule_name, every if judged == list(TABLES) else ", ".join(judged), action, reason, quirk


def markdown() -> str:
    """Return the data dictionary as markdown."""
    judged = list(_judgements())
    answered = sorted({quirk for *_, quirk in judged if quirk is not None})
    parts = [
        HEAD,
        "## Exports that are recognised\n\n" + EXPORTS,
        _table(("Map", "Export", "Recognised by", "Fills"), _exports()),
        "## What no CRM holds: plain files\n\n" + HAND_FILES,
        *(_hand_file(e) for e in _map("fields", BY_HAND)["export"]),
        "## How a cell is read\n\n" + CELLS,
        _table(("Form", "Takes", "Rule"), ((f"`{n}`", p.takes, f"`{p.rule}`") for n, p in parse.PARSERS.items())),
        "## Clean tables\n\nEach also has the columns that say where a row came from:\n",
        _columns(SOURCE, is_panel=True),
        *(_section(t, is_panel=False) for t in TABLES.values()),
        "## Panels\n\nWhat the notebooks read: made from the clean tables, never from the exports.\n",
        *(_section(t, is_panel=True) for t in PANELS.values()),
        "## Written beside them\n",
        _table(("File", "What"), ((f"`{name}`", what) for name, what in ALSO_WRITTEN.items())),
        "## Rules\n\n" + RULES,
        _table(
            ("Rule", "Table", "Action", "Reason", "Quirk"),
            ((f"`{name}`", where, action, why, quirk or "") for name, where, action, why, quirk in judged),
        ),
        "## Quirks of CRM exports that a rule answers\n",
        _table(("Quirk", "What it is"), ((n, QUIRKS[n]) for n in answered)),
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.buffer.write(markdown().encode())
