"""Teams by quarter alone, drawn fast: thousands of companies a minute, each with its truth.

``company`` grows bookings out of reps, hours and deals; here they are drawn where models read them,
by team and quarter, with chance of the same size (log bookings of a team vary by 0.19 around team
and quarter effects, wins by 0.16, opportunities created by 0.09, as in a dozen companies of the
defaults).  That is what a thousand panels a cell need.  Each switch is one way in which a gap can
come about without any effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.quarters import parse_quarter
from analysis.simulate.world.people import NEVER, SEGMENTS

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Bools, Floats, Ints

CREATED, WIN_RATE, DEAL_AMOUNT = 170.0, 0.30, 71_000.0  # of a team a quarter; 1; [USD]
DEAL_VARIATION = 0.43  # variance over squared mean of deal amounts: log sd 0.6
SHOCK_RHO = 0.5  # of a team's shock, what is left a quarter later
TEAM_LOG_SD, LUCK_LOG_SD = 0.14, 0.06  # between teams; of a team's win rate between quarters
ENTRIES_PER_WEEK, LEADS = 15.0, 110.0  # per rep; of a team a quarter
REPS, MOVE_RATE = 8, 0.002  # a team; reps who change team a quarter
HEADS_LOG_SD = 0.05  # of a team's heads between quarters, where heads change at all
ORDINARY_REGIONS = 3  # where regions play no part
INDEX_MEAN, INDEX_TEAM_SD, INDEX_LIFT, INDEX_NOISE_SD = 50.0, 10.0, 15.0, 4.0  # points of 100
EVENT_QUARTERS = 5  # quarters 0 to 4 since the start


@dataclass(frozen=True)
class Teams:
    """What the teams are like; the defaults are the demo company's.

    ``_log`` is a change of logs, ``_log_sd`` a standard deviation of logs, both without unit.

    Parameters
    ----------
    seed : int
        Where all chance comes from.
    n_teams, n_quarters, last_quarter
        Teams, and quarters up to and with the last.
    adoption : tuple of (quarter, share)
        In which quarter, counted from 1, which share of the teams adopts the programme.
    effect, effect_path : float, tuple of float
        What the programme adds to log bookings in the end; its share by quarters since adoption.
    season_log : tuple of float
        By quarter of the year.
    shock_log_sd : float
        A team's AR(1) shock by quarter.
    selection : float
        Which teams adopt: -1 those that just fell furthest below themselves, 1 those that just rose
        furthest above, 0 any; between them chance has a part.
    pre_trend_log : float
        What adopters gain on the others each quarter, before the start and after it.
    reverse : float
        Points that a team's index gains in the quarter after bookings 1 standard deviation above
        its mean.
    logging_log : float
        What adopters log more since their start: entries and opportunities, with no win more.
    rerouted : float
        Share of the others' wins and leads that go to adopters since their start [0-1].
    halo : float
        Points of the survey per standard deviation of bookings known when it is answered.
    bookings_trend_log : float
        What adopters' bookings gain each quarter beyond opportunities created, all along.
    held_back : float
        Share of adopters' wins of the quarter before the start that are booked in the next [0-1].
    early_quarters : int
        Quarters before the start from which the effect is there.
    n_regions, region_shock_log_sd : int, float
        Regions of teams that adopt together, and their AR(1) shocks by quarter; 0: none.
    hires : float
        What adopters' heads, opportunities and bookings grow by since the start [0-1].
    created, deal_variation : float
        Opportunities a team and quarter, and variance over squared mean of deal amounts.
    whale : float
        Times a team's ordinary bookings that one deal brings some adopter since its start.
    currency_log_sd : float
        Change a quarter of the currency that seven adopters sell in.
    cohort_effects : tuple of float
        Effect on log bookings of those that adopt first, second and so on, in place of `effect`;
        empty: the same for all.
    churn_log_sd : float
        AR(1) shock by quarter of a team's heads, and with them of its opportunities and bookings.
    takeover : bool
        Whether one team hands half of its business to another two thirds through.
    split : bool
        Whether it hands that half to a team that is new then, in the place of another.
    empty_share : float
        Share of team-quarters in which nothing is booked [0-1].
    """

    seed: int = 7
    n_teams: int = 24
    n_quarters: int = 12
    last_quarter: str = "2026Q3"
    adoption: tuple[tuple[int, float], ...] = ((5, 6 / 24), (7, 5 / 24), (9, 5 / 24))
    effect: float = 0.18
    effect_path: tuple[float, ...] = (1 / 3, 2 / 3, 1.0)
    season_log: tuple[float, float, float, float] = (-0.05, 0.0, -0.03, 0.08)
    shock_log_sd: float = 0.04
    selection: float = 0.0
    pre_trend_log: float = 0.0
    reverse: float = 0.0
    logging_log: float = 0.0
    rerouted: float = 0.0
    halo: float = 0.0
    bookings_trend_log: float = 0.0
    held_back: float = 0.0
    early_quarters: int = 0
    n_regions: int = 0
    region_shock_log_sd: float = 0.0
    hires: float = 0.0
    created: float = CREATED
    deal_variation: float = DEAL_VARIATION
    whale: float = 0.0
    currency_log_sd: float = 0.0
    cohort_effects: tuple[float, ...] = ()
    churn_log_sd: float = 0.0
    takeover: bool = False
    split: bool = False
    empty_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no company can be."""
        if self.n_teams < 2 or self.n_quarters < 2:
            raise ValueError(
                f"n_teams and n_quarters must be at least 2, got {self.n_teams}, {self.n_quarters}"
            )
        if sum(round(share * self.n_teams) for _, share in self.adoption) > self.n_teams:
            raise ValueError(f"adoption: the shares must not pass 1, got {self.adoption}")
        if not -1 <= self.selection <= 1 or not 0 <= self.rerouted < 1:
            raise ValueError(
                f"selection must be -1 to 1 and rerouted 0 to 1, got {self.selection}, "
                f"{self.rerouted}"
            )


