"""The company's target lists: where both sides aim, what reaches those accounts, what it costs.

Which of the articles' four companies these figures resemble is placed here too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.alignment import reference, score_leads
from analysis.chapters.closed_loop import buying_roles, target_lists
from analysis.stats.intervals import share_interval

if TYPE_CHECKING:
    import datetime as dt

    from analysis.chapters.closed_loop.buying_roles import RolesMet
    from analysis.chapters.closed_loop.loop_answer import LoopAnswer

LEAST_KNOWN = 0.5  # of spend whose account is known, for its share on target to stand for all
ACTIVITY = [
    "activity_id", "rep_id", "kind", "activity_class", "started_at", "account_id", "opportunity_id",
]  # fmt: skip
WITHOUT_CLIENT = ("preparation", "prospecting", "internal", "admin", "training", "time_off")
OF_RULES = ("quarters", "campaigns", "touches", "opportunities", "leads", "target_accounts",
            "goals", "activity_targets")  # fmt: skip


class Targets(NamedTuple):
    """The lists in force on the last day, and what the latest four quarters did with them.

    `lists` has a row an account and side; `teams` a row a team; `figures` a row a figure with its
    n, share and interval; `spend` [currency]; `fit` of all that campaigns reached.  `events` has a
    row an event.  `people_known` is the share of people reached whose account is known.
    """

    lists: pd.DataFrame
    teams: pd.DataFrame
    figures: pd.DataFrame
    spend: dict[str, float]
    fit: target_lists.ListFit
    people_known: float
    contacts: np.ndarray
    events: pd.DataFrame
    roles: RolesMet


def company_targets(answer: LoopAnswer) -> Targets:
    """Return where both sides aim on the last day, and what reached those accounts."""
    company, as_of = answer.company, answer.funnel.as_of
    lists = target_lists.in_force_on(company.table("target_accounts"), as_of)
    campaigns = _since(company.table("campaigns"), "start_date", answer.first_day, as_of)
    audience = _audience(answer, campaigns)
    reached_accounts = set(audience["account_id"].dropna())
    wanted = set(lists["account_id"])
    work = _work(answer)
    met = _people_met(answer, work)
    has_account = audience["account_id"].notna()
    return Targets(
        lists,
        target_lists.overlap_by_team(lists),
        _figures(answer, lists, met, work, reached_accounts if len(audience) else None),
        target_lists.spend_on_target(campaigns, audience, wanted),
        target_lists.list_fit(reached_accounts, wanted),
        float(has_account.mean()) if len(audience) else math.nan,
        target_lists.contacts_by_account(met, wanted) if len(met) else np.zeros(0, np.int64),
        target_lists.readiness_of_events(
            company.table("campaigns"), company.table("campaign_notices"), as_of, answer.first_day
        ),
        buying_roles.roles_met(
            company.table("contact_roles"), met, wanted,
            smallest=company.settings.people.smallest_cell,
        ),
    )  # fmt: skip


def _since(table: pd.DataFrame, column: str, first: dt.date, last: dt.date) -> pd.DataFrame:
    day = pd.to_datetime(table[column], utc=True).dt.tz_localize(None)
    return table[(day >= pd.Timestamp(first)) & (day < pd.Timestamp(last) + pd.Timedelta(days=1))]


def _audience(answer: LoopAnswer, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Return whom campaigns reached: ``campaign_id``, ``person_key``, ``account_id`` of the lead,
    missing until it has one.
    """
    touches, leads = answer.company.table("touches"), answer.company.table("leads")
    people = touches.loc[
        touches["campaign_id"].isin(campaigns["campaign_id"]), ["campaign_id", "person_key"]
    ]
    accounts = leads.dropna(subset=["account_id"]).drop_duplicates("person_key")
    return people.assign(
        account_id=people["person_key"].map(accounts.set_index("person_key")["account_id"])
    )


def _people_met(answer: LoopAnswer, work: pd.DataFrame) -> pd.DataFrame:
    """Return clients at logged meetings of the four quarters: ``account_id``, ``person_key``."""
    clients = answer.company.table("attendees")
    clients = clients.loc[clients["side"].eq("customer"), ["activity_id", "person_key"]]
    return clients.merge(work[["activity_id", "account_id"]], on="activity_id")


def _work(answer: LoopAnswer) -> pd.DataFrame:
    """Return activities of the four quarters with the account they were about."""
    company = answer.company
    work = _since(
        company.table("activities")[ACTIVITY],
        "started_at", answer.first_day, answer.funnel.as_of,
    )  # fmt: skip
    account_of_deal = company.table("opportunities").set_index("opportunity_id")["account_id"]
    return work.assign(
        account_id=work["account_id"].fillna(work["opportunity_id"].map(account_of_deal))
    )


