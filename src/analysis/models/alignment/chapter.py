"""What the chapter shows of alignment as of a quarter: evidence, scores, the survey and the profile they are of.

Tables are cut where the quarter ends, so that an index computed later equals the one computed then.  Where no
practice is written down anywhere, the index is of calendar, CRM and staff data alone and says so.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis import quarters
from analysis.models.alignment import evidence, headline, index, items, survey
from analysis.schema import require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analysis.models.alignment.cells import Half
    from analysis.models.alignment.items import Profile
    from analysis.settings import Settings

TABLES = tuple(sorted({*items.READS, "survey_answers"}))
INDEX_SEED, SURVEY_SEED = 4, 5


class Scored(NamedTuple):
    """Alignment of every team and quarter up to the one reported.

    ``evidence`` is what `evidence.table` returns, ``scores`` those by evidence alone, ``aligned`` the same with
    the survey, ``sides`` what both sides said by team and quarter.
    """

    profile: Profile
    evidence: pd.DataFrame
    scores: pd.DataFrame
    sides: pd.DataFrame
    aligned: pd.DataFrame


def scored(tables: Mapping[str, pd.DataFrame], quarter: str, *, house: Settings, last_day: str = "") -> Scored:
    """Return alignment as of `quarter`.

    Parameters
    ----------
    tables : those of `TABLES` by name; an empty one switches off what needs it
    quarter : last quarter that counts
    house : the dataset's settings
    last_day : last day the data know (ISO), where the quarter reported may not be over; empty: it is over
    """
    profile = items.profile_held(tables)
    practised, scores = by_evidence(tables, quarter, house=house, last_day=last_day)
    answers = survey.in_rounds(tables["survey_answers"], _periods(tables, quarter))
    fewest = max(survey.FEWEST_A_SIDE, house.people.smallest_cell)
    sides = survey.sides(answers, rng=np.random.default_rng(SURVEY_SEED), fewest_a_side=fewest)
    return Scored(profile, practised, scores, sides, headline.with_survey(scores, sides))


def by_evidence(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, house: Settings, last_day: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the evidence as of `quarter` and the scores by it alone, of the profile that is held; see `scored`."""
    practised = practices(tables, quarter, house=house, last_day=last_day)
    rng, profile = np.random.default_rng(INDEX_SEED), items.profile_held(tables)
    return practised, index.scores(practised, _periods(tables, quarter), rng=rng, items=profile)


def _periods(tables: Mapping[str, pd.DataFrame], quarter: str) -> pd.DataFrame:
    return tables["quarters"][tables["quarters"]["quarter"] <= quarter]


def practices(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, house: Settings, last_day: str = "",
    profile: Profile | None = None, half: Half | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return the evidence as of `quarter`, of the `profile` that is held unless one is named; see `evidence.table`.

    `half` is of weeks: ``odd`` or ``even``, for the split-half reliability.
    """
    end = quarters.quarter(quarter).end(house.company.fiscal_year_start_month) - dt.timedelta(days=1)
    known = dt.date.fromisoformat(last_day) if last_day else end
    return evidence.table(
        tables, time_zone=house.company.time_zone, items=profile or items.profile_held(tables),
        standards=house.alignment, as_of=min(end, known), half=half,
    )  # fmt: skip


def with_index(team_quarter: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the panel with ``alignment_index`` by evidence alone, by which growth is asked whether it came first."""
    require_columns(scores, ["team_id", "quarter", "index"], "alignment index")
    named = scores.rename(columns={"index": "alignment_index"})[["team_id", "quarter", "alignment_index"]]
    return team_quarter.merge(named, on=["team_id", "quarter"], how="left")
