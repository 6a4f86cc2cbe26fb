"""Tables from a real PostgreSQL server: the same figures as from CSV files, and how fast.

The simulated company's CRM files are landed in a server of the script's own, in the shapes of two
connectors (Salesforce by Fivetran and by Airbyte, HubSpot by Airbyte), pulled and cleaned: every
clean table and panel is compared with that of the CSV files, cell by cell.  `--reports` makes the
reports too and compares their headline metrics.  Then a million activities are pulled and written
by `COPY ... TO` in turns.

    python benchmarks/pull.py [--json] [--teams 24] [--quarters 12] [--turns 5] [--reports]

It needs PostgreSQL (Debian: postgresql) and the drivers of requirements-warehouse.lock.
"""

# ruff: noqa: PLC0415, E402, E501  # the project's root is chosen before the package is imported
from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

import connector_landing
import postgres_server

SHAPES = {"fivetran": "salesforce", "airbyte": "salesforce", "airbyte_hubspot": "hubspot"}
OF_HUBSPOT = ("companies", "deals", "meetings", "calls", "emails", "tasks", "contacts", "campaigns", "products", "users", "leads")  # fmt: skip
REACH = 2.5  # times COPY ... TO a file
MILLION = """create table {schema}.event as select
  '00U' || lpad(to_hex(i), 15, '0') as id, 'Client meeting ' || i % 97 as subject,
  timestamptz '2023-10-02 12:30+00' + i * interval '1 minute' as start_date_time,
  timestamptz '2023-10-02 13:30+00' + i * interval '1 minute' as end_date_time,
  60::bigint as duration_in_minutes, false as is_all_day_event, false as is_recurrence,
  'Busy'::text as show_as, 'Event'::text as event_subtype,
  '006' || lpad(to_hex(i % 50000), 15, '0') as what_id, null::text as who_id,
  '005' || lpad(to_hex(i % 300), 15, '0') as owner_id,
  timestamptz '2023-09-25 01:53:11+00' + i * interval '1 minute' as created_date,
  false as is_deleted, timestamptz '2024-10-02 12:30+00' + i * interval '1 minute' as _fivetran_synced,
  false as _fivetran_deleted from generate_series(1, 1000000) i"""


def _project(root: Path, port: int, teams: int, quarters: int) -> None:
    from analysis.simulate.exports import write
    from analysis.simulate.world.company_parameters import SimulatedCompany

    (root / "data" / "raw").mkdir(parents=True)
    (root / "notebooks").symlink_to(HERE.parent / "notebooks")
    names = [*SHAPES, "million"]
    (root / "alignment.toml").write_text(
        (HERE.parent / "alignment.toml").read_text()
        + f'[connections.warehouse]\ndriver = "postgresql"\nhost = "127.0.0.1"\nport = {port}\n'
        f'database = "postgres"\nuser = "{postgres_server.USER}"\ndatasets = {json.dumps(names)}\n'
    )
    company = SimulatedCompany(n_teams=teams, n_quarters=quarters)
    for layout in ("salesforce", "hubspot"):
        write.write_exports(company, root / "data" / "raw" / layout, layout=layout)


def _crm_files(folder: Path, layout: str) -> list[Path]:
    names = connector_landing.SALESFORCE if layout == "salesforce" else OF_HUBSPOT
    return [file for name in names if (file := folder / f"{name}.csv").is_file()]


def _land(connection: object, root: Path, shape: str) -> None:
    """Put the CRM's files of a company into the server and the rest into a dataset that pulls."""
    layout = SHAPES[shape]
    origin, folder = root / "data" / "raw" / layout, root / "data" / "raw" / shape
    files = _crm_files(origin, layout)
    connector_landing.land_in_postgresql(files, connection, shape, shape)
    shutil.copytree(origin, folder, ignore=lambda _, names: {f.name for f in files} & set(names))
    key = (
        root / "data" / "history" / layout / "pseudonyms.key"
    )  # the same people under the same ids
    (root / "data" / "history" / shape).mkdir()
    shutil.copy(key, root / "data" / "history" / shape)
    own = folder / "alignment.toml"
    own.write_text(own.read_text() + f'[pull]\nconnection = "warehouse"\nschema = "{shape}"\n')


def _n_different(one: str, other: str) -> int:
    """Return how many clean tables and panels of two datasets are not the same rows."""
    import duckdb

    from analysis.project import paths
    from analysis.tables.canonical import TABLES
    from analysis.tables.panel_tables import PANELS

    session, different = duckdb.connect(), 0
    for name in (*TABLES, *PANELS, "quarters"):
        a, b = (f"read_parquet('{paths.processed_folder(d)}/{name}.parquet')" for d in (one, other))
        columns = [r[0] for r in session.execute(f"describe from {a}").fetchall()]
        cells = ", ".join(f'"{c}"' for c in columns if c not in {"source_file", "source_row"})
        more, less = (
            session.execute(
                f"select count(*) from (select {cells} from {x} except all select {cells} from {y})"
            ).fetchone()
            for x, y in ((a, b), (b, a))
        )
        if more[0] or less[0]:
            different += 1
            print(
                f"  {one} and {other}: {name}: {more[0]:,} and {less[0]:,} rows are not the other's"
            )
    return different


