"""The CRM data of the cleaning benchmark.

Activities with stated dirt, reps, deals, stages and leads.

Of n activities 3% are exact repeats, 2% near repeats (another id within five minutes) and 1% carry
one of eight faults.  Ids come as 15 or 18 characters.  The same seed gives the same rows at any
size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

if TYPE_CHECKING:
    from pathlib import Path

N_REPS = 5_000
N_TEAMS = 120
FIRST_DAY = np.datetime64("2023-01-02")
N_DAYS = 910
BLOCK = 2_000_000  # activities made at a time, so that memory stays bounded
KINDS = np.array(["call", "email", "meeting", "demo", "internal_meeting", "admin", "training"])
KIND_SHARES = [0.33, 0.27, 0.16, 0.05, 0.1, 0.06, 0.03]
LETTERS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)
SUFFIX = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)
FAULTS = (
    ("duration_min", ["abc", "N/A", "12 min", "1,5"]),
    ("duration_min", ["-5", "0", "99999", "1441"]),
    ("start_utc", ["31/02/2025", "2025-13-45T10:00:00.000Z", "yesterday"]),
    ("rep_id", [""]),
    ("type", ["???", "Mtg", "lunch?"]),
    ("id", ["00T12", "#N/A"]),
    ("start_utc", ["1970-01-01T00:00:00.000Z", "2099-12-31T00:00:00.000Z"]),
    ("duration_min", [""]),
)


def ids(prefix: str, numbers: np.ndarray, is_short: np.ndarray) -> pa.Array:
    """Return Salesforce ids of `numbers`.

    15 characters where `is_short`, else 18 with the suffix.
    """
    codes = np.empty((len(numbers), 18), np.uint8)
    codes[:, :7] = np.frombuffer((prefix + "5eZx").encode(), np.uint8)
    rest = (np.asarray(numbers, np.int64) * 7_919 + 104_729) % 62**8
    for place in range(14, 6, -1):
        codes[:, place] = LETTERS[rest % 62]
        rest //= 62
    capitals = (codes[:, :15] >= ord("A")) & (codes[:, :15] <= ord("Z"))
    for third in range(3):
        codes[:, 15 + third] = SUFFIX[capitals[:, third * 5 : third * 5 + 5] @ (1 << np.arange(5))]
    lengths = np.where(is_short, 15, 18).astype(np.int32)
    kept = np.ones(codes.shape, bool)
    kept[:, 15:] = ~is_short[:, None]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(codes[kept])
    )


def _stamps(seconds: np.ndarray) -> pa.Array:
    text = pa.array(np.datetime_as_string(seconds.astype("datetime64[s]"), unit="s")).cast(
        pa.string()
    )
    return pc.binary_join_element_wise(text, pa.scalar(".000Z"), "")


def _days(days: np.ndarray) -> pa.Array:
    return pa.array(np.datetime_as_string(FIRST_DAY + days)).cast(pa.string())


def _drawn(rng: np.random.Generator, n: int, first: int, n_accounts: int) -> dict[str, np.ndarray]:
    rep = np.where(
        rng.random(n) < 0.3, rng.integers(0, N_REPS // 10, n), rng.integers(0, N_REPS, n)
    )
    kind = rng.choice(len(KINDS), n, p=KIND_SHARES)
    day = rng.integers(0, N_DAYS, n)
    weekend = day % 7 >= 5
    day = np.where(weekend & (rng.random(n) >= 0.05), day - day % 7 + rng.integers(0, 5, n), day)
    minute = (480 + rng.beta(2, 2, n) * 600).astype(np.int64)
    minute = np.where(kind >= 2, minute // 15 * 15, minute)
    second = np.where(kind >= 2, 0, rng.integers(0, 60, n))
    call = np.clip(rng.lognormal(2, 0.8, n), 1, 90)
    slot = rng.choice([15, 30, 45, 60, 90, 120], n, p=[0.1, 0.4, 0.15, 0.25, 0.07, 0.03])
    length = np.where(kind == 0, call, np.where(kind == 1, rng.integers(1, 8, n), slot)).astype(
        np.int64
    )
    source = np.where(rng.random(n) < 0.12, 3, np.select([kind == 0, kind == 1], [1, 2], 0))
    return {
        "number": first + np.arange(n),
        "rep": rep,
        "account": (rng.random(n) ** 2 * n_accounts).astype(np.int64),
        "kind": kind,
        "start": FIRST_DAY.astype("datetime64[s]").astype(np.int64)
        + day * 86_400
        + minute * 60
        + second,
        "length": length,
        "source": source,
    }


def _block(rng: np.random.Generator, n: int, first: int, n_accounts: int) -> pa.Table:
    n_exact, n_near = int(n * 0.03), int(n * 0.02)
    rows = _drawn(rng, n - n_exact - n_near, first, n_accounts)
    n_own = len(rows["number"])
    near = {name: values[rng.integers(0, n_own, n_near)] for name, values in rows.items()}
    picked = rng.integers(0, n_own, n_near)
    near = {name: values[picked].copy() for name, values in rows.items()}
    near["number"] = first + n_own + np.arange(n_near)
    near["start"] += rng.integers(-300, 301, n_near)
    near["source"] = (near["source"] + 1) % 4
    near["length"] = np.clip(near["length"] + rng.integers(-3, 4, n_near), 1, None)
    exact = rng.integers(0, n_own, n_exact)
    order = rng.permutation(n)
    rows = {name: np.concatenate([v, v[exact], near[name]])[order] for name, v in rows.items()}
    columns = {
        "id": ids("00T", rows["number"], rng.random(n) < 0.5),
        "rep_id": ids("005", rows["rep"], rng.random(n) < 0.3),
        "account_id": ids("001", rows["account"], rng.random(n) < 0.6),
        "type": pa.array(KINDS[rows["kind"]]).cast(pa.string()),
        "start_utc": _stamps(rows["start"]),
        "duration_min": pa.array(rows["length"]).cast(pa.string()),
        "source": pa.array(
            np.array(["calendar", "dialer", "email_sync", "manual"])[rows["source"]]
        ).cast(pa.string()),
    }
    fault = np.full(n, -1)
    spoilt = rng.choice(n, int(n * 0.01), replace=False)
    fault[spoilt] = rng.integers(0, len(FAULTS), len(spoilt))
    for code, (column, texts) in enumerate(FAULTS):
        mask = fault == code
        columns[column] = pc.replace_with_mask(
            columns[column],
            pa.array(mask),
            pa.array(rng.choice(texts, int(mask.sum()))).cast(pa.string()),
        )
    return pa.table(columns)


def _stays(rng: np.random.Generator) -> pa.Table:
    rep, team, start, end = [], [], [], []
    for number in range(N_REPS):
        n_moves = int(rng.binomial(3, 0.35))
        cuts = sorted(rng.choice(np.arange(30, N_DAYS - 30), n_moves, replace=False).tolist())
        for first, last in zip([-400, *cuts], [*cuts, None], strict=True):
            rep.append(number)
            team.append(f"T{rng.integers(0, N_TEAMS):03d}")
            start.append(str(FIRST_DAY + first))
            end.append(None if last is None else str(FIRST_DAY + last))
    numbers = np.array(rep)
    segment = np.array(["SMB", "Mid-market", "Enterprise"])[numbers % 3]
    return pa.table(
        {
            "rep_id": ids("005", numbers, rng.random(len(numbers)) < 0.4),
            "team_id": pa.array(team),
            "valid_from": pa.array(start),
            "valid_to": pa.array(end, pa.string()),
            "segment": pa.array(segment).cast(pa.string()),
        }
    )


def _deals(rng: np.random.Generator, n: int, n_accounts: int) -> dict[str, pa.Table]:
    number, created = np.arange(n), rng.integers(-120, N_DAYS - 30, n)
    cycle = np.clip(rng.gamma(2, 30, n), 1, 400).astype(int)
    won = rng.random(n) < 0.24
    cents = (rng.lognormal(9.4, 1, n) * 100).astype(np.int64)
    stage = np.where(won, "Closed Won", np.where(rng.random(n) < 0.7, "Closed Lost", "Negotiation"))
    step = np.tile([0, 1, 2], n)
    entered = np.repeat(created, 3) + np.repeat(cycle, 3) * step // 3
    seconds = (FIRST_DAY.astype(np.int64) + entered) * 86_400 + rng.integers(0, 86_400, 3 * n)
    order = rng.permutation(3 * n)
    status = np.array(["Open", "Recycled", "Converted", "Disqualified"])[
        rng.choice(4, n, p=[0.4, 0.2, 0.15, 0.25])
    ]
    return {
        "opportunities": pa.table(
            {
                "id": ids("006", number, rng.random(n) < 0.5),
                "account_id": ids("001", rng.integers(0, n_accounts, n), rng.random(n) < 0.5),
                "owner_id": ids("005", rng.integers(0, N_REPS, n), rng.random(n) < 0.5),
                "amount": pa.array([f"{c // 100}.{c % 100:02d}" for c in cents.tolist()]),
                "stage": pa.array(stage).cast(pa.string()),
                "created_date": _days(created),
                "close_date": _days(np.minimum(created + cycle, N_DAYS - 1)),
            }
        ),
        "stage_history": pa.table(
            {
                "opportunity_id": ids("006", np.repeat(number, 3)[order], rng.random(3 * n) < 0.5),
                "stage": pa.array(np.array(["Qualify", "Propose", "Close"])[step[order]]).cast(
                    pa.string()
                ),
                "entered_at": _stamps(seconds[order]),
            }
        ),
        "leads": pa.table(
            {
                "id": ids("00Q", number, rng.random(n) < 0.5),
                "owner_id": ids("005", rng.integers(0, N_REPS, n), rng.random(n) < 0.5),
                "created_date": _days(rng.integers(0, N_DAYS, n)),
                "status": pa.array(status).cast(pa.string()),
            }
        ),
    }


def write(folder: Path, n_activities: int) -> None:
    """Write the benchmark's CSV files: `n_activities` activities and a tenth as many opportunities
    and leads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20_250_630)
    n_accounts = max(20_000, n_activities // 50)
    first, done, writer = 0, 0, None
    while done < n_activities:
        n = min(BLOCK, n_activities - done)
        block = _block(rng, n, first, n_accounts)
        writer = writer or csv.CSVWriter(
            folder / "activities.csv", block.schema, write_options=PLAIN
        )
        writer.write(block)
        first, done = first + n, done + n
    if writer:
        writer.close()
    tables = {"reps": _stays(rng), **_deals(rng, n_activities // 10, n_accounts)}
    for name, table in tables.items():
        duckdb.from_arrow(table).write_csv(str(folder / f"{name}.csv"))


PLAIN = csv.WriteOptions(quoting_style="needed")
