"""Whether quotas can be met with the selling time there is.

A representative's wins in a quarter are taken as Poisson: expected selling hours times the wins an
hour that the segment had in the four quarters before; each win brings a deal drawn from the
segment's.  Where reps differ by more than chance, each keeps what their own record says, shrunk to
the segment.  Nothing of the quarter itself is used but quota and weeks employed, so that its
outcome can judge the forecast.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.project import quarters
from analysis.project.errors import require_columns
from analysis.stats import intervals
from analysis.stats.result import Result

N_PRIOR_QUARTERS = 4
UNLIKELY = 0.2  # below this chance a quota is called out of reach
FEWEST_DEALS = 10  # a segment with fewer borrows the company's deal sizes
DISPERSION_LEVEL = 0.05
N_DRAWS = 2_000  # simulated quarters a rep: a chance of 20% is then known to 1 point
BRIER_UNIT = "mean squared error"
ONE_SEGMENT = "all reps"
CALIBRATION = ["bin", "n_reps", "predicted", "observed", "low", "high"]
STAYS = [
    "rep_id", "segment", "quarter", "weeks_employed", "logged_share", "selling_hours",
    "n_won", "n_lost", "bookings_amount", "quota_amount",
]  # fmt: skip
DEALS = ["status", "close_date", "deal_amount", "segment"]


class Dispersion(NamedTuple):
    """Whether reps' wins differ by more than chance: Pearson's statistic against chi-square."""

    statistic: float
    degrees: int
    p_value: float
    variance: float  # of reps' own pace around the segment's; 0 where chance is enough
    inflation: float  # of the variance of a segment's count of wins, at least 1


class Attainability(NamedTuple):
    """Chances of making quota, and how often such forecasts came true in earlier quarters.

    `reps` (one row a representative, for the analyst alone): ``rep_id``, ``segment``, ``hours``
    [h], ``expected_wins``, ``quota_amount``, ``chance``, ``is_attained``.  `rates` (one row a
    segment): ``closed_per_hour``, ``win_rate``, ``wins_per_hour``, ``n_won``, ``n_deals``,
    ``mean_deal_amount``.  `calibration` (one row a tenth of predicted chance): ``bin``, ``n_reps``,
    ``predicted``, ``observed``, ``low``, ``high``.  `brier` compares with always saying the share
    of the four quarters before.
    """

    share_out_of_reach: Result
    median_chance: Result
    brier: Result
    brier_gain: Result
    reps: pd.DataFrame
    rates: pd.DataFrame
    calibration: pd.DataFrame
    dispersion: Dispersion | None


def quota_attainability(
    stays: pd.DataFrame,
    opportunities: pd.DataFrame,
    *,
    quarter: str,
    minimum_logged_share: float,
    fiscal_year_start_month: int = 1,
    seed: int = 7,
) -> Attainability:
    """Return each representative's chance of making quota in `quarter`, and how such chances fare.

    Parameters
    ----------
    stays : DataFrame, a seller's stay in a team within a fiscal quarter
        Panel ``rep_quarter``: `quarter` and the four before it.
    opportunities : DataFrame, a possible deal
        ``status``, ``close_date``, ``deal_amount`` [currency] and ``segment``, the owner's.
    minimum_logged_share : share of a stay's working days that must be logged for its hours to count
    seed : of the simulated quarters

    Returns
    -------
    Attainability
        Its estimates are NaN, and its tables empty, with fewer than four quarters before, no quota
        or no deal won; `method` says which.

    Raises
    ------
    CrmDataError
        If a column is missing.
    """
    require_columns(stays, STAYS, "rep_quarter")
    require_columns(opportunities, DEALS, "opportunities")
    if stays["segment"].isna().all():  # a company without segments is one segment
        stays, opportunities = (t.assign(segment=ONE_SEGMENT) for t in (stays, opportunities))
    now = quarters.parse_quarter(quarter)
    names = [str(now.shifted(-back)) for back in range(N_PRIOR_QUARTERS, 0, -1)]
    past = stays[stays["quarter"].isin(names)]
    logged = past[past["logged_share"] >= minimum_logged_share]
    days = pd.to_datetime(opportunities["close_date"])
    start, end = (
        pd.Timestamp(q.start(fiscal_year_start_month))
        for q in (now.shifted(-N_PRIOR_QUARTERS), now)
    )
    in_window = (days >= start) & (days < end)
    won = opportunities[
        in_window & (opportunities["status"] == "won") & opportunities["deal_amount"].notna()
    ]
    absent = [name for name in names if name not in set(logged["quarter"])]
    if absent:
        return _cannot_tell(f"no logged hours of {', '.join(absent)}", quarter)
    if won.empty:
        return _cannot_tell("no deal won in the four quarters before", quarter)
    rates = _rates(logged, won)
    history = _history(logged, rates)
    dispersion = _dispersion(history, len(rates))
    sellers = stays[stays["quarter"] == quarter]
    reps = _expected(_reps(sellers), history, rates, dispersion)
    if reps.empty:
        return _cannot_tell(f"no rep has a quota in {quarter}", quarter)
    reps["chance"] = _chance(reps, rates, won, dispersion, np.random.default_rng(seed))
    n_left_out = sellers["rep_id"].nunique() - len(reps)
    return _judged(
        reps, rates, dispersion, base_rate=_base_rate(past), n_left_out=n_left_out, quarter=quarter
    )


def with_segment(opportunities: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Return `opportunities` with ``segment``.

    That of the owner's latest stay, missing where it has none.
    """
    latest = (
        stays.sort_values("quarter")
        .drop_duplicates("rep_id", keep="last")
        .set_index("rep_id")["segment"]
    )
    return opportunities.assign(segment=opportunities["owner_rep_id"].map(latest))


