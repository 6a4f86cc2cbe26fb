"""The chapter on marketing requests: what the notebook shows, each thing from one call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.chapters.marketing_requests import (
    capacity_choice,
    overlaps,
    request_log,
    request_summary,
    request_value,
    turnaround,
    vetting_form_widget,
)
from analysis.chapters.marketing_requests.reviewed_requests import unfinished_work
from analysis.stats.suppression import suppress_cells
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.marketing_requests.reviewed_requests import ReviewedRequests

SOURCE = "marketing_requests"
MOST_ROWS = 12  # of a list in the report
SHOWN_STEP = 0.02  # of what the best set brings: smaller steps of the curve are left out
MOST_ON_CURVE = 2.0  # of today's hours
MOST_DISPLACED = 5
ALL_PUBLIC = 12  # questions
FIRST_ANSWER_DAYS = (1, 2, 5, 10)


def data_table(reviewed: ReviewedRequests) -> LabelledTable:
    """What the chapter rests on: one row a count of requests."""
    log, now = reviewed.log, reviewed.of_quarter
    due = request_log.tabled_for_review(log, day_after=reviewed.company.day_after)
    rows = [
        ("asked in the quarter", len(now)),
        ("of these, answered by marketing", int(now["answered_on"].notna().sum())),
        ("of these, hours not stated", reviewed.use.n_unknown),
        ("waiting for a decision, whenever asked", int(log["is_open"].sum())),
        ("of these, all 12 questions answered", _n_vetted(log)),
        ("in work and not done", len(unfinished_work(log))),
        ("tabled, review due", int(due["is_dated"].sum())),
        ("tabled without a review date", int((~due["is_dated"]).sum())),
    ]
    if reviewed.choice is not None:
        rows += [
            (f"left out of the choice: {w}", int(k)) for w, k in reviewed.choice.left_out.items()
        ]
    return LabelledTable(
        pd.DataFrame(rows, columns=["what", "n"]),
        f"Requests as of {reviewed.company.day_after:%Y-%m-%d}, quarter "
        f"{reviewed.company.quarter}.",
        {"what": ("text", "Requests"), "n": ("count", "Number")},
        SOURCE,
    )


def _n_vetted(log: pd.DataFrame) -> int:
    counted = log["n_questions_answered"].ge(12).fillna(value=False).astype(bool)
    return int((log["is_open"] & (log["score"].notna() | counted)).sum())


def value_of_hours(reviewed: ReviewedRequests) -> LabelledTable:
    """Value of the best set over marketing hours, each step solved anew: one row a step."""
    curve = pd.DataFrame(columns=["limit", "value_amount", "n_chosen", "is_proven"], dtype=float)
    if reviewed.choice is not None and reviewed.best is not None:
        today = float(reviewed.choice.problem.limits[0])
        curve = capacity_choice.value_steps(
            reviewed.choice.problem,
            up_to=MOST_ON_CURVE * today,
            least=max(1.0, SHOWN_STEP * reviewed.best.value),
        )
    n_stopped = int((~curve["is_proven"].astype(bool)).sum())
    return LabelledTable(
        curve.drop(columns="is_proven"),
        "Margin of the best set over marketing hours that are free, before marketing's pay; each "
        f"step solved anew, steps below {SHOWN_STEP:.0%} left out, "
        f"n = {len(reviewed.candidates)} requests, {reviewed.company.quarter}.",
        {
            "limit": ("count", "Hours of marketing"),
            "value_amount": ("money", "Best set brings"),
            "n_chosen": ("count", "Requests"),
        },
        SOURCE,
        note=f"{n_stopped} of {len(curve)} steps are the best found in the time there was."
        if n_stopped
        else "",
    )


def do_or_not(reviewed: ReviewedRequests) -> LabelledTable:
    """Open requests in money, those of the best set first: one row a request."""
    case = reviewed.case.table
    chosen = set(reviewed.chosen["request_id"])
    chances = _chances(reviewed)
    rows = reviewed.candidates.merge(case, on="request_id", suffixes=("_outlay", ""))
    rows["is_chosen"] = rows["request_id"].isin(chosen)
    rows["chance"] = rows["request_id"].map(chances)
    rows["says"] = rows["verdict"].mask(rows["why"] != "", rows["why"])
    rows = rows.sort_values(
        ["is_chosen", "net_amount"], ascending=False, na_position="last", kind="stable"
    )
    first_rows = rows[rows["why"] == ""].head(MOST_ROWS)
    n_without = int((rows["why"] != "").sum())
    return LabelledTable(
        first_rows[["request_id", "is_chosen", "chance", "net_amount", "low", "high", "says"]],
        f"If we do it, less if we don't: the {len(first_rows)} first of "
        f"{len(rows) - n_without} requests that can be put into money, "
        f"{reviewed.company.quarter}; "
        f"of {n_without} more we cannot tell.",
        {
            "request_id": ("text", "Request"),
            "is_chosen": ("yes_no", "Take on"),
            "chance": ("percent0", "In the best set"),
            "net_amount": ("money", "Net of all cost"),
            "low": ("money", "95% from"),
            "high": ("money", "to"),
            "says": ("text", "Verdict"),
        },
        f"{SOURCE}, rep_quarter",
        note="In the best set: share of draws of what promises come to. Cost: hours of marketing "
        "and of selling, and outlay.",
    )


def _chances(reviewed: ReviewedRequests) -> dict[str, float]:
    if reviewed.choice is None or not len(reviewed.chances):
        return {}
    return dict(zip(reviewed.choice.problem.requests, reviewed.chances.tolist(), strict=True))


def other_ways_to_choose(reviewed: ReviewedRequests) -> LabelledTable:
    """What a list worked down would have chosen, beside the best set: one row a way."""
    rows, note = [], ""
    if reviewed.choice is not None and reviewed.best is not None:
        problem, table = reviewed.choice.problem, reviewed.choice.rows
        hours = table["marketing_hours"].to_numpy(dtype=float)
        ratio = np.divide(problem.amounts, hours, out=np.full(len(hours), np.inf), where=hours > 0)
        ranks = {
            "value an hour, best first": -ratio,
            "value, best first": -problem.amounts,
            "the day it was asked": table["asked_on"].to_numpy(),
        }
        if table["score"].notna().all():
            ranks["score of the form, best first"] = -table["score"].to_numpy(dtype=float)
        else:
            note = "Not ranked by the form's score: not every request that waits has one."
        rows.append(("the best set", len(reviewed.best.chosen), reviewed.best.value, 0.0))
        for name, rank in ranks.items():
            order = np.argsort(rank, kind="stable").tolist()
            way = capacity_choice.choose_in_order(problem, order)
            rows.append((name, len(way.chosen), way.value, reviewed.best.value - way.value))
    return LabelledTable(
        pd.DataFrame(rows, columns=["way", "n", "value_amount", "lost_amount"]),
        f"What other ways to choose bring under the same limits, {reviewed.company.quarter}.",
        {
            "way": ("text", "Chosen by"),
            "n": ("count", "Requests"),
            "value_amount": ("money", "Brings"),
            "lost_amount": ("money", "Lost against the best set"),
        },
        SOURCE,
        note=note,
    )


def displaced(reviewed: ReviewedRequests) -> LabelledTable:
    """What the best set loses if a request that is not in it has to be done: one row a request."""
    rows: list[tuple[object, ...]] = []
    choice, best = reviewed.choice, reviewed.best
    if choice is not None and best is not None:
        outside = [i for i in range(len(choice.problem.requests)) if i not in set(best.chosen)]
        largest = sorted(outside, key=lambda i: -choice.problem.amounts[i])[:MOST_DISPLACED]
        for place in largest:
            out, lost = capacity_choice.displaced_by(choice.problem, best, place)
            names = ", ".join(choice.problem.requests[o] for o in out)
            rows.append(
                (
                    choice.problem.requests[place],
                    names or "nothing",
                    None if math.isnan(lost) else lost,
                )
            )
    return LabelledTable(
        pd.DataFrame(rows, columns=["request_id", "out", "lost_amount"]),
        f"If one more has to be done: what leaves the best set, {reviewed.company.quarter}.",
        {
            "request_id": ("text", "Must be done"),
            "out": ("text", "Leaves the best set"),
            "lost_amount": ("money", "Margin lost"),
        },
        SOURCE,
    )


def deadlines(reviewed: ReviewedRequests) -> LabelledTable:
    """Chance that a request is done within some days: one row a number of days."""
    rows = [(d, *turnaround.done_by(reviewed.days, d)) for d in (7, 14, 21, 30, 45, 60)]
    return LabelledTable(
        pd.DataFrame(rows, columns=["days", "share", "low", "high"]),
        f"Requests done within some days of being asked, n = {reviewed.days.n} in work, "
        f"{reviewed.company.quarter}.",
        {
            "days": ("count", "Days from asked"),
            "share": ("percent0", "Done"),
            "low": ("percent0", "95% from"),
            "high": ("percent0", "to"),
        },
        SOURCE,
        note="A deadline met by fewer than half is not realistic.",
    )


def by_trigger(reviewed: ReviewedRequests) -> LabelledTable:
    """What triggers requests, and how many of each are taken on: one row a trigger."""
    return _by_word(reviewed, "trigger", "What triggered requests")


def by_kind(reviewed: ReviewedRequests) -> LabelledTable:
    """What is asked for, and how many of each are taken on: one row a kind."""
    return _by_word(reviewed, "kind", "What is asked for")


def _by_word(reviewed: ReviewedRequests, column: str, says: str) -> LabelledTable:
    return LabelledTable(
        request_summary.share_taken_on(reviewed.log, column),
        f"{says}, all requests up to {reviewed.company.quarter}, n = {len(reviewed.log):,}.",
        {
            "word": ("text", column.capitalize()),
            "n": ("count", "Requests"),
            "taken_on_share": ("percent0", "Taken on"),
            "low": ("percent0", "95% from"),
            "high": ("percent0", "to"),
        },
        SOURCE,
    )


def burden_by_team(reviewed: ReviewedRequests) -> LabelledTable:
    """What each team asked for in the quarter, and what it should bring a rep: one row a team."""
    company = reviewed.company
    teams, stays = company.table("teams"), company.rows_of_quarter("rep_quarter")
    burden = request_summary.burden_by_team(reviewed.of_quarter, teams)
    reps = stays.groupby("team_id")["rep_id"].nunique()
    names = teams.set_index("team_id")["team_name"]
    n_reps = {names.get(t, t): n for t, n in reps.items()}
    per_rep = _expected_of_quarter(reviewed).rename(index=dict(names))
    burden["n_reps"] = burden["team"].map(n_reps).fillna(0).astype(int)
    for name in ("bookings", "leads"):
        total = burden["team"].map(per_rep[name]).astype(float)
        burden[f"{name}_per_rep"] = total / burden["n_reps"].where(burden["n_reps"] > 0)
    burden = burden.drop(columns="n_unknown")
    expected = {
        "bookings_per_rep": ("money", "Bookings a rep"),
        "leads_per_rep": ("number1", "Leads a rep"),
    }
    if burden[list(expected)].isna().all(axis=None):  # nobody promised anything
        burden, expected = burden.drop(columns=list(expected)), {}
    public = suppress_cells(burden, smallest=company.settings.people.smallest_cell, keep=["team"])
    part = f", the {MOST_ROWS} with the most hours of {len(public)}" * (len(public) > MOST_ROWS)
    return LabelledTable(
        public.head(MOST_ROWS),
        f"Asked for in {company.quarter} by team{part}, n = {len(reviewed.of_quarter)} requests",
        {
            "team": ("text", "Team"),
            "n_reps": ("count", "Reps"),
            "n": ("count", "Requests"),
            "marketing_hours": ("hours", "Marketing"),
            "selling_hours": ("hours", "Selling"),
            "taken_on_share": ("percent0", "Taken on"),
            **expected,
        },
        f"{SOURCE}, rep_quarter",
        note="Per rep: what was promised, cut to what promises came to, over the team's reps.",
    )


def _expected_of_quarter(reviewed: ReviewedRequests) -> pd.DataFrame:
    """Return what the quarter's requests should bring each team, promises cut: a row a team."""
    rows = reviewed.of_quarter
    sums = {
        unit: rows.groupby("team_id")[promised].sum(min_count=1)
        * reviewed.kept_shares[unit].estimate
        for unit, (promised, _) in request_value.UNITS.items()
    }
    return pd.DataFrame(sums)


