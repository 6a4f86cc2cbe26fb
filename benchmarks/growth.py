"""How often the graded answer on growth is right: words, intervals and whether it pays.

Teams of a dozen quarters, drawn anew for each draw, seeds 0, 1, ...; the product's own
`grading.grade_growth` on their panels.  Every share comes with its Monte Carlo error.  Cells:
true effects; drift of adopters; selection; rerouting; logging; deals held back; heads; regions that
join as one; few adopters; heavy deals.  `pays`: true lifts drawn from either prior, and whether
programmes said to pay with .9 or more do.

`companies`: how often a harmful, a useless and a working programme and one that only hired get
which words.  `pages`: all that page one says of one whole company of each kind, from its exports.

    python benchmarks/growth.py [--json] [--draws 1000] [--workers 2] [--only true]
"""

from __future__ import annotations

import argparse
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from monte_carlo import as_json, claim, head, line, share
from studies import decision_study, page_one_study
from studies.team_panels import Matrices, Teams, draw_matrices

from analysis.chapters.growth import counterfactual, grading, panel, specification
from analysis.chapters.growth.grading import GrowthPanels
from analysis.chapters.roi import uncertainty
from analysis.chapters.roi.case import GrowthEffect, Prior
from analysis.project.quarters import parse_quarter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.chapters.growth.grading import GradedGrowth

counterfactual.MOST_CELLS = 100_000  # batches that stay in the cache: the same figures, sooner
SPEC = specification.default_specification()._replace(randomisation_draws=999)
WIDTHS = {"work": 9, "cell": 48, "what": 38}
SIZES = (24, 12, 60)
TRUE_GAPS = (0, 5, 15, 24, -15)  # percent
FALSE_FOUND, FALSE_FOUND_OF_REGIONS, LEAST_COVERAGE = 0.05, 0.06, 0.93
FOUND_AT_15 = {24: 0.39, 60: 0.74}
AT_LEAST_LIKELY_AT_15 = {24: 0.77}
NAMED_LIMITS = ("held back", "early", "few")  # where coverage is known to fall short
PRIORS = {"N(3, 4²)": Prior(3.0, 4.0), "N(0, 4²)": Prior(0.0, 4.0)}
BREAK_EVENS = (0.007, 0.03)  # lifts from which a programme pays: the demo's, and a dear one's
SURE = 0.9
SHARES = (np.arange(2_000) + 0.5) / 2_000
Cell = tuple[str, str, dict[str, object]]


def steady(percent: float) -> dict[str, object]:
    """Return an effect of `percent` from the first quarter on."""
    return {"effect": math.log1p(percent / 100), "effect_path": (1.0,)}


