"""The few ways in which a report shows a value.

A format says once how a value reads, how far it is rounded, which unit stands in the column's head
and how a spreadsheet shows it.  The number behind a cell is rounded to what the cell says, so that
PDF, workbook and manifest never disagree and two machines write the same bytes.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
from typing import Any, Literal, NamedTuple

from analysis.project import money

MISSING = "–"  # noqa: RUF001 - a dash, as in print
AT_ONCE = "at once"  # what no months to wait are called
CANNOT_TELL = "cannot tell"

Number = int | float
Cell = Number | str | bool | None


class Format(NamedTuple):
    """How a value is shown; `unit` stands in the column's head unless the cell itself carries it."""  # noqa: E501

    kind: Literal["money", "share", "number", "text", "date", "yes_no"]
    decimals: int = 0
    unit: str = ""
    is_signed: bool = False
    millions: bool = False


FORMATS: dict[str, Format] = {
    "money": Format("money"),
    "money2": Format("money", 2),
    "millions": Format("money", 2, millions=True),
    "money_change": Format("money", is_signed=True),
    "hours": Format("number", 1, "h"),
    "hours2": Format("number", 2, "h"),
    "percent": Format("share", 1),
    "percent0": Format("share", 0),
    "percent2": Format("share", 2),
    "change": Format("share", 1, is_signed=True),  # a share more or less, such as +11.1%
    "points": Format("number", 1, "pp", is_signed=True),  # percentage points, such as +24.0
    "count": Format("number"),
    "number1": Format("number", 1),
    "number2": Format("number", 2),
    "number3": Format("number", 3),
    "months": Format("number", 1, "months"),
    "text": Format("text"),
    "date": Format("date"),
    "yes_no": Format("yes_no"),
}
WHOLE_FROM, TENTHS_FROM = 100, 10  # sizes from which an estimate needs no cents, no hundredths
SHARE_UNIT = re.compile(r"(share|rate|probability|of(?! \d)|per year|per quarter)\b")
CURRENCY_UNIT = re.compile(r"([A-Z]{3})\b\s*")


def format_of(name: str) -> Format:
    """Return the format called `name`."""
    if name not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]


