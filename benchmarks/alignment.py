"""Whether the alignment index is as sure as it says, and what its error and its weights do to tiers.

Teams are simulated with a level of practice each; what is counted is drawn from it.  Shares and means
come with their Monte Carlo error; a claim holds within its band.  With the demo company prepared, its
index is laid beside the levels it was simulated from.

    python benchmarks/alignment.py [--json] [--panels 200]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from analysis import paths, prepare, settings
from analysis.models.alignment import evidence, index, items, reliability, weights

# What a team and quarter has of each item: rows counted, as in the demo company.
ROWS = {
    "E01": 110, "E02": 110, "E03": 110, "E04": 14, "E05": 40, "E06": 13, "E07": 3, "E08": 1, "E09": 3, "E10": 7,
    "E11": 3, "E12": 2, "E13": 4, "E14": math.inf, "E15": 3, "E16": 20, "E17": 5, "E18": 5, "E19": 3, "E20": 4,
    "E21": 6, "E22": 3, "E23": 3,
}  # fmt: skip
PERIODS = pd.DataFrame({"quarter": ["2026Q1"], "from_day": ["2026-01-01"], "until_day": ["2026-04-01"]})
TABLE = {  # reliability: right tier, top correct, laggard correct, changes tier next quarter, gap left
    0.5: (0.62, 0.57, 0.64, None, 0.71),
    0.7: (0.71, 0.68, 0.73, 0.38, 0.84),
    0.8: (0.77, 0.74, 0.78, 0.32, 0.89),
    0.9: (0.84, 0.82, 0.85, 0.22, 0.95),
}
WORDS = ("right_tier", "top_correct", "laggard_correct", "changes_tier", "gap_left")


def panel(n_teams: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Return evidence of teams drawn from their levels, and each team's true index."""
    points = np.array([item.points for item in items.ITEMS])
    level = rng.uniform(0.1, 0.9, (n_teams, 1))
    true = np.clip(level + 0.15 * rng.standard_normal((n_teams, len(points))), 0.02, 0.98)
    n = np.array([ROWS[item.id] for item in items.ITEMS])
    drawn = rng.binomial(np.where(np.isinf(n), 1, n).astype(int), true) / np.where(np.isinf(n), 1, n)
    seen = np.where(np.isinf(n), true, drawn)
    rows = pd.DataFrame(
        {
            "team_id": np.repeat([f"T{t:03d}" for t in range(n_teams)], len(points)),
            "quarter": "2026Q1",
            "item": [item.id for item in items.ITEMS] * n_teams,
            "share": seen.ravel(),
            "n": np.tile(n, n_teams),
        }
    )
    whole = index.combine(true, points, [item.dimension for item in items.ITEMS])
    return rows, pd.Series(whole, index=[f"T{t:03d}" for t in range(n_teams)])


def row(work: str, what: str, value: float, mcse: float, asked: str, holds: object, n: int) -> dict[str, object]:
    return {"work": work, "what": what, "value": value, "mcse": mcse, "asked": asked, "holds": holds, "n": n}