def _metrics(dataset: str) -> dict[str, object]:
    from analysis.project import paths

    subprocess.run([sys.executable, "-c", "from analysis.cli import main; main()", "report", dataset], check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    [file] = paths.reports_folder().glob(f"{dataset}/*/manifest.json")
    content = json.loads(file.read_text())
    return {"metrics": content["metrics"], "questions": content["questions"]}


def compare_roads(connection: object, root: Path, *, reports: bool) -> list[dict[str, object]]:
    """Return a row a shape: rows pulled, tables that differ from the CSV files', seconds."""
    from analysis.store import processed, pull

    rows, metrics = [], {}
    for layout in ("salesforce", "hubspot"):
        processed.prepare_dataset(layout)
        metrics[layout] = _metrics(layout) if reports else {}
    for shape, layout in SHAPES.items():
        _land(connection, root, shape)
        start = time.perf_counter()
        record = pull.pull_dataset(shape, say=lambda _: None)
        wall = time.perf_counter() - start
        processed.prepare_dataset(shape)
        again = pull.pull_dataset(shape, say=lambda _: None)
        different = _n_different(shape, layout)
        figures = "not made" if not reports else "equal" if _metrics(shape) == metrics[layout] else "other"  # fmt: skip
        rows.append({"work": "roads", "who": shape, "rows": sum(t.n_rows for t in record.tables), "wall_s": round(wall, 2),
                     "equal": different == 0, "n_metrics": len(metrics[layout].get("metrics", ())), "metrics": figures,
                     "read_again": sum(t.n_read for t in again.tables)})  # fmt: skip
    return rows


def time_million(connection, root: Path, turns: int) -> list[dict[str, object]]:
    """Return the medians of `COPY ... TO` and of a pull of a million activities."""
    from analysis.store import pull

    folder = root / "data" / "raw" / "million"
    folder.mkdir()
    (folder / "alignment.toml").write_text('[pull]\nconnection = "warehouse"\nschema = "million"\n')
    with connection.cursor() as cursor:
        cursor.execute("create schema million")
        cursor.execute(MILLION.format(schema="million"))
        cursor.execute("alter table million.event add primary key (id)")
        connection.commit()
        walls: dict[str, list[float]] = {"COPY ... TO": [], "pull": []}
        for _ in range(turns):
            start = time.perf_counter()
            cursor.execute(f"copy million.event to '{root.parent}/copy.txt'")
            walls["COPY ... TO"].append(time.perf_counter() - start)
            connection.commit()
            start = time.perf_counter()
            pull.pull_dataset("million", full=True, say=lambda _: None)
            walls["pull"].append(time.perf_counter() - start)
        cursor.execute(
            "update million.event set subject = 'Demo', _fivetran_synced = now() - interval '1 day'"
            " where id in (select id from million.event order by id limit 1000)"
        )
        connection.commit()
        start = time.perf_counter()
        [changed] = pull.pull_dataset("million", say=lambda _: None).tables
        wall_changed = time.perf_counter() - start
    medians = {who: statistics.median(each) for who, each in walls.items()}
    times = medians["pull"] / medians["COPY ... TO"]
    return [
        {"work": "a million activities", "who": who, "rows": 1_000_000, "wall_s": round(wall, 2),
         "times_copy": round(times, 2) if who == "pull" else 1.0}
        for who, wall in medians.items()
    ] + [{"work": "a million activities", "who": "second pull, 1,000 changed", "rows": changed.n_read, "wall_s": round(wall_changed, 2)}]  # fmt: skip


def main() -> None:
    """Print the tables; exit 1 where a figure differs or the reach is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--teams", type=int, default=24)
    parser.add_argument("--quarters", type=int, default=12)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--reports", action="store_true")
    asked = parser.parse_args()
    if why := postgres_server.why_no_server():
        sys.exit(f"not run: {why}")
    import adbc_driver_postgresql.dbapi as driver

    os.environ["PGPASSWORD"] = postgres_server.PASSWORD
    with postgres_server.running_server() as server, tempfile.TemporaryDirectory() as name:
        root = Path(name) / "project"
        os.environ["ALIGNMENT_ROI_ROOT"] = str(root)
        _project(root, server.port, asked.teams, asked.quarters)
        server.folder.chmod(0o755)
        Path(name).chmod(0o777)
        with driver.connect(
            f"postgresql://{postgres_server.USER}@127.0.0.1:{server.port}/postgres"
        ) as connection:
            rows = compare_roads(connection, root, reports=asked.reports)
            rows += time_million(connection, root, asked.turns)
    for row in rows:
        print(json.dumps(row) if asked.json else "  ".join(f"{k} {v}" for k, v in row.items()))
    times = next(r["times_copy"] for r in rows if r["who"] == "pull")
    sys.exit(not all(r.get("equal", True) for r in rows) or times > REACH)


if __name__ == "__main__":
    main()
