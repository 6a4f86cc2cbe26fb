"""What the chapter on requests answers: its headlines, and each sentence a reader may take away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.chapters.marketing_requests import (
    capacity_choice,
    request_summary,
    request_value,
    turnaround,
)
from analysis.project import money
from analysis.project.money import signed_number
from analysis.stats import intervals
from analysis.stats.result import Result

if TYPE_CHECKING:
    from analysis.chapters.marketing_requests.reviewed_requests import ReviewedRequests
    from analysis.stats.result import Verdict

SOURCE = "marketing_requests"
LEAST_GAIN = 1e-5  # of what the best set brings: less is within the solver's rounding


def _amount(reviewed: ReviewedRequests, value: float) -> str:
    return money.amount_text(value, reviewed.company.settings.company.currency)


def hours_asked(reviewed: ReviewedRequests) -> Result:
    """Marketing hours asked for in the quarter, over the hours there are."""
    use = reviewed.use
    return Result(
        "request_utilisation",
        use.utilisation,
        math.nan,
        math.nan,
        "of the hours there are",
        use.n,
        "requests",
        "marketing hours asked for over requests.capacity_hours; "
        f"{use.n_unknown} requests state no hours"
        if math.isnan(use.utilisation)
        else f"{use.asked_hours:,.0f} h asked for over {use.capacity_hours:,.0f} h of "
        f"requests.capacity_hours; {use.n_unknown} requests state no hours",
        f"{SOURCE} {reviewed.company.quarter}",
        verdict="cannot tell" if math.isnan(use.utilisation) else None,
    )


def backlog_note(reviewed: ReviewedRequests) -> str:
    """Say how many hours had no room, or that capacity is not stated."""
    use = reviewed.use
    if math.isnan(use.capacity_hours):
        return "Capacity is not stated: requests.capacity_hours in alignment.toml."
    if math.isnan(use.backlog_hours):
        return f"None of {use.n} requests states its hours."
    return f"{use.asked_hours:,.0f} h asked, {use.backlog_hours:,.0f} h more than there are."


def hours_free(reviewed: ReviewedRequests) -> float:
    """Marketing hours of the next quarter that no request in work takes [h]; NaN if unknown."""
    return math.nan if reviewed.choice is None else float(reviewed.choice.problem.limits[0])


def best_value(reviewed: ReviewedRequests) -> Result:
    """Margin the best set is expected to bring before marketing's own pay, with its interval."""
    best, choice = reviewed.best, reviewed.choice
    low = high = value = math.nan
    n = 0
    if best is not None and choice is not None:
        places = pd.Index(reviewed.candidates["request_id"]).get_indexer(
            pd.Index(reviewed.chosen["request_id"])
        )
        totals = reviewed.case.draws[:, places].sum(axis=1)
        value, n = best.value, len(best.chosen)
        low, high = np.quantile(totals, intervals.ENDS)
    currency = reviewed.company.settings.company.currency
    proof = f"; {gap}" if (gap := proof_gap(reviewed)) else ""
    return Result(
        "value_of_best_requests",
        value,
        float(low),
        float(high),
        currency,
        n,
        "requests",
        "margin after commission of promised bookings, cut to what promises came to, less outlay "
        f"and selling hours; draws of the shares kept by past promises{proof}",
        f"{SOURCE} {reviewed.company.quarter}",
        verdict=None if n else "cannot tell",
    )


def proof_gap(reviewed: ReviewedRequests) -> str:
    """Say how far below the best the set may be, where the search was stopped; "" where proven."""
    best = reviewed.best
    if best is None or best.is_proven:
        return ""
    if not best.value > 0 or math.isinf(best.bound):
        return "the best found in the time there was, not proven best"
    percent = math.ceil(1000 * (1 - best.value / best.bound)) / 10
    return f"the best found in the time there was, at most {percent:.1f}% below the best"


def realistic_deadline(reviewed: ReviewedRequests) -> Result:
    """Days within which four of five requests are done."""
    days = reviewed.days
    days_needed = turnaround.realistic_days(days)
    return Result(
        "realistic_deadline_days",
        days_needed,
        math.nan,
        math.nan,
        "days from asked to done",
        days.n,
        "requests in work",
        f"Kaplan-Meier, 80% done; {days.n - days.n_done} still open count up to today",
        f"{SOURCE} {reviewed.company.quarter}",
        verdict="cannot tell" if math.isnan(days_needed) else None,
    )


def optimism(reviewed: ReviewedRequests) -> Result:
    """Bookings promised by requests over bookings that came."""
    return request_value.optimism_of_askers(reviewed.kept_shares["bookings"])


