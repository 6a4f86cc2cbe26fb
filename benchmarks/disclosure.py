"""Whether what a company publishes tells what a few people are paid.

Random companies with small teams, each with reports of three quarters.  Everything published on
pay is taken from the tables that the reports print and the workbook holds (by team, segment and
region, by what it is divided by, under other assumptions, and the figures of each team's pack), not
from the rule that hides.  A linear solver then asks for the least and the most that each group of
fewer than five can be paid.  The reader knows more than any does: who is in which cell, everybody's
hours, and how far the pay of each moved between quarters, though not which way.

    python benchmarks/disclosure.py [--json] [--companies 200] [--without-protection]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from analysis.chapters.cost import chapter, cost
from analysis.project import settings
from analysis.store.company import Company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.project.settings import Settings

QUARTERS = ("2025Q3", "2026Q2", "2026Q3")
SMALLEST, WITHIN = 5, 0.25
CUTS = ("team_id", "segment", "region")
OBSERVED = ["rep_id", "week_start", "quarter", "observed_hours", "recorded_hours"]
HOURS = ("selling_hours", "selling_preparation_hours", "selling_prospecting_hours")


@dataclass(frozen=True)
class SimulatedCompany(Company):
    """A company whose tables are in memory."""

    panel: pd.DataFrame | None = None
    teams: pd.DataFrame | None = None

    def table(self, name: str) -> pd.DataFrame:
        """Return the panel by rep and quarter, the teams, or a time study of nobody."""
        nobody = pd.DataFrame(columns=OBSERVED)
        found = {"rep_quarter": self.panel, "teams": self.teams, "observed_days": nobody}[name]
        assert found is not None
        return found


class Sum(NamedTuple):
    """A sum of weekly pay that is published: weights of the stays, and its value."""

    weights: np.ndarray
    value: float


def random_panel(rng: np.random.Generator, *, is_pay_fixed: bool) -> pd.DataFrame:
    """Return stays of three quarters: small teams, people who join and leave, pay and hours."""
    n_teams = int(rng.integers(4, 14))
    sizes = np.where(
        rng.random(n_teams) < 0.35, rng.integers(1, 5, n_teams), rng.integers(5, 12, n_teams)
    )
    segments, regions = (rng.integers(0, rng.integers(2, 5), n_teams) for _ in range(2))
    team = np.repeat(np.arange(n_teams), sizes)
    n = len(team)
    pay, hours = rng.lognormal(7.6, 0.35, n), rng.lognormal(2.3, 0.3, n)
    comes = rng.choice([0, 1, 2], n, p=[0.86, 0.08, 0.06])
    goes = rng.choice([3, 2, 1], n, p=[0.88, 0.07, 0.05])
    is_paid, is_thin = rng.random(n) > 0.05, rng.random((3, n)) < 0.05
    rows = []
    for q, quarter in enumerate(QUARTERS):
        now = (comes <= q) & (goes > q)
        moved = np.ones(n) if is_pay_fixed else rng.lognormal(0, 0.15, n)
        week = pay * moved
        share = np.where(is_thin[q], 0.35, rng.uniform(0.6, 1.0, n))
        late = rng.random(n) < 0.05
        weeks = np.where(late, 9.0, 13.0)
        sold = hours * weeks * share
        rows.append(
            pd.DataFrame(
                {
                    "rep_id": [f"r{i}" for i in range(n)],
                    "team_id": [f"t{t}" for t in team],
                    "segment": [f"s{segments[t]}" for t in team],
                    "region": [f"g{regions[t]}" for t in team],
                    "quarter": quarter,
                    "is_partial": False,
                    "days_employed": (weeks * 7).astype(int),
                    "weeks_employed": weeks,
                    "paid_hours": np.where(rng.random(n) < 0.03, np.nan, weeks * 40),
                    "available_hours": weeks * 36,
                    "logged_share": share,
                    "logged_hours": sold * 2,
                    "selling_hours": sold,
                    "selling_preparation_hours": sold * 1.4,
                    "selling_prospecting_hours": sold * 1.8,
                    "base_amount": np.where(is_paid, week * weeks, np.nan),
                    "commission_amount": 0.0,
                    "fringe_amount": 0.0,
                    "overhead_amount": 0.0,
                    "quota_amount": np.where(rng.random(n) < 0.1, np.nan, 400_000.0),
                    "bookings_amount": 300_000.0,
                }
            )[now]
        )
    return pd.concat(rows, ignore_index=True)


def house_settings() -> Settings:
    """Return the house's settings."""
    return settings.load_dataset_settings("random")


