"""What the five articles ask for, practice by practice: where it is measured, or why it is not.

The list stands in ``article_practices.toml``, each practice once.  Figures are named by what
computes them, so that a test can look each of them up: an item of the alignment index (`E14`), a
function (``cost.chapter.ask_cost``, of a chapter's folder, or ``report.review...``), or a command.
``python -m analysis.project.article_practices > docs/practices.md`` writes the page of all of them.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

NOTEBOOKS = {  # where a chapter's folder is shown
    "data_quality": "1",
    "cost": "2",
    "selling_time": "3",
    "alignment": "4",
    "growth": "4",
    "roi": "5",
    "lead_funnel": "6",
    "marketing_requests": "7",
    "closed_loop": "8",
    "team_pack": "9",
    "joint_work": "10",
}
HEAD = """\
# The practices of the five articles

Written by `python -m analysis.project.article_practices > docs/practices.md`; a test holds it equal
to the code. Do not edit it by hand. Each practice, warning, figure and process of the articles
stands here once, in our words. *Measured in* names the notebook (N), the item of the alignment
index (E, in notebook 4), the review pages or the command, and what computes it. A practice that is
not measured says why, and what it would take.
"""


class ArticlePractice(NamedTuple):
    """What an article asks for.

    `figure` is what is measured of it, `by` what computes that; of one that is not measured both
    are empty, and `because` and `takes` say why not and what it would take.
    """

    id: str
    practice: str
    figure: str = ""
    by: tuple[str, ...] = ()
    because: str = ""
    takes: str = ""

    @property
    def article(self) -> str:
        """Id of the article it stands in."""
        return self.id.split("-")[0]

    @property
    def is_measured(self) -> bool:
        """Whether a figure of the report measures it."""
        return bool(self.by)


def _read() -> tuple[dict[str, str], tuple[ArticlePractice, ...]]:
    text = (
        resources.files("analysis.project")
        .joinpath("article_practices.toml")
        .read_text(encoding="utf-8")
    )
    content = tomllib.loads(text)
    practices = tuple(
        ArticlePractice(name, **{**entry, "by": tuple(entry.get("by", ()))})
        for name, entry in content["practices"].items()
    )
    return content["articles"], practices


ARTICLES, PRACTICES = _read()


def place_of(by: str) -> str:
    """Return where a reader finds what computes a figure.

    Examples
    --------
    >>> [place_of(by) for by in ("E14", "cost.chapter.ask_cost", "command vet")]
    ['E14', 'N2', 'vet']
    """
    first, _, rest = by.partition(".")
    if first == "report":
        return "review"
    return f"N{NOTEBOOKS[first]}" if rest else by.removeprefix("command ")


def places(practice: ArticlePractice) -> str:
    """Return the places in which a practice is measured, each once."""
    return ", ".join(dict.fromkeys(place_of(by) for by in practice.by))


def counts_sentence(practices: Iterable[ArticlePractice] = PRACTICES) -> str:
    """Say how many practices are measured and how many are not.

    Examples
    --------
    >>> one = ArticlePractice("000-01", "a", figure="f", by=("E11",))
    >>> counts_sentence([one, ArticlePractice("000-02", "b", because="c", takes="d")])
    'Of 2 practices of the articles, 1 is measured and 1 is not.'
    """
    every = list(practices)
    n = sum(p.is_measured for p in every)

    def counted(number: int) -> str:
        return f"{number} {'is' if number == 1 else 'are'}"

    return (
        f"Of {len(every)} practices of the articles, {counted(n)} measured and "
        f"{counted(len(every) - n)} not."
    )


def practice_rows(article: str) -> list[dict[str, str]]:
    """Return an article's practices as a report lists them: a row a practice."""
    return [
        {
            "practice": p.practice,
            "in": places(p) or "not measured",
            "measured as, or why not": p.figure or f"{p.because}; it takes {p.takes}",
        }
        for p in PRACTICES
        if p.article == article
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def practices_markdown() -> str:
    """Return the page of all practices as markdown."""
    parts = [HEAD, counts_sentence() + "\n"]
    for article, title in ARTICLES.items():
        mine = [p for p in PRACTICES if p.article == article]
        parts += [
            f"## {title}\n\n{counts_sentence(mine).replace('of the articles', 'of this article')}\n"
        ]
        lines = [("Id", "Practice", "Measured as, or why not", "Measured in"), ("---",) * 4]
        for p in mine:
            text = p.figure or f"**Not measured**: {p.because}. It takes {p.takes}."
            where = "; ".join(f"{place_of(by)}" + (f" `{by}`" if "." in by else "") for by in p.by)
            lines.append((p.id, p.practice, text, where))
        parts.append("".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.buffer.write(practices_markdown().encode())