def _reps(sellers: pd.DataFrame) -> pd.DataFrame:
    """Return one row a rep whose quota, bookings and segment are all known.

    The longest stay's segment.
    """
    is_complete = (
        sellers[["quota_amount", "bookings_amount", "segment", "weeks_employed"]]
        .notna()
        .all(axis="columns")
    )
    whole = sellers[~sellers["rep_id"].isin(sellers.loc[~is_complete, "rep_id"])]
    longest = whole.sort_values(["weeks_employed", "segment"]).groupby("rep_id")["segment"].last()
    sums = whole.groupby("rep_id")[["weeks_employed", "quota_amount", "bookings_amount"]].sum()
    return sums[sums["quota_amount"] > 0].join(longest).reset_index()


def _rates(logged: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    """Return each segment's pace; hours of logged weeks stand for the whole stay's."""
    cut = logged.assign(
        hours=logged["selling_hours"] / logged["logged_share"],
        n_closed=logged["n_won"] + logged["n_lost"],
    )
    sums = cut.groupby("segment")[["n_won", "n_closed", "hours", "weeks_employed"]].sum()
    sums = sums[sums["hours"] > 0]
    deals = won.groupby("segment")["deal_amount"]
    return pd.DataFrame(
        {
            "closed_per_hour": sums["n_closed"] / sums["hours"],
            "win_rate": sums["n_won"] / sums["n_closed"],
            "wins_per_hour": sums["n_won"] / sums["hours"],
            "hours_per_week": sums["hours"] / sums["weeks_employed"],
            "n_won": sums["n_won"],
            "n_deals": deals.size().reindex(sums.index, fill_value=0),
            "mean_deal_amount": deals.mean().reindex(sums.index),
        }
    )


def _history(logged: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Return each rep's wins, wins expected of the segment's pace, hours and weeks of the past."""
    hours = logged["selling_hours"] / logged["logged_share"]
    rows = pd.DataFrame(
        {
            "rep_id": logged["rep_id"],
            "won": logged["n_won"],
            "expected": hours * logged["segment"].map(rates["wins_per_hour"]).astype(float),
            "hours": hours,
            "weeks": logged["weeks_employed"],
        }
    ).dropna()
    return rows.groupby("rep_id").sum()


def _dispersion(history: pd.DataFrame, n_segments: int) -> Dispersion:
    """Return whether reps differ by more than Poisson, and by how much."""
    with_expectation = history[history["expected"] > 0]
    if with_expectation.empty:
        return Dispersion(0.0, 1, 1.0, 0.0, 1.0)
    squared = (with_expectation["won"] - with_expectation["expected"]) ** 2
    statistic, degrees = (
        float((squared / with_expectation["expected"]).sum()),
        max(len(with_expectation) - n_segments, 1),
    )
    p_value = float(stats.chi2.sf(statistic, degrees))
    more = float(
        (squared - with_expectation["expected"]).sum() / (with_expectation["expected"] ** 2).sum()
    )
    variance = max(more, 0.0) if p_value < DISPERSION_LEVEL else 0.0
    return Dispersion(statistic, degrees, p_value, variance, max(statistic / degrees, 1.0))


def _expected(
    reps: pd.DataFrame, history: pd.DataFrame, rates: pd.DataFrame, dispersion: Dispersion
) -> pd.DataFrame:
    """Return `reps` with expected hours, wins and the shape of their own pace.

    Who is new is the segment's.
    """
    own = history.reindex(reps["rep_id"]).reset_index(drop=True)
    segment = rates.reindex(reps["segment"]).reset_index(drop=True)
    weekly = (own["hours"] / own["weeks"]).where(own["weeks"] > 0, segment["hours_per_week"])
    hours = weekly * reps["weeks_employed"]
    before = 1 / dispersion.variance if dispersion.variance > 0 else math.inf
    shape = before + own["won"].fillna(0.0)
    pace = shape / (before + own["expected"].fillna(0.0)) if math.isfinite(before) else 1.0
    expected = hours * segment["wins_per_hour"] * pace
    out = reps.assign(hours=hours, pace_shape=shape, expected_wins=expected)
    return out[out["expected_wins"].notna()].reset_index(drop=True)


def _chance(
    reps: pd.DataFrame,
    rates: pd.DataFrame,
    won: pd.DataFrame,
    dispersion: Dispersion,
    rng: np.random.Generator,
) -> pd.Series[float]:
    """Return the share of simulated quarters in which each rep makes quota."""
    chance = pd.Series(0.0, index=reps.index)
    for segment, n_won in rates["n_won"].items():
        rows = reps[reps["segment"] == segment]
        own = won.loc[won["segment"] == segment, "deal_amount"]
        sizes = (own if len(own) >= FEWEST_DEALS else won["deal_amount"]).to_numpy(float)
        shape = max(n_won, 0.5) / dispersion.inflation
        mean = rows["expected_wins"].to_numpy(float)[:, None] * rng.gamma(shape, 1 / shape, N_DRAWS)
        if dispersion.variance > 0:
            own_shape = rows["pace_shape"].to_numpy(float)[:, None]
            mean *= rng.gamma(own_shape, 1 / own_shape, mean.shape)
        wins = rng.poisson(mean).ravel()
        deals = sizes[rng.integers(0, sizes.size, int(wins.sum()))]
        bookings = np.bincount(
            np.repeat(np.arange(wins.size), wins), weights=deals, minlength=wins.size
        )
        quota = rows["quota_amount"].to_numpy(float)[:, None]
        chance[rows.index] = (bookings.reshape(mean.shape) >= quota).mean(axis=1)
    return chance


def _base_rate(past: pd.DataFrame) -> float:
    """Return the share of reps and quarters before that made quota.

    What one would say without a model.
    """
    complete = past.dropna(subset=["quota_amount", "bookings_amount"])
    sums = complete.groupby(["rep_id", "quarter"])[["bookings_amount", "quota_amount"]].sum()
    sums = sums[sums["quota_amount"] > 0]
    return float((sums["bookings_amount"] >= sums["quota_amount"]).mean())


def _judged(
    reps: pd.DataFrame,
    rates: pd.DataFrame,
    dispersion: Dispersion,
    *,
    base_rate: float,
    n_left_out: int,
    quarter: str,
) -> Attainability:
    """Return the forecast with its summary and how it compares with the quarter's outcome."""
    is_attained = (reps["bookings_amount"] >= reps["quota_amount"]).rename("is_attained")
    chance, n = reps["chance"], len(reps)
    varied = (
        "reps differ by more than chance"
        if dispersion.variance > 0
        else "reps differ by chance alone"
    )
    model = (
        f"compound Poisson on expected selling hours, rates of the {N_PRIOR_QUARTERS} quarters "
        f"before; {varied} (p = {dispersion.p_value:.2g}); reps left out: {n_left_out} (quota, "
        "segment or rate unknown)"
    )

    def result(name: str, value: float, ends: tuple[float, float], unit: str, of: str) -> Result:
        return Result(
            name, value, *ends, unit, n, "reps", f"{model}; {of}", f"rep_quarter {quarter}"
        )

    few = int((chance < UNLIKELY).sum())
    # Every rep is in it: a share or median of the model's own predictions has no sampling error.
    no_interval = (math.nan, math.nan)
    loss = (chance - is_attained) ** 2
    gain = (base_rate - is_attained) ** 2 - loss
    mean = float(gain.mean())
    reach = intervals.t_quantile(n - 1) * float(gain.std()) / math.sqrt(n)
    gain_phrase = (
        f"gain over always saying {base_rate * 100:.0f}%, the share of the {N_PRIOR_QUARTERS} "
        "quarters before"
    )
    table = reps[["rep_id", "segment", "hours", "expected_wins", "quota_amount", "chance"]].join(
        is_attained
    )
    return Attainability(
        share_out_of_reach=result(
            "share_out_of_reach",
            few / n,
            no_interval,
            "of reps",
            "all reps, no interval",
        ),
        median_chance=result(
            "median_chance", float(chance.median()), no_interval, "chance", "all reps, no interval"
        ),
        brier=result("brier_score", float(loss.mean()), no_interval, BRIER_UNIT, "0 is best"),
        brier_gain=result(
            "brier_gain", mean, (mean - reach, mean + reach), BRIER_UNIT, gain_phrase
        ),
        reps=table,
        rates=rates.reset_index(),
        calibration=_calibration(table),
        dispersion=dispersion,
    )


def _calibration(reps: pd.DataFrame) -> pd.DataFrame:
    """Return predicted against observed, one row a tenth of predicted chance that holds a rep."""
    tenth = (reps["chance"] * 10).clip(upper=9).astype(int)
    rows = []
    for start in sorted(tenth.unique()):
        part = reps[tenth == start]
        n, hits = len(part), int(part["is_attained"].sum())
        rows.append(
            (
                f"{start * 10}-{start * 10 + 10}%",
                n,
                part["chance"].mean(),
                hits / n,
                *intervals.share_interval(hits, n),
            )
        )
    return pd.DataFrame(rows, columns=CALIBRATION)


def next_step(reach: Attainability, quarter: str, *, smallest: int) -> str:
    """Return in a sentence what to do about quotas; it counts no fewer reps than `smallest`."""
    share = reach.share_out_of_reach
    if not share.is_known:
        return (
            f"Judge no quota by its chance in {quarter}: "
            f"{share.method.removeprefix('cannot tell: ')}."
        )
    n_reps = round(share.estimate * share.n)
    if not n_reps:
        return f"Keep the quotas of {quarter}: no rep has less than a one-in-five chance of theirs."
    if n_reps == share.n:
        return (
            f"Review all quotas: in {quarter} each rep had less than a one-in-five chance of "
            "making it."
        )
    count = f" (about {n_reps})" if n_reps >= smallest else ""
    return (
        f"Review the quotas of {share.estimate:.0%} of reps{count}: in {quarter} each of them had "
        "less than a one-in-five chance of making it."
    )


def _cannot_tell(why: str, quarter: str) -> Attainability:
    nan, units = math.nan, ("of reps", "chance", BRIER_UNIT, BRIER_UNIT)
    share, chance, brier, gain = (
        Result(
            name, nan, nan, nan, unit, 0, "reps", f"cannot tell: {why}", f"rep_quarter {quarter}"
        )
        for name, unit in zip(
            ("share_out_of_reach", "median_chance", "brier_score", "brier_gain"), units, strict=True
        )
    )
    return Attainability(
        share,
        chance,
        brier,
        gain,
        pd.DataFrame(),
        pd.DataFrame(),
        pd.DataFrame(columns=CALIBRATION),
        None,
    )
