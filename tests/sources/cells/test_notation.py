"""A column's cells decide how it is read: dates, numbers, lengths, and the refusal where they do not tell."""

from __future__ import annotations

import csv
import datetime as dt
import os
from pathlib import Path

import pytest
from column_cells import column, read_columns, single_cells, values
from crm_tables import cleaned, opportunity, user, write

from analysis.project.errors import CrmDataError
from analysis.sources.cells import notation

D = dt.date


def test_quirk_8_day_first_is_decided_by_a_day_above_12():
    """03/04 is read as the 25 shows: the day stands first."""
    got, rules, notes, _ = column(["03/04/2021", "25/04/2021", ""], "date")
    assert got == [D(2021, 4, 3), D(2021, 4, 25), None]
    assert rules == [None, None, None]
    assert notes == ("It: day-first (1 days above 12 of 2)",)


def test_quirk_8_month_first_is_decided_by_a_day_above_12():
    assert values(["03/04/2021", "04/25/2021"], "date") == [D(2021, 3, 4), D(2021, 4, 25)]


def test_quirk_8_a_column_of_days_up_to_12_is_refused_until_somebody_says():
    with pytest.raises(notation.Ambiguous, match=r"no day of its 2 is above 12; say date_order"):
        column(["03/04/2021", "12/12/2021"], "date")
    assert values(["03/04/2021", "12/12/2021"], "date", date_order="day-first") == [
        D(2021, 4, 3),
        D(2021, 12, 12),
    ]
    assert values(["03/04/2021", "12/12/2021"], "date", date_order="month-first") == [
        D(2021, 3, 4),
        D(2021, 12, 12),
    ]


def test_quirk_8_evidence_both_ways_is_refused():
    with pytest.raises(
        notation.Ambiguous,
        match=r"1 days that can only stand first and 1 that can only stand second",
    ):
        column(["13/01/2021", "01/13/2021"], "date")


def test_quirk_8_a_contradictory_minority_is_set_aside_and_never_turned():
    """1 of 21 days stands the other way round: a clear minority."""
    got, rules, notes, _ = column([*["13/01/2021"] * 20, "01/13/2021", "02/03/2021"], "date")
    assert got == [*[D(2021, 1, 13)] * 20, None, D(2021, 3, 2)]
    assert rules == [*[None] * 20, "contradictory_date", None]
    assert notes == ("It: day-first (20 days above 12 of 22; 1 contradict it and are set aside)",)


def test_quirk_8_a_stray_notation_is_set_aside_and_half_of_each_is_refused():
    got, rules, _, _ = column([*["2021-01-13"] * 20, "14/01/2021"], "date")
    assert (got[-1], rules[-1]) == (None, "contradictory_date")
    with pytest.raises(notation.Ambiguous, match="mixes notations of dates"):
        column(["2021-01-13", "14/01/2021"], "date")


DAYS = {
    "15.04.2021": D(2021, 4, 15), "15-04-2021": D(2021, 4, 15), "4/15/2021": D(2021, 4, 15), "15 Apr, 2021": D(2021, 4, 15),
    "15-Apr-21": D(2021, 4, 15), "April 15, 2021": D(2021, 4, 15), "Apr 15th 2021": D(2021, 4, 15),
    "Thu, 15 Apr 2021": D(2021, 4, 15), "2021/4/15": D(2021, 4, 15), "20210415": D(2021, 4, 15),
    "43101": D(2018, 1, 1), "2021-04-15": D(2021, 4, 15), "15 Apr, 2021 00:02:00": D(2021, 4, 15),
    "15.04.2021 23:30": D(2021, 4, 15),
}  # fmt: skip
DAYS_OF_SHORT_YEARS = {"15/4/21": D(2021, 4, 15), "15.04.98": D(1998, 4, 15)}


