"""Cleaning: the same job in DuckDB SQL and in plain pandas, beside parsing the bytes and our full
rule set.

The job: check and quarantine activities, drop exact and near repeats, make 18-character ids, unite
intervals per rep and day, sum to a panel of rep and week with the team of the week, bookings, cycle
and leads, and grow it to team and quarter.  Each contender runs in a process of its own, one after
the other in each turn; CPU and peak memory are the process's as the kernel counts them.  `equal`
holds the four output tables against the pandas ones by row count and hash.  "full rules" is what
`alignment-roi clean` does with the same files, every rule and panel included; it has other outputs.

    python benchmarks/clean.py [--json] [--rows 1000000 10000000] [--turns 1]
"""

# ruff: noqa: PLC0415  # a contender is loaded in its own process, so that memory is its own
from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import crm_rows
import duckdb

HERE = Path(__file__).parent
CONTENDERS = ("bytes", "duckdb", "pandas", "full rules")
REACH = {
    "cpu_s": 0.45,
    "wall_s": 0.25,
    "peak_mib": 0.5,
}  # ours over pandas at 10 M: design.md section 6
MOST_MIB = 3_072
OUTPUTS = {
    "activities_clean": "id, rep_id, account_id, type, start_s::bigint, minutes::bigint, source",
    "quarantine": "id, rep_id, account_id, type, start_utc, duration_min, source, reason",
    "panel": "rep_id, week::date, selling_s::bigint, n_activities::bigint, cents::bigint, n_won::bigint, "  # noqa: E501
    "cycle_s::bigint, n_leads::bigint, n_converted::bigint, team_id, segment",
    "team_quarter": (
        "team_id, quarter::date, cents::bigint, selling_s::bigint, round(growth, 9)::decimal(18, 9)"
    ),
}
MAP = """
name = "benchmark rows"
[[export]]
table = "activities"
object = "activities"
needs = ["id", "rep_id", "type", "start_utc", "duration_min"]
[export.columns]
activity_id = { from = "id", as = "salesforce_id" }
rep_id = { from = "rep_id", as = "salesforce_id" }
account_id = { from = "account_id", as = "salesforce_id" }
kind = { value = "event" }
subject = { from = "type" }
started_at = { from = "start_utc", as = "timestamp" }
minutes = { from = "duration_min", as = "number" }
[[export]]
table = "reps"
object = "reps"
needs = ["rep_id", "team_id", "valid_from", "valid_to", "segment"]
[export.columns]
rep_id = { from = "rep_id", as = "salesforce_id" }
[[export]]
table = "rep_team_history"
object = "reps"
needs = ["rep_id", "team_id", "valid_from", "valid_to", "segment"]
[export.columns]
rep_id = { from = "rep_id", as = "salesforce_id" }
team_id = { from = "team_id", as = "id" }
valid_from = { from = "valid_from", as = "date" }
valid_to = { from = "valid_to", as = "date" }
[[export]]
table = "teams"
object = "reps"
needs = ["rep_id", "team_id", "valid_from", "valid_to", "segment"]
[export.columns]
team_id = { from = "team_id", as = "id" }
team_name = { from = "team_id" }
[[export]]
table = "opportunities"
object = "opportunities"
needs = ["id", "owner_id", "amount", "stage", "created_date", "close_date"]
[export.columns]
opportunity_id = { from = "id", as = "salesforce_id" }
owner_rep_id = { from = "owner_id", as = "salesforce_id" }
account_id = { from = "account_id", as = "salesforce_id" }
stage = { from = "stage" }
status = { from = "stage", values = { "Closed Won" = "won", "Closed Lost" = "lost", Negotiation = "open" } }
created_at = { from = "created_date", as = "midnight" }
close_date = { from = "close_date", as = "date" }
raw_amount = { from = "amount", as = "number" }
"""  # noqa: E501
A_STAY_MORE = "row_number() over (partition by rep_id order by source_row) > 1"


class Run(NamedTuple):
    """One contender's run: what it cost, and the row count and hash of each output."""

    who: str
    cpu_s: float
    wall_s: float
    peak_mib: float
    outputs: dict[str, tuple[int, int]]


def bytes_only(data: Path, _: Path) -> None:
    """Parse every byte of the activities and do nothing with them."""
    file = data / "activities.csv"
    duckdb.sql(
        f"select count(*), sum(length(source)) from read_csv('{file}', all_varchar = true)"
    ).fetchall()


def duckdb_job(data: Path, out: Path) -> None:
    """Do the job in SQL, on the database and with the macros that cleaning runs on."""
    from analysis.sources import database

    with database.open_session(sum(file.stat().st_size for file in data.iterdir())) as connection:
        connection.execute("set preserve_insertion_order = false")
        for statement in (HERE / "clean_job.sql").read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.execute(
                    statement.replace("{data}", str(data)).replace("{out}", str(out))
                )


def pandas_job(data: Path, out: Path) -> None:
    """Do the job in plain pandas."""
    import clean_job_pandas

    clean_job_pandas.run(data, out)


