"""Whether a trial of content says "one extra sale" as often as it should, and hot deals never do.

A thousand trials of content that does nothing, a thousand in which it brings one sale more in 100
accounts, of the size that is said to find it four times in five; and 300 companies in which reps
use content on deals that are won already, as they are and passed off as a trial.

    python benchmarks/joint_work.py [--json] [--trials 1000] [--companies 300]
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pandas as pd
from monte_carlo import as_json, claim, head, line, share
from studies import content_study

from analysis.chapters.joint_work import content_trial

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTHS = {"work": 12, "what": 60}


def claims(n_trials: int, n_companies: int, n_workers: int) -> list[dict[str, object]]:
    """Return what the study says: a row a claim."""
    rows = []

    def add(what: str, flags: pd.Series, asked: str, low: float, high: float):
        got = share(flags)
        rows.append(
            claim("content", what, got, asked, low <= got[0] <= high if asked else None, len(flags))
        )

    with ProcessPoolExecutor(n_workers) as pool:

        def study(one: Callable[[int], dict[str, float]], n: int) -> pd.DataFrame:
            return pd.DataFrame(list(pool.map(one, range(n), chunksize=20)))

        null = study(content_study.null_trial, n_trials)
        planted = study(content_study.planted_trial, n_trials)
        hot = study(content_study.hot_company, n_companies)
    each = content_trial.accounts_needed(content_study.SMALL_BASE, content_study.PLANTED)
    add("nothing: 95% interval covers 0", null["covers"], ".93 to .97", 0.93, 0.97)
    add("nothing: called an extra sale", null["found"], "at most .05", 0.0, 0.05)
    add("one in 100 more: 95% interval covers it", planted["covers"], ".93 to .97", 0.93, 0.97)
    power = content_trial.POWER
    add(
        f"one in 100 more, {each:,} accounts an arm: found", planted["found"], ".77 to .83",
        power - 0.03, power + 0.03,
    )  # fmt: skip
    add("hot deals: naive difference leaves 0 out", hot["naive"].astype(bool), "", 0, 1)
    for way in ("untold", "choice", "match", "lot"):
        add(f"hot deals, passed off as {way}: no extra sale", ~hot[way], "at least .95", 0.95, 1.0)
    return rows


def main() -> None:
    """Print the table, or a line of JSON a row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--companies", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows = claims(options.trials, options.companies, options.workers)
    if options.json:
        print("\n".join(map(as_json, rows)))
    else:
        print(head(WIDTHS))
        for row in rows:
            print(line(row, WIDTHS))


if __name__ == "__main__":
    main()
