"""A simulated company as the CRM exports and hand-kept files an analyst would receive.

One CSV file an object, under its API name; ``truth.json`` says what was put in.  A company is the
same company in every layout: same people, deals, hours and dirt.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

import numpy as np
from pyarrow import csv

from analysis.project import paths
from analysis.simulate import own_settings, simulated_tables
from analysis.simulate.defects import plant, sheet
from analysis.simulate.exports import (
    account_records,
    hand_kept_files,
    hubspot,
    hubspot_ids,
    practice_meetings,
    practice_requests,
    salesforce_activities,
    salesforce_deals,
    salesforce_leads,
    salesforce_users,
)
from analysis.simulate.world import marketing, people, practice_level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analysis.simulate.defects.sheet import Defect
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.company_parameters import SimulatedCompany

TRUTH_FILE = "truth.json"
REVIEWS = "reviews"
DEFINITIONS = "sales_ready.toml"
Layout = Literal["salesforce", "hubspot"]


def write_exports(
    company: SimulatedCompany,
    folder: Path,
    *,
    dirt: sheet.Rates | None = sheet.RATES,
    layout: Layout = "salesforce",
) -> None:
    """Write every file of the company into `folder`, which is made if need be.

    Reviews into a folder in it.

    Its settings are written where the folder has none.

    Parameters
    ----------
    company : Company
        Equal companies give equal bytes.
    folder : Path
        Files of the same name are replaced.
    dirt : Rates, optional
        How much of each defect is planted; None for clean exports.
    layout : str
        Whose exports they are.
    """
    simulated = simulated_tables.simulate_company(company)
    keys = salesforce_deals.record_keys(company, simulated)
    files = {
        **salesforce_users.user_files(company, simulated, keys),
        **salesforce_users.account_files(company, simulated, keys),
        **salesforce_deals.opportunity_files(company, simulated, keys),
        **salesforce_leads.lead_files(company, simulated, keys),
        **salesforce_activities.calendar_files(company, simulated, keys),
        **hand_kept_files.hand_kept_files(company, simulated, keys),
    }
    defects: dict[str, Defect] = {}
    if dirt is not None:
        defects = plant.plant_defects(files, dirt, company.seed)
    records = account_records.account_records(company, simulated, keys, files["Event"], defects)
    files |= records.files
    truth: dict[str, object] = {"layout": layout, **records.truth}
    owners: Mapping[str, str] = {}
    if layout == "hubspot":
        owners = hubspot_ids.id_spaces(files, keys)["owner"].pairs()
        files, defects, more = hubspot.translate_files(files, keys, defects)
        truth |= more
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in files.items():
        csv.write_csv(table, folder / f"{name}.csv", csv.WriteOptions(quoting_style="needed"))
    for quarter, text in practice_meetings.review_files(simulated.draws.window).items():
        (folder / REVIEWS).mkdir(exist_ok=True)
        (folder / REVIEWS / f"{quarter}.toml").write_text(text, encoding="utf-8")
    if not (own := folder / paths.SETTINGS_FILE).exists():
        own.write_text(own_settings.TEXT, encoding="utf-8")
    (folder / DEFINITIONS).write_text(
        _definitions(company, simulated, keys, owners), encoding="utf-8"
    )
    truth |= _truth(company, simulated, keys) | {
        "defects": {name: d._asdict() for name, d in defects.items()}
    }
    (folder / TRUTH_FILE).write_text(
        json.dumps(truth, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def _definitions(
    company: SimulatedCompany,
    simulated: SimulatedTables,
    keys: Keys,
    owners: Mapping[str, str],
) -> str:
    """Return the versions of what makes a lead sales-ready, approved by a sales manager; `owners`
    are the users' ids in another layout.
    """
    window = simulated.draws.window
    edge = np.flatnonzero(np.diff(window.quarter, prepend=-1))
    days = window.dates(edge[[0, company.n_quarters // 3, 2 * company.n_quarters // 3]])
    manager = keys.user[len(simulated.draws.people.rep_seat)].as_py()
    names = dict(zip(("first", "second", "third"), map(str, days), strict=True))
    return own_settings.DEFINITIONS.format(**names, approver=owners.get(manager, manager))


def layout_of(folder: Path) -> str | None:
    """Return the layout of the simulated company that lies in `folder`, if one does."""
    file = folder / TRUTH_FILE
    return (
        str(json.loads(file.read_text(encoding="utf-8")).get("layout")) if file.is_file() else None
    )


def _truth(company: SimulatedCompany, simulated: SimulatedTables, keys: Keys) -> dict[str, object]:
    """Return what only tests and benchmarks may read."""
    window, staff, time, deals = simulated.draws
    teams = keys.team.to_pylist()
    adopted = {
        teams[t]: window.quarters[q]
        for t, q in enumerate(staff.adopted.tolist())
        if q != people.NEVER
    }
    silent = np.unique(staff.team[~time.is_logged])
    logs_from = {}
    for team in silent.tolist():
        week = int(np.flatnonzero((time.is_logged & (staff.team == team)).any(axis=0))[0])
        logs_from[teams[team]] = str(window.dates(window.week_start[[week]])[0])
    panel, weeks = simulated.panels.team_quarter, simulated.panels.rep_week
    hours, worked_weeks = weeks["selling_hours"].sum(), weeks["worked_days"].sum() / 5
    created_per_hour = weeks["expected_opportunities"].sum() / hours
    deal_value = company.win_rate * company.deal_amount
    level = practice_level.practice_levels(company, staff).round(4).tolist()
    return {
        "as_of": str(window.dates(np.array([window.n_days - 1]))[0]),
        "quarters": window.quarters,
        "parameters": asdict(company),
        "effects": {
            "log_bookings_by_event_time": [company.effect * share for share in company.effect_path],
            "elasticity_of_opportunities": company.elasticity,
            "brochures": 0.0,
            "lead_conversion_by_source": marketing.conversion_rates(company),
            "recycled_yield_by_practice_level": {
                f"{level:.2f}": marketing.recycled_yield(level, window.n_days)
                for level in (0.25, 0.7)
            },
            "prompt_answer_on_log_odds_of_conversion": company.prompt_lift_log,
            "campaigns_on_conversion": 0.0,
            "marginal_value_of_selling_hour_usd": company.elasticity
            * created_per_hour
            * deal_value,
            "adopted_in": adopted,
            "average_effect_on_adopted_team_quarters": float(
                panel.loc[panel["adopted"], "effect"].mean()
            ),
        },
        "requests": practice_requests.request_truth(),
        "logging_starts": logs_from,
        "practice_level": {
            team: dict(zip(window.quarters, row, strict=True))
            for team, row in zip(teams[:-1], level, strict=True)
        },
        "selling_hours_per_worked_week": hours / worked_weeks,
        "bookings_usd": dict(
            zip(
                window.quarters,
                panel.groupby("quarter")["bookings"].sum().round(2).tolist(),
                strict=True,
            )
        ),
        "n_opportunities": len(deals.table),
    }
