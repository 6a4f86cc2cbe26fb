"""Page one in short: the verdicts and key metrics that a manifest keeps.

The index of all reports is made from them, and the web page names its answers by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.chapters.data_quality import answerability
from analysis.report import formats, markdown

if TYPE_CHECKING:
    from analysis.report.document import Document

WITHHELD = answerability.WITHHELD.capitalize()
CANNOT_TELL = formats.CANNOT_TELL.capitalize()
OPEN_WORDS = (CANNOT_TELL, WITHHELD)  # of answers that are none
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
    "earlier",
    "trend",
)


def brief_answers(document: Document) -> dict[str, Any]:
    """Return ``answers`` (question, word, text) and ``key_metrics`` as a manifest keeps them."""
    quarterly = document["quarterly"] or {"key_metrics": []}
    return {
        "answers": [
            {
                "question": line["question"],
                "word": line["word"],
                "text": markdown.plain_text(line["children"]),
            }
            for line in document["lines"]
        ],
        "key_metrics": [
            {key: metric[key] for key in METRIC_KEYS} | {"since": metric.get("since", "")}
            for metric in quarterly["key_metrics"]
        ],
    }
