"""Teams of the programme that no other table knows, and a programme that has not begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading
from analysis.cleaning.plausibility.questions import Bearing, bearing_of
from analysis.project import quarters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

_NOT_BEGUN = Bearing(("pay",), ("growth",))  # growth has more to go by than the programme


def teams_of_programme(data: Dataset) -> Iterator[CheckReading]:
    """Yield the share of the programme's teams that no rep and no list of teams names."""
    if data.has("programme", "rep_team_history"):
        yield data.odd_share(
            "programme_of_unknown_teams",
            bearing_of("programme"),
            "programme",
            key="team_id",
            odd="team_id not in (select team_id from rep_team_history where team_id is not null "
            "union select team_id from teams where team_id is not null)",
            among="true",
            sentence="{} teams of the programme are neither in teams nor in rep_team_history.",
        )


def begun_programme(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether no team has a whole quarter in the programme by the last one known."""
    if not data.has("programme"):
        return
    month = data.house.company.fiscal_year_start_month
    last = quarters.last_complete(data.account.as_of, month)
    n, n_begun = data.row(
        "select count(*), count(*) filter (start_date <= $day) from programme",
        {"day": last.start(month)},
    )
    yield CheckReading(
        "programme_not_begun",
        _NOT_BEGUN,
        float(n_begun == 0),
        int(n),
        f"None of {n:,} teams of the programme has been in it for a whole quarter by {last}: there "
        "is nothing to appraise yet.",
        "programme",
        (),
        int(n - n_begun),
    )
