"""Revenue shared out among the activities that touched a deal, by six rules side by side.

Five rules weigh the touches of each deal by their place or age.  The sixth reads all paths, those
that led to nothing too, as a chain that ends in a win or in nothing, and asks how much of the
chance to win goes if an activity is taken out.  It is solved exactly, by linear algebra.  No rule
tells what an activity caused: they share out what was won anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

RULES = ("first", "last", "linear", "position", "time decay", "chain")
UNTYPED = "campaign without a type"
UNTOUCHED = "no response on record"  # what brought a deal of which nobody responded
ENDS_SHARE = 0.4  # of the first touch and of the last, by position; those between share the rest
HALF_LIFE_DAYS = 30.0  # in which a touch's weight halves, by time decay; ours
CENTS = 100


class Paths(NamedTuple):
    """Touches in order: of each path (`path`, from 0 on, ascending) its activities (`activity`,
    places in `names`) and their `age` in days at the end; per path whether it `is_won` and its
    `revenue` [currency].  A path may have no touch.
    """

    path: Ints
    activity: Ints
    age: Floats
    is_won: NDArray[np.bool_]
    revenue: Floats
    names: list[str]


def touch_weights(paths: Paths, rule: str) -> Floats:
    """Return the share of its path that each touch gets by a rule; those of a path sum to 1.

    Examples
    --------
    >>> path, none = np.zeros(4, np.int64), np.zeros(4, np.int64)
    >>> four = Paths(path, none, np.zeros(4), np.array([True]), np.array([1.0]), ["Web"])
    >>> touch_weights(four, "position").round(2).tolist()
    [0.4, 0.1, 0.1, 0.4]
    """
    n_touches = np.bincount(paths.path, minlength=len(paths.is_won))
    size = n_touches[paths.path]
    place = np.arange(len(paths.path)) - (np.cumsum(n_touches) - n_touches)[paths.path]
    is_first, is_last = place == 0, place == size - 1
    if rule == "first":
        weight = is_first.astype(float)
    elif rule == "last":
        weight = is_last.astype(float)
    elif rule == "linear":
        weight = np.ones(len(size))
    elif rule == "position":
        between = (1 - 2 * ENDS_SHARE) / np.maximum(size - 2, 1)
        weight = np.where(is_first | is_last, ENDS_SHARE, between)
    elif rule == "time decay":
        newest = np.full(len(n_touches), np.inf)
        np.minimum.at(newest, paths.path, paths.age)  # so that old paths do not vanish
        weight = np.exp2(-(paths.age - newest[paths.path]) / HALF_LIFE_DAYS)
    else:
        raise ValueError(f"rule must be one of {', '.join(RULES[:-1])}, got {rule!r}")
    total = np.bincount(paths.path, weight, minlength=len(n_touches))
    shares: Floats = weight / total[paths.path]
    return shares


def transition_counts(paths: Paths) -> Floats:
    """Return how often paths go from one state to the next: activities, then start, won, nothing.

    A path without a touch goes from the start to its end at once.
    """
    n = len(paths.names)
    start, won, nothing = n, n + 1, n + 2
    n_touches = np.bincount(paths.path, minlength=len(paths.is_won))
    end = np.where(paths.is_won, won, nothing)
    is_first = np.ones(len(paths.path), bool)
    is_first[1:] = paths.path[1:] != paths.path[:-1]
    is_last = np.append(is_first[1:], True)[: len(is_first)]
    pairs = [
        (np.full(int(is_first.sum()), start), paths.activity[is_first]),
        (paths.activity[:-1][~is_last[:-1]], paths.activity[1:][~is_first[1:]]),
        (paths.activity[is_last], end[paths.path[is_last]]),
        (np.full(int((n_touches == 0).sum()), start), end[n_touches == 0]),
    ]
    code = np.concatenate([a * (n + 3) + b for a, b in pairs])
    counts: Floats = np.bincount(code, minlength=(n + 3) ** 2).reshape(n + 3, n + 3).astype(float)
    return counts


def win_chance(counts: Floats, *, without: int = -1) -> float:
    """Return the chance that a path from the start ends in a win, exactly.

    Parameters
    ----------
    counts : as `transition_counts` returns them
    without : an activity whose paths are taken to lead to nothing; -1: none

    States from which no win can be reached have no chance; without them the equations have one
    solution, whatever circles the paths make.
    """
    n = len(counts) - 3
    start, won = n, n + 1
    total = counts[: n + 1].sum(axis=1, keepdims=True)
    chance = np.divide(counts[: n + 1], total, out=np.zeros((n + 1, n + 3)), where=total > 0)
    if without >= 0:
        chance[without] = 0.0
    reaches = chance[:, won] > 0
    inner = chance[:, : n + 1] > 0
    while (more := reaches | (inner & reaches).any(axis=1)).sum() > reaches.sum():
        reaches = more
    if not reaches[start]:
        return 0.0
    at = np.flatnonzero(reaches)
    left = np.eye(len(at)) - chance[np.ix_(at, at)]
    solved = np.linalg.solve(left, chance[at, won])
    return float(np.clip(solved[np.searchsorted(at, start)], 0.0, 1.0))


def removal_shares(counts: Floats) -> Floats:
    """Return each activity's share of credit by the removal effect (the chances of a win lost
    without it); they sum to 1, and are zero where no path with a touch wins.
    """
    n = len(counts) - 3
    whole = win_chance(counts)
    if whole <= 0:
        return np.zeros(n)
    lost = np.array([1 - win_chance(counts, without=a) / whole for a in range(n)])
    lost = np.clip(lost, 0.0, None)
    shares: Floats = lost / lost.sum() if lost.sum() > 0 else np.zeros(n)
    return shares


def whole_cents(amounts: Floats, total: float) -> Floats:
    """Return amounts rounded to cents that sum to `total` to the cent: the largest remainders are
    rounded up.

    Examples
    --------
    >>> whole_cents(np.array([1 / 3, 1 / 3, 1 / 3]), 1.0).tolist()
    [0.34, 0.33, 0.33]
    """
    cents = np.asarray(amounts, float) * CENTS
    floor = np.floor(cents + 1e-6)
    left = round(total * CENTS) - int(floor.sum())
    order = np.argsort(-(cents - floor), kind="stable")
    step = np.sign(left)
    for turn in range(abs(left)):  # a handful: each activity's remainder is below a cent
        floor[order[turn % len(order)]] += step
    shares: Floats = floor / CENTS
    return shares


def credit_by_activity(paths: Paths) -> pd.DataFrame:
    """Return the revenue each activity is credited with: a row an activity, a column a rule.

    Each column sums to the revenue of all won paths to the cent.  Won paths without a touch are a
    row of their own, the same by every rule.  ``n_deals`` won and ``n_paths`` of any end an
    activity touched; ``lowest`` and ``highest`` of the rules' credits.
    """
    n = len(paths.names)
    n_touches = np.bincount(paths.path, minlength=len(paths.is_won))
    revenue = np.where(paths.is_won, np.nan_to_num(paths.revenue), 0.0)
    total = round(float(revenue.sum()), 2)
    untouched = round(float(revenue[n_touches == 0].sum()), 2)
    touched = round(total - untouched, 2)
    columns = {}
    for rule in RULES[:-1]:
        credit = touch_weights(paths, rule) * revenue[paths.path]
        sums = np.bincount(paths.activity, credit, minlength=n).astype(np.float64)
        columns[rule] = whole_cents(sums, touched)
    counts = transition_counts(paths)
    columns["chain"] = whole_cents(removal_shares(counts) * touched, touched)
    table = pd.DataFrame({"activity": paths.names, **columns})
    pairs = np.unique(paths.path * n + paths.activity) if n else np.zeros(0, np.int64)
    of_won = paths.is_won[pairs // n] if n else np.zeros(0, bool)
    table["n_paths"] = np.bincount(pairs % n, minlength=n) if n else 0
    table["n_deals"] = np.bincount(pairs[of_won] % n, minlength=n) if n else 0
    if (n_touches == 0).any():
        alone = n_touches == 0
        row = {"activity": UNTOUCHED, **dict.fromkeys(RULES, untouched)}
        row |= {"n_paths": int(alone.sum()), "n_deals": int((alone & paths.is_won).sum())}
        table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    credits_ = table[list(RULES)]
    return table.assign(lowest=credits_.min(axis=1), highest=credits_.max(axis=1))


def deal_paths(
    touches: pd.DataFrame, campaigns: pd.DataFrame, leads: pd.DataFrame, deals: pd.DataFrame
) -> Paths:
    """Return the paths of responses: one a deal that was won, one a person whose leads were not.

    Parameters
    ----------
    touches : ``person_key``, ``campaign_id``, ``touched_at``, ``is_response``
    campaigns : ``campaign_id``, ``campaign_type``; a response to one without a type is one kind
    leads : ``lead_id``, ``person_key``, ``opportunity_id``
    deals : the deals won that revenue is shared out of: ``opportunity_id``, ``close_date``,
        ``deal_amount``; a deal without an amount brings none

    Of a deal, the responses of all its leads' persons up to its close count.  A person one of
    whose deals was won is on that deal's path alone.
    """
    require_columns(touches, ["person_key", "campaign_id", "touched_at", "is_response"], "touches")
    answers = touches[touches["is_response"].eq(other=True).to_numpy(bool)]
    both = pd.concat([answers["person_key"], leads["person_key"]], ignore_index=True)
    number, persons = pd.factorize(both)
    who, of_lead = number[: len(answers)], number[len(answers) :]
    campaign, activity, names = _activities(answers["campaign_id"], campaigns)
    second = _seconds(pd.to_datetime(answers["touched_at"], utc=True).dt.tz_localize(None))
    close = _seconds(pd.to_datetime(deals["close_date"]) + pd.Timedelta(days=1))
    deal = pd.Index(deals["opportunity_id"]).get_indexer(pd.Index(leads["opportunity_id"]))
    links = np.unique(np.column_stack([of_lead, deal])[deal >= 0], axis=0).reshape(-1, 2)
    n_links = np.bincount(links[:, 0], minlength=len(persons))
    # A touch of a person with several won deals stands on the path of each.
    touch = np.repeat(np.arange(len(who)), n_links[who])
    nth = np.arange(len(touch)) - np.repeat(np.cumsum(n_links[who]) - n_links[who], n_links[who])
    path = links[(np.cumsum(n_links) - n_links)[who[touch]] + nth, 1]
    is_before = second[touch] < close[path]
    touch, path = touch[is_before], path[is_before]
    apart = np.flatnonzero(n_links[who] == 0)
    people, place = np.unique(who[apart], return_inverse=True)
    is_silent = (np.bincount(who, minlength=len(persons)) == 0) & (n_links == 0)
    n_nothing = len(people) + int(is_silent.sum())
    touch, path = np.append(touch, apart), np.append(path, len(deals) + place)
    order = np.lexsort((campaign[touch], second[touch], path))
    touch, path = touch[order], path[order]
    end = np.append(close, np.zeros(n_nothing, np.int64))
    last = np.append(np.diff(path) > 0, True)[: len(path)]
    is_unwon = path[last] >= len(deals)
    end[path[last][is_unwon]] = second[touch[last]][is_unwon]
    return Paths(
        path.astype(np.int64),
        activity[touch],
        (end[path] - second[touch]) / 86_400,
        np.arange(len(end)) < len(deals),
        np.append(deals["deal_amount"].to_numpy(float), np.zeros(n_nothing)),
        names,
    )


def _seconds(moments: pd.Series) -> Ints:
    """Return moments in seconds since 1970."""
    return np.asarray(moments.to_numpy().astype("datetime64[s]").astype(np.int64))


def _activities(campaign_ids: pd.Series, campaigns: pd.DataFrame) -> tuple[Ints, Ints, list[str]]:
    """Return each touch's campaign by the order of ids, its activity, and the activities' names."""
    ordered = campaigns.drop_duplicates("campaign_id").sort_values("campaign_id")
    place = pd.Index(ordered["campaign_id"]).get_indexer(pd.Index(campaign_ids))
    kinds = ordered["campaign_type"].astype(object).fillna(UNTYPED).to_numpy()
    kinds = np.append(kinds, UNTYPED)  # of a campaign that no export holds: at -1
    names, codes = np.unique(kinds[np.unique(place)].astype(str), return_inverse=True)
    of_campaign = np.zeros(len(kinds), np.int64)
    of_campaign[np.unique(place)] = codes
    return place.astype(np.int64), of_campaign[place], [str(name) for name in names]
