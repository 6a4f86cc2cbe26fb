"""The audit of a pass over exports, line by line, as `clean` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analysis.settings import Settings


def currency_notice(house: Settings) -> list[str]:
    """Return that nobody said which currency amounts are in, where nobody did."""
    if house.company.has_currency:
        return []
    assumed = f"No setting names this company's currency: amounts are taken to be in {house.company.currency}."
    return [f"{assumed} Write it under [company] in the dataset's alignment.toml."]


def lines(account: Mapping[str, Any]) -> Iterator[str]:
    """Yield how each file was understood, what each table's rows became, and the gaps to finance."""
    for file in account["files"]:
        into = ", ".join(file["tables"]) or "fills no table"
        yield f"{file['file']}: {file['n_rows']:,} rows, {file['delimiter']}, {file['layout']} -> {into}"
        stripped = [f"{n:,} {rule}" for rule, n in file["stripped"]]
        aside = f"set aside at reading: {', '.join(stripped)}" if stripped else ""
        warnings = [f"warning: {w}" for w in file["warnings"]]
        for line in filter(None, [file["encoding"], aside, *file["notes"], *warnings]):
            yield f"    {line}"
    for refusal in account["refusals"]:
        yield f"{refusal['file']}: refused, {refusal['reason']}"
    yield f"as of {account['as_of']}; rows in = clean + quarantined + dropped"
    for t in account["tables"]:
        yield f"  {t['table']}: {t['n_in']:,} = {t['n_clean']:,} + {t['n_quarantined']:,} + {t['n_dropped']:,}"
        for r in account["rules"]:
            if r["table"] == t["table"] and r["n_rows"]:
                yield f"    {r['rule']}: {r['action']} {r['n_rows']:,} of {r['n_of']:,} ({r['reason']})"
    for gap in account["reconciliation"]:
        ours, finance = f"{gap['bookings_amount']:,.0f}", f"{gap['finance_amount']:,.0f}"
        yield f"bookings {gap['quarter']}: {ours}, finance {finance}, gap {gap['gap_rate']:+.2%}"
