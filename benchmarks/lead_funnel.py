"""Whether the funnel's intervals hold what they say, and what a million leads cost.

Companies of 3,000 leads over two years, six in ten still open, looked at as they are and with wins
logged half a year late: naive, open leads censored, and delayed entry, against the truth.  Then a
million leads with four stages and 200,000 touches: panel and chapter beside the same counts and
shares in plain pandas, each in a process of its own, in turns.

    python benchmarks/lead_funnel.py [--json] [--work calibration speed] [--companies 500]
"""

# ruff: noqa: PLC0415  # a contender is loaded in its own process, so that memory is its own
from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from monte_carlo import as_json, claim, head, line, mean, share
from studies import lead_study

WIDTHS = {"work": 12, "what": 52}
N_LEADS, N_TOUCHES, N_TURNS = 1_000_000, 200_000, 3
AS_OF = pd.Timestamp("2026-09-30")
FIRST = pd.Timestamp("2023-10-01")
STEPS = ("mql", "sal", "sql")
GOES_ON = (0.75, 0.7, 0.8, 0.85)  # to MQL, SAL, SQL, opportunity
MOST_CPU, MOST_MIB = 10.0, 2048
DAY = 86_400
FEWEST = 10  # watched, below which a share is not told
KINDS = ("Webinar", "Email", "Content", "Trade Show", "Brochure")
Tables = dict[str, pd.DataFrame]
Work = Callable[[], Tables]


def claims(n_companies: int, n_workers: int) -> list[dict[str, object]]:
    """Return what the study says: a row a claim."""
    truth, rows = lead_study.true_rate(), []

    def add(work: str, what: str, got: tuple[float, float], asked: str = "", holds: object = None):
        rows.append(claim(work, what, got, asked, holds, n_companies))

    def covers(table: pd.DataFrame, name: str) -> tuple[float, float]:
        return share((table[f"{name}_low"] < truth) & (truth < table[f"{name}_high"]))

    with ProcessPoolExecutor(n_workers) as pool:
        for work, late in (("as it is", False), ("wins late", True)):
            study = partial(lead_study.shares_of_company, late=late)
            table = pd.DataFrame(list(pool.map(study, range(n_companies), chunksize=10)))
            add(work, "leads still open", mean(table["open"]), "about .6")
            add(work, "late logging noticed", share(table["is_late"] > 0), "", None)
            add(work, "true share won within a year", (truth, 0.0))
            add(work, "  naive: won of all leads", mean(table["naive"]))
            add(work, "  open leads censored (Kaplan-Meier)", mean(table["censored"]))
            got = mean(table["delayed"])
            add(work, "  delayed entry", got, "truth +- 3 mcse", abs(got[0] - truth) < 3 * got[1])
            add(work, "95% interval covers: censored", covers(table, "censored"))
            got = covers(table, "delayed")
            add(
                work,
                "95% interval covers: delayed entry",
                got,
                ".93 to .97",
                0.93 <= got[0] <= 0.97,
            )
            plan = partial(lead_study.plan_of_company, late=late)
            table = pd.DataFrame(list(pool.map(plan, range(n_companies), chunksize=10)))
            add(
                work, "leads a target takes, over the truth", mean(table["needed"] / table["truth"])
            )
            got = share((table["low"] < table["truth"]) & (table["truth"] < table["high"]))
            add(
                work,
                "95% interval of leads needed covers",
                got,
                ".93 to .97",
                0.93 <= got[0] <= 0.97,
            )
    return rows


