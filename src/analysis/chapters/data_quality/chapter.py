"""The chapter on the data: what came in, what was set aside, and what can be answered from it.

What the notebook shows, each thing from one call on the company.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.data_quality import (
    answerability,
    chapter_gaps,
    clustered_win_rate,
    hours_sources,
    restatements,
    row_accounts,
    won_deals,
)
from analysis.store import needs, processed
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.stats.result import Result
    from analysis.store.company import Company

NOT_OF_ONE_TEAM = "What came in and what was set aside is told of the whole company's exports."
QUARTERS_OF_LOGGING = 8
AUDIT = "audit.json"
CAN_TELL = "can tell"
ACTIONS = {"drop": "dropped", "quarantine": "set aside", "flag": "marked"}
DEALS = {"opportunities": ["status", "close_date", "raw_amount"]}
FURTHER_QUESTIONS = {  # asked by leadership, and no chapter is about them
    "Which team booked it?": DEALS | {"rep_team_history": ["team_id"]},
    "Do bookings agree with finance?": DEALS | {"finance_bookings": ["bookings_amount"]},
}


def bookings(company: Company) -> tuple[Result, str]:
    """Bookings of the quarter, and what to say beside them of deals won without an amount."""
    company.require_whole(NOT_OF_ONE_TEAM)
    house = company.settings.company
    won = won_deals.of_quarter(
        company.table("opportunities"), company.quarter, house.fiscal_year_start_month
    )
    total = row_accounts.quarter_bookings(
        company.table("team_quarter"), company.quarter, house.currency
    )
    return won_deals.complete_bookings(total, won), won_deals.bookings_note(won)


def win_rate(company: Company) -> Result:
    """Win rate of the quarter, its interval by rep and team."""
    return clustered_win_rate.clustered_win_rate(
        company.rows_of_quarter("team_quarter"),
        company.rows_of_quarter("rep_quarter"),
        f"opportunities, {company.quarter}",
    )


def files_received(company: Company) -> LabelledTable:
    """How each file was understood."""
    return LabelledTable(
        row_accounts.files_understood(company.audit),
        f"Files received, as of {company.last_day}",
        {
            "file": ("text", "File"),
            "rows": ("count", "Rows"),
            "understood_as": ("text", "Understood as"),
            "fills": ("text", "Fills the table"),
        },
        f"data/raw/{company.dataset}",
    )


def rows_by_table(company: Company) -> LabelledTable:
    """Rows clean, quarantined and dropped: one row a table."""
    ledger = row_accounts.rows_ledger(company.audit)
    ledger["table"] = ledger["table"].map(row_accounts.in_words)
    return LabelledTable(
        ledger,
        f"Share of rows clean, set aside and dropped; n = {ledger['rows_in'].sum():,} rows, as "
        f"of {company.last_day}.",
        {
            "table": ("text", "Table"),
            "rows_in": ("count", "rows in"),
            "clean": ("count", "Clean"),
            "quarantined": ("count", "Set aside"),
            "dropped": ("count", "Dropped"),
        },
        AUDIT,
    )


def rules_that_matched(company: Company) -> LabelledTable:
    """Rows that each rule took or marked, with the money and hours on them."""
    rules = row_accounts.rules_that_matched(company.audit).drop(columns="reason")
    for column in ("table", "rule"):
        rules[column] = rules[column].map(row_accounts.in_words)
    return LabelledTable(
        rules.assign(action=rules["action"].map(ACTIONS)),
        "What each rule took or marked, and the money and hours on those rows",
        {
            "table": ("text", "Table"),
            "rule": ("text", "Rule"),
            "action": ("text", "Action"),
            "rows": ("count", "Rows"),
            "share": ("percent", "Of rows in"),
            "money_amount": ("money", "Money on them"),
            "hours": ("hours", "Hours on them"),
        },
        AUDIT,
        note="A row that is marked stays in. The rows, with file, line and rule, are in "
        "quarantine.parquet.",
    )


def finance_totals(company: Company) -> LabelledTable:
    """Bookings beside finance's control total: one row a quarter, none where none is stated."""
    totals = row_accounts.finance_reconciliation(company.audit)
    tolerance = company.settings.reconciliation.tolerance_rate
    return LabelledTable(
        totals,
        f"Gap above each quarter; up to {tolerance:.0%} is tolerated. n = {len(totals)} quarters.",
        {
            "quarter": ("text", "Quarter"),
            "crm_amount": ("money", "Crm amount"),
            "finance_amount": ("money", "Finance amount"),
            "gap_rate": ("percent2", "Gap rate"),
        },
        "opportunities, finance_bookings",
    )


