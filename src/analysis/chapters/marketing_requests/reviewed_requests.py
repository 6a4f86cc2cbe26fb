"""The requests of a company as of a quarter's end, valued and chosen among: what the chapter shows.

Every figure here is of all requests together or of one request; none is of a person.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.chapters.marketing_requests import (
    capacity_choice,
    capacity_conflicts,
    request_choice,
    request_log,
    request_summary,
    request_value,
    turnaround,
)
from analysis.project.errors import CrmDataError
from analysis.store import request_records

if TYPE_CHECKING:
    from analysis.chapters.marketing_requests.capacity_choice import Choice
    from analysis.chapters.marketing_requests.capacity_conflicts import CapacityConflict
    from analysis.chapters.marketing_requests.request_choice import NextChoice
    from analysis.chapters.marketing_requests.request_summary import CapacityUse
    from analysis.chapters.marketing_requests.request_value import Prices, RequestCase
    from analysis.chapters.marketing_requests.turnaround import Turnaround
    from analysis.stats.result import Result
    from analysis.store.company import Company

SOURCE = "marketing_requests"
SEED, N_CHANCES = 16, 100
NOT_OF_ONE_TEAM = "What marketing takes on is chosen among the requests of all teams."
NO_RATES = pd.DataFrame({"campaign_type": pd.Series(dtype=object), "bookings_amount": []})


class ReviewedRequests(NamedTuple):
    """Requests as of the quarter's end.

    `candidates` are those nobody has decided on and tabled ones due for review, with what each is
    worth in `case`; `choice` is None where capacity is not stated or nothing can be valued, `best`
    where the must-haves do not fit: `conflict` then says why.
    """

    company: Company
    log: pd.DataFrame
    use: CapacityUse
    kept_shares: dict[str, Result]
    days: Turnaround
    prices: Prices
    candidates: pd.DataFrame
    case: RequestCase
    choice: NextChoice | None
    best: Choice | None
    conflict: CapacityConflict | None
    chances: np.ndarray

    @property
    def of_quarter(self) -> pd.DataFrame:
        """Requests asked in the quarter reported."""
        return self.log[self.log["asked_on"] >= pd.Timestamp(self.company.first_day)]

    @property
    def has_choice(self) -> bool:
        """Whether there is a best set to show."""
        return self.choice is not None and self.best is not None

    @property
    def chosen(self) -> pd.DataFrame:
        """Rows of the best set; empty without one."""
        if self.choice is None or self.best is None:
            return self.candidates.iloc[:0]
        return self.choice.rows.iloc[list(self.best.chosen)]


def hour_prices(company: Company) -> Prices:
    """Margin of bookings after commission, hours of marketing and of selling, of the quarter.

    NaN where pay, bookings or logged hours are not known.
    """
    stays, house = company.rows_of_quarter("rep_quarter"), company.settings
    booked, commission = (
        float(stays[c].sum(min_count=1)) for c in ("bookings_amount", "commission_amount")
    )
    rate = commission / booked if booked > 0 else math.nan
    try:
        hour = cost.estimate_cost(
            stays,
            minimum_logged_share=house.hours.minimum_logged_share,
            currency=house.company.currency,
            smallest_cell=house.people.smallest_cell,
        )
        hour_cost = answerability.hide_withheld(hour, company.audit).estimate
    except CrmDataError:
        hour_cost = math.nan
    return request_value.Prices(
        house.money.gross_margin_rate - rate, house.money.marketing_hour_cost_amount, hour_cost
    )


def review_requests(
    company: Company, *, bookings_per_lead: pd.DataFrame = NO_RATES
) -> ReviewedRequests:
    """Requests as of the quarter's end, valued and chosen among for the quarter that follows.

    `bookings_per_lead` are the funnel's rates: one row a ``campaign_type`` with
    ``bookings_amount`` [currency a lead].

    Raises
    ------
    CrmDataError
        If no request was asked by then.
    """
    company.require_whole(NOT_OF_ONE_TEAM)
    log = request_log.request_log(
        company.table("marketing_requests"),
        request_records.read_records(company.dataset),
        day_after=company.day_after,
    )
    if log.empty:
        raise CrmDataError(
            f"marketing_requests: no row was asked before {company.day_after}"
            f"{_rows_set_aside(company.table('quarantine'))}.\n"
            "List what sales asks of marketing in marketing_requests.csv."
        )
    promises = {unit: request_value.measured_promises(log, unit) for unit in request_value.UNITS}
    prices = hour_prices(company)
    due = request_log.tabled_for_review(log, day_after=company.day_after)
    candidates = pd.concat([log[log["is_open"]], due[due["is_dated"]]], ignore_index=True)
    rng = np.random.default_rng(SEED)
    case = request_value.request_case(
        candidates, promises, prices, bookings_per_lead=bookings_per_lead, rng=rng
    )
    of_quarter = log[log["asked_on"] >= pd.Timestamp(company.first_day)]
    stated = company.settings.requests
    choice, best, conflict, chances = _choose(company, log, candidates, case)
    return ReviewedRequests(
        company,
        log,
        request_summary.capacity_use(of_quarter["marketing_hours"], stated.capacity_hours),
        {
            unit: request_value.kept_share(rows, unit=unit, source=f"{SOURCE} {company.quarter}")
            for unit, rows in promises.items()
        },
        turnaround.estimate_turnaround(
            *turnaround.days_until(log[log["is_in_work"]], "done_on", day_after=company.day_after)
        ),
        prices,
        candidates,
        case,
        choice,
        best,
        conflict,
        chances,
    )


def _rows_set_aside(quarantine: pd.DataFrame) -> str:
    """Say how many requests were set aside, by which rules; "" where none was."""
    rows = quarantine[quarantine["table_name"].eq(SOURCE) & quarantine["action"].eq("quarantine")]
    if rows.empty:
        return ""
    n = len(rows[["source_file", "source_row"]].drop_duplicates())
    return f"; {n} rows were set aside ({', '.join(sorted(rows['rule'].unique()))})"


def unfinished_work(log: pd.DataFrame) -> pd.DataFrame:
    """Return requests that were approved or begun and are not done."""
    return log[log["is_in_work"] & log["done_on"].isna()]


def _choose(
    company: Company, log: pd.DataFrame, candidates: pd.DataFrame, case: RequestCase
) -> tuple[NextChoice | None, Choice | None, CapacityConflict | None, np.ndarray]:
    """Return the choice of the next quarter, its best set or why there is none, and chances."""
    nothing = np.array([])
    if company.settings.requests.capacity_hours is None:
        return None, None, None, nothing
    month = company.settings.company.fiscal_year_start_month
    valued = candidates.assign(amount=case.draws.mean(axis=0), why=case.table["why"])
    choice = request_choice.next_choice(
        valued,
        set(log["request_id"][log["done_on"].notna()]),
        request_choice.room_left(company.settings.requests, unfinished_work(log)),
        begins=company.day_after,
        ends=company.period.shifted(1).end(month),
    )
    if choice.rows.empty:
        return choice, None, None, nothing
    best = capacity_choice.solve_choice(choice.problem)
    if best is None:
        return choice, None, capacity_conflicts.smallest_conflict(choice.problem), nothing
    places = pd.Index(candidates["request_id"]).get_indexer(choice.rows["request_id"])
    draws = case.draws[:N_CHANCES, places]
    return choice, best, None, capacity_choice.chance_in_best_set(choice.problem, draws)
