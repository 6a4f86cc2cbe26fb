"""What page one says, in few words: the verdicts and key metrics that a manifest keeps.

The index of all reports is made from them, and the web page names its answers by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.chapters.data_quality import answerability
from analysis.report import formats, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.report.document import Document

WITHHELD = answerability.WITHHELD.capitalize()
CANNOT_TELL = formats.CANNOT_TELL.capitalize()
OPEN_WORDS = (CANNOT_TELL, WITHHELD)  # of answers that are none
WORD_OF_KIND = {"cannot_tell": CANNOT_TELL, "decision": "To decide", "none": ""}
METRIC_KEYS = (
    "name",
    "label",
    "value",
    "unit",
    "interval",
    "interval_name",
    "n",
    "target",
    "met",
    "last",
    "trend",
)


def answer_word(line: Mapping[str, Any]) -> str:
    """Return the verdict of a line of page one in a word or two; empty where it has none.

    Examples
    --------
    >>> answer_word({"kind": "finding", "verdict": "likely pays", "children": ["It does."]})
    'Likely pays'
    """
    if line["kind"] == "cannot_tell" and str(line["children"][0]).startswith(f"{WITHHELD}."):
        return WITHHELD
    word = str(line.get("verdict") or "") or WORD_OF_KIND.get(line["kind"], "")
    return word[:1].upper() + word[1:]


def brief_answers(document: Document) -> dict[str, Any]:
    """Return ``answers`` (question, word, text) and ``key_metrics`` as a manifest keeps them."""
    quarterly = document["quarterly"] or {"key_metrics": [], "before": ""}
    return {
        "answers": [
            {
                "question": line["question"],
                "word": answer_word(line),
                "text": markdown.plain_text(line["children"]),
            }
            for line in document["lines"]
        ],
        "key_metrics": [
            {key: metric[key] for key in METRIC_KEYS}
            | {"before": quarterly["before"], "since": metric.get("since", "")}
            for metric in quarterly["key_metrics"]
        ],
    }
