"""What makes a lead sales-ready, as the dataset's own ``sales_ready.toml`` has it.

Each version is one expression over what was known of a lead soon after it came, so that it can be
replayed on leads of the past.  It is parsed before any of it is run, as every expression of a
folder that was received.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from analysis.project import paths
from analysis.project.errors import OwnMapError, read_utf8
from analysis.sources import field_maps, own_sql

OWN_FILE = "sales_ready.toml"
MOST_VERSIONS = 20
LONGEST_METRIC = 40  # characters
SIDES = ("both", "sales", "marketing")
FORMS = {"name": "text", "metric": "text", "side": "text", "approved_by": "text", "when": "text"}
KEYS = (*FORMS, "valid_from")
LACKING = ("name", "valid_from", "when")


class Definition(NamedTuple):
    """A version of what a metric counts, in force from a day on.

    `side` whose it is; `approved_by` the user of sales who approved it, "" if nobody; `when` the
    expression, ready to be put between what is ours.
    """

    name: str
    metric: str
    side: str
    valid_from: dt.date
    approved_by: str
    when: str


def read_definitions(dataset: str) -> list[Definition]:
    """Return the versions of a dataset's own file, oldest first; none without a file.

    Raises
    ------
    OwnMapError
        If an entry is no definition, or its expression does more than look at its row.
    """
    file = paths.own_file(dataset, OWN_FILE)
    return parse_definitions(read_utf8(file, OWN_FILE, OwnMapError)) if file else []


def parse_definitions(text: str) -> list[Definition]:
    """Return the versions that a TOML text holds, oldest first.

    Examples
    --------
    >>> text = '''
    ... [[definition]]
    ... name = "first"
    ... valid_from = 2026-01-01
    ... when = "n_responses > 0"
    ... '''
    >>> [(d.name, d.side, d.approved_by) for d in parse_definitions(text)]
    [('first', 'both', '')]
    """
    content = field_maps.parse_toml(text, OWN_FILE)
    for key in content:
        field_maps.require_known(key, ("definition",), f"{OWN_FILE}: a part")
    field_maps.require_form(content, {"definition": "tables"}, f"{OWN_FILE}: ")
    entries = content.get("definition", [])
    if len(entries) > MOST_VERSIONS:
        raise OwnMapError(
            f"{OWN_FILE}: has {len(entries)} definitions; at most {MOST_VERSIONS} are replayed."
        )
    definitions = [_definition(entry) for entry in entries]
    names = [d.name for d in definitions]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise OwnMapError(f"{OWN_FILE}: the definition {twice} stands there twice.")
    return sorted(definitions, key=lambda d: (d.valid_from, d.name))


def _definition(entry: dict[str, Any]) -> Definition:
    called = entry.get("name") if isinstance(entry.get("name"), str) else "?"
    where = f"{OWN_FILE}: definition {called}: "
    for key in entry:
        field_maps.require_known(key, KEYS, f"{where}a key")
    field_maps.require_form(entry, FORMS, where)
    if lacking := [key for key in LACKING if key not in entry]:
        raise OwnMapError(f"{where}lacks {', '.join(lacking)}.")
    own_sql.require_name(entry["name"], f"{OWN_FILE}: a definition")
    day = entry["valid_from"]
    if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
        raise OwnMapError(f"{where}valid_from is {day!r}; it has to be a day such as 2026-01-31.")
    side, metric = entry.get("side", SIDES[0]), entry.get("metric", "sales-ready lead")
    field_maps.require_known(side, SIDES, f"{where}a side")
    if not 0 < len(metric) <= LONGEST_METRIC:
        raise OwnMapError(f"{where}metric must have 1 to {LONGEST_METRIC} characters.")
    when = own_sql.read_expression(entry["when"], f"{where}when")
    approved_by = entry.get("approved_by", "").strip()
    return Definition(entry["name"], metric, side, day, approved_by, when.sql)