class Matrices(NamedTuple):
    """Teams drawn once, a row a team and a column a quarter: ``columns`` of team_quarter by name.

    ``adopted`` is each team's quarter of adoption from 0, `NEVER` for none; ``effect`` the truth
    [log]; ``regions`` a number a team.
    """

    columns: dict[str, Floats]
    adopted: Ints
    effect: Floats
    average_effect: float
    regions: Ints


class Drawn(NamedTuple):
    """Teams drawn once.

    ``team_quarter`` and ``programme`` are what `processed` would give, the index
    (``alignment_index``, and ``survey_index`` with its halo [points of 100]) beside; ``truth`` has
    a row per team and quarter with ``event_time`` and ``effect`` [log].  ``average_effect`` is the
    mean of the effect over quarters 0 to 4 since the start, adopters only [log].
    """

    team_quarter: pd.DataFrame
    programme: pd.DataFrame
    truth: pd.DataFrame
    average_effect: float


def draw_teams(teams: Teams) -> Drawn:
    """Return the panel of `teams`, who adopted when, and what it did."""
    columns, adopted, effect, average, regions = draw_matrices(teams)
    names, _, starts = _calendar(teams.last_quarter, teams.n_quarters)
    ids, keys = _keys(teams.n_teams, names)
    began = np.flatnonzero(adopted < NEVER)
    event = np.where(
        adopted[:, None] < NEVER, np.arange(teams.n_quarters) - adopted[:, None], np.nan
    )
    return Drawn(
        pd.DataFrame(
            {
                **keys,
                "region": pd.array(np.repeat([f"R{k}" for k in regions], teams.n_quarters), "str"),
                **{name: values.ravel() for name, values in columns.items()},
            }
        ),
        pd.DataFrame(
            {
                "team_id": [ids[i] for i in began],
                "start_date": starts[adopted[began]],
                "decided_by": "CRO",
                "announced_on": starts[adopted[began]] - np.timedelta64(45, "D"),
            }
        ),
        pd.DataFrame(
            {
                "team_id": keys["team_id"],
                "quarter": keys["quarter"],
                "event_time": event.ravel(),
                "effect": effect.ravel(),
            }
        ),
        average,
    )


