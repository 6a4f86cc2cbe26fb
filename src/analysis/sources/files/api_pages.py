"""Answers of an API that say they are one page of several: complete only with the other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.sources.composed_sql import query_text
from analysis.sources.database import quote_identifier
from analysis.sources.files import report_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from analysis.sources import field_maps
    from analysis.sources.files.json_records import Page


class Part(NamedTuple):
    """One file of an API's answers: its rows, and what it says of itself."""

    file: str
    text_table: str
    header: tuple[str, ...]
    layouts: tuple[field_maps.ExportLayout, ...]
    page: Page


def _n_distinct(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> int:
    """Return how many records several files hold, one that stands in two counted once."""
    keys = [(p, report_layout.key_of(p.layouts, p.header)) for p in parts]
    if any(key is None for _, key in keys):
        return sum(p.page.n_records for p in parts)
    texts = " union ".join(
        query_text([f"c{key}"], quote_identifier(p.text_table)) for p, key in keys
    )
    row = connection.execute(query_text(["count(*)"], f"({texts})")).fetchone()
    return int(row[0]) if row else 0


def incomplete_files(
    connection: duckdb.DuckDBPyConnection, parts: Sequence[Part]
) -> dict[str, str]:
    """Return the files that say there are more records than the folder holds of their object, and
    why.
    """
    objects: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        first = part.layouts[0]
        objects.setdefault((first.map_name, first.object_name), []).append(part)
    reasons: dict[str, str] = {}
    for several in objects.values():
        doubtful = [p for p in several if p.page.is_more or (p.page.total or 0) > p.page.n_records]
        total = max((p.page.total or 0 for p in several), default=0)
        n_found = _n_distinct(connection, several) if doubtful else 0
        has_end = any(p.page.has_end and not p.page.is_more for p in several)
        if not doubtful or (n_found >= total if total else has_end):
            continue
        of = (
            f"{n_found:,} of {total:,} records"
            if total
            else f"{n_found:,} records and says that more follow"
        )
        where = "the folder holds" if len(several) > 1 else "it holds"
        for part in doubtful:
            reasons[part.file] = (
                f"{where} {of}: put all pages of the export into the folder, or export it anew"
            )
    return reasons
