"""Empty files to fill in by hand, for what no CRM holds.

One CSV a table, its columns as the house map reads them.
"""

from __future__ import annotations

import csv
import os
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from analysis.project import paths
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.sources import own_definitions
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from pathlib import Path

HOUSE_MAP = "house.toml"
EXAMPLES = {  # a line of each file, its cells in the order of its columns
    "rep_team_history": "R-104,T-1,2025-01-06,",
    "compensation": "R-104,2026-01-01,,0.1,0.2,100000,18000,year,USD",
    "quotas": "R-104,2026-07-01,2026-10-01,500000,USD",
    "working_calendar": "2026-07-03,Americas,false",
    "finance_bookings": "2026Q3,83100000,USD",
    "programme": "T-1,2026-01-01,CRO,2025-11-17",
    "hours_shifters": "S-1,training,R-104,,2026-02-02,2026-02-04",
    "time_study": "R-104,2026-09-14,3.25",
    "sales_ready_definitions": "D-2,T-1,2026-01-01,,2025-12-12,2025-12-10",
    "goals": "G-1,T-1,2026-07-01,2026-10-01,qualified leads,60,R-9,R-42,G-0,45",
    "plans": "P-1,T-1,marketing,2026-07-01,2026-10-01,2026-06-24,2026-06-20",
    "activity_targets": "A-1,T-1,Webinar,2026-07-01,2026-10-01,18000,USD,40,0.08",
    "touches": "L-204,C-12,2026-07-22T09:30:00Z,true",
    "incentives": "T-1,marketing,2026-01-01,2027-01-01,0.1",
    "metric_packs": "K-7,T-1,2026-07-01,4,2026-07-28,2026-07-28,12,9",
    "target_accounts": "T-1,sales,ACC-88,2026-07-01,,2026-06-24,2026-06-20,CON-7",
    "contact_roles": "ACC-88,CON-7,decision maker",
    "campaign_notices": (
        "N-1,T-1,C-12,2026-07-20,2026-07-09,true,true,2026-05-18,2026-05-20,2026-07-07,G-1,8,5"
    ),
    "assets": "F-31,T-1,2026-07-02,true,true,12.5,case study,proposal,SMB,180,2026-09-01,340",
    "asset_uses": "U-1,F-31,T-1,2026-07-15,O-2041",
    "marketing_requests": (
        "Q-5,T-1,2026-07-06,client,approve,13,2026-07-13,14,price comparison,webinar,Webinar,SMB,"
        "G-1,events,6,1500,30000,24000,USD,40,31,2026-08-01,2026-07-08,2026-07-10,2026-08-05,Q-4"
    ),
    "joint_meetings": "M-3,T-1,2026-07-07,weekly,true,true,5,false,30,3,sales",
    "survey_answers": "V-17,1,T-1,sales,2026-06-22,4",
    "programme_costs": "X-1,T-1,2026-07-01,2026-10-01,people,2200,USD",
    "feedback": "B-1,T-1,R-104,2026-07-08,price above budget,budgets are cut,PR-2,SMB,2026-07-29",
    "stage_owners": "W-1,T-1,sales,lead generation,marketing,2026-01-12",
    "campaign_milestones": "L-1,T-1,C-12,2026-07-06,2026-07-03,true",
    "content_ideas": "I-4,T-1,R-104,2026-06-10,F-31",
    "content_trials": "Y-1,ACC-88,2026-07-06,false,lot",
    "channels": "web site,R-42,90,2026-08-14",
    "names": "accounts,Acme Technolgy,Acme Technology",
    "teams": "T-1,Americas SMB 1,Americas,SMB",
    "fx_rates": "EUR,2026-07-01,2026-10-01,1.09",
}
SETTINGS = """# Settings of {dataset}. What stands here overrides alignment.toml at the top, key by key.

[company]
name = "{dataset}"                     # on the cover: write the company's name as leadership does
# currency = "EUR"                  # reporting currency; unless it is stated, amounts are taken to be in USD
# time_zone = "Europe/Paris"        # for people whose own zone the CRM does not know
# fiscal_year_start_month = 1       # 1 = calendar quarters

# No target is set here, and none is assumed. To set some, name all three to five key metrics, such as
# [[key_metrics]]
# name = "win_rate"
# owner = "Sales leadership"
# definition = "won / (won + lost), by close date"
# target = 0.25

# Where the CRM lies in a warehouse: a connection of the alignment.toml at the top, which must name this dataset.
# [pull]
# connection = "warehouse"
"""
DEFINITIONS = """# What makes a lead sales-ready, version by version: each is replayed on the leads of the past.
# An expression may ask for what was known in a lead's first 30 days:
# created_on, lead_source, segment, team_id, n_responses, n_campaigns, campaign_type, is_mql.

# [[definition]]
# name = "agreed_2026"
# side = "both"                     # or "sales", "marketing": a version of one side alone
# valid_from = 2026-01-01
# approved_by = "R-104"             # the id of a rep or sales manager
# when = "n_responses >= 2 or lead_source = 'Partner'"
"""
README = """# Exports of {dataset}

Put this company's exports into this folder as they are; nothing here is ever edited by alignment-roi.
CRM exports are recognised by their columns, whatever their names. The files below hold what no CRM
knows: fill in what you have and delete the rest. What is missing switches off the questions that need
it, and the report says so. Dates are years first, shares run from 0 to 1, ids are the CRM's own where it
has one; an id that is only yours (of a goal, a plan, a meeting) may be any name used once.

{files}
`alignment.toml` here says whose report it is, in which currency and time zone: complete it first. Its keys
override those of the file at the top; targets are set there or not at all.

Four exports let one file check another. Without them a damaged export is hard to tell from a bad quarter,
and the report names those that are absent:

- finance's bookings a quarter: `finance_bookings.csv` below;
- the history of stages: in Salesforce OpportunityHistory or OpportunityFieldHistory, in HubSpot deals with
  property history (`dealstage`);
- who took part in meetings: EventRelation, a calendar's `.ics` files, or HubSpot's meeting associations;
- the deal each activity belongs to: `WhatId` of Event and Task, or HubSpot's associations of engagements with deals.

`sales_ready.toml` here says what makes a lead sales-ready, version by version.
`fields.toml` here maps exports of another layout, `rules/<table>.toml` adds rules of your own.
"""


