"""Which layouts of the field maps a file's header matches.

A map is a TOML file in ``sources/fields``, or a dataset's own ``fields.toml``.  An export is
recognised by its columns, never by its file name; a source is added by adding a map.  One column
goes by many names: ``IsDeleted``, ``is_deleted`` and ``Is Deleted`` are the same, and labels that
are not, in whatever language, stand in the map's alias lists.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from analysis.sources.cells import parsers
from analysis.sources.cells.reading import MappedColumn
from analysis.sources.field_maps import ExportLayout, _columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Header:
    """The cells of a header, found by a column's name.

    As written, else as a label or in snake case.
    """

    def __init__(self, cells: Iterable[str]) -> None:
        self.exact: dict[str, str] = {}
        self.loose: dict[str, list[str]] = {}
        for cell in cells:
            if normalise_header(cell):
                self.exact.setdefault(normalise_header(cell), cell)
                self.loose.setdefault(fold_header(cell), []).append(cell)

    def matching_cell(self, column: str, export: ExportLayout) -> str | None:
        """Return the cell that holds `column` of an export, by its own name or else one of its
        aliases.
        """
        for name in (column, *dict(export.aliases).get(column, ())):
            if (cell := self.exact.get(normalise_header(name))) is not None:
                return cell
            if cells := self.loose.get(fold_header(name)):
                return next((c for c in cells if not is_path(c)), cells[0])
        for path in parent_paths(column):
            if (cell := self.exact.get(normalise_header(path))) is not None:
                return cell
        return None

    def rivals(self, cell: str) -> list[str]:
        """Return all cells that equal `cell` but for case, blanks and punctuation, itself first.

        A path such as ``Owner.Id`` is no spelling of ``OwnerId``: it is a parent's own field.
        """
        return [c for c in self.loose[fold_header(cell)] if is_path(c) == is_path(cell)]

    def parents(self, cell: str) -> list[str]:
        """Return the cells that hold a parent's Id where `cell` is the lookup to it, or the other
        way round.
        """
        if is_path(cell):
            names = [
                fold_header(cell),
                fold_header(re.sub(r"__r[.]id$", "__c", normalise_header(cell))),
            ]
        else:
            names = [fold_header(path) for path in parent_paths(cell)]
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
    if match := re.fullmatch(r"(\w+)_?Id", column.strip(), re.IGNORECASE):
        return [f"{match[1].rstrip('_')}.Id"]
    return (
        [f"{column.strip()[:-3]}__r.Id"]
        if re.fullmatch(r"\w+__c", column.strip(), re.IGNORECASE)
        else []
    )


def normalise_header(column: str) -> str:
    """Return a header cell as columns are compared: outer blanks and case aside."""
    return column.strip().casefold()


@functools.cache
def fold_header(column: str) -> str:
    """Return a header cell as API name, label and snake case share it: letters and digits only.

    Examples
    --------
    >>> {fold_header(name) for name in ("CloseDate", "Close Date", "close_date")}
    {'closedate'}
    """
    return "".join(c for c in column.casefold() if c.isalnum()) or normalise_header(column)


def recognise_layouts(header: Iterable[str], layouts: list[ExportLayout]) -> list[ExportLayout]:
    """Return the layouts of one map that a file with this header has.

    The map with most columns in common.

    Their fields name the columns as this header does.  A dataset's own map wins over the house's.
    """
    cells = Header(header)

    def fits(export: ExportLayout) -> bool:
        return all(cells.matching_cell(n, export) is not None for n in export.needs) and not any(
            cells.matching_cell(n, export) is not None for n in export.lacks
        )

    fitting = [e for e in layouts if fits(e)]
    if not fitting:
        return []

    def in_common(export: ExportLayout) -> tuple[bool, int]:
        return export.is_own, sum(
            cells.matching_cell(c, export) is not None for c in _columns_of(export)
        )

    best = max(fitting, key=in_common)
    return [
        _as_in(cells, e)
        for e in fitting
        if (e.map_name, e.object_name) == (best.map_name, best.object_name)
    ]


def _as_in(cells: Header, export: ExportLayout) -> ExportLayout:
    """Return an export's layout with its columns named as a file's header names them."""
    return export._replace(
        needs=tuple(cells.matching_cell(n, export) or n for n in export.needs),
        fields=_versioned(
            cells, export.table, tuple(_field_in(cells, export, f) for f in export.fields)
        ),
        groups=tuple(c for n in export.groups if (c := cells.matching_cell(n, export)) is not None),
    )


def _field_in(cells: Header, export: ExportLayout, field: MappedColumn) -> MappedColumn:
    if field.source is None:
        return field
    source = cells.matching_cell(field.source, export) or field.source
    also = (
        tuple(cells.parents(source))
        if source in cells.exact.values() and "id" in field.name
        else ()
    )
    return field._replace(source=source, also=also)


# What CRMs call the time a record was last changed, the surest first; the tables whose rules ask
# for it.
CHANGED_AT = (
    "SystemModstamp",
    "LastModifiedDate",
    "hs_lastmodifieddate",
    "property_hs_lastmodifieddate",
    "lastmodifieddate",
    "property_lastmodifieddate",
    "updatedAt",
    "updated_at",
    "update_time",
    "modified_at",
    "modifiedon",
    "date_modified",
    "Modified Time",
    "Last Modified",
    "Last Modified Date/Time",
    "Last Modified Time",
    "Last Modified On",
    "Last Updated",
    "Last Update Date",
    "Zuletzt geändert",
    "Zuletzt geändert am",
    "Letzte Änderung",
    "Datum der letzten Änderung",
    "Änderungsdatum",
    "Fecha de la última modificación",
    "Fecha de última modificación",
    "Última modificación",
    "Date de la dernière modification",
    "Date de dernière modification",
    "Dernière modification",
    "Data ultima modifica",
    "Data da última modificação",
    "Laatst gewijzigd",
)
VERSIONED = (
    "opportunities",
    "accounts",
    "leads",
    "activities",
    "reps",
    "campaigns",
    "products",
    "opportunity_splits",
)


def _versioned(
    cells: Header, table: str | None, fields: tuple[MappedColumn, ...]
) -> tuple[MappedColumn, ...]:
    """Return the fields with what says which of several versions of a record holds, if the header
    has it.
    """
    mapped = next((f for f in fields if f.name == parsers.VERSION), None)
    if table not in VERSIONED or (
        mapped and (mapped.source is None or mapped.source in cells.exact.values())
    ):
        return fields
    version_cell = next(
        (cell for name in CHANGED_AT if (cell := cells.loose.get(fold_header(name))) is not None),
        None,
    )
    others = tuple(f for f in fields if f is not mapped)
    return (
        (*others, MappedColumn(parsers.VERSION, source=version_cell[0], parser="timestamp"))
        if version_cell
        else fields
    )


def twice_named(header: Iterable[str], layouts: Iterable[ExportLayout]) -> list[str]:
    """Return the header's cells that occur twice, or that name one column in two spellings."""
    header = [c for c in header if normalise_header(c)]
    exact = [normalise_header(c) for c in header]
    cells = Header(header)
    spelled = {
        r
        for e in layouts
        for c in _columns_of(e)
        if normalise_header(c) in exact
        for r in cells.rivals(c)[1:]
    }
    return sorted({n for n in exact if exact.count(n) > 1} | {normalise_header(c) for c in spelled})


