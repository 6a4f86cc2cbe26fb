"""Every rule of cells that answers a quirk takes its cell, spares the one beside it, and takes nothing when off."""

from __future__ import annotations

import pytest
from column_cells import column

from analysis.sources.cells import parsers
from analysis.sources.cells.reading import CELL_QUIRKS

ID = "001C000000o4OOIIA2"
# rule → way of reading, cells of which the last breaks it, and what is said of the column
CASES: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "id_checksum": ("salesforce_id", [ID, ID[:15], "001C000000o4OOIIA3"], {}),
    "unreadable_id": ("id", ["25800000000000001", "2.58E+16"], {}),
    "ambiguous_currency": ("number", ["€5.50", "$5.50"], {"currency": "EUR"}),
    "unreadable_currency": ("currency", ["USD", "€", "dollars"], {}),
    "unreadable_number": ("number", ["1", "one"], {}),
    "contradictory_number": ("number", [f"{n}.50" for n in range(30)] + ["1.200,50"], {}),
    "unreadable_date": ("date", ["2026-02-28", "2026-02-30"], {}),
    "unreadable_timestamp": ("timestamp", ["2026-02-28T10:00:00Z", "2026-02-28T25:00:00Z"], {}),
    "contradictory_date": ("date", ["25/04/2021"] * 30 + ["04/25/2021"], {}),
    "epoch_unit": ("timestamp", ["1583517600000"] * 30 + ["1583517600"], {}),
    "unreadable_duration": ("minutes", ["30", "half an hour"], {}),
    "percent_or_fraction": ("percent", ["65", "1000"], {}),
    "spreadsheet_error": ("number", ["1", "#N/A"], {}),
    "formula_text": ("number", ["1", "=SUM(A1)"], {}),
    "auto_date": ("number", ["1", "Jan-05"], {}),
    "unreadable_boolean": ("boolean", ["TRUE", "1", "Yes", "t", "perhaps"], {}),
}
OF_TWO_COLUMNS = {
    "currency_disagrees"
}  # test_quirk_6_an_amount_that_contradicts_its_rows_currency_is_set_aside


def test_every_rule_of_cells_that_answers_a_quirk_has_a_case():
    assert set(CELL_QUIRKS) == set(CASES) | OF_TWO_COLUMNS


@pytest.mark.parametrize("rule", CASES)
def test_quirks_4_5_6_7_8_16_20_43_49_53_a_cell_rule_takes_its_cell_and_nothing_when_off(
    monkeypatch, rule
):
    """Switched off, the cell would be missing without a word."""
    kind, texts, said = CASES[rule]
    got, broken, _, _ = column(texts, kind, **said)
    assert broken == [None] * (len(texts) - 1) + [rule]
    assert None not in got[:-1]
    cell = parsers._cell
    monkeypatch.setattr(
        parsers, "_cell", lambda c, r, t: f"case when ({r}) <> '{rule}' then {cell(c, r, t)} end"
    )
    assert column(texts, kind, **said)[1] == [None] * len(texts)
