"""Which tables of a warehouse are CRM tables as a connector lands them, and what of them is read.

A table is known by its columns, its name and the columns that connectors add, such as
``_fivetran_synced``.  Only columns that a map reads leave the warehouse: no text of an e-mail, no
note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.project.errors import ExchangeError
from analysis.sources import recognise
from analysis.sources.warehouse import may_hold_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.sources.field_maps import ExportLayout
    from analysis.sources.warehouse import Relation

# When a connector wrote a row, which is later than any change of it, also of its mark of deletion.
WRITTEN_AT = ("_fivetran_synced", "_airbyte_extracted_at", "_airbyte_emitted_at")
DELETED = ("_fivetran_deleted", "_ab_cdc_deleted_at")
OF_VERSIONS = "_fivetran_active"  # a connector's history mode: several states of each record
SPAN = ("_fivetran_start", "_fivetran_end", "_fivetran_active")  # of a version
OF_AIRBYTE = "properties_"  # how Airbyte flattens what HubSpot holds as properties
MOST_NAMED = 5


class Source(NamedTuple):
    """A table to pull: where it stands, what it is, and which of its columns are read.

    `renamed` says what a column is called in the file where that is not its own name;
    `deleted_column` is the one that a map reads a deletion from, None where none does.
    """

    file: str
    object_name: str
    map_name: str
    relation: Relation
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    changed_at: str | None
    mark: str | None
    deleted_column: str | None
    renamed: tuple[tuple[str, str], ...] = ()


class TableSurvey(NamedTuple):
    """What of a warehouse is pulled, and what of the connectors' tables is not, with the reason."""

    sources: list[Source]
    left: list[tuple[str, str]]


def survey_relations(
    relations: Sequence[Relation], layouts: list[ExportLayout], schema: str | None
) -> TableSurvey:
    """Return which tables are CRM tables of a connector, in the schema named or the only one.

    Raises
    ------
    ExchangeError
        If there is no such schema, none holds CRM tables, or several do.
    """
    schemas = {r.schema for r in relations}
    if schema is not None and schema not in schemas:
        raise ExchangeError(
            f"the connection shows no schema {schema!r} with a table that its user may read; it "
            f"shows {_some(schemas)}."
        )
    landed = [
        r for r in relations if schema in (None, r.schema) and set(WRITTEN_AT) & _small(r.header)
    ]
    source_of: dict[tuple[str, str], Source] = {}
    left: list[tuple[str, str]] = []
    for relation in landed:
        source, why = _source_of(relation, layouts)
        if source is None:
            left.append((relation.label, why))
        elif (rival := source_of.get((relation.schema, source.file))) is None:
            source_of[relation.schema, source.file] = source
        else:
            raise ExchangeError(
                f"{relation.label} and {rival.relation.label} are both {source.object_name}; "
                "rename one, or let the connection's user see only one."
            )
    holding = {at for at, _ in source_of}
    if len(holding) > 1:
        raise ExchangeError(
            f"CRM tables stand in several schemas ({_some(holding)}): say which one by schema "
            "under [pull]."
        )
    return TableSurvey(list(source_of.values()), left)


def _source_of(relation: Relation, layouts: list[ExportLayout]) -> tuple[Source | None, str]:
    names = _names_in_file(relation.header)
    header = tuple(names[column] for column in relation.header)
    same_name = [e for e in layouts if _is_called(relation.name, e.object_name)]
    layouts_here = recognise.recognise_layouts(header, same_name)
    read = [e for e in layouts_here if e.table or e.lookup]
    if not read:
        reason = "nothing reads it yet" if layouts_here else _why_unknown(header, same_name)
        return None, reason
    if OF_VERSIONS in _small(relation.header) and not any(
        column.startswith(SPAN) for e in read for column in (*e.needs, *_sources(e))
    ):
        return None, "several versions of each record: switch the connector's history mode off"
    if twice := recognise.twice_named(header, read):
        return None, f"two of its columns are called {', '.join(twice[:MOST_NAMED])}"
    first = read[0]
    wanted = _wanted_columns(header, read) | {names[k] for k in relation.key if k.startswith("_")}
    columns = tuple(c for c in relation.columns if names[c[0]] in wanted)
    if _identity(recognise.recognise_layouts([names[c] for c, _ in columns], layouts)) != (
        first.map_name,
        first.object_name,
    ):  # what it is told from by columns that are not there
        columns = relation.columns
    if not set(relation.key) <= {c for c, _ in columns}:  # it would be known by what stays there
        relation = relation._replace(key=(), is_key_certain=False)
    small = {c.casefold(): c for c in relation.header}
    changed = next((small[c] for c in WRITTEN_AT if c in small), None)
    kinds = dict(relation.columns)
    return Source(
        _snake(first.object_name),
        first.object_name,
        first.map_name,
        relation,
        columns,
        relation.key or _mapped_key(relation.header, names, read),
        changed if changed and may_hold_times(kinds[changed]) else _other_time(relation, names),
        next((small[c] for c in DELETED if c in small), None),
        _deleted_column(read),
        tuple((c, names[c]) for c, _ in columns if names[c] != c),
    ), ""


