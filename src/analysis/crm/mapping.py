"""Which column of which export is which canonical column: field maps as data.

A map is a TOML file in ``crm/fields``, or a dataset's own ``fields.toml``.  An export is recognised
by its columns, never by its file name; a source is added by adding a map.  One column goes by many
names: ``IsDeleted``, ``is_deleted`` and ``Is Deleted`` are the same, and labels that are not, in
whatever language, stand in the map's alias lists.
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import paths
from analysis.crm import parse
from analysis.schema import TABLES, OwnMapError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

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
    blanks: tuple[str, ...] = ()  # texts of this column that stand for an empty cell (crm.blanks)
    also: tuple[str, ...] = ()  # other columns of the file that say the same: a parent's Id beside the lookup
    is_quoted: bool = False  # every text of the column has an apostrophe in front
    is_bare: bool = False  # no cell of the column has anything around its text


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
                return next((c for c in cells if not is_path(c)), cells[0])
        for path in parent_paths(column):
            if (cell := self.exact.get(normalised(path))) is not None:
                return cell
        return None

    def rivals(self, cell: str) -> list[str]:
        """Return all cells that are written like `cell` but for case, blanks and punctuation, itself first.

        A path such as ``Owner.Id`` is no spelling of ``OwnerId``: it is a parent's own field.
        """
        return [c for c in self.loose[folded(cell)] if is_path(c) == is_path(cell)]

    def parents(self, cell: str) -> list[str]:
        """Return the cells that hold a parent's Id where `cell` is the lookup to it, or the other way round."""
        if is_path(cell):
            names = [folded(cell), folded(re.sub(r"__r[.]id$", "__c", normalised(cell)))]
        else:
            names = [folded(path) for path in parent_paths(cell)]
        cells = dict.fromkeys(c for name in names for c in self.loose.get(name, ()))
        return [c for c in cells if is_path(c) != is_path(cell)]


def is_path(cell: str) -> bool:
    """Return whether a header cell leads to a parent's field, as ``Owner.Id`` does."""
    return re.fullmatch(r"\w+([.]\w+)+", cell.strip()) is not None


def parent_paths(column: str) -> list[str]:
    """Return the paths to the Id of the record that a lookup names.

    Examples
    --------
    >>> parent_paths("OwnerId"), parent_paths("Product__c"), parent_paths("Id")
    (['Owner.Id'], ['Product__r.Id'], [])
    """
    if found := re.fullmatch(r"(\w+)_?Id", column.strip(), re.IGNORECASE):
        return [f"{found[1].rstrip('_')}.Id"]
    return [f"{column.strip()[:-3]}__r.Id"] if re.fullmatch(r"\w+__c", column.strip(), re.IGNORECASE) else []


def own_text(file: Path, where: str) -> str:
    """Return the text of a dataset's own map or rules; `OwnMapError` where it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise OwnMapError(f"{where}: byte {error.start + 1} is not UTF-8; save the file as UTF-8 anew.") from None


def toml(text: str, where: str) -> dict[str, Any]:
    """Return the content of a TOML file; `OwnMapError` says where it is not valid."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OwnMapError(f"{where}: not valid TOML: {error}.") from None


def require_known(name: object, known: Collection[str], what: str) -> None:
    """Raise `OwnMapError` with the nearest name if `name` is none of `known`."""
    if not isinstance(name, str) or name not in known:
        near = difflib.get_close_matches(str(name), list(known), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise OwnMapError(f"{what} called {name!r} does not exist; known are {', '.join(known)}.{hint}")


_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda v: isinstance(v, str), 'a text in quotes, such as "Close Date"'),
    "flag": (lambda v: isinstance(v, bool), "true or false, without quotes"),
    "whole": (lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number"),
    "list": (
        lambda v: isinstance(v, list) and all(isinstance(i, str) for i in v),
        'a list of texts, such as ["No", "Seller"]',
    ),
    "table": (lambda v: isinstance(v, dict), 'a table, such as { from = "Stage" }'),
    "tables": (
        lambda v: isinstance(v, list) and all(isinstance(i, dict) for i in v),
        "begun by its name in double brackets, once for each",
    ),
    "word": (lambda v: isinstance(v, str | bool), 'a text in quotes, such as "USD", or true or false'),
    "words": (
        lambda v: isinstance(v, dict) and all(isinstance(i, str | bool) for i in v.values()),
        'a table of texts, such as { Gewonnen = "won" }, or of true and false',
    ),
    "texts": (
        lambda v: isinstance(v, dict) and all(isinstance(i, str) for i in v.values()),
        'a table of texts, such as { Gewonnen = "won" }',
    ),
    "lists": (
        lambda v: isinstance(v, dict) and all(_FORMS["list"][0](i) for i in v.values()),
        'lists of texts, such as Id = ["Nr"]',
    ),
}


