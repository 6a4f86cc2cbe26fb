"""HubSpot's contacts, the history of their lifecycle stage, and campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate import salesforce as sf
from analysis.simulate.hubspot_records import milliseconds, moved

if TYPE_CHECKING:
    from analysis.simulate.hubspot_ids import Ids

LIFECYCLE = {
    "Open": "lead", "MQL": "marketingqualifiedlead", "SAL": "salesacceptedlead", "SQL": "salesqualifiedlead",
    "Nurture": "nurture", "Disqualified": "disqualified", "Converted": "opportunity",
}  # fmt: skip


def contacts(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
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
                "lifecyclestage": moved(lead["Status"], LIFECYCLE),
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
                "hs_merged_object_ids": sf.constant(None, len(lead)),
                "archived": lead["IsDeleted"],
            }
        ),
        "contact_property_history": pa.table(
            {
                "contactId": ids["contact"].of(history["LeadId"]),
                "property": sf.constant("lifecyclestage", n),
                "value": moved(history["NewValue"], LIFECYCLE),
                "timestamp": milliseconds(history["CreatedDate"]),
                "updatedByUserId": sf.constant(None, n),
            }
        ).take(pa.array(np.arange(n)[::-1])),
    }


def campaigns(files: dict[str, pa.Table], ids: dict[str, Ids]) -> dict[str, pa.Table]:
    """Return campaigns; their dates are midnights UTC in milliseconds."""
    campaign = files["Campaign"]

    def midnight(column: str) -> pa.Array:
        return pc.cast(pc.cast(pc.strptime(campaign[column], "%Y-%m-%d", "ms"), pa.int64()), pa.string())

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
