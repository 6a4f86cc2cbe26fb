"""The lead contract: what was handed over, how soon sales answered, what came back and what stays
traceable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.chapters.alignment import team_quarters
from analysis.tables.membership import is_among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.chapters.alignment.team_quarters import Cells
    from analysis.project.settings import Standards

    Tables = Mapping[str, pd.DataFrame]

DISPOSITIONS = ("sal", "sql", "nurture", "disqualified", "converted")
OF_SALES = ("mql", "sal", "sql")  # a lead that is sales' to answer or to work on
BACK = ("open", "nurture", "disqualified")
SELLERS = ("rep", "manager")
SECONDS_PER_HOUR = 3600


def handed_over_leads(tables: Tables, cells: Cells) -> pd.DataFrame:
    """Return the leads marketing handed over.

    One row a hand-over, a returned lead's second one included.

    Columns: ``lead_id``, ``team_id`` of its owner on that day, ``handed_at``, ``day``;
    ``answered_at``, when it left for another stage, and ``answer``, that stage; ``open_from``, when
    it was created or, handed over again, answered the last time.
    """
    runs = _runs(tables["lead_status_history"])
    out = runs.loc[runs["stage"] == "mql", ["lead_id", "entered_at", "answered_at", "answer"]]
    out = out.rename(columns={"entered_at": "handed_at"})
    last = out["answered_at"].shift().where(out["lead_id"] == out["lead_id"].shift())
    out = out.assign(open_from=last).merge(
        tables["leads"][["lead_id", "created_at", "owner_rep_id"]], on="lead_id"
    )
    out["open_from"] = out["open_from"].fillna(out["created_at"]).fillna(out["handed_at"])
    day = team_quarters.local_days(cells, out["handed_at"])
    return out.assign(day=day, team_id=team_quarters.team_of(cells, out["owner_rep_id"], day))


def _runs(history: pd.DataFrame) -> pd.DataFrame:
    """Return the stays of leads in a stage, statuses of one stage being one: a row a stay.

    Columns: ``lead_id``, ``entered_at``, ``stage``, ``before`` it, and ``answered_at`` and
    ``answer``, when it ended and the stage that followed.
    """
    ordered = history.sort_values(["lead_id", "entered_at"], kind="stable")
    stage = ordered["lead_stage"].astype("object").where(ordered["lead_stage"].notna(), "unknown")
    is_new = (stage != stage.shift()) | (ordered["lead_id"] != ordered["lead_id"].shift())
    runs = ordered.loc[is_new, ["lead_id", "entered_at"]].assign(stage=stage[is_new])
    by = runs.groupby("lead_id", sort=False)
    return runs.assign(
        before=by["stage"].shift(),
        answered_at=by["entered_at"].shift(-1),
        answer=by["stage"].shift(-1),
    )


def sales_ready_definition(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E01: leads handed over under a version sales approved within the last year, of those handed
    over.
    """
    rows = handed_over_leads(tables, cells)
    rows["quarter"] = team_quarters.quarter_of(cells, rows["day"])
    covered = np.zeros(len(rows), dtype=bool)
    versions = tables["sales_ready_definitions"]
    approved = team_quarters.midnights(versions["approved_by_sales_on"])
    oldest = pd.Timedelta(days=standards.definition_age_days)
    ends = team_quarters.midnights(versions["valid_to"]).fillna(pd.Timestamp("2200-01-01"))
    for team, start, end, since in zip(
        versions["team_id"],
        team_quarters.midnights(versions["valid_from"]),
        ends,
        approved,
        strict=True,
    ):
        if pd.isna(since):
            continue
        first, last = max(start, since), min(end, since + oldest)
        covered |= ((rows["day"] >= first) & (rows["day"] < last)).to_numpy() & (
            True if pd.isna(team) else (rows["team_id"] == team).to_numpy()
        )
    return team_quarters.tally_hits(cells, rows, pd.Series(covered, index=rows.index))