def draw_matrices(teams: Teams) -> Matrices:
    """Return the same as matrices: what a study of thousands of panels takes."""
    rng = np.random.default_rng([teams.seed, 20])
    _, number, _ = _calendar(teams.last_quarter, teams.n_quarters)
    shape = teams.n_teams, teams.n_quarters
    regions = _regions(teams)
    quiet = (
        TEAM_LOG_SD * rng.standard_normal((teams.n_teams, 1))
        + np.array(teams.season_log)[number - 1]
    )
    shock = _shocks(teams, rng)
    luck = LUCK_LOG_SD * rng.standard_normal(shape)
    chance = rng.standard_normal(shape)
    adopted = _adoption(teams, shock + luck + _deal_chance(chance), rng)
    event = np.arange(teams.n_quarters) - adopted[:, None]
    is_adopter, is_on = adopted[:, None] < NEVER, event >= 0
    path = np.array(teams.effect_path)
    felt = event + teams.early_quarters
    most = _effects_by_team(teams, adopted)
    effect = most * np.where(felt >= 0, path[np.clip(felt, 0, len(path) - 1)], 0.0)
    time = np.arange(teams.n_quarters)
    heads = (1 + teams.hires * is_on) * _churn(teams, rng)
    log_level = (
        quiet
        + shock
        + effect
        + np.log(heads)
        + np.where(is_adopter, teams.pre_trend_log, 0.0) * time
    )
    business = _business(teams, rng)
    log_level += np.log(np.where(business > 0, business, 1.0))
    if teams.region_shock_log_sd:
        shocks = _ar1(teams.region_shock_log_sd, (teams.n_regions, teams.n_quarters), rng)
        log_level += shocks[regions]
    created = rng.poisson(teams.created * np.exp(log_level + teams.logging_log * is_on))
    beyond = np.where(is_adopter, teams.bookings_trend_log, 0.0) * time
    closed = teams.created * np.exp(log_level + beyond)
    # Wins: deviations of `chance` are those that selection saw, so that who adopts can hang on
    # them.
    won = np.maximum(
        np.rint(closed * WIN_RATE * np.exp(luck) * _jitter(chance, closed * WIN_RATE)), 1
    )
    won, came = _reroute(teams, won, is_on)
    won = _hold_back(teams, won, adopted)
    variation = teams.deal_variation
    amount = DEAL_AMOUNT * variation * rng.gamma(won / variation)
    amount = _other_money(teams, amount, adopted, rng)
    loses = ~is_on & is_on.any(axis=0)  # nothing is taken before somebody joined
    leads = rng.poisson(LEADS * (1 - teams.rerouted * loses) * (1 + teams.rerouted * is_on))
    index, survey = _indices(teams, np.log(amount), is_on, rng)
    if teams.empty_share:
        amount = np.where(rng.random(shape) < teams.empty_share, 0.0, amount)
    amount, created = np.where(business > 0, amount, 0.0), np.where(business > 0, created, 0)
    n_out, n_in = rng.binomial(REPS, MOVE_RATE, shape), rng.binomial(REPS, MOVE_RATE, shape)
    lost = np.rint(np.maximum(closed * (1 - WIN_RATE), 1))
    columns = {
        "bookings_amount": amount,
        "n_won": won.astype(np.int64),
        "n_lost": lost.astype(np.int64),
        "n_created": created,
        "win_rate": won / (won + lost),
        "n_leads": leads,
        "rerouted_share": came / won,
        "n_reps": np.rint(REPS * heads).astype(np.int64),
        "average_reps": REPS * heads * np.exp(HEADS_LOG_SD * bool(teams.hires) * chance[:, ::-1]),
        "n_reps_moved_in": n_in,
        "n_reps_moved_out": n_out,
        "entries_per_week": ENTRIES_PER_WEEK
        * np.exp(teams.logging_log * is_on + 0.05 * rng.standard_normal(shape)),
        "alignment_index": index,
        "survey_index": survey,
    }
    average = _average_effect(effect, adopted)
    return Matrices(columns, adopted, effect, average, regions)