def cells() -> list[Cell]:
    """Return work, cell and what differs from the defaults."""
    out: list[Cell] = []
    for n in SIZES:
        out += [("true", f"{n} teams, true {g} %", {"n_teams": n, **steady(g)}) for g in TRUE_GAPS]
        out += [("true", f"{n} teams, demo ramp", {"n_teams": n})]
    for n in (24, 60):
        null = {"n_teams": n, "effect": 0.0}
        out += [
            ("null", f"{n} teams, drift {100 * d:g} points", {**null, "pre_trend_log": d})
            for d in (0.005, 0.01, 0.02)
        ]
        out += [
            (
                "null",
                f"{n} teams, bookings alone drift {100 * d:g}",
                {**null, "bookings_trend_log": d},
            )
            for d in (0.01, 0.02)
        ]
        out += [
            ("null", f"{n} teams, selection {s:+.1f}", {**null, "selection": s})
            for s in (-1.0, -0.5, 0.5, 1.0)
        ]
        out += [
            ("null", f"{n} teams, rerouted {100 * r:g} %", {**null, "rerouted": r})
            for r in (0.1, 0.03)
        ]
        out += [
            ("null", f"{n} teams, held back 25 %", {**null, "held_back": 0.25}),
            ("null", f"{n} teams, logging alone +30 %", {**null, "logging_log": 0.3}),
            ("null", f"{n} teams, heads 8 to 10", {**null, "hires": 0.25}),
            ("null", f"{n} teams, heads 8 to 9", {**null, "hires": 0.125}),
        ]
    region = {"region_shock_log_sd": 0.06}
    few = {"adoption": ((5, 3 / 24),)}
    thin = {"created": 25.0}
    hard: dict[str, dict[str, object]] = {
        "8 regions join, shocks 6 %": {"n_regions": 8, **region},
        "12 regions join, shocks 6 %": {"n_regions": 12, **region},
        "4 regions join, shocks 6 %": {"n_regions": 4, **region},
        "few: 3 of 24 joined": few,
        "few: 3 of 24 joined, small teams": {**few, **thin},
        "small teams": thin,
        "deal log sd 1.5": {"deal_variation": 8.5},
        "a whale at an adopter": {"whale": 2.0},
        "seasonal start": {"adoption": ((5, 16 / 24),)},
        "currency of 7 adopters": {"currency_log_sd": 0.03},
        "held back 25 %": {"held_back": 0.25},
        "early: effect a quarter early": {"early_quarters": 1},
        "heads vary by 15 %": {"churn_log_sd": 0.15},
        "one team takes over half of another": {"takeover": True},
        "half of a team becomes a new one": {"split": True},
        "13 % of team-quarters empty": {"empty_share": 0.13},
    }
    for name, different in hard.items():
        out += [
            ("attack", f"{name}, true {g} %", {**different, **steady(g)})
            for g in (0, 15)
            if (g or "early" not in name) and (g or "held" not in name)
        ]
    unlike = {"effect_path": (1.0,), "cohort_effects": (0.30, 0.10, 0.0)}
    out.append(("attack", "cohorts gain .30, .10 and 0", unlike))
    return out


def panels_of(company: Teams, drawn: Matrices) -> GrowthPanels:
    """Return what an assessment would read of drawn teams."""
    n_teams, n_quarters = drawn.effect.shape
    last = parse_quarter(company.last_quarter)
    quarters = tuple(str(last.shifted(k)) for k in range(1 - n_quarters, 1))
    starts = np.where(drawn.adopted < n_quarters, drawn.adopted, panel.NEVER).astype(np.intp)
    ids = pd.Index([f"T{i:03d}" for i in range(n_teams)], name="team_id")
    booked = drawn.columns[SPEC.outcome]
    with np.errstate(divide="ignore"):
        log_booked = np.log(np.where(booked > 0, booked, np.nan))
    whole = panel.of_matrix(SPEC.outcome, log_booked, starts, ids, quarters)
    keep = ids.isin(whole.teams)

    def like(name: str, values: np.ndarray, *, is_log: bool = True) -> panel.Panel:
        with np.errstate(divide="ignore"):
            matrix = (
                np.log(np.where(values > 0, values, np.nan)) if is_log else values.astype(float)
            )
        return whole._replace(outcome=name, matrix=matrix[keep])

    each = drawn.columns
    net = (each["n_reps_moved_in"] - each["n_reps_moved_out"]) / each["average_reps"]
    return GrowthPanels(
        bookings=whole,
        opportunities=like("n_created", each["n_created"]),
        heads=like("average_reps", each["average_reps"]),
        entries=like("entries_per_week", each["entries_per_week"]),
        leads=like("n_leads", each["n_leads"]),
        rerouted=like("rerouted_share", each["rerouted_share"], is_log=False),
        moves=like("net_moves", net, is_log=False),
        regions=drawn.regions[keep].astype(float),
    )


def chance_to_pay(graded: GradedGrowth, prior: Prior, break_even: float) -> float:
    """Return P(lift > `break_even`) by the posterior that the return chapter draws from."""
    interval = graded.bookings.with_evidence
    effect = GrowthEffect(interval.estimate, interval.error, interval.df, "likely", 0)
    quantiles = uncertainty.effect_quantiles(effect, prior, SHARES)
    return float((quantiles > math.log1p(break_even)).mean())


