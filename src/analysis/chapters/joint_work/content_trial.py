"""Did it bring one extra sale: accounts given content beside accounts left out on purpose.

Reps use content where a deal is hot already, so accounts that got it win more whatever it does.
Only accounts that were left out beforehand can tell.  Whether they were alike is looked at in what
was known before the trial began, a deal open on that day: where those given it had more of them
than a lot would deal out, nothing is said.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis.stats.intervals import LEVEL, Z

if TYPE_CHECKING:
    import datetime as dt

    from analysis.stats.result import Kind, Verdict

LONGEST_WATCH, SHORTEST_WATCH = 180, 30  # days from an account's beginning
FEWEST_ACCOUNTS = 20  # given, and held out
UNBALANCED = 0.01  # p-value below which accounts were not alike before
SMALLEST_EXTRA = 0.01  # share of accounts: the smallest extra that matters
NO_EXTRA = 1e-6  # below it the search does not go
POWER = 0.8
DAYS_A_WEEK = 7


class TrialArms(NamedTuple):
    """How many accounts were given content and held out, how many of them won a deal since, and how
    many had one open on the day the trial began for them.
    """

    n_given: int
    n_held: int
    won_given: int
    won_held: int
    open_given: int
    open_held: int


class ExtraSales(NamedTuple):
    """Extra deals won among accounts given content: share [0-1] and number, with 95% ends.

    `why` says what prevents an answer; "" where nothing does.
    """

    arms: TrialArms
    share: float
    low: float
    high: float
    days: int
    kind: Kind
    verdict: Verdict
    why: str

    @property
    def sales(self) -> tuple[float, float, float]:
        """Extra sales of the accounts given it, with the ends of the interval."""
        n = self.arms.n_given
        return self.share * n, self.low * n, self.high * n


def watched_days(trial: pd.DataFrame, as_of: dt.date) -> int:
    """Return how many days every account of a trial was watched, at most `LONGEST_WATCH`."""
    latest = pd.to_datetime(trial["begins_on"]).max()
    return int(min(LONGEST_WATCH, (pd.Timestamp(as_of) - latest).days + 1)) if len(trial) else 0


def trial_arms(trial: pd.DataFrame, opportunities: pd.DataFrame, days: int) -> TrialArms:
    """Return both arms of a trial and what became of them in the first `days` of each account.

    Parameters
    ----------
    trial : ``account_id``, ``begins_on``, ``is_held_out``; a row an account
    opportunities : ``account_id``, ``created_at``, ``close_date``, ``status``
    """
    deals = opportunities.merge(trial[["account_id", "begins_on"]], on="account_id")
    begin, close = pd.to_datetime(deals["begins_on"]), pd.to_datetime(deals["close_date"])
    created = pd.to_datetime(deals["created_at"], utc=True).dt.tz_localize(None)
    end = begin + pd.Timedelta(days=days)
    is_won = deals["status"].eq("won") & (close >= begin) & (close < end)
    was_open = (created < begin) & (deals["status"].eq("open") | (close >= begin))
    has_won = trial["account_id"].isin(deals.loc[is_won, "account_id"])
    had_open = trial["account_id"].isin(deals.loc[was_open, "account_id"])
    left_out = trial["is_held_out"].astype(bool)
    return TrialArms(
        int((~left_out).sum()), int(left_out.sum()),
        int((has_won & ~left_out).sum()), int((has_won & left_out).sum()),
        int((had_open & ~left_out).sum()), int((had_open & left_out).sum()),
    )  # fmt: skip


def share_difference(
    won: int, n: int, won_other: int, n_other: int, level: float = LEVEL
) -> tuple[float, float, float]:
    """Return the difference of two shares with its interval by Newcombe.

    Examples
    --------
    56 of 70 less 48 of 80, Newcombe 1998, example a:

    >>> [round(end, 4) for end in share_difference(56, 70, 48, 80)]
    [0.2, 0.0524, 0.3339]
    """
    low, high = confint_proportions_2indep(
        won, n, won_other, n_other, method="newcomb", compare="diff", alpha=1 - level
    )
    return won / n - won_other / n_other, float(low), float(high)


def balance_p_value(arms: TrialArms) -> float:
    """Return the probability that a fair lot would split accounts with an open deal this unevenly
    (Fisher).
    """
    table = np.array(
        [
            [arms.open_given, arms.n_given - arms.open_given],
            [arms.open_held, arms.n_held - arms.open_held],
        ]
    )
    return float(stats.fisher_exact(table).pvalue)


def extra_sales(arms: TrialArms, way: str, days: int) -> ExtraSales:
    """Return the extra sales content brought, with their interval and verdict.

    Parameters
    ----------
    way : how accounts were assigned: ``lot``, ``match``, ``choice`` or "" where nobody says
    days : every account was watched so long
    """
    kind: Kind = "effect" if way == "lot" else "difference"
    why = _obstacle(arms, way, days)
    if min(arms.n_given, arms.n_held) == 0:
        return ExtraSales(arms, math.nan, math.nan, math.nan, days, kind, "cannot tell", why)
    counts = (arms.won_given, arms.n_given, arms.won_held, arms.n_held)
    share, low, high = share_difference(*counts)
    verdict: Verdict = "cannot tell"
    if not why:
        _, at_least, at_most = share_difference(*counts, level=0.9)
        if low > 0 or high < 0:
            verdict = "found"
        elif max(abs(at_least), abs(at_most)) < SMALLEST_EXTRA:
            verdict = "no material effect"
    return ExtraSales(arms, share, low, high, days, kind, verdict, why)


def _obstacle(arms: TrialArms, way: str, days: int) -> str:
    if arms.n_held == 0:
        return "no account was left out"
    if way not in {"lot", "match"}:
        return "nobody says that chance or a match decided which accounts were left out"
    if min(arms.n_given, arms.n_held) < FEWEST_ACCOUNTS:
        return f"fewer than {FEWEST_ACCOUNTS} accounts were given it, or left out"
    if days < SHORTEST_WATCH:
        return f"accounts were watched for {max(days, 0)} days, and it takes {SHORTEST_WATCH}"
    if balance_p_value(arms) < UNBALANCED:
        return "accounts given it had more or fewer open deals beforehand than a lot deals out"
    return ""


def accounts_needed(base_share: float, extra: float = SMALLEST_EXTRA) -> int:
    """Return how many accounts each arm takes to find `extra` with `POWER`.

    Examples
    --------
    From 4% to 5%: 7.849 x (.0384 + .0475) / .0001.

    >>> accounts_needed(0.04)
    6743
    """
    one, other = base_share, min(base_share + extra, 1.0)
    reach = Z + float(stats.norm.ppf(POWER))
    return math.ceil(reach**2 * (one * (1 - one) + other * (1 - other)) / (other - one) ** 2)


def smallest_extra(base_share: float, n_each: int) -> float:
    """Return the smallest extra share that `n_each` accounts an arm find with `POWER` [0-1].

    NaN where so few find none, were it a sale in every account that had none.

    Examples
    --------
    >>> round(smallest_extra(0.04, accounts_needed(0.04)), 4)
    0.01
    >>> smallest_extra(0.5, 2)
    nan
    """
    most = 1 - base_share
    if most <= NO_EXTRA or accounts_needed(base_share, most) > n_each:
        return math.nan
    extra_share = optimize.brentq(
        lambda extra: accounts_needed(base_share, extra) - n_each, NO_EXTRA, most, xtol=1e-9
    )
    return float(extra_share)


def weeks_needed(n_accounts: int, reached: pd.Series, as_of: dt.date) -> float:
    """Return how many weeks it takes until `n_accounts` were reached, at the pace of the year.

    NaN where none was reached.

    Parameters
    ----------
    reached : first day on which each account was reached
    """
    days = pd.to_datetime(reached).dropna()
    since = pd.Timestamp(as_of) - pd.Timedelta(days=365)
    a_week = float((days > since).sum()) / (365 / DAYS_A_WEEK)
    return float(np.ceil(n_accounts / a_week)) if a_week > 0 else math.nan