def answer_cards(reviewed: ReviewedRequests) -> tuple[Result, Result]:
    """Share of requests answered, and of those in work that sales signed off before."""
    log = reviewed.of_quarter
    source = f"{SOURCE} {reviewed.company.quarter}"
    answered = log["answered_on"].notna()
    counted = (int(answered.sum()), len(log) if answered.any() else 0)
    signed = request_summary.signed_before_build(log)
    return (
        _share("share_answered", counted, "requests asked in the quarter", source),
        _share("signed_before_work", signed, "requests begun", source),
    )


def _share(name: str, counted: tuple[int, int], n_of: str, source: str) -> Result:
    hits, n = counted
    low, high = intervals.share_interval(hits, n) if n else (math.nan, math.nan)
    return Result(
        name, hits / n if n else math.nan, low, high, "share", n, n_of,
        "Wilson's interval; a day that nobody wrote down is no answer and no signature",
        source, verdict=None if n else "cannot tell",
    )  # fmt: skip


def next_step(reviewed: ReviewedRequests) -> str:
    """Say what marketing should do next, and what not; its verb first."""
    n = len(reviewed.candidates)
    if not n:
        return "Decide on no request now: none is open."
    if reviewed.choice is None:
        return (
            "State marketing's hours (requests.capacity_hours): without them nobody can choose "
            f"among {_counted(n)}."
        )
    if reviewed.conflict is not None:
        return f"Drop a must-have: {conflict_sentence(reviewed)}"
    left_out = reviewed.choice.left_out
    if reviewed.best is None or not reviewed.best.chosen:
        n_weighed = len(reviewed.choice.problem.requests)
        if not n_weighed:
            which = (
                f"the {n} requests that wait: of none is it"
                if n > 1
                else "the request that waits: it is not"
            )
            return f"Vet {which} known that it pays. {_others_left_out(left_out)}".strip()
        pays = bool((reviewed.choice.problem.amounts > 0).any())
        why = (
            "those that pay do not fit into the hours, budget, skills, goals and dates there are"
            if pays
            else f"of {n_weighed} that can be put into money none brings more than it takes"
        )
        return f"Take on no request now: {why}. {_of_the_others(n_weighed, left_out)}"
    taken = reviewed.chosen
    hours = float(taken["marketing_hours"].sum())
    return (
        f"Take on {len(taken)} of the {n} requests that wait, {hours:,.0f} h of marketing: they "
        f"should bring {_amount(reviewed, reviewed.best.value)} of margin before marketing's pay"
        f"{f' ({gap})' if (gap := proof_gap(reviewed)) else ''}. "
        f"{_of_the_others(n - len(taken) - int(left_out.sum()), left_out)}"
    )


def first_step(reviewed: ReviewedRequests) -> str:
    """Say what to do on the next working day if the set is agreed; empty where nothing is."""
    if not len(reviewed.candidates):
        return ""
    if reviewed.choice is None:
        return "Write marketing's hours of next quarter into alignment.toml."
    if reviewed.chosen.empty and not len(reviewed.choice.problem.requests):
        return "Ask for hours, outlay and promise of each request that waits."
    return "Tell every asker which list the request is on, and when it is reviewed."


def _counted(n: int) -> str:
    return f"{n} request{'s' * (n != 1)}"


def _of_the_others(n_put_off: int, left_out: pd.Series) -> str:
    """Say what to do about requests that are not in the best set: those put off, and those that
    cannot be weighed, by what each lacks.
    """
    parts = []
    if n_put_off:
        parts.append(f"Put off {n_put_off} more, each with a review date.")
    is_asked = left_out.index.isin(request_value.TO_ASK)
    if n_unknown := int(left_out[is_asked].sum()):
        parts.append(f"Of {n_unknown} nobody says what they bring: ask first.")
    return " ".join([*parts, _others_left_out(left_out)]).strip()


def _others_left_out(left_out: pd.Series) -> str:
    """Say which requests cannot be weighed for a reason that no asker can mend."""
    others = left_out[~left_out.index.isin(request_value.TO_ASK)]
    return " ".join(f"{_counted(int(n))} cannot be weighed ({why})." for why, n in others.items())


def conflict_sentence(reviewed: ReviewedRequests) -> str:
    """Say which must-haves cannot stand together; empty where all fit."""
    conflict, choice = reviewed.conflict, reviewed.choice
    if conflict is None or choice is None:
        return ""
    ids = ", ".join(choice.problem.requests[m] for m in conflict.musts)
    return (
        f"{ids} need {conflict.needed:,.0f} of {conflict.limit:,.0f} {conflict.capacity} together."
    )


