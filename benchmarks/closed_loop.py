"""Whether the interval of what returned leads bring holds what it says, and what a million touches
cost.

Five hundred companies of the simulator, of three levels of working together, looked at while four
in ten returned leads are still on their way: naive (converted of all returned) and with open leads
counted as long as they were watched, against the truth.  Then a million responses of 400,000
people to 40,000 won deals and to nothing: paths and six rules of credit, which must each sum to the
bookings to the cent.

    python benchmarks/closed_loop.py [--json] [--work calibration speed] [--companies 500]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from monte_carlo import as_json, claim, head, line, mean, share
from studies import recycling_study

from analysis.chapters.closed_loop import attribution

WIDTHS = {"work": 12, "what": 52}
N_TOUCHES, N_PEOPLE, N_DEALS = 1_000_000, 400_000, 40_000
KINDS = ("Webinar", "Email", "Content", "Trade Show", "Brochure", "Partner", "Search", "Social")
MOST_CPU = 10.0
FIRST = pd.Timestamp("2025-01-01", tz="UTC")


def claims(n_companies: int, n_workers: int) -> list[dict[str, object]]:
    """Return what the study says: a row a claim."""
    rows = []

    def add(what: str, got: tuple[float, float], asked: str = "", holds: object = None):
        rows.append(claim("recycling", what, got, asked, holds, n_companies))

    with ProcessPoolExecutor(n_workers) as pool:
        each = pool.map(recycling_study.yield_of_company, range(n_companies), chunksize=10)
        table = pd.DataFrame(list(each))
    add("returned leads still on their way", mean(table["open"]))
    add("yield less the truth: naive", mean(table["naive"] - table["truth"]))
    got = mean(table["share"] - table["truth"])
    add("yield less the truth: Aalen-Johansen", got)
    got = share((table["low"] < table["truth"]) & (table["truth"] < table["high"]))
    add("95% interval of the yield covers", got, ".93 to .97", 0.93 <= got[0] <= 0.97)
    got = share((table["gap_low"] < table["true_gap"]) & (table["true_gap"] < table["gap_high"]))
    add("95% interval of returned less fresh covers", got, ".93 to .97", 0.93 <= got[0] <= 0.97)
    return rows


def million_touches() -> tuple[pd.DataFrame, ...]:
    """Return touches, campaigns, leads and deals won."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, N_PEOPLE, N_TOUCHES)
    touches = pd.DataFrame(
        {
            "person_key": "P" + pd.Series(who).astype(str),
            "campaign_id": "C" + pd.Series(rng.integers(0, 400, N_TOUCHES)).astype(str),
            "touched_at": FIRST + pd.to_timedelta(rng.integers(0, 365 * 86_400, N_TOUCHES), "s"),
            "is_response": True,
        }
    )
    campaigns = pd.DataFrame(
        {"campaign_id": [f"C{n}" for n in range(400)], "campaign_type": np.tile(KINDS, 50)}
    )
    number = pd.Series(np.arange(N_PEOPLE))
    deal = pd.Series(np.where(number < N_DEALS, "O" + number.astype(str), None))
    leads = pd.DataFrame(
        {"lead_id": number.astype(str), "person_key": "P" + number.astype(str)}
    ).assign(opportunity_id=deal)
    won = pd.DataFrame(
        {
            "opportunity_id": "O" + pd.Series(np.arange(N_DEALS)).astype(str),
            "close_date": (FIRST + pd.to_timedelta(rng.integers(100, 365, N_DEALS), "D")).date,
            "deal_amount": np.round(rng.lognormal(10.5, 0.8, N_DEALS), 2),
        }
    )
    return touches, campaigns, leads, won


def speed() -> dict[str, object]:
    """Return what paths and credit cost, and by how many cents the worst rule is off."""
    tables = million_touches()
    begin = time.process_time(), time.perf_counter()
    paths = attribution.deal_paths(*tables)
    table = attribution.credit_by_activity(paths)
    cpu, wall = time.process_time() - begin[0], time.perf_counter() - begin[1]
    total = round(100 * float(tables[3]["deal_amount"].sum()))
    sums = (100 * table[list(attribution.RULES)]).round().astype("int64").sum()
    return {
        "work": "credit", "who": "alignment-roi", "rows": len(paths.path), "cpu_s": cpu,
        "wall_s": wall, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "equal": bool((sums == total).all()), "cents_off": int((sums - total).abs().max()),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", nargs="+", default=["calibration", "speed"])
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if "calibration" in options.work:
        rows = claims(options.companies, options.workers)
        print("\n".join(map(as_json, rows)) if options.json else head(WIDTHS))
        if not options.json:
            print("\n".join(line(row, WIDTHS) for row in rows))
    if "speed" in options.work:
        row = speed()
        if options.json:
            print(json.dumps(row))
            return
        print(f"{N_TOUCHES:,} responses, {N_DEALS:,} deals won: {row['rows']:,} on paths")
        print(f"CPU s {row['cpu_s']:.2f}, wall s {row['wall_s']:.2f}, MiB {row['peak_mib']:.0f}")
        print(f"at most {MOST_CPU:g} CPU s: {'yes' if row['cpu_s'] <= MOST_CPU else 'NO'}")
        print(f"cents by which the worst rule is off: {row['cents_off']}")


if __name__ == "__main__":
    main()
