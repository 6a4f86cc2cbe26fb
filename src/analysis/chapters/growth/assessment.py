"""The one call that answers: estimate, everything that could speak against it, verdict.

What an assessment may know as of a quarter: panels, starts and the sales cycle, nothing from after
its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.growth import grading, guards, imputation, specification
from analysis.chapters.growth.grading import GradedGrowth, GrowthPanels, OutcomeVerdict
from analysis.chapters.growth.panel import (
    FEWEST_TREATED,
    NEVER,
    Panel,
    panel_until,
    team_panel,
)
from analysis.chapters.growth.verdict import log_points_percent
from analysis.project import quarters
from analysis.project.errors import CrmDataError, require_columns
from analysis.stats.result import Result

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from analysis.chapters.growth.guards import Guard
    from analysis.chapters.growth.imputation import GrowthEffects
    from analysis.chapters.growth.specification import Specification
    from analysis.stats.fixed_effects import Vector

PER_REP = "bookings_per_rep"
START_UNREADABLE = "team whose start of the programme cannot be read"


class AssessmentTables(NamedTuple):
    """Tables an assessment uses; None leaves out the checks that need the table.

    ``team_quarter`` (a team and quarter), ``programme`` (a team's start), ``rep_quarter`` (a rep's
    stay in a team within a quarter) and the median sales cycle [days].  ``start_unknown`` names
    teams that joined on a day nobody can read: they are neither adopters nor others.
    """

    team_quarter: pd.DataFrame
    programme: pd.DataFrame
    rep_quarter: pd.DataFrame | None = None
    median_cycle_days: float | None = None
    fiscal_year_start_month: int = 1
    start_unknown: tuple[str, ...] = ()


class Assessment(NamedTuple):
    """The answer, and what stands behind it.

    ``early`` is the outcome that shows first (opportunities created), ``per_rep`` bookings over
    heads; ``activity`` has a row an outcome from entries to bookings.  ``effects`` is the plain
    estimate, without an allowance for drift.
    """

    growth_gap: Result
    early: Result
    per_rep: Result | None
    heads: Result | None
    graded: GradedGrowth
    effects: GrowthEffects
    activity: pd.DataFrame
    is_exploratory: bool
    specification: Specification
    panel: Panel

    @property
    def guards(self) -> tuple[Guard, ...]:
        """The one list of checks, as every page has it."""
        return self.graded.bookings.guards

    @property
    def against(self) -> tuple[Guard, ...]:
        """What speaks against any answer on bookings."""
        return self.graded.bookings.ruling.against


def assess_growth(
    tables: AssessmentTables,
    *,
    quarter: str | None = None,
    spec: Specification | None = None,
    earlier_hashes: tuple[str, ...] = (),
) -> Assessment:
    """Return whether joining the programme made teams grow, as of `quarter` (the last one known by
    default).

    What has a switch date can stand in for the programme: for ``single_exec``, one executive for
    both sides, give as ``programme`` a row a team with the day it came under one (``team_id``,
    ``start_date``).  A team that always was has no quarter before and is left out and counted.

    Parameters
    ----------
    tables : Tables
    spec : Specification
        The project's own by default.
    earlier_hashes : tuple of str
        ``sha256`` of the specifications of earlier looks at these data.

    Raises
    ------
    CrmDataError
        If the data cannot carry the comparison at all; the message says what is missing.
    """
    spec = spec or specification.default_specification()
    panels = growth_panels(tables, quarter, spec)
    whole = panels.bookings
    nothing = guards.zero_guard(_aligned(tables, spec.outcome, whole, is_log=False))
    records = (
        guards.announcement_guard(tables.programme),
        guards.sales_cycle(whole, tables.median_cycle_days),
        nothing,
    )
    try:
        effects = imputation.estimate_effects(
            whole, horizon=spec.horizon, anticipation=spec.anticipation_quarters
        )
        graded = grading.grade_growth(panels, spec, records)
    except CrmDataError as error:
        if not nothing.speaks:
            raise
        raise CrmDataError(
            f"programme: adopters booked nothing in {nothing.says}, so no change in percent can be "
            "computed.\n"
            "Look at these teams' bookings themselves."
        ) from error
    return Assessment(
        growth_gap=_result("growth_gap", whole, graded, graded.bookings, spec),
        early=_early(panels, graded, spec),
        per_rep=_plain(_per_rep(panels), PER_REP, "of bookings per rep", spec),
        heads=_plain(panels.heads, "heads_gap", "of reps", spec),
        graded=graded,
        effects=effects,
        activity=activity_and_wins(tables, whole.quarters[-1]),
        is_exploratory=specification.is_exploratory(spec, earlier_hashes),
        specification=spec,
        panel=whole,
    )


def growth_panels(
    tables: AssessmentTables, quarter: str | None, spec: Specification
) -> GrowthPanels:
    """Return every outcome as of `quarter`, of the teams whose bookings can be compared.

    Raises
    ------
    CrmDataError
        If bookings cannot be compared; any other outcome that cannot is left out.
    """
    whole = _as_of(team_panel_of(tables, spec.outcome), quarter)
    team = tables.team_quarter
    if {"n_reps_moved_in", "n_reps_moved_out", "average_reps"} <= set(team.columns):
        net = team["n_reps_moved_in"] - team["n_reps_moved_out"]
        team = team.assign(net_moves=net / team["average_reps"].where(team["average_reps"] > 0))
    if "logging_change" in team.columns:
        team = team.assign(logging_changed=team["logging_change"].notna().astype(float))
    as_they_are = tables._replace(team_quarter=team, rep_quarter=None)

    def like(of: AssessmentTables, outcome: str, *, is_log: bool = True) -> Panel | None:
        return _aligned(of, outcome, whole, is_log=is_log)

    stays = tables.rep_quarter
    by_home = stays is not None and "days_employed" in stays.columns
    return GrowthPanels(
        bookings=whole,
        opportunities=like(tables, spec.early_outcome),
        heads=like(tables, "days_employed") if by_home else like(as_they_are, "average_reps"),
        entries=like(as_they_are, "entries_per_week"),
        leads=like(as_they_are, "n_leads"),
        rerouted=like(as_they_are, "rerouted_share", is_log=False),
        moves=like(as_they_are, "net_moves", is_log=False),
        logging_changes=like(as_they_are, "logging_changed", is_log=False),
        regions=_regions(team, whole),
    )


def _regions(team_quarter: pd.DataFrame, whole: Panel) -> Vector | None:
    """Return each team's region by a number, NaN where unknown; None where no region is."""
    if "region" not in team_quarter.columns:
        return None
    by_team = team_quarter.dropna(subset="region").drop_duplicates("team_id").set_index("team_id")
    codes = pd.Series(pd.factorize(by_team["region"])[0], by_team.index, dtype=float)
    aligned = codes.reindex(whole.teams)
    return None if aligned.isna().all() else aligned.to_numpy(float)