def lead_disposition(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E02: leads sales answered (accepted, turned down, returned) in time, of those due in the
    quarter.
    """
    rows = handed_over_leads(tables, cells)
    due = rows["handed_at"] + pd.Timedelta(days=standards.disposition_days)
    rows["quarter"] = team_quarters.quarter_of(cells, team_quarters.local_days(cells, due))
    hit = (rows["answered_at"] <= due) & rows["answer"].isin(DISPOSITIONS)
    return team_quarters.tally_hits(
        cells, rows, hit.astype("object").where(rows["answer"] != "unknown")
    )


def first_touches(tables: Tables) -> pd.DataFrame:
    """Return what sales did with a lead.

    One row a lead and activity, by the CRM's link or by who attended.
    """
    sellers = tables["reps"].loc[tables["reps"]["role"].isin(SELLERS), "rep_id"]
    acts = tables["activities"]
    acts = acts[acts["rep_id"].isin(sellers) & acts["started_at"].notna()]
    parts = []
    if "lead_id" in acts:
        parts.append(acts.loc[acts["lead_id"].notna(), ["lead_id", "started_at"]])
    if "attendees" in tables:
        people = tables["leads"][["lead_id", "person_key"]]
        clients = tables["attendees"]
        clients = clients[
            (clients["side"] == "customer") & is_among(clients["person_key"], people["person_key"])
        ]
        met = clients[["activity_id", "person_key"]].merge(
            acts[["activity_id", "started_at"]], on="activity_id"
        )
        parts.append(met.merge(people, on="person_key")[["lead_id", "started_at"]])
    none = pd.DataFrame(
        {"lead_id": pd.Series(dtype="str"), "started_at": acts["started_at"].iloc[:0]}
    )
    return pd.concat([none, *parts], ignore_index=True)


def first_touch(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E03: chance that a lead was contacted in time, by Kaplan-Meier.

    One not yet contacted counts until then.

    A lead sales was in contact with before it was handed over was contacted at once.
    """
    rows, touches = handed_over_leads(tables, cells), first_touches(tables)
    rows["quarter"] = team_quarters.quarter_of(cells, rows["day"])
    rows = rows.dropna(subset=["team_id", "quarter"])
    if touches.empty or rows.empty:  # no link between leads and activities: unknown, not never
        return team_quarters.tally_hits(cells, rows, rows["day"].notna()) * np.nan
    left = rows.assign(at=rows["open_from"].dt.as_unit("us"), lead_id=rows["lead_id"].astype("str"))
    right = touches.assign(
        at=touches["started_at"].dt.as_unit("us"), lead_id=touches["lead_id"].astype("str")
    )
    right["touched_at"] = right["at"]
    both = pd.merge_asof(
        left.sort_values("at"),
        right[["lead_id", "at", "touched_at"]].sort_values("at"),
        on="at",
        by="lead_id",
        direction="forward",
    )
    end = team_quarters.day_starts(cells, both["quarter"].map(cells.quarters["measured_to"]))
    is_touched = both["touched_at"].notna() & (both["touched_at"] < end)
    waited = (
        both["touched_at"].where(is_touched, end) - both["handed_at"]
    ).dt.total_seconds() / SECONDS_PER_HOUR
    waited = waited.clip(lower=0)
    plain = team_quarters.tally_hits(
        cells, both, is_touched & (waited <= standards.first_touch_hours)
    )
    is_early = ~is_touched & (waited < standards.first_touch_hours)
    for key, rows_of in both.groupby(team_quarters.KEY).indices.items():
        if is_early.to_numpy()[rows_of].any():
            plain.loc[key, ["share", "n"]] = chance_within(
                waited.to_numpy()[rows_of],
                is_touched.to_numpy()[rows_of],
                standards.first_touch_hours,
            )
    return plain


def chance_within(waited: np.ndarray, is_event: np.ndarray, limit: float) -> tuple[float, float]:
    """Return the Kaplan-Meier chance of an event within `limit`, and its effective number of leads.

    Examples
    --------
    Four leads, touched after 1 and 3 hours, two unseen from 2 and 9 hours on: 1 - 3/4 x 1/2.

    >>> chance, n = chance_within(np.array([1.0, 3.0, 2.0, 9.0]), np.array([True, True, False, False]), 5.0)
    >>> chance
    0.625
    """  # noqa: E501
    if not is_event.any():
        n_observed = float((waited >= limit).sum())
        return (0.0, n_observed) if n_observed else (np.nan, 0.0)
    curve = SurvfuncRight(waited, is_event.astype("int64"))
    place = int(np.searchsorted(curve.surv_times, limit, side="right")) - 1
    if place < 0:
        return 0.0, float((waited >= limit).sum())
    chance, error = 1 - float(curve.surv_prob[place]), float(curve.surv_prob_se[place])
    return chance, chance * (1 - chance) / error**2 if 0 < chance < 1 and error > 0 else float(
        len(waited)
    )


def lead_recycling(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:
    """E04: leads sales gave back that were in nurture in time, of those it gave back.

    Given back is out of the hand-over, acceptance or qualification into nurture, disqualified or
    open again: a lead left lying, or dropped without nurture, counts against.
    """
    runs = _runs(tables["lead_status_history"])
    back = runs["before"].isin(OF_SALES) & runs["stage"].isin(BACK)
    rows = runs.loc[back, ["lead_id", "entered_at"]].merge(
        tables["leads"][["lead_id", "owner_rep_id"]], on="lead_id"
    )
    nurture = runs.loc[runs["stage"] == "nurture", ["lead_id", "entered_at"]]
    taken = nurture.assign(taken_at=nurture["entered_at"]).sort_values("entered_at")
    rows = pd.merge_asof(
        rows.sort_values("entered_at"), taken, on="entered_at", by="lead_id", direction="forward"
    )
    limit = pd.Timedelta(days=standards.recycling_days)
    due = team_quarters.local_days(cells, rows["entered_at"] + limit)
    rows["quarter"] = team_quarters.quarter_of(cells, due)
    rows["team_id"] = team_quarters.team_of(
        cells, rows["owner_rep_id"], team_quarters.local_days(cells, rows["entered_at"])
    )
    result = team_quarters.tally_hits(cells, rows, rows["taken_at"] - rows["entered_at"] <= limit)
    return result.mask(result["n"] < standards.fewest_returned)


def closed_loop(tables: Tables, cells: Cells, standards: Standards) -> pd.DataFrame:  # noqa: ARG001 - all items alike
    """E05: closed opportunities of marketing's leads that lead back to a campaign, of all such."""
    leads = tables["leads"]
    sourced = leads.loc[leads["mql_at"].notna() & leads["opportunity_id"].notna(), "opportunity_id"]
    opportunities = tables["opportunities"]
    rows = opportunities[
        opportunities["is_closed"] & is_among(opportunities["opportunity_id"], sourced)
    ]
    owner = rows["owner_at_close_rep_id"].where(
        rows["owner_at_close_rep_id"].notna(), rows["owner_rep_id"]
    )
    rows = rows.assign(
        quarter=team_quarters.quarter_of(cells, rows["close_date"]),
        team_id=team_quarters.team_of(cells, owner, rows["close_date"]),
    )
    hit = rows["campaign_id"].notna()
    if "touches" in tables:
        hit |= is_among(rows["opportunity_id"], tables["touches"]["opportunity_id"])
    return team_quarters.tally_hits(cells, rows, hit)
