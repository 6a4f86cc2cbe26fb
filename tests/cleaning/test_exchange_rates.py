"""Rates: the way into the reporting currency, one rate a day, and no rate where none is stated."""

from __future__ import annotations

from crm_tables import cleaned, opportunity, user, write


def rates(raw, deals, *, currency="EUR", **files):
    """Return the rate of each clean deal, in their order."""
    (raw / "alignment.toml").write_text(f'[company]\ncurrency = "{currency}"\n')
    write(raw, Opportunity=deals, User=[user()], **files)
    got = cleaned()
    return got.tables["opportunities"].sort_values("opportunity_id")[
        "fx_rate"
    ].tolist(), got.aside()


def dated(**units):
    """Return Salesforce's rates: units per unit of the corporate currency."""
    return [
        {
            "IsoCode": c,
            "StartDate": "2024-01-01",
            "NextStartDate": "9999-12-31",
            "ConversionRate": r,
        }
        for c, r in units.items()
    ]


def deals(*currencies):
    return [opportunity(n, CurrencyIsoCode=c) for n, c in enumerate(currencies, 1)]


def test_quirk_6_corporate_rates_go_through_the_reporting_currencys_own(raw):
    """0.8 EUR and 0.5 GBP to the dollar: a pound is 1.6 EUR."""
    got, aside = rates(
        raw, deals("USD", "EUR", "GBP"), DatedConversionRate=dated(USD="1", EUR="0.8", GBP="0.5")
    )
    assert (got, aside) == ([0.8, 1.0, 1.6], {})


def test_quirk_6_without_a_rate_of_the_reporting_currency_nothing_is_converted(raw):
    got, aside = rates(raw, deals("USD", "EUR"), DatedConversionRate=dated(USD="1", GBP="0.5"))
    assert (got, aside) == ([1.0], {"unknown_currency": 1})


def kept_by_hand(*rows):
    return [
        dict(zip(("currency", "valid_from", "valid_to", "rate_to_reporting"), r, strict=True))
        for r in rows
    ]


def test_quirk_6_a_rate_left_open_ends_where_the_next_begins(raw):
    """Closed on 10 February 2026, four days after the newer rate began."""
    old, new = ("GBP", "2025-01-01", "", "1.2"), ("GBP", "2026-02-06", "", "1.05")
    assert rates(raw, deals("GBP"), fx_rates=kept_by_hand(new, old)) == ([1.05], {})


def test_quirk_6_two_rates_that_both_hold_by_their_dates_convert_nothing(raw):
    old, new = (
        ("GBP", "2025-01-01", "2027-01-01", "1.2"),
        ("GBP", "2026-02-06", "2027-01-01", "1.05"),
    )
    assert rates(raw, deals("GBP", "EUR"), fx_rates=kept_by_hand(old, new)) == (
        [1.0],
        {"unknown_currency": 1},
    )


def test_quirk_6_a_hand_kept_file_into_another_currency_converts_nothing(raw):
    rows = kept_by_hand(("EUR", "2025-01-01", "", "0.8"), ("GBP", "2025-01-01", "", "0.5"))
    assert rates(raw, deals("GBP", "EUR"), fx_rates=rows) == ([1.0], {"unknown_currency": 1})


def test_quirk_6_a_blank_currency_among_filled_ones_is_set_aside(raw):
    assert rates(raw, deals("EUR", "")) == ([1.0], {"blank_currency": 1})
    assert rates(raw, deals("", "")) == ([1.0, 1.0], {})
