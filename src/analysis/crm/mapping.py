"""Which column of which export is which canonical column: field maps as data.

A map is a TOML file in ``crm/fields``, or a dataset's own ``fields.toml``.  An export is recognised
by its columns, never by its file name; a source is added by adding a map.
"""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import paths
from analysis.crm import parse
from analysis.schema import TABLES, CrmDataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

OWN_MAP = "fields.toml"


class Field(NamedTuple):
    """Where a canonical (or work) column comes from: a column, a constant or other columns by SQL."""

    name: str
    source: str | None = None
    parser: str = "text"
    missing: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    constant: str | None = None
    sql: str | None = None


class Export(NamedTuple):
    """One layout of one export: the columns it is recognised by and the table it fills.

    `table` None: the layout is known, but nothing reads it yet.  `is_fallback`: used only where no
    other export fills the table.
    """

    map_name: str
    object_name: str
    needs: tuple[str, ...]
    table: str | None
    fields: tuple[Field, ...]
    is_fallback: bool = False
    is_own: bool = False  # of the dataset's own map, which wins over the house's


def toml(text: str, where: str) -> dict[str, Any]:
    """Return the content of a TOML file; `CrmDataError` says where it is not valid."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CrmDataError(f"{where}: not valid TOML: {error}.") from None


def require_known(name: str, known: Collection[str], what: str) -> None:
    """Raise `CrmDataError` with the nearest name if `name` is none of `known`."""
    if name not in known:
        near = difflib.get_close_matches(str(name), list(known), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise CrmDataError(f"{what} called {name!r} does not exist; known are {', '.join(known)}.{hint}")


def _field(name: str, entry: dict[str, Any], where: str) -> Field:
    for key in entry:
        require_known(key, ("from", "as", "missing", "values", "value", "sql"), f"{where}: column {name}: a key")
    if len({"from", "value", "sql"} & set(entry)) != 1:
        raise CrmDataError(f"{where}: column {name} must say exactly one of from, value and sql.")
    parser = entry.get("as", "text")
    require_known(parser, parse.PARSERS, f"{where}: column {name}: a way of reading")
    return Field(
        name,
        source=entry.get("from"),
        parser=parser,
        missing=tuple(entry.get("missing", ())),
        values=tuple(entry.get("values", {}).items()),
        constant=entry.get("value"),
        sql=entry.get("sql"),
    )


def _exports(text: str, where: str, *, is_own: bool) -> list[Export]:
    content = toml(text, where)
    for key in content:
        require_known(key, ("name", "export"), f"{where}: a part")
    exports = []
    for entry in content.get("export", []):
        for key in entry:
            require_known(key, ("table", "object", "needs", "fallback", "columns"), f"{where}: a key of an export")
        table = entry.get("table")
        if table is not None:
            require_known(table, TABLES, f"{where}: a table")
        if not entry.get("object") or not entry.get("needs"):
            raise CrmDataError(f"{where}: an export must say its object and the columns it needs to be recognised by.")
        exports.append(
            Export(
                map_name=content.get("name", where),
                object_name=entry["object"],
                needs=tuple(entry["needs"]),
                table=table,
                fields=tuple(_field(n, e, where) for n, e in entry.get("columns", {}).items()),
                is_fallback=entry.get("fallback", False),
                is_own=is_own,
            )
        )
    return exports


def exports_known(dataset: str) -> list[Export]:
    """Return every layout known for a dataset: its own map first, then those of the house.

    Raises
    ------
    CrmDataError
        If a map names a table, a key or a way of reading that does not exist.
    """
    own = paths.raw(dataset) / OWN_MAP
    mine = _exports(own.read_text(encoding="utf-8"), OWN_MAP, is_own=True) if own.is_file() else []
    house = sorted(resources.files("analysis.crm").joinpath("fields").iterdir(), key=lambda f: f.name)
    return mine + [e for f in house for e in _exports(f.read_text(encoding="utf-8"), f.name, is_own=False)]


def normalised(column: str) -> str:
    """Return a header cell as columns are compared: outer blanks and case aside."""
    return column.strip().casefold()


def recognised(header: Iterable[str], known: list[Export]) -> list[Export]:
    """Return the layouts of one map that a file with this header has: the map with most columns in common.

    A dataset's own map wins over the house's.
    """
    columns = {normalised(c) for c in header}
    fitting = [e for e in known if {normalised(n) for n in e.needs} <= columns]
    if not fitting:
        return []

    def in_common(export: Export) -> tuple[bool, int]:
        read = {normalised(f.source) for f in export.fields if f.source} | {normalised(n) for n in export.needs}
        return export.is_own, len(read & columns)

    best = max(fitting, key=in_common)
    return [e for e in fitting if (e.map_name, e.object_name) == (best.map_name, best.object_name)]


def nearest(header: Iterable[str], known: list[Export]) -> str:
    """Say which layout a file comes nearest to and what it lacks."""
    columns = {normalised(c) for c in header}
    best = max(known, key=lambda e: len({normalised(n) for n in e.needs} & columns) / len(e.needs))
    missing = [n for n in best.needs if normalised(n) not in columns]
    return f"nearest is {best.object_name} ({best.map_name}), which also needs {', '.join(missing)}"
