"""Amounts and changes in words: the sign of the currency, the minus before it, millions only where
they are some, and no sign before what rounds to nothing.

Whatever states an amount in a sentence, a label or an axis takes it from here, so that no other
sign than the reporting currency's ever stands beside a company's figure.
"""

from __future__ import annotations

import re

MINUS = "\N{MINUS SIGN}"
MILLION = 1e6
MILLIONS_FROM = 1e5  # below it hundredths of a million are coarser than the amount deserves
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def currency_symbol(currency: str) -> str:
    """Return what stands before an amount; a currency without a sign of its own shows its code."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(f"currency must be an ISO 4217 code such as USD, got {currency!r}")
    return SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")


def amount_text(amount: float, currency: str, decimals: int = 0) -> str:
    """Return an amount with its currency, a minus before both.

    Examples
    --------
    >>> amount_text(1234.5, "EUR"), amount_text(-0.2, "GBP")
    ('€1,234', '£0')
    """
    digits = f"{abs(amount):,.{decimals}f}"
    is_zero = not digits.strip("0.,")
    return f"{MINUS if amount < 0 and not is_zero else ''}{currency_symbol(currency)}{digits}"


def signed_number(value: float, decimals: int = 0) -> str:
    """Return a number with its sign; what rounds to nothing has none.

    Examples
    --------
    >>> signed_number(3.2), signed_number(-0.3), signed_number(-0.26, 1)
    ('+3', '0', '−0.3')
    """  # noqa: RUF002 - the minus is one
    words = f"{value:+,.{decimals}f}"
    return words.replace("-", MINUS) if words.strip("+-0.,") else words[1:]


def signed_percent(share: float, decimals: int = 0) -> str:
    """Return a share [0-1] in percent with its sign; what rounds to nothing has none.

    Examples
    --------
    >>> signed_percent(0.112), signed_percent(-0.004), signed_percent(-0.004, 1)
    ('+11%', '0%', '−0.4%')
    """  # noqa: RUF002 - the minus is one
    return f"{signed_number(100 * share, decimals)}%"


def millions_text(amount: float, currency: str, decimals: int = 2) -> str:
    """Return an amount in millions, or whole where it is too small for that.

    Examples
    --------
    >>> millions_text(92_084_000, "USD"), millions_text(20_000, "USD")
    ('$92.08M', '$20,000')
    """
    if abs(amount) < MILLIONS_FROM:
        return amount_text(amount, currency)
    return f"{amount_text(amount / MILLION, currency, decimals)}M"