@pytest.mark.parametrize(
    ("days", "hints"), [(DAYS, {}), (DAYS_OF_SHORT_YEARS, {"date_order": "day-first"})]
)
def test_quirk_8_each_notation_of_a_day(days, hints):
    """Naive times on a day's column stay on the day that is written."""
    read = single_cells(list(days), "date", **hints)
    assert dict(zip(days, read, strict=True)) == {text: (day, None) for text, day in days.items()}


def test_quirk_8_years_of_two_digits_that_could_stand_first_are_refused():
    """21-04-15, 21-04-28: 21 April 2015 or 15 April 2021."""
    with pytest.raises(notation.Ambiguous, match="whose first two digits could be the year"):
        column(["21-04-15", "21-04-28"], "date")
    assert values(["21-04-15"], "date", date_order="year-first") == [D(2021, 4, 15)]
    assert values(["03-04-21", "28-04-21"], "date") == [D(2021, 4, 3), D(2021, 4, 28)]


MOMENTS = {
    "2021-04-15T14:30:00Z": "2021-04-15 14:30:00+00",
    "2021-04-15T14:30:00.123456Z": "2021-04-15 14:30:00.123456+00",
    "2021-04-15 14:30:00.5 UTC": "2021-04-15 14:30:00.5+00",
    "2021-04-15T14:30:00+0200": "2021-04-15 12:30:00+00",
    "15/04/2021 14:30:00 +02:00": "2021-04-15 12:30:00+00",
    "4/15/2021 2:30 PM Z": "2021-04-15 14:30:00+00",
    "4/15/2021 12:05:07 AM Z": "2021-04-15 00:05:07+00",
    "15 Apr, 2021 00:02:00 Z": "2021-04-15 00:02:00+00",
    "1601562600": "2020-10-01 14:30:00+00",
    "1601562600000": "2020-10-01 14:30:00+00",
    "2021-04-15": "2021-04-15 00:00:00+00",
    "43101": "2018-01-01 00:00:00+00",
}


def test_quirk_8_each_notation_of_a_moment():
    read = single_cells(list(MOMENTS), "timestamp")
    assert dict(zip(MOMENTS, read, strict=True)) == {t: (m, None) for t, m in MOMENTS.items()}


def test_quirk_8_mixed_fractions_of_a_second_lose_nothing():
    texts = ["2021-04-15T14:30:00Z", "2021-04-15T14:30:00.1Z", "2021-04-15T14:30:00.123456789Z"]
    assert [v[:19] for v in values(texts, "timestamp")] == ["2021-04-15 14:30:00"] * 3


def test_quirk_8_an_impossible_day_is_set_aside_and_is_no_evidence():
    """30 February is neither order's; 31 April is no day though it says that the day stands first."""
    got, rules, _, _ = column(["2021-04-15", "2021-02-30", "30/02/2021"], "date")
    assert got == [D(2021, 4, 15), None, None]
    assert rules == [None, "unreadable_date", "unreadable_date"]


def test_quirk_8_times_without_a_zone_need_one_said():
    """In Phoenix, seven hours behind, 18:00 is 01:00 of the next day."""
    with pytest.raises(
        notation.Ambiguous, match=r'2 times without a zone; say time_zone = "company"'
    ):
        column(["2021-04-15 18:00:00", "2021-04-15 00:00"], "timestamp")
    assert values(["2021-04-15 18:00:00"], "timestamp", time_zone="company") == [
        "2021-04-16 01:00:00+00"
    ]
    assert values(["2021-04-15 18:00:00"], "timestamp", time_zone="Europe/Berlin") == [
        "2021-04-15 16:00:00+00"
    ]


def test_quirk_15_a_moment_counts_on_its_local_day():
    """01:09 UTC on 1 April is still 31 March in Phoenix."""
    assert values(["2023-04-01T01:09:44Z", "2023-04-02T12:00:00Z"], "date") == [
        D(2023, 3, 31),
        D(2023, 4, 2),
    ]


