"""Published figures, each once, with unit, source and grade.

A vendor's number is shown as a vendor's number: the grade travels with it.  Grades: A peer-reviewed
and quantitative, B peer-reviewed and qualitative or a described method, C official statistics,
D vendor survey with n, E vendor claim without a method.  Nothing here is ever a default for a
company's own figures; the constants below belong to the articles' worked example only.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Grade = Literal["A", "B", "C", "D", "E"]


class Claim(NamedTuple):
    """One published figure: `value` in `unit`, who says so, and what it is not."""

    id: str
    value: float
    unit: str
    says: str
    source: str
    year: int
    n: int | None
    grade: Grade
    bound: Literal["exact", "at most", "at least", "mean"]
    is_not: str


ARTICLE_002 = "Creating Smarketing Harmony, part 1 of 2"

CLAIMS: dict[str, Claim] = {
    claim.id: claim
    for claim in [
        Claim(
            "cost_per_selling_hour",
            399.0,
            "USD per selling hour",
            "hard cost of an hour of a rep's selling",
            ARTICLE_002,
            2013,
            None,
            "E",
            "at least",
            "not per paid hour; the split of the 110,672 on top of base pay is unknown",
        ),
        Claim(
            "required_bookings_per_selling_hour",
            3_788.0,
            "USD per selling hour",
            "bookings each selling hour must bring to make a $2M quota",
            ARTICLE_002,
            2013,
            None,
            "E",
            "at least",
            "not a cost, and not the value of one more hour",
        ),
        Claim(
            "selling_hours_per_week",
            11.0,
            "hours per rep and week",
            "actual selling time of the average salesperson",
            ARTICLE_002,
            2013,
            None,
            "E",
            "at most",
            "not measured by one definition: published shares differ 4.5 times by definition alone",
        ),
        Claim(
            "growth_aligned",
            0.20,
            "per year",
            "annual revenue growth of the best aligned companies",
            "Aberdeen Group, September 2010, as quoted",
            2010,
            453,
            "D",
            "mean",
            "not an effect: classes sorted on growth give the same gap with no effect at all",
        ),
        Claim(
            "growth_laggard",
            -0.04,
            "per year",
            "annual revenue growth of the laggards",
            "Aberdeen Group, September 2010, as quoted",
            2010,
            453,
            "D",
            "mean",
            "not an effect: classes sorted on growth give the same gap with no effect at all",
        ),
        Claim(
            "selling_elasticity",
            0.34,
            "percent of sales per percent of selling",
            "mean elasticity of personal selling over published studies",
            "Albers, Mantrala and Sridhar, Journal of Marketing Research",
            2010,
            None,
            "A",
            "mean",
            "not this company's: a prior to set its own estimate beside",
        ),
        Claim(
            "noncash_fringe_rate",
            0.188,
            "of cash pay",
            "insurance, retirement and legally required benefits of sales jobs, on cash pay",
            "US Bureau of Labor Statistics, ECEC table 4, sales and related",
            2026,
            None,
            "C",
            "mean",
            "not the 24.7% benefit share, which also holds the leave that base salary already pays",
        ),
        Claim(
            "benefit_share",
            0.247,
            "of compensation",
            "all benefits of sales jobs, paid leave included",
            "US Bureau of Labor Statistics, ECEC table 4, sales and related",
            2026,
            None,
            "C",
            "mean",
            "not to be put on a salary that already pays the leave: that counts leave twice",
        ),
    ]
}

# The articles' worked example: the preset `seed_002` of models.cost.
SELLING_HOURS_PER_WEEK = CLAIMS["selling_hours_per_week"].value  # [h]
WEEKS_PER_YEAR = 48.0  # the only quarter-hour grid point with 11 h that gives $3,788
EXAMPLE_BASE_USD = 100_000.0  # [USD/year]
EXAMPLE_LOADINGS_USD = 110_672.0  # commission and fringe together, solved for; split unknown
EXAMPLE_QUOTA_USD = 2_000_000.0  # [USD/year]