def _aligned(tables: AssessmentTables, outcome: str, like: Panel, *, is_log: bool) -> Panel | None:
    """Return the panel of `outcome` with teams, quarters and starts of `like`, or None."""
    source = tables.team_quarter
    if outcome not in source.columns and (
        tables.rep_quarter is None or outcome not in tables.rep_quarter.columns
    ):
        return None
    if outcome in source.columns and source[outcome].isna().all():
        return None
    try:
        panel = team_panel_of(tables, outcome, is_log=is_log)
    except CrmDataError:
        return None
    matrix = pd.DataFrame(panel.matrix, panel.teams, list(panel.quarters))
    matrix = matrix.reindex(index=like.teams, columns=list(like.quarters))
    if (~matrix.isna()).to_numpy()[like.starts < NEVER].any(axis=1).sum() < FEWEST_TREATED:
        return None
    return like._replace(outcome=outcome, matrix=matrix.to_numpy(float))


def _per_rep(panels: GrowthPanels) -> Panel | None:
    """Return log bookings over heads."""
    if panels.heads is None:
        return None
    return panels.bookings._replace(
        outcome=PER_REP, matrix=panels.bookings.matrix - panels.heads.matrix
    )


def team_panel_of(tables: AssessmentTables, outcome: str, *, is_log: bool = True) -> Panel:
    """Return the panel of `outcome`, by baseline team where stays of reps hold it."""
    stays = (
        tables.rep_quarter
        if tables.rep_quarter is not None and outcome in tables.rep_quarter.columns
        else None
    )
    is_unknown = tables.team_quarter["team_id"].isin(tables.start_unknown)
    whole = team_panel(
        tables.team_quarter[~is_unknown], tables.programme, rep_quarter=stays, outcome=outcome,
        is_log=is_log, fiscal_year_start_month=tables.fiscal_year_start_month,
    )  # fmt: skip
    n_unknown = int(tables.team_quarter.loc[is_unknown, "team_id"].nunique())
    return whole._replace(left_out={**whole.left_out, START_UNREADABLE: n_unknown})


def activity_and_wins(tables: AssessmentTables, quarter: str) -> pd.DataFrame:
    """Return how joining goes with each outcome, from logged activity to bookings: one row an
    outcome.

    Columns: ``outcome``, ``estimate``, ``low``, ``high`` [percent] and ``n_teams``.  More entries
    and more opportunities with no more wins is activity, not growth.
    """
    rows = []
    for outcome in ("entries_per_week", "n_created", "n_won", "bookings_amount"):
        if outcome not in tables.team_quarter.columns:
            continue
        try:
            effects = imputation.estimate_effects(_as_of(team_panel_of(tables, outcome), quarter))
        except CrmDataError:
            continue
        rows.append(
            (
                outcome,
                log_points_percent(effects.estimate),
                log_points_percent(effects.low),
                log_points_percent(effects.high),
                effects.n_teams,
            )
        )
    return pd.DataFrame(rows, columns=["outcome", "estimate", "low", "high", "n_teams"])