def _why_unknown(header: Sequence[str], same_name: list[ExportLayout]) -> str:
    if not same_name:
        return "no table of that name is read"
    if not any(recognise.layout_nearness(header, e) for e in same_name):
        return "it has none of the columns that such a table is known by"
    return recognise.describe_nearest(header, same_name)


def _identity(layouts: Sequence[ExportLayout]) -> tuple[str, str] | None:
    return (layouts[0].map_name, layouts[0].object_name) if layouts else None


def _names_in_file(header: Iterable[str]) -> dict[str, str]:
    """Return what each column is called in the file: its own name, or that of the property."""
    header = tuple(header)
    plain = {c for c in header if not c.startswith(OF_AIRBYTE)}
    return {
        c: short
        if c.startswith(OF_AIRBYTE) and (short := c.removeprefix(OF_AIRBYTE)) not in {*plain, ""}
        else c
        for c in header
    }


def _is_called(name: str, object_name: str) -> bool:
    """Return whether a table bears an object's name: case, underscores and a plural aside."""
    one, other = recognise.fold_header(name), recognise.fold_header(object_name)
    forms = {other, f"{other}s", f"{other[:-1]}ies" if other.endswith("y") else other}
    return one in forms or one in {f"engagements{form}" for form in forms}


def _wanted_columns(header: Sequence[str], layouts: Sequence[ExportLayout]) -> set[str]:
    """Return the columns that a map reads, recognises a table by or tells versions by."""
    cells = recognise.Header(header)
    wanted = {
        cell
        for e in layouts
        for name in (*e.needs, *e.groups, *_sources(e))
        if (cell := cells.matching_cell(name, e)) is not None
    }
    wanted |= {c for c in header if c.casefold() in {*WRITTEN_AT, *DELETED} or c.casefold() == "id"}
    changed = {recognise.fold_header(name) for name in recognise.CHANGED_AT}
    return wanted | {c for c in header if recognise.fold_header(c) in changed}


def _sources(layout: ExportLayout) -> list[str]:
    return [name for f in layout.fields for name in (f.source, *f.also) if name]


def _mapped_key(
    header: Sequence[str], names: dict[str, str], layouts: Sequence[ExportLayout]
) -> tuple[str, ...]:
    """Return the column that tells records apart where the table names no primary key."""
    small = {names[c].casefold(): c for c in header}
    if "id" in small:
        return (small["id"],)
    first = next((f.source for e in layouts for f in e.fields if f.source), None)
    return (small[first.casefold()],) if first and first.casefold() in small else ()


def _other_time(relation: Relation, names: dict[str, str]) -> str | None:
    """Return the CRM's own time of the last change, where the connector's is none."""
    of_name = {
        recognise.fold_header(names[c]): c for c, kind in relation.columns if may_hold_times(kind)
    }
    return next(
        (
            of_name[fold]
            for c in recognise.CHANGED_AT
            if (fold := recognise.fold_header(c)) in of_name
        ),
        None,
    )


def _deleted_column(layouts: Sequence[ExportLayout]) -> str | None:
    return next(
        (f.source for e in layouts for f in e.fields if f.name == "is_deleted" and f.source), None
    )


def _snake(name: str) -> str:
    """Return an object's name as a file is called: ``OpportunityHistory`` → ``opportunity_history``.

    Examples
    --------
    >>> _snake("OpportunityHistory"), _snake("deal_company"), _snake("Product2")
    ('opportunity_history', 'deal_company', 'product2')
    """
    words = "".join(
        f"_{c}" if c.isupper() and n and not name[n - 1].isupper() else c
        for n, c in enumerate(name)
    )
    return "".join(c if c.isalnum() else "_" for c in words.lower()).strip("_")


def _small(header: Iterable[str]) -> set[str]:
    return {c.casefold() for c in header}


def _some(names: Iterable[str]) -> str:
    ordered = sorted(name for name in names if name)
    more = f" and {len(ordered) - MOST_NAMED} more" if len(ordered) > MOST_NAMED else ""
    return f"{', '.join(ordered[:MOST_NAMED])}{more}" or "none"
