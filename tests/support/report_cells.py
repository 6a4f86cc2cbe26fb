"""Executed notebooks by hand: cells, outputs as `show` leaves them, and the document made of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from analysis.report import document
from analysis.stats.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analysis.report.document import Document

AS_OF = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    "#panic()",
    "$x$ and $y$",
    '=HYPERLINK("http://e.vil","x")',
    "../../etc/passwd",
    "'; drop table reps; --",
    "*bold* _it_ [a](b) `c`",
    "東京 \u202egnp\x1b 🚀",
]
NAN = float("nan")


def outputs(call: Callable[..., None], *args: object, **kwargs: object) -> list[dict[str, object]]:
    """Return what a call of `show` leaves in an executed notebook, as it is stored there."""
    InteractiveShell.instance()
    with capture_output() as got:
        call(*args, **kwargs)
    return [
        {
            "output_type": "display_data",
            "metadata": json.loads(json.dumps(rich.metadata)),
            "data": json.loads(json.dumps(rich.data)),
        }
        for rich in got.outputs
    ]


def said(source: str) -> dict[str, object]:
    """Return a markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def ran(*shown: list[dict[str, object]], tags: tuple[str, ...] = ()) -> dict[str, object]:
    """Return an executed code cell with these outputs."""
    together = [output for outputs_ in shown for output in outputs_]
    metadata = {"tags": list(tags)}
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": "x = 1",
        "execution_count": 1,
        "outputs": together,
    }


def shows(call: Callable[..., None], *args: object, **kwargs: object) -> dict[str, object]:
    """Return an executed code cell that calls `show` once."""
    return ran(outputs(call, *args, **kwargs))


def write(folder: Path, name: str, *cells: dict[str, object]) -> Path:
    """Write a notebook of these cells."""
    path = folder / name
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": list(cells)})
    )
    return path


def result(name: str, *numbers: float, unit: str, **more: object) -> Result:
    """Return a result of estimate, low and high."""
    rest = {
        "n": 118,
        "n_of": "reps",
        "method": "ratio of sums",
        "source": "CRM activities, compensation",
    }
    return Result(name, *numbers, unit=unit, **(rest | more))


def compiled(*notebooks: Path, **more: object) -> Document:
    """Return the document of these notebooks for Northwind's third quarter."""
    given = {
        "title": "Does working as one pay?",
        "company": "Northwind Instruments",
        "owner": "Revenue Operations",
        "audience": "the leadership team",
        "quarter_label": "2026Q3 (fiscal)",
        "as_of": "5 October 2026",
        "notices": [],
        "facts": {"run_id": "7f3a91c2"},
        "missing": [],
    }
    return document.make_document(list(notebooks), **(given | more))
