"""Whether a time study of 20 rep-weeks says how sure the cost of an hour truly sold is.

A company is simulated whose records hold some of the hours its reps sell, with error.  20 rep-weeks
of its last quarter are observed; the cost of a recorded hour times the share of observed hours that
the records hold must cover the true cost, pay over hours truly sold, in 0.93 to 0.97 of companies.

    python benchmarks/capture.py [--json] [--companies 200]
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from monte_carlo import as_json, claim, head, line, mean, share

from analysis.chapters.cost import capture_range, cost
from analysis.project.settings import HoursSettings
from analysis.simulate import simulated_tables
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.stats.result import Result

QUARTER = "2026Q3"
PAY_AMOUNT = 30_000.0  # a rep and quarter; it cancels from what is covered
N_REP_WEEKS = 20
BAND = (0.93, 0.97)
SETTINGS = HoursSettings(longest_activity_hours=8, minimum_logged_share=0.5, max_junk_share=0.5)
CASES = {
    "20 reps, a week each": {"n_weeks": 1},
    "10 reps, two weeks each": {"n_weeks": 2},
    "records hold 60%": {"n_weeks": 1, "capture_rate": 0.6},
}


def weeks_of_quarter(drawn: SimulatedCompany) -> pd.DataFrame:
    """Return the last quarter's rep-weeks: hours truly sold and hours recorded [h]."""
    weeks = simulated_tables.simulate_panels(drawn).rep_week
    weeks = weeks[(weeks["quarter"] == weeks["quarter"].max()) & (weeks["worked_days"] > 0)]
    return weeks[["rep", "week_start", "selling_hours", "logged_hours"]].dropna()


def observe_weeks(weeks: pd.DataFrame, rng: np.random.Generator, n_weeks: int) -> pd.DataFrame:
    """Return a time study as panel ``observed_days`` has it: reps at random, their weeks too."""
    counts = weeks["rep"].value_counts()
    reps = rng.choice(
        np.sort(counts.index[counts >= n_weeks]), N_REP_WEEKS // n_weeks, replace=False
    )
    parts = [
        weeks[weeks["rep"] == rep].sample(n_weeks, random_state=rng.integers(2**31)) for rep in reps
    ]
    study = pd.concat(parts, ignore_index=True)
    return study.rename(
        columns={
            "rep": "rep_id", "selling_hours": "observed_hours", "logged_hours": "recorded_hours",
        }
    ).assign(quarter=QUARTER)  # fmt: skip


def sold_hour(seed: int, *, n_weeks: int, **parameters: float) -> tuple[Result, float]:
    """Return the cost of an hour truly sold, by time study, and the truth."""
    weeks = weeks_of_quarter(SimulatedCompany(seed=seed, n_quarters=6, **parameters))
    rng = np.random.default_rng([seed, 99])
    pay = PAY_AMOUNT * weeks["rep"].nunique()
    recorded = pay / float(weeks["logged_hours"].sum())
    hour = Result(
        "cost_per_selling_hour", recorded, np.nan, np.nan,
        cost.MEASURES["cost_per_selling_hour"].unit.format(currency="USD"),
        weeks["rep"].nunique(), "reps", "", "",
    )  # fmt: skip
    found = capture_range.capture_range(observe_weeks(weeks, rng, n_weeks), QUARTER, SETTINGS)
    return capture_range.sold_hour_cost(hour, found), pay / float(weeks["selling_hours"].sum())


def cover(name: str, case: dict[str, float], n_companies: int) -> list[dict[str, object]]:
    """Return the claims of a case: coverage, width and bias."""
    answers = [sold_hour(seed, **case) for seed in range(n_companies)]
    inside = pd.Series([hour.low <= truth <= hour.high for hour, truth in answers])
    width = pd.Series([(hour.high - hour.low) / truth for hour, truth in answers])
    bias = pd.Series([hour.estimate / truth - 1 for hour, truth in answers])
    covers = share(inside)
    asked = f"{BAND[0]} to {BAND[1]}"
    holds = BAND[0] <= covers[0] <= BAND[1]
    return [
        claim(name, "covers the true cost", covers, asked, holds, n_companies),
        claim(name, "width over truth", mean(width), "", None, n_companies),
        claim(name, "bias", mean(bias), "", None, n_companies),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--companies", type=int, default=200)
    options = parser.parse_args()
    rows = [row for name, case in CASES.items() for row in cover(name, case, options.companies)]
    if options.json:
        print("\n".join(map(as_json, rows)))
        return
    widths = {"work": 26, "what": 22}
    print(head(widths))
    print("\n".join(line(row, widths) for row in rows))


if __name__ == "__main__":
    main()
