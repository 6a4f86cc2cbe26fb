"""A CRM's exports as connectors land them in a warehouse: Fivetran's shape and Airbyte's."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

# Of a simulated company what a CRM holds; all else is kept by hand.
SALESFORCE = (
    "Account", "Campaign", "CampaignMember", "DatedConversionRate", "Event", "EventRelation", "Lead",
    "LeadHistory", "Opportunity", "OpportunityHistory", "Product2", "Task", "User", "UserRole",
)  # fmt: skip
SYNCED_FROM = "2026-10-02T00:00:00Z"  # the first row; a hundredth of a second later each

TYPES = (
    ("boolean", r"true|false"),
    ("timestamptz", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    ("date", r"\d{4}-\d\d-\d\d"),
    ("bigint", r"0|-?[1-9]\d{0,14}"),
    ("double", r"-?(0|[1-9]\d{0,11})(\.\d{1,6})?"),
)


def snake(name: str) -> str:
    """Return a name as Fivetran writes it: ``OpportunityId`` → ``opportunity_id``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"_+", "_", words).lower()


def landed_table(file: Path, shape: str) -> pa.Table:
    """Return an export as a table with types, and with the columns that a connector adds."""
    session = duckdb.connect()
    session.execute("set timezone = 'UTC'")
    session.execute("create table t as select * from read_csv(?, all_varchar = true, header = true)", [str(file)])  # fmt: skip
    columns = [row[0] for row in session.execute("describe t").fetchall()]
    cells = []
    for c in columns:
        kinds = [
            kind
            for kind, pattern in TYPES
            if session.execute(f'select bool_and(regexp_full_match("{c}", \'{pattern}\')) from t where "{c}" <> \'\'').fetchone()[0]
        ]  # fmt: skip
        name = {"fivetran": snake(c), "airbyte": c, "airbyte_hubspot": f"properties_{c}"}[shape]
        cells.append(f'try_cast("{c}" as {kinds[0] if kinds else "varchar"}) as "{name}"')
    time = f"timestamptz '{SYNCED_FROM}' + to_milliseconds(10 * row_number() over ())"
    added = {
        "fivetran": f"{time} as _fivetran_synced, false as _fivetran_deleted",
        "airbyte": f"uuid()::varchar as _airbyte_raw_id, {time} as _airbyte_extracted_at",
    }
    return session.execute(f"select {', '.join(cells)}, {added[shape.partition('_')[0]]} from t").to_arrow_table()  # fmt: skip


def table_name(file: Path, shape: str) -> str:
    """Return what a connector calls the table of an export."""
    return snake(file.stem) if shape == "fivetran" else file.stem


def land_in_sqlite(files: list[Path], database: Path, shape: str = "fivetran") -> None:
    """Write exports into an SQLite file."""
    session = sqlite3.connect(database)
    for file in files:
        table = landed_table(file, shape)
        columns = ", ".join(f'"{name}"' for name in table.column_names)
        session.execute(f'create table "{table_name(file, shape)}" ({columns})')
        rows = [[str(v) if hasattr(v, "isoformat") else v for v in row.values()] for row in table.to_pylist()]  # fmt: skip
        marks = ", ".join("?" for _ in table.column_names)
        session.executemany(f'insert into "{table_name(file, shape)}" values ({marks})', rows)
    session.commit()
    session.close()


def land_in_postgresql(files: list[Path], connection, schema: str, shape: str = "fivetran") -> None:
    """Write exports into a schema of a PostgreSQL server, with primary keys where they hold."""
    with connection.cursor() as cursor:
        cursor.execute(f'create schema "{schema}"')
        for file in files:
            table, name = landed_table(file, shape), table_name(file, shape)
            cursor.adbc_ingest(name, table, mode="create", db_schema_name=schema)
            key = next((c for c in table.column_names if c.lower() == "id"), None)
            if key and len(set(table[key].to_pylist())) == table.num_rows:
                cursor.execute(f'alter table "{schema}"."{name}" add primary key ("{key}")')
    connection.commit()
