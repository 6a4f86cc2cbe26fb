"""Rows of the request log, every column there, each missing unless a test says otherwise."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from analysis.chapters.marketing_requests import request_log
from analysis.tables.canonical import TABLES

END = dt.date(2026, 10, 1)


def requests(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return rows of ``marketing_requests``; what a row does not state is missing."""
    names = [c.name for c in TABLES["marketing_requests"].columns]
    blank = dict.fromkeys(names)
    first = {"team_id": "A", "asked_on": dt.date(2026, 7, 1)}
    return pd.DataFrame(
        [{**blank, **first, "request_id": f"r{i + 1}", **row} for i, row in enumerate(rows)],
        columns=names,
    )


def log_of(*rows: dict[str, Any], records: Any = None) -> pd.DataFrame:
    """Return the request log of rows as of the quarter's end."""
    return request_log.request_log(requests(*rows), records or {}, day_after=END)