def test_quirk_15_a_day_is_not_shifted_by_a_zone():
    """HubSpot writes a day as its midnight UTC, as text or as milliseconds."""
    assert values(["2015-05-01T00:00:00Z", "2015-05-02T00:00:00.000Z"], "date") == [
        D(2015, 5, 1),
        D(2015, 5, 2),
    ]
    assert values(["1430438400000"], "date") == [D(2015, 5, 1)]
    assert values(["1430438400000", "1430442000000"], "date") == [D(2015, 4, 30), D(2015, 4, 30)]


def test_quirk_16_an_epoch_in_another_unit_than_its_column_is_set_aside():
    """Nine in milliseconds, one in seconds: read as milliseconds it would be of 1970."""
    got, rules, notes, _ = column([*["1601562600000"] * 9, "1601562600"], "timestamp")
    assert got == [*["2020-10-01 14:30:00+00"] * 9, None]
    assert rules[-1] == "epoch_unit"
    assert "read as milliseconds" in notes[0]


def test_quirk_17_lengths_across_a_change_of_clocks_are_told_in_utc():
    """In New York 01:30 to 03:30 on 8 March 2026 is one hour, as the clock leaps from 2 to 3."""
    start, end = values(
        ["2026-03-08 01:30", "2026-03-08 03:30"], "timestamp", time_zone="America/New_York"
    )
    assert (start, end) == ("2026-03-08 06:30:00+00", "2026-03-08 07:30:00+00")


NUMBERS = {  # by the decimal sign that somebody named
    None: {
        "1.200,50": 1200.5, "1 200,50": 1200.5, "1'200.50": 1200.5, "1\u2019200.50": 1200.5,
        "(1,200.00)": -1200.0, "1,117.10K": 1_117_100.0, "3.00E+07": 30_000_000.0, "$1,200.00": 1200.0,
        "1.200,00 €": 1200.0, "€ 1.200,00": 1200.0, "USD 1,200.00": 1200.0, "1\u00a0200,50": 1200.5,
        "1\u202f200,50": 1200.5, "\u22121,200.00": -1200.0, "1,200.00-": -1200.0, "-$1,200.50": -1200.5,
        "65 %": 0.65, "1.5M": 1_500_000.0, "2bn": 2e9, ".5": 0.5, "1,234,567": 1_234_567.0,
        "1.234.567": 1_234_567.0, "12,34,567.50": 1_234_567.5,
    },
    "point": {
        "1.200": 1.2, "1,200": 1200.0,
    },
    "comma": {
        "1.200": 1200.0, "1,200": 1.2,
    },
}  # fmt: skip


@pytest.mark.parametrize("decimal", NUMBERS)
def test_quirk_7_each_notation_of_a_number(decimal):
    numbers = NUMBERS[decimal]
    read = single_cells(list(numbers), "number", **({"decimal": decimal} if decimal else {}))
    assert dict(zip(numbers, read, strict=True)) == {t: (n, None) for t, n in numbers.items()}


@pytest.mark.parametrize("texts", [["1.200"], ["1,200", "950"], ["1.200", "20.000", "-3.500"]])
def test_quirk_7_a_column_of_thousands_or_decimals_is_refused(texts):
    with pytest.raises(notation.Ambiguous, match='say decimal = "point" or "comma"'):
        column(texts, "number")


def test_quirk_7_another_cell_of_the_column_tells_the_decimal_sign():
    assert values(["1.200", "0.5"], "number") == [1.2, 0.5]
    assert values(["1.200", "1.200,50"], "number") == [1200.0, 1200.5]
    assert values(["1,200", "1,200.50", "7"], "number") == [1200.0, 1200.5, 7.0]


def test_quirk_7_a_number_against_its_column_is_set_aside():
    got, rules, notes, _ = column([*["1.200,50"] * 20, "1,200.50"], "number")
    assert (got[-1], rules[-1]) == (None, "contradictory_number")
    assert notes == ("It: decimal comma (20 of 21 can be read no other way)",)
    with pytest.raises(
        notation.Ambiguous, match="1 numbers with a decimal point and 1 with a decimal comma"
    ):
        column(["1.200,50", "1,200.50"], "number")