class Template(NamedTuple):
    """A file to fill in: the table it is for and its columns, as the map names them."""

    name: str
    table: str
    columns: tuple[str, ...]


def hand_kept_templates() -> list[Template]:
    """Return the files that the house map reads into a table."""
    text = (
        resources.files("analysis.sources")
        .joinpath("fields", HOUSE_MAP)
        .read_text(encoding="utf-8")
    )
    return [
        Template(
            e["object"], e["table"], tuple(c["from"] for c in e["columns"].values() if "from" in c)
        )
        for e in tomllib.loads(text)["export"]
        if "table" in e
    ]


def write_templates(folder: Path) -> list[Path]:
    """Write a README, settings and definitions to fill in and the empty templates into a dataset's
    folder, leaving any file that is there.

    Returns the files written.
    """
    if not folder.is_dir():
        private_folder(folder)
    written = []
    for template in hand_kept_templates():
        file = folder / f"{template.name}.csv"
        if not os.path.lexists(file):  # a link to nothing would be written through
            with file.open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerow(template.columns)
            written.append(file)
    listed = "\n".join(
        f"- `{t.name}.csv`: one row is {TABLES[t.table].row}. Columns: {', '.join(t.columns)}.\n"
        f"  For example `{EXAMPLES[t.name]}`"
        for t in hand_kept_templates()
    )
    for name, text in (
        (paths.SETTINGS_FILE, SETTINGS.format(dataset=folder.name)),
        (own_definitions.OWN_FILE, DEFINITIONS),
        ("README.md", README.format(dataset=folder.name, files=listed + "\n")),
    ):
        if not os.path.lexists(folder / name):
            (folder / name).write_text(text, encoding="utf-8")
            written.append(folder / name)
    for file in written:
        file.chmod(FILE_OF_OWNER)
    return written
