"""Whether the worth of an hour is found where it was planted, and only there.

Simulated companies of 10 teams and 8 quarters (about 100 reps; the demo company is three times
that, so its interval is half as wide), each drawn anew.  Every share and mean comes with its Monte
Carlo error; a claim holds if it is within its band, three Monte Carlo errors allowed where said.

    python benchmarks/selling_time.py [--json] [--companies 1000] [--workers 2]
"""

from __future__ import annotations

import argparse
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
from monte_carlo import as_json, claim, head, line, mean, share
from studies import selling_time_study

from analysis.chapters.selling_time import worth_of_an_hour
from analysis.simulate.simulated_tables import simulate_panels
from analysis.simulate.world.company_parameters import SimulatedCompany

PLANTED = SimulatedCompany().elasticity
WIDTHS = {"work": 29, "what": 43}
SIZE = {"n_teams": 10, "n_quarters": 8}
LARGE = {"n_teams": 24, "n_quarters": 12}  # a sales cycle takes quarters
FEW = {"n_teams": 4, "n_quarters": 6}  # 32 to 40 reps: the jackknife's errors
STUDIES = {  # work: study, share of the companies, what differs from the defaults
    "planted": ("planted", 1.0, SIZE),
    "zero": ("alone", 1.0, {**SIZE, "elasticity": 0.0}),
    "measurement": ("measurement", 0.2, SIZE),
    "same quarter": ("same_quarter", 0.1, SIZE),
    "sales cycle": ("over_cycle", 0.1, LARGE),
    "shifter follows": ("following", 0.1, SIZE),
    "few reps": ("alone", 0.1, FEW),
}


def one(name: str, different: dict[str, float], seed: int) -> selling_time_study.Row:
    return selling_time_study.STUDIES[name](
        simulate_panels(SimulatedCompany(seed=seed, **different))
    )


def covers(table: pd.DataFrame, truth: float, prefix: str = "") -> pd.Series:
    return (table[f"{prefix}low"] <= truth) & (truth <= table[f"{prefix}high"])