@lru_cache
def _calendar(last: str, n: int) -> tuple[list[str], Ints, np.ndarray]:
    """Return the quarters' names, numbers within the year and first days."""
    several = [parse_quarter(last).shifted(k) for k in range(1 - n, 1)]
    starts = np.array([each.start() for each in several], "datetime64[s]")
    return [str(each) for each in several], np.array([each.number for each in several]), starts


@lru_cache
def _keys_of(n_teams: int, quarters: tuple[str, ...]) -> tuple[list[str], dict[str, object]]:
    ids = [f"T{i:03d}" for i in range(n_teams)]
    segments = [SEGMENTS[i % len(SEGMENTS)] for i in range(n_teams)]
    n = len(quarters)
    return ids, {
        "team_id": pd.array(np.repeat(ids, n), dtype="str"),
        "quarter": pd.array(np.tile(quarters, n_teams), dtype="str"),
        "segment": pd.array(np.repeat(segments, n), dtype="str"),
        "is_partial": False,
        "coverage": "ok",
        "logging_change": None,
    }


def _keys(n_teams: int, quarters: list[str]) -> tuple[list[str], dict[str, object]]:
    return _keys_of(n_teams, tuple(quarters))


def _shocks(teams: Teams, rng: np.random.Generator) -> Floats:
    return _ar1(teams.shock_log_sd, (teams.n_teams, teams.n_quarters), rng)