def tables_for_analysts(reviewed: ReviewedRequests) -> list[LabelledTable]:
    """Open requests that may duplicate what runs, every case in money, and days to first answer."""
    company, quarter = reviewed.company, reviewed.company.quarter
    campaigns = company.table("campaigns")
    waiting = overlaps.request_efforts(reviewed.log[reviewed.log["is_open"]])
    running = [
        *overlaps.request_efforts(unfinished_work(reviewed.log)),
        *overlaps.campaign_efforts(campaigns, day_after=company.day_after),
    ]
    pairs = overlaps.near_efforts(waiting, running)
    names = campaigns.set_index("campaign_id")["campaign_name"]
    pairs["near"] = pairs.pop("near_id").map(lambda i: names.get(i, i))
    first = turnaround.estimate_turnaround(
        *turnaround.days_until(reviewed.of_quarter, "answered_on", day_after=company.day_after)
    )
    answers = pd.DataFrame(
        [(d, *turnaround.done_by(first, d)) for d in FIRST_ANSWER_DAYS],
        columns=["days", "share", "low", "high"],
    )
    return [
        LabelledTable(
            pairs,
            f"Open requests that may be what runs already, {quarter}",
            {
                "request_id": ("text", "Request"),
                "near": ("text", "Runs already"),
                "audience": ("text", "Audience"),
                "topic": ("text", "Topic"),
            },
            f"{SOURCE}, campaigns",
        ),
        LabelledTable(
            reviewed.case.table,
            f"Every open request in money, {quarter}",
            {
                "request_id": ("text", "Request"),
                "benefit_amount": ("money", "Brings"),
                "cost_amount": ("money", "Costs"),
                "net_amount": ("money", "Net of all cost"),
                "low": ("money", "95% from"),
                "high": ("money", "to"),
                "pays_chance": ("percent0", "Pays"),
                "verdict": ("text", "Verdict"),
                "why": ("text", "Lacks"),
            },
            f"{SOURCE}, rep_quarter",
        ),
        LabelledTable(
            answers,
            f"Requests answered within so many days, {quarter}",
            {
                "days": ("count", "Days"),
                "share": ("percent", "Answered"),
                "low": ("percent", "95% from"),
                "high": ("percent", "to"),
            },
            SOURCE,
        ),
    ]


def vetting_form(reviewed: ReviewedRequests) -> Any:
    """The form of the requests that wait, to look through in JupyterLab."""
    return vetting_form_widget.form_of_requests(reviewed.company.dataset, reviewed.candidates)
