"""What panels of one company's outcomes say of joining: intervals, checks and the words they earn.

Nothing here reads a table: a study of a thousand companies calls it on panels drawn for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analysis.chapters.growth import contrasts, drift_allowance, guards, imputation, verdict
from analysis.chapters.growth.drift_allowance import OutcomeMoves
from analysis.project.errors import CrmDataError
from analysis.stats import randomisation

if TYPE_CHECKING:
    from analysis.chapters.growth.contrasts import Clusters, TeamContrast
    from analysis.chapters.growth.drift_allowance import GradedInterval
    from analysis.chapters.growth.guards import Guard
    from analysis.chapters.growth.panel import Panel, Places
    from analysis.chapters.growth.specification import Specification
    from analysis.chapters.growth.verdict import Ruling
    from analysis.stats.fixed_effects import Vector
    from analysis.stats.randomisation import RandomisationTest

SEED = 20
MORE_REPS = "adopters were given more reps"


class GrowthPanels(NamedTuple):
    """Every outcome a verdict asks for, of the same teams, quarters and starts; None where it is
    not known.

    ``bookings``, ``opportunities``, ``heads``, ``entries`` (of the log, a rep and week) and
    ``leads`` in logs; ``rerouted`` (deals that another team had created), ``moves`` (reps who came
    less those who left) and ``logging_changes`` as shares of the team's.  ``regions`` has a number
    a team, NaN where unknown.
    """

    bookings: Panel
    opportunities: Panel | None = None
    heads: Panel | None = None
    entries: Panel | None = None
    leads: Panel | None = None
    rerouted: Panel | None = None
    moves: Panel | None = None
    logging_changes: Panel | None = None
    regions: Vector | None = None


class OutcomeVerdict(NamedTuple):
    """One outcome's effect with drift allowed for, and the word it earns [log points].

    ``with_evidence`` is `effect` with opportunities as evidence, or `effect` again.
    """

    effect: GradedInterval
    with_evidence: GradedInterval
    ruling: Ruling
    guards: tuple[Guard, ...]


class GradedGrowth(NamedTuple):
    """Bookings, and opportunities by themselves; None where these are not known.

    ``drift`` is what adopters were seen to gain a quarter before the start and ``drift_error`` its
    standard error (NaN: not to be told); ``drift_to_believe`` is what they would have to gain,
    unseen, to make all of the estimate [log points a quarter].  ``not_counted`` says why
    opportunities are no evidence of bookings; "" where they are.
    """

    bookings: OutcomeVerdict
    opportunities: OutcomeVerdict | None
    clusters: Clusters
    randomisation: RandomisationTest | None
    drift: float
    drift_error: float
    drift_to_believe: float
    not_counted: str = ""


def grade_growth(
    panels: GrowthPanels, spec: Specification, records: tuple[Guard, ...] = ()
) -> GradedGrowth:
    """Return the graded answer on bookings, and on opportunities.

    `records` are checks that rest on record and not on the panels.
    """
    whole = panels.bookings
    ahead, events = spec.anticipation_quarters, np.arange(spec.horizon[0], spec.horizon[1] + 1)
    clusters = contrasts.clusters_of(whole.starts, panels.regions)
    effect = contrasts.average_effect(whole, clusters, events, anticipation=ahead)
    on_created = _effect_on_opportunities(panels, clusters, events, ahead)
    panels = panels if on_created else panels._replace(opportunities=None)
    created = panels.opportunities
    basis = guards.CheckBasis(
        clusters, events, ahead, float(np.sign(effect.estimate)), spec.against_level
    )
    lever = contrasts.drift_lever(whole, events, anticipation=ahead)
    slope, slope_of_created = (
        _slope(each, clusters, spec) if each else None for each in (whole, created)
    )
    evidence = (
        guards.logging_guard(panels.entries, panels.logging_changes, basis),
        *([guards.conversion_guard(effect, on_created)] if on_created else []),
    )
    is_evidence = not any(each.speaks for each in evidence)
    moves = OutcomeMoves(effect, slope) if slope else None
    moves_of_created = (
        OutcomeMoves(on_created, slope_of_created) if on_created and slope_of_created else None
    )
    is_few = clusters.n_treated(whole) < spec.fewest_adopters
    if moves is None or is_few:
        alone = with_evidence = drift_allowance.widen_for_drift(
            effect, lever, spec.beliefs, of_bookings=True
        )
        of_created = on_created and drift_allowance.widen_for_drift(
            on_created, lever, spec.beliefs, of_bookings=False
        )
    else:
        alone, with_evidence = (
            drift_allowance.allow_for_drift(
                moves, moves_of_created, lever, spec.beliefs, is_evidence=each
            )
            for each in (False, is_evidence and moves_of_created is not None)
        )
        of_created = moves_of_created and drift_allowance.allow_for_drift(
            moves, moves_of_created, lever, spec.beliefs, is_evidence=False,
            of=drift_allowance.EFFECT_ON_OPPORTUNITIES,
        )  # fmt: skip
    drawn = _randomised(whole, clusters, alone, spec)
    shared = _shared_guards(panels, basis, spec)
    several = (
        *shared, *records, *evidence,
        guards.agreement_guard(effect, contrasts.companion(whole, spec.horizon), spec.against_level)
        if not clusters.is_region
        else guards.Guard("two ways to estimate it disagree", None, "regions joined as one"),
        guards.start_guard(whole, basis, effect),
        guards.single_team(
            effect, float(np.sign(alone.estimate)), "region" if clusters.is_region else "team"
        ),
        guards.randomisation_guard(drawn, spec.alpha),
    )  # fmt: skip
    on_bookings = OutcomeVerdict(
        alone, with_evidence, verdict.rule_on_effect(alone, with_evidence, several, spec), several
    )
    on_opportunities = None
    if created and on_created and of_created:
        on_opportunities = _opportunities(
            created, on_created, of_created, (*shared, *evidence), basis, spec
        )
    return GradedGrowth(
        bookings=on_bookings,
        opportunities=on_opportunities,
        clusters=clusters,
        randomisation=drawn,
        drift=slope.estimate if slope else float("nan"),
        drift_error=slope.error if slope else float("nan"),
        drift_to_believe=effect.estimate / lever if lever > 0 else float("nan"),
        not_counted=_why_not_counted(
            evidence, spec, is_few=is_few, is_known=bool(moves and moves_of_created)
        ),
    )


def _why_not_counted(
    evidence: tuple[Guard, ...], spec: Specification, *, is_few: bool, is_known: bool
) -> str:
    """Return why opportunities are no evidence of bookings; "" where they are."""
    if is_few:
        return f"fewer than {spec.fewest_adopters} joined"
    if not is_known:
        return "they, or quarters before the start, are known of too few teams"
    return next((each.name for each in evidence if each.speaks), "")


def _effect_on_opportunities(
    panels: GrowthPanels, clusters: Clusters, events: Places, anticipation: int
) -> TeamContrast | None:
    """Return the effect on opportunities created, or None where they are not known well enough."""
    if panels.opportunities is None:
        return None
    try:
        return contrasts.average_effect(
            panels.opportunities, clusters, events, anticipation=anticipation
        )
    except CrmDataError:
        return None


def _slope(whole: Panel, clusters: Clusters, spec: Specification) -> TeamContrast | None:
    try:
        return contrasts.slope_before_start(
            whole, clusters, anticipation=spec.anticipation_quarters
        )
    except CrmDataError:
        return None


def _randomised(
    whole: Panel, clusters: Clusters, effect: GradedInterval, spec: Specification
) -> RandomisationTest | None:
    """Return the test by chance picks, or None where the word it guards is out of reach anyway."""
    if not effect.excludes_zero(spec.level) and not clusters.is_region:
        return None
    return imputation.randomise_starts(
        whole,
        rng=np.random.default_rng(SEED),
        n_draws=spec.randomisation_draws,
        alpha=spec.alpha,
        horizon=spec.horizon,
        anticipation=spec.anticipation_quarters,
        clusters=clusters.codes if clusters.is_region else None,
    )


def _shared_guards(
    panels: GrowthPanels, basis: guards.CheckBasis, spec: Specification
) -> tuple[Guard, ...]:
    """Return the checks that concern bookings and opportunities alike."""
    refusal = ""
    if basis.clusters.is_region:
        starts = imputation.usual_starts(panels.bookings.starts, basis.clusters.codes)
        counts = np.unique(starts, return_counts=True)[1].tolist()
        refusal = randomisation.refuse_assignments(randomisation.n_assignments(counts), spec.alpha)
    placebo = [
        guards.placebo_guard(whole, basis, noun, n_quarters=spec.placebo_quarters)
        for whole, noun in (
            (panels.bookings, "bookings"),
            (panels.opportunities, "opportunities created"),
        )
        if whole
    ]
    return (
        *placebo,
        guards.moved_guard(MORE_REPS, panels.heads, basis, "the team's reps"),
        guards.moved_guard(
            "reps were moved to adopters", panels.moves, basis, "the team's reps a quarter",
            spec.against_level,
        ),
        guards.moved_guard(
            "deals were rerouted to adopters", panels.rerouted, basis,
            "deals that another team had created",
        ),
        guards.leads_guard(panels.leads, basis),
        guards.region_guard(basis.clusters, refusal, is_known=panels.regions is not None),
    )  # fmt: skip


def _opportunities(
    created: Panel,
    effect: TeamContrast,
    graded: GradedInterval,
    several: tuple[Guard, ...],
    basis: guards.CheckBasis,
    spec: Specification,
) -> OutcomeVerdict:
    """Return the verdict on opportunities created by themselves.

    Where adopters log more since the start, more opportunities say nothing.
    """
    logging = [each._replace(bars="answer") for each in several if each.bars == "opportunities"]
    drawn = _randomised(created, basis.clusters, graded, spec)
    own = (
        *(each for each in several if each.bars != "opportunities"),
        *logging[:1],
        guards.single_team(
            effect,
            float(np.sign(graded.estimate)),
            "region" if basis.clusters.is_region else "team",
        ),
        guards.randomisation_guard(drawn, spec.alpha),
    )
    return OutcomeVerdict(graded, graded, verdict.rule_on_effect(graded, graded, own, spec), own)