def write_leads(folder: Path) -> None:
    """Write a company's tables as Parquet files."""
    rng, number = np.random.default_rng(0), pd.Series(np.arange(N_LEADS))
    n = N_LEADS
    created = FIRST + pd.to_timedelta(rng.integers(0, 1095 * DAY, n), unit="s")
    on = {"lead": created}
    is_on = np.ones(n, bool)
    for step, chance in zip((*STEPS, "deal"), GOES_ON, strict=True):
        before = list(on.values())[-1]
        is_on &= rng.random(n) < chance
        on[step] = before + pd.to_timedelta(rng.integers(3600, 25 * DAY, n), unit="s")
        is_on &= on[step] <= AS_OF
        on[step] = on[step].where(is_on)
    leads = pd.DataFrame(
        {
            "lead_id": number.astype(str),
            "person_key": "p" + number.astype(str),
            "created_at": created.tz_localize("UTC"),
            "owner_rep_id": _named("R", rng.integers(0, 200, n)),
            "lead_source": rng.choice(["Web", "Partner", "Referral"], n),
            **{f"{s}_at": pd.DatetimeIndex(on[s]).tz_localize("UTC") for s in STEPS},
            "recycled_at": _never(n),
            "converted_on": pd.Series(on["deal"]).dt.date,
            "opportunity_id": _named("O", number).where(is_on),
        }
    )
    tables = {
        "leads": leads,
        "opportunities": _deals(rng, leads, np.flatnonzero(is_on), on["deal"]),
        "touches": _touches(rng, leads, created),
        "lead_status_history": _disqualified(rng, leads, np.flatnonzero(~is_on), created),
        "campaigns": pd.DataFrame(
            {"campaign_id": _named("C", np.arange(50)), "campaign_type": np.tile(KINDS, 10)}
        ),
        "stays_ever": pd.DataFrame(
            {
                "rep_id": _named("R", np.arange(200)),
                "team_id": _named("T", np.arange(200) % 20),
                "segment": "SMB",
                "from_day": FIRST.date(),
                "until_day": AS_OF.date(),
            }
        ),
        "activities": pd.DataFrame(
            {
                "lead_id": pd.Series([], dtype=str),
                "opportunity_id": pd.Series([], dtype=str),
                "minutes": pd.Series([], dtype=float),
                "is_all_day": pd.Series([], dtype=bool),
            }
        ),
    }
    edges = pd.date_range(FIRST, AS_OF + pd.Timedelta(days=1), freq="QS")
    names = [f"{day.year}Q{day.quarter}" for day in edges[:-1]]
    tables["quarters"] = pd.DataFrame(
        {"quarter": names, "from_day": edges[:-1], "until_day": edges[1:]}
    )
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")


def _named(letter: str, numbers: pd.Series) -> pd.Series:
    return letter + pd.Series(numbers).astype(str)


def _never(n: int) -> pd.Series:
    return pd.Series(pd.NaT, range(n)).dt.tz_localize("UTC")


def _deals(rng: np.random.Generator, leads: pd.DataFrame, rows: np.ndarray, on) -> pd.DataFrame:
    ends = on[rows] + pd.to_timedelta(rng.integers(20, 200, len(rows)), unit="D")
    closed = np.where(rng.random(len(rows)) < 0.3, "won", "lost")
    return pd.DataFrame(
        {
            "opportunity_id": leads["opportunity_id"].to_numpy()[rows],
            "status": np.where(ends <= AS_OF, closed, "open"),
            "close_date": ends.date,
            "created_at": on[rows].tz_localize("UTC"),
            "deal_amount": rng.integers(10_000, 90_000, len(rows)).astype(float),
        }
    )


def _touches(rng: np.random.Generator, leads: pd.DataFrame, created) -> pd.DataFrame:
    who = rng.integers(0, len(leads), N_TOUCHES)
    at = created[who] + pd.to_timedelta(rng.integers(0, 40 * DAY, N_TOUCHES), unit="s")
    return pd.DataFrame(
        {
            "person_key": leads["person_key"].to_numpy()[who],
            "campaign_id": _named("C", rng.integers(0, 50, N_TOUCHES)),
            "touched_at": at.tz_localize("UTC"),
            "is_response": rng.random(N_TOUCHES) < 0.6,
        }
    )


def _disqualified(
    rng: np.random.Generator, leads: pd.DataFrame, rows: np.ndarray, created
) -> pd.DataFrame:
    out = rows[rng.random(len(rows)) < 0.4]
    at = created[out] + pd.to_timedelta(rng.integers(30, 120, len(out)), unit="D")
    history = pd.DataFrame(
        {
            "lead_id": leads["lead_id"].to_numpy()[out],
            "lead_stage": "disqualified",
            "entered_at": at.tz_localize("UTC"),
            "exited_at": _never(len(out)),
        }
    )
    return history[history["entered_at"] <= AS_OF.tz_localize("UTC")]


def ours(folder: Path, *, has_panel: bool = False) -> Work:
    """Return counts and shares as the chapter makes them: panel in SQL, the rest from there.

    A notebook finds the panel made; so does `has_panel`, where its making is not in the time.
    """
    import duckdb

    from analysis.chapters.lead_funnel import cohorts, stages
    from analysis.panels.lead_dates import make_lead_dates

    connection = duckdb.connect()
    connection.execute("set variable time_zone = 'UTC'")
    for file in folder.glob("*.parquet"):
        connection.execute(f"create table {file.stem} as from '{file}'")
    periods = pd.read_parquet(folder / "quarters.parquet")

    if has_panel:
        make_lead_dates(connection)

    def work() -> Tables:
        if not has_panel:
            make_lead_dates(connection)
        panel = connection.table("lead_dates").to_arrow_table().to_pandas()
        whole = stages.lead_funnel(panel, periods, AS_OF.date())
        columns = ["group", "stage", "n_any", "n_all"]
        return {
            "by cohort": cohorts.funnel_counts(whole.rows, "cohort")[columns],
            "by activity": cohorts.funnel_counts(whole.rows, "activity")[columns],
            "became": cohorts.what_became(whole.rows),
            "shares": cohorts.cohort_shares(whole)[["cohort", "opportunity", "won"]],
            "steps": cohorts.stage_passages(whole)[["share"]],
        }

    return work