def claims(tables: dict[str, pd.DataFrame]) -> list[dict[str, object]]:
    """Return one row a claim: what, value, its Monte Carlo error, what is asked, whether it holds."""  # noqa: E501
    planted, zero, measured = tables["planted"], tables["zero"], tables["measurement"]
    same, follows, few = tables["same quarter"], tables["shifter follows"], tables["few reps"]
    rows: list[dict[str, object]] = []

    def add(
        work: str, what: str, got: tuple[float, float], asked: str, holds: object, n: int
    ) -> None:
        rows.append(claim(work, what, got, asked, holds, n))

    n = len(planted)
    lifted = mean(planted["pooled"] - PLANTED)
    add(
        "planted 0.34", "pooled slope less planted", lifted, "above 0", lifted[0] > 3 * lifted[1], n
    )
    add(
        "planted 0.34",
        "plain within-rep slope less planted",
        mean(planted["plain"] - PLANTED),
        "",
        None,
        n,
    )
    bias = mean(planted["estimate"] - PLANTED)
    add("planted 0.34", "effect less planted", bias, "0 +- 3 mcse", abs(bias[0]) < 3 * bias[1], n)
    cover = share(covers(planted, PLANTED))
    add(
        "planted 0.34",
        "interval covers planted, by team",
        cover,
        "0.93 to 0.97",
        0.93 <= cover[0] <= 0.97,
        n,
    )
    ratio = planted["standard_error"].mean() / planted["estimate"].std()
    add(
        "planted 0.34",
        "mean error / spread of estimates",
        (ratio, ratio / math.sqrt(2 * n)),
        "",
        None,
        n,
    )
    for word in ("found", "no material effect", "cannot tell"):
        add("planted 0.34", f"verdict {word}", share(planted["verdict"] == word), "", None, n)
    without = share(planted["verdict_without_shifter"] == "cannot tell")
    add("planted 0.34", "cannot tell without a shifter", without, "1", without[0] == 1, n)
    hours = planted["per_week"].mean()
    truth = (
        planted["per_hour"].mean()
        * worth_of_an_hour.bookings_growth((hours + 1) / hours, PLANTED)
        * hours
    )
    known = planted.dropna(subset="value")  # missing where a guard failed
    worth = share(covers(known, truth, "value_"))
    add("planted 0.34", "worth of an hour: interval covers", worth, "", None, len(known))

    found = share(zero["verdict"] == "found")
    asked = 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(zero))
    add("planted 0", "verdict found", found, f"at most {asked:.3f}", found[0] <= asked, len(zero))
    for word in ("no material effect", "cannot tell"):
        add("planted 0", f"verdict {word}", share(zero["verdict"] == word), "", None, len(zero))
    add("planted 0", "interval covers 0", share(covers(zero, 0.0)), "", None, len(zero))

    n = len(measured)
    add(
        "error in hours",
        "slope on logged / on true hours",
        mean(measured["attenuation"]),
        "",
        None,
        n,
    )
    add(
        "error in hours",
        "within-rep reliability by two measures",
        mean(measured["reliability"]),
        "",
        None,
        n,
    )
    gap = mean(measured["attenuation"] - measured["reliability"])
    add("error in hours", "difference of the two", gap, "0 +- 0.01", abs(gap[0]) < 0.01, n)
    left = mean(measured["corrected"] - measured["true"])
    add(
        "error in hours",
        "calibrated less slope on true hours",
        left,
        "0 +- 0.01",
        abs(left[0]) < 0.01,
        n,
    )
    second = mean(measured["second"] - measured["true"])
    add(
        "error in hours",
        "second measure as instrument, likewise",
        second,
        "0 +- 0.01",
        abs(second[0]) < 0.01,
        n,
    )
    add(
        "error in hours",
        "calibrated interval covers planted",
        share(covers(measured, PLANTED)),
        "",
        None,
        n,
    )

    n = len(same)
    add(
        "hot pipelines",
        "bookings on same quarter's hours, slope",
        mean(same["estimate"]),
        "",
        None,
        n,
    )
    add("hot pipelines", "its interval excludes 0", share(same["excludes_zero"]), "", None, n)
    add("hot pipelines", "feedback seen", share(same["is_detected"]), "", None, n)
    refused = share((same["kind"] == "association") & (same["verdict"] == "cannot tell"))
    add(
        "hot pipelines",
        "association and cannot tell",
        refused,
        "at least 0.90",
        refused[0] >= 0.9,
        n,
    )
    rows += over_the_cycle(tables["sales cycle"])
    refused = share(follows["verdict"] == "cannot tell")
    add(
        "shifter follows the pipeline",
        "cannot tell",
        refused,
        "at least 0.90",
        refused[0] >= 0.9,
        len(follows),
    )
    cover = share(covers(few, PLANTED))
    add("36 reps, 6 quarters", "jackknife interval covers planted", cover, "", None, len(few))
    return rows


def over_the_cycle(cycle: pd.DataFrame) -> list[dict[str, object]]:
    """Return one row a claim of bookings and the hours of the quarters around them."""
    gap = mean(cycle["estimate"] - PLANTED)
    work, n = "bookings over the cycle", len(cycle)
    rows = [
        ("by way of shifters, sum less planted", gap, "0 +- 3 mcse", abs(gap[0]) < 3 * gap[1]),
        ("its interval covers planted", share(covers(cycle, PLANTED)), "", None),
        ("verdict found", share(cycle["verdict"] == "found"), "", None),
        ("logged hours, sum less planted", mean(cycle["logged"] - PLANTED), "", None),
        ("logged hours of the quarter after", mean(cycle["logged_ahead"]), "", None),
    ]
    return [claim(work, what, got, asked, holds, n) for what, got, asked, holds in rows]


def run(n_companies: int, n_workers: int) -> tuple[list[dict[str, object]], float]:
    start = time.perf_counter()
    tables = {}
    with ProcessPoolExecutor(n_workers) as pool:
        for work, (name, part, different) in STUDIES.items():
            seeds = range(max(round(n_companies * part), 10))
            tables[work] = pd.DataFrame(
                list(pool.map(partial(one, name, different), seeds, chunksize=5))
            )
    return claims(tables), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--companies", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows, wall = run(options.companies, options.workers)
    if options.json:
        for row in rows:
            print(as_json(row))
        return
    print(head(WIDTHS))
    for row in rows:
        print(line(row, WIDTHS))
    print(f"{wall:.0f} s wall, {options.workers} processes")


if __name__ == "__main__":
    main()
