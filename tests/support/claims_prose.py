"""Which numbers in a notebook's words are neither computed, nor registered, nor part of a definition.

A number in prose is accounted for in one of five ways, each tied to the words around it, so that no
number is excused for merely looking like another:

1. a year or a quarter's name;
2. a figure of `claims`, if the same paragraph names its source or cites its id;
3. a figure computed from the articles' example, if the same paragraph speaks of the article or example;
4. a figure that a benchmark measured, if the same paragraph names the script and ``benchmarks/RESULTS.md`` has
   it under that script;
5. a parameter of a definition, as a whole phrase of `DEFINITIONS`: add a phrase there, with its reason.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

from analysis.chapters.cost import worked_example
from analysis.project import claims

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
NUMBER = re.compile(r"(?<![\w.,])[-\N{MINUS SIGN}]?\d+(?:,\d{3})*(?:\.\d+)?(?!\w)(\s?%)?")
YEAR = re.compile(r"(?<![\w.,$\-])(?:19|20)\d\d(?:Q[1-4])?(?![\w%]|[.,]\d|\s?%)")
CODE = re.compile(r"`[^`]*`")
SCRIPT = re.compile(r"benchmarks/(\w+\.py)")
PROSE_KEYWORDS = {"caption", "title", "note", "alt", "label", "needs"}
EXAMPLE = re.compile(r"\b(article|example)", re.IGNORECASE)

# What a number is a parameter of: whole phrases, each with why it is no finding.
DEFINITIONS: dict[str, str] = {
    r"95% intervals?": "the level of every interval",
    r"95% from": "the level of every interval, as a column's head",
    r"spread between reps \(95%\)": "the level of every interval",
    r"n - 1 degrees of freedom": "definition of the jackknife's t",
    r"more than 20 points": "what counts as a change of logging, models.quality",
    r"call of 40 hours": "an example of a time that cannot be true",
    r"0\.945 to 0\.951 at nominal 0\.95": "measured when the interval was chosen, see models.cost.ratio_of_sums",
    r"[Cc]hance( of making it)? (is )?below 20%": "cut of what is called out of reach, models.attainability",
    r"more than 100 times the median": "what counts as an implausible amount, models.quality",
    r"at 90%, 80% and 60%": "assumed shares logged, shown as such",
    r"Assumed: 60% and 80%": "assumed shares of hours qualified, shown as such",
    r"1% more hours": "unit of the elasticity",
    r"90% interval of NPV": "the level of an interval",
    r"of 100 points": "the scale of the index",
    r"23 practices": "the items of alignment.items.ITEMS",
    r"95% band": "the level of every band",
    r"quarters 0 to 4": "horizon of growth/specification.toml",
    r"give or take 1 point a quarter": "drift_sd_points of growth/specification.toml",
    r"bookings alone: 2 more": "apart_sd_points of growth/specification.toml",
    r"fewer than 6 adopters": "fewest_adopters of growth/specification.toml",
    r"at least 90% both": "SURE of chapters.roi.decision",
    r"at most 10% with both": "1 - SURE of chapters.roi.decision",
    r"[Ww]ithin 90 days": "horizon of chapters.lead_funnel: an opportunity",
    r"younger than 90 days": "the same",
    r"Target of 90 days": "a preset of chapters.lead_funnel.ramp, from article 002",
    r"the article's 18 months": "the other preset",
    r"a chance below 5%": "what chapters.lead_funnel.ramp calls out of reach",
    r"Lost, of 100 leads": "what leads are counted of",
    r"Opportunity in 90 d": "the same, as a column's head",
    r"first 30 days": "SIGNAL_DAYS of panels.sales_ready",
    r"needs 60% of its signs": "ENOUGH of chapters.alignment.reference",
    r"drawn together, 400 times": "draws of chapters.lead_funnel.reverse_funnel",
    r"younger than 60 days": "material too young to have had its chance, models.roi.avoided",
}


def unaccounted(text: str) -> list[str]:
    """Return the numbers of `text` that nothing accounts for, in order, each with the words around it."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n(?=- |#)", text):
        words = paragraph.replace("\\$", "$").replace("$", "")
        rest = YEAR.sub(" ", CODE.sub(" ", words))
        for phrase in DEFINITIONS:
            rest = re.sub(phrase, " ", rest)
        found += [
            f"{match.group().strip()} in “…{rest[max(match.start() - 40, 0) : match.end() + 20].strip()}…”"
            for match in NUMBER.finditer(rest)
            if not _is_known(match, words)
        ]
    return found


