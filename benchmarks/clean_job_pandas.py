"""The cleaning job in plain pandas, with the care an experienced user would take.

Pyarrow reader, factorised ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", dtype="S1")
KINDS = ["call", "email", "meeting", "demo", "internal_meeting", "admin", "training"]
SELLING = KINDS[:4]
REASONS = [
    "bad_id",
    "bad_rep_id",
    "bad_type",
    "bad_start",
    "start_out_of_range",
    "bad_duration",
    "duration_out_of_range",
]
MEASURES = ["selling_s", "n_activities", "cents", "n_won", "cycle_s", "n_leads", "n_converted"]
STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"


def _id_18(ids: pd.Series) -> pd.Series:
    codes, distinct = pd.factorize(ids)  # each distinct id once
    short = np.asarray(distinct, dtype="S18").astype("S15")
    letters = short.view(np.uint8).reshape(-1, 15)
    capitals = ((letters >= 65) & (letters <= 90)).reshape(-1, 3, 5) @ (1 << np.arange(5))
    long = np.char.add(short, np.ascontiguousarray(SUFFIX[capitals]).view("S3").ravel()).astype(str)
    return pd.Series(pd.array(long, dtype="str")[codes], index=ids.index)


def _monday(days: pd.Series) -> pd.Series:
    return days - pd.to_timedelta(days.dt.weekday, unit="D")


def _week(day: pd.Series) -> pd.Series:
    return _monday(pd.to_datetime(day * 86_400, unit="s"))


def _read(data: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(
        data / f"{name}.csv", dtype="str", engine="pyarrow", keep_default_na=False, na_values=[""]
    )


def _activities(data: Path, out: Path) -> pd.DataFrame:
    table = _read(data, "activities")
    start = pd.to_datetime(table["start_utc"], format=STAMP, errors="coerce").astype(
        "datetime64[s]"
    )
    minutes = pd.to_numeric(table["duration_min"], errors="coerce")

    def is_id(column: pd.Series) -> pd.Series:
        return column.str.len().isin([15, 18])

    reason = np.select(
        [
            ~is_id(table["id"]),
            ~is_id(table["rep_id"]),
            ~table["type"].isin(KINDS),
            start.isna(),
            (start < "2023-01-01") | (start >= "2025-07-01"),
            minutes.isna(),
            ~minutes.between(1, 1_440),
        ],
        REASONS,
        default="",
    )
    bad = reason != ""
    table[bad].assign(reason=reason[bad]).to_parquet(out / "quarantine.parquet", index=False)
    good = table.loc[~bad, ["id", "rep_id", "account_id", "type", "source"]]
    del table
    good["start_s"], good["minutes"] = start[~bad].astype("int64"), minutes[~bad].astype("int64")
    del start, minutes, reason, bad
    for column in ("id", "rep_id", "account_id"):
        good[column] = _id_18(good[column])
    order = ["rep_id", "account_id", "type", "start_s", "id"]
    good = good.drop_duplicates().sort_values(order, ignore_index=True)
    previous = good.groupby(order[:3], sort=False)["start_s"].shift()
    good = good[~((good["start_s"] - previous) <= 300)]
    good.to_parquet(out / "activities_clean.parquet", index=False)
    return good


def _hours(good: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    good["day"], good["end_s"] = good["start_s"] // 86_400, good["start_s"] + good["minutes"] * 60
    keys = ["rep_id", "day"]
    order = [*keys, "start_s", "id"]
    timed = good.loc[good["type"].isin(SELLING), [*order, "end_s"]].sort_values(order)
    latest = (
        timed.groupby(keys, sort=False)["end_s"]
        .cummax()
        .groupby([timed[k] for k in keys], sort=False)
        .shift()
    )
    begun = np.maximum(timed["start_s"], latest.fillna(timed["start_s"]))
    timed["selling_s"] = (timed["end_s"] - begun).clip(lower=0).astype("int64")
    sold = timed.groupby(keys, as_index=False)["selling_s"].sum()
    counted = good.groupby(keys, as_index=False).size().rename(columns={"size": "n_activities"})
    return sold.assign(week=_week(sold["day"])), counted.assign(week=_week(counted["day"]))


def _deals(data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    stages = _read(data, "stage_history")
    entered = (
        pd.to_datetime(stages["entered_at"], format=STAMP).astype("datetime64[s]").astype("int64")
    )
    spans = entered.groupby(_id_18(stages["opportunity_id"])).agg(["max", "min"])
    cycle = (spans["max"] - spans["min"]).rename("cycle_s")
    deals = _read(data, "opportunities")
    deals = deals[deals["stage"] == "Closed Won"]
    won = pd.DataFrame(
        {
            "opportunity_id": _id_18(deals["id"]),
            "rep_id": _id_18(deals["owner_id"]),
            "week": _monday(pd.to_datetime(deals["close_date"])),
            "cents": (deals["amount"].astype(float) * 100).round().astype("int64"),
            "n_won": 1,
        }
    ).join(cycle, on="opportunity_id")
    leads = _read(data, "leads")
    asked = pd.DataFrame(
        {
            "rep_id": _id_18(leads["owner_id"]),
            "week": _monday(pd.to_datetime(leads["created_date"])),
            "n_leads": 1,
            "n_converted": (leads["status"] == "Converted").astype(int),
        }
    )
    return won, asked


def run(data: Path, out: Path) -> None:
    """Do the job on the CSV files in `data`; write its four tables to `out`."""
    good = _activities(data, out)
    parts = [*_hours(good), *_deals(data)]
    del good
    sums = [p.groupby(["rep_id", "week"])[[m for m in MEASURES if m in p]].sum() for p in parts]
    weeks = pd.concat(sums).groupby(level=[0, 1]).sum().reset_index()
    weeks[MEASURES] = weeks[MEASURES].fillna(0).astype("int64")
    weeks["week"] = weeks["week"].astype("datetime64[s]")
    stays = _read(data, "reps")
    stays["rep_id"] = _id_18(stays["rep_id"])
    stays["from_day"] = pd.to_datetime(stays["valid_from"]).astype("datetime64[s]")
    panel = pd.merge_asof(
        weeks.sort_values("week"),
        stays[["rep_id", "from_day", "team_id", "segment"]].sort_values("from_day"),
        left_on="week",
        right_on="from_day",
        by="rep_id",
    ).drop(columns="from_day")
    panel.to_parquet(out / "panel.parquet", index=False)
    quarter = panel["week"].dt.to_period("Q").dt.to_timestamp()
    teams = (
        panel.assign(quarter=quarter)
        .groupby(["team_id", "quarter"], as_index=False)[["cents", "selling_s"]]
        .sum()
    )
    teams["growth"] = (
        teams["cents"] / teams.groupby("team_id")["cents"].shift(4).replace(0, np.nan) - 1
    )
    teams.to_parquet(out / "team_quarter.parquet", index=False)
