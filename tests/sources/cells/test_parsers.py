"""Texts of a form become values; texts of another form become nothing, never something else."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis.sources import database
from analysis.sources.cells import parsers


@pytest.fixture(scope="module")
def connection():
    with database.open_session() as connection:
        database.set_variable(connection, "dataset_key", "key")
        database.set_variable(connection, "currency", "USD")
        yield connection


def value(connection, parser: str, text: str):
    """Return what `parser` makes of `text`; timestamps as UTC text."""
    sql = parsers.PARSERS[parser].sql.replace("{x}", "$text")
    sql = f"({sql})::varchar" if parser in ("timestamp", "midnight") else sql
    return connection.execute(f"select {sql}", {"text": text}).fetchone()[0]


GOOD = {
    "text": [('a, "b"\nc', 'a, "b"\nc'), ("=HYPERLINK(1)", "=HYPERLINK(1)"), ("5 @ 3", "5 @ 3")],
    "id": [("00017", "00017"), ("12345678901234567", "12345678901234567"), ("12E45", "12E45")],
    "name_key": [("GTX Pro", "gtxpro"), ("Müller & Co.", "mullerco"), ("株式 会社", "株式会社")],
    "number": [("0", 0.0), ("-1200.50", -1200.5), ("+7", 7.0), ("007", 7.0)],
    "email_domain": [("Ada@Example.com", "example.com"), ("a.b@mail.example.co.uk", "mail.example.co.uk"), ("ada@", "")],
    "currency": [("EUR", "EUR"), ("€", "EUR"), ("US$", "USD"), ("$", "USD")],
    "fraction": [("0.65", 0.65), ("1", 1.0), ("0", 0.0)],
    "percent": [("65", 0.65), ("100", 1.0), ("0", 0.0), ("12.5", 0.125)],
    "probability": [("65", 0.65), ("100", 1.0), ("0", 0.0)],
    "count": [("12", 12), ("12.0", 12), ("9007199254740993", 9007199254740993)],
    "date": [("2026-09-30", dt.date(2026, 9, 30)), ("2024-02-29", dt.date(2024, 2, 29))],
    "timestamp": [
        ("2026-09-30T14:30:00Z", "2026-09-30 14:30:00+00"),
        ("2026-09-30T14:30:00.000+0000", "2026-09-30 14:30:00+00"),
        ("2026-09-30 14:30:00+02:00", "2026-09-30 12:30:00+00"),
        ("2026-09-30T23:30:00-05:00", "2026-10-01 04:30:00+00"),
    ],
    "midnight": [("2026-09-30", "2026-09-30 00:00:00+00")],
    "boolean": [("true", True), ("TRUE", True), ("Yes", True), ("1", True), ("t", True), ("0", False), ("No", False)],
}  # fmt: skip

BAD = {
    "text": ["#REF!", "#N/A", "#value!"],
    "email_domain": [],  # any text may stand beside addresses: it has no domain
    "currency": ["¥", "euro", "kr", "5"],
    "fraction": ["65", "-0.1", "65%"],
    "id": ["2.58E+16", "3e+07", "2.5E16", "2,58E+16", "ada@example.com", "#REF!", "#N/A", "=A1"],
    "name_key": ["---", "!"],
    "number": ["1,200.50", "1.200,50", "1 200", "(5)", "$5", "5 %", "1e5", "#REF!", "=SUM(A1)", "inf", "nan", "9" * 400],
    "percent": ["1000", "-1", "65%"],
    "probability": ["1000", "-1", "65%"],
    "count": ["12.5", "-1", "1e3", "9" * 30],
    "date": ["30/09/2026", "09/30/2026", "2026-02-30", "2026-9-3", "20260930", "43101", "Jan-05", "2026-09-30T00:00:00Z"],
    "timestamp": ["2026-09-30T14:30:00", "2026-09-30", "1601562600", "2026-09-30T25:00:00Z", "2026-02-30T10:00:00Z"],
    "midnight": ["2026-02-30", "30/09/2026"],
    "boolean": ["maybe", "2", "-1", "TRUE!"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("parser", "text", "expected"), [(p, t, v) for p, rows in GOOD.items() for t, v in rows]
)
def test_a_text_of_the_form_is_read(connection, parser, text, expected):
    assert value(connection, parser, text) == expected


@pytest.mark.parametrize(("parser", "text"), [(p, t) for p, texts in BAD.items() for t in texts])
def test_a_text_of_another_form_is_not_guessed(connection, parser, text):
    assert value(connection, parser, text) is None


def test_every_parser_has_literals_here():
    """Those of people and Salesforce ids have tests of their own below, lengths of time in test_evidence, quarters in test_odd_exports."""
    elsewhere = {
        "entry_id",
        "salesforce_id",
        "salesforce_rep",
        "salesforce_named",
        "ids",
        "rep",
        "person",
        "seconds",
        "milliseconds",
        "minutes",
        "hours",
        "duration",
        "quarter",
    }
    assert set(GOOD) | elsewhere == set(parsers.PARSERS)
    assert set(BAD) | elsewhere == set(parsers.PARSERS)


def test_quirk_4_an_id_of_15_characters_gets_the_suffix_of_its_capitals(connection):
    """001C0: C is 4th, 8, I. 00000: none, A. o4OOI: 3rd to 5th, 4 + 8 + 16 = 28, 2 (after 26 letters, 0, 1)."""
    assert value(connection, "salesforce_id", "001C000000o4OOI") == "001C000000o4OOIIA2"
    assert value(connection, "salesforce_id", "001C000000o4Ooi") == "001C000000o4OoiIAE"


@pytest.mark.parametrize(
    "text",
    [
        "001C000000o4OOIIA3",
        "001C000000O4OoIIA2",
        "001C000000O4OOI9A2",
        "001C000000o4OO",
        "001C000000o4OOII",
        "001C000000o4OO!",
        "2.58E+16",
    ],
)
def test_quirk_4_an_id_with_a_wrong_suffix_or_length_is_refused(connection, text):
    assert value(connection, "salesforce_id", text) is None


def test_an_id_of_18_characters_with_its_suffix_is_kept(connection):
    assert value(connection, "salesforce_id", "001C000000o4OOIIA2") == "001C000000o4OOIIA2"


@pytest.mark.parametrize("text", ["001C000000O4OOIIA2", "001c000000o4ooiia2"])
def test_quirk_4_an_id_in_capitals_is_set_right_by_its_suffix(connection, text):
    """IA2: C of the first five; 8, 16 and 4 of the last: its o is small, its second O, third O and I are capitals."""
    assert value(connection, "salesforce_id", text) == "001C000000o4OOIIA2"


@pytest.mark.parametrize("text", ["00017", "22595", "12345678901234567", "9007199254740993"])
def test_quirk_5_a_number_that_is_an_id_stays_a_text(connection, text):
    """Leading zeros, and beyond 2**53 what a double cannot hold."""
    assert value(connection, "id", text) == text


@pytest.mark.parametrize("text", ["2.58E+16", "2,58E+16", "1.23E+05"])
def test_quirk_5_an_id_in_scientific_notation_is_refused(connection, text):
    assert value(connection, "id", text) is None


@pytest.mark.parametrize(
    "text", ["true", "TRUE", "1", "Yes", "t", "Y", "on", "Wahr", "Ja", "VRAI", "Sí", "1.0"]
)
def test_quirk_53_each_spelling_of_true(connection, text):
    assert value(connection, "boolean", text) is True


@pytest.mark.parametrize(
    "text", ["false", "FALSE", "0", "No", "f", "N", "off", "Falsch", "Nein", "FAUX", "Não", "0.0"]
)
def test_quirk_53_each_spelling_of_false(connection, text):
    assert value(connection, "boolean", text) is False


def test_a_person_is_a_pseudonym_that_hangs_on_the_dataset(connection):
    """The same person, however capitalised, is one; another dataset's key gives another pseudonym."""
    one = value(connection, "person", "Moses Frase")
    assert one == value(connection, "person", "MOSES FRASE")
    assert one != value(connection, "person", "Darcel Schlecht")
    assert one[0] == "P"
    assert len(one) == 12
    assert "MOSES" not in one.upper()
    database.set_variable(connection, "dataset_key", "another")
    try:
        assert value(connection, "person", "Moses Frase") != one
    finally:
        database.set_variable(connection, "dataset_key", "key")


def test_an_email_address_in_a_text_is_masked(connection):
    got = value(connection, "text", "Ask ada.b+crm@mail.example.com, or Ben")
    assert got == "Ask [e-mail], or Ben"


MAVEN = [
    "GTX Basic",
    "GTX Pro",
    "MG Special",
    "MG Advanced",
    "GTX Plus Pro",
    "GTX Plus Basic",
    "GTK 500",
]


def test_spellings_of_a_name_share_its_key(connection):
    for text in ("GTXPro", "gtx pro", " GTX-Pro ", "GTX  PRO"):
        assert value(connection, "name_key", text) == value(connection, "name_key", "GTX Pro")


def test_no_two_products_share_a_key(connection):
    """All seven of Maven's, and numbers that differ by a digit said twice."""
    names = [*MAVEN, "GTX 5000", "GTK 5000", "GTK 50"]
    assert len({value(connection, "name_key", n) for n in names}) == 10


def test_names_and_constants_are_quoted():
    """A quote in a name or a text ends neither."""
    assert database.quote_identifier('a"b') == '"a""b"'
    assert database.quote_literal("a'; drop table reps; --") == "'a''; drop table reps; --'"
