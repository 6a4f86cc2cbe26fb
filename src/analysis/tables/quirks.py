"""What is known to go wrong in CRM exports, by the number that rules and tests cite."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAMED = re.compile(r"^def (test_\w*?quirks?_\d\w*)", re.MULTILINE)

QUIRKS: dict[int, str] = {
    1: "A report's footer below the rows",
    2: "Totals and subtotals among the rows, or a pivot in place of records",
    3: "Group cells left blank below the first",
    4: "Ids of 15 characters whose case matters, and of 18",
    5: "Long ids that a spreadsheet turned into numbers",
    6: "Several currencies in one column, or no rate for one",
    7: "Numbers written the local way",
    8: "Dates of another or of mixed order",
    9: "UTF-16 and other encodings",
    10: "Line breaks, commas and quotes inside cells",
    11: "API names, labels and translated labels",
    12: "Deleted and archived records in the export",
    13: "Merged records",
    14: "Stage history newest first, or with stages left out",
    15: "A close date that a time zone moves into another quarter",
    16: "Seconds read as milliseconds: times in 1970",
    17: "Clocks that change: a length by the wall clock",
    18: "Fiscal years that do not start in January",
    19: "Quarters that the data cover in part",
    20: "Tasks without a length, and lengths in another unit",
    21: "A stated length that contradicts start and end",
    22: "All-day entries",
    23: "A series' master beside its meetings",
    24: "One meeting, a row an invitee",
    25: "The same meeting logged by the rep and by a sync",
    26: "Bulk imports that look like work",
    27: "Cancelled, future, negative or unknown length",
    28: "Mail and meetings captured outside the CRM: logging differs by team and date",
    29: "What counts as selling",
    30: "Reps who join, leave or change teams; owners of today on deals of yesterday",
    31: "Queues, machines and people who left as owners",
    32: "Quotas repeated, rolled up or blank",
    33: "A published figure that was rounded",
    34: "Pay by month or year, rates as percent or share",
    35: "One lead in many campaigns",
    36: "Leads handed back and qualified again",
    37: "Leads converted without an opportunity",
    38: "Placeholders that stand for missing",
    39: "Spellings of one name",
    40: "Test records",
    41: "Negative, absent and absurd amounts",
    42: "Closed before it was created",
    43: "A probability that contradicts the stage",
    44: "Several pipelines in one export",
    45: "One deal of several companies",
    46: "Deals split between owners",
    47: "Very many duplicates",
    48: "Cells that a spreadsheet or page would run",
    49: "Formulas, spreadsheet errors and dates made of text",
    50: "Names, e-mails and pay",
    51: "Empty, cut or capped files",
    52: "The same record twice, or in two versions",
    53: "Spellings of yes and no",
    54: "Records nested in records",
}


def quirk_numbers(test: str) -> set[int]:
    """Return the quirks that a test is named for.

    Examples
    --------
    >>> sorted(quirk_numbers("test_dates_quirk_7")), sorted(quirk_numbers("test_quirks_7_and_8")), quirk_numbers("test_of_9")
    ([7], [7, 8], set())
    """  # noqa: E501
    return {
        int(n)
        for run in re.findall(r"quirks?((?:_(?:and_)?\d+)+)", test)
        for n in re.findall(r"\d+", run)
    }


def named_tests(folder: Path) -> dict[int, set[str]]:
    """Return the tests named for each quirk, as ``<file>::<name>``."""
    tests_of: dict[int, set[str]] = defaultdict(set)
    for file in sorted(folder.rglob("test_*.py")):
        for name in NAMED.findall(file.read_text(encoding="utf-8")):
            for quirk in quirk_numbers(name):
                tests_of[quirk].add(f"{file.stem}::{name}")
    return tests_of