def require_form(entry: Mapping[str, Any], forms: Mapping[str, str], where: str) -> None:
    """Raise `OwnMapError` if a key of `entry` holds a value of another form than `forms` says."""
    for key, form in forms.items():
        holds, meaning = _FORMS[form]
        if key in entry and not holds(entry[key]):
            raise OwnMapError(f"{where}{key} is {entry[key]!r}; it has to be {meaning}.")


FIELD_KEYS = {"from": "text", "as": "text", "missing": "list", "values": "words", "value": "word", "sql": "text"}
# Columns that name a person are looked up among the users, whatever an export calls people by.
OF_PEOPLE = {"id": "rep", "salesforce_id": "salesforce_rep"}
OF_NAMES = {"salesforce_id": "salesforce_named"}
NAMED_PARENTS = ("account_id", "team_id", "product_id", "campaign_id", "parent_id")


def names_person(column: str) -> bool:
    """Return whether a column of ours holds ids of users."""
    return column.endswith("rep_id") or column == "manager_id"


def _parser(column: str, parser: str, table: str | None) -> str:
    if names_person(column):
        return OF_PEOPLE.get(parser, parser)
    if column in NAMED_PARENTS and table is not None and column != TABLES[table].key[0]:
        return OF_NAMES.get(parser, parser)
    return "ids" if column in ("deal_ids", "company_ids", "contact_ids") and parser == "text" else parser


def _word(value: str | bool) -> str:  # noqa: FBT001  # TOML writes yes and no as it likes
    """Return a value of a map as text, so that ``true`` and ``"true"`` are the same."""
    return str(value).lower() if isinstance(value, bool) else value


def _field(name: str, entry: Any, where: str, table: str | None, *, is_lookup: bool) -> Field:
    if not isinstance(entry, dict):
        raise OwnMapError(
            f"{where}: column {name} is {entry!r}; it has to be a table that says one of from, value and sql, "
            f'such as {name} = {{ from = "Stage" }}.'
        )
    keys = ("from",) if is_lookup else tuple(FIELD_KEYS)
    of_lookup = " (a lookup holds texts as they stand)" if is_lookup else ""
    for key in entry:
        require_known(key, keys, f"{where}: column {name}{of_lookup}: a key")
    if len({"from", "value", "sql"} & set(entry)) != 1:
        raise OwnMapError(f"{where}: column {name} must say exactly one of from, value and sql.")
    require_form(entry, FIELD_KEYS, f"{where}: column {name}: ")
    parser = entry.get("as", "text")
    require_known(parser, parse.PARSERS, f"{where}: column {name}: a way of reading")
    return Field(
        name,
        source=entry.get("from"),
        parser=_parser(name, parser, table),
        missing=tuple(entry.get("missing", ())),
        values=tuple((cell, _word(value)) for cell, value in entry.get("values", {}).items()),
        constant=_word(entry["value"]) if "value" in entry else None,
        sql=entry.get("sql"),
    )


EXPORT_KEYS = {
    "table": "text",
    "lookup": "text",
    "object": "text",
    "needs": "list",
    "lacks": "list",
    "groups": "list",
    "fallback": "flag",
    "columns": "table",
}


def _export(entry: dict[str, Any], content: dict[str, Any], where: str, *, is_own: bool) -> Export:
    for key in entry:
        require_known(key, EXPORT_KEYS, f"{where}: a key of an export")
    called = f" {entry['object']}" if isinstance(entry.get("object"), str) else ""
    require_form(entry, EXPORT_KEYS, f"{where}: export{called}: ")
    table = entry.get("table")
    if table is not None:
        require_known(table, TABLES, f"{where}: a table")
    if not entry.get("object") or not entry.get("needs"):
        raise OwnMapError(f"{where}: an export must say its object and the columns it needs to be recognised by.")
    is_lookup = entry.get("lookup") is not None
    if is_lookup and table is not None:
        raise OwnMapError(f"{where}: export{called} must say one of table and lookup: a lookup fills no table.")
    fields = tuple(_field(n, e, where, table, is_lookup=is_lookup) for n, e in entry.get("columns", {}).items())
    return Export(
        map_name=content.get("name", where),
        object_name=entry["object"],
        needs=tuple(entry["needs"]),
        table=table,
        fields=(*fields, *_lengths(fields)) if is_own and table == "activities" else fields,
        is_fallback=entry.get("fallback", False),
        is_own=is_own,
        lacks=tuple(entry.get("lacks", ())),
        groups=tuple(entry.get("groups", ())),
        lookup=entry.get("lookup"),
        reading=tuple(content.get("reading", {}).items()),
        aliases=tuple((c, tuple(names)) for c, names in content.get("aliases", {}).get(entry["object"], {}).items()),
    )