def test_quirk_7_what_is_no_number_is_set_aside():
    """Each in a column of its own, whose decimal point is told by the others."""
    texts = ["(5", "1,20", "12,00,0.5", "1 2", "five", "1.2.3", "9" * 16, "1,200.50.1"]
    columns = {f"It{n}": [*["1,200.50"] * 20, text] for n, text in enumerate(texts)}
    read, _, _ = read_columns(columns, "number")
    for text, (numbers, rules) in zip(texts, read.values(), strict=True):
        assert numbers == [*[1200.5] * 20, None], text
        assert rules[:-1] == [None] * 20, text
        assert rules[-1] in {"unreadable_number", "contradictory_number"}, text


def test_quirk_6_amounts_that_name_their_currency_fill_it():
    got, rules, _, codes = column(["USD 1,200.00", "EUR 100.00", "€5.50", "7.25"], "number")
    assert got == [1200.0, 100.0, 5.5, 7.25]
    assert codes == ["USD", "EUR", "EUR", None]
    assert rules == [None] * 4


def test_quirk_6_a_dollar_sign_is_the_companys_dollar_or_nobodys():
    assert column(["$5.50"], "number", currency="CAD")[3] == ["CAD"]
    _, rules, _, codes = column(["$5.50"], "number", currency="EUR")
    assert (rules, codes) == (["ambiguous_currency"], [None])


def test_quirk_6_an_amount_that_contradicts_its_rows_currency_is_set_aside(raw):
    deals = [
        opportunity(1, Amount="EUR 100.50", CurrencyIsoCode="USD"),
        opportunity(2, Amount="USD 100.50"),
    ]
    write(raw, Opportunity=deals, User=[user()])
    got = cleaned()
    assert got.aside() == {"currency_disagrees": 1}
    assert got.tables["opportunities"]["raw_amount"].tolist() == [100.5]


LENGTHS = {  # by the kind that the map names: texts with their minutes, or without any
    "seconds": {"420": 7.0, "30 min": 30.0, "2h": 120.0, "-60": -1.0, "1:30": None},
    "milliseconds": {"420000": 7.0},
    "minutes": {"420": 420.0, "1:30": 1.5, "PT1H30M": 90.0, "90 s": 1.5, "long": None},
    "hours": {"1.5": 90.0, "1:30": 90.0},
    "duration": {
        "1:30:00": 90.0,
        "PT30M": 30.0,
        "1,5 h": 90.0,
        "1h 30m": 90.0,
        "420000 ms": 7.0,
        "420": None,
        "1:30": None,
    },
}


@pytest.mark.parametrize("kind", LENGTHS)
def test_quirk_20_each_length_of_time_is_told_in_minutes_or_set_aside(kind):
    """Its own unit wins over the map's; a clock of two parts begins with the map's unit; without a unit it is none."""
    lengths = LENGTHS[kind]
    read = single_cells(list(lengths), kind)
    assert dict(zip(lengths, read, strict=True)) == {
        text: (None, "unreadable_duration") if minutes is None else (pytest.approx(minutes), None)
        for text, minutes in lengths.items()
    }


@pytest.mark.parametrize("kind", ["number", "date", "timestamp", "count", "minutes", "percent"])
def test_quirk_49_what_a_spreadsheet_left_is_set_aside_by_name(kind):
    rules = {
        "#REF!": "spreadsheet_error", "#N/A": "spreadsheet_error", "=SUM(A1)": "formula_text", "Jan-05": "auto_date",
        "5-Jan": "auto_date",
    }  # fmt: skip
    read = single_cells(list(rules), kind)
    assert dict(zip(rules, read, strict=True)) == {t: (None, rule) for t, rule in rules.items()}


def test_quirk_43_a_percentage_and_a_fraction_are_told_by_the_map():
    assert values(["65", "100"], "percent") == [0.65, 1.0]
    assert values(["0.65", "1"], "fraction") == [0.65, 1.0]
    assert values(["65%", "12.5 %"], "percent") == [0.65, 0.125]
    assert column(["65", "1000"], "percent")[:2] == ([0.65, None], [None, "percent_or_fraction"])
    assert column(["0.5", "65"], "fraction")[:2] == ([0.5, None], [None, "percent_or_fraction"])


