"""Whether the alignment index is as sure as it says, and what its error and its weights do to
tiers.

Teams are simulated with a level of practice each; what is counted is drawn from it.  Shares and
means come with their Monte Carlo error; a claim holds within its band.  With the demo company
prepared, its index is laid beside the levels it was simulated from.

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
from monte_carlo import as_json, claim, mean, share

from analysis.chapters.alignment import index, items, reliability, scoring, weights
from analysis.project import paths, settings
from analysis.store import processed

# What a team and quarter has of each item: rows counted, as in the demo company.
ROWS = {
    "E01": 110,
    "E02": 110,
    "E03": 110,
    "E04": 14,
    "E05": 40,
    "E06": 13,
    "E07": 3,
    "E08": 1,
    "E09": 3,
    "E10": 7,
    "E11": 3,
    "E12": 2,
    "E13": 4,
    "E14": math.inf,
    "E15": 3,
    "E16": 20,
    "E17": 5,
    "E18": 5,
    "E19": 3,
    "E20": 4,
    "E21": 6,
    "E22": 3,
    "E23": 3,
}
PERIODS = pd.DataFrame(
    {"quarter": ["2026Q1"], "from_day": ["2026-01-01"], "until_day": ["2026-04-01"]}
)
# reliability: right tier, top correct, laggard correct, changes tier next quarter, gap left
TABLE = {
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
    drawn = rng.binomial(np.where(np.isinf(n), 1, n).astype(int), true) / np.where(
        np.isinf(n), 1, n
    )
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
    whole = index.combine_shares(true, points, [item.dimension for item in items.ITEMS])
    return rows, pd.Series(whole, index=[f"T{t:03d}" for t in range(n_teams)])


def intervals(n_panels: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(1)
    parts = []
    for _ in range(n_panels):
        rows, truth = panel(24, rng)
        got = index.index_scores(rows, PERIODS, rng=rng, n_draws=300).set_index("team_id")
        parts.append(got.assign(truth=truth))
    every = pd.concat(parts)
    n = len(every)
    covered = share((every["low"] <= every["truth"]) & (every["truth"] <= every["high"]))
    error = every["index"] - every["truth"]
    bias = mean(error)
    named = every[every["tier_probability"].ge(0.8)]
    true_tier = pd.cut(named["truth"], [0, 25, 50, 75, 100], labels=index.score_tiers.TIERS).astype(
        "str"
    )
    right = share(true_tier == named["tier"])
    ratio = every["standard_error"].mean() / error.std()
    return [
        claim(
            "interval",
            "covers the true index",
            covered,
            "0.93 to 0.97",
            0.93 <= covered[0] <= 0.97,
            n,
        ),
        claim(
            "interval",
            "index less truth [points]",
            bias,
            "0 +- 3 mcse",
            abs(bias[0]) < 3 * bias[1],
            n,
        ),
        claim(
            "interval",
            "mean error / spread of errors",
            (ratio, ratio / math.sqrt(2 * n)),
            "",
            None,
            n,
        ),
        claim(
            "tier",
            "right where named with 0.8 or more",
            right,
            "at least 0.9",
            right[0] >= 0.9,
            len(named),
        ),
        claim("tier", "named with 0.8 or more", (len(named) / n, math.nan), "", None, n),
    ]


def consequences() -> list[dict[str, object]]:
    rng, n = np.random.default_rng(2), 1_000_000
    rows = []
    for measured, published in TABLE.items():
        got = reliability.tier_consequences(measured, rng=rng, n=n)
        for word, asked in zip(WORDS, published, strict=True):
            holds = None if asked is None else abs(got[word] - asked) <= 0.0101
            value = (got[word], 0.5 / math.sqrt(n))
            rows.append(claim(f"reliability {measured}", word, value, f"{asked} +- 0.01", holds, n))
    return rows


def weighing(n_panels: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(3)
    parts = [
        weights.weight_sensitivity(panel(60, rng)[0], "2026Q1", rng=rng)
        for _ in range(max(n_panels // 10, 3))
    ]
    drawn, equal = (pd.concat([part.iloc[[i]] for part in parts]) for i in (0, 1))
    n = len(parts)
    rows = []
    for work, table, columns in (
        (
            "weights drawn, 60 teams",
            drawn,
            ("correlation", "norm_agreement", "norm_agreement_p5", "tier_agreement"),
        ),
        ("weights equal, 60 teams", equal, ("correlation",)),
    ):
        rows += [claim(work, c, mean(table[c]), "", None, n) for c in columns]
    return rows


def demo() -> list[dict[str, object]]:
    """Return how the demo company's index follows the levels it was simulated from."""
    truth = paths.raw_folder("demo") / "truth.json"
    levels = (
        json.loads(truth.read_text(encoding="utf-8")).get("practice_level")
        if truth.is_file()
        else None
    )
    if levels is None:
        return []
    tables = {name: processed.load_table("demo", name) for name in items.READS}
    zone, rows = settings.load_dataset_settings("demo").company.time_zone, []
    quarters = tables["quarters"]["quarter"].tolist()
    flat = {
        (t, q): v
        for t, by in levels.items()
        for q, v in (by.items() if isinstance(by, dict) else zip(quarters, by, strict=True))
    }
    for name in ("core", "full"):
        start = time.process_time()
        rows_of = scoring.evidence_table(tables, time_zone=zone, items=name)
        scores = index.index_scores(
            rows_of, tables["quarters"], rng=np.random.default_rng(4), items=name
        )
        spent = time.process_time() - start
        level = pd.Series(
            [flat[key] for key in zip(scores["team_id"], scores["quarter"], strict=True)]
        )
        r = scores["index"].corr(level)
        n = len(scores)
        work, correlation = f"demo, {name}", (r, (1 - r**2) / math.sqrt(n))
        rows.append(
            claim(work, "correlation with the level", correlation, "at least 0.7", r >= 0.7, n)
        )
        rows.append(claim(work, "CPU [s]", (spent, math.nan), "under 3", spent < 3, n))
    halves = [scoring.evidence_table(tables, time_zone=zone, half=half) for half in ("odd", "even")]
    got = reliability.split_half(*halves, rng=np.random.default_rng(5)).iloc[0]
    half = (got["value"], math.nan)
    rows.append(
        claim(
            "demo, full",
            "split-half, Spearman-Brown",
            half,
            "at least 0.8",
            got["is_enough"],
            got["n"],
        )
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--panels", type=int, default=200)
    options = parser.parse_args()
    rows = intervals(options.panels) + consequences() + weighing(options.panels) + demo()
    if options.json:
        for each in rows:
            print(as_json(each))
        return
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