def _lengths(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return what gives an own map's activities their length where it maps start and end, or a stated length, only."""
    names = {f.name for f in fields}
    if "minutes" in names:
        return ()
    if {"started_at", "ended_at"} <= names:
        length = "date_diff('second', started_at, ended_at) / 60.0"
        whole = f"case when is_all_day then 0 else {length} end" if "is_all_day" in names else length
        return (Field("minutes", sql=whole),)
    return (Field("minutes", sql="stated_minutes"),) if "stated_minutes" in names else ()


PARTS = {"name": "text", "export": "tables", "aliases": "table", "reading": "table"}


def _exports(text: str, where: str, *, is_own: bool) -> list[Export]:
    content = toml(text, where)
    for key in content:
        require_known(key, PARTS, f"{where}: a part")
    require_form(content, PARTS, f"{where}: ")
    require_form(content.get("aliases", {}), dict.fromkeys(content.get("aliases", {}), "lists"), f"{where}: aliases: ")
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
    OwnMapError
        If a map names a table, a key or a way of reading that does not exist.
    """
    own = paths.raw(dataset) / OWN_MAP
    mine = _exports(own_text(own, OWN_MAP), OWN_MAP, is_own=True) if own.is_file() else []
    return [*mine, *_house_exports()]


@functools.cache
def _house_exports() -> tuple[Export, ...]:
    """Return the layouts that ship with the package."""
    files = sorted(resources.files("analysis.crm").joinpath("fields").iterdir(), key=lambda f: f.name)
    return tuple(e for f in files for e in _exports(f.read_text(encoding="utf-8"), f.name, is_own=False))


def reading_of(dataset: str) -> dict[str, Any]:
    """Return what a dataset's own ``fields.toml`` says under ``[reading]`` of notations its exports leave open."""
    own = paths.raw(dataset) / OWN_MAP
    return dict(toml(own_text(own, OWN_MAP), OWN_MAP).get("reading", {})) if own.is_file() else {}


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
        fields=_versioned(cells, export.table, tuple(_field_in(cells, export, f) for f in export.fields)),
        groups=tuple(c for n in export.groups if (c := cells.found(n, export)) is not None),
    )


def _field_in(cells: Header, export: Export, field: Field) -> Field:
    if field.source is None:
        return field
    source = cells.found(field.source, export) or field.source
    also = tuple(cells.parents(source)) if source in cells.exact.values() and "id" in field.name else ()
    return field._replace(source=source, also=also)


# What CRMs call the time a record was last changed, the surest first; the tables whose rules ask for it.
CHANGED_AT = (
    "SystemModstamp", "LastModifiedDate", "hs_lastmodifieddate", "property_hs_lastmodifieddate", "lastmodifieddate",
    "property_lastmodifieddate", "updatedAt", "updated_at", "update_time", "modified_at", "modifiedon", "date_modified",
    "Modified Time", "Last Modified", "Last Modified Date/Time", "Last Modified Time", "Last Modified On", "Last Updated",
    "Last Update Date", "Zuletzt geändert", "Zuletzt geändert am", "Letzte Änderung", "Datum der letzten Änderung",
    "Änderungsdatum", "Fecha de la última modificación", "Fecha de última modificación", "Última modificación",
    "Date de la dernière modification", "Date de dernière modification", "Dernière modification", "Data ultima modifica",
    "Data da última modificação", "Laatst gewijzigd",
)  # fmt: skip
VERSIONED = (
    "opportunities", "accounts", "leads", "activities", "reps", "campaigns", "products", "opportunity_splits",
)  # fmt: skip


def _versioned(cells: Header, table: str | None, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the fields with what says which of several versions of a record holds, if the header has it."""
    mapped = next((f for f in fields if f.name == parse.VERSION), None)
    if table not in VERSIONED or (mapped and (mapped.source is None or mapped.source in cells.exact.values())):
        return fields
    found = next((cell for name in CHANGED_AT if (cell := cells.loose.get(folded(name))) is not None), None)
    others = tuple(f for f in fields if f is not mapped)
    return (*others, Field(parse.VERSION, source=found[0], parser="timestamp")) if found else fields


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


def nearest(header: Iterable[str], known: list[Export], file: str = "") -> str:
    """Say which layout a file comes nearest to and what it lacks.

    Nearest is the layout that knows most of the file's own columns; then the one the file is called
    after, then the one of whose needs the file has the largest share.
    """
    cells = Header(list(header))
    stem = folded(file.partition(".")[0])

    def closeness(export: Export) -> tuple[int, int, float]:
        n_known = len({c for name in _columns_of(export) if (c := cells.found(name, export)) is not None})
        name = folded(export.object_name)
        likeness = 2 * (stem in (name, f"{name}s")) + (name in stem)
        n_needed = sum(cells.found(n, export) is not None for n in export.needs)
        return n_known, likeness, n_needed / len(export.needs)

    best = max((e for e in known if any(cells.found(n, e) is not None for n in e.needs)), key=closeness)
    missing = [n for n in best.needs if cells.found(n, best) is None]
    if not missing:
        clash = [n for n in best.lacks if cells.found(n, best) is not None]
        return f"nearest is {best.object_name} ({best.map_name}), which has no {', '.join(clash)}"
    return f"nearest is {best.object_name} ({best.map_name}), which also needs {', '.join(missing)}"
