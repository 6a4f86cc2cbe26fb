"""Who joined the programme when, and log outcomes of the teams as they were before anybody joined.

A rep counts for the team of the quarter before the first start, whoever the team is today:
otherwise a team that joins and is given the best reps would seem to grow.  Starts come from the
programme's decided dates and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.project.errors import CrmDataError, require_columns, require_rows
from analysis.project.quarters import parse_quarter
from analysis.tables.panel_tables import UNASSIGNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.project.quarters import Quarter
    from analysis.stats.fixed_effects import Vector

Places = npt.NDArray[np.intp]

NEVER = 1 << 20  # a start that does not come within the data
FEWEST_TREATED, FEWEST_IN_COHORT = 3, 2
N_IDS_SHOWN = 3


class Panel(NamedTuple):
    """Log outcomes, a row a team and a column a quarter; NaN where unknown.

    ``starts`` is the column of each team's first full quarter in the programme, `NEVER` for none.
    ``left_out`` counts what is not among them, by reason.
    """

    outcome: str
    matrix: Vector
    starts: Places
    teams: pd.Index
    quarters: tuple[str, ...]
    left_out: Mapping[str, int]

    @property
    def n_treated(self) -> int:
        """Teams that joined within the data."""
        return int((self.starts < NEVER).sum())

    def event_time(self) -> Vector:
        """Return quarters since the start, a row a team; NaN for teams that never joined."""
        event = np.arange(len(self.quarters)) - self.starts[:, None].astype(float)
        return np.where(self.starts[:, None] < NEVER, event, np.nan)


def team_panel(
    team_quarter: pd.DataFrame,
    programme: pd.DataFrame,
    *,
    rep_quarter: pd.DataFrame | None = None,
    outcome: str = "bookings_amount",
    is_log: bool = True,
    fiscal_year_start_month: int = 1,
) -> Panel:
    """Return the panel of log `outcome` by baseline team, and when each team joined.

    Parameters
    ----------
    team_quarter : DataFrame, a team and quarter
        ``team_id``, ``parse_quarter``, ``is_partial`` and, without `rep_quarter`, `outcome`.
    programme : DataFrame, a team's start of the alignment programme
        ``team_id`` and ``start_date``.  A team's first quarter is the first that begins on or after
        it.
    rep_quarter : DataFrame, a rep's stay in a team within a quarter
        Where given, outcomes are summed over reps by their team of the quarter before the first
        start; a rep hired later counts for the first team.
    is_log : bool
        False for a share or a count that may be 0: values stay as they are.

    Returns
    -------
    Panel
        Partial quarters, quarters within which a team started, teams that started before a first
        full quarter of data, and cohorts of a single team are left out and counted.

    Raises
    ------
    CrmDataError
        If a start is unknown, a team and quarter stands twice, fewer than 3 teams joined or none
        did not.
    """
    require_columns(team_quarter, ["team_id", "quarter", "is_partial"], "team_quarter")
    require_columns(programme, ["team_id", "start_date"], "programme")
    _require_starts(programme)
    rows = team_quarter[team_quarter["team_id"] != UNASSIGNED]
    require_rows(rows, "team_quarter", "of a team")
    quarters = _axis(rows["quarter"])
    first_days = np.array(
        [parse_quarter(name).start(fiscal_year_start_month) for name in quarters], "datetime64[D]"
    )
    start_days = pd.to_datetime(programme.set_index("team_id")["start_date"])
    teams = pd.Index(np.sort(rows["team_id"].unique()), name="team_id")
    started = start_days.reindex(teams).to_numpy("datetime64[D]")
    starts = np.where(np.isnat(started), NEVER, np.searchsorted(first_days, started)).astype(
        np.intp
    )
    starts[starts >= len(quarters)] = NEVER
    left_out = {"team of the programme without a row": len(start_days.index.difference(teams))}
    cell = _cells(rows, teams, quarters)
    partial = _matrix(rows["is_partial"], cell, (len(teams), len(quarters))) != 0
    if rep_quarter is not None:
        rows = _by_home(rep_quarter, teams, quarters, starts, outcome)
        cell = _cells(rows, teams, quarters)
    require_columns(rows, [outcome], "team_quarter")
    values = _matrix(rows[outcome], cell, (len(teams), len(quarters)))
    left_out["partial team-quarter"] = int((partial & ~np.isnan(values)).sum())
    usable = (values > 0 if is_log else ~np.isnan(values)) & ~partial
    left_out["team-quarter without an outcome" + " above 0" * is_log] = int(
        (~usable & ~partial).sum()
    )
    values = np.where(usable, values, np.nan)
    values = np.log(values) if is_log else values
    after = np.datetime64(
        parse_quarter(quarters[-1]).shifted(1).start(fiscal_year_start_month), "D"
    )
    within = (started[:, None] > first_days) & (started[:, None] < np.append(first_days[1:], after))
    left_out["quarter within which the team started"] = int((within & ~np.isnan(values)).sum())
    values[within] = np.nan
    is_observed = ~np.isnan(values).all(axis=0)
    last = int(np.flatnonzero(is_observed).max()) + 1 if is_observed.any() else 0
    panel = Panel(outcome, values[:, :last], starts, teams, quarters[:last], left_out)
    return _usable(panel._replace(starts=np.where(starts < last, starts, NEVER)))


def of_matrix(
    outcome: str, matrix: Vector, starts: Places, teams: pd.Index, quarters: tuple[str, ...]
) -> Panel:
    """Return the panel of a matrix of logs, a row a team, as studies of many panels have it."""
    return _usable(Panel(outcome, matrix, starts, teams, quarters, {}))


def panel_until(whole: Panel, name: str) -> Panel:
    """Return the panel as of quarter `name`: later quarters, and starts in them, had not come.

    Raises
    ------
    ValueError
        If `name` is not one of its quarters.
    CrmDataError
        If fewer than 3 teams had joined by then.
    """
    if name not in whole.quarters:
        raise ValueError(
            f"quarter must be one of {whole.quarters[0]} to {whole.quarters[-1]}, got {name!r}"
        )
    n = whole.quarters.index(name) + 1
    starts = np.where(whole.starts < n, whole.starts, NEVER)
    return _usable(
        whole._replace(matrix=whole.matrix[:, :n], starts=starts, quarters=whole.quarters[:n])
    )


def _usable(panel: Panel) -> Panel:
    """Return the panel of teams that can be compared, the others counted."""
    treated = panel.starts < NEVER
    columns = np.arange(len(panel.quarters))
    before = (~np.isnan(panel.matrix) & (columns < panel.starts[:, None])).any(axis=1)
    left_out = dict(panel.left_out)
    left_out["team without a quarter before its start"] = int((~before).sum())
    sizes = {
        int(c): int(((panel.starts == c) & before).sum()) for c in np.unique(panel.starts[treated])
    }
    alone = np.isin(panel.starts, [c for c, n in sizes.items() if n < FEWEST_IN_COHORT]) & before
    left_out["team that joined alone in its quarter"] = int(alone.sum())
    keep = before & ~alone
    usable = panel._replace(
        matrix=panel.matrix[keep],
        starts=panel.starts[keep],
        teams=panel.teams[keep],
        left_out=left_out,
    )
    if usable.n_treated < FEWEST_TREATED:
        raise CrmDataError(
            f"programme: a comparison takes {FEWEST_TREATED} teams that joined, "
            f"{FEWEST_IN_COHORT} of them in the same quarter, with quarters before and after; "
            f"{_qualify(usable.n_treated, len(panel.teams))}"
            f"{_ids_of(usable.teams[usable.starts < NEVER])}.\n"
            "Show growth as it is, and compare again once more have joined."
        )
    return usable


def _qualify(n: int, n_teams: int) -> str:
    """Return in a clause how many teams can be compared."""
    return f"{n or 'none'} of the {n_teams} teams {'qualifies' if n < 2 else 'qualify'}"


def _by_home(
    rep_quarter: pd.DataFrame,
    teams: pd.Index,
    quarters: tuple[str, ...],
    starts: Places,
    outcome: str,
) -> pd.DataFrame:
    """Return `outcome` by home team and quarter."""
    require_columns(
        rep_quarter, ["rep_id", "team_id", "quarter", "days_employed", outcome], "rep_quarter"
    )
    stays = rep_quarter[rep_quarter["team_id"].isin(teams)]
    place = stays["quarter"].map({name: t for t, name in enumerate(quarters)})
    began = starts[starts < NEVER]
    base = int(began.min()) - 1 if began.size else 0
    # The baseline quarter first, then quarters after it in order, then those before it backwards.
    distance = np.where(place >= base, place - base, len(quarters) + base - place)
    ordered = stays.assign(_distance=distance).sort_values(
        ["_distance", "days_employed"], ascending=[True, False]
    )
    home = ordered.drop_duplicates("rep_id").set_index("rep_id")["team_id"]
    sums = stays.assign(team_id=stays["rep_id"].map(home)).groupby(
        ["team_id", "quarter"], observed=True
    )[outcome]
    return sums.sum(min_count=1).reset_index()


def _cells(rows: pd.DataFrame, teams: pd.Index, quarters: tuple[str, ...]) -> Places:
    """Return each row's place among teams by quarters."""
    row = teams.get_indexer(pd.Index(rows["team_id"]))
    cell = row * len(quarters) + pd.Index(quarters).get_indexer(pd.Index(rows["quarter"]))
    n_twice = cell.size - np.unique(cell).size
    if n_twice:
        twice = rows["team_id"][pd.Series(cell, rows.index).duplicated()]
        raise CrmDataError(
            f"team_quarter: a team and quarter must stand once, but {n_twice} of {len(rows)} rows "
            "stand again "
            f"({_ids(pd.Index(twice), 'team_id')}). Rebuild the panel with `alignment-roi clean`."
        )
    return np.asarray(cell)


