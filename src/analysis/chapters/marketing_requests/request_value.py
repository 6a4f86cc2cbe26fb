"""What a request is worth: the promise, cut to what earlier promises came to, less its cost.

Promises are compared with what came of all requests together; no asker is judged.  A request whose
promise, hours or outlay nobody stated, or whose promise nothing turns into money, is "cannot tell".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

FEWEST_PROMISES = 10  # done and measured, below which no promise is corrected
N_DRAWS = 2_000
SAME = 1e-18  # a spread below which teams are all alike
# What the asker alone can say: asked for before a request is weighed.
TO_ASK = (
    "nothing is promised",
    "hours of marketing are not stated",
    "outlay is not stated",
    "hours of selling are not stated",
)
PAYS, PAYS_NOT = 0.9, 0.1
UNITS = {"bookings": ("promised_bookings_amount", "outcome_bookings_amount"), "leads": ("promised_leads", "outcome_leads")}  # fmt: skip  # noqa: E501


class Prices(NamedTuple):
    """What turns a request into money: margin of bookings [0-1], hours of marketing and of selling
    [currency/h].
    """

    margin_rate: float
    marketing_hour_amount: float
    selling_hour_amount: float


class RequestCase(NamedTuple):
    """What each request would bring: `table` a row a request, `draws` a row a draw.

    ``draws`` are of the value before the pay of marketing's own hours, which is paid either way;
    NaN where nothing can be told.
    """

    table: pd.DataFrame
    draws: Matrix


def measured_promises(log: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return requests that are done with a promise and an outcome of one unit: one row a request.

    Columns: ``request_id``, ``team_id``, ``promised``, ``came``.
    """
    promised, came = UNITS[unit]
    rows = log[log["done_on"].notna() & log[promised].notna() & log[came].notna()]
    rows = rows[rows[promised] > 0]
    return pd.DataFrame(
        {
            "request_id": rows["request_id"],
            "team_id": rows["team_id"],
            "promised": rows[promised].astype(float),
            "came": rows[came].astype(float),
        }
    )


def kept_share(promises: pd.DataFrame, *, unit: str, source: str) -> Result:
    """Return the share of promises that came true: sum over sum, with its spread between teams.

    Leaves a team out at a time.  "cannot tell" below `FEWEST_PROMISES` or of fewer than three
    teams.
    """
    n, n_teams = len(promises), promises["team_id"].nunique()
    low = high = estimate = math.nan
    is_enough = n >= FEWEST_PROMISES and n_teams >= 3
    if is_enough:
        sums = promises.groupby("team_id")[["promised", "came"]].sum()
        promised, came = (sums[c].to_numpy() for c in ("promised", "came"))
        estimate = float(came.sum() / promised.sum())
        without = (came.sum() - came) / (promised.sum() - promised)
        spread = (n_teams - 1) / n_teams * float(((without - without.mean()) ** 2).sum())
        if spread > SAME * max(1.0, estimate) ** 2:  # all alike, teams say nothing of the next one
            _, low, high = intervals.t_interval(estimate, math.sqrt(spread), df=n_teams - 1)
    return Result(
        f"kept_share_of_{unit}",
        estimate,
        low,
        high,
        f"share of {unit} promised",
        n,
        "requests done and measured",
        f"sum of what came over sum of what was promised; leaves out one of {n_teams} teams at a "
        "time; requests nobody measured are not in it",
        source,
        verdict=None if is_enough else "cannot tell",
    )


def optimism_of_askers(kept_share: Result) -> Result:
    """Return promises over outcomes, from the share of promises that came true."""
    ends = sorted(1 / end if end > 0 else math.inf for end in (kept_share.low, kept_share.high))
    if not kept_share.is_known or kept_share.estimate <= 0 or math.isnan(kept_share.low):
        ends = [math.nan, math.nan]
    return kept_share._replace(
        name=kept_share.name.replace("kept_share", "optimism"),
        estimate=1 / kept_share.estimate if kept_share.estimate > 0 else math.nan,
        low=ends[0],
        high=ends[1],
        unit="times what comes",
    )