def plain_pandas(folder: Path) -> Work:
    """Return the same counts and shares as one would write them in pandas; without intervals."""
    names = ("leads", "opportunities", "touches", "campaigns", "lead_status_history", "quarters")
    tables = [pd.read_parquet(folder / f"{n}.parquet") for n in names]
    return lambda: _in_pandas(*tables)


def _in_pandas(leads, deals, touches, campaigns, history, periods) -> Tables:
    came = _days(leads["created_at"])
    answered = touches[touches["is_response"]].merge(campaigns, on="campaign_id", how="left")
    answered = answered.merge(leads[["person_key", "converted_on"]], on="person_key")
    converted = pd.to_datetime(answered["converted_on"])
    answered = answered[converted.isna() | (_days(answered["touched_at"]) <= converted)]
    answered = answered.sort_values(["touched_at", "campaign_id"])
    first = answered.drop_duplicates("person_key").set_index("person_key")["campaign_type"]
    activity = leads["person_key"].map(first).fillna(leads["lead_source"])
    out = _days(history.groupby("lead_id")["entered_at"].max())
    deal = leads[["opportunity_id"]].merge(deals, on="opportunity_id", how="left")
    closed = pd.to_datetime(deal["close_date"])
    dates = {s: _days(leads[f"{s}_at"]) for s in STEPS}
    dates["opportunity"] = pd.to_datetime(leads["converted_on"])
    dates["won"] = closed.where(deal["status"] == "won")
    since = pd.DataFrame({s: (d - came).dt.days for s, d in dates.items()})
    lost = (closed.where(deal["status"] == "lost") - came).dt.days
    disqualified = (leads["lead_id"].map(out) - came).dt.days
    as_far = since.iloc[:, ::-1].T.ffill().cummin().T.iloc[:, ::-1]
    edges = [*periods["from_day"], periods["until_day"].iloc[-1]]
    cohort = pd.cut(came, edges, right=False, labels=periods["quarter"])
    in_order = since.notna() & (since.diff(axis=1).fillna(0) >= 0)
    in_order = in_order.astype(int).cummin(axis=1).astype(bool)
    kinds = [since["won"].notna(), lost.notna(), disqualified.notna()]
    end = np.select(kinds, ["won", "lost", "disqualified"], "open")
    age = (AS_OF - came).dt.days
    gone = pd.concat([lost, disqualified], axis=1).min(axis=1)
    rows = [
        {
            "cohort": name,
            "opportunity": _share(as_far.loc[i, "opportunity"], gone[i], age[i], 90),
            "won": _share(as_far.loc[i, "won"], gone[i], age[i], 365),
        }
        for name, i in as_far.groupby(cohort, observed=True).groups.items()
    ]
    begins = [pd.Series(0.0, as_far.index), *(as_far[s] for s in as_far.columns)]
    steps = []
    for begin, to in zip(begins, as_far.columns, strict=False):
        there = begin.notna()
        start = begin[there]
        over = (gone[there] - start).where(lambda days: days >= 0)
        steps.append(_share(as_far.loc[there, to] - start, over, age[there] - start, 365))
    return {
        "by cohort": _counts(as_far, in_order, cohort),
        "by activity": _counts(as_far, in_order, activity),
        "became": pd.crosstab(cohort, end),
        "shares": pd.DataFrame(rows),
        "steps": pd.DataFrame({"share": steps}),
    }


def _days(at: pd.Series) -> pd.Series:
    return at.dt.tz_localize(None).dt.normalize()


def _counts(as_far: pd.DataFrame, in_order: pd.DataFrame, by: pd.Series) -> pd.DataFrame:
    n_leads = by.value_counts()
    tables = {
        "n_any": as_far.notna().groupby(by, observed=True).sum().assign(lead=n_leads),
        "n_all": in_order.groupby(by, observed=True).sum().assign(lead=n_leads),
    }
    long = [
        t.rename_axis("group").reset_index().melt("group", var_name="stage", value_name=name)
        for name, t in tables.items()
    ]
    return long[0].merge(long[1], on=["group", "stage"])


