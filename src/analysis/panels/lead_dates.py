"""A lead and the day it first reached each stage, with the marketing activity that brought it.

The activity is the type of the campaign of the person's first response up to the conversion, else
the lead's source.  Without any touches nobody knows who responded, so no lead has an activity; a
response to a campaign without a type leaves it unknown too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    import duckdb


def make_lead_dates(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the panel ``lead_dates``; needs ``stays_ever`` and the clean tables."""
    connection.execute(read_statements(__name__)["lead_dates"])