def test_quirk_43_percentages_that_are_all_fractions_are_set_aside():
    got, rules, notes, _ = column(["0.65", "0.1", "1"], "percent")
    assert got == [None, None, None]
    assert rules == ["percent_or_fraction"] * 3
    assert "fractions, not the percentages" in notes[0]


def test_quirk_43_probabilities_of_which_none_is_above_one_are_fractions():
    """A spreadsheet's cells formatted as percent come as fractions; deals at 1 % and none above there are not."""
    got, rules, notes, _ = column(["1", "0", "0.6"], "probability")
    assert (got, rules) == ([1.0, 0.0, 0.6], [None] * 3)
    assert "2 of 3 lie between 0 and 1 and none above: fractions" in notes[0]
    assert values(["1", "0", "100"], "probability") == [0.01, 0.0, 1.0]
    assert values(["100%", "0 %"], "probability") == [1.0, 0.0]
    assert values(["0", "0"], "probability") == [0.0, 0.0]


def test_quirk_38_tokens_for_missing_are_counted_and_NA_is_a_region(raw):  # noqa: N802
    """'Select' is missing where the map lists it; 'NA' and 'unknown' are values."""
    (raw / "fields.toml").write_text(
        '[[export]]\ntable = "products"\nobject = "families"\nneeds = ["product", "region"]\n[export.columns]\n'
        'product_id = { from = "product", as = "id" }\nproduct_name = { from = "product" }\n'
        'product_family = { from = "region", missing = ["Select", "--None--", "-", "n/a"] }\n'
    )
    texts = ["NA", "Select", "--None--", "-", "n/a", "unknown", ""]
    rows = [{"product": f"t{i}", "region": text} for i, text in enumerate(texts)]
    write(raw, regions=rows, Opportunity=[opportunity(1)], User=[user()])
    got = cleaned()
    families = got.tables["products"].set_index("product_id")["product_family"]
    assert [t if isinstance(t, str) else None for t in families.sort_index()] == [
        "NA",
        None,
        None,
        None,
        None,
        "unknown",
        None,
    ]
    notes = next(f.notes for f in got.audit.files if f.file == "regions.csv")
    assert "region: 1 cells say Select and are missing" in notes


def test_quirk_8_a_file_that_cannot_be_told_is_refused_by_name_and_the_remedy_works(raw):
    deals = [opportunity(1, CloseDate="02/03/2026"), opportunity(2, CloseDate="05/03/2026")]
    write(raw, Opportunity=deals, User=[user()])
    with pytest.raises(
        CrmDataError, match=r"Opportunity.csv: its column CloseDate does not tell day from month"
    ):
        cleaned()
    (raw / "fields.toml").write_text('[reading."Opportunity.csv"]\ndate_order = "day-first"\n')
    assert cleaned().tables["opportunities"]["close_date"].tolist() == [
        D(2026, 3, 2),
        D(2026, 3, 5),
    ]


def test_a_wrong_word_under_reading_is_refused_with_the_nearest():
    with pytest.raises(CrmDataError, match="Did you mean date_order"):
        notation.reading_hints({"dateorder": "day-first"}, "a.csv", "fields.toml")
    with pytest.raises(CrmDataError, match="Did you mean day-first"):
        notation.reading_hints({"date_order": "dayfirst"}, "a.csv", "fields.toml")
    with pytest.raises(CrmDataError, match="Mars"):
        notation.reading_hints({"time_zone": "Mars"}, "a.csv", "fields.toml")
    assert (
        notation.reading_hints(
            {"decimal": "comma", "a.csv": {"decimal": "point"}}, "a.csv", "fields.toml"
        ).decimal
        == "point"
    )


