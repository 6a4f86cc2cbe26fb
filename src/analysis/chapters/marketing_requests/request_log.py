"""Every request as it stood on a day: what was asked, what was decided, how far it has come.

What the company decided in its own files wins over what a list of requests says of a decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns
from analysis.store.request_records import DECISIONS, RequestRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Mapping

DATES = (
    "asked_on",
    "work_started_on",
    "wanted_on",
    "answered_on",
    "sales_signed_on",
    "done_on",
)
HAPPENED = ("work_started_on", "answered_on", "sales_signed_on", "done_on")
STATED = {
    "approve": "approved",
    "table": "tabled",
    "add to plan": "added to plan",
    "alternative": "alternative",
}
IN_WORK = ("approved", "done", "measured")
TAKEN_ON = ("approved", "added to plan", "alternative", "done", "measured")


def request_log(
    rows: pd.DataFrame, records: Mapping[str, RequestRecord], *, day_after: dt.date
) -> pd.DataFrame:
    """Requests asked before a day, as they stood then: one row a request.

    Columns beside those of `rows`: ``state``; ``decided_on`` and ``review_on``, missing where only
    a list says it; ``n_answered`` of the 12 public questions, ``score`` (0 to 24), ``fails`` (the
    criteria a question was answered with no), ``is_must_have``; ``is_open``: nothing decided and
    no work begun; ``is_taken_on``.
    """
    require_columns(rows, ["request_id", "asked_on"], "marketing_requests")
    end = pd.Timestamp(day_after)
    log = rows.assign(**{name: pd.to_datetime(rows[name]) for name in DATES if name in rows})
    log = log[log["asked_on"] < end].sort_values(["asked_on", "request_id"], ignore_index=True)
    for name in HAPPENED:
        log[name] = log[name].where(log[name] < end)
    standing = [_standing(row, records, day_after) for row in log.to_dict("records")]
    log = pd.concat([log, pd.DataFrame(standing, columns=STANDING, index=log.index)], axis=1)
    for name in ("decided_on", "review_on"):
        log[name] = pd.to_datetime(log[name])
    begun = log["work_started_on"].notna() | log["done_on"].notna()
    log["is_open"] = log["state"].isin(["asked", "vetted"]) & ~begun
    log["is_taken_on"] = log["state"].isin(TAKEN_ON) | begun
    log["is_in_work"] = log["state"].isin(IN_WORK) | begun
    return log


STANDING = (
    "state",
    "decided_on",
    "review_on",
    "n_answered",
    "score",
    "fails",
    "is_must_have",
    "has_record",
)


def _standing(
    row: dict[Hashable, Any], records: Mapping[str, RequestRecord], day_after: dt.date
) -> tuple[object, ...]:
    record = records.get(str(row["request_id"]))
    if record is None:
        return (_state_of_list(row), None, None, np.nan, np.nan, "", False, False)
    then = record.as_of(day_after)
    decision = next((s for s in reversed(then.states) if s.state in DECISIONS), None)
    listed = _state_of_list(row)
    is_behind = not then.states or (then.state in DECISIONS and listed in {"done", "measured"})
    return (
        listed if is_behind else then.state,
        decision.on if decision else None,
        decision.review_on if decision else None,
        float(len(then.answers)),
        np.nan if then.score is None else float(then.score),
        ", ".join(then.failed_criteria),
        then.must_have_since is not None,
        True,
    )


def _state_of_list(row: dict[Hashable, Any]) -> str:
    """Return the state that a list of requests tells: from the last step it has."""
    outcomes = (row.get("outcome_bookings_amount"), row.get("outcome_leads"))
    if pd.notna(row.get("done_on")):
        return "measured" if any(pd.notna(o) for o in outcomes) else "done"
    decision = row.get("decision")
    return STATED.get(str(decision), "asked") if pd.notna(decision) else "asked"


def tabled_for_review(log: pd.DataFrame, *, day_after: dt.date) -> pd.DataFrame:
    """Tabled requests whose review is due, and those that have no review date: one row a request.

    Column ``is_dated`` says which.
    """
    tabled = log[log["state"] == "tabled"]
    due = tabled["review_on"].isna() | (tabled["review_on"] < pd.Timestamp(day_after))
    return tabled[due].assign(is_dated=tabled["review_on"].notna()[due])
