"""Whether a wrong headline is ever published without a word.

Damaged companies through cleaning, gate and headlines.

A small company is simulated once per seed; each run damages one of its files at 5, 20 or 60 % and
asks, headline by headline, whether it is right (inside the undamaged run's interval and within 1 %
of it), warned of, withheld, or wrong in silence.  Left out beforehand, as no export could betray
them: owners swapped within a team, and rows dropped evenly from a table that nothing refers to and
no control total covers.

    python benchmarks/gate.py [--json] [--runs 300] [--seeds 2] [--reports]
    python benchmarks/gate.py --undamaged 50 [--first-seed 100]

With ``--reports`` the headlines are those of the manifest that ``alignment-roi report`` writes.
With ``--undamaged`` whole companies of both layouts and 4 to 60 teams go through the gate, which
should neither warn nor withhold.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from gate_damages import DAMAGES, KEPT_BACK, apply

from analysis.chapters.alignment import chapter as alignment
from analysis.chapters.cost import cost
from analysis.chapters.data_quality import clustered_win_rate, row_accounts
from analysis.chapters.growth import assessment, growth_answer
from analysis.chapters.selling_time import elasticity, rep_weeks, worth_of_an_hour
from analysis.cleaning import pipeline
from analysis.cleaning.plausibility import gate, required_tables
from analysis.panels import build
from analysis.project import paths, quarters, settings
from analysis.project.errors import CrmDataError
from analysis.simulate.exports import write
from analysis.simulate.world import company_parameters
from analysis.sources import database, intake
from analysis.tables.panel_tables import PANELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from analysis.stats.result import Result

SHARES = (0.05, 0.20, 0.60)
METRICS = {  # each headline's name in a manifest
    "bookings": "bookings",
    "win_rate": "win_rate",
    "hours": "selling_hours_per_week",
    "cost": "cost_per_selling_hour",
    "required": "required_bookings_per_selling_hour",
    "worth": "marginal_value_of_selling_hour",
    "growth": "growth_gap",
    "index": "alignment_index",
}
LAYOUTS: tuple[write.Layout, ...] = ("salesforce", "hubspot")
TEAMS = (4, 6, 8, 12, 5, 16, 7, 24, 10, 40, 9, 60, 4)  # 13 sizes, so that each has both layouts
WITHIN = 0.01
MOST_SILENT = 0.01
HEADLINES = {  # each headline and the question whose verdict stands over it
    "bookings": "bookings", "win_rate": "win_rate", "hours": "hours", "cost": "cost",
    "required": "worth", "worth": "worth", "growth": "growth", "index": "index",
}  # fmt: skip
Interval = tuple[float, float, float]  # estimate, low, high
OUTCOMES = ("right", "warned", "withheld", "wrong in silence")


class Figures(NamedTuple):
    """A run's headlines with their intervals, each question's status, and the checks that spoke."""

    headlines: dict[str, Interval]
    statuses: dict[str, str]
    checks: tuple[str, ...]


def _result(compute: Callable[[], Result]) -> Interval:
    """Return estimate and interval; nothing where the data cannot tell."""
    try:
        result = compute()
    except CrmDataError:
        return math.nan, math.nan, math.nan
    return float(result.estimate), float(result.low), float(result.high)


def _headlines(
    tables: dict[str, pd.DataFrame], quarter: str, last_day: str, house: settings.Settings
) -> dict[str, Interval]:
    basis = {
        "minimum_logged_share": house.hours.minimum_logged_share,
        "currency": house.company.currency,
    }
    teams, panel = (
        tables["team_quarter"],
        tables["rep_quarter"][tables["rep_quarter"]["quarter"] <= quarter],
    )
    stays = panel[panel["quarter"] == quarter]
    weekly = tables["rep_week"][tables["rep_week"]["quarter"] <= quarter]

    def worth() -> Result:
        return worth_of_an_hour.marginal_value(
            worth_of_an_hour.selling_basis(stays, **basis),
            elasticity.estimate_elasticity(rep_weeks.select_weeks(weekly)),
        )

    def growth() -> Result:
        known = assessment.tables_as_of(
            tables, quarter, fiscal_year_start_month=house.company.fiscal_year_start_month
        )
        return growth_answer.answer_growth(
            known, quarter, own_specification=None, looks=()
        ).growth_gap

    def index() -> Result:
        return alignment.company_index(
            alignment.score_alignment(tables, quarter, house=house, last_day=last_day).aligned,
            quarter,
        )

    return {
        "bookings": _result(
            lambda: row_accounts.quarter_bookings(teams, quarter, house.company.currency)
        ),
        "win_rate": _result(
            lambda: clustered_win_rate.clustered_win_rate(
                teams[teams["quarter"] == quarter], stays, quarter
            )
        ),
        "hours": _result(lambda: cost.estimate_cost(stays, "selling_hours_per_week", **basis)),
        "cost": _result(lambda: cost.estimate_cost(stays, **basis)),
        "required": _result(
            lambda: cost.estimate_cost(stays, "required_bookings_per_selling_hour", **basis)
        ),
        "worth": _result(worth),
        "growth": _result(growth),
        "index": _result(index),
    }


def judged(dataset: str, house: settings.Settings) -> gate.Gate:
    """Return the gate's verdicts on a dataset."""
    with database.open_session() as connection:
        files = intake.files_of(paths.raw_folder(dataset))
        account = pipeline.clean_tables(connection, files, dataset, house, dataset_key="key")
        required_tables.require_clean_rows(connection, account)
        build.make_panels(connection, account.first_day, account.as_of, house)
        return gate.judge_dataset(connection, account, house)


