"""How one column of one export is read, once its notation is decided.

And what could not be decided.
"""

from __future__ import annotations

from typing import NamedTuple


class MappedColumn(NamedTuple):
    """Where a canonical (or work) column comes from.

    A column, a constant or other columns by SQL.
    """

    name: str
    source: str | None = None
    parser: str = "text"
    missing: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    constant: str | None = None
    sql: str | None = None
    blanks: tuple[str, ...] = ()  # texts of this column that stand for an empty cell (crm.blanks)
    also: tuple[
        str, ...
    ] = ()  # other columns of the file that say the same: a parent's Id beside the lookup
    is_quoted: bool = False  # every text of the column has an apostrophe in front
    is_bare: bool = False  # no cell of the column has anything around its text


CLEAR_MINORITY = (
    0.05  # a larger share of contradicting cells says that the column has no one notation
)
ORDERS = ("day-first", "month-first", "year-first")
DECIMALS = ("point", "comma")
LAST_DAYS = ("inclusive", "exclusive")
CONNECTOR_MARK = (
    "_fivetran_synced"  # a column that only a connector adds to the tables it lands ...
)
OF_CONNECTOR = {
    "time_zone": "UTC",
    "decimal": "point",
}  # ... and how it writes, unless a map says otherwise
ERRORS = "('#REF!', '#N/A', '#VALUE!', '#DIV/0!', '#NAME?', '#NUM!', '#NULL!', '#####')"
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"


class Reading(NamedTuple):
    """SQL over a text `{x}`: its value, the rule it breaks where it has none, and the currency it
    names.

    `plain`: what is made of the text before, where it is not `{x}` itself that the value is read
    from.
    """

    value: str
    rule: str
    note: str = ""
    code: str | None = None
    plain: str | None = None


class Ambiguous(ValueError):  # noqa: N818  (it says what is the case; the file is then refused by it)
    """A column whose notation cannot be decided; the message says why and what would decide it."""


class Hints(NamedTuple):
    """The analyst's statements on notations that the cells leave open: ``[reading]`` of a field
    map.
    """

    date_order: str | None = None
    decimal: str | None = None
    time_zone: str | None = None
    last_day: str | None = (
        None  # of intervals: the last day that counts, or the first that no longer does
    )
    missing: tuple[str, ...] = ()  # texts that mean an empty cell, in every column
    not_missing: tuple[str, ...] = ()  # texts that do not, though the house takes them for one
    language: str | None = None

    def zone_sql(self) -> str | None:
        """Return as SQL the zone of timestamps that name none; empty where it is not stated."""
        if self.time_zone is None:
            return None
        return "getvariable('time_zone')" if self.time_zone == "company" else f"'{self.time_zone}'"


def of_spreadsheet(rule: str) -> str:
    """Return the SQL of the rule that a spreadsheet's error text breaks.

    What a spreadsheet made of it, or else the SQL `rule`.
    """
    return (
        f"case when upper({{x}}) in {ERRORS} then 'spreadsheet_error' when {{x}}[1] = '=' then 'formula_text' "
        f"when regexp_full_match(lower({{x}}), '(?:{MONTHS})-[0-9]{{1,4}}|[0-9]{{1,2}}-(?:{MONTHS})') then 'auto_date' "
        f"else {rule} end"
    )


def is_minority(less: int, more: int) -> bool:
    """Say whether `less` cells are few enough beside `more` for the column to be of the other
    notation.
    """
    return less <= CLEAR_MINORITY * (less + more)


def decided_by_cells(
    counts: dict[str, int], hint: str | None, *, none_tells: str, both_told: str
) -> str:
    """Return which of two notations the cells of a column show.

    What its cells tell, or what is said where they do not.

    Parameters
    ----------
    counts : dict
        How many cells can be read in each of the two notations only.
    hint : str or None
        What is said.
    none_tells, both_told : str
        Why it is ambiguous where no cell tells, and where too many contradict each other.
    """
    (one, n_one), (other, n_other) = counts.items()
    if (n_one or n_other) and is_minority(min(n_one, n_other), max(n_one, n_other)):
        return one if n_one > n_other else other
    if hint is None:
        raise Ambiguous(both_told if n_one or n_other else none_tells)
    return hint


CELL_RULES = {  # the rules a cell can break beside those of its way of reading
    "contradictory_date": "a day in another notation, or month and day turned round, than the rest of its column",
    "contradictory_number": "a number with decimal and thousands signs turned round against the rest of its column",
    "epoch_unit": "an epoch in another unit than its column's: try the epoch times 1000, or divided by it",
    "spreadsheet_error": "an error a spreadsheet left in place of the value, such as #REF! or #N/A",
    "formula_text": "a formula in place of the value",
    "auto_date": "a spreadsheet made a date of it, such as Jan-05: what it was cannot be told",
    "percent_or_fraction": "a share that contradicts its unit: a percentage is from 0 to 100, a fraction from 0 to 1",
    "currency_disagrees": "the amount names another currency than its row does",
    "ambiguous_currency": "a currency sign that several currencies share, and no code",
}

CELL_QUIRKS = {  # which quirk of CRM exports a rule of cells answers
    "id_checksum": 4,
    "unreadable_id": 5,
    "currency_disagrees": 6,
    "ambiguous_currency": 6,
    "unreadable_currency": 6,
    "unreadable_number": 7,
    "contradictory_number": 7,
    "unreadable_date": 8,
    "unreadable_timestamp": 8,
    "contradictory_date": 8,
    "epoch_unit": 16,
    "unreadable_duration": 20,
    "percent_or_fraction": 43,
    "spreadsheet_error": 49,
    "formula_text": 49,
    "auto_date": 49,
    "unreadable_boolean": 53,
}