def restated_figures(company: Company) -> LabelledTable:
    """Figures published by earlier reports that differ today: one row a quarter and measure."""
    frozen, deals = (
        processed.frozen_rows(company.dataset, name, before=company.quarter)
        for name in ("team_quarter", "won_deals")
    )
    moved = restatements.deal_moves(deals, company.table("won_deals"), company.table("quarantine"))
    restated = restatements.restatement_table(frozen, company.table("team_quarter"), moved)
    return LabelledTable(
        restated,
        "Restated since published",
        {
            "quarter": ("text", "Quarter"),
            "measure": ("text", "Measure"),
            "published": ("number1", "Published"),
            "today": ("number1", "Today"),
            "change": ("number1", "Change"),
            "change_rate": ("percent2", "Of published"),
            "why": ("text", "What moved it"),
        },
        f"data/history/{company.dataset}",
        note=restatements.restatement_sentence(restated, frozen["quarter"].nunique()),
    )


def closed_deals(company: Company) -> LabelledTable:
    """Deals won and lost: one row a quarter."""
    teams, stays = company.table("team_quarter"), company.table("rep_quarter")
    by_quarter = row_accounts.closed_deals(teams, stays)
    first, last = by_quarter["quarter"].min(), by_quarter["quarter"].max()
    if not by_quarter["is_partial"].any():
        by_quarter = by_quarter.drop(columns="is_partial")
    return LabelledTable(
        by_quarter,
        f"Deals closed, {first} to {last}",
        {
            "quarter": ("text", "Quarter"),
            "n_won": ("count", "Won"),
            "n_lost": ("count", "Lost"),
            "win_rate": ("percent2", "Win rate"),
            "low": ("percent", "95% from"),
            "high": ("percent", "to"),
            "bookings_amount": ("money", "Bookings"),
        }
        | ({"is_partial": ("yes_no", "Partial")} if "is_partial" in by_quarter else {}),
        "opportunities",
        note=row_accounts.closed_sentence(teams, stays),
    )


def logging_by_team(company: Company) -> LabelledTable:
    """Share of working days with logging of teams that did not log all: one row a team and quarter.

    Teams of too few reps are left out; no row where nobody logged anything, or all did.
    """
    logged = _logged_days(company)
    rows = logged[logged["n_reps"] >= company.settings.people.smallest_cell]
    n_teams = rows["team_name"].nunique()
    short = hours_sources.teams_with_gaps(rows)
    if not (rows["logged_share"] > 0).any():
        rows = rows.iloc[:0]
    rows = rows[rows["team_name"].isin(short)]
    return LabelledTable(
        rows,
        "Percent of employed working days in logged weeks, to "
        f"{company.quarter}; hatched: partial. {hours_sources.logging_changes(rows)} "
        f"n = {n_teams} teams{_whole_loggers(n_teams - len(short))}.",
        {
            "team_name": ("text", "Team name"),
            "quarter": ("text", "Quarter"),
            "logged_share": ("percent", "Logged share"),
            "is_partial": ("yes_no", "Is partial"),
            "n_reps": ("count", "N reps"),
            "logging_change": ("text", "Logging change"),
        },
        "activities, rep_team_history",
    )


def _whole_loggers(n_teams: int) -> str:
    return f"; the other {n_teams} logged every working day" if n_teams else ""