def _is_contact(answer: LoopAnswer, work: pd.DataFrame) -> pd.Series[bool]:
    """Return which activities are calls or meetings of sales with a client: neither another side's
    work, nor research or desk work about the account, nor an e-mail.
    """
    reps = answer.company.table("reps")
    sellers = reps.loc[reps["role"].isin(score_leads.SELLERS), "rep_id"]
    is_meeting = ~work["kind"].isin(["call", "email", "task"]) & ~work["activity_class"].isin(
        WITHOUT_CLIENT
    )
    return work["rep_id"].isin(sellers) & (work["kind"].eq("call") | is_meeting)


def _figures(
    answer: LoopAnswer,
    lists: pd.DataFrame,
    met: pd.DataFrame,
    work: pd.DataFrame,
    reached_accounts: set[str] | None,
) -> pd.DataFrame:
    """Return how far the lists agree and what reached them: a row a figure."""
    company = answer.company
    sides = [set(lists.loc[lists["side"].eq(s), "account_id"]) for s in ("sales", "marketing")]
    wanted = sides[0] | sides[1]
    both = target_lists.list_overlap(*sides)
    has_both = all(sides)
    signed = set(lists.loc[lists["is_approved"], "account_id"]) & sides[0] & sides[1]
    worked_on = set(work.loc[_is_contact(answer, work), "account_id"].dropna())
    opportunities = company.table("opportunities")
    pursued = opportunities.loc[
        opportunities["status"].isin(["open", "won"]), "account_id"
    ].dropna()
    named = lists.dropna(subset=["executive_key"])[["account_id", "executive_key"]]
    both_there = named.merge(met.dropna(subset=["account_id"]), on="account_id")
    is_same = both_there["executive_key"].eq(both_there["person_key"])
    executives_met = set(both_there.loc[is_same, "account_id"].astype(str))
    rows = [
        ("On both sides' lists, of those on either", len(wanted), *_of(both.n_both, both.share,
                                                                     wanted, is_told=has_both)),
        ("On both lists and approved by both, of those on either", len(wanted),
         *target_lists.share_of_accounts(wanted, signed if has_both else None)),
        ("Sales logged a call or meeting", len(wanted),
         *target_lists.share_of_accounts(wanted, worked_on or None)),
        ("A campaign reached somebody there", len(wanted),
         *target_lists.share_of_accounts(wanted, reached_accounts)),
        ("Has an open or won deal", len(wanted),
         *target_lists.share_of_accounts(wanted, set(pursued) if len(pursued) else None)),
        ("The executive named there was met", named["account_id"].nunique(),
         *target_lists.share_of_accounts(
             set(named["account_id"]), executives_met if len(met) else None)),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["what", "n", "hits", "share", "low", "high"])


def _of(
    hits: int, share: float, wanted: set[str], *, is_told: bool
) -> tuple[int, float, float, float]:
    if not is_told or not wanted:
        return 0, math.nan, math.nan, math.nan
    return hits, share, *share_interval(hits, len(wanted))


def likely_same_accounts(answer: LoopAnswer, targets: Targets) -> pd.DataFrame:
    """Return accounts on one side's list alone whose names look like one on the other's."""
    names = answer.company.table("accounts").set_index("account_id")["account_name"].dropna()
    sides = [
        set(targets.lists.loc[targets.lists["side"].eq(s), "account_id"])
        for s in ("sales", "marketing")
    ]
    alone = [sorted(sides[0] - sides[1]), sorted(sides[1] - sides[0])]
    mine, theirs = ({a: str(names[a]) for a in side if a in names.index} for side in alone)
    return target_lists.suggested_pairs(mine, theirs)


def archetype_of(answer: LoopAnswer, targets: Targets) -> tuple[str, pd.DataFrame]:
    """Return which of the articles' four companies this one resembles, and the rules' values."""
    company = answer.company
    values = reference.archetype_values(
        {name: company.table(name) for name in OF_RULES}, company.quarter
    )
    spend, events = targets.spend, targets.events
    traced = spend["on"] + spend["off"]
    if len(targets.lists) and traced > 0 and traced >= LEAST_KNOWN * spend["total"]:
        values["on_target_spend_rate"] = spend["on"] / traced
    n_due = int((events["n_ready"] + events["n_red"]).sum()) if len(events) else 0
    if n_due:
        values["has_event_agenda"] = float(events["n_ready"].sum() >= n_due / 2)
    kind = reference.classify_archetypes(values.to_frame().T)["archetype"].iloc[0]
    return str(kind), reference.explain_archetype(values)
