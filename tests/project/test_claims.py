"""Published figures carry who says so and what they are not."""

from typing import get_args

import claims_prose
import pytest

from analysis.project import claims
from analysis.project.claims import CLAIMS

VENDOR = {
    "cost_per_selling_hour": 399, "required_bookings_per_selling_hour": 3_788, "selling_hours_per_week": 11,
    "growth_aligned": 0.20, "growth_laggard": -0.04,
}  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda c: c.id)
def test_a_claim_says_all_of_itself(claim):
    """Unit, words, source, a plausible year, a grade, and the misreading it invites."""
    assert CLAIMS[claim.id] is claim
    assert all([claim.unit, claim.says, claim.source, claim.is_not])
    assert claim.grade in get_args(claims.Grade)
    assert 1990 < claim.year <= 2026
    assert claim.n is None or claim.n > 0


@pytest.mark.parametrize(("name", "value"), VENDOR.items())
def test_the_articles_figures_are_the_articles(name, value):
    assert CLAIMS[name].value == value


@pytest.mark.parametrize("name", VENDOR)
def test_a_vendors_figure_is_graded_as_a_vendors(name):
    """D with an n, E without."""
    claim = CLAIMS[name]
    assert claim.grade == ("D" if claim.n else "E")


def test_a_survey_of_vendors_is_graded_d_only_with_its_n():
    """Without n, what is called a survey is a claim."""
    assert [c.id for c in CLAIMS.values() if c.grade == "D" and not c.n] == []


def test_the_gap_is_the_difference_of_its_two_ends():
    """20% less -4% is 24 points."""
    assert CLAIMS["growth_gap"].value == pytest.approx(
        CLAIMS["growth_aligned"].value - CLAIMS["growth_laggard"].value
    )


def test_the_classes_of_companies_are_all_companies():
    """20, 50 and 30 percent."""
    shares = [CLAIMS[f"class_share_{name}"].value for name in ("best", "average", "laggard")]
    assert shares == [0.20, 0.50, 0.30]
    assert sum(shares) == pytest.approx(1)


def test_the_worked_example_gives_both_figures():
    """48 weeks of 11 hours are 528; 210,672 / 528 = 399.0 and 2,000,000 / 528 = 3,787.88."""
    hours = claims.WEEKS_PER_YEAR * claims.SELLING_HOURS_PER_WEEK
    assert hours == 528
    assert (claims.EXAMPLE_BASE_USD + claims.EXAMPLE_LOADINGS_USD) / hours == pytest.approx(
        399, abs=0.001
    )
    assert round(claims.EXAMPLE_QUOTA_USD / hours) == 3_788


def test_rates_are_shares_not_percent():
    """Whatever is per year, of something, or relative."""
    shares = [c for c in CLAIMS.values() if c.unit.startswith(("per year", "of ", "relative"))]
    assert len(shares) > 20
    assert [c.id for c in shares if not -1 < c.value < 1] == []


@pytest.mark.parametrize(
    "notebook", sorted((claims_prose.ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_every_number_in_a_notebooks_words_is_computed_or_registered(notebook):
    """Else register it in claims.toml and name its source, compute it, or add its phrase to DEFINITIONS."""
    texts = claims_prose.prose(notebook)
    assert len(texts) > 5
    assert [number for text in texts for number in claims_prose.unaccounted(text)] == []


@pytest.mark.parametrize(
    "door",
    sorted((claims_prose.ROOT / "src/analysis/chapters").glob("*/chapter.py")),
    ids=lambda p: p.parent.name,
)
def test_every_number_in_the_words_of_a_chapters_tables_is_too(door):
    texts = claims_prose.chapter_prose(door)
    assert len(texts) > 5 or door.parent.name == "alignment"
    assert [number for text in texts for number in claims_prose.unaccounted(text)] == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Aligned companies grow 32 % faster.", "32 %"),
        ("Aligned companies grow 32% faster (Forrester).", "32%"),
        ("Aberdeen Group found 20% against -9%.", "-9%"),
        ("Teams that talk sell 20% more.", "20%"),
        ("An hour costs \\$399.", "399"),
        ("In the article's example an hour costs \\$388.", "388"),
        ("As `growth_gap` has it, 25 points.", "25"),
        ("In 1,000 companies it covered 91.3% (`benchmarks/selling_time.py`).", "91.3%"),
        ("In 1,000 companies it covered 95.3%.", "1,000"),
        ("It takes 2013.5 hours.", "2013.5"),
        ("Growth of 2010% is no year.", "2010%"),
        ("First paragraph names Aberdeen.\n\nThe second says 24 points.", "24"),
    ],
)
def test_a_number_from_nowhere_is_found(text, number):
    """A vendor's figure under another's name, a registered one whose source is not named, a bench that says otherwise."""
    assert claims_prose.unaccounted(text)[0].startswith(f"{number} in")


@pytest.mark.parametrize(
    "text",
    [
        "Aberdeen Group, 2010 (n = 453): 20% against \N{MINUS SIGN}4%.",
        "The vendor's `growth_gap` of 24 points.",
        "Albers and others give 0.34.",
        "In the article's example (\\$2,000,000 over 48 weeks of 11 hours) a twelfth hour brings \\$60,052.",
        "Quarters 2024Q4 to 2026Q3, 95% intervals, `min = 3`.",
    ],
)
def test_a_number_with_its_source_beside_it_passes(text):
    assert claims_prose.unaccounted(text) == []
