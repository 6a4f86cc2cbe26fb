"""SQL that stands in a file beside the module that runs it.

``references.py`` runs what ``references.sql`` holds.  A line ``-- name: rows_by_file`` begins each
statement, or the few that belong together.  Nothing is put into the text: values are bound, and so
are the names of tables and columns, by ``query_table($table)`` and ``columns([$column])``.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@functools.cache
def read_statements(module: str) -> Mapping[str, str]:
    """Return by name the statements of the file beside `module`, which is called as it is."""
    package, _, stem = module.rpartition(".")
    text = resources.files(package).joinpath(f"{stem}.sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    statements = (part.strip().removesuffix(";") for part in parts[1::2])
    return dict(zip(parts[::2], statements, strict=True))