def one(different: dict[str, object], seed: int) -> dict[str, object]:
    """Return what one company's answer says, and whether it is right."""
    company = Teams(seed=seed, **different)
    drawn = draw_matrices(company)
    graded = grading.grade_growth(panels_of(company, drawn), SPEC)
    answer = graded.bookings
    low, high = answer.effect.ends(SPEC.level)
    is_right = answer.effect.estimate * drawn.average_effect > 0
    pays = [chance_to_pay(graded, prior, BREAK_EVENS[0]) for prior in PRIORS.values()]
    word = answer.ruling.verdict
    return {
        "word": word,
        "excludes_zero": answer.effect.excludes_zero(SPEC.level),
        "covers": low <= drawn.average_effect <= high,
        "is_right": is_right,
        "is_open": not answer.ruling.against,
        "likely_pays": not answer.ruling.against and min(pays) >= SURE,
        "likely_loses": not answer.ruling.against and max(pays) <= 1 - SURE,
        "error": answer.effect.error,
        "early": graded.opportunities.ruling.verdict if graded.opportunities else "cannot tell",
    }


def drawn_lift(name: str, seed: int) -> dict[str, object]:
    """Return whether a programme pays whose lift is drawn from a prior, and what was said.

    Adopters drift as is believed: N(0, 1 point) a quarter.
    """
    rng = np.random.default_rng([seed, 77])
    prior = PRIORS[name]
    lift = (prior.mean_points + prior.sd_points * rng.standard_normal()) / uncertainty.POINTS
    drift = SPEC.beliefs.drift * rng.standard_normal()
    company = Teams(seed=seed, effect=lift, effect_path=(1.0,), pre_trend_log=drift)
    graded = grading.grade_growth(panels_of(company, draw_matrices(company)), SPEC)
    out: dict[str, object] = {"is_open": not graded.bookings.ruling.against}
    for even in BREAK_EVENS:
        several = {label: chance_to_pay(graded, each, even) for label, each in PRIORS.items()}
        out |= {f"{label} {even}": chance for label, chance in several.items()}
        out[f"both {even}"] = min(several.values())
        out[f"pays {even}"] = lift > math.log1p(even)
    return out


def claims(work: str, cell: str, table: pd.DataFrame) -> list[dict[str, object]]:
    """Return one row a claim: work, cell, what, value, its Monte Carlo error, what is asked,
    whether it holds.
    """
    rows: list[dict[str, object]] = []

    def add(what: str, got: tuple[float, float], asked: str = "", holds: object = None) -> None:
        rows.append({"cell": cell} | claim(work, what, got, asked, holds, len(table)))

    is_null = work == "null" or "true 0 %" in cell
    is_found, is_likely = table["word"] == "found", table["word"] == "likely"
    found, at_least = share(is_found), share(is_found | is_likely)
    if is_null:
        limit = FALSE_FOUND_OF_REGIONS if "regions" in cell else FALSE_FOUND
        add("found", found, f"at most {limit:.2f}", found[0] <= limit)
        add("found or likely", at_least)
    else:
        right = share(is_found & table["is_right"])
        right_or_likely = share((is_found | is_likely) & table["is_right"])
        first = cell.partition(" ")[0]
        n = int(first) if first.isdigit() else 24
        is_asked = work == "true" and abs(_true_of(cell)) == 15
        least, least_likely = FOUND_AT_15.get(n), AT_LEAST_LIKELY_AT_15.get(n)
        add("found, its sign right", right, *_floor(right[0], least if is_asked else None))
        add("found or likely, its sign right", right_or_likely,
            *_floor(right_or_likely[0], least_likely if is_asked else None))  # fmt: skip
        add("found or likely, its sign wrong", share((is_found | is_likely) & ~table["is_right"]))
    add("interval leaves zero out", share(table["excludes_zero"]))
    covers = share(table["covers"])
    is_limit = any(each in cell for each in NAMED_LIMITS)
    add("95% interval covers", covers, *_floor(covers[0], None if is_limit else LEAST_COVERAGE))
    is_open = table["is_open"]
    if is_open.any():
        add("... where nothing speaks against it", share(table.loc[is_open, "covers"]))
    add("something speaks against it", share(~is_open))
    add("no material effect", share(table["word"] == "no material effect"))
    add("likely pays", share(table["likely_pays"]))
    add("likely does not pay", share(table["likely_loses"]))
    add("opportunities found or likely", share(table["early"].isin(["found", "likely"])))
    return rows


