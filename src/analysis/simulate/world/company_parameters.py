"""What a simulated company is like: its parameters, with the demo company's for defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SimulatedCompany:
    """What a company is like; the defaults are the demo company.

    ``_log`` is a change of logs, ``_log_sd`` a standard deviation of logs, both without unit.

    Parameters
    ----------
    seed : int
        Where all chance comes from.
    n_teams, n_quarters : int
        Teams, and calendar quarters up to and with `last_quarter`.
    team_size : int
        Reps of a team, give or take one.
    enterprise_share : float
        Share of the teams that sell to enterprises [0-1].
    adoption : tuple of (quarter, share)
        In which quarter, counted from 1, which share of the teams adopts the programme.
    effect, effect_path : float, tuple of float
        What the programme adds to log bookings in the end; its share by quarters since adoption.
    season_log : tuple of float
        By quarter of the year.
    shock_log_sd, shock_rho : float
        A team's AR(1) shock by quarter.
    opportunities_per_quarter, win_rate : float
        Of a rep with ordinary luck: created [1/quarter], and won of those closed [0-1].
    deal_amount, deal_log_sd : float
        Mean [USD] and spread of a deal.
    cycle_days, enterprise_cycle_days, cycle_log_sd : float
        Median days from creation to close, and their spread.
    selling_hours, elasticity : float
        Hours a rep sells in a full week [h], and what 1 % more does to opportunities created [%].
    skill_on_hours_log, skill_on_opportunities_log : float
        What a standard deviation of skill adds to log hours and, beyond them, to opportunities.
    habit_log_sd, quarter_log_sd, week_log_sd : float
        Spread of weekly hours between reps, of a rep between quarters and between weeks.
    training_log, outage_log, assistant_log : float
        What a week wholly under a shifter adds to log hours.
    assistant_share : float
        Share of the rep-years in which an assistant is assigned for twelve weeks [0-1].
    hot_pipeline : bool
        Whether unobserved demand of a rep's quarter both closes deals and pulls hours to late ones.
    hot_hours_log_sd, hot_closings_log_sd : float
        How strongly.
    late_share : float
        Share of ordinary selling time that goes to deals past proposal [0-1].
    capture_rate, logging_error_log_sd : float
        Share of client contacts that reach the calendar [0-1]; classical error of a logged week.
    late_logging_quarter : int
        Quarter, from 1, in which one team that adopts last or never begins to log; 0: at once.
    turnover_rate, move_rate, part_time_share : float
        Reps who leave, and who change team [1/year]; reps at 80 % [0-1].
    accounts_per_team : int
        Customers and prospects.
    practice_start, practice_start_sd, practice_noise_sd : float
        How well teams and marketing work together before the programme [0-1], its spread between
        teams and between quarters of a team.
    practice_gain, practice_path : float, tuple of float
        What the programme adds to that in the end, give or take a third by team; its share by
        quarters since adoption.
    source_lift_log : tuple of float
        What a lead's source, in the order of `marketing.SOURCES`, adds to the log odds that it
        becomes an opportunity; empty: nothing.
    prompt_lift_log : float
        What a prompt answer adds to the log odds that a lead becomes an opportunity.
    skipped_rate : float
        Share of the steps to SAL and to SQL that leads which went further do not log [0-1].
    wins_logged_quarter : int
        Quarter, from 1, from which closed deals are exported at all; 0: from the start.
    ramp_days : float
        Days in which what a rep hired in the window creates rises from nothing to the full rate.
    survey_halo : float
        Points on the survey's scale from 1 to 5 that a standard deviation of last quarter's
        bookings adds to every answer.
    """

    seed: int = 7
    n_teams: int = 24
    n_quarters: int = 12
    last_quarter: str = "2026Q3"
    team_size: int = 8
    enterprise_share: float = 1 / 6
    adoption: tuple[tuple[int, float], ...] = ((5, 6 / 24), (7, 5 / 24), (9, 5 / 24))
    effect: float = 0.18
    effect_path: tuple[float, ...] = (1 / 3, 2 / 3, 1.0)
    season_log: tuple[float, float, float, float] = (-0.05, 0.0, -0.03, 0.08)
    shock_log_sd: float = 0.04
    shock_rho: float = 0.5
    opportunities_per_quarter: float = 20.0
    win_rate: float = 0.3
    deal_amount: float = 71_000.0
    deal_log_sd: float = 0.6
    cycle_days: float = 75.0
    enterprise_cycle_days: float = 548.0
    cycle_log_sd: float = 0.45
    selling_hours: float = 10.5
    elasticity: float = 0.34
    skill_on_hours_log: float = 0.10
    skill_on_opportunities_log: float = 0.15
    habit_log_sd: float = 0.10
    quarter_log_sd: float = 0.05
    week_log_sd: float = 0.11
    training_log: float = -0.9
    outage_log: float = -0.8
    assistant_log: float = 0.22
    assistant_share: float = 0.5
    hot_pipeline: bool = True
    hot_hours_log_sd: float = 0.08
    hot_closings_log_sd: float = 0.15
    late_share: float = 0.3
    capture_rate: float = 0.92
    logging_error_log_sd: float = 0.10
    late_logging_quarter: int = 7
    turnover_rate: float = 0.12
    move_rate: float = 0.03
    part_time_share: float = 0.04
    accounts_per_team: int = 250
    practice_start: float = 0.25
    practice_start_sd: float = 0.08
    practice_noise_sd: float = 0.03
    practice_gain: float = 0.45
    practice_path: tuple[float, ...] = (1 / 3, 2 / 3, 1.0)
    source_lift_log: tuple[float, ...] = ()
    prompt_lift_log: float = 0.0
    skipped_rate: float = 0.0
    wins_logged_quarter: int = 0
    ramp_days: float = 0.0
    survey_halo: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what no company can be."""
        if self.n_teams < 1 or self.n_quarters < 1:
            raise ValueError(
                f"n_teams and n_quarters must be above 0, got {self.n_teams}, {self.n_quarters}"
            )
        if sum(round(share * self.n_teams) for _, share in self.adoption) > self.n_teams:
            raise ValueError(f"adoption: the shares must not pass 1, got {self.adoption}")
