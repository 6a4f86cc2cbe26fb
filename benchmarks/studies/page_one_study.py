"""Page one of whole companies: all five answers, from exports that are cleaned as any company's.

One company of the demo's size a kind of programme.  The exports are simulated and cleaned and the
chapters asked, so that cost and worth of an hour are what page one says of the same company.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from analysis.chapters.cost import chapter as cost
from analysis.chapters.growth import chapter as growth
from analysis.chapters.roi import chapter as roi
from analysis.chapters.selling_time import selling_answer
from analysis.panels import build
from analysis.project import paths
from analysis.simulate.exports import write
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.store.company import open_company
from studies import decision_study

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

HIRES, TEAM_SIZE = 2, 8  # a team's new reps, and those it has without them
DATASET = "simulated"
SMALLEST = 0.1  # elasticity that matters, as the notebook has it
HIRE_LATE = f"""
create temp table late as
select rep_id, start_date
from rep_team_history join programme using (team_id) join reps using (rep_id)
where role = 'rep' and valid_from < start_date and valid_to is null and left_on is null
qualify row_number() over (partition by team_id order by rep_id) <= {HIRES};
update reps set hired_on = start_date from late where reps.rep_id = late.rep_id;
delete from opportunities using late
where owner_rep_id = late.rep_id and created_at::date < start_date;
delete from stage_history where opportunity_id not in (select opportunity_id from opportunities);
"""  # two of an adopter's reps begin when their team does, without a deal from before


@contextlib.contextmanager
def _own_project() -> Iterator[Path]:
    """Make a project of its own with the settings of the house, and make it the current one."""
    house = (paths.project_root() / paths.SETTINGS_FILE).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / paths.SETTINGS_FILE).write_text(house, encoding="utf-8")
        with mock.patch.dict(os.environ, ALIGNMENT_ROI_ROOT=name):
            yield paths.raw_folder(DATASET)


def page_one(kind: str, seed: int) -> dict[str, str]:
    """Return the five answers of a company of this kind, one of `decision_study.KINDS`.

    What an hour costs and is worth, whether joining made teams grow, whether it pays, what to do.
    """
    different = dict(decision_study.KINDS[kind])
    has_hires = bool(different.pop("hires", 0))
    size = TEAM_SIZE + HIRES * has_hires
    make_panels = build.make_panels

    def make_late_panels(connection: duckdb.DuckDBPyConnection, *rest: Any, **more: Any) -> None:
        connection.execute(HIRE_LATE)
        make_panels(connection, *rest, **more)

    with _own_project() as raw:
        write.write_exports(SimulatedCompany(seed=seed, team_size=size, **different), raw)
        made = make_late_panels if has_hires else make_panels
        with mock.patch.object(build, "make_panels", made):
            company = open_company(DATASET)
        appraised = roi.appraise_programme(company)
        step = appraised.next_step
        return {
            "cost": cost.quarter_costs(company).sentence,
            "worth": selling_answer.SellingTime(company, smallest_elasticity=SMALLEST).sentence,
            "grows?": growth.aligned_growth(company).growth.sentence(),
            "pays?": appraised.sentence,
            "next": f"{step.sentence} {step.first}".strip(),
        }