def layout_nearness(header: Iterable[str], export: ExportLayout) -> float:
    """Return the share of the columns an export needs that a header has."""
    cells = Header(header)
    return sum(cells.matching_cell(n, export) is not None for n in export.needs) / len(export.needs)


def describe_nearest(header: Iterable[str], layouts: list[ExportLayout], file: str = "") -> str:
    """Say which layout a file comes nearest to and what it lacks.

    Nearest is the layout that knows most of the file's own columns; then the one the file is called
    after, then the one of whose needs the file has the largest share.
    """
    cells = Header(list(header))
    stem = fold_header(file.partition(".")[0])

    def closeness(export: ExportLayout) -> tuple[int, int, float]:
        n_known = len(
            {
                c
                for name in _columns_of(export)
                if (c := cells.matching_cell(name, export)) is not None
            }
        )
        name = fold_header(export.object_name)
        likeness = 2 * (stem in (name, f"{name}s")) + (name in stem)
        n_needed = sum(cells.matching_cell(n, export) is not None for n in export.needs)
        return n_known, likeness, n_needed / len(export.needs)

    best = max(
        (e for e in layouts if any(cells.matching_cell(n, e) is not None for n in e.needs)),
        key=closeness,
    )
    missing = [n for n in best.needs if cells.matching_cell(n, best) is None]
    if not missing:
        clash = [n for n in best.lacks if cells.matching_cell(n, best) is not None]
        return f"nearest is {best.object_name} ({best.map_name}), which has no {', '.join(clash)}"
    return f"nearest is {best.object_name} ({best.map_name}), which also needs {', '.join(missing)}"
