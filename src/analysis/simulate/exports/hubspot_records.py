"""HubSpot's records: users, owners, teams, companies, products, deals and their property history.

HubSpot's contacts, the history of their lifecycle stage, and campaigns.

HubSpot's engagements: meetings, calls, e-mails and tasks, with what they are associated with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import salesforce_format as sf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.simulate.exports.hubspot_ids import Ids
    from analysis.simulate.world.calendar import Ints

SALES, RENEWALS = "default", "874215093"  # pipelines
STAGE_IDS = {  # by pipeline: ids of stages called alike differ
    SALES: (
        "appointmentscheduled",
        "qualifiedtobuy",
        "presentationscheduled",
        "decisionmakerboughtin",
        "closedwon",
        "closedlost",
    ),
    RENEWALS: ("1190553101", "1190553102", "1190553103", "1190553104", "1190553105", "1190553106"),
}
LABELS = ("Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
PROBABILITY = ("0.1", "0.25", "0.5", "0.75", "1.0", "0.0")
WON = 4  # the place of the first closed stage
TYPES = {
    "New Business": "newbusiness",
    "Existing Business": "existingbusiness",
    "Renewal": "renewal",
}
SECOND_COMPANY = 5  # of a hundred deals
EVENING, MIDNIGHT = (
    8,
    40,
)  # of a hundred closed deals: closed in the evening of New York; dated by hand
EPOCH = np.datetime64("1970-01-01")


def translate_words(column: pa.ChunkedArray, words: dict[str, str]) -> pa.Array:
    """Return each word's translation; a word without one stays."""
    text = column.combine_chunks()
    positions = pc.index_in(text, pa.array(list(words)))
    return pc.if_else(pc.is_valid(positions), pa.array(list(words.values())).take(positions), text)


def stamps_in_milliseconds(column: pa.ChunkedArray) -> pa.Array:
    """Return timestamps such as 2026-07-01T14:30:00.000Z as milliseconds since 1970."""
    texts = pc.utf8_slice_codeunits(column.combine_chunks(), 0, 23).to_numpy(zero_copy_only=False)
    return pa.array(texts.astype("datetime64[ms]").astype(np.int64)).cast(pa.string())


def scientific_ids(ids: Sequence[str]) -> list[str]:
    """Return long ids as a spreadsheet leaves them."""
    return [f"{int(text):.5E}" for text in ids]


def _user_number(owner: pa.Array) -> pa.Array:
    """Return the id of the user behind each owner: HubSpot keeps two."""
    return pc.cast(pc.add(pc.cast(owner, pa.int64()), 1), pa.string())