def undamaged(n_seeds: int, first_seed: int) -> Iterator[dict[str, object]]:
    """Yield a row a whole company: seed, layout, teams, verdicts other than answered, checks."""
    with _project() as root:
        for seed in range(first_seed, first_seed + n_seeds):
            layout, n_teams = LAYOUTS[seed % 2], TEAMS[seed % len(TEAMS)]
            base = root / "data" / "raw" / "whole"
            write.write_exports(
                company_parameters.SimulatedCompany(n_teams=n_teams, n_quarters=6, seed=seed),
                base,
                layout=layout,
            )
            verdict = judged("whole", settings.load_dataset_settings("whole"))
            shutil.rmtree(base)
            yield {
                "seed": seed,
                "layout": layout,
                "teams": n_teams,
                "verdicts": {
                    q: v.status for q, v in verdict.questions.items() if v.status != "answered"
                },
                "checks": [f.check for f in verdict.findings],
            }


def figures(dataset: str, quarter: str | None) -> tuple[Figures, str]:
    """Return a dataset's headlines and verdicts at a quarter, the last whole one unless named.

    And that quarter.
    """
    house = settings.load_dataset_settings(dataset)
    try:
        with database.open_session() as connection:
            files = intake.files_of(paths.raw_folder(dataset))
            account = pipeline.clean_tables(connection, files, dataset, house, dataset_key="key")
            required_tables.require_clean_rows(connection, account)
            build.make_panels(connection, account.first_day, account.as_of, house)
            verdict = gate.judge_dataset(connection, account, house)
            names = {*PANELS, "quarters", "opportunities", "programme", *alignment.TABLES}
            tables = {name: connection.table(name).to_arrow_table().to_pandas() for name in names}
    except CrmDataError as refusal:
        nothing = dict.fromkeys(HEADLINES, (math.nan, math.nan, math.nan))
        return Figures(
            nothing, dict.fromkeys(gate.QUESTIONS, "withheld"), (str(refusal)[:60],)
        ), quarter or ""
    month = house.company.fiscal_year_start_month
    quarter = quarter or str(quarters.last_complete(account.as_of, month))
    statuses = {name: v.status for name, v in verdict.questions.items()}
    checks = tuple(dict.fromkeys(f.check for f in verdict.findings))
    return Figures(
        _headlines(tables, str(quarter), account.as_of.isoformat(), house), statuses, checks
    ), str(quarter)


