"""How Salesforce spells things: ids with their check suffix, timestamps in UTC, dates, money.

Text is built as blocks of bytes, a row a value, and handed to Arrow as it lies.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Bools, Floats, Ints

_DIGITS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)
_SUFFIX = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)
_POD = "5eZx"  # stands for the instance and reserved characters
LENGTH = 18

Bytes = npt.NDArray[np.uint8]


def salesforce_ids(prefix: str, number: Ints) -> pa.Array:
    """Return 18-character ids; a number gives the same id in every export."""
    block = np.empty((len(number), LENGTH), np.uint8)
    block[:, :7] = np.frombuffer((prefix + _POD).encode(), np.uint8)
    rest = (number * 7919 + 104_729) % 62**8
    for place in range(14, 6, -1):
        rest, digit = np.divmod(rest, 62)
        block[:, place] = _DIGITS[digit]
    upper = (block[:, :15] >= ord("A")) & (block[:, :15] <= ord("Z"))
    for third in range(3):
        bits = upper[:, third * 5 : third * 5 + 5] @ (1 << np.arange(5))
        block[:, 15 + third] = _SUFFIX[bits]
    return _text(block)


def utc_stamps(start: np.datetime64, seconds: Ints) -> pa.Array:
    """Return e.g. ``2026-07-01T14:30:00.000Z``; `seconds` since the midnight of `start`, in UTC."""
    day, rest = np.divmod(seconds, 86_400)
    first = int(day.min(initial=0))
    calendar = _day_block(start, np.arange(first, int(day.max(initial=0)) + 1))
    block = np.empty((len(seconds), 24), np.uint8)
    block[:, :10] = calendar[day - first]
    block[:, 10:] = np.frombuffer(b"T00:00:00.000Z", np.uint8)
    for place, unit in ((11, 3600), (14, 60), (17, 1)):
        value, rest = np.divmod(rest, unit)
        block[:, place] += (value // 10).astype(np.uint8)
        block[:, place + 1] += (value % 10).astype(np.uint8)
    return _text(block)


def day_texts(start: np.datetime64, days: Ints, *, is_known: Bools | None = None) -> pa.Array:
    """Return e.g. ``2026-07-01``; blank where not `is_known`."""
    days = days if is_known is None else np.where(is_known, days, 0)
    first = int(days.min(initial=0))
    block = _day_block(start, np.arange(first, int(days.max(initial=0)) + 1))[days - first]
    return (
        _text(np.ascontiguousarray(block))
        if is_known is None
        else blank_out(_text(block), ~is_known)
    )


def amount_texts(amounts: Floats) -> pa.Array:
    """Return e.g. ``71000.00``."""
    cents = pa.array(np.rint(amounts * 100).astype(np.int64)).cast(pa.decimal128(19))
    return pc.multiply(cents, pa.scalar(Decimal("0.01"))).cast(pa.string())


def flag_texts(values: Bools) -> pa.Array:
    """Return ``true`` and ``false``."""
    return pa.array(["false", "true"]).take(pa.array(np.asarray(values).astype(np.int8)))


def pick_words(
    words: pa.Array | list[str] | tuple[str, ...], which: npt.NDArray[np.integer]
) -> pa.Array:
    """Return the word of each index; blank where it is negative."""
    choices = words if isinstance(words, pa.Array) else pa.array(words)
    which = np.asarray(which, np.int64)
    mask = which < 0
    return choices.take(pa.array(which, mask=mask) if mask.any() else pa.array(which))


def blank_out(values: pa.Array, where: Bools) -> pa.Array:
    """Return `values`, blank at `where`."""
    return pc.if_else(pa.array(np.asarray(where)), pa.scalar(None, pa.string()), values)


def constant_column(value: str | None, n: int) -> pa.Array:
    """Return a column of one value; None is blank."""
    return pa.repeat(pa.scalar(value, pa.string()), n)


def _day_block(start: np.datetime64, days: Ints) -> Bytes:
    text = np.datetime_as_string(start + days.astype("timedelta64[D]")).astype("S10")
    return text.view(np.uint8).reshape(-1, 10)


def _text(block: Bytes) -> pa.Array:
    n, width = block.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32)
    data = pa.py_buffer(np.ascontiguousarray(block))
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), data)
