"""Absorbed effects and the wild bootstrap against pyfixest and wildboottest.

Each contender runs in a process of its own, warmed up, and they take turns: one repetition each,
then the next.  Times are medians over repetitions, inside the process, without loading the data;
memory is the process's peak, data included.  `equal` compares with ours: slopes and errors to 1e-9;
bootstrap p-values but for the two ties (2 / 4,096: the sample and its mirror, which count as
extreme here, by rounding in pyfixest and not in wildboottest) where all signs are drawn, else
within three Monte Carlo errors.

    python benchmarks/panel.py [--json] [--work fe wild] [--rows 50000 1000000 10000000]

Needs pyfixest and wildboottest for their rows: ``pip install -e .[oracle]``.
"""

# ruff: noqa: PLC0415  # a contender is loaded in its own process, so that memory is its own
from __future__ import annotations

import argparse
import importlib.util
import json
import math
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROWS = {
    50_000: (1_000, 52, 7),
    1_000_000: (10_000, 104, 5),
    10_000_000: (100_000, 104, 1),
}  # units, periods, turns
CLUSTERS = (12, 24, 50)
N_DRAWS = 9_999
N_TURNS_WILD = 7
REACH = {
    "fe 1,000,000": 1.0,
    "wild 12": 0.1,
    "wild 24": 0.1,
}  # design.md section 6: ours over the best other
COVARIATES = ["x0", "x1", "x2", "x3", "x4"]


def rep_weeks(n_reps: int, n_weeks: int) -> pd.DataFrame:
    """Return an unbalanced panel with AR(.5) errors in which hours follow skill.

    5 % of weeks missing.
    """
    rng = np.random.default_rng(0)
    rep, week = np.divmod(np.arange(n_reps * n_weeks), n_weeks)
    skill, season = rng.normal(0, 1, n_reps), rng.normal(0, 0.3, n_weeks)
    hours = 11 + 2 * skill[rep] + 0.8 * season[week] + rng.normal(0, 2.5, rep.size)
    meetings = rng.poisson(1.5, rep.size).astype(float)
    leads = rng.normal(0, 1, rep.size)
    shock = rng.normal(0, 1, (n_reps, n_weeks))
    for t in range(1, n_weeks):
        shock[:, t] = 0.5 * shock[:, t - 1] + math.sqrt(0.75) * shock[:, t]
    y = 0.08 * hours + 0.15 * meetings - 0.05 * leads + skill[rep] + season[week] + shock.ravel()
    table = pd.DataFrame(
        {"rep": rep, "week": week, "y": y, "hours": hours, "meetings": meetings, "leads": leads}
    )
    return table[rng.random(rep.size) > 0.05].reset_index(drop=True)