def full_rules(data: Path, out: Path) -> None:
    """Run `processed` on the same files: every rule, the hours and all panels."""
    root = out / "root"
    raw = root / "data" / "raw" / "bench"
    (raw / "rules").mkdir(parents=True)
    shutil.copy(HERE.parent / "alignment.toml", root)
    for file in data.glob("*.csv"):
        (raw / file.name).hardlink_to(file)  # a link that leads out of the folder is refused
    (raw / "fields.toml").write_text(MAP, encoding="utf-8")
    (raw / "rules" / "reps.toml").write_text(
        '[[rule]]\nname = "conflicting_record"\naction = "drop"\nscope = "table"\nreason = "a '
        'stay, not a rep"\n'
        f'when = "{A_STAY_MORE}"\n',
        encoding="utf-8",
    )
    classes = [
        ("selling", "call|email|meeting|demo"),
        ("internal", "internal_meeting"),
        ("admin", "admin"),
    ]
    (raw / "alignment.toml").write_text(
        "[hours]\nlongest_activity_hours = 24.0\n"
        + "".join(
            f"[[activity_classes]]\nactivity_class = '{c}'\npattern = '^({p})$'\n"
            for c, p in classes
        ),
        encoding="utf-8",
    )
    os.environ["ALIGNMENT_ROI_ROOT"] = str(root)
    from analysis.store import processed

    account = processed.prepare_dataset("bench")
    for table in account["tables"]:
        assert table["n_in"] == table["n_clean"] + table["n_quarantined"] + table["n_dropped"]


JOBS = {"bytes": bytes_only, "duckdb": duckdb_job, "pandas": pandas_job, "full rules": full_rules}


def _hashes(out: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for name, columns in OUTPUTS.items():
        file = out / f"{name}.parquet"
        if file.is_file():
            texts = ", ".join(
                f"coalesce(nullif(({c.strip()})::varchar, ''), '~')" for c in _split(columns)
            )
            sql = (
                f"select count(*), (sum(hash(concat_ws('|', {texts}))) % 1000000007)::bigint from "
                f"'{file}'"
            )
            row = duckdb.sql(sql).fetchone()
            found[name] = (row[0], row[1]) if row else (0, 0)
    return found


def _split(columns: str) -> list[str]:
    """Return the expressions of a list, commas within brackets aside."""
    parts, depth = [""], 0
    for letter in columns:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def measured(who: str, data: Path) -> Run:
    """Run one contender in a process of its own."""
    with tempfile.TemporaryDirectory(dir=data.parent) as name:
        out = Path(name)
        start = time.perf_counter()
        command = [sys.executable, __file__, "--contender", who, "--data", str(data), "--out", name]
        child = os.posix_spawn(sys.executable, command, os.environ)
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - start
        if status:
            raise SystemExit(f"{who} failed with status {status}")
        return Run(who, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, _hashes(out))


def compared(n_rows: int, turns: int, *, as_json: bool) -> None:
    """Write the data, let the contenders take turns, print one row each."""
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        crm_rows.write(data, n_rows)
        runs = [measured(who, data) for _ in range(turns) for who in CONTENDERS]
    by_who = {who: [r for r in runs if r.who == who] for who in CONTENDERS}
    medians = {
        who: {
            k: statistics.median(getattr(r, k) for r in rs) for k in ("cpu_s", "wall_s", "peak_mib")
        }
        for who, rs in by_who.items()
    }
    truth = by_who["pandas"][0].outputs
    for who, costs in medians.items():
        outputs = by_who[who][0].outputs
        equal = None if not outputs else outputs == truth
        spent = {k: round(v, 2) for k, v in costs.items()}
        row = {"work": "clean", "who": who, "rows": n_rows, **spent, "equal": equal}
        ratios = {k: v / medians["pandas"][k] for k, v in costs.items()}
        if as_json:
            print(json.dumps(row))
        else:
            said = {None: "other outputs", True: "equal", False: "DIFFERENT"}[equal]
            times = (
                f"{costs['cpu_s']:8.1f} CPU s {costs['wall_s']:8.1f} s {costs['peak_mib']:8.0f} MiB"
            )
            over = f"{ratios['cpu_s']:5.2f} {ratios['wall_s']:5.2f} {ratios['peak_mib']:5.2f}"
            print(f"{n_rows:>11,}  {who:<11}{times}   over pandas: {over}   {said}", flush=True)
    if not as_json:
        ours = {k: medians["duckdb"][k] / medians["pandas"][k] for k in REACH}
        reached = {k: ours[k] <= most for k, most in REACH.items()}
        reached["most_mib"] = medians["duckdb"]["peak_mib"] <= MOST_MIB
        asked = ", ".join(f"{k} {most}" for k, most in REACH.items())
        print(f"             to reach at 10 M: {asked}, {MOST_MIB} MiB:", reached, truth)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--contender", choices=CONTENDERS)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if chosen.contender:
        JOBS[chosen.contender](chosen.data, chosen.out)
    else:
        for size in chosen.rows:
            compared(size, chosen.turns, as_json=chosen.json)
