"""Statements put together by tables and columns."""

import duckdb

from analysis.sources import composed_sql, database


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
