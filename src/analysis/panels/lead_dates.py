"""A lead and the day it first reached each stage, with the marketing activity that brought it.

The activity is the type of the campaign of the person's first response up to the conversion, else
the lead's source.  Without any touches nobody knows who responded, so no lead has an activity; a
response to a campaign without a type leaves it unknown too.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def make_lead_dates(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the panel ``lead_dates``; needs ``stays_ever`` and the clean tables."""
    connection.execute(
        resources.files("analysis.panels").joinpath("lead_dates.sql").read_text(encoding="utf-8")
    )
