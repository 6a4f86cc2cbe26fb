"""Field maps as data: which column of which export is which canonical column."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import paths
from analysis.project.errors import OwnMapError, read_utf8
from analysis.project.nearest_name import did_you_mean
from analysis.sources import own_sql
from analysis.sources.cells import parsers
from analysis.sources.cells.reading import MappedColumn
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

OWN_MAP = "fields.toml"


class ExportLayout(NamedTuple):
    """One layout of one export: the columns it is recognised by and the table it fills.

    `table` None: the layout is known, but nothing reads it yet.  `is_fallback`: used only where no
    other export fills the table.  `lacks`: columns that say it is another layout after all.
    `groups`: columns that a summary report leaves blank where the group of the row above goes on.
    """

    map_name: str
    object_name: str
    needs: tuple[str, ...]
    table: str | None
    fields: tuple[MappedColumn, ...]
    is_fallback: bool = False
    is_own: bool = False  # of the dataset's own map, which wins over the house's
    lacks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    aliases: tuple[
        tuple[str, tuple[str, ...]], ...
    ] = ()  # other names of a column, the likeliest first
    lookup: str | None = (
        None  # fills no table; the SQL of other exports looks texts up in it by this name
    )
    reading: tuple[
        tuple[str, Any], ...
    ] = ()  # of the map: what its cells may leave open (crm.evidence)


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Return the content of a TOML file; `OwnMapError` says where it is not valid."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise OwnMapError(f"{where}: not valid TOML: {error}.") from None


def require_known(name: object, allowed: Collection[str], what: str) -> None:
    """Raise `OwnMapError` with the nearest name if `name` is none of `allowed`."""
    if not isinstance(name, str) or name not in allowed:
        hint = did_you_mean(name, allowed)
        raise OwnMapError(
            f"{what} called {name!r} does not exist; known are {', '.join(allowed)}.{hint}"
        )


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
    "word": (
        lambda v: isinstance(v, str | bool),
        'a text in quotes, such as "USD", or true or false',
    ),
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


FIELD_KEYS = {
    "from": "text",
    "as": "text",
    "missing": "list",
    "values": "words",
    "value": "word",
    "sql": "text",
}
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
    return (
        "ids"
        if column in ("deal_ids", "company_ids", "contact_ids") and parser == "text"
        else parser
    )


def _word(value: str | bool) -> str:  # noqa: FBT001  # TOML writes yes and no as it likes
    """Return a value of a map as text, so that ``true`` and ``"true"`` are the same."""
    return str(value).lower() if isinstance(value, bool) else value


def _field(
    name: str, entry: Any, where: str, table: str | None, *, is_lookup: bool, look_ups: LookUps
) -> MappedColumn:
    if not isinstance(entry, dict):
        raise OwnMapError(
            f"{where}: column {name} is {entry!r}; it has to be a table that says one of from, "
            "value and sql, "
            f'such as {name} = {{ from = "Stage" }}.'
        )
    keys = ("from",) if is_lookup else tuple(FIELD_KEYS)
    of_lookup = " (a lookup holds texts as they stand)" if is_lookup else ""
    for key in entry:
        require_known(key, keys, f"{where}: column {name}{of_lookup}: a key")
    if len({"from", "value", "sql"} & set(entry)) != 1:
        raise OwnMapError(f"{where}: column {name} must say exactly one of from, value and sql.")
    require_form(entry, FIELD_KEYS, f"{where}: column {name}: ")
    sql = entry.get("sql")
    if sql is not None and look_ups is not None:
        sql = own_sql.read_expression(sql, f"{where}: column {name}: its sql", look_ups).sql
    parser = entry.get("as", "text")
    require_known(parser, parsers.PARSERS, f"{where}: column {name}: a way of reading")
    return MappedColumn(
        name,
        source=entry.get("from"),
        parser=_parser(name, parser, table),
        missing=tuple(entry.get("missing", ())),
        values=tuple((cell, _word(value)) for cell, value in entry.get("values", {}).items()),
        constant=_word(entry["value"]) if "value" in entry else None,
        sql=sql,
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


LookUps = (
    frozenset[str] | None
)  # functions that the lookups of an own map are; None in a map of the house


def _export(
    entry: dict[str, Any], content: dict[str, Any], where: str, look_ups: LookUps
) -> ExportLayout:
    is_own = look_ups is not None
    for key in entry:
        require_known(key, EXPORT_KEYS, f"{where}: a key of an export")
    called = f" {entry['object']}" if isinstance(entry.get("object"), str) else ""
    require_form(entry, EXPORT_KEYS, f"{where}: export{called}: ")
    table = entry.get("table")
    if table is not None:
        require_known(table, TABLES, f"{where}: a table")
    if not entry.get("object") or not entry.get("needs"):
        raise OwnMapError(
            f"{where}: an export must say its object and the columns it needs to be recognised by."
        )
    is_lookup = entry.get("lookup") is not None
    if is_lookup and table is not None:
        raise OwnMapError(
            f"{where}: export{called} must say one of table and lookup: a lookup fills no table."
        )
    if is_own and is_lookup:
        for name in (entry["lookup"], *entry.get("columns", {})):
            own_sql.require_name(name, f"{where}: export{called}: a lookup and its columns")
    fields = tuple(
        _field(n, e, where, table, is_lookup=is_lookup, look_ups=look_ups)
        for n, e in entry.get("columns", {}).items()
    )
    return ExportLayout(
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
        aliases=tuple(
            (c, tuple(names))
            for c, names in content.get("aliases", {}).get(entry["object"], {}).items()
        ),
    )


def _lengths(fields: tuple[MappedColumn, ...]) -> tuple[MappedColumn, ...]:
    """Return what gives an own map's activities their length where it maps start and end, or a
    stated length, only.
    """
    names = {f.name for f in fields}
    if "minutes" in names:
        return ()
    if {"started_at", "ended_at"} <= names:
        length = "date_diff('second', started_at, ended_at) / 60.0"
        whole = (
            f"case when is_all_day then 0 else {length} end" if "is_all_day" in names else length
        )
        return (MappedColumn("minutes", sql=whole),)
    return (MappedColumn("minutes", sql="stated_minutes"),) if "stated_minutes" in names else ()


def _look_ups(content: dict[str, Any], where: str) -> frozenset[str]:
    """Return the functions by which an own map's SQL finds what its lookups hold."""
    names = [
        own_sql.look_up_function(entry["lookup"], column)
        for entry in content.get("export", [])
        if isinstance(entry.get("lookup"), str) and isinstance(entry.get("columns"), dict)
        for column in list(entry["columns"])[1:]
    ]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise OwnMapError(
            f"{where}: two columns of lookups would both be called {twice}; rename one."
        )
    return frozenset(names)