class QuarterReport:
    """What the reports of one quarter publish on pay, as sums of weekly pay of stays."""

    def __init__(self, panel: pd.DataFrame, quarter: str, house: Settings) -> None:
        names = panel[["team_id"]].drop_duplicates()
        teams = names.assign(team_name=names["team_id"])
        self.panel = panel
        self.company = SimulatedCompany("random", quarter, house, {}, panel=panel, teams=teams)
        self.costs = chapter.quarter_costs(self.company)
        self.share = house.hours.minimum_logged_share
        self.counted = cost.counted_stays(self.costs.stays, minimum_logged_share=self.share)

    def sums(self, hidden_teams: dict[str, set[str]]) -> Iterator[Sum]:
        """Yield every sum; `hidden_teams` keeps which teams a quarter's packs hide."""
        every = (
            *self._company(),
            *self._assumptions(),
            *self._groups(),
            *self._packs(hidden_teams),
        )
        yield from (each for each in every if each is not None)

    def _sum(self, rows: pd.DataFrame, rate: object, per: str) -> Sum | None:
        """A rate of `rows`: pay of the logged weeks over the hours of the logged weeks."""
        if pd.isna(rate) or rows.empty:
            return None
        logged = rows["logged_share"]
        below = rows[per] if per in HOURS else rows[per] * logged
        weights = np.zeros(len(self.panel))
        weights[rows.index] = rows["weeks_employed"] * logged
        return Sum(weights, float(rate) * float(below.sum()))

    def _company(self) -> Iterator[Sum | None]:
        yield self._sum(self.counted, self.costs.hour.estimate, "selling_hours")
        for row, column in zip(self.costs.by_definition.itertuples(), HOURS, strict=True):
            yield self._sum(self.counted, row.estimate, column)
        measures = chapter.cost_measures(self.costs).frame.set_index("measure")["estimate"]
        paid = self.counted[self.counted["paid_hours"].notna()]
        yield self._sum(self.counted, measures["cost per selling hour"], "selling_hours")
        yield self._sum(self.counted, measures["cost per available hour"], "available_hours")
        yield self._sum(paid, measures["cost per paid hour"], "paid_hours")

    def _assumptions(self) -> Iterator[Sum | None]:
        stays = self.costs.stays
        table = chapter.cost_under_other_assumptions(self.costs).frame
        rates = table.set_index("assumption")["estimate"]
        whole = stays[stays["days_employed"] == stays["days_employed"].max()]
        for name, rows, least in (
            ("reps logged a quarter of the time count too", stays, 0.25),
            ("only reps logged nine tenths of the time", stays, 0.9),
            ("only reps employed the whole quarter", whole, self.share),
        ):
            of_them = cost.counted_stays(rows, minimum_logged_share=least)
            yield self._sum(of_them, rates.get(name), "selling_hours")

    def _groups(self) -> Iterator[Sum | None]:
        for row in chapter.cost_by_segment(self.costs).frame.itertuples():
            cell = self.counted[self.counted[row.by] == row.group]
            yield self._sum(cell, row.estimate, "selling_hours")
        for row in chapter.cost_by_team(self.costs).frame.itertuples():
            team = self.counted[self.counted["team_id"] == row.team]
            yield self._sum(team, row.cost, "selling_hours")

    def _packs(self, hidden_teams: dict[str, set[str]]) -> Iterator[Sum | None]:
        """A pack's cost of the quarter and of the one before, by the packs' own rule."""
        before = replace(self.company, quarter=str(self.company.period.shifted(-1)))
        for each in (self.company, before):
            rows = each.rows_of_quarter("rep_quarter")
            if rows.empty:
                continue
            if each.quarter not in hidden_teams:
                hidden_teams[each.quarter] = chapter.teams_of_hidden_cost(each, rows)
            good = cost.counted_stays(rows, minimum_logged_share=self.share)
            for team, of_team in good.groupby("team_id"):
                if team in hidden_teams[each.quarter] or of_team["rep_id"].nunique() < SMALLEST:
                    continue
                paid = (cost.fully_loaded_cost(of_team) * of_team["logged_share"]).sum()
                yield self._sum(of_team, paid / of_team["selling_hours"].sum(), "selling_hours")


