"""The simulated company as HubSpot exports it.

Its objects, property names, numeric ids and ways to go wrong.

The files are those of the Salesforce layout, translated after the dirt was planted, so that both
layouts tell of the same deals, hours and defects.  What HubSpot cannot hold is listed in `LACKS`;
a defect it cannot hold is planted as another one with the same outcome, or left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import hubspot_records
from analysis.simulate.exports.hubspot_ids import Ids, id_spaces

if TYPE_CHECKING:
    from analysis.simulate.defects.sheet import Defect
    from analysis.simulate.exports.salesforce_deals import Keys

PRACTICES = (
    "sales_ready_definitions",
    "goals",
    "plans",
    "activity_targets",
    "incentives",
    "metric_packs",
    "target_accounts",
    "campaign_notices",
    "assets",
    "asset_uses",
    "marketing_requests",
    "joint_meetings",
    "survey_answers",
    "programme_costs",
    "feedback",
    "stage_owners",
    "campaign_milestones",
    "content_ideas",
    "content_trials",
    "channels",
)
HAND_MADE = (
    "rep_team_history",
    "compensation",
    "quotas",
    "working_calendar",
    "programme",
    "hours_shifters",
    *PRACTICES,
)
_SPACES = {  # of the columns of hand-kept files that hold an id of the CRM
    "rep_id": "owner",
    "sales_owner_rep_id": "owner",
    "marketing_owner_rep_id": "owner",
    "owner_rep_id": "owner",
    "team_id": "team",
    "account_id": "company",
    "campaign_id": "campaign",
    "opportunity_id": "deal",
    "product_id": "product",
}
LACKS: dict[str, tuple[str, ...]] = {  # columns of clean tables that these exports do not fill
    "campaigns": ("campaign_type", "expected_response_rate"),
    "fx_rates": ("rate_to_corporate",),  # kept by hand, in the reporting currency
    "leads": ("return_reason",),  # its export of contacts does not say why
    "lead_status_history": ("previous_status",),  # a change says what came, not what was
    "opportunities": ("campaign_id",),  # a deal has no primary campaign
    "products": ("product_family",),
    "reps": ("manager_id",),  # users have teams, not managers
    "stage_history": ("raw_amount", "close_date"),  # kept as histories of their own
}
ADDS: dict[str, tuple[str, ...]] = {
    "opportunities": ("pipeline",)
}  # what the Salesforce layout of the demo lacks
LACKS_TABLES = (  # invitees, people reached and contacts' roles are no exports of their own
    "attendees",
    "contact_roles",
    "touches",
)
# Salesforce file → file here and id space, for the ids of planted defects.
_MOVED = {
    "Opportunity": ("deals", "deal"),
    "Event": ("meetings", "engagement"),
    "User": ("users", "owner"),
}
_TASK_FILES = {"Call": "calls", "Email": "emails", "Task": "tasks"}
_INSTEAD = {
    # its history holds no amounts to betray the error
    "amount_contradicts_history": "unreadable_number",
    "id_checksum": "unreadable_id",
    "duration_disagrees": "unreadable_timestamp",
    "unreadable_date": "unreadable_timestamp",
}


class Translated(NamedTuple):
    """The files in HubSpot's layout and what `truth.json` says of them."""

    files: dict[str, pa.Table]
    defects: dict[str, Defect]
    truth: dict[str, object]


def translate_files(
    files: dict[str, pa.Table], keys: Keys, defects: dict[str, Defect]
) -> Translated:
    """Return the exports `files` of the Salesforce layout as HubSpot would write them.

    Parameters
    ----------
    files : dict of Table
        By file name, dirt and all.
    keys : Keys
        The ids behind them.
    defects : dict of Defect
        What was planted in `files`.
    """
    ids = id_spaces(files, keys)
    planted = {name: defect.ids for name, defect in defects.items()}
    translated_files = {
        **hubspot_records.hubspot_users(files, ids),
        **hubspot_records.company_files(files, ids),
        **hubspot_records.deal_files(files, ids, planted),
        **hubspot_records.contact_files(files, ids),
        **hubspot_records.campaign_files(files, ids),
        **hubspot_records.engagement_files(files, ids, planted),
        **_by_hand(files, ids),
    }
    truth: dict[str, object] = {
        "ids": {name: space.pairs() for name, space in ids.items()},
        "lacks": {table: list(columns) for table, columns in LACKS.items()},
        "adds": {table: list(columns) for table, columns in ADDS.items()},
        "lacks_tables": list(LACKS_TABLES),
        "lead_statuses": hubspot_records.LIFECYCLE,
    }
    return Translated(translated_files, _defects(defects, files, translated_files, ids), truth)


