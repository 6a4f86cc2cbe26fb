"""How often growth.assess is right.

Coverage, false findings, catches and verdicts over simulated teams.

Teams of a dozen quarters, drawn anew a thousand times a cell; every share comes with its Monte
Carlo error. Where the headline, its companion or the bounds settle the verdict the rest is not
computed: it is the same.

    python benchmarks/growth.py [--json] [--panels 1000] [--workers 2]
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
from studies.team_panels import Teams, draw_matrices, draw_teams

from analysis.chapters.growth import (
    assessment,
    association,
    callaway_santanna,
    guards,
    imputation,
    panel,
    power,
    specification,
    tier_contrast,
    verdict,
)
from analysis.project.errors import CrmDataError
from analysis.project.quarters import parse_quarter

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEC = specification.default_specification()._replace(randomisation_draws=999)
CYCLE_DAYS = 75.0
COVERAGE = (0.93, 0.98)
FOUND_UNDER_NULL = 0.05
SIZES = (12, 24, 60)
GAPS = (0, 5, 15, 24)  # percent
WIDTHS = {"work": 10, "cell": 47, "what": 54}
INDEX_QUARTER, LAST_QUARTER = "2025Q3", "2026Q3"


def steady(percent: float) -> dict[str, object]:
    """Return an effect of `percent` from the first quarter on."""
    return {"effect": math.log1p(percent / 100), "effect_path": (1.0,)}


def cells() -> list[tuple[str, str, dict[str, object]]]:
    """Return work, cell and what differs from the defaults."""
    out: list[tuple[str, str, dict[str, object]]] = []
    out += [("coverage", f"{n} teams", {"n_teams": n}) for n in SIZES]
    out += [
        ("verdict", f"{n} teams, gap {g} %", {"n_teams": n, **steady(g)})
        for n in SIZES
        for g in GAPS
    ]
    for n in (24, 60):
        null = {"n_teams": n, "effect": 0.0}
        out += [
            ("null", f"{n} teams, selection {s:+.1f}", {**null, "selection": s})
            for s in (-1.0, -0.5, 0.5, 1.0)
        ]
        out += [
            ("null", f"{n} teams, halo 10 points", {**null, "halo": 10.0}),
            ("null", f"{n} teams, logging only +30 %", {**null, "logging_log": 0.3}),
            ("null", f"{n} teams, 10 % of deals and leads rerouted", {**null, "rerouted": 0.1}),
        ]
        out += [
            ("trend", f"{n} teams, {100 * s:g} points", {**null, "pre_trend_log": s})
            for s in (0.0, 0.005, 0.01, 0.02)
        ]
        out += [
            ("reverse", f"{n} teams, {r:g} points", {**null, "reverse": r})
            for r in (0.0, 0.25, 0.5, 1.0)
        ]
    return out


def one(work: str, different: dict[str, object], seed: int) -> dict[str, object]:
    """Return what one panel's assessment says."""
    company = Teams(seed=seed, **different)
    drawn = draw_matrices(company)
    n_teams, n_quarters = drawn.effect.shape
    quarters = tuple(
        str(parse_quarter(company.last_quarter).shifted(k)) for k in range(1 - n_quarters, 1)
    )
    ids = pd.Index([f"T{i:03d}" for i in range(n_teams)], name="team_id")
    starts = np.where(drawn.adopted < n_quarters, drawn.adopted, panel.NEVER)
    whole = panel.of_matrix(
        SPEC.outcome, np.log(drawn.columns[SPEC.outcome]), starts, ids, quarters
    )
    effects = imputation.estimate_effects(whole)
    covers = effects.low <= drawn.average_effect <= effects.high
    row: dict[str, object] = {
        "error": effects.estimate - drawn.average_effect,
        "standard_error": effects.standard_error,
        "covers": covers,
        "excludes_zero": verdict.excludes_zero(effects),
    }
    if work == "trend":
        row["flagged"] = any(
            each.passed is False
            for each in (
                guards.trend_guard(whole),
                guards.placebo_guard(whole, n_quarters=SPEC.placebo_quarters),
            )
        )
    if work == "reverse":
        row["flagged"] = guards.lead_guard(whole, draw_teams(company).team_quarter).passed is False
    if "halo" in different:
        row["flagged"] = survey_misleads(draw_teams(company).team_quarter)
    if work == "verdict":
        bounds = assessment.bounds_of(whole, SPEC)
        beyond = assessment.beyond_trend(whole, SPEC)
        needed = power.detectable_gap(effects, bounds, beyond, gap_percent=5.0)
        row["detectable"], row["teams_needed"] = needed.detectable_percent, needed.n_teams_needed
        row["teams_for_interval"] = needed.teams_for_interval
    return row | (
        {} if work in ("coverage", "reverse") else {"verdict": judged(company, whole, effects)}
    )