def team_quarters(n_teams: int, n_quarters: int = 40) -> pd.DataFrame:
    """Return teams of which half are aligned from halfway on, with five covariates."""
    rng = np.random.default_rng(0)
    team, quarter = np.divmod(np.arange(n_teams * n_quarters), n_quarters)
    table = pd.DataFrame({"team": team, "quarter": quarter})
    table["aligned"] = ((team < n_teams // 2) & (quarter >= n_quarters // 2)) * 1.0
    for name in COVARIATES:
        table[name] = rng.normal(0, 1, team.size)
    table["y"] = 0.1 * table["aligned"] + rng.normal(0, 1, n_teams)[team] + 0.3 * table["x0"]
    table["y"] += rng.normal(0, 1, team.size)
    return table


def fe_ours(table: pd.DataFrame) -> list[float]:
    from analysis.stats import linear
    from analysis.stats.sample import make_sample

    columns = ["hours", "meetings", "leads"]
    fit = linear.least_squares(
        make_sample(table, outcome="y", regressors=columns, absorb=["rep", "week"], cluster="rep")
    )
    return [*fit.estimate.tolist(), *fit.standard_error.tolist()]


def fe_pyfixest(table: pd.DataFrame) -> list[float]:
    import pyfixest

    fit = pyfixest.feols("y ~ hours + meetings + leads | rep + week", table, vcov={"CRV1": "rep"})
    columns = ["hours", "meetings", "leads"]
    return [*fit.coef()[columns].tolist(), *fit.se()[columns].tolist()]


def wild_ours(table: pd.DataFrame) -> list[float]:
    from analysis.stats import wild_bootstrap
    from analysis.stats.sample import make_sample

    names = ["aligned", *COVARIATES]
    order = ["team", "quarter"]
    whole = make_sample(table, outcome="y", regressors=names, absorb=order, cluster="team")
    got = wild_bootstrap.wcr11(
        whole, "aligned", rng=np.random.default_rng(1), n_draws=N_DRAWS, points="rademacher"
    )
    return [(got.n_above + got.n_ties) / got.n_draws]


def wild_pyfixest(table: pd.DataFrame) -> list[float]:
    import pyfixest

    formula = f"y ~ aligned + {' + '.join(COVARIATES)} | team + quarter"
    fit = pyfixest.feols(formula, table, vcov={"CRV1": "team"})
    return [float(fit.wildboottest(param="aligned", reps=N_DRAWS, seed=1)["Pr(>|t|)"])]


def wild_wildboottest(table: pd.DataFrame) -> list[float]:
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    model = smf.ols(f"y ~ aligned + {' + '.join(COVARIATES)} + C(team) + C(quarter)", table)
    got = wildboottest(model, B=N_DRAWS, cluster=table["team"], param="aligned", seed=1, show=False)
    return [float(got["p-value"].iloc[0])]


CONTENDERS = {
    "fe": {"ours": fe_ours, "pyfixest": fe_pyfixest},
    "wild": {"ours": wild_ours, "pyfixest": wild_pyfixest, "wildboottest": wild_wildboottest},
}


def serve(kind: str, who: str, path: str) -> None:
    """Load the data, warm up on a corner of it, then fit once for each line that comes in."""
    import warnings

    warnings.simplefilter("ignore")
    table = pickle.loads(Path(path).read_bytes())  # noqa: S301  # written by this script a moment ago
    fit = CONTENDERS[kind][who]
    fit(table if kind == "wild" else table.iloc[:5_000])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        values = fit(table)
        row = {
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            "values": values,
        }
        row["peak_mib"] = peak_mib()
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


def peak_mib() -> float:
    """Return the most memory this process ever held; getrusage would count its parent's too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(
        each for each in status.read_text(encoding="utf-8").splitlines() if each.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


def race(kind: str, table: pd.DataFrame, n_turns: int) -> dict[str, list[dict]]:
    """Return what each contender that is installed measured, turn by turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.pickle"
        path.write_bytes(pickle.dumps(table))
        servers = {}
        for who in CONTENDERS[kind]:
            if who == "ours" or importlib.util.find_spec(who):
                command = [sys.executable, __file__, "--serve", kind, who, str(path)]
                servers[who] = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
        for server in servers.values():
            _line(server)
        turns: dict[str, list[dict]] = {who: [] for who in servers}
        for _ in range(n_turns):
            for who, server in servers.items():
                server.stdin.write("go\n")
                server.stdin.flush()
                turns[who].append(json.loads(_line(server)))
        for server in servers.values():
            server.stdin.close()
            server.wait()
    return turns


def _line(server: subprocess.Popen) -> str:
    while line := server.stdout.readline():
        if line.startswith(("ready", "{")):  # a contender may print what it likes
            return line
    raise RuntimeError(f"{' '.join(server.args)} ended early")


def rows_of(work: str, kind: str, n_rows: int, turns: dict[str, list[dict]]) -> list[dict]:
    """Return one row a contender: medians, peak, and whether it found what we found."""
    ours = turns["ours"][0]["values"]
    out = []
    for who, each in turns.items():
        values = each[0]["values"]
        gap = max(
            abs(a - b) / (abs(b) if kind == "fe" else 1) for a, b in zip(values, ours, strict=True)
        )
        allowed = 1e-9 if kind == "fe" else 3 * math.sqrt(2 * ours[0] * (1 - ours[0]) / N_DRAWS)
        if work == "wild 12":
            allowed = 2 / 2**12 + 1e-12
        out.append(
            {
                "work": work,
                "who": who,
                "rows": n_rows,
                "cpu_s": statistics.median(turn["cpu_s"] for turn in each),
                "wall_s": statistics.median(turn["wall_s"] for turn in each),
                "peak_mib": max(turn["peak_mib"] for turn in each),
                "equal": gap <= allowed,
                "difference": gap,
            }
        )
    return out


def show(rows: list[dict]) -> None:
    """Print the rows of one work as a table, ratios against ours, and the reach of design.md."""
    ours = rows[0]
    for row in rows:
        ratio = row["wall_s"] / ours["wall_s"], row["cpu_s"] / ours["cpu_s"]
        beside = "" if row is ours else f"  x{ratio[0]:.1f} wall  x{ratio[1]:.1f} CPU"
        print(
            f"{row['work']:<15}{row['who']:<14}{row['rows']:>11,}{row['cpu_s']:>10.4f}{row['wall_s']:>10.4f}{row['peak_mib']:>10,.0f}  "  # noqa: E501
            f"{'yes' if row['equal'] else 'NO':<4}{row['difference']:>9.1e}{beside}"
        )
    if ours["work"] in REACH and len(rows) > 1:
        share = max(ours[key] / min(row[key] for row in rows[1:]) for key in ("wall_s", "cpu_s"))
        reach = REACH[ours["work"]]
        print(
            f"{'':<15}ours / best other = {share:.3f}, reach {reach}: "
            f"{'reached' if share <= reach else 'NOT reached'}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a row instead of tables"
    )
    parser.add_argument("--work", nargs="+", choices=["fe", "wild"], default=["fe", "wild"])
    parser.add_argument("--rows", nargs="+", type=int, choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(*asked.serve)
        return
    missing = [name for name in ("pyfixest", "wildboottest") if not importlib.util.find_spec(name)]
    if missing:
        print(f"{' and '.join(missing)} not installed: pip install -e .[oracle]", file=sys.stderr)
    if not asked.json:
        print(
            f"{'work':<15}{'who':<14}{'rows':>11}{'CPU s':>10}{'wall s':>10}{'peak MiB':>10}  "
            "same difference"
        )
    works = [(f"fe {n:,}", "fe", rep_weeks, ROWS[n]) for n in asked.rows if "fe" in asked.work]
    works += [
        (f"wild {g}", "wild", team_quarters, (g, 40, N_TURNS_WILD))
        for g in CLUSTERS
        if "wild" in asked.work
    ]
    for work, kind, draw, (n_units, n_periods, n_turns) in works:
        table = draw(n_units, n_periods)
        rows = rows_of(work, kind, len(table), race(kind, table, n_turns))
        if asked.json:
            print("\n".join(json.dumps(row) for row in rows), flush=True)
        else:
            show(rows)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
