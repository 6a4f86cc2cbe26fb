"""Which column of which export is which canonical column: field maps as data.

A map is a TOML file in ``crm/fields``, or a dataset's own ``fields.toml``.  An export is recognised
by its columns, never by its file name; a source is added by adding a map.  One column goes by many
names: ``IsDeleted``, ``is_deleted`` and ``Is Deleted`` are the same, and labels that are not, in
whatever language, stand in the map's alias lists.
"""

from __future__ import annotations

import difflib
import functools
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
    other export fills the table.  `lacks`: columns that say it is another layout after all.
    `groups`: columns that a summary report leaves blank where the group of the row above goes on.
    """

    map_name: str
    object_name: str
    needs: tuple[str, ...]
    table: str | None
    fields: tuple[Field, ...]
    is_fallback: bool = False
    is_own: bool = False  # of the dataset's own map, which wins over the house's
    lacks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()  # other names of a column, the likeliest first
    lookup: str | None = None  # fills no table; the SQL of other exports looks texts up in it by this name
    reading: tuple[tuple[str, Any], ...] = ()  # of the map: what its cells may leave open (crm.evidence)


class Header:
    """The cells of a header, found by a column's name: as written, else as a label or in snake case."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.exact: dict[str, str] = {}
        self.loose: dict[str, list[str]] = {}
        for cell in cells:
            if normalised(cell):
                self.exact.setdefault(normalised(cell), cell)
                self.loose.setdefault(folded(cell), []).append(cell)

    def found(self, column: str, export: Export) -> str | None:
        """Return the cell that holds `column` of an export, by its own name or else one of its aliases."""
        for name in (column, *dict(export.aliases).get(column, ())):
            if (cell := self.exact.get(normalised(name))) is not None:
                return cell
            if cells := self.loose.get(folded(name)):
                return cells[0]
        return None

    def rivals(self, cell: str) -> list[str]:
        """Return all cells that are written like `cell` but for case, blanks and punctuation."""
        return self.loose[folded(cell)]


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


EXPORT_KEYS = ("table", "lookup", "object", "needs", "lacks", "groups", "fallback", "columns")


def _export(entry: dict[str, Any], content: dict[str, Any], where: str, *, is_own: bool) -> Export:
    for key in entry:
        require_known(key, EXPORT_KEYS, f"{where}: a key of an export")
    table = entry.get("table")
    if table is not None:
        require_known(table, TABLES, f"{where}: a table")
    if not entry.get("object") or not entry.get("needs"):
        raise CrmDataError(f"{where}: an export must say its object and the columns it needs to be recognised by.")
    return Export(
        map_name=content.get("name", where),
        object_name=entry["object"],
        needs=tuple(entry["needs"]),
        table=table,
        fields=tuple(_field(n, e, where) for n, e in entry.get("columns", {}).items()),
        is_fallback=entry.get("fallback", False),
        is_own=is_own,
        lacks=tuple(entry.get("lacks", ())),
        groups=tuple(entry.get("groups", ())),
        lookup=entry.get("lookup"),
        reading=tuple(content.get("reading", {}).items()),
        aliases=tuple((c, tuple(names)) for c, names in content.get("aliases", {}).get(entry["object"], {}).items()),
    )


def _exports(text: str, where: str, *, is_own: bool) -> list[Export]:
    content = toml(text, where)
    for key in content:
        require_known(key, ("name", "export", "aliases", "reading"), f"{where}: a part")
    exports = [_export(entry, content, where, is_own=is_own) for entry in content.get("export", [])]
    for object_name, names in content.get("aliases", {}).items():
        require_known(object_name, {e.object_name for e in exports}, f"{where}: aliases: an object")
        used = {c for e in exports if e.object_name == object_name for c in _columns_of(e)}
        for column in names:
            require_known(column, sorted(used), f"{where}: aliases of {object_name}: a column")
    return exports


def _columns_of(export: Export) -> list[str]:
    """Return every column of the export that its map speaks of, once."""
    return list(dict.fromkeys([*export.needs, *(f.source for f in export.fields if f.source), *export.groups]))


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


def reading_of(dataset: str) -> dict[str, Any]:
    """Return what a dataset's own ``fields.toml`` says under ``[reading]`` of notations its exports leave open."""
    own = paths.raw(dataset) / OWN_MAP
    return dict(toml(own.read_text(encoding="utf-8"), OWN_MAP).get("reading", {})) if own.is_file() else {}


def normalised(column: str) -> str:
    """Return a header cell as columns are compared: outer blanks and case aside."""
    return column.strip().casefold()


@functools.cache
def folded(column: str) -> str:
    """Return a header cell as API name, label and snake case share it: letters and digits only.

    Examples
    --------
    >>> {folded(name) for name in ("CloseDate", "Close Date", "close_date")}
    {'closedate'}
    """
    return "".join(c for c in column.casefold() if c.isalnum()) or normalised(column)


def recognised(header: Iterable[str], known: list[Export]) -> list[Export]:
    """Return the layouts of one map that a file with this header has: the map with most columns in common.

    Their fields name the columns as this header does.  A dataset's own map wins over the house's.
    """
    cells = Header(header)

    def fits(export: Export) -> bool:
        return all(cells.found(n, export) is not None for n in export.needs) and not any(
            cells.found(n, export) is not None for n in export.lacks
        )

    fitting = [e for e in known if fits(e)]
    if not fitting:
        return []

    def in_common(export: Export) -> tuple[bool, int]:
        return export.is_own, sum(cells.found(c, export) is not None for c in _columns_of(export))

    best = max(fitting, key=in_common)
    return [_as_in(cells, e) for e in fitting if (e.map_name, e.object_name) == (best.map_name, best.object_name)]


def _as_in(cells: Header, export: Export) -> Export:
    """Return an export's layout with its columns named as a file's header names them."""
    return export._replace(
        needs=tuple(cells.found(n, export) or n for n in export.needs),
        fields=tuple(
            f._replace(source=f.source and (cells.found(f.source, export) or f.source)) for f in export.fields
        ),
        groups=tuple(c for n in export.groups if (c := cells.found(n, export)) is not None),
    )


def twice_named(header: Iterable[str], layouts: Iterable[Export]) -> list[str]:
    """Return the header's cells that stand twice, or that name in two spellings one column that is read."""
    header = [c for c in header if normalised(c)]
    exact = [normalised(c) for c in header]
    cells = Header(header)
    spelled = {r for e in layouts for c in _columns_of(e) if normalised(c) in exact for r in cells.rivals(c)[1:]}
    return sorted({n for n in exact if exact.count(n) > 1} | {normalised(c) for c in spelled})


def nearness(header: Iterable[str], export: Export) -> float:
    """Return the share of the columns an export needs that a header has."""
    cells = Header(header)
    return sum(cells.found(n, export) is not None for n in export.needs) / len(export.needs)


def nearest(header: Iterable[str], known: list[Export]) -> str:
    """Say which layout a file comes nearest to and what it lacks."""
    columns = list(header)
    best = max(known, key=lambda e: nearness(columns, e))
    cells = Header(columns)
    missing = [n for n in best.needs if cells.found(n, best) is None]
    if not missing:
        clash = [n for n in best.lacks if cells.found(n, best) is not None]
        return f"nearest is {best.object_name} ({best.map_name}), which has no {', '.join(clash)}"
    return f"nearest is {best.object_name} ({best.map_name}), which also needs {', '.join(missing)}"
