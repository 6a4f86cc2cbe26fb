"""What the chapter on the return says of what nobody knows."""

from types import SimpleNamespace

import pytest
from roi_case import programme

from analysis.chapters.roi import chapter


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
