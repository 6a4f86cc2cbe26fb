"""What the gate between cleaning and report says of each question, as chapters, cards and page one
repeat it.

The gate's verdict stands in the account of the cleaning pass (`audit.json`, key ``gate``); an
account of an older version has none, and then nothing is withheld.  Which figure belongs to which
question is said here and nowhere else.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analysis.stats.result import Result

ANSWERED, WITHHELD, WARNED, NOT_ASKED = "answered", "withheld", "warned", "not asked"
# no check of the gate: the chapter itself found nothing to answer from
STOPPED = "chapter_without_answer"
WRONG_SCALE = "amount_contradicts_history"  # the rule that takes amounts of another scale
QUESTION_WORDS = {
    "bookings": "bookings",
    "win_rate": "win rate",
    "hours": "hours sold",
    "cost": "the cost of an hour",
    "worth": "the worth of an hour",
    "growth": "growth",
    "pay": "whether alignment pays",
    "index": "the alignment index",
}
METRIC_QUESTIONS = {
    "bookings": "bookings",
    "bookings_gap_to_finance": "bookings",
    "win_rate": "win_rate",
    "lead_to_win_rate": "win_rate",
    "leads_needed_per_month": "bookings",
    "selling_hours_per_week": "hours",
    "selling_share_of_available_time": "hours",
    "cost_per_selling_hour": "cost",
    "cost_per_available_hour": "cost",
    "cost_per_paid_hour": "cost",
    "required_bookings_per_selling_hour": "cost",
    "share_out_of_reach": "cost",
    "median_chance": "cost",
    "brier_gain": "cost",
    "marginal_value_of_selling_hour": "worth",
    "selling_time_elasticity": "worth",
    "growth_gap": "growth",
    "opportunities_gap": "growth",
    "alignment_index": "index",
    "npv": "pay",
    "payback_months": "pay",
    "break_even_lift": "pay",
    "probability_npv_positive": "pay",
}


class Withheld(NamedTuple):
    """Why a question is not answered, and what would let it be."""

    question: str
    check: str
    sentence: str
    remedy: str

    @property
    def why(self) -> str:
        """Reason and remedy in one text."""
        return f"{without_examples(self.sentence)} {self.remedy}".strip()


def question_statuses(account: Mapping[str, Any]) -> dict[str, str]:
    """Return each question's status: answered, warned, withheld or not asked.

    Empty without a gate.
    """
    return {
        name: verdict["status"] for name, verdict in _gate(account).get("questions", {}).items()
    }


def with_stopped(
    account: Mapping[str, Any], stopped: Iterable[tuple[Sequence[str], str]]
) -> Mapping[str, Any]:
    """Return the account with the questions withheld whose chapter found nothing to answer from.

    `stopped`: the questions of each such chapter, and why.  Page one and the manifest then say
    what the chapter's own page says; the exit code goes by the gate alone.
    """
    several = [(questions, why) for questions, why in stopped if questions]
    if "gate" not in account or not several:
        return account
    gate = _gate(account)
    findings, verdicts = list(gate["findings"]), dict(gate["questions"])
    for questions, why in several:
        open_ones = [
            q for q in questions if verdicts.get(q, {}).get("status") in {ANSWERED, WARNED}
        ]
        if not open_ones:
            continue
        sentence = f"{without_table(why).split(chr(10))[0].rstrip('.')}."
        findings.append(
            {
                "check": STOPPED,
                "table": None,
                "questions": open_ones,
                "severity": "withhold",
                "value": 1.0,
                "n": 1,
                "sentence": sentence,
                "remedy": "",
                "examples": [],
                "accepted": None,
            }
        )
        verdicts |= {q: {"status": WITHHELD, "checks": [STOPPED]} for q in open_ones}
    return {**account, "gate": {**gate, "findings": findings, "questions": verdicts}}


def without_table(error: str) -> str:
    """Return what a data error says without the table it begins with.

    Examples
    --------
    >>> without_table("rep_week: too few weeks.")
    'Too few weeks.'
    """
    table, colon, rest = error.partition(": ")
    is_named = bool(colon) and table.replace("_", "").isalnum() and " " not in table
    text = rest if is_named else error
    return text[:1].upper() + text[1:]


def withheld_questions(account: Mapping[str, Any]) -> dict[str, Withheld]:
    """Return why each question withheld is so, by question: the gravest finding that decides it."""
    return {
        name: _cause(account, name)
        for name, status in question_statuses(account).items()
        if status == WITHHELD
    }


def withheld_metrics(account: Mapping[str, Any]) -> dict[str, Withheld]:
    """Return why each headline of a question withheld is not shown, by the headline's name."""
    questions = withheld_questions(account)
    return {metric: questions[q] for metric, q in METRIC_QUESTIONS.items() if q in questions}