def is_missing(value: object) -> bool:
    """Return whether there is no value: None, NaN, NaT or NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, numbers.Real) and math.isnan(value)


def _digits(value: float, form: Format) -> str:
    if form.millions and abs(value) < money.MILLIONS_FROM:
        return f"{value:.0f}"
    scaled = (
        value * 100 if form.kind == "share" else value / money.MILLION if form.millions else value
    )
    return f"{scaled:.{form.decimals}f}"


def round_cell(value: Any, name: str) -> Cell:  # noqa: PLR0911 - whatever a cell holds; a line a kind
    """Return a cell's value at display precision: a number, a text or a truth value; None where
    missing.
    """
    form = format_of(name)
    if is_missing(value):
        return None
    if form.kind == "text":
        return str(value)
    if form.kind == "date":
        return _day(value)
    if form.kind == "yes_no":
        return bool(value)
    number = float(_digits(float(value), form)) + 0.0  # + 0.0 turns -0.0 into 0.0
    if form.kind == "share":
        return round(number / 100, form.decimals + 2)
    if form.millions:
        return float(
            round(number if abs(float(value)) < money.MILLIONS_FROM else number * money.MILLION)
        )
    return number if form.decimals else int(number)


def cell_words(value: Any, name: str, currency: str = "") -> str:
    """Return the words and figures of a cell.

    Examples
    --------
    >>> cell_words(1234.5, "money", "USD"), cell_words(0.2, "percent"), cell_words(24, "points")
    ('$1,234', '20.0%', '+24.0')

    """
    form = format_of(name)
    if is_missing(value):
        return MISSING
    if form.kind == "text":
        return str(value)
    if form.kind == "date":
        return _day(value)
    if form.kind == "yes_no":
        return "yes" if value else "no"
    if math.isinf(float(value)):
        raise ValueError(f"{name} must be finite, got {value!r}")
    if form.kind == "money":
        return _money_words(float(value), form, currency)
    number = float(_digits(float(value), form))
    sign = money.MINUS if number < 0 else "+" if form.is_signed and number > 0 else ""
    digits = f"{abs(number):,.{form.decimals}f}"
    words = f"{sign}{digits}{'%' if form.kind == 'share' else ''}"
    return AT_ONCE if name == "months" and number == 0 else words


def _money_words(amount: float, form: Format, currency: str) -> str:
    text_of = money.millions_text if form.millions else money.amount_text
    plus = "+" if form.is_signed and float(_digits(amount, form)) > 0 else ""
    return plus + text_of(amount, currency, form.decimals)


def shorten_text(text: str, most: int = 80) -> str:
    """Return a text of the data, cut so that it cannot push other text off a page.

    Examples
    --------
    >>> shorten_text("Enterprise North", 10)
    'Enterprise…'
    """
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def for_unit(unit: str, size: float) -> str:
    """Return the format that shows an estimate of `size` in `unit` at a sensible precision."""
    size = 0.0 if math.isnan(size) else abs(size)
    if CURRENCY_UNIT.match(unit):
        return "millions" if size >= money.MILLION else "money" if size >= WHOLE_FROM else "money2"
    if unit.startswith(("hours", "months")):
        return "hours" if unit.startswith("hours") else "months"
    if unit.startswith("percentage points"):
        return "points"
    if SHARE_UNIT.match(unit):
        return "percent"
    return "count" if size >= WHOLE_FROM else "number1" if size >= TENTHS_FROM else "number2"


def with_unit(value: float, unit: str) -> str:
    """Return a figure with its unit.

    Examples
    --------
    >>> with_unit(399.0, "USD per selling hour"), with_unit(0.2, "per year")
    ('$399 per selling hour', '20.0% per year')

    """
    match = CURRENCY_UNIT.match(unit)
    return (
        f"{cell_words(value, for_unit(unit, value), match.group(1) if match else '')} "
        f"{CURRENCY_UNIT.sub('', unit)}"
    )


def display_step(name: str, size: float) -> float:
    """Return the smallest difference that a figure of `size` shows in a format.

    Examples
    --------
    >>> display_step("money", 545), display_step("percent", 0.3), display_step("millions", 92e6)
    (1.0, 0.001, 10000.0)
    """
    form = format_of(name)
    if form.millions:
        return money.MILLION / 10.0**form.decimals if abs(size) >= money.MILLIONS_FROM else 1.0
    return float(10.0 ** -(form.decimals + (2 if form.kind == "share" else 0)))


def shown_difference(value: float, other: float, name: str) -> float:
    """Return the difference of two shown figures, free of the noise of floating point."""
    difference = round_cell(value - other, name)
    return float(difference) if isinstance(difference, int | float) else 0.0


def signed_words(change: float, name: str, currency: str) -> str:
    """Return a change with its sign; that of a share is in percentage points.

    Examples
    --------
    >>> signed_words(56, "money", "USD"), signed_words(0.012, "percent", ""), signed_words(0.2, "count", "")
    ('+$56', '+1.2 pp', '0')
    """  # noqa: E501
    text = cell_words(change, name, currency)
    if format_of(name).kind == "share":
        text = f"{text.removesuffix('%')} pp"
    is_more = change > 0 and re.search("[1-9]", text) is not None
    return f"+{text}" if is_more and not text.startswith("+") else text


def spreadsheet_format(name: str, currency: str = "") -> str:
    """Return the number format with which a spreadsheet shows the cell as the report does."""
    form = format_of(name)
    decimals = f".{'0' * form.decimals}" if form.decimals else ""
    if form.kind == "money":
        sign = f'"{money.currency_symbol(currency)}"'
        digits = f"{sign}#,##0{decimals}"
        if form.millions:
            least = f"{money.MILLIONS_FROM:.0f}"
            return f'[>={least}]{digits},,"M";[<=-{least}]-{digits},,"M";{sign}#,##0'
    elif form.kind == "share":
        digits = f"0{decimals}%"
    elif form.kind == "number":
        digits = f"#,##0{decimals}"
    else:
        return "General"
    return f"+{digits};-{digits};{digits}" if form.is_signed else digits


def _day(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value)