def intervals(n_panels: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(1)
    parts = []
    for _ in range(n_panels):
        rows, truth = panel(24, rng)
        got = index.scores(rows, PERIODS, rng=rng, n_draws=300).set_index("team_id")
        parts.append(got.assign(truth=truth))
    every = pd.concat(parts)
    n = len(every)
    covered = ((every["low"] <= every["truth"]) & (every["truth"] <= every["high"])).mean()
    error = every["index"] - every["truth"]
    named = every[every["tier_probability"].ge(0.8)]
    right = (
        pd.cut(named["truth"], [0, 25, 50, 75, 100], labels=index.bands.TIERS).astype("str") == named["tier"]
    ).mean()
    share = math.sqrt(covered * (1 - covered) / n)
    ratio = every["standard_error"].mean() / error.std()
    mcse = math.sqrt(right * (1 - right) / len(named))
    return [
        row("interval", "covers the true index", covered, share, "0.93 to 0.97", 0.93 <= covered <= 0.97, n),
        row("interval", "index less truth [points]", error.mean(), error.std() / math.sqrt(n), "0 +- 3 mcse",
            abs(error.mean()) < 3 * error.std() / math.sqrt(n), n),
        row("interval", "mean error / spread of errors", ratio, ratio / math.sqrt(2 * n), "", None, n),
        row("tier", "right where named with 0.8 or more", right, mcse, "at least 0.9", right >= 0.9, len(named)),
        row("tier", "named with 0.8 or more", len(named) / n, math.nan, "", None, n),
    ]  # fmt: skip


def consequences() -> list[dict[str, object]]:
    rng, n = np.random.default_rng(2), 1_000_000
    rows = []
    for measured, published in TABLE.items():
        got = reliability.tier_consequences(measured, rng=rng, n=n)
        for word, asked in zip(WORDS, published, strict=True):
            holds = None if asked is None else abs(got[word] - asked) <= 0.0101
            rows.append(
                row(f"reliability {measured}", word, got[word], 0.5 / math.sqrt(n), f"{asked} +- 0.01", holds, n)
            )
    return rows


def weighing(n_panels: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(3)
    parts = [weights.sensitivity(panel(60, rng)[0], "2026Q1", rng=rng) for _ in range(max(n_panels // 10, 3))]
    drawn, equal = (pd.concat([part.iloc[[i]] for part in parts]) for i in (0, 1))
    n = len(parts)
    rows = []
    for work, table, columns in (
        ("weights drawn, 60 teams", drawn, ("correlation", "norm_agreement", "norm_agreement_p5", "tier_agreement")),
        ("weights equal, 60 teams", equal, ("correlation",)),
    ):
        rows += [row(work, c, table[c].mean(), table[c].std() / math.sqrt(n), "", None, n) for c in columns]
    return rows


def demo() -> list[dict[str, object]]:
    """Return how the demo company's index follows the levels it was simulated from."""
    truth = paths.raw("demo") / "truth.json"
    levels = json.loads(truth.read_text(encoding="utf-8")).get("practice_level") if truth.is_file() else None
    if levels is None:
        return []
    tables = {name: prepare.load("demo", name) for name in items.READS}
    zone, rows = settings.load("demo").company.time_zone, []
    quarters = tables["quarters"]["quarter"].tolist()
    flat = {
        (t, q): v
        for t, by in levels.items()
        for q, v in (by.items() if isinstance(by, dict) else zip(quarters, by, strict=True))
    }
    for name in ("core", "full"):
        start = time.process_time()
        rows_of = evidence.table(tables, time_zone=zone, items=name)
        scores = index.scores(rows_of, tables["quarters"], rng=np.random.default_rng(4), items=name)
        spent = time.process_time() - start
        level = pd.Series([flat[key] for key in zip(scores["team_id"], scores["quarter"], strict=True)])
        r = scores["index"].corr(level)
        n = len(scores)
        rows.append(
            row(
                f"demo, {name}", "correlation with the level", r, (1 - r**2) / math.sqrt(n), "at least 0.7", r >= 0.7, n
            )
        )
        rows.append(row(f"demo, {name}", "CPU [s]", spent, math.nan, "under 3", spent < 3, n))
    halves = [evidence.table(tables, time_zone=zone, half=half) for half in ("odd", "even")]
    got = reliability.split_half(*halves, rng=np.random.default_rng(5)).iloc[0]
    rows.append(
        row(
            "demo, full",
            "split-half, Spearman-Brown",
            got["value"],
            math.nan,
            "at least 0.8",
            got["is_enough"],
            got["n"],
        )
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--panels", type=int, default=200)
    options = parser.parse_args()
    rows = intervals(options.panels) + consequences() + weighing(options.panels) + demo()
    if options.json:
        for each in rows:
            print(json.dumps(each, default=str))
        return
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