def prose(notebook: Path) -> list[str]:
    """Return a notebook's words: its markdown, and what its calls of `show` say besides what they compute."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            texts.append(source)
        elif cell["cell_type"] == "code":
            calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
            for call in calls:
                if ast.unparse(call.func).startswith("show."):
                    said = [
                        *call.args[:1],
                        *(k.value for k in call.keywords if k.arg in PROSE_KEYWORDS),
                    ]
                    texts += [_words(node) for node in said]
    return [text for text in texts if text]


def chapter_prose(door: Path) -> list[str]:
    """Return the words of a chapter's labelled tables: captions, labels, notes."""
    calls = [n for n in ast.walk(ast.parse(door.read_text())) if isinstance(n, ast.Call)]
    tables = [
        c
        for c in calls
        if ast.unparse(c.func) in {"LabelledTable", "_labelled", "shown_table"} and len(c.args) > 2
    ]
    texts = []
    for call in tables:
        said = [call.args[1], *(k.value for k in call.keywords if k.arg in PROSE_KEYWORDS)]
        if isinstance(call.args[2], ast.Dict):
            said += [v.elts[1] for v in call.args[2].values if isinstance(v, ast.Tuple)]
        texts += [_words(node) for node in said]
    return [text for text in texts if text]


def _words(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return ""


def _is_known(match: re.Match[str], paragraph: str) -> bool:
    shown = match.group().rstrip("% ").replace(",", "").replace("\N{MINUS SIGN}", "-")
    places = len(shown.partition(".")[2])
    is_percent = bool(match.group(1))
    known = _registered(paragraph)
    if EXAMPLE.search(paragraph):
        known = known | _example()
    for script in SCRIPT.findall(paragraph):
        known = known | _measured(script)
    value = abs(float(shown))
    scales = (100,) if is_percent else (1, 100)
    return any(round(abs(each) * scale, places) == value for each in known for scale in scales)


def _registered(paragraph: str) -> frozenset[float]:
    """Return the values of the claims whose source or id the paragraph names, and their n."""
    values: set[float] = set()
    for claim in claims.CLAIMS.values():
        names = re.findall(r"[A-Z]\w{3,}", claim.source.removesuffix("as quoted"))
        is_named = any(re.search(rf"\b{name}\b", paragraph) for name in names[:3])
        is_article = claim.source.startswith("Creating Smarketing") and EXAMPLE.search(paragraph)
        if is_named or is_article or f"`{claim.id}`" in paragraph:
            values |= {claim.value} | ({float(claim.n)} if claim.n else set())
    return frozenset(values)


@cache
def _example() -> frozenset[float]:
    """Return what the articles' example consists of, and what it comes to."""
    twelve = worked_example.more_hours(12)
    example = worked_example.SEED_002
    return frozenset(
        {
            example.base_amount, example.loadings_amount, example.quota_amount, example.weeks_per_year,
            example.hours_per_week, example.selling_hours, *twelve["bookings_amount"], *twelve["bookings_per_added_hour"],
        }
    )  # fmt: skip


@cache
def _measured(script: str) -> frozenset[float]:
    """Return every number that RESULTS.md has under the heading of `script`."""
    sections = re.split(r"^## ", RESULTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    own = "\n".join(section for section in sections if section.startswith(script))
    numbers = re.findall(r"(?<![\w.])\d*(?:,\d{3})*\.?\d+", own)
    return frozenset(float(number.replace(",", "")) for number in numbers)
