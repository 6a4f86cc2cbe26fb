"""Whether a company's data suffice for a chapter: what its notebook requires against what there is.

The plan of a report and the table of what the data can answer both ask here, so that they never
contradict each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analysis.chapters.data_quality import answerability
from analysis.store import processed
from analysis.store.processed import Missing
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.store.company import Company
    from analysis.store.needs import Requirements


class ChapterGap(NamedTuple):
    """Why a chapter cannot be written: tables and columns it lacks, or the gate's reason.

    `lacking` is empty where the gate withholds what the chapter answers.
    """

    lacking: list[Missing]
    why: str

    @property
    def is_withheld(self) -> bool:
        """Whether its tables are there and the gate stops it."""
        return not self.lacking


def find_gap(company: Company, requirements: Requirements) -> ChapterGap | None:
    """Reason why a chapter cannot be written for the quarter reported; None where it can."""
    lacking = processed.missing_needs(company.audit, requirements.needs, requirements.one_of)
    if lacking:
        return ChapterGap(lacking, _lacks(company, lacking, requirements))
    rests_on = requirements.rests_on
    if rests_on and len(_tables_lacking(company, rests_on)) == len(rests_on):
        return ChapterGap(
            [Missing(table, _required_columns(table)) for table in rests_on],
            f"The exports hold none of the {len(rests_on)} tables that this rests on. Each of them "
            "answers a part.",
        )
    not_begun = processed.not_begun(company.dataset, requirements.begins, company.day_after)
    if not_begun:
        tables = " and ".join(m.table for m in not_begun)
        return ChapterGap(
            not_begun,
            f"Nothing had begun by the end of {company.quarter}: every date in {tables} is later.",
        )
    if requirements.tells_pay and (few := _too_few_paid(company)):
        return few
    withheld = answerability.withheld_questions(company.audit)
    reason = next((withheld[q] for q in requirements.answers if q in withheld), None)
    return ChapterGap([], reason.why) if reason else None


def part_answer(company: Company, requirements: Requirements) -> tuple[str, str] | None:
    """Note on a chapter that answers only in part, with the tables it lacks.

    None where all it rests on is there.
    """
    lacking = _tables_lacking(company, requirements.rests_on)
    return ("in part", ", ".join(lacking)) if lacking else None


def _tables_lacking(company: Company, tables: Sequence[str]) -> list[str]:
    there = {t["table"] for t in company.audit["tables"] if t["n_clean"]}
    return [table for table in tables if table not in there]


def _required_columns(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in TABLES[table].columns if column.is_required)


def _too_few_paid(company: Company) -> ChapterGap | None:
    """Gap where so few are paid that sums made from pay would tell what each is."""
    smallest = company.settings.people.smallest_cell
    if company.table("compensation")["rep_id"].nunique() >= smallest:
        return None
    why = (
        f"Fewer than {smallest} reps have pay in the exports, so sums made from it would tell "
        "what each is paid."
    )
    return ChapterGap([Missing("compensation", ("rep_id",))], why)


def _lacks(company: Company, lacking: Sequence[Missing], requirements: Requirements) -> str:
    """Say what a dataset does not hold; of several ways to answer, that one is enough."""

    def called(table: str) -> str:
        return table.replace("_", " ")

    tables = company.audit["tables"]
    with_rows = {t["table"] for t in tables if t["n_clean"]}
    emptied = {t["table"]: t["n_in"] for t in tables if not t["n_clean"] and t["n_in"]}
    alone = [m.table for m in lacking if m.table in requirements.needs]
    words = [
        f"{called(table)} without {', '.join(m.columns)}"
        if table in with_rows
        else f"no usable row of {called(table)} ({emptied[table]:,} read, none could be used)"
        if table in emptied
        else f"no {called(table)}"
        for m in lacking
        if (table := m.table) in requirements.needs
    ]
    words = [_joined(words)] if words else []
    if len(alone) < len(lacking):
        ways = ", or ".join(" with ".join(map(called, way)) for way in requirements.one_of)
        words.append(f"none of these, and one would do: {ways}")
    return f"The exports hold {' and '.join(words)}."


def _joined(words: Sequence[str]) -> str:
    """Return "no a, no b and no c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