def logging_sentence(company: Company) -> str:
    """Say how much of working time was logged and where logging changed, or that none was."""
    logged = _logged_days(company)
    if not (logged["logged_share"] > 0).any():
        if company.table("activities").empty:
            return "No hours. The exports hold no activities: we cannot tell how long anybody sold."
        return "No hours. No activity is a team's: we cannot tell how long anybody sold."
    return hours_sources.logging_sentence(logged)


def _logged_days(company: Company) -> pd.DataFrame:
    return hours_sources.logged_days(
        company.table("team_quarter"), quarters=QUARTERS_OF_LOGGING, quarter=company.quarter
    )


def hours_counted(company: Company) -> LabelledTable:
    """From hours exported to hours counted: one row a source and step that took an hour."""
    steps = hours_sources.hours_ledger(company.audit)
    is_shown = (steps["rows"] > 0) | ~steps.duplicated("source")
    steps["step"] = steps["step"].map(row_accounts.in_words)
    return LabelledTable(
        steps[is_shown],
        f"From hours exported to hours counted, step by step, as of {company.last_day}",
        {
            "source": ("text", "Source"),
            "step": ("text", "Step"),
            "rows": ("count", "Rows"),
            "hours_before": ("hours", "Hours before"),
            "hours_after": ("hours", "Hours after"),
            "junk": ("yes_no", "Junk"),
        },
        AUDIT,
        note=hours_sources.hours_sentence(company.audit),
    )


def answerable_questions(company: Company) -> LabelledTable:
    """Which questions the data can answer: one row a chapter, and two questions more.

    What a chapter needs is read from its notebook, as the plan of the report reads it.
    """
    rows = []
    for notebook in needs.chapter_notebooks():
        requirements = needs.read_requirements(notebook)
        gap = chapter_gaps.find_gap(company, requirements)
        part = chapter_gaps.part_answer(company, requirements) if gap is None else None
        rows.append((requirements.question, *(part or _answer_of(gap))))
    for question, tables in FURTHER_QUESTIONS.items():
        lacking = processed.missing_needs(company.audit, tables)
        gap = chapter_gaps.ChapterGap(lacking, "") if lacking else None
        rows.append((question, *_answer_of(gap)))
    return LabelledTable(
        pd.DataFrame(rows, columns=["question", "answer", "lacks"]),
        "Questions and what they would need",
        {
            "question": ("text", "Question"),
            "answer": ("text", "These data"),
            "lacks": ("text", "Missing tables and columns"),
        },
        AUDIT,
    )


def all_answerable(answers: LabelledTable) -> str:
    """Return in a sentence that every question can be answered; "" where one cannot."""
    open_ones = (answers.frame["answer"] != CAN_TELL).sum()
    return "" if open_ones else f"The exports hold what all {len(answers.frame)} questions need."


def _answer_of(gap: chapter_gaps.ChapterGap | None) -> tuple[str, str]:
    if gap is None:
        return CAN_TELL, "nothing"
    if gap.is_withheld:
        return answerability.WITHHELD, gap.why
    return "cannot tell", "; ".join(f"{m.table} ({', '.join(m.columns)})" for m in gap.lacking)


def quarantine_at_stake(company: Company) -> LabelledTable:
    """Money and hours in quarantine, beside those in clean rows: one row a measure that is not
    zero.
    """
    stake = row_accounts.at_stake(
        company.audit,
        company.table("opportunities"),
        company.table("activities"),
        company.settings.company.currency,
    )
    return LabelledTable(
        stake[stake["rows"] > 0],
        "What rows set aside could change, all quarters together",
        {
            "measure": ("text", "Measure"),
            "clean": ("number1", "In clean rows"),
            "quarantined": ("number1", "Set aside"),
            "share": ("percent2", "Could change by"),
            "rows": ("count", "Rows set aside"),
        },
        "audit.json, opportunities, activities",
        note="Amounts more than 100 times the median deal are left out of the sum set aside: "
        "they are typed wrong by their scale.",
    )