def promise_sentence(reviewed: ReviewedRequests) -> str:
    """Say what promises of bookings came to, of all who ask together."""
    kept_share = reviewed.kept_shares["bookings"]
    if not kept_share.is_known:
        return (
            "We cannot tell what promises come to: bookings were promised and measured of "
            f"{kept_share.n} requests, too few."
        )
    ends = "" if math.isnan(kept_share.low) else f"{kept_share.low:.0%} to {kept_share.high:.0%}, "
    way = "cut" if kept_share.estimate <= 1 else "raised"
    return (
        f"Of the bookings that requests promised, {kept_share.estimate:.0%} came ({ends}"
        f"{kept_share.n} requests). Promises here are {way} to that before they count."
    )


def verdict(reviewed: ReviewedRequests) -> Verdict:
    """Whether `promise_sentence` states a figure."""
    return "found" if reviewed.kept_shares["bookings"].is_known else "cannot tell"


def hour_sentence(reviewed: ReviewedRequests) -> str:
    """Say what more hours of marketing would bring, and from which number on."""
    choice, best = reviewed.choice, reviewed.best
    if choice is None or best is None:
        return "Without a best set we cannot tell what one more hour of marketing is worth."
    today = float(choice.problem.limits[0])
    least = max(1.0, LEAST_GAIN * abs(best.value))
    after = capacity_choice.next_step(choice.problem, best, least=least)
    n_left_out = int(choice.left_out.sum())
    if after is None:
        of_what = " from the requests that can be weighed" if n_left_out else ""
        return (
            f"More hours of marketing alone bring nothing{of_what}: what is left does not pay, or "
            "budget, skills, goals or dates stand in its way."
        )
    if math.isnan(after.limit):
        return "What one more hour of marketing is worth was not found in the time there was."
    more = max(0.0, after.limit - today)
    fewer = "Fewer would bring nothing." if after.is_proven else "Fewer may do: not proven."
    rate = reviewed.company.settings.money.marketing_hour_cost_amount
    return (
        f"With {more:,.1f} hours more than the {today:,.0f} that are free, the best set brings "
        f"{_amount(reviewed, after.value - best.value)} more; those hours cost "
        f"{_amount(reviewed, more * rate)}. {fewer}"
    )


def deadline_sentence(reviewed: ReviewedRequests) -> str:
    """Say how many open requests are wanted sooner than requests are done."""
    if not reviewed.days.is_known:
        n = reviewed.days.n_done
        return f"We cannot tell which deadlines are realistic: {n} requests are done."
    if reviewed.candidates.empty:
        return "No request waits, so no deadline is in question."
    judged = turnaround.judge_deadlines(reviewed.candidates, reviewed.days)
    is_judged = judged["is_realistic"].notna()
    n_late = int((~judged.loc[is_judged, "is_realistic"].astype(bool)).sum())
    days = turnaround.realistic_days(reviewed.days)
    safe = (
        f" Four of five are done within {days:.0f} days."
        if not math.isnan(days)
        else " Fewer than four of five have been done at all."
    )
    if not is_judged.any():
        return f"No request that waits names a day that is still to come.{safe}"
    return (
        f"{n_late} of {int(is_judged.sum())} requests that wait are wanted sooner than half of all "
        f"requests are done.{safe}"
    )


def fairness_sentence(reviewed: ReviewedRequests) -> str:
    """Say how evenly the hours are spread over teams, and whether asking often pays off."""
    fair = request_summary.fairness_over_teams(reviewed.log)
    goals = request_summary.effective_goals(
        reviewed.chosen["marketing_hours"], reviewed.chosen["goal_id"]
    )
    spread = "" if math.isnan(goals) else f" The best set is spread over {goals:.1f} goals."
    if math.isnan(fair.rank_correlation):
        return f"We cannot tell whether those who ask most often get more.{spread}"
    rho, low, high = (signed_number(r, 2) for r in (fair.rank_correlation, fair.low, fair.high))
    word = "get more" if fair.is_squeaky else "do not clearly get more"
    return (
        f"Teams that ask more often {word} of it taken on (rank correlation "
        f"{rho}, {low} to {high}, {fair.n_teams} teams). Hours taken on are "
        f"spread with a Gini index of {fair.gini:.2f}; 0 is even."
        f"{spread}"
    )


def prices_sentence(reviewed: ReviewedRequests) -> str:
    """Say at which prices hours and bookings are counted."""
    prices = reviewed.prices
    hour = (
        "an unknown price"
        if math.isnan(prices.selling_hour_amount)
        else _amount(reviewed, prices.selling_hour_amount)
    )
    margin = "unknown" if math.isnan(prices.margin_rate) else f"{prices.margin_rate:.0%}"
    return (
        f"Margin after commission is {margin} of bookings. An hour of selling counts at {hour}, "
        f"an hour of marketing at {_amount(reviewed, prices.marketing_hour_amount)}."
    )