def judged(company: Teams, whole: panel.Panel, effects: imputation.GrowthEffects) -> str:
    """Return the verdict of the whole procedure, its costly parts left out where they can change
    nothing.
    """
    if not verdict.excludes_zero(effects):
        if not verdict.is_immaterial(effects, SPEC.smallest_relevant_percent):
            return "cannot tell"
    elif not (
        may_be_found(whole, effects) and may_be_found(panel.panel_until(whole, whole.quarters[-2]))
    ):
        return "cannot tell"
    drawn = draw_teams(company)
    tables = assessment.AssessmentTables(drawn.team_quarter, drawn.programme, None, CYCLE_DAYS)
    return assessment.judge_panel(tables, whole, SPEC)[1].verdict


def may_be_found(whole: panel.Panel, effects: imputation.GrowthEffects | None = None) -> bool:
    """Return whether interval, companion, bounds and trends leave a finding open."""
    effects = effects or imputation.estimate_effects(whole)
    return bool(
        verdict.excludes_zero(effects)
        and verdict.bounds_guard(assessment.bounds_of(whole, SPEC), effects).passed
        and callaway_santanna.compare_estimates(
            effects, callaway_santanna.estimate_by_cohort(whole)
        ).agrees
        and guards.trend_guard(whole, wanted=SPEC.power).passed is not False
        and verdict.extrapolation_guard(
            assessment.beyond_trend(whole, SPEC), effects, SPEC.trend_level
        ).passed
        is not False
    )


def survey_misleads(team_quarter: pd.DataFrame) -> bool:
    """Return whether growth on the survey of a year ago leaves zero out though nothing is there."""
    growth = tier_contrast.yearly_growth(team_quarter, LAST_QUARTER)
    survey = team_quarter[team_quarter["quarter"] == INDEX_QUARTER].set_index("team_id")[
        "survey_index"
    ]
    try:
        got = association.on_lagged_index(growth, survey).measured
    except CrmDataError:
        return False
    return got.low > 0 or got.high < 0


def median(values: pd.Series) -> tuple[float, float]:
    """Return the median with its error, as of normal draws."""
    return float(values.median()), 1.2533 * float(values.std(ddof=1)) / math.sqrt(len(values))


def claims(work: str, cell: str, table: pd.DataFrame) -> list[dict[str, object]]:
    """Return one row a claim: work, cell, what, value, its Monte Carlo error, what is asked,
    whether it holds.
    """
    rows: list[dict[str, object]] = []

    def add(what: str, got: tuple[float, float], asked: str = "", holds: object = None) -> None:
        rows.append({"cell": cell} | claim(work, what, got, asked, holds, len(table)))

    if work == "coverage":
        cover = share(table["covers"])
        add(
            "interval covers the truth",
            cover,
            "0.93 to 0.98",
            COVERAGE[0] <= cover[0] <= COVERAGE[1],
        )
        spread = table["error"].std()
        add("bias [log]", (table["error"].mean(), spread / math.sqrt(len(table))))
        ratio = table["standard_error"].mean() / spread
        add("mean error / spread", (ratio, ratio / math.sqrt(2 * len(table))))
    if work in ("null", "trend") or (work == "verdict" and cell.endswith("gap 0 %")):
        found = share(table["verdict"] == "found")
        limit = FOUND_UNDER_NULL + 3 * math.sqrt(
            FOUND_UNDER_NULL * (1 - FOUND_UNDER_NULL) / len(table)
        )
        is_asked = work != "trend"
        add("interval leaves zero out", share(table["excludes_zero"]))
        add(
            "found",
            found,
            f"at most {limit:.3f}" if is_asked else "",
            found[0] <= limit if is_asked else None,
        )
    if "flagged" in table:
        names = {"trend": "caught before the start", "reverse": "caught by the lead test"}
        add(names.get(work, "association with the survey leaves zero out"), share(table["flagged"]))
    if work == "verdict":
        add("median gap detectable [%]", median(table["detectable"]))
        add("median teams a gap of 5 % takes, interval alone", median(table["teams_for_interval"]))
        add("median teams a gap of 5 % takes, with bounds and trend", median(table["teams_needed"]))
        for word in ("found", "no material effect", "cannot tell"):
            add(f"verdict {word}", share(table["verdict"] == word))
    return rows


def run(n_panels: int, n_workers: int, only: str = "") -> Iterator[dict[str, object]]:
    """Yield the claims of each cell as soon as it is done."""
    with ProcessPoolExecutor(n_workers) as pool:
        for work, cell, different in cells():
            if only and work != only:
                continue
            table = pd.DataFrame(
                list(pool.map(partial(one, work, different), range(n_panels), chunksize=20))
            )
            yield from claims(work, cell, table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--panels", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="one of coverage, verdict, null, trend, reverse")
    options = parser.parse_args()
    start = time.perf_counter()
    if not options.json:
        print(head(WIDTHS))
    for row in run(options.panels, options.workers, options.only):
        print(as_json(row) if options.json else line(row, WIDTHS), flush=True)
    if not options.json:
        print(f"{time.perf_counter() - start:.0f} s wall, {options.workers} processes")


if __name__ == "__main__":
    main()
