"""HubSpot otherwise written: its own exports with labels, its API's answers, the Leads object."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from crm_tables import cleaned, opportunity, user, write
from test_hubspot import STAGES, deal
from test_hubspot import user as hubspot_user

CLOSED = {"metadata.isClosed": "true", "metadata.probability": "1.0"}
LABELLED = {
    "Record ID": "", "Deal Name": "Deal", "Deal Stage": "", "Close Date": "2026-03-31 23:30", "Amount": "100", "Currency": "USD",
    "Deal owner": "Ada Lund", "Pipeline": "Sales Pipeline", "Create Date": "2026-01-05 09:00",
    "Associated Company IDs": "501;502", "Associated Company IDs (Primary)": "502", "Original Source Type": "Organic search",
}  # fmt: skip


def labelled(n, stage, **other):
    return LABELLED | {"Record ID": str(n), "Deal Name": f"Deal {n}", "Deal Stage": stage} | other


def answer() -> dict[str, object]:
    """Return two deals as the API answers, one with its companies: the primary one named last, and a page's link."""
    properties = {
        k: v
        for k, v in deal(11).items()
        if k not in ("Associated Company IDs", "archived", "hs_object_id")
    }
    types = [
        ("7", "deal_to_company_unlabeled"),
        ("8", "deal_to_company_unlabeled"),
        ("8", "deal_to_company"),
    ]
    companies = {"results": [{"id": i, "type": t} for i, t in types]}
    return {
        "results": [
            {
                "id": str(n),
                "properties": properties | {"hs_analytics_source": "ORGANIC_SEARCH"},
                "archived": False,
                "associations": {"companies": companies} if n == 11 else {},
            }
            for n in (11, 12)
        ]
    }


def write_labelled(raw) -> None:
    """Write exports with labels, and deals that are the API's answer."""
    stages = [STAGES[0] | CLOSED, STAGES[1] | CLOSED, STAGES[2]]
    rows = [
        labelled(1, "Closed Won"), labelled(2, "Closed lost"), labelled(3, "Proposal"),
        labelled(4, "Signed", Pipeline="Renewals"), labelled(5, "Signed"),
    ]  # fmt: skip
    contact = {
        "Record ID": "7", "First Name": "A", "Last Name": "B", "Email": "x@buyer.example",
        "Lifecycle Stage": "Marketing Qualified Lead", "Contact owner": "Ada Lund", "Create Date": "2026-01-05 09:00",
    }  # fmt: skip
    company = {
        "Record ID": "501",
        "Company name": "Acme",
        "Company owner": "Ada Lund",
        "Industry": "Energy",
    }
    write(
        raw,
        users=[hubspot_user()],
        deals=rows,
        deal_pipelines=stages,
        contacts=[contact],
        companies=[company],
    )
    (raw / "answer.json").write_text(json.dumps(answer(), indent=1), encoding="utf-8")


@pytest.fixture(scope="module")
def labels(clean_folder):
    return clean_folder(write_labelled)


def test_an_export_with_labels_is_read_by_stage_label_on_the_portals_clock(labels):
    """23:30 on 31 March stays that day in New York; the owner is no name in any table; the primary company counts."""
    table = labels.rows("opportunities", *"12345")
    assert table["status"].tolist() == ["won", "lost", "open", "won"]
    assert labels.aside() == {"unknown_outcome": 1}
    assert set(table["close_date"].astype(str)) == {"2026-03-31"}
    assert set(table["account_id"]) == {"502"}
    assert set(table["lead_source"]) == {"Organic search"}
    assert not table["owner_rep_id"].str.contains("Ada").any()


def test_contacts_and_companies_with_labels_are_known(labels):
    assert labels.audit.refusals == ()
    assert labels.tables["leads"][["lead_id", "lead_stage"]].to_numpy().tolist() == [["7", "mql"]]
    assert labels.tables["accounts"]["account_name"].tolist() == ["Acme"]


def test_quirk_54_associations_in_an_answer_are_the_companies_of_the_deal(labels):
    """The primary company first, though it is named last; a page's link is no record."""
    table = labels.rows("opportunities", "11", "12")
    assert table["opportunity_id"].tolist() == ["11", "12"]
    assert table["account_id"].fillna("").tolist() == ["8", ""]
    assert table["lead_source"].tolist() == ["ORGANIC_SEARCH"] * 2


def lead(n, stage, reason="", **other):
    return {
        "hs_object_id": str(n), "hs_lead_name": "Someone", "hs_pipeline_stage": stage, "hubspot_owner_id": "72400000",
        "hs_createdate": "2026-01-05T09:00:00Z", "hs_lead_disqualification_reason": reason, "Associated Contact IDs": "7",
    } | other  # fmt: skip


def test_the_leads_object_gives_leads_with_the_reason_they_were_disqualified(raw):
    rows = [
        lead(1, "new-stage-id"),
        lead(2, "unqualified-stage-id", "NOT_A_GOOD_FIT"),
        lead(3, "778899"),
    ]
    write(raw, users=[hubspot_user()], deals=[deal(1)], leads=rows)
    got = cleaned().tables["leads"]
    assert got["lead_stage"].fillna("").tolist() == ["open", "disqualified", ""]
    assert got["return_reason"].fillna("").tolist() == ["", "NOT_A_GOOD_FIT", ""]
    assert [None if pd.isna(c) else c for c in got["is_converted"]] == [False, False, None]


def test_beside_contacts_the_leads_object_adds_the_reason_and_counts_nobody_twice(raw):
    contact = {
        "hs_object_id": "7",
        "lifecyclestage": "lead",
        "createdate": "2026-01-01T00:00:00Z",
        "hubspot_owner_id": "72400000",
    }
    rows = [lead(1, "unqualified-stage-id", "BUDGET")]
    write(
        raw,
        users=[hubspot_user()],
        deals=[deal(1)],
        leads=rows,
        contacts=[contact, contact | {"hs_object_id": "8"}],
    )
    got = cleaned().tables["leads"]
    assert got["lead_id"].tolist() == ["7", "8"]
    assert got["return_reason"].fillna("").tolist() == ["BUDGET", ""]


def test_salesforces_usual_reason_fields_say_why_a_lead_came_back(raw):
    """The one of recycling first; None is a placeholder."""
    names = ("Recycled_Reason__c", "Unqualified_Reason__c")
    rows = [
        {"Id": f"00Q00000000000{n}", "Status": "Nurture", "IsConverted": "false", "ConvertedOpportunityId": "", "LeadSource": "Web"}
        | dict(zip(names, reasons, strict=True))
        for n, reasons in enumerate([("Timing", "Budget"), ("", "Budget"), ("None", "")], 1)
    ]  # fmt: skip
    write(raw, User=[user()], Opportunity=[opportunity(1)], Lead=rows)
    assert cleaned().tables["leads"]["return_reason"].fillna("").tolist() == [
        "Timing",
        "Budget",
        "",
    ]
