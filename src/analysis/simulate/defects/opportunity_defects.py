"""Defects of opportunities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import salesforce_format as sf

if TYPE_CHECKING:
    from analysis.simulate.defects.sheet import Rates, Sheet
    from analysis.simulate.world.calendar import Ints

TRUE = np.array(["true", "TRUE", "1"])
FALSE = np.array(["false", "FALSE", "0"])


def soil_opportunities(sheet: Sheet, rates: Rates, files: dict[str, pa.Table]) -> None:
    """Plant every defect of Opportunity, and the spellings that are none."""
    del files
    rng = sheet.rng
    amount = pc.cast(sheet.table["Amount"], pa.float64()).to_numpy()
    currency = np.array(sheet.text("CurrencyIsoCode"))
    won = np.array(sheet.text("IsWon")) == "true"
    closed = np.array(sheet.text("IsClosed")) == "true"
    close = np.array(sheet.text("CloseDate"), "datetime64[D]")
    small = np.zeros(len(amount), bool)
    for code in np.unique(currency):
        mine = currency == code
        low, high = np.quantile(amount[mine], [0.05, 0.4])
        small |= mine & (amount > low) & (amount < high)

    rows = sheet.choose(rates.deleted)
    sheet.add("deleted_record", "drop", rows, prefix="006", IsDeleted=["true"] * len(rows))
    rows = sheet.choose(rates.test)
    names = [
        "TEST - please ignore" if i % 3 == 0 else f"Test deal {i}" for i in range(1, len(rows) + 1)
    ]
    sheet.add("test_record", "drop", rows, prefix="006", Name=names)
    sheet.add("repeated_record", "drop", sheet.choose(rates.repeated))

    rows = sheet.choose(rates.id_checksum, small)
    wrong = [text[:-1] + ("A" if text[-1] != "A" else "B") for text in sheet.take("Id", rows)]
    sheet.alter("id_checksum", "quarantine", rows, wrong, Id=wrong)
    days = sheet.choose(rates.unreadable_date, small)
    sums = sheet.choose(rates.unreadable_number, small)
    sheet.alter(
        "unreadable_date", "quarantine", days[::2], CloseDate=["2025-02-30"] * len(days[::2])
    )
    sheet.alter(
        "unreadable_number", "quarantine", sums[1::2], Amount=["1.2E+05x"] * len(sums[1::2])
    )
    sheet.put("CloseDate", days[1::2], ["#N/A"] * len(days[1::2]))
    sheet.put("Amount", sums[::2], ["#REF!"] * len(sums[::2]))
    left = np.concatenate([days[1::2], sums[::2]])
    sheet.note("spreadsheet_error", "quarantine", sheet.take("Id", left))
    rows = sheet.choose(rates.negative_amount, small)
    sheet.alter(
        "negative_amount",
        "quarantine",
        rows,
        Amount=[f"-{text}" for text in sheet.take("Amount", rows)],
    )
    rows = sheet.choose(rates.amount_out_of_scale, small)
    sheet.alter(
        "amount_contradicts_history",
        "quarantine",
        rows,
        Amount=sf.amount_texts(amount[rows] * 1000).to_pylist(),
    )
    rows = sheet.choose(rates.unknown_currency, small)
    sheet.alter("unknown_currency", "quarantine", rows, CurrencyIsoCode=["XXX"] * len(rows))
    rows = sheet.choose(rates.won_without_amount * won.mean(), small & won)
    sheet.alter("won_without_amount", "flag", rows, Amount=[None] * len(rows))

    early = closed & (close < close[closed].max() - 30)
    rows = sheet.choose(rates.closed_before_created, early)
    since: Ints = close[rows].astype(np.int64) + rng.integers(2, 25, len(rows))
    late = sf.utc_stamps(np.datetime64("1970-01-01"), since * 86_400 + 50_400)
    sheet.alter("closed_before_created", "flag", rows, CreatedDate=late.to_pylist())
    _respell(sheet, rates)


def _respell(sheet: Sheet, rates: Rates) -> None:
    """Shorten some ids and mix the spellings of booleans: harmless, and no row's defect."""
    n = len(sheet.table)
    for column in ("Id", "OwnerId", "AccountId"):
        rows = np.flatnonzero((sheet.rng.random(n) < rates.short_id) & sheet.clean)
        sheet.put(column, rows, [text[:15] for text in sheet.take(column, rows)])
    for column in ("IsClosed", "IsWon"):
        rows = np.flatnonzero(sheet.clean)
        which = sheet.rng.choice(3, len(rows), p=[0.8, 0.15, 0.05])
        yes = np.array(sheet.take(column, rows)) == "true"
        sheet.put(column, rows, np.where(yes, TRUE[which], FALSE[which]).tolist())