def published(dataset: str, quarter: str | None) -> tuple[Figures, str]:
    """Return what `figures` does, from the manifest of a report."""
    command = [sys.executable, "-c", "from analysis.cli import main; main()", "report", dataset]
    ran = subprocess.run(
        [*command, *(["--quarter", quarter] if quarter else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    files = sorted(
        (paths.project_root() / "reports" / dataset).glob(f"{quarter or '*'}/manifest.json")
    )
    if not files:
        nothing = dict.fromkeys(HEADLINES, (math.nan, math.nan, math.nan))
        return Figures(
            nothing, dict.fromkeys(gate.QUESTIONS, "withheld"), (ran.stderr[-60:],)
        ), quarter or ""
    manifest = json.loads(files[-1].read_text(encoding="utf-8"))
    headlines = {
        name: tuple(
            math.nan if cell is None else float(cell)
            for cell in (m["estimate"], m["low"], m["high"])
        )
        for name, m in ((name, manifest["metrics"].get(metric)) for name, metric in METRICS.items())
        if m is not None
    }
    nothing = dict.fromkeys(HEADLINES, (math.nan, math.nan, math.nan))
    checks = tuple(dict.fromkeys(finding["check"] for finding in manifest["gate"]))
    return Figures(nothing | headlines, manifest["questions"], checks), manifest["quarter"]


def outcome(name: str, whole: Figures, damaged: Figures) -> str:
    """Return what became of one headline."""
    status = damaged.statuses[HEADLINES[name]]
    if status in {"withheld", "not asked"}:
        return "withheld"
    if status == "warned":
        return "warned"
    (before, low, high), (after, *_) = whole.headlines[name], damaged.headlines[name]
    if math.isnan(after):
        return (
            "right" if math.isnan(before) else "withheld"
        )  # the chapter itself says that it cannot tell
    base = 1 + before if name == "growth" else before  # a change is compared as the factor it is
    is_inside = math.isnan(low) or low <= after <= high
    return (
        "right" if is_inside and abs(after - before) <= WITHIN * abs(base) else "wrong in silence"
    )


def _change(whole: Figures, damaged: Figures, name: str) -> float | None:
    """Return by what share a headline moved; None where one of both cannot tell."""
    before, after = whole.headlines[name][0], damaged.headlines[name][0]
    return (
        None
        if not before or math.isnan(before) or math.isnan(after)
        else round(after / before - 1, 4)
    )


@contextlib.contextmanager
def _project() -> Iterator[Path]:
    """Make a project of its own with the settings of the house."""
    house = (paths.project_root() / paths.SETTINGS_FILE).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / paths.SETTINGS_FILE).write_text(house, encoding="utf-8")
        (root / "data" / "raw").mkdir(parents=True)
        shutil.copytree(
            paths.project_root() / "notebooks",
            root / "notebooks",
            ignore=shutil.ignore_patterns(".*"),
        )
        before = os.environ.get("ALIGNMENT_ROI_ROOT")
        os.environ["ALIGNMENT_ROI_ROOT"] = name
        try:
            yield root
        finally:
            os.environ.pop("ALIGNMENT_ROI_ROOT")
            if before is not None:
                os.environ["ALIGNMENT_ROI_ROOT"] = before


def runs(
    n_runs: int,
    n_seeds: int,
    n_teams: int,
    n_quarters: int,
    measure: Callable[[str, str | None], tuple[Figures, str]] = figures,
) -> Iterator[dict[str, object]]:
    """Yield a row a run: damage, share, seed, and what became of each headline by `measure`."""
    plan = list(product(range(n_seeds), SHARES, DAMAGES))
    step = max(len(plan) // n_runs, 1)
    plan = plan[::step][:n_runs]
    with _project() as root:
        whole: dict[int, tuple[Figures, str]] = {}
        for seed, share, damage in plan:
            base = root / "data" / "raw" / f"whole{seed}"
            if seed not in whole:
                write.write_exports(
                    company_parameters.SimulatedCompany(
                        n_teams=n_teams, n_quarters=n_quarters, seed=seed
                    ),
                    base,
                )
                whole[seed] = measure(base.name, None)
            folder = root / "data" / "raw" / "damaged"
            folder.mkdir()
            for file in base.iterdir():
                if file.is_file() and file.name != damage.file:
                    (folder / file.name).hardlink_to(file)  # a link by name is refused
            apply(damage, base / damage.file, folder / damage.file, share, seed)
            undamaged, quarter = whole[seed]
            got, _ = measure("damaged", quarter)
            shutil.rmtree(folder)
            for part in ("data/processed/damaged", "data/history/damaged", "reports/damaged"):
                shutil.rmtree(root / part, ignore_errors=True)
            yield {
                "damage": damage.name,
                "share": share,
                "seed": seed,
                "is_kept_back": damage in KEPT_BACK,
                **{name: outcome(name, undamaged, got) for name in HEADLINES},
                "checks": list(got.checks),
                "moved": {n: _change(undamaged, got, n) for n in HEADLINES},
            }


def table(rows: list[dict[str, object]]) -> Iterator[str]:
    """Yield the table for people: of each share and headline, how the runs came out."""
    yield f"{'share':>6} {'headline':<10}{'runs':>6}" + "".join(f"{o:>18}" for o in OUTCOMES)
    for share in SHARES:
        mine = [row for row in rows if row["share"] == share]
        for name in HEADLINES:
            counts = [sum(row[name] == o for row in mine) for o in OUTCOMES]
            if mine:
                yield f"{share:>6.0%} {name:<10}{len(mine):>6}" + "".join(
                    f"{n / len(mine):>18.1%}" for n in counts
                )


def main() -> None:
    """Run the damaged companies and print what became of their headlines."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a run")
    parser.add_argument("--runs", type=int, default=264, help="damaged companies")
    parser.add_argument("--seeds", type=int, default=2, help="undamaged companies behind them")
    parser.add_argument("--teams", type=int, default=4)
    parser.add_argument("--quarters", type=int, default=6)
    parser.add_argument("--undamaged", type=int, default=0, help="whole companies instead")
    parser.add_argument("--first-seed", type=int, default=100, help="of the undamaged ones")
    parser.add_argument("--reports", action="store_true", help="through the whole report")
    options = parser.parse_args()
    for row in undamaged(options.undamaged, options.first_seed):
        print(json.dumps(row), flush=True)
    if options.undamaged:
        return
    rows = []
    measure = published if options.reports else figures
    for row in runs(options.runs, options.seeds, options.teams, options.quarters, measure):
        rows.append(row)
        silent = [name for name in HEADLINES if row[name] == "wrong in silence"]
        if options.json:
            print(json.dumps(row), flush=True)
        elif silent:
            print(
                f"wrong in silence: {row['damage']} at {row['share']:.0%}: {', '.join(silent)}",
                flush=True,
            )
    if not options.json:
        print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
