"""What goes wrong in real exports, planted on purpose: each defect with the ids it hit.

A planted row carries one defect only.  Defects that cost money keep to the smaller half of the
deals, so that a quarter's bookings stay well within 1 % of the control total.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.simulate.defects import activity_defects, hand_kept_defects, opportunity_defects
from analysis.simulate.defects.sheet import Defect, Rates, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


def plant_defects(files: dict[str, pa.Table], rates: Rates, seed: int) -> dict[str, Defect]:
    """Soil the files in place, and return what was planted, by file and rule."""
    defects: dict[str, Defect] = {}
    subjects: tuple[tuple[str, str, Callable[[Sheet, Rates, dict[str, pa.Table]], None]], ...] = (
        ("Opportunity", "opportunities", opportunity_defects.soil_opportunities),
        ("Event", "activities", activity_defects.soil_events),
        ("Task", "activities", activity_defects.soil_tasks),
        ("User", "reps", hand_kept_defects.soil_users),
        ("rep_team_history", "rep_team_history", hand_kept_defects.soil_memberships),
        ("compensation", "compensation", hand_kept_defects.soil_pay),
        ("quotas", "quotas", hand_kept_defects.soil_quotas),
        *((file, file, soil) for file, soil in hand_kept_defects.SUBJECTS.items()),
    )
    for number, (file, about, soil) in enumerate(subjects):
        sheet = Sheet(file, about, files[file], np.random.default_rng([seed, 13, number]))
        soil(sheet, rates, files)
        files[file] = sheet.done()
        defects |= sheet.defects
    return defects
