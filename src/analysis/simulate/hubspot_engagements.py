"""HubSpot's engagements: meetings, calls, e-mails and tasks, with what they are associated with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate import salesforce as sf
from analysis.simulate.hubspot_records import milliseconds

if TYPE_CHECKING:
    from analysis.simulate.hubspot_ids import Ids

UNREADABLE = "#N/A"


def tables(files: dict[str, pa.Table], ids: dict[str, Ids], planted: dict[str, list[str]]) -> dict[str, pa.Table]:
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


def _meetings(files: dict[str, pa.Table], ids: dict[str, Ids], planted: dict[str, list[str]]) -> pa.Table:
    """Return meetings: no masters of series, no all-day flag, no length beside start and end."""
    table = files["Event"].filter(pc.equal(files["Event"]["IsRecurrence"], "false"))
    rank = ids["engagement"].rank(table["Id"])
    contradicts = pc.is_in(table["Id"], pa.array(planted.get("Event.duration_disagrees", []), pa.string()))
    by_hand = pc.is_in(table["Id"], pa.array(planted.get("Event.double_logged", []), pa.string()))
    cancelled = pc.starts_with(table["Subject"], "Canceled: ")
    common = _common(table, ids)
    second = ids["contact"].numbers.take(pa.array(rank * 31 % len(ids["contact"].numbers)))
    joint = pc.and_(pc.equal(table["IsGroupEvent"], "true"), pc.is_valid(common["Associated Contact IDs"]))
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
    parts = {kind: whole.filter(pc.equal(whole["TaskSubtype"], kind)) for kind in ("Call", "Email", "Task")}
    call = parts["Call"]
    seconds = pc.cast(call["CallDurationInSeconds"], pa.int64()).combine_chunks()
    begun = pc.subtract(
        pc.cast(milliseconds(call["CompletedDateTime"]), pa.int64()), pc.multiply(seconds.fill_null(0), 1000)
    )
    made = {
        "calls": pa.table(
            {
                "hs_object_id": ids["engagement"].of(call["Id"]),
                "hs_call_title": call["Subject"],
                "hs_timestamp": pc.cast(begun, pa.string()),
                "hs_call_duration": pc.cast(pc.multiply(seconds, 1000), pa.string()),
                "hs_call_direction": pc.utf8_upper(call["CallType"]),
                "hs_call_status": sf.constant("COMPLETED", len(call)),
                **_common(call, ids),
            }
        )
    }
    for kind, file, subject, status in (
        ("Email", "emails", "hs_email_subject", ("hs_email_status", "SENT")),
        ("Task", "tasks", "hs_task_subject", ("hs_task_status", "COMPLETED")),
    ):
        part = parts[kind]
        made[file] = pa.table(
            {
                "hs_object_id": ids["engagement"].of(part["Id"]),
                subject: part["Subject"],
                "hs_timestamp": part["CompletedDateTime"],
                status[0]: sf.constant(status[1], len(part)),
                **_common(part, ids),
            }
        )
    return made
