"""Whether the best set of requests is best, and whether deadlines and promises hold what they say.

The articles' items, each with the figure it is held to; then simulation: the chance to be done by a
day with 30% still open, askers' optimism where it was planted and where not, and how long a choice
takes.  Published files of problems may be named; their best known values are compared.

    python benchmarks/marketing_requests.py [--json] [--companies 2000] [--knapsacks FILE]...
        [--seconds 60] [--only-choices]
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from monte_carlo import as_json, claim, head, line, share
from studies import knapsack_files

from analysis.chapters.cost import cost
from analysis.chapters.marketing_requests import (
    asks,
    capacity_choice,
    request_summary,
    request_value,
    turnaround,
)
from analysis.tables import vetting_form

WIDTHS = {"work": 10, "what": 66}
MEDIAN_DAYS, LOG_SD = 18.0, 0.6
EXACT = 0.0


def items() -> list[dict[str, object]]:
    """Return a row an item of the articles that has a figure."""
    use = request_summary.capacity_use(pd.Series([80.0, 70.0, 50.0]), 120.0)
    price = cost.marketing_ask(30, 20, 399, 3_788)["estimate"].tolist()
    words = ("need", "needle", "I", "AI")
    is_flagged = [bool(asks.check_tone(w).found_words) for w in words]
    three = capacity_choice.ChoiceProblem(
        ("a", "b", "c"),
        np.array([9e3, 8e3, 3e3]),
        ("hours",),
        np.array([[60.0, 50, 20]]),
        np.array([100.0]),
    )
    steps = capacity_choice.value_by_capacity(three, [100, 105, 110])["value_amount"].tolist()
    numbers = [q.number for q in vetting_form.QUESTIONS]
    leaders = [q.number for q in vetting_form.QUESTIONS if q.is_for_leader_only]
    rows = [
        (
            "000-01",
            "capacity asked for, 200 h of 120",
            use.utilisation,
            "1.667",
            round(use.utilisation, 3) == 1.667,
        ),
        ("000-01", "hours without room", use.backlog_hours, "80", use.backlog_hours == 80),
        ("000-07", "Gini of equal shares", request_summary.gini([3] * 5), "0", True),
        (
            "000-07",
            "Gini where one of five takes all",
            request_summary.gini([5, 0, 0, 0, 0]),
            ".8",
            True,
        ),
        (
            "000-08",
            "public questions, in order from 1",
            len(vetting_form.PUBLIC),
            "12",
            numbers == [*range(1, 14)],
        ),
        ("000-09", "the leader's own question", leaders[0], "13", leaders == [13]),
        ("000-11", "fields of the big picture", len(vetting_form.BIG_PICTURE), "8", True),
        (
            "000-32",
            "goals, hours spread evenly over ten",
            request_summary.effective_goals(pd.Series([1.0] * 10), pd.Series(range(10))),
            "10",
            True,
        ),
        ("002-10", "30 min x 20 reps at 399 an hour", price[0], "3990", price[0] == 3990),
        ("002-10", "the same at 3,788 an hour", price[1], "37880", price[1] == 37880),
        (
            "002-11",
            "'need' and 'I' flagged",
            sum(is_flagged[::2]),
            "2",
            is_flagged == [True, False, True, False],
        ),
        (
            "002-11",
            "'needle' and 'AI' flagged",
            sum(is_flagged[1::2]),
            "0",
            is_flagged == [True, False, True, False],
        ),
        ("000-01", "best set at 100, 105 h", steps[1], "12000", steps == [12e3, 12e3, 17e3]),
        ("000-01", "best set at 110 h", steps[2], "17000", steps == [12e3, 12e3, 17e3]),
    ]
    return [claim(i, what, (float(v), EXACT), asked, holds, 1) for i, what, v, asked, holds in rows]


def deadline_covers(rng: np.random.Generator, n: int = 150) -> tuple[bool, float]:
    """Return whether the interval of P(done by the median day) holds .5, and the share open."""
    took = MEDIAN_DAYS * np.exp(LOG_SD * rng.standard_normal(n))
    seen = rng.uniform(0, 4 * MEDIAN_DAYS, n)
    curve = turnaround.estimate_turnaround(np.minimum(took, seen), (took <= seen).astype(float))
    chance = turnaround.done_by(curve, MEDIAN_DAYS)
    return chance.low <= 0.5 <= chance.high, float((took > seen).mean())


def optimism_of_company(
    rng: np.random.Generator, planted: float, n: int = 240
) -> tuple[bool, bool, float]:
    """Return whether the interval holds what was planted, or is above 1, and the estimate."""
    expected = 12_000 * np.exp(0.9 * rng.standard_normal(n))
    came = expected * np.exp(0.5 * rng.standard_normal(n) - 0.125)
    promises = pd.DataFrame(
        {"team_id": np.arange(n) % 24, "promised": planted * expected, "came": came}
    )
    kept = request_value.kept_share(promises, unit="bookings", source="simulated")
    found = request_value.optimism_of_askers(kept)
    return found.low < planted < found.high, found.low > 1, found.estimate


def simulations(n_companies: int) -> list[dict[str, object]]:
    """Return a row a claim on coverage."""
    rng = np.random.default_rng(16)
    covers, n_open = zip(*(deadline_covers(rng) for _ in range(n_companies)), strict=True)
    got = share(pd.Series(covers))
    asked = f"{np.mean(n_open):.0%} open; .93 to .97"
    rows = [
        claim(
            "002-21",
            "P(done by t): 95% interval covers",
            got,
            asked,
            0.93 <= got[0] <= 0.97,
            n_companies,
        )
    ]
    for planted in (1.0, 1.5):
        drawn = [optimism_of_company(rng, planted) for _ in range(n_companies)]
        covered, above, estimates = (pd.Series(c) for c in zip(*drawn, strict=True))
        got, found = share(covered), share(above)
        error = float(estimates.std() / math.sqrt(len(estimates)))
        is_right = abs(estimates.mean() - planted) < 0.02
        rows += [
            claim(
                "000-05",
                f"optimism {planted}: 95% interval covers",
                got,
                ".93 to .97",
                0.93 <= got[0] <= 0.97,
                n_companies,
            ),
            claim(
                "000-05",
                f"optimism {planted}: mean estimate",
                (float(estimates.mean()), error),
                str(planted),
                is_right,
                n_companies,
            ),
            claim(
                "000-05",
                f"optimism {planted}: told from 1",
                found,
                "1" if planted > 1 else ".025",
                None,
                n_companies,
            ),
        ]
    return rows


def company_choice(rng: np.random.Generator, n: int) -> capacity_choice.ChoiceProblem:
    """Return requests as companies make them: hours, outlay of half of them, a skill of a third."""
    hours = np.round(14 * np.exp(0.6 * rng.standard_normal(n)), 1)
    outlay = np.where(
        rng.random(n) < 0.5, np.round(1800 * np.exp(0.7 * rng.standard_normal(n)), 2), 0
    )
    weights = np.vstack([hours, outlay, np.where(rng.random(n) < 0.3, hours, 0)])
    amounts = np.round(7920 * np.exp(0.9 * rng.standard_normal(n)) - 65 * hours - outlay, 2)
    return _choice(weights, amounts)


def dense_choice(rng: np.random.Generator, n: int) -> capacity_choice.ChoiceProblem:
    """Return requests that take of every capacity, unrelated to what they bring."""
    weights = rng.integers(1, 1001, (3, n)).astype(float)
    return _choice(weights, rng.integers(1, 1001, n).astype(float))


def related_choice(rng: np.random.Generator, n: int) -> capacity_choice.ChoiceProblem:
    """Return requests whose value follows what they take, as in the published problems."""
    weights = rng.integers(1, 1001, (3, n)).astype(float)
    return _choice(weights, np.round(weights.mean(axis=0) + 500 * rng.random(n)))


def close_choice(rng: np.random.Generator, n: int) -> capacity_choice.ChoiceProblem:
    """Return requests whose value is close to what they take: the hardest."""
    weights = rng.integers(1, 1001, (3, n)).astype(float)
    return _choice(weights, np.round(weights.mean(axis=0) + rng.uniform(-100, 100, n)).clip(1))


def _choice(weights: np.ndarray, amounts: np.ndarray) -> capacity_choice.ChoiceProblem:
    names = tuple(map(str, range(len(amounts))))
    capacities = ("hours", "budget", "design")
    limits = weights.sum(axis=1) * 0.3
    return capacity_choice.ChoiceProblem(names, amounts, capacities, weights, limits)


KINDS = {  # problems of each, and whether each has to be proven in 2 s
    "as companies make them": (company_choice, 20, True),
    "dense, unrelated": (dense_choice, 20, True),
    "dense, related": (related_choice, 20, None),
    "dense, value close to weight": (close_choice, 3, None),
}


def choices() -> list[dict[str, object]]:
    """Return rows on 500 requests under three capacities, each for 30% of what is asked: processor
    seconds of a choice, how many are proven, and how far below the best the others may be.
    """
    rows = []
    for kind, (problem, n, is_held) in KINDS.items():
        seconds, proven, gaps = [], [], [0.0]
        for seed in range(n):
            each = problem(np.random.default_rng(seed), 500)
            began = time.process_time()
            best = capacity_choice.solve_choice(each)
            seconds.append(time.process_time() - began)
            proven.append(best is not None and best.is_proven)
            gaps.append(1 - best.value / best.bound if best else math.nan)
        most = max(seconds)
        median = (float(np.median(seconds)), EXACT)
        asked = ("below 2", most < 2) if is_held else ("", None)
        all_proven = ("1", all(proven)) if is_held else ("", None)
        rows += [
            claim("000-01", f"500 x 3, {kind}: median CPU s", median, "", None, n),
            claim("000-01", f"500 x 3, {kind}: most CPU s", (most, EXACT), *asked, n),
            claim(
                "000-01", f"500 x 3, {kind}: proven best", share(pd.Series(proven)), *all_proven, n
            ),
            claim(
                "000-01",
                f"500 x 3, {kind}: at most below the best, %",
                (100 * max(gaps), EXACT),
                "",
                None,
                n,
            ),
        ]
    return rows


def published(files: list[Path], seconds: float) -> list[dict[str, object]]:
    """Return a row a problem of the files named."""
    rows = []
    for file in files:
        for number, each in enumerate(knapsack_files.read_knapsacks(file.read_text()), 1):
            began = time.process_time()
            best = capacity_choice.solve_choice(each.problem, seconds=seconds)
            took = time.process_time() - began
            value = math.nan if best is None else best.value
            what = f"{file.name} {number}: value, {took:.1f} CPU s"
            holds = best is not None and best.is_proven
            if best is not None and not holds:
                what += f", at most {100 * (1 - value / best.bound):.2f}% below the best"
            if holds and not math.isnan(each.best_known):
                holds = math.isclose(value, each.best_known, rel_tol=1e-9)
            rows.append(claim("mknap", what, (value, EXACT), f"{each.best_known:g}", holds, 1))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--companies", type=int, default=2000)
    parser.add_argument("--knapsacks", type=Path, action="append", default=[])
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of branch and bound, a problem"
    )
    parser.add_argument("--only-choices", action="store_true")
    options = parser.parse_args()
    before = [] if options.only_choices else [*items(), *simulations(options.companies)]
    rows = [*before, *choices(), *published(options.knapsacks, options.seconds)]
    if not options.json:
        print(head(WIDTHS))
    for row in rows:
        print(as_json(row) if options.json else line(row, WIDTHS))


if __name__ == "__main__":
    main()
