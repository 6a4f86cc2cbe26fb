"""Whether the appraisal's intervals hold what they say, and whether sliders follow in time.

Companies of 24 teams whose lift is drawn from the stated prior, wholly through hours or wholly
through recycled leads, half of each; a claim holds if it is within its band.  Every share comes
with its Monte Carlo error.

    python benchmarks/roi.py [--json] [--companies 1000] [--workers 2]
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from monte_carlo import as_json, claim, head, line, mean, share
from scipy import stats
from studies import roi_study

from analysis.chapters.roi import simulation, sliders

BINS = 20
MOVES = 15
WIDTHS = {"work": 10, "what": 44}


def one(seed: int) -> roi_study.Row:
    return roi_study.interval_calibration(seed, "hours" if seed % 2 else "leads")


def fixed(seed: int) -> roi_study.Row:
    return roi_study.benefit_coverage(seed, "hours" if seed % 2 else "leads")


def calibration(table: pd.DataFrame, counted: pd.DataFrame) -> list[dict[str, object]]:
    """Return one row a claim: what, value, Monte Carlo error, what is asked, whether it holds."""
    rows: list[dict[str, object]] = []

    def add(
        work: str, what: str, got: tuple[float, float], asked: str, holds: object, n: int
    ) -> None:
        rows.append(claim(work, what, got, asked, holds, n))

    for work, part in [("all", table), *table.groupby("channel")]:
        n = len(part)
        half, most = share(part["covers_50"]), share(part["covers_90"])
        add(work, "NPV: 50% interval covers", half, ".45 to .55", 0.45 <= half[0] <= 0.55, n)
        add(work, "NPV: 90% interval covers", most, ".87 to .93", 0.87 <= most[0] <= 0.93, n)
        once = share(part["benefit_90"])
        add(work, "benefit: 90% interval covers", once, ".87 to .93", 0.87 <= once[0] <= 0.93, n)
        add(work, "sum of the ways: 95% interval covers", share(part["bottom_up_95"]), "", None, n)
        add(
            work,
            "by hours less planted [log points]",
            mean(part["by_hours"] - part["lift"]),
            "",
            None,
            n,
        )
        add(
            work,
            "by leads less planted [log points]",
            mean(part["by_leads"] - part["lift"]),
            "",
            None,
            n,
        )
    once, twice = share(counted["once_90"]), share(counted["twice_90"])
    add(
        "lift .15",
        "benefit: 90% interval covers",
        once,
        ".87 to .93",
        0.87 <= once[0] <= 0.93,
        len(counted),
    )
    add(
        "lift .15",
        "... the ways added to the total",
        twice,
        "below .5",
        twice[0] < 0.5,
        len(counted),
    )
    for work, part in counted.groupby("channel"):
        add(
            f"... {work}",
            "benefit: 90% interval covers",
            share(part["once_90"]),
            "",
            None,
            len(part),
        )
        add(
            f"... {work}",
            "... the ways added to the total",
            share(part["twice_90"]),
            "",
            None,
            len(part),
        )
    n = len(table)
    add("no prior", "NPV: 50% interval covers", share(table["flat_50"]), "", None, n)
    add("no prior", "NPV: 90% interval covers", share(table["flat_90"]), "", None, n)
    add(
        "no prior",
        "spread of NPV, times that with the prior",
        mean(table["flat_sd"] / table["sd"]),
        "",
        None,
        n,
    )
    counts, chi = ranks(table)
    add(
        "ranks",
        f"chi-square of {BINS} bins, p",
        (float(stats.chi2.sf(chi, BINS - 1)), math.nan),
        "above .01",
        stats.chi2.sf(chi, BINS - 1) > 0.01,
        n,
    )
    add(
        "ranks",
        "smallest and largest bin, expected 1",
        (counts.min() / n * BINS, math.nan),
        "",
        None,
        n,
    )
    add("ranks", "", (counts.max() / n * BINS, math.nan), "", None, n)
    return rows


def ranks(table: pd.DataFrame) -> tuple[np.ndarray, float]:
    counts = np.histogram(table["rank"], bins=BINS, range=(0, 1))[0]
    expected = len(table) / BINS
    return counts, float(((counts - expected) ** 2 / expected).sum())


def speed() -> list[dict[str, object]]:
    """Return what a move of a slider and its parts take [s], medians."""
    case = roi_study.plant_company(0, "hours").case
    box = sliders.assumption_sliders(case)
    places = iter(np.linspace(0.01, 0.2, 4 * MOVES))

    def move() -> None:
        box.children[0].value = float(next(places))

    appraisal = simulation.appraise_case(case)
    works = {
        "10,000 draws of NPV and payback": (lambda: simulation.appraise_case(case), "0.1", 0.1),
        "what drives NPV": (lambda: simulation.npv_drivers(appraisal), "", None),
        "break-even with its interval": (lambda: simulation.break_even(case), "", None),
        "a slider moved, picture drawn": (move, "0.3", 0.3),
    }
    rows: list[dict[str, object]] = []
    for work, (call, asked, limit) in works.items():
        walls, cpus = [], []
        for _ in range(MOVES):
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        seconds = statistics.median(cpus)
        rows.append(
            {"work": work, "cpu_s": seconds, "wall_s": statistics.median(walls), "asked": asked,
             "holds": None if limit is None else seconds < limit}
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--companies", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    fast = speed()
    start = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        table = pd.DataFrame(list(pool.map(one, range(options.companies), chunksize=10)))
        counted = pd.DataFrame(list(pool.map(fixed, range(options.companies), chunksize=10)))
    wall, rows = time.perf_counter() - start, calibration(table, counted)
    if options.json:
        for row in [*fast, *rows]:
            print(as_json(row))
        return
    for row in fast:
        print(
            f"{row['work']:<36}{row['cpu_s']:>8.3f} s CPU{row['wall_s']:>8.3f} s wall  "
            f"{row['asked']}"
        )
    print("\n" + head(WIDTHS))
    for row in rows:
        print(line(row, WIDTHS))
    counts, _ = ranks(table)
    print(
        f"\nrank of the true NPV among the draws, {BINS} bins of {len(table) / BINS:.0f} expected"
    )
    for place, count in enumerate(counts):
        print(f"{place / BINS:.2f}  {count:>4}  {'#' * round(count * 30 * BINS / len(table) / 2)}")
    print(f"{wall:.0f} s wall, {options.workers} processes")


if __name__ == "__main__":
    main()