def hide_withheld(result: Result, account: Mapping[str, Any]) -> Result:
    """Return the result without its figures where the gate withholds the question it answers."""
    if result.name not in withheld_metrics(account):
        return result
    return result._replace(estimate=math.nan, low=math.nan, high=math.nan)


def is_all_withheld(account: Mapping[str, Any]) -> bool:
    """Return whether every question that the exports ask is withheld."""
    of_questions = [status for status in question_statuses(account).values() if status != NOT_ASKED]
    return bool(of_questions) and all(status == WITHHELD for status in of_questions)


def open_findings(account: Mapping[str, Any], severity: str) -> list[dict[str, Any]]:
    """Return the findings of a severity, ``withhold`` or ``warn``, that the company has not
    accepted.
    """
    findings = _gate(account).get("findings", [])
    return [f for f in findings if f["severity"] == severity and not f["accepted"]]


def without_examples(sentence: str) -> str:
    """Return a finding's sentence without the ids it ends in.

    Leadership's pages hold none, the console does.

    Examples
    --------
    >>> without_examples("60 of 60 owners are in no row of reps; reps says 005A, 005B.")
    '60 of 60 owners are in no row of reps.'
    """
    return f"{sentence.split('; ', maxsplit=1)[0].rstrip('.')}."


def question_words(names: Iterable[str]) -> str:
    """Return questions in words, as a sentence lists them.

    Examples
    --------
    >>> question_words(["win_rate", "cost"])
    'win rate and the cost of an hour'
    """
    *most, last = [QUESTION_WORDS.get(name, name.replace("_", " ")) for name in names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def page_one_lines(account: Mapping[str, Any], currency: str) -> list[dict[str, str]]:
    """Return what page one says of the exports, at most four lines: ``head`` and ``text``, gravest
    first.
    """
    if "gate" not in account:
        return []
    lines = [_severity_line(account, "withhold", WITHHELD), _severity_line(account, "warn", WARNED)]
    lines += [_set_aside_line(account, currency), _absent_line(account)]
    return [line for line in lines if line]


def finding_rows(account: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return every finding as the provenance page lists it, accepted ones with reason and day.

    A row a finding.
    """
    return [_finding_row(f) for f in _gate(account).get("findings", [])]


def absent_rows(account: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return which exports that would let one file check another are absent, a row each, and how to
    get them.
    """
    return [
        {"absent": c["control"], "what to export": c["remedy"]}
        for c in _gate(account).get("controls_absent", [])
    ]


def plain_lines(account: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what a console says after a report: warnings, and what is withheld."""
    warned, withheld = (
        [
            f"{head} ({question_words(f['questions'])}): {f['sentence']} {f['remedy']}".strip()
            for f in findings
        ]
        for head, findings in (
            ("warning", open_findings(account, "warn")),
            (WITHHELD, open_findings(account, "withhold")),
        )
    )
    return warned, withheld


def _gate(account: Mapping[str, Any]) -> dict[str, Any]:
    gate: dict[str, Any] = account.get("gate") or {}
    return gate


def _cause(account: Mapping[str, Any], question: str) -> Withheld:
    checks = _gate(account)["questions"][question]["checks"]
    for finding in open_findings(account, "withhold"):
        if question in finding["questions"] and finding["check"] in checks:
            return Withheld(question, finding["check"], finding["sentence"], finding["remedy"])
    named = ", ".join(checks) or "the gate"
    return Withheld(question, named, f"The exports do not carry an answer ({named}).", "")


def _severity_line(account: Mapping[str, Any], severity: str, status: str) -> dict[str, str]:
    """Return the questions of a status with the finding that explains most of them."""
    questions = {name for name, is_now in question_statuses(account).items() if is_now == status}
    if not questions:
        return {}
    # What withholds one question may only touch another, which is then warned of for the same
    # cause.
    findings = open_findings(account, severity) + (
        open_findings(account, "withhold") if severity == "warn" else []
    )
    mine = [f for f in findings if questions & set(f["questions"])]
    mine.sort(key=lambda f: -len(questions & set(f["questions"])))
    more = f" And {len(mine) - 1} more." if len(mine) > 1 else ""
    why = without_examples(mine[0]["sentence"]) if mine else ""
    named = question_words(q for q in QUESTION_WORDS if q in questions)
    return {"head": status.capitalize(), "text": f"{named}. {why}{more}".strip()}


def _set_aside_line(account: Mapping[str, Any], currency: str) -> dict[str, str]:
    """Return how many deals, and how much money on them, are in no figure."""
    taken = [
        r for r in account["rules"] if r["table"] == "opportunities" and r["action"] == "quarantine"
    ]
    n_rows = sum(r["n_rows"] for r in taken)
    if not n_rows:
        return {}
    n_in = next(t["n_in"] for t in account["tables"] if t["table"] == "opportunities")
    text = f"{n_rows:,} of {n_in:,} deals are in no figure."
    wrong = [r for r in taken if r["rule"] == WRONG_SCALE and r["n_rows"]]
    rest = [r for r in taken if r["rule"] != WRONG_SCALE and r["n_rows"]]
    amount = sum(max(r["money_amount"] or 0.0, 0.0) for r in rest)
    if amount:
        # not known where a rate or a number lacks
        is_known = all(r["money_amount"] is not None for r in rest)
        size = f"{'' if is_known else 'at least '}{money.millions_text(amount, currency)}"
        text += f" {sum(r['n_rows'] for r in rest):,} of them come to {size}."
    if wrong:
        n_wrong, typed = wrong[0]["n_rows"], abs(wrong[0]["money_amount"] or 0.0)
        text += (
            f" {n_wrong:,} {'carries an amount' if n_wrong == 1 else 'carry amounts'} far above "
            f"what the stage history says ({money.millions_text(typed, currency)}): most likely a "
            "slip of typing."
        )
    return {"head": "Set aside", "text": text}


def _absent_line(account: Mapping[str, Any]) -> dict[str, str]:
    absent: Sequence[dict[str, str]] = _gate(account).get("controls_absent", [])
    if not absent:
        return {}
    named = ", ".join(c["control"] for c in absent)
    return {"head": "Not exported", "text": f"{named}. With them one file could check another."}


def _finding_row(finding: Mapping[str, Any]) -> dict[str, str]:
    taken = finding["accepted"]
    result = (
        f"accepted on {taken['accepted_on']}"
        if taken
        else {"warn": WARNED, "withhold": WITHHELD}[finding["severity"]]
    )
    because = f" Accepted because: {taken['reason']}" if taken else f" {finding['remedy']}"
    return {
        "check": finding["check"].replace("_", " "),
        "result": f"{result}: {question_words(finding['questions'])}",
        "what was seen": f"{without_examples(finding['sentence'])}{because}".strip(),
    }