def _ar1(log_sd: float, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    fresh = log_sd * rng.standard_normal(shape)
    out = fresh.copy()
    for t in range(1, shape[1]):
        out[:, t] = SHOCK_RHO * out[:, t - 1] + np.sqrt(1 - SHOCK_RHO**2) * fresh[:, t]
    return out


def _effects_by_team(teams: Teams, adopted: Ints) -> Floats:
    """Return each team's effect in the end [log], a column."""
    most = np.full((teams.n_teams, 1), teams.effect)
    for (first, _), effect in zip(teams.adoption, teams.cohort_effects, strict=False):
        most[adopted == first - 1] = effect
    return most


def _average_effect(effect: Floats, adopted: Ints) -> float:
    """Return the mean over quarters since the start of adopters' mean effect [log]; 0 without any.

    A quarter counts those adopters that the data still see in it.
    """
    n_quarters = effect.shape[1]
    seen = [np.flatnonzero(adopted + since < n_quarters) for since in range(EVENT_QUARTERS)]
    means = [
        effect[rows, adopted[rows] + since].mean() for since, rows in enumerate(seen) if rows.size
    ]
    return float(np.mean(means)) if means else 0.0


def _churn(teams: Teams, rng: np.random.Generator) -> Floats:
    """Return each team's heads as a multiple of the ordinary ones."""
    if not teams.churn_log_sd:
        return np.ones((teams.n_teams, teams.n_quarters))
    return np.exp(_ar1(teams.churn_log_sd, (teams.n_teams, teams.n_quarters), rng))


def _business(teams: Teams, rng: np.random.Generator) -> Floats:
    """Return each team's business as a multiple: one may hand half of it to another, or to a new
    one, which had none before.
    """
    business = np.ones((teams.n_teams, teams.n_quarters))
    if not teams.takeover and not teams.split:
        return business
    giver, taker = rng.choice(teams.n_teams, 2, replace=False)
    since = 2 * teams.n_quarters // 3
    business[giver, since:], business[taker, since:] = 0.5, 1.5
    if teams.split:
        business[taker] = np.where(np.arange(teams.n_quarters) < since, 0.0, 0.5)
    return business


def _regions(teams: Teams) -> Ints:
    return np.arange(teams.n_teams) % (teams.n_regions or ORDINARY_REGIONS)


def _deal_chance(chance: Floats) -> Floats:
    """Return what the chance of winning adds to log wins, at ordinary wins."""
    return np.asarray(chance / np.sqrt(CREATED * WIN_RATE))


def _jitter(chance: Floats, mean: Floats) -> Floats:
    """Return wins over their mean: a normal score with the variance of a count."""
    return np.asarray(np.maximum(1 + chance / np.sqrt(mean), 0.05))


def _adoption(teams: Teams, deviation: Floats, rng: np.random.Generator) -> Ints:
    """Return each team's quarter of adoption from 0.

    With `selection`, by its last quarter against those before.
    """
    adopted = np.full(teams.n_teams, NEVER, np.int64)
    if teams.n_regions:
        order = rng.permutation(teams.n_regions)
        for first, share in teams.adoption:
            n = round(share * teams.n_regions)
            adopted[np.isin(_regions(teams), order[:n])] = first - 1
            order = order[n:]
        return adopted
    for first, share in teams.adoption:
        n = round(share * teams.n_teams)
        if not n or first > teams.n_quarters:
            continue
        at = first - 1
        recent = (
            deviation[:, at - 1] - deviation[:, : at - 1].mean(axis=1)
            if at > 1
            else np.zeros(teams.n_teams)
        )
        spread = recent.std() or 1.0
        score = teams.selection * recent / spread
        score = score + np.sqrt(1 - teams.selection**2) * rng.standard_normal(teams.n_teams)
        score[adopted < NEVER] = -np.inf
        adopted[np.argsort(score)[-n:]] = at
    return adopted


def _reroute(teams: Teams, won: Floats, is_on: Bools) -> tuple[Floats, Floats]:
    """Return wins after the rerouting, and those of each team that another had created."""
    if not teams.rerouted:
        return won, np.zeros_like(won)
    taken = np.where(is_on, 0.0, np.floor(teams.rerouted * won)) * is_on.any(axis=0)
    taken = np.minimum(taken, won - 1)
    share = is_on / np.maximum(is_on.sum(axis=0), 1)
    came = np.floor(taken.sum(axis=0) * share)
    return won - taken + came, came


def _hold_back(teams: Teams, won: Floats, adopted: Ints) -> Floats:
    """Return wins where deals of the quarter before the start are booked in the one after it."""
    out = won.copy()
    for team in np.flatnonzero((adopted > 0) & (adopted < NEVER)) if teams.held_back else ():
        at = adopted[team]
        n = np.floor(teams.held_back * won[team, at - 1])
        out[team, at - 1] -= n
        out[team, at] += n
    return np.maximum(out, 1)


def _other_money(teams: Teams, amount: Floats, adopted: Ints, rng: np.random.Generator) -> Floats:
    """Return bookings with one huge deal, or in a currency that moves."""
    joined = np.flatnonzero(adopted < NEVER)
    if teams.whale and joined.size:
        team = rng.choice(joined)
        quarter = rng.integers(adopted[team], teams.n_quarters)
        amount[team, quarter] += teams.whale * amount[team].mean()
    if teams.currency_log_sd:
        rate = np.exp(np.cumsum(teams.currency_log_sd * rng.standard_normal(teams.n_quarters)))
        amount[joined[:7]] *= rate
    return amount


def _indices(
    teams: Teams, log_bookings: Floats, is_on: Bools, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the index from practices, and the one from the survey, which hears of the last
    quarter's bookings.
    """
    shape = log_bookings.shape
    base = INDEX_MEAN + INDEX_TEAM_SD * rng.standard_normal((teams.n_teams, 1)) + INDEX_LIFT * is_on
    own = log_bookings - log_bookings.mean(axis=1, keepdims=True)
    values = np.zeros(shape)
    values[:, 1:] = own[:, :-1] / (own.std() or 1.0)
    index = base + teams.reverse * values + INDEX_NOISE_SD * rng.standard_normal(shape)
    survey = base + teams.halo * values + INDEX_NOISE_SD * rng.standard_normal(shape)
    return np.clip(index, 0, 100), np.clip(survey, 0, 100)