class Reader:
    """What a reader works out: variables are weekly pay of each stay, and how far it moved."""

    def __init__(self, panel: pd.DataFrame, sums: list[Sum]) -> None:
        pay = (panel["base_amount"] / panel["weeks_employed"]).fillna(
            panel["base_amount"].mean() / 13
        )
        self.true = pay.to_numpy(float)
        scale = self.true.mean()
        self.true = self.true / scale
        n = len(panel)
        links, slack = [], []
        last: dict[tuple[str, str], int] = {}
        for i, key in enumerate(zip(panel["rep_id"], panel["team_id"], strict=True)):
            if key in last:
                row = np.zeros(n)
                row[i], row[last[key]] = 1.0, -1.0
                links.append(row)
                slack.append(abs(self.true[i] - self.true[last[key]]))
            last[key] = i
        sums = list({s.weights.tobytes() + b"%.9g" % s.value: s for s in sums}.values())
        rows = np.array([s.weights for s in sums])
        size = np.abs(rows).sum(axis=1, keepdims=True)
        self.equal = rows / size
        self.values = np.array([s.value for s in sums]) / scale / size[:, 0]
        self.links, self.slack = np.array(links).reshape(-1, n), np.array(slack)
        # a person may stay as they were to the last digit of the workbook
        self.error = max(float(np.abs(self.equal @ self.true - self.values).max()), 1e-9)

    def range_of(self, target: np.ndarray) -> tuple[float, float]:
        """Return the least and the most that a weighted sum of pay can be."""
        above = np.vstack([self.links, -self.links, self.equal, -self.equal])
        limit = np.concatenate(
            [self.slack, self.slack, self.values + self.error, self.error - self.values]
        )
        low = linprog(target, A_ub=above, b_ub=limit, bounds=(0, None))
        least = low.fun if low.status == 0 else -np.inf
        if least < (1 - WITHIN) * float(target @ self.true):
            return least, np.inf  # not told, whatever the most is
        high = linprog(-target, A_ub=above, b_ub=limit, bounds=(0, None))
        return least, -high.fun if high.status == 0 else np.inf

    def is_told(self, target: np.ndarray) -> bool:
        """Whether the range lies within a quarter of the truth."""
        true = float(target @ self.true)
        low, high = self.range_of(target)
        return low >= (1 - WITHIN) * true and high <= (1 + WITHIN) * true


def small_groups(panel: pd.DataFrame, share: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield groups of fewer than five whose pay is counted: cells, and who came or left."""
    counted = panel[cost.left_out(panel, "cost_per_selling_hour", minimum_logged_share=share) == ""]
    met: set[bytes] = set()

    def target(kind: str, index: pd.Index) -> Iterator[tuple[str, np.ndarray]]:
        row = np.zeros(len(panel))
        row[index] = 1.0
        if 0 < len(index) < SMALLEST and row.tobytes() not in met:
            met.add(row.tobytes())
            yield kind, row

    for quarter, rows in counted.groupby("quarter"):
        for cut in CUTS:
            for _, cell in rows.groupby(cut):
                yield from target("cell", cell.index)
        for other in QUARTERS:
            there = set(counted.loc[counted["quarter"] == other, "rep_id"])
            moved = rows[~rows["rep_id"].isin(there)]
            if other == quarter:
                continue
            for _, few in moved.groupby("team_id"):
                yield from target("came or left", few.index)
        out = panel[(panel["quarter"] == quarter) & ~panel.index.isin(rows.index)]
        yield from target("left out", out[out["base_amount"].notna()].index)


def try_company(seed: int, house: Settings) -> Counter[str]:
    """Return how many groups of few people there are, and how many are told, by kind."""
    rng = np.random.default_rng(seed)
    is_pay_fixed = bool(seed % 2)
    panel = random_panel(rng, is_pay_fixed=is_pay_fixed)
    share, kind_of_pay = house.hours.minimum_logged_share, "fixed" if is_pay_fixed else "moving"
    hidden_teams: dict[str, set[str]] = {}
    sums = [s for q in QUARTERS for s in QuarterReport(panel, q, house).sums(hidden_teams)]
    counts: Counter[str] = Counter({f"{kind_of_pay} sums": len(sums)})
    if not sums:
        return counts
    reader = Reader(panel, sums)
    for kind, row in small_groups(panel, share):
        counts[f"{kind_of_pay} {kind}"] += 1
        counts[f"{kind_of_pay} {kind} told"] += reader.is_told(row)
    return counts


def main() -> None:
    """Print how many groups of fewer than five are told within a quarter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--progress", action="store_true")
    parser.add_argument("--without-protection", action="store_true")
    chosen = parser.parse_args()
    house = house_settings()
    if chosen.without_protection:  # to see that the reader finds what there is to find
        chapter.cells_to_hide = lambda *_, **__: set()
        chapter.few_apart = lambda counts, **_: np.zeros(len(counts), dtype=bool)
    start, counts = time.process_time(), Counter[str]()
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.companies):
        counts += try_company(seed, house)
        if chosen.progress:
            sys.stderr.write(f"{seed} {dict(+counts)}\n")
    took = time.process_time() - start
    for pay in ("moving", "fixed"):
        for kind in ("cell", "came or left", "left out"):
            row = {
                "work": kind, "who": f"pay {pay}", "rows": counts[f"{pay} {kind}"],
                "told": counts[f"{pay} {kind} told"], "sums": counts[f"{pay} sums"],
            }  # fmt: skip
            sys.stdout.write(
                f"{json.dumps(row)}\n" if chosen.json
                else f"{row['who']:12} {kind:13} {row['rows']:6,} groups of 1 to 4,"
                f" told {row['told']:4,} by {row['sums']:,} sums\n"
            )  # fmt: skip
    sys.stdout.write("" if chosen.json else f"{chosen.companies} companies, {took:.0f} CPU s\n")


if __name__ == "__main__":
    main()
