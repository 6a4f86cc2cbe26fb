"""The same exports as other people's programs would have saved them.

A folder that `exports` wrote is written anew, cell by cell: dates in another order, another
delimiter, encoding or decimal sign, rows shuffled, files twice or cut by month.  What the files
say stays the same.
"""

from __future__ import annotations

import csv
import re
import shutil
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Order = Literal["year-first", "month-first", "day-first"]
Row = list[str]

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9:.]+)Z)?")
_DECIMAL = re.compile(r"-?[0-9]+[.][0-9]+")
_CUT_BY = {  # the column whose month cuts a file: when its rows were made, which no dirt touches
    "Opportunity": "CreatedDate",
    "Event": "CreatedDate",
    "Task": "CreatedDate",
    "deals": "createdate",
    "meetings": "hs_createdate",
    "tasks": "hs_createdate",
    "calls": "hs_createdate",
}


class Variant(NamedTuple):
    """How the files are saved; the default is how `exports` saves them."""

    dates: Order = "year-first"
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    is_shuffled: bool = False
    is_twice: bool = False
    is_monthly: bool = False


VARIANTS: dict[str, Variant] = {
    "american_spreadsheet": Variant(dates="month-first", encoding="utf-8-sig"),
    "european_spreadsheet": Variant(
        dates="day-first", delimiter=";", decimal=",", encoding="cp1252"
    ),
    "utf16_tab_shuffled": Variant(encoding="utf-16", delimiter="\t", is_shuffled=True),
    "loaded_twice": Variant(is_twice=True),
    "monthly_files": Variant(is_monthly=True),
}


def _dated(order: Order) -> Callable[[str], str]:
    def written(cell: str) -> str:
        match = _DATE.fullmatch(cell)
        return _joined(order, match) if match else cell

    return written


def _joined(order: Order, match: re.Match[str]) -> str:
    year, month, day, clock = match.groups()
    date = f"{month}/{day}/{year}" if order == "month-first" else f"{day}/{month}/{year}"
    return date if clock is None else f"{date} {clock} UTC"


def _with_comma(cell: str) -> str:
    return cell.replace(".", ",") if _DECIMAL.fullmatch(cell) else cell


def _cells(rows: Iterable[Row], variant: Variant) -> list[Row]:
    changes: list[Callable[[str], str]] = []
    if variant.dates != "year-first":
        changes.append(_dated(variant.dates))
    if variant.decimal == ",":
        changes.append(_with_comma)
    rows = list(rows)
    for change in changes:
        rows = [[change(cell) for cell in row] for row in rows]
    return rows


def _parts(name: str, header: Row, rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows by month, or all of them where no column cuts the file."""
    column = _CUT_BY.get(name)
    if column not in header:
        return {name: rows}
    place = header.index(str(column))
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(f"{name}-{row[place][:7].replace('/', '-')}", []).append(row)
    return parts


def rewrite_exports(source: Path, target: Path, variant: Variant, *, seed: int = 1) -> None:
    """Write the exports of the folder `source` into `target` as the variant says.

    Parameters
    ----------
    source : Path
        A folder that `write.write_exports` wrote.
    target : Path
        Made if need be; the truth, the reviews and the dataset's own settings are copied as they
        are.  Where dates are not year first, a ``fields.toml`` says their order, for the files too
        short to show it.
    variant : Variant
        How the files are saved.
    seed : int
        Of the order of shuffled rows.
    """
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        if file.is_dir():
            shutil.copytree(file, target / file.name, dirs_exist_ok=True)
            continue
        if file.suffix != ".csv":
            shutil.copy(file, target)
            continue
        with file.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        if variant.is_shuffled:
            # of its own name, so that a file more leaves the order of the others as it was
            rng = np.random.default_rng([seed, *file.stem.encode()])
            rows = [rows[i] for i in rng.permutation(len(rows)).tolist()]
        parts = _parts(file.stem, header, rows) if variant.is_monthly else {file.stem: rows}
        for name, part in parts.items():
            copies = (name, f"{name} (1)") if variant.is_twice else (name,)
            for copy in copies:
                _write(target / f"{copy}.csv", header, _cells(part, variant), variant)
    if variant.dates != "year-first":
        (target / "fields.toml").write_text(
            f'[reading]\ndate_order = "{variant.dates}"\n', encoding="utf-8"
        )


def _write(file: Path, header: Row, rows: list[Row], variant: Variant) -> None:
    with file.open("w", encoding=variant.encoding, newline="") as stream:
        writer = csv.writer(
            stream,
            delimiter=variant.delimiter,
            lineterminator="\r\n" if variant.delimiter == ";" else "\n",
        )
        writer.writerow(header)
        writer.writerows(rows)