def _true_of(cell: str) -> float:
    return float(cell.rpartition("true ")[2].removesuffix(" %")) if "true " in cell else math.nan


def _floor(value: float, least: float | None) -> tuple[str, object]:
    return ("", None) if least is None else (f"at least {least:.2f}", value >= least)


def calibration(name: str, table: pd.DataFrame) -> list[dict[str, object]]:
    """Return how many of those said to pay with .9 or more do, where nothing speaks against it."""
    rows: list[dict[str, object]] = []
    for even in BREAK_EVENS:
        for by in (*PRIORS, "both"):
            said = table[table["is_open"] & (table[f"{by} {even}"] >= SURE)]
            where = f"lifts {name}, pays from {100 * even:g} %"
            n = len(said)
            got = share(said[f"pays {even}"]) if n else (math.nan, math.nan)
            is_asked = by in {name, "both"} and n > 0
            rows.append(
                {"cell": where}
                | claim(
                    "pays", f"pays, of those said so by {by}", got,
                    "at least 0.90" if is_asked else "", got[0] >= SURE if is_asked else None, n,
                )
            )  # fmt: skip
    return rows


STEPS = {
    "extend": "Start the programme in",
    "keep": "Keep the programme",
    "stop or change": "Stop the programme, or change it",
    "start no further team": "Start no further team",
}


def companies(n_draws: int, n_workers: int) -> Iterator[dict[str, object]]:
    """Yield how often each kind of programme gets which words and which step."""
    with ProcessPoolExecutor(n_workers) as pool:
        for kind in decision_study.KINDS:
            pages = list(pool.map(partial(decision_study.page_one, kind), range(n_draws)))
            table = pd.DataFrame(pages)
            shares = {
                f"growth {word}, {'lower' if is_negative else 'higher'}": share(
                    (table["growth_verdict"] == word) & (table["is_negative"] == is_negative)
                )
                for word in ("found", "likely")
                for is_negative in (True, False)
            }
            shares |= {
                word: share(table["pay_verdict"] == word)
                for word in ("likely pays", "likely does not pay")
            }
            shares |= {
                f"next: {name}": share(table["next_step"].str.startswith(words))
                for name, words in STEPS.items()
            }
            for what, got in shares.items():
                yield {"cell": kind} | claim("page one", what, got, "", None, n_draws)


def print_pages() -> None:
    """Print what page one says of one company of each kind."""
    for kind in decision_study.KINDS:
        page = page_one_study.page_one(kind, seed=0)
        print(f"\n{kind}", *(f"  {name:<8}{text}" for name, text in page.items()), sep="\n")


def run(n_draws: int, n_workers: int, only: str = "") -> Iterator[dict[str, object]]:
    """Yield the claims of each cell as soon as it is done."""
    with ProcessPoolExecutor(n_workers) as pool:
        for work, cell, different in cells():
            if only and only not in f"{work} {cell}":
                continue
            n = n_draws if different.get("n_teams", 24) == 24 else round(n_draws * 0.6)
            table = pd.DataFrame(list(pool.map(partial(one, different), range(n), chunksize=10)))
            yield from claims(work, cell, table)
        for name in PRIORS if not only or only == "pays" else ():
            got = pool.map(partial(drawn_lift, name), range(n_draws), chunksize=10)
            yield from calibration(name, pd.DataFrame(list(got)))
    if not only or only == "companies":
        yield from companies(n_draws // 5, n_workers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--draws", type=int, default=1_000, help="of 24 teams; others .6 of it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="words of a work and cell, such as 'true 24'")
    options = parser.parse_args()
    start = time.perf_counter()
    if not options.json:
        print(head(WIDTHS))
    for row in run(options.draws, options.workers, options.only):
        print(as_json(row) if options.json else line(row, WIDTHS), flush=True)
    if not options.json:
        if options.only in {"", "pages"}:
            print_pages()
        print(f"{time.perf_counter() - start:.0f} s wall, {options.workers} processes")


if __name__ == "__main__":
    main()
