"""The audit of a pass over exports, line by line, as `clean` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.project.money import signed_percent
from analysis.sources import templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analysis.project.settings import Settings


def currency_notice(house: Settings) -> list[str]:
    """Return the notice that no settings name the currency of amounts, where none do."""
    if house.company.has_currency:
        return []
    assumed = (
        "No setting names this company's currency: amounts are taken to be in "
        f"{house.company.currency}."
    )
    return [f"{assumed} Write it under [company] in the dataset's alignment.toml."]


def empty_templates(account: Mapping[str, Any]) -> list[str]:
    """Return the templates of `init` that are still empty."""
    ours = {f"{t.name}.csv" for t in templates.hand_kept_templates()}
    return [f["file"] for f in account["files"] if f["file"] in ours and not f["n_rows"]]


def audit_lines(account: Mapping[str, Any]) -> Iterator[str]:
    """Yield how each file was understood, what each table's rows became, the gaps to finance, and
    the gate.
    """
    empty = empty_templates(account)
    for file in account["files"]:
        if file["file"] in empty:
            continue
        into = ", ".join(file["tables"]) or "fills no table"
        yield (
            f"{file['file']}: {file['n_rows']:,} rows, {file['delimiter']}, {file['layout']} -> "
            f"{into}"
        )
        stripped = [f"{n:,} {rule}" for rule, n in file["stripped"]]
        aside = f"set aside at reading: {', '.join(stripped)}" if stripped else ""
        warnings = [f"warning: {w}" for w in file["warnings"]]
        for line in filter(None, [file["encoding"], aside, *file["notes"], *warnings]):
            yield f"    {line}"
    if empty:
        are = "template is" if len(empty) == 1 else "templates are"
        yield f"{len(empty)} {are} still empty: {', '.join(empty)}"
    for refusal in account["refusals"]:
        yield f"{refusal['file']}: refused, {refusal['reason']}"
    yield f"as of {account['as_of']}; rows in = clean + quarantined + dropped"
    for t in account["tables"]:
        yield (
            f"  {t['table']}: {t['n_in']:,} = {t['n_clean']:,} + {t['n_quarantined']:,} + "
            f"{t['n_dropped']:,}"
        )
        for r in account["rules"]:
            if r["table"] == t["table"] and r["n_rows"]:
                yield (
                    f"    {r['rule']}: {r['action']} {r['n_rows']:,} of {r['n_of']:,} "
                    f"({r['reason']})"
                )
    yield from _reconciliation(account)
    yield from gate_lines(account)


def gate_lines(account: Mapping[str, Any]) -> Iterator[str]:
    """Yield each question's status, the findings against it, and which exports would prove the
    others complete.
    """
    gate = account.get("gate")
    if not gate:  # an audit of an older version
        return
    yield "what the data can answer:"
    for question, verdict in gate["questions"].items():
        why = f" ({', '.join(verdict['checks'])})" if verdict["checks"] else ""
        yield f"  {question.replace('_', ' ')}: {verdict['status']}{why}"
    for finding in gate["findings"]:
        taken = finding["accepted"]
        word = (
            f"accepted on {taken['accepted_on']}"
            if taken
            else "withheld"
            if any(
                _withholds(gate["questions"].get(q), finding["check"]) for q in finding["questions"]
            )
            else "warning"
        )
        yield f"{word}: {finding['check']}: {finding['sentence']}"
        if taken:
            yield f"    because: {taken['reason']}"
            continue
        if finding["examples"]:
            yield f"    for example: {', '.join(finding['examples'])}"
        yield f"    {finding['remedy']}"
    for absent in gate["controls_absent"]:
        yield f"no {absent['control']}: {absent['remedy']}"


def _withholds(verdict: Mapping[str, Any] | None, check: str) -> bool:
    """Return whether a question is withheld for a check.

    A grave finding may touch it only, or nobody asks it.
    """
    return verdict is not None and verdict["status"] == "withheld" and check in verdict["checks"]


def _reconciliation(account: Mapping[str, Any]) -> Iterator[str]:
    for gap in account["reconciliation"]:
        ours, finance = f"{gap['bookings_amount']:,.0f}", f"{gap['finance_amount']:,.0f}"
        rate = signed_percent(gap["gap_rate"], 2)
        yield f"bookings {gap['quarter']}: {ours}, finance {finance}, gap {rate}"
