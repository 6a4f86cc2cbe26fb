"""What no CRM holds, as empty files to fill in: one CSV a table, its columns as the house map reads them."""

from __future__ import annotations

import csv
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from analysis.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

HOUSE_MAP = "house.toml"
README = """# Exports of {dataset}

Put this company's exports into this folder as they are; nothing here is ever edited by alignment-roi.
CRM exports are recognised by their columns, whatever their names. The files below hold what no CRM
knows: fill in what you have and delete the rest. What is missing switches off the questions that need
it, and the report says so.

{files}
Settings of the house stand in `alignment.toml` at the top; a file of that name here overrides them key
by key. `fields.toml` here maps exports of another layout, `rules/<table>.toml` adds rules of your own.
"""


class Template(NamedTuple):
    """A file to fill in: the table it is for and its columns, as the map names them."""

    name: str
    table: str
    columns: tuple[str, ...]


def known() -> list[Template]:
    """Return the files that the house map reads into a table."""
    text = resources.files("analysis.crm").joinpath("fields", HOUSE_MAP).read_text(encoding="utf-8")
    return [
        Template(e["object"], e["table"], tuple(c["from"] for c in e["columns"].values() if "from" in c))
        for e in tomllib.loads(text)["export"]
        if "table" in e
    ]


def write(folder: Path) -> list[Path]:
    """Write a README and the empty templates into a dataset's folder, leaving any file that is there.

    Returns the files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for template in known():
        file = folder / f"{template.name}.csv"
        if not file.exists():
            with file.open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerow(template.columns)
            written.append(file)
    listed = "\n".join(
        f"- `{t.name}.csv`: one row is {TABLES[t.table].row}. Columns: {', '.join(t.columns)}." for t in known()
    )
    readme = folder / "README.md"
    if not readme.exists():
        readme.write_text(README.format(dataset=folder.name, files=listed + "\n"), encoding="utf-8")
        written.append(readme)
    return written