def request_case(
    candidates: pd.DataFrame,
    promises: dict[str, pd.DataFrame],
    prices: Prices,
    *,
    bookings_per_lead: pd.DataFrame,
    rng: np.random.Generator,
    n_draws: int = N_DRAWS,
) -> RequestCase:
    """Return in money what doing each request, or not doing it, brings.

    Parameters
    ----------
    candidates : rows of the request log
    promises : `measured_promises` by unit
    prices : what hours and bookings are worth
    bookings_per_lead : funnel rates, one row a ``campaign_type``: ``bookings_amount`` a lead of
        it brings in the end [currency]; empty where nothing says
    rng : of the draws
    n_draws : how many; a promise is multiplied by a share that was kept, drawn from those measured

    Returns
    -------
    RequestCase
        Columns: ``request_id``, ``why`` (what is lacking; empty if nothing), ``benefit_amount``,
        ``cost_amount``, ``net_amount``, ``low``, ``high`` [currency], ``pays_chance`` [0-1],
        ``verdict``.
    """
    rates = bookings_per_lead.set_index("campaign_type")["bookings_amount"]
    per_lead = candidates["campaign_type"].map(rates).astype(float)
    why = _what_is_lacking(candidates, promises, per_lead)
    no_price = _selling_cost(candidates, prices).isna() & candidates["selling_hours"].notna()
    why = why.mask(no_price & (why == ""), "no hour of selling is costed")
    if math.isnan(prices.margin_rate):
        why = why.mask(why == "", "margin after commission is not known")
    takes = (
        candidates["marketing_hours"].astype(float) * prices.marketing_hour_amount
        + candidates["cost_amount"].astype(float)
        + _selling_cost(candidates, prices)
    ).to_numpy()
    benefit = np.full((n_draws, len(candidates)), np.nan)
    amounts = {
        "bookings": candidates["promised_bookings_amount"].astype(float),
        "leads": candidates["promised_leads"].astype(float) * per_lead,
    }
    for unit in ("leads", "bookings"):  # bookings win where both are promised
        pool, amount = promises[unit], amounts[unit].to_numpy()
        places = np.flatnonzero(~np.isnan(amount))
        if len(pool) >= FEWEST_PROMISES and len(places):
            kept_shares = _drawn_shares(pool, (n_draws, len(places)), rng)
            benefit[:, places] = kept_shares * amount[places] * prices.margin_rate
    benefit[:, (why != "").to_numpy()] = np.nan
    net = benefit - takes
    hours = candidates["marketing_hours"].astype(float).to_numpy() * prices.marketing_hour_amount
    is_priced = (why == "").to_numpy()
    low, high, chance = (np.full(len(candidates), np.nan) for _ in range(3))
    low[is_priced], high[is_priced] = np.quantile(net[:, is_priced], intervals.ENDS, axis=0)
    chance[is_priced] = (net[:, is_priced] > 0).mean(axis=0)
    table = pd.DataFrame(
        {
            "request_id": candidates["request_id"].to_numpy(),
            "why": why.to_numpy(),
            "benefit_amount": benefit.mean(axis=0),
            "cost_amount": np.where(is_priced, takes, np.nan),
            "net_amount": net.mean(axis=0),
            "low": low,
            "high": high,
            "pays_chance": chance,
            "verdict": [_verdict(c) for c in chance],
        }
    )
    return RequestCase(table, net + hours)


def _selling_cost(candidates: pd.DataFrame, prices: Prices) -> pd.Series:
    """Return what the hours of selling cost; hours of nought cost nothing at any price."""
    hours = candidates["selling_hours"].astype(float)
    return (hours * prices.selling_hour_amount).mask(hours == 0, 0.0)


def _verdict(chance: float) -> str:
    if math.isnan(chance):
        return "cannot tell"
    if chance >= PAYS:
        return "likely pays"
    return "likely does not pay" if chance <= PAYS_NOT else "cannot tell"


def _drawn_shares(pool: pd.DataFrame, shape: tuple[int, int], rng: np.random.Generator) -> Matrix:
    """Return shares kept as past requests kept them, each weighed by what it promised."""
    weight = pool["promised"].to_numpy() / pool["promised"].sum()
    shares = (pool["came"] / pool["promised"]).to_numpy()
    drawn: Matrix = rng.choice(shares, size=shape, p=weight)
    return drawn


def _what_is_lacking(
    candidates: pd.DataFrame, promises: dict[str, pd.DataFrame], per_lead: pd.Series
) -> pd.Series:
    """Return what each request lacks to be told in money; empty where it lacks nothing."""
    has_bookings = candidates["promised_bookings_amount"].notna()
    has_leads = candidates["promised_leads"].notna()
    few = {unit: len(rows) < FEWEST_PROMISES for unit, rows in promises.items()}
    lacks = {
        "nothing is promised": ~has_bookings & ~has_leads,
        "hours of marketing are not stated": candidates["marketing_hours"].isna(),
        "outlay is not stated": candidates["cost_amount"].isna(),
        "hours of selling are not stated": candidates["selling_hours"].isna(),
        "nothing says what a lead brings": ~has_bookings & has_leads & per_lead.isna(),
        "too few promises were measured": (has_bookings & few["bookings"])
        | (~has_bookings & has_leads & few["leads"]),
    }
    why = pd.Series("", index=candidates.index)
    for words, is_lacking in lacks.items():
        why = why.mask(is_lacking & (why == ""), words)
    return why
