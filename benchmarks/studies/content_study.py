"""Simulated trials of content whose effect is known, and companies that use content on hot deals.

Arms are drawn account by account.  In a hot company a third of the accounts have a deal open that
is going well; reps give those the content three times as often, and they win more whatever it does.
"""

from __future__ import annotations

import numpy as np

from analysis.chapters.joint_work import content_trial
from analysis.chapters.joint_work.content_trial import TrialArms

BASE, N_EACH = 0.08, 1_000  # share of accounts that win a deal in the time watched; accounts an arm
SMALL_BASE = 0.04  # of the trial that is as large as one point more takes
PLANTED = 0.01
OPEN_BEFORE = 0.15
DAYS = 180
HOT_ACCOUNTS, HOT_SHARE = 1_000, 0.33
HOT_WINS, COLD_WINS = 0.30, 0.05
GIVEN_HOT, GIVEN_COLD = 0.60, 0.20


def trial_of(seed: int, base: float, extra: float, n_each: int) -> dict[str, float]:
    """Return what is said of one trial by lot, and its truth."""
    rng = np.random.default_rng([seed, 1])
    arms = TrialArms(
        n_each, n_each,
        int(rng.binomial(n_each, base + extra)), int(rng.binomial(n_each, base)),
        int(rng.binomial(n_each, OPEN_BEFORE)), int(rng.binomial(n_each, OPEN_BEFORE)),
    )  # fmt: skip
    got = content_trial.extra_sales(arms, "lot", DAYS)
    return {
        "covers": got.low <= extra <= got.high,
        "found": got.verdict == "found",
        "withheld": bool(got.why),
        "truth": extra,
    }


def null_trial(seed: int) -> dict[str, float]:
    """Return what is said of content that does nothing."""
    return trial_of(seed, BASE, 0.0, N_EACH)


def planted_trial(seed: int) -> dict[str, float]:
    """Return what is said of one sale more in 100 accounts, in a trial of the size it takes."""
    n_each = content_trial.accounts_needed(SMALL_BASE, PLANTED)
    return trial_of(seed, SMALL_BASE, PLANTED, n_each)


def hot_company(seed: int) -> dict[str, bool]:
    """Return whether use on hot deals is called an extra sale: as it is, and passed off as a trial
    by lot or match.
    """
    rng = np.random.default_rng([seed, 2])
    hot = rng.random(HOT_ACCOUNTS) < HOT_SHARE
    given = rng.random(HOT_ACCOUNTS) < np.where(hot, GIVEN_HOT, GIVEN_COLD)
    won = rng.random(HOT_ACCOUNTS) < np.where(hot, HOT_WINS, COLD_WINS)
    arms = TrialArms(
        int(given.sum()), int((~given).sum()), int((won & given).sum()), int((won & ~given).sum()),
        int((hot & given).sum()), int((hot & ~given).sum()),
    )  # fmt: skip
    naive = content_trial.share_difference(arms.won_given, arms.n_given, arms.won_held, arms.n_held)
    called = {
        way or "untold": content_trial.extra_sales(arms, way, DAYS).verdict != "cannot tell"
        for way in ("", "choice", "match", "lot")
    }
    return {**called, "naive": naive[1] > 0}