PARTS = {"name": "text", "export": "tables", "aliases": "table", "reading": "table"}


def _exports(text: str, where: str, *, is_own: bool) -> list[ExportLayout]:
    content = parse_toml(text, where)
    for key in content:
        require_known(key, PARTS, f"{where}: a part")
    require_form(content, PARTS, f"{where}: ")
    require_form(
        content.get("aliases", {}),
        dict.fromkeys(content.get("aliases", {}), "lists"),
        f"{where}: aliases: ",
    )
    exports = [
        _export(entry, content, where, _look_ups(content, where) if is_own else None)
        for entry in content.get("export", [])
    ]
    for object_name, names in content.get("aliases", {}).items():
        require_known(object_name, {e.object_name for e in exports}, f"{where}: aliases: an object")
        used = {c for e in exports if e.object_name == object_name for c in _columns_of(e)}
        for column in names:
            require_known(column, sorted(used), f"{where}: aliases of {object_name}: a column")
    return exports


def _columns_of(export: ExportLayout) -> list[str]:
    """Return every column of the export that its map speaks of, once."""
    return list(
        dict.fromkeys(
            [*export.needs, *(f.source for f in export.fields if f.source), *export.groups]
        )
    )


def exports_known(dataset: str) -> list[ExportLayout]:
    """Return every layout known for a dataset: its own map first, then those of the house.

    Raises
    ------
    OwnMapError
        If a map names a table, a key or a way of reading that does not exist.
    """
    own = paths.own_file(dataset, OWN_MAP)
    mine = _exports(read_utf8(own, OWN_MAP, OwnMapError), OWN_MAP, is_own=True) if own else []
    return [*mine, *_house_exports()]


@functools.cache
def _house_exports() -> tuple[ExportLayout, ...]:
    """Return the layouts that ship with the package."""
    files = sorted(
        resources.files("analysis.sources").joinpath("fields").iterdir(), key=lambda f: f.name
    )
    return tuple(
        e for f in files for e in _exports(f.read_text(encoding="utf-8"), f.name, is_own=False)
    )


def reading_of(dataset: str) -> dict[str, Any]:
    """Return what a dataset's own ``fields.toml`` says under ``[reading]`` of notations its exports
    leave open.
    """
    own = paths.own_file(dataset, OWN_MAP)
    return (
        dict(parse_toml(read_utf8(own, OWN_MAP, OwnMapError), OWN_MAP).get("reading", {}))
        if own
        else {}
    )