def _by_hand(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return the hand-kept files with HubSpot's ids, and two more that Salesforce keeps itself.

    Teams and rates.
    """
    by_hand_files = {"finance_bookings": files["finance_bookings"]}
    for name in HAND_MADE:
        table = files[name]
        columns = {
            c: ids[_SPACES[c]].of(table[c]) if c in _SPACES else table[c]
            for c in table.column_names
        }
        by_hand_files[name] = pa.table(columns)
    role = files["UserRole"]
    by_hand_files["teams"] = pa.table(
        {
            "team_id": ids["team"].of(role["Id"]),
            "team_name": role["Name"],
            "region": role["Region__c"],
            "segment": role["Segment__c"],
        }
    )
    rate = files["DatedConversionRate"]
    inverse = [repr(1 / float(text)) for text in rate["ConversionRate"].to_pylist()]
    by_hand_files["fx_rates"] = pa.table(
        {
            "currency": rate["IsoCode"],
            "valid_from": rate["StartDate"],
            "valid_to": rate["NextStartDate"],
            "rate_to_reporting": pa.array(inverse),
        }
    )
    return by_hand_files


def _defects(
    defects: dict[str, Defect],
    files: dict[str, pa.Table],
    translated_files: dict[str, pa.Table],
    ids: dict[str, Ids],
) -> dict[str, Defect]:
    """Return what is planted in this layout, by its own ids and the rules that find it here."""
    kind = dict(
        zip(files["Task"]["Id"].to_pylist(), files["Task"]["TaskSubtype"].to_pylist(), strict=True)
    )
    translated_defects: dict[str, Defect] = {}
    for defect in defects.values():
        if defect.rule == "series_master":  # HubSpot keeps no master of a series
            continue
        rule = _INSTEAD.get(defect.rule, defect.rule)
        if defect.file == "Task":
            parts = {
                file: [i for i in defect.ids if kind[i] == name]
                for name, file in _TASK_FILES.items()
            }
            moved = {file: ids["engagement"].texts(own) for file, own in parts.items() if own}
        elif defect.rule == "id_checksum":
            moved = {"deals": hubspot_records.scientific_ids(ids["deal"].texts(defect.ids))}
        elif defect.file in _MOVED:
            file, space = _MOVED[defect.file]
            moved = {file: ids[space].texts(defect.ids)}
        elif defect.file in PRACTICES:  # ids of their own
            moved = {defect.file: defect.ids}
        else:  # hand-kept: an id and a date joined by a bar
            owner, day = zip(*(key.split("|") for key in defect.ids), strict=True)
            moved = {
                defect.file: [
                    f"{i}|{d}" for i, d in zip(ids["owner"].texts(list(owner)), day, strict=True)
                ]
            }
        for file, own in moved.items():
            before = translated_defects.get(f"{file}.{rule}")
            translated_defects[f"{file}.{rule}"] = defect._replace(
                file=file, rule=rule, ids=[*(before.ids if before else []), *own]
            )
    _require(translated_defects, translated_files)
    return translated_defects


def _require(defects: dict[str, Defect], translated_files: dict[str, pa.Table]) -> None:
    """Make sure that every defect is in its file."""
    for name, defect in defects.items():
        table = translated_files[defect.file]
        if "hs_object_id" not in table.column_names:
            continue
        key = "hubspot_owner_id" if defect.file == "users" else "hs_object_id"
        if not pc.all(pc.is_in(pa.array(defect.ids), table[key].combine_chunks())).as_py():
            raise AssertionError(f"{name}: a planted row is not in the file")
