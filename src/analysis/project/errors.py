"""The errors that name what breaks a run, and the checks that raise them: table, rule, how many of
how many, three ids, what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

N_IDS_SHOWN = 3


class CrmDataError(ValueError):
    """Data that breaks a rule: the message says table, rule, how many of how many, and what to do."""  # noqa: E501


class OwnMapError(CrmDataError):
    """A file of the dataset's own, such as a map or rules, that holds something not allowed.

    The message says file, key and what is allowed.
    """


class ClusterError(RuntimeError):
    """A cluster that cannot be used: its address, its certificates, its workers."""


class ExchangeError(RuntimeError):
    """Tables could not be pulled or reports not be sent; what stood before still stands."""


class DatasetBusyError(RuntimeError):
    """Another run works on the dataset."""


def read_utf8(file: Path, name: str, error: type[ValueError]) -> str:
    """Return the text of a file kept by hand; raise `error` where it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as undecodable:
        raise error(
            f"{name}: byte {undecodable.start + 1} is not UTF-8; save the file as UTF-8 anew."
        ) from None


def _ids(index: pd.Index, offending: pd.Series) -> str:
    first_ids = [str(i) for i in index[offending.to_numpy()][:N_IDS_SHOWN]]
    return f"{index.name or 'row'} {', '.join(first_ids)}"


def require_columns(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise `CrmDataError` if `table` lacks one of `columns`."""
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise CrmDataError(
            f"{name}: needs {', '.join(missing)}, but has "
            f"{', '.join(map(str, table.columns)) or 'no columns'}. "
            "Map the export's columns to these names in data/raw/<dataset>/fields.toml."
        )


def require_rows(table: pd.DataFrame, name: str, where: str) -> None:
    """Raise `CrmDataError` if `table` has no row left."""
    if table.empty:
        raise CrmDataError(
            f"{name}: no row {where}. See the audit of `alignment-roi clean` for what was set "
            "aside."
        )


def require_positive(values: pd.Series, name: str) -> None:
    """Raise `CrmDataError` if a value is missing or not above 0; the index names the culprits."""
    offending = ~(values > 0)
    if offending.any():
        raise CrmDataError(
            f"{name}: {values.name} must be above 0, but {int(offending.sum())} of {len(values)} "
            "rows are not "
            f"({_ids(values.index, offending)}).\n"
            f"Fix the rows in the export or leave these out before calling."
        )
