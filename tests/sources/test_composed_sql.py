"""Statements put together by tables and columns."""

import re
from pathlib import Path

import duckdb

import analysis
from analysis.sources import composed_sql, database, typed_tables


def test_a_column_that_nothing_fills_is_there_and_cannot_be_written():
    """Ten million blank cells of thirty columns would take four gigabytes."""
    with duckdb.connect() as connection:
        types = {"who": "varchar", "day": "date"}
        composed_sql.create_empty_table(connection, "t", types, is_temporary=True, blank={"day"})
        connection.execute("insert into t by name select 'a' as who")
        assert connection.execute("select * from t").fetchall() == [("a", None)]
        assert composed_sql.blank_columns(connection, "t") == {"day": "DATE"}
        connection.execute("create table new_values as select 'a' as old_value, 'b' as new_value")
        database.replace_values(connection, "t", "who")
        database.replace_values(connection, "t", "day")
        assert connection.execute("select who from t").fetchall() == [("b",)]


def test_every_table_that_a_later_step_writes_to_keeps_all_its_columns():
    """Where no export fills a column, a step that fills it would find that it cannot be written."""
    files = Path(analysis.__file__).parent.rglob("*.sql")
    written = {
        name
        for f in files
        for name in re.findall(r"^update parsed_(\w+)", f.read_text("utf-8"), re.MULTILINE)
    }
    assert written == set(typed_tables.WRITTEN_LATER)
