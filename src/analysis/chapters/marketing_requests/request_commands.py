"""What the commands on requests say: which requests wait for a session, and what an ask costs."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from analysis.chapters.cost import cost, worked_example
from analysis.chapters.data_quality import answerability
from analysis.chapters.marketing_requests import asks, request_log
from analysis.project import money
from analysis.project.claims import CLAIMS
from analysis.store import request_records
from analysis.store.company import open_company
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

TONE_CLAIMS = ("tone_score_politeness", "tone_thank", "tone_please", "tone_i")
MINUTES_PER_HOUR = 60.0


def requests_to_vet(dataset: str, *, is_leader: bool) -> pd.DataFrame:
    """Requests that wait for a session, the oldest first: one row a request."""
    company = open_company(dataset)
    rows = company.table("marketing_requests")
    names = company.table("teams").set_index("team_id")["team_name"]
    log = request_log.request_log(
        rows.assign(team_name=rows["team_id"].map(names)),
        request_records.read_records(dataset),
        day_after=company.last_day + dt.timedelta(days=1),
    )
    return log[log["has_record"] | log["is_open"]] if is_leader else log[log["is_open"]]


def ask_lines(
    dataset: str | None, *, minutes: float, n_reps: int, text: str | None, form: Sequence[str]
) -> list[str]:
    """What to say of an ask before it is sent, a line each: its price, its words, its fields."""
    lines = _price_lines(dataset, minutes=minutes, n_reps=n_reps)
    if text is not None:
        lines += asks.tone_lines(asks.check_tone(text))
        lines += [f"measured: {CLAIMS[name].says} ({CLAIMS[name].source})" for name in TONE_CLAIMS]
        lines.append("this is advice; nothing is blocked")
    if form:
        columns = [c.name for table in TABLES.values() for c in table.columns]
        at_hand = asks.fields_the_crm_holds(form, columns)
        lines.append(
            f"fields the exports hold already: {', '.join(at_hand) if at_hand else 'none'}"
        )
    return lines


def _price_lines(dataset: str | None, *, minutes: float, n_reps: int) -> list[str]:
    if dataset is None:
        example = worked_example.rebuild_example()
        required = CLAIMS["required_bookings_per_selling_hour"].value
        prices = cost.marketing_ask(minutes, n_reps, round(example.estimate), required)
        currency, basis = "USD", "by the article's example; name a --dataset for your own"
    else:
        company = open_company(dataset)
        hour, bookings = (
            answerability.hide_withheld(
                cost.estimate_cost(
                    company.rows_of_quarter("rep_quarter"),
                    measure,
                    minimum_logged_share=company.settings.hours.minimum_logged_share,
                    currency=company.settings.company.currency,
                    smallest_cell=company.settings.people.smallest_cell,
                ),
                company.audit,
            )
            for measure in ("cost_per_selling_hour", "required_bookings_per_selling_hour")
        )
        prices = cost.marketing_ask(minutes, n_reps, hour, bookings)
        currency, basis = company.settings.company.currency, f"{dataset}, {company.quarter}"
    hours = minutes * n_reps / MINUTES_PER_HOUR
    reps = f"{n_reps:,} rep{'s' * (n_reps != 1)}"
    lines = [f"{minutes:g} minutes of {reps} is {round(hours, 2):,} h of selling ({basis})"]
    for row in prices.to_dict("records"):
        is_priced = not math.isnan(row["estimate"])
        amount = money.amount_text(row["estimate"], currency) if is_priced else "cannot tell"
        ends = ""
        if not math.isnan(row["low"]):
            low, high = (money.amount_text(row[end], currency) for end in ("low", "high"))
            ends = f" ({low} to {high} between reps)"
        lines.append(f"{row['basis']}: {amount}{ends}")
    lines.append("the two are alternatives and are not added")
    return lines
