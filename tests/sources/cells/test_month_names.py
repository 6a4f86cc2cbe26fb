# ruff: noqa: RUF001
"""Dates with words: one language a column, and the refusal where two read it differently or none reads it."""

from __future__ import annotations

import datetime as dt

import pytest
from column_cells import column, values
from crm_tables import cleaned, opportunity, user, write

from analysis.project.errors import CrmDataError
from analysis.sources.cells import notation

D = dt.date


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (["3. Juli 2025", "8. März 2025", "1. Dez. 2025"], [D(2025, 7, 3), D(2025, 3, 8), D(2025, 12, 1)]),
        (["5 de marzo de 2025", "1 de enero de 2025"], [D(2025, 3, 5), D(2025, 1, 1)]),
        (["1er janvier 2025", "2 aou\u0302t 2025"], [D(2025, 1, 1), D(2025, 8, 2)]),
        (["5 Mrz 2025", "6 Okt 2025"], [D(2025, 3, 5), D(2025, 10, 6)]),
        (["5 марта 2025\u202fг.", "7 мая 2025\u202fг."], [D(2025, 3, 5), D(2025, 5, 7)]),
        (["2025. március 5.", "2025. máj. 12."], [D(2025, 3, 5), D(2025, 5, 12)]),
        (["2025年3月5日"], [D(2025, 3, 5)]),
        (["2025년 3월 5일"], [D(2025, 3, 5)]),
    ],
)  # fmt: skip
def test_quirk_8_months_are_read_in_the_language_of_the_column(texts, days):
    assert values(texts, "date") == days


def test_quirk_8_a_column_that_two_languages_read_differently_is_refused_until_one_is_said():
    """Lis is November in Polish (listopad) and October in Croatian."""
    with pytest.raises(notation.Ambiguous, match=r"differently in .*Croatian.* say language = "):
        column(["5 lis 2025", "6 lis 2025"], "date")
    assert values(["5 lis 2025"], "date", language="pl") == [D(2025, 11, 5)]
    assert values(["5 lis 2025"], "date", language="hr") == [D(2025, 10, 5)]
    assert values(["5 lis 2025", "7 gru 2025"], "date") == [D(2025, 11, 5), D(2025, 12, 7)]
    with pytest.raises(CrmDataError, match="known are"):
        notation.reading_hints({"language": "Polish"}, "a.csv", "fields.toml")


def test_quirk_8_two_letters_are_no_month_unless_a_language_says_so():
    """Fe could only be February, yet no language writes it; Ag is August in Catalan."""
    assert column(["5 Fe 2025"], "date")[:2] == ([None], ["unreadable_date"])
    assert values(["5 Ag 2025"], "date") == [D(2025, 8, 5)]


def test_quirk_8_a_year_of_another_calendar_is_not_read():
    """The Thai year 2568 is 2025: as it stands it would lie five centuries ahead."""
    assert column(["5 มีนาคม 2568"], "date")[:2] == ([None], ["unreadable_date"])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-05-17T15:00Z", "2025-05-17 15:00:00+00"), ("20250517T150000Z", "2025-05-17 15:00:00+00"),
        ("5/17/2025, 3:00:00\u202fPM", "2025-05-17 15:00:00+00"), ("17/5/2025, 3:00:00\u00a0p.\u202fm.", "2025-05-17 15:00:00+00"),
        ("2025/5/17 午後3:00:00", "2025-05-17 15:00:00+00"), ("May 17, 2025 at 3:00 PM", "2025-05-17 15:00:00+00"),
        ("2025 May 3rd 15:00", "2025-05-03 15:00:00+00"),
        ("Sat, 17 May 2025 15:00:00 +0000", "2025-05-17 15:00:00+00"),
        ("Sat May 17 2025 15:00:00 GMT+0200 (Central European Summer Time)", "2025-05-17 13:00:00+00"),
    ],
)  # fmt: skip
def test_quirk_8_each_way_of_writing_an_afternoon(text, moment):
    assert values([text], "timestamp", time_zone="UTC") == [moment]


def test_quirk_8_a_file_of_which_a_notation_covers_only_a_part_is_refused_with_its_dates(raw):
    """Three of five closing dates name a month and no day: without them two quarters would look bare."""
    days = ["2026-02-10", "2026-02-11", "Feb 2026", "Mar\u202f2026", "Jan 2026"]
    write(
        raw,
        Opportunity=[opportunity(n, CloseDate=day) for n, day in enumerate(days, 1)],
        User=[user()],
    )
    with pytest.raises(
        CrmDataError, match=r"CloseDate holds 3 of 5 .*\"Mar<U\+202F NARROW NO-BREAK SPACE>2026\""
    ):
        cleaned()


def test_quirk_8_two_slips_are_set_aside_and_the_file_is_read(raw):
    days = ["2026-02-10", "2026-02-11", "Feb 2026", "Mar 2026"]
    write(
        raw,
        Opportunity=[opportunity(n, CloseDate=day) for n, day in enumerate(days, 1)],
        User=[user()],
    )
    assert cleaned().aside() == {"unreadable_date": 2}
