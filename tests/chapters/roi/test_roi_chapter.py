"""What the chapter on the return says of what nobody knows."""

from types import SimpleNamespace

import pandas as pd
import pytest
from roi_case import programme

from analysis.chapters.roi import chapter, costs, headlines


@pytest.mark.parametrize(("heads", "is_said"), [(None, True), (object(), False)])
def test_reps_that_nobody_counted_are_no_hires_of_zero(heads, is_said):
    """Their pay is then missing from the cost, and the page says so."""
    growth = SimpleNamespace(
        assessment=SimpleNamespace(heads=heads), sentence=lambda: "Joining raised bookings."
    )
    appraised = chapter.Appraised(
        None, {}, SimpleNamespace(case=programme(), growth=growth), None, {}
    )
    assert ("pay of those reps is missing from the cost" in chapter.data_sentence(appraised)) is (
        is_said
    )


def test_the_present_value_names_the_lift_it_rests_on():
    """Between what was assumed beforehand and the +35% estimated, and the page says all three."""
    case = programme(lift=0.3, error=0.02)
    growth = SimpleNamespace(growth_gap=SimpleNamespace(estimate=0.12))
    appraised = chapter.Appraised(
        None, {}, SimpleNamespace(case=case, growth=growth), SimpleNamespace(is_shown=True), {}
    )
    weighed = headlines.weighed_lift(case)
    assert 0.03 < weighed < headlines.estimated_lift(case)[0]
    assert appraised.lift_note.endswith(f"at a lift of {weighed:+.0%}.")
    assert appraised.lifts_sentence == (
        f"The money rests on a lift of {weighed:+.0%}: bookings alone say +12%; with new "
        f"opportunities as evidence it is +35%; the +3% we assumed beforehand draws that to {weighed:+.0%}."
    )
    hidden = appraised._replace(decision=SimpleNamespace(is_shown=False))
    assert hidden.lifts_sentence == ""
    alone = case._replace(effect=case.effect._replace(not_counted="fewer than 6 joined"))
    assert (
        "bookings alone say +35%; opportunities were not counted, because fewer than 6 joined; the"
        in headlines.lifts_sentence(alone, 0.35)
    )
    assert "from bookings alone, as fewer than 6 joined" in headlines.method_words(alone)


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [
        (["2026-01-01"], ["2026-10-01"], ""),
        (["2026-01-01", "2027-01-01"], ["2026-04-01", "2028-01-01"], "up to 2026-03-31 only"),
        ([], [], "No item of cost is entered"),
    ],
)
def test_costs_that_end_before_the_quarter_does_are_said_to(starts, ends, words):
    """What is planned for next year does not fill the quarters before it."""
    items = pd.DataFrame({"period_start": starts, "period_end": ends})
    said = costs.costs_end_sentence(items, "2026Q3")
    assert words in said
    assert bool(words) is bool(said)
    assert costs.last_counted(programme()) == "2025Q4"


@pytest.mark.parametrize(
    ("meetings", "words"),
    [
        (
            3_000_000.0,
            "Up to 2026Q3 the programme has cost $4.00M; 75% of that is meetings of both sides.",
        ),
        (float("nan"), ""),
    ],
)
def test_what_the_programme_has_cost_is_said_where_it_is_known(meetings, words):
    """1 of tools and 3 of meetings: 4 million; without the meetings' cost no total is known."""
    amounts = [1_000_000.0, meetings, 1_000_000.0 + meetings]
    spent = pd.DataFrame(
        {"item": ["Tools", "Meetings of both sides", "Together"], "cost_amount": amounts}
    )
    spent["share"] = spent["cost_amount"] / amounts[-1]
    assert costs.spent_sentence(spent, "2026Q3", "USD") == words