def _matrix(column: pd.Series, cell: Places, shape: tuple[int, int]) -> Vector:
    out = np.full(shape[0] * shape[1], np.nan)
    out[cell] = column.to_numpy(dtype=float, na_value=np.nan)
    return out.reshape(shape)


def _axis(names: pd.Series) -> tuple[str, ...]:
    """Return every quarter from the first to the last."""
    several: list[Quarter] = sorted(parse_quarter(name) for name in names.unique())
    n = (several[-1].year - several[0].year) * 4 + several[-1].number - several[0].number + 1
    return tuple(str(several[0].shifted(k)) for k in range(n))


def _require_starts(programme: pd.DataFrame) -> None:
    unknown = programme["start_date"].isna()
    if unknown.any():
        raise CrmDataError(
            f"programme: start_date must be known, but {int(unknown.sum())} of {len(programme)} "
            "rows lack it "
            f"({_ids(pd.Index(programme['team_id'])[unknown.to_numpy()], 'team_id')}).\n"
            "Enter the date that was decided; a start is never inferred from the index."
        )
    twice = programme["team_id"].duplicated()
    if twice.any():
        raise CrmDataError(
            f"programme: a team must start once, but {int(twice.sum())} of {len(programme)} rows "
            "start one again "
            f"({_ids(pd.Index(programme['team_id'])[twice.to_numpy()], 'team_id')}). Keep the "
            "first start."
        )


def _ids_of(teams: pd.Index) -> str:
    return f" ({_ids(teams)})" if len(teams) else ""


def _ids(ids: pd.Index, name: str = "") -> str:
    first_ids = ", ".join(str(each) for each in ids[:N_IDS_SHOWN])
    return f"{name or ids.name or 'team_id'} {first_ids}" if len(ids) else "none"