def written(order: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return opportunities with their days and amounts as a US or European export writes them."""
    form, swap = {"us": ("{1}/{2}/{0}", False), "eu": ("{2}.{1}.{0}", True)}[order]
    out = []
    for row in rows:
        amount = f"{float(row['Amount']):,.2f}"
        amount = amount.translate(str.maketrans(",.", ".,")) if swap else amount
        created = (
            form.format(*row["CreatedDate"][:10].split("-"))
            + " "
            + row["CreatedDate"][11:19]
            + " Z"
        )
        out.append(
            row
            | {
                "Amount": amount,
                "CloseDate": form.format(*row["CloseDate"].split("-")),
                "CreatedDate": created,
            }
        )
    return out


def test_quirk_8_three_serialisations_give_one_table(raw):
    """ISO, US and European dates and numbers of the same rows."""
    rows = [
        opportunity(i, Amount=amount, CloseDate=day, CreatedDate=f"2025-12-{i + 10}T09:0{i}:00Z")
        for i, (amount, day) in enumerate(
            [("1200", "2026-01-02"), ("99.50", "2026-02-28"), ("12345.25", "2026-03-31")], 1
        )
    ]
    write(raw, Opportunity=rows, User=[user()])
    iso = cleaned().tables["opportunities"]
    assert len(iso) == 3
    for order in ("us", "eu"):
        write(raw, Opportunity=written(order, rows), User=[user()])
        assert iso.equals(cleaned().tables["opportunities"]), order


def test_a_header_only_file_decides_nothing(raw):
    """No cell, no evidence, no refusal."""
    write(raw, User=[user()], Opportunity=[opportunity(1)])
    with (raw / "Opportunity.csv").open() as stream:
        header = next(csv.reader(stream))
    (raw / "More.csv").write_text(",".join(header) + "\n")
    assert len(cleaned().tables["opportunities"]) == 1


REFERENCE = os.environ.get("ALIGNMENT_ROI_REFERENCE", "")


@pytest.mark.study
@pytest.mark.skipif(
    not REFERENCE, reason="ALIGNMENT_ROI_REFERENCE names no folder with Maven's data"
)
def test_quirk_8_mavens_deals_in_iso_us_and_european_notation_are_one_table(raw):
    """All 8,800, with 36 % of their days such that pandas would turn them silently."""
    tables = []
    for form, mark in (("{0}-{1}-{2}", ""), ("{1}/{2}/{0}", ","), ("{2}-{1}-{0}", ".")):
        for file in sorted(Path(REFERENCE, "maven_crm").glob("*__iso.csv")):
            with file.open(newline="", encoding="utf-8") as stream:
                rows = list(csv.DictReader(stream))
            for row in rows:
                row |= {
                    c: form.format(*row[c].split("-"))
                    for c in ("engage_date", "close_date")
                    if row.get(c)
                }
                if row.get("close_value") and mark:
                    row["close_value"] = f"{float(row['close_value']):,.2f}".translate(
                        str.maketrans(",.", ".," if mark == "." else ",.")
                    )
            write(raw, **{file.stem: rows})
        tables.append(cleaned(as_of=None, today=D(2026, 11, 1)).tables["opportunities"])
    assert len(tables[0]) == 8_800
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_years_of_the_buddhist_calendar_are_taken_back_leap_days_and_all():
    days = [dt.date(2024, 2, 29), dt.date(2026, 3, 13)]
    assert values(["2567-02-29", "2569-03-13"], "date") == days
    assert values(["29/02/2567", "13/3/2569"], "date") == days
    assert values(["2567-02-29 10:05:00+00", "2569-03-13T11:00:00Z"], "timestamp") == [
        "2024-02-29 10:05:00+00",
        "2026-03-13 11:00:00+00",
    ]


def test_a_column_of_two_calendars_is_refused_and_a_slip_is_no_calendar():
    with pytest.raises(notation.Ambiguous, match=r"mixes years of two calendars \(1 of 3 are Budd"):
        values(["2569-01-05", "2026-01-05", "2026-01-06"], "date")
    got = values([*["2026-01-05"] * 30, "2569-01-05"], "date")
    assert got[-1] == dt.date(2569, 1, 5)
