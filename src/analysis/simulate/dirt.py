"""What goes wrong in real exports, planted on purpose: each defect with the ids it hit.

A planted row carries one defect only.  Defects that cost money keep to the smaller half of the
deals, so that a quarter's bookings stay well within 1 % of the control total.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.simulate import dirt_activities, dirt_byhand, dirt_opportunities
from analysis.simulate.practice import dirt as dirt_practice
from analysis.simulate.sheet import Defect, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


@dataclass(frozen=True)
class Rates:
    """Share of a file's rows that get each defect [0-1]; their number where a default is whole."""

    deleted: float = 0.005
    repeated: float = 0.003
    test: float = 0.002
    id_checksum: float = 0.0005
    unreadable_date: float = 0.0005
    unreadable_number: float = 0.0005
    negative_amount: float = 0.0005
    amount_out_of_scale: float = 0.0002
    unknown_currency: float = 0.0005
    won_without_amount: float = 0.001
    closed_before_created: float = 0.003
    short_id: float = 0.1
    double_logged: float = 0.02
    cancelled: float = 0.01
    series: float = 0.0005
    before_1990: float = 0.001
    duration_disagrees: float = 0.001
    longer_than_8_hours: float = 0.001
    ends_before_start: float = 0.001
    after_as_of: float = 0.003
    unknown_rep: float = 0.0005
    bursts: int = 3
    burst_calls: int = 120
    call_without_duration: float = 0.02
    repeated_users: int = 2
    overlapping_memberships: int = 2
    implausible_pay: int = 2
    manager_rollups: bool = True
    repeated_annual: int = 3
    goals_twice: int = 3
    plans_turned_round: int = 2
    shares_in_percent: int = 2
    unknown_assets: int = 4
    requests_overanswered: int = 2
    requests_begun_early: int = 3
    scores_off_scale: int = 5
    meetings_ahead: int = 2


RATES = Rates()


def plant(files: dict[str, pa.Table], rates: Rates, seed: int) -> dict[str, Defect]:
    """Soil the files in place, and return what was planted, by file and rule."""
    defects: dict[str, Defect] = {}
    subjects: tuple[tuple[str, str, Callable[[Sheet, Rates, dict[str, pa.Table]], None]], ...] = (
        ("Opportunity", "opportunities", dirt_opportunities.soil),
        ("Event", "activities", dirt_activities.soil_events),
        ("Task", "activities", dirt_activities.soil_tasks),
        ("User", "reps", dirt_byhand.soil_users),
        ("rep_team_history", "rep_team_history", dirt_byhand.soil_memberships),
        ("compensation", "compensation", dirt_byhand.soil_pay),
        ("quotas", "quotas", dirt_byhand.soil_quotas),
        *((file, file, soil) for file, soil in dirt_practice.SUBJECTS.items()),
    )
    for number, (file, about, soil) in enumerate(subjects):
        sheet = Sheet(file, about, files[file], np.random.default_rng([seed, 13, number]))
        soil(sheet, rates, files)
        files[file] = sheet.done()
        defects |= sheet.defects
    return defects