def _as_of(whole: Panel, quarter: str | None) -> Panel:
    return (
        whole if quarter is None or quarter == whole.quarters[-1] else panel_until(whole, quarter)
    )


NOUNS = {"bookings_amount": "bookings", "n_created": "opportunities created"}


def _early(panels: GrowthPanels, graded: GradedGrowth, spec: Specification) -> Result:
    if graded.opportunities is None or panels.opportunities is None:
        nan = float("nan")
        return Result(
            "opportunities_gap", nan, nan, nan, "percent of opportunities created", 0, "teams",
            "opportunities created are not known of enough teams", "team_quarter, programme",
            "association", "cannot tell",
        )  # fmt: skip
    whole = panels.opportunities
    return _result("opportunities_gap", whole, graded, graded.opportunities, spec)


def _result(
    name: str, whole: Panel, graded: GradedGrowth, of: OutcomeVerdict, spec: Specification
) -> Result:
    low, high = of.effect.ends(spec.level)
    left = "; ".join(f"{n} {why}" for why, n in whole.left_out.items() if n) or "none"
    unit = "regions" if graded.clusters.is_region else "teams"
    return Result(
        name=name,
        estimate=log_points_percent(of.effect.estimate),
        low=log_points_percent(low),
        high=log_points_percent(high),
        unit=f"percent of {NOUNS.get(whole.outcome, whole.outcome)}",
        n=len(whole.teams),
        n_of="teams",
        method=(
            f"imputation, adopters' drift before the start taken off and its error counted; "
            f"jackknife by {unit} (G = {graded.clusters.n}), t({of.effect.df}); {whole.n_treated} "
            f"adopters; quarters {spec.horizon[0]} to {spec.horizon[1]} since the start; left out: "
            f"{left}; specification {spec.sha256[:12]}"
        ),
        source="team_quarter, programme",
        kind=of.ruling.kind,
        verdict=of.ruling.verdict,
    )


def _plain(whole: Panel | None, name: str, unit: str, spec: Specification) -> Result | None:
    """Return the plain estimate of an outcome shown beside bookings, with no verdict of its own."""
    if whole is None:
        return None
    try:
        effects = imputation.estimate_effects(
            whole, horizon=spec.horizon, anticipation=spec.anticipation_quarters
        )
    except CrmDataError:
        return None
    estimate, low, high = (
        log_points_percent(each) for each in (effects.estimate, effects.low, effects.high)
    )
    return Result(
        name, estimate, low, high, f"percent {unit}", effects.n_teams, "teams", effects.convention,
        "rep_quarter, team_quarter, programme", "difference",
    )  # fmt: skip


def tables_as_of(
    clean_tables: Mapping[str, pd.DataFrame], quarter: str, *, fiscal_year_start_month: int = 1
) -> AssessmentTables:
    """Return the tables of an assessment as of `quarter`.

    Parameters
    ----------
    clean_tables : ``team_quarter``, ``rep_quarter``, ``programme`` and ``opportunities`` by name,
        and ``quarantine`` where rows were set aside
    quarter : last quarter that counts; a start on or after its end had not come
    fiscal_year_start_month : as in the settings
    """
    end = quarters.parse_quarter(quarter).end(fiscal_year_start_month)
    programme = clean_tables["programme"]
    require_columns(programme, ["team_id", "start_date"], "programme")
    begun = programme[
        ~(pd.to_datetime(programme["start_date"]) >= pd.Timestamp(end))
    ]  # an unknown start is refused
    team, rep = (
        clean_tables[name][clean_tables[name]["quarter"] <= quarter]
        for name in ("team_quarter", "rep_quarter")
    )
    return AssessmentTables(
        team,
        begun,
        rep,
        median_cycle_days(clean_tables["opportunities"], end=end),
        fiscal_year_start_month,
        _unread_starts(programme, clean_tables.get("quarantine")),
    )


def _unread_starts(programme: pd.DataFrame, quarantine: pd.DataFrame | None) -> tuple[str, ...]:
    """Return the teams of which every row of the programme was set aside."""
    if quarantine is None:
        return ()
    keys = quarantine.loc[quarantine["table_name"] == "programme", "record_key"].dropna()
    return tuple(sorted(set(keys.astype(str)) - set(programme["team_id"].astype(str))))


def median_cycle_days(opportunities: pd.DataFrame, *, end: dt.date) -> float:
    """Return the median days from creation to close of deals won before the day `end`.

    NaN where none was.
    """
    require_columns(opportunities, ["status", "close_date", "cycle_days"], "opportunities")
    won = (opportunities["status"] == "won") & (
        pd.to_datetime(opportunities["close_date"]) < pd.Timestamp(end)
    )
    return float(opportunities.loc[won, "cycle_days"].median())