def hubspot_users(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return users, owners and teams."""
    user, role = files["User"], files["UserRole"]
    owner = ids["owner"].of(user["Id"])
    number = _user_number(owner)
    first_names = pc.list_element(pc.split_pattern(user["Name"], " ", max_splits=1), 0)
    family = pc.list_element(pc.split_pattern(user["Name"], " ", max_splits=1), 1)
    is_machine = pc.equal(user["UserType"], "AutomatedProcess")
    active = pc.equal(user["IsActive"], "true")
    team = ids["team"].of(user["UserRoleId"])
    title = pc.if_else(is_machine, "Integration", user["Title"])
    members = list(zip(team.to_pylist(), number.to_pylist(), strict=True))
    teams = ids["team"].of(role["Id"])
    listed = [
        ";".join(dict.fromkeys(u for t, u in members if t == name)) for name in teams.to_pylist()
    ]
    return {
        "users": pa.table(
            {
                "hs_object_id": number,
                "hubspot_owner_id": owner,
                "hs_email": user["Email"],
                "hs_given_name": first_names,
                "hs_family_name": family,
                "hs_job_title": title,
                "hs_standard_time_zone": user["TimeZoneSidKey"],
                "hs_deactivated": pc.if_else(active, "false", "true"),
                "primary_team_id": team,
                "hs_createdate": user["CreatedDate"],
                "start_date": user["StartDate__c"],
                "end_date": user["EndDate__c"],
                "fte": user["FTE__c"],
            }
        ),
        "owners": pa.table(
            {
                "id": owner,
                "email": user["Email"],
                "type": sf.constant_column("PERSON", len(user)),
                "firstName": first_names,
                "lastName": family,
                "userId": number,
                "createdAt": user["CreatedDate"],
                "archived": pc.if_else(active, "false", "true"),
                "primaryTeamId": team,
            }
        ),
        "user_teams": pa.table(
            {
                "id": teams,
                "name": role["Name"],
                "userIds": listed,
                "secondaryUserIds": [""] * len(role),
            }
        ),
    }


def company_files(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return companies and products."""
    account, product = files["Account"], files["Product2"]
    return {
        "companies": pa.table(
            {
                "hs_object_id": ids["company"].of(account["Id"]),
                "name": account["Name"],
                "industry": account["Industry"],
                "country": account["BillingCountry"],
                "numberofemployees": account["NumberOfEmployees"],
                "hs_parent_company_id": ids["company"].of(account["ParentId"]),
                "hs_merged_object_ids": sf.constant_column(None, len(account)),
                "archived": account["IsDeleted"],
            }
        ),
        "products": pa.table(
            {
                "hs_object_id": ids["product"].of(product["Id"]),
                "name": product["Name"],
                "hs_sku": product["ProductCode"],
                "price": sf.constant_column(None, len(product)),
            }
        ),
    }


def _closed_at(day: pa.ChunkedArray, is_closed: np.ndarray, rank: Ints) -> pa.Array:
    """Return close dates as HubSpot keeps them.

    When the deal was closed, or midnight UTC of a date typed in.
    """
    texts = day.to_pylist()
    readable = np.array(
        [text is not None and text[:1].isdigit() and text != "2025-02-30" for text in texts]
    )
    days = np.array(
        [text if ok else "1970-01-01" for text, ok in zip(texts, readable, strict=True)],
        "datetime64[D]",
    )
    chance = rank * 7919 % 100
    evening, typed = chance < EVENING, ~is_closed | (chance >= 100 - MIDNIGHT)
    second = 15 * 3600 + rank * 104_729 % (5 * 3600)
    second = np.where(typed, 0, np.where(evening, 86_400 + 3600 + 9 * 60 + 44, second))
    stamps = sf.utc_stamps(EPOCH, (days - EPOCH).astype(np.int64) * 86_400 + second)
    return pc.if_else(pa.array(readable), stamps, day.combine_chunks())


def _is_hit(deal: pa.Table, planted: dict[str, list[str]], defect: str) -> pa.Array:
    """Return which deals a defect was planted in."""
    return pc.is_in(deal["Id"].combine_chunks(), pa.array(planted.get(defect, []), pa.string()))


def deal_files(
    files: dict[str, pa.Table], ids: dict[str, Ids], planted: dict[str, list[str]]
) -> dict[str, pa.Table]:
    """Return deals, their pipelines' stages and the history of their properties."""
    deal = files["Opportunity"]
    number, rank = ids["deal"].of(deal["Id"]), ids["deal"].rank(deal["Id"])
    wrong = _is_hit(deal, planted, "Opportunity.id_checksum")
    number = pc.if_else(wrong, pa.array(scientific_ids(number.to_pylist())), number)
    pipeline, stage = _stage(deal["Type"], deal["StageName"])
    company = ids["company"].of(deal["AccountId"])
    other = ids["company"].numbers.take(pa.array(rank * 31 % len(ids["company"].numbers)))
    is_closed = np.isin(
        np.array([str(v).lower() for v in deal["IsClosed"].to_pylist()]), ["true", "1"]
    )
    place = pc.index_in(deal["StageName"], pa.array(LABELS)).combine_chunks()
    return {
        "deals": pa.table(
            {
                "hs_object_id": number,
                "dealname": deal["Name"],
                "pipeline": pipeline,
                "dealstage": stage,
                "dealtype": translate_words(deal["Type"], TYPES),
                "amount": pc.if_else(
                    _is_hit(deal, planted, "Opportunity.amount_contradicts_history"),
                    "1.2E+05x",
                    deal["Amount"].combine_chunks(),
                ),
                "deal_currency_code": deal["CurrencyIsoCode"],
                "hs_is_closed": deal["IsClosed"],
                "hs_is_closed_won": deal["IsWon"],
                "hs_deal_stage_probability": pa.array(PROBABILITY).take(place),
                "createdate": deal["CreatedDate"],
                "closedate": _closed_at(deal["CloseDate"], is_closed, rank),
                "hubspot_owner_id": ids["owner"].of(deal["OwnerId"]),
                "lead_source": deal["LeadSource"],
                "primary_product_id": ids["product"].of(deal["Primary_Product__c"]),
                "Associated Company IDs": pc.if_else(
                    pa.array(rank * 613 % 100 < SECOND_COMPANY),
                    pc.binary_join_element_wise(company, other, ";"),
                    company,
                ),
                "hs_merged_object_ids": sf.constant_column(None, len(deal)),
                "archived": deal["IsDeleted"],
            }
        ),
        "deal_pipelines": _pipelines(),
        "deal_property_history": _deal_history(files, ids),
    }


def _stage(kind: pa.ChunkedArray, label: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Return the pipeline and the stage's id in it."""
    renewal = pc.equal(kind, "Renewal").combine_chunks()
    place = pc.index_in(label, pa.array(LABELS)).combine_chunks()
    stage = pc.if_else(
        renewal, pa.array(STAGE_IDS[RENEWALS]).take(place), pa.array(STAGE_IDS[SALES]).take(place)
    )
    return pc.if_else(renewal, RENEWALS, SALES), stage


def _pipelines() -> pa.Table:
    rows = [
        (pipeline, name, stage, label, str(order), str(order >= WON).lower(), chance)
        for pipeline, name in ((SALES, "Sales Pipeline"), (RENEWALS, "Renewals"))
        for order, (stage, label, chance) in enumerate(
            zip(STAGE_IDS[pipeline], LABELS, PROBABILITY, strict=True)
        )
    ]
    names = (
        "pipelineId",
        "pipelineLabel",
        "stageId",
        "label",
        "displayOrder",
        "metadata.isClosed",
        "metadata.probability",
    )
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _deal_history(files: dict[str, pa.Table], ids: dict[str, Ids]) -> pa.Table:
    """Return a row per property and change, newest first, as HubSpot lists them."""
    history, deal = files["OpportunityHistory"], files["Opportunity"]
    kinds = deal["Type"].take(
        pc.index_in(ids["deal"].of(history["OpportunityId"]), ids["deal"].of(deal["Id"]))
    )
    _, stage = _stage(kinds, history["StageName"])
    number = ids["deal"].of(history["OpportunityId"])
    when = stamps_in_milliseconds(history["CreatedDate"])
    by = _user_number(ids["owner"].of(history["CreatedById"]))
    close = pc.cast(
        pc.cast(pc.strptime(history["CloseDate"], "%Y-%m-%d", "ms"), pa.int64()), pa.string()
    ).combine_chunks()
    order = pc.cast(when, pa.int64()).to_numpy()
    parts = []
    for name, value in (
        ("dealstage", stage),
        ("amount", history["Amount"].combine_chunks()),
        ("closedate", close),
    ):
        same = np.concatenate(
            [[False], pc.equal(number[1:], number[:-1]).to_numpy(zero_copy_only=False)]
        )
        same[1:] &= pc.equal(value[1:], value[:-1]).fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003 Arrow's
        row = np.flatnonzero(~same)
        take = pa.array(row)
        columns = [
            number.take(take),
            sf.constant_column(name, len(row)),
            value.take(take),
            when.take(take),
            by.take(take),
        ]
        parts.append((order[row], columns))
    newest = np.argsort(-np.concatenate([part[0] for part in parts]), kind="stable")
    merged = [
        pa.concat_arrays(list(column)) for column in zip(*(part[1] for part in parts), strict=True)
    ]
    names = ("dealId", "property", "value", "timestamp", "updatedByUserId")
    return pa.table(dict(zip(names, merged, strict=True))).take(pa.array(newest))


LIFECYCLE = {
    "Open": "lead",
    "MQL": "marketingqualifiedlead",
    "SAL": "salesacceptedlead",
    "SQL": "salesqualifiedlead",
    "Nurture": "nurture",
    "Disqualified": "disqualified",
    "Converted": "opportunity",
}


def contact_files(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return leads as contacts, and the history of their lifecycle stage."""
    lead, history = files["Lead"], files["LeadHistory"]
    n = len(history)
    return {
        "contacts": pa.table(
            {
                "hs_object_id": ids["contact"].of(lead["Id"]),
                "email": lead["Email"],
                "company": lead["Company"],
                "jobtitle": lead["Title"],
                "lifecyclestage": translate_words(lead["Status"], LIFECYCLE),
                "lead_source": lead["LeadSource"],
                "createdate": lead["CreatedDate"],
                "hubspot_owner_id": ids["owner"].of(lead["OwnerId"]),
                "hs_v2_date_entered_opportunity": pc.if_else(
                    pc.is_valid(lead["ConvertedDate"]),
                    pc.binary_join_element_wise(lead["ConvertedDate"], "T00:00:00.000Z", ""),
                    pa.scalar(None, pa.string()),
                ),
                "Associated Deal IDs": ids["deal"].of(lead["ConvertedOpportunityId"]),
                "Associated Company IDs": ids["company"].of(lead["ConvertedAccountId"]),
                "hs_merged_object_ids": sf.constant_column(None, len(lead)),
                "archived": lead["IsDeleted"],
            }
        ),
        "contact_property_history": pa.table(
            {
                "contactId": ids["contact"].of(history["LeadId"]),
                "property": sf.constant_column("lifecyclestage", n),
                "value": translate_words(history["NewValue"], LIFECYCLE),
                "timestamp": stamps_in_milliseconds(history["CreatedDate"]),
                "updatedByUserId": sf.constant_column(None, n),
            }
        ).take(pa.array(np.arange(n)[::-1])),
    }


def campaign_files(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return campaigns; their dates are midnights UTC in milliseconds."""
    campaign = files["Campaign"]

    def midnight(column: str) -> pa.Array:
        return pc.cast(
            pc.cast(pc.strptime(campaign[column], "%Y-%m-%d", "ms"), pa.int64()), pa.string()
        )

    return {
        "campaigns": pa.table(
            {
                "hs_object_id": ids["campaign"].of(campaign["Id"]),
                "hs_name": campaign["Name"],
                "hs_start_date": midnight("StartDate"),
                "hs_end_date": midnight("EndDate"),
                "hs_budget_items_sum_amount": campaign["BudgetedCost"],
                "hs_spend_items_sum_amount": campaign["ActualCost"],
                "hs_currency_code": campaign["CurrencyIsoCode"],
            }
        )
    }


UNREADABLE = "#N/A"


def engagement_files(
    files: dict[str, pa.Table], ids: dict[str, Ids], planted: dict[str, list[str]]
) -> dict[str, pa.Table]:
    """Return all four, by file name."""
    return {"meetings": _meetings(files, ids, planted), **_tasks(files["Task"], ids)}


def _common(table: pa.Table, ids: dict[str, Ids]) -> dict[str, pa.Array]:
    return {
        "hubspot_owner_id": ids["owner"].of(table["OwnerId"]),
        "hs_createdate": table["CreatedDate"].combine_chunks(),
        "Associated Deal IDs": ids["deal"].of(table["WhatId"]),
        "Associated Company IDs": ids["company"].of(table["WhatId"]),
        "Associated Contact IDs": ids["contact"].of(table["WhoId"]),
        "archived": table["IsDeleted"].combine_chunks(),
    }


def _meetings(
    files: dict[str, pa.Table], ids: dict[str, Ids], planted: dict[str, list[str]]
) -> pa.Table:
    """Return meetings: no masters of series, no all-day flag, no length beside start and end."""
    table = files["Event"].filter(pc.equal(files["Event"]["IsRecurrence"], "false"))
    rank = ids["engagement"].rank(table["Id"])
    contradicts = pc.is_in(
        table["Id"], pa.array(planted.get("Event.duration_disagrees", []), pa.string())
    )
    by_hand = pc.is_in(table["Id"], pa.array(planted.get("Event.double_logged", []), pa.string()))
    cancelled = pc.starts_with(table["Subject"], "Canceled: ")
    common = _common(table, ids)
    second = ids["contact"].numbers.take(pa.array(rank * 31 % len(ids["contact"].numbers)))
    joint = pc.and_(
        pc.equal(table["IsGroupEvent"], "true"), pc.is_valid(common["Associated Contact IDs"])
    )
    contacts = pc.binary_join_element_wise(common["Associated Contact IDs"], second, ";")
    common["Associated Contact IDs"] = pc.if_else(joint, contacts, common["Associated Contact IDs"])
    return pa.table(
        {
            "hs_object_id": ids["engagement"].of(table["Id"]),
            "hs_meeting_title": table["Subject"],
            "hs_meeting_start_time": table["StartDateTime"],
            "hs_meeting_end_time": pc.if_else(contradicts, UNREADABLE, table["EndDateTime"]),
            "hs_timestamp": table["StartDateTime"],
            "hs_meeting_outcome": pc.if_else(cancelled, "CANCELED", "COMPLETED"),
            "hs_meeting_source": pc.if_else(by_hand, "CRM_UI", "BIDIRECTIONAL_API"),
            **common,
        }
    )


def _tasks(whole: pa.Table, ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return calls with their length in milliseconds, and e-mails and tasks, which have none."""
    parts = {
        kind: whole.filter(pc.equal(whole["TaskSubtype"], kind))
        for kind in ("Call", "Email", "Task")
    }
    call = parts["Call"]
    seconds = pc.cast(call["CallDurationInSeconds"], pa.int64()).combine_chunks()
    begun = pc.subtract(
        pc.cast(stamps_in_milliseconds(call["CompletedDateTime"]), pa.int64()),
        pc.multiply(seconds.fill_null(0), 1000),
    )
    columns = {
        "calls": pa.table(
            {
                "hs_object_id": ids["engagement"].of(call["Id"]),
                "hs_call_title": call["Subject"],
                "hs_timestamp": pc.cast(begun, pa.string()),
                "hs_call_duration": pc.cast(pc.multiply(seconds, 1000), pa.string()),
                "hs_call_direction": pc.utf8_upper(call["CallType"]),
                "hs_call_status": sf.constant_column("COMPLETED", len(call)),
                **_common(call, ids),
            }
        )
    }
    for kind, file, subject, status in (
        ("Email", "emails", "hs_email_subject", ("hs_email_status", "SENT")),
        ("Task", "tasks", "hs_task_subject", ("hs_task_status", "COMPLETED")),
    ):
        part = parts[kind]
        columns[file] = pa.table(
            {
                "hs_object_id": ids["engagement"].of(part["Id"]),
                subject: part["Subject"],
                "hs_timestamp": part["CompletedDateTime"],
                status[0]: sf.constant_column(status[1], len(part)),
                **_common(part, ids),
            }
        )
    return columns
