"""Owners of deals beside the reps who worked on them, and the teams that sell to their accounts.

An owner or a team that was written over leaves its work behind: the calls and meetings about a deal
are still those of the rep who had it, and its account is still one that the team's others sell to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import Bearing
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

MOST_BY_OTHERS = 0.3  # above, work and ownership are divided some other way: nothing to compare
MOST_OF_OWNER = 0.3  # of an owner's deals that others alone worked on, beyond the usual share
FEWEST_OF_STAY = 20  # deals of others on the accounts of a stay's deals
MOSTLY = 0.8  # of those deals that are of the same team, in the median stay: accounts go by team
SELDOM = 0.5
_DEALS = Bearing((), ("cost", "worth", "growth", "pay"))
_STAYS = Bearing((), ("bookings", "worth", "growth", "pay", "index"))

SQL = read_statements(__name__)


def work_of_others(data: Dataset) -> Iterator[CheckReading]:
    """Yield closed deals on which nobody of the owner's teams worked, and one owner's many deals on
    which only others did.
    """
    if not data.has("activities", "opportunities", "reps") or not data.filled(
        "activities", "opportunity_id"
    ):
        return
    data.connection.execute(SQL["worked_deals"])
    by_team = data.odd_share(
        "worked_by_another_team",
        _DEALS,
        "opportunities",
        source="worked_deals",
        odd="is_of_other_team",
        among="true",
        key="opportunity_id",
        sentence=(
            "{} closed deals that reps worked on have calls and meetings of other teams' reps "
            "only: their owner, or the owner's team, may have been written over."
        ),
    )
    if by_team.value <= MOST_BY_OTHERS:
        yield by_team
    owners = data.frame(SQL["deals_by_owner"])
    n, n_odd = owners["n"].sum(), owners["n_odd"].sum()
    if not n or n_odd > MOST_BY_OTHERS * n:
        return
    usual = (n_odd - owners["n_odd"]) / (n - owners["n"]).clip(lower=1)
    beyond = owners["n_odd"] - usual * owners["n"]
    beyond = beyond.where(beyond > MOST_OF_OWNER * owners["n"], 0.0)
    worst = owners.iloc[int(beyond.to_numpy().argmax())]
    yield CheckReading(
        "worked_by_others",
        _DEALS,
        share_of(beyond.max(), n),
        int(n),
        f"On {worst['n_odd']:,} of {worst['n']:,} closed deals of one owner only others worked: "
        "deals may have been given over to that owner.",
        "opportunities",
        (str(worst["owner"]),),
        round(beyond.max()),
    )


def accounts_of_stays(data: Dataset) -> Iterator[CheckReading]:
    """Yield stays in a team whose deals are with accounts that another team's reps sell to, where
    accounts mostly go by team.
    """
    if not data.has("rep_team_history", "opportunities") or not data.filled(
        "opportunities", "account_id"
    ):
        return
    n, n_odd, middle, named = data.row(
        SQL["accounts_of_stays"], {"fewest": FEWEST_OF_STAY, "seldom": SELDOM}
    )
    if n and middle >= MOSTLY:
        yield CheckReading(
            "accounts_of_another_team",
            _STAYS,
            share_of(n_odd, n),
            int(n),
            f"The deals of {n_odd:,} of {n:,} stays in a team are with accounts that mostly another "
            "team's reps sell to.",
            "rep_team_history",
            tuple((named or [])[:3]),
            int(n_odd),
        )
