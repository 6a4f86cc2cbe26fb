"""Whose deals are, beside who worked on them and whose accounts they are with.

An owner or a team that was written over leaves its work behind: the calls and meetings about a deal
are still those of the rep who had it, and its account is still one that the team's others sell to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import Bearing

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

# Closed deals on which reps are recorded to have worked: by their owner at the close, and by
# anyone who was ever in a team of the owner's.
_WORKED = """(
  with teams_of_rep as (select rep_id, list(distinct team_id) as teams from rep_team_history group by rep_id),
  workers as (
    select a.opportunity_id, count(*) as n_activities, list(distinct a.rep_id) as reps,
      flatten(list(distinct t.teams)) as teams
    from activities a join reps r using (rep_id) left join teams_of_rep t using (rep_id)
    where r.role = 'rep' and a.opportunity_id is not null group by a.opportunity_id)
  select o.opportunity_id, o.owner, w.n_activities, not list_contains(w.reps, o.owner) as is_of_others,
    t.teams is not null and len(w.teams) > 0 and not list_has_any(w.teams, t.teams) as is_of_other_team
  from (select opportunity_id, coalesce(owner_at_close_rep_id, owner_rep_id) as owner from opportunities
        where status <> 'open') o
  join workers w using (opportunity_id) join reps r on r.rep_id = o.owner
  left join teams_of_rep t on t.rep_id = o.owner
  where r.role = 'rep')"""


def work_of_others(data: Dataset) -> Iterator[CheckReading]:
    """Yield closed deals on which nobody of the owner's teams worked, and one owner's many deals on
    which only others did.
    """
    if not data.has("activities", "opportunities", "reps") or not data.filled(
        "activities", "opportunity_id"
    ):
        return
    by_team = data.odd_share(
        "worked_by_another_team",
        _DEALS,
        "opportunities",
        source=_WORKED,
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
    owners = data.frame(
        f"""
        select owner, count(*) as n, count(*) filter (is_of_others) as n_odd
        from {_WORKED} where n_activities > 1 group by owner order by owner"""
    )
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
        f"""
        with sold as (
          select o.account_id, o.owner_rep_id as rep_id, h.team_id, count(*) as n
          from opportunities o join rep_team_history h on h.rep_id = o.owner_rep_id
            and h.valid_from <= o.created_at::date and coalesce(o.created_at::date < h.valid_to, true)
          where o.account_id is not null group by all),
        beside as (
          select mine.rep_id, mine.team_id, sum(mine.n * other.n) as n,
            coalesce(sum(mine.n * other.n) filter (other.team_id = mine.team_id), 0) as n_same
          from sold mine join sold other on other.account_id = mine.account_id and other.rep_id <> mine.rep_id
          group by all having sum(mine.n * other.n) >= {FEWEST_OF_STAY})
        select count(*), count(*) filter (n_same < {SELDOM} * n), median(n_same / n),
          list(rep_id order by rep_id) filter (n_same < {SELDOM} * n) from beside"""
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
