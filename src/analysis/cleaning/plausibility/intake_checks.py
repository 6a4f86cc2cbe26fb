"""What reading said of the files.

Refused, not all of an answer, in a notation that fits most cells only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import EVERY, NONE, Bearing, bearing_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

_PART = re.compile(r"^(?P<column>[^:]+): .*\((?P<read>[\d,]+) of (?P<of>[\d,]+)\)$")
_HOLDS = re.compile(r"(?P<read>[\d,]+) of (?P<of>[\d,]+)")
_NOT_ALL = re.compile(
    r"not all|incomplete|capped|cut off|holds [\d,]+ of [\d,]+|more pages|next page|one part",
    re.IGNORECASE,
)
_CAPPED = "looks capped"
SUSPICION = 0.05  # of a file with as many rows as some exports end at: it may be all
SEEN_BY_THEIR_IDS = {
    "accounts",
    "campaigns",
    "products",
}  # that rows are missing shows in the ids others name
_PIVOT = "it is a pivot"


def _of_tables(tables: Iterable[str]) -> Bearing:
    bearings = [bearing_of(table) for table in tables]
    decides = tuple(dict.fromkeys(q for b in bearings for q in b.decides))
    return (
        Bearing(decides, tuple(dict.fromkeys(q for b in bearings for q in b.touches)))
        if bearings
        else NONE
    )


def refused_files(data: Dataset) -> Iterator[CheckReading]:
    """Yield each file that was not understood, or that nothing reads.

    What it holds is part of no figure.
    """
    for refusal in data.account.refusals:
        if _PIVOT in refusal.reason:
            continue  # totals of rows that stand elsewhere
        yield CheckReading(
            "file_refused",
            _of_tables(refusal.tables) if refusal.tables else EVERY,
            1.0,
            1,
            f"{refusal.file} was not read: {refusal.reason.rstrip('.').splitlines()[0]}.",
            None,
            (refusal.file,),
        )


def incomplete_files(data: Dataset) -> Iterator[CheckReading]:
    """Yield each file that says, or shows, that it is incomplete."""
    for file in data.account.files:
        for warning in file.warnings:
            if not _NOT_ALL.search(warning):
                continue
            if _CAPPED in warning and set(file.tables) <= SEEN_BY_THEIR_IDS:
                continue
            counts = _HOLDS.search(warning)
            read, of = (
                (int(counts[k].replace(",", "")) for k in ("read", "of")) if counts else (0, 1)
            )
            value = (
                SUSPICION if _CAPPED in warning else 1.0 - share_of(read, of) if of >= read else 1.0
            )
            yield CheckReading(
                "file_not_all",
                _of_tables(file.tables),
                value,
                1,
                f"{file.file}: {warning.rstrip('.')}.",
                file.tables[0] if file.tables else None,
                (file.file,),
            )


def partial_notations(data: Dataset) -> Iterator[CheckReading]:
    """Yield each column of which the notation taken reads only a part."""
    for file in data.account.files:
        for note in file.notes:
            part = _PART.match(note)
            if part:
                read, of = (int(part[k].replace(",", "")) for k in ("read", "of"))
                yield CheckReading(
                    "notation_reads_a_part",
                    _of_tables(file.tables),
                    share_of(of - read, of),
                    of,
                    (
                        f"The notation taken for {part['column']} of {file.file} reads {read:,} "
                        f"of {of:,} cells."
                    ),
                    file.tables[0] if file.tables else None,
                    (),
                    of - read,
                )