def _share(reached: pd.Series, gone: pd.Series, age: pd.Series, horizon: int) -> float:
    days = reached.fillna(gone).fillna(age)
    ended = reached.notna() | gone.notna()
    told = pd.DataFrame({"n": 1, "reached": reached.notna(), "ended": ended})
    by_day = told.groupby(days).sum()
    at_risk = by_day["n"][::-1].cumsum()[::-1]
    if at_risk[at_risk.index >= horizon].max() < FEWEST or at_risk.index.max() < horizon:
        return float("nan")
    before = (1 - by_day["ended"] / at_risk).cumprod().shift(1, fill_value=1.0)
    part = before * by_day["reached"] / at_risk
    return float(part[part.index <= horizon].sum())


CONTENDERS = {
    "alignment-roi": ours,
    "pandas": plain_pandas,
    "from the panel": partial(ours, has_panel=True),
}


def one_turn(who: str, folder: Path, target: Path) -> None:
    """Run a contender in this process; write its tables and say what it took."""
    work = CONTENDERS[who](folder)
    begin = time.process_time(), time.perf_counter()
    tables = work()
    took = time.process_time() - begin[0], time.perf_counter() - begin[1]
    pd.to_pickle(tables, target)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_s": took[0], "wall_s": took[1], "peak_mib": peak}))


def is_equal(mine: Tables, other: Tables) -> bool:
    """Return whether counts are the same and shares agree to 1e-9."""
    kinds = ["won", "lost", "disqualified", "open"]
    counts, shares = [], []
    for tables in (mine, other):
        both = [tables[name].astype({"group": str}) for name in ("by cohort", "by activity")]
        long = pd.concat(both).sort_values(["group", "stage"])[["n_any", "n_all"]]
        counts.append(np.concatenate([long, tables["became"][kinds].to_numpy().reshape(-1, 2)]))
        told = [tables["shares"][["opportunity", "won"]], tables["steps"]]
        shares.append(np.concatenate([t.to_numpy(float).ravel() for t in told]))
    close = np.allclose(*shares, rtol=0, atol=1e-9, equal_nan=True)
    return bool(close and (counts[0] == counts[1]).all())


def speed() -> list[dict[str, object]]:
    """Return a row a contender: medians over turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        write_leads(data)
        took: dict[str, list[dict[str, float]]] = {who: [] for who in CONTENDERS}
        for _ in range(N_TURNS):
            for who, runs in took.items():
                command = [
                    sys.executable,
                    __file__,
                    "--turn",
                    who,
                    str(data),
                    str(folder / f"{who}.pkl"),
                ]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                runs.append(json.loads(out.splitlines()[-1]))
        tables = [pd.read_pickle(folder / f"{who}.pkl") for who in CONTENDERS]  # noqa: S301 - our own
        equal = all(is_equal(tables[1], other) for other in (tables[0], tables[2]))
    return [
        {
            "work": "funnel",
            "who": who,
            "rows": N_LEADS,
            **{k: statistics.median(r[k] for r in runs) for k in runs[0]},
            "equal": equal,
        }
        for who, runs in took.items()
    ]


def show_speed(rows: list[dict[str, object]]) -> None:
    print(f"{N_LEADS:,} leads, 4 stages, {N_TOUCHES:,} touches; medians of {N_TURNS} turns")
    print(f"{'who':<16}{'CPU s':>8}{'wall s':>8}{'MiB':>8}  equal")
    for row in rows:
        print(
            f"{row['who']:<16}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}{row['peak_mib']:>8.0f}  "
            f"{'yes' if row['equal'] else 'NO'}"
        )
    mine, other, chapter = rows
    print(f"at most {MOST_CPU:g} CPU s: {'yes' if mine['cpu_s'] <= MOST_CPU else 'NO'}")
    print(f"at most {MOST_MIB} MiB: {'yes' if mine['peak_mib'] <= MOST_MIB else 'NO'}")
    part = mine["cpu_s"] / other["cpu_s"]
    print(f"of pandas' CPU, which has no intervals, teams, hours and time zones: {part:.2f}")
    print(f"the chapter alone, from a panel that is there: {chapter['cpu_s'] / other['cpu_s']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", nargs="+", default=["calibration", "speed"])
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--turn", nargs=3, metavar=("WHO", "FOLDER", "FILE"))
    options = parser.parse_args()
    if options.turn:
        who, folder, target = options.turn
        one_turn(who, Path(folder), Path(target))
        return
    if "calibration" in options.work:
        rows = claims(options.companies, options.workers)
        print("\n".join(map(as_json, rows)) if options.json else head(WIDTHS))
        if not options.json:
            print("\n".join(line(row, WIDTHS) for row in rows))
    if "speed" in options.work:
        rows = speed()
        print("\n".join(map(json.dumps, rows))) if options.json else show_speed(rows)


if __name__ == "__main__":
    main()
