"""Leads, campaigns and stages: cycles counted, touches shared out, histories told in order; nobody named."""

from __future__ import annotations

import json

import pytest
from crm_tables import ADA, BEN, cleaned, event, opportunity, user, write

from analysis.project.errors import CrmDataError

DEAL = "006000000000001AAA"
LEAD, OTHER = "00Q000000000001", "00Q000000000002"
CONTACT = "003000000000001"


def lead(record=LEAD, **other):
    row = {
        "Id": record, "Status": "MQL", "IsConverted": "false", "ConvertedDate": "", "ConvertedOpportunityId": "",
        "ConvertedContactId": "", "LeadSource": "Web", "CreatedDate": "2026-01-01T09:00:00Z", "OwnerId": ADA,
        "Company": "Acme", "Email": "eve.person@acme.test", "IsDeleted": "false",
    }  # fmt: skip
    return row | other


def moved(day, old, new, record=LEAD):
    return {
        "LeadId": record,
        "Field": "Status",
        "OldValue": old,
        "NewValue": new,
        "CreatedDate": f"2026-01-{day:02d}T09:00:00Z",
    }


def member(campaign, responded="2026-01-10", **other):
    row = {
        "CampaignId": f"701{campaign:012d}", "LeadId": LEAD, "ContactId": "", "HasResponded": str(bool(responded)).lower(),
        "FirstRespondedDate": responded, "CreatedDate": "2026-01-05T09:00:00Z",
    }  # fmt: skip
    return row | other


def stage(day, name, probability, **other):
    row = {
        "OpportunityId": DEAL, "StageName": name, "CreatedDate": f"2026-{day}T09:00:00Z", "CreatedById": ADA,
        "Amount": "100", "Probability": str(probability), "CloseDate": "2026-02-10",
    }  # fmt: skip
    return row | other


def passed(raw, **files):
    write(raw, **({"Opportunity": [opportunity(1)], "User": [user(), user(BEN)]} | files))
    return cleaned()


def test_a_lead_handed_back_and_qualified_again_has_two_cycles_quirk_36(raw):
    """Qualified on the 3rd, back on the 5th, again on the 9th; the history newest first or not."""
    history = [
        moved(3, "Open", "MQL"),
        moved(5, "MQL", "Nurture"),
        moved(9, "Nurture", "MQL"),
        moved(12, "MQL", "SAL"),
    ]
    for told in (history, history[::-1]):
        got = passed(
            raw,
            Lead=[lead(Status="SAL"), lead(OTHER, Status="Open - Not Contacted")],
            LeadHistory=told,
        )
        rows = got.tables["leads"]
        assert rows["n_cycles"].tolist() == [2, 0]
        assert rows["is_recycled"].tolist() == [True, False]
        assert rows["lead_stage"].tolist() == ["sal", "open"]
        assert [str(t.date()) for t in rows.iloc[0][["mql_at", "recycled_at", "sal_at"]]] == [
            "2026-01-03",
            "2026-01-05",
            "2026-01-12",
        ]
        steps = got.tables["lead_status_history"]
        assert steps["cycle"].tolist() == [1, 1, 2, 2]
        assert steps["is_recycling"].tolist() == [False, True, False, False]
        assert steps["exited_at"].tolist()[:3] == steps["entered_at"].tolist()[1:]
        assert got.effect("leads", "recycled").n_rows == 1


def test_converted_is_not_the_same_as_an_opportunity_quirk_37(raw):
    """Two converted, one of them to a contact only."""
    leads = [lead(IsConverted="true", ConvertedOpportunityId=DEAL), lead(OTHER, IsConverted="true")]
    got = passed(raw, Lead=leads)
    assert got.tables["leads"]["is_converted"].sum() == 2
    assert got.tables["leads"]["opportunity_id"].notna().sum() == 1
    assert got.effect("leads", "converted_without_opportunity").n_rows == 1


def test_a_queue_is_no_rep_quirk_31(raw):
    got = passed(raw, Lead=[lead(OwnerId="00G000000000001")])
    assert got.tables["leads"]["owner_rep_id"].isna().all()
    assert got.effect("leads", "queue_owner").n_rows == 1


def test_every_response_counts_and_none_twice_as_lead_and_as_contact_quirk_35(raw):
    """The contact is the lead of before: the same day is one response, a later day another.

    Of campaign 2, where the contact responded, that the lead was sent it says nothing more.
    """
    converted = lead(IsConverted="true", ConvertedOpportunityId=DEAL, ConvertedContactId=CONTACT)
    contact = {"LeadId": "", "ContactId": CONTACT}
    members = [
        member(1), member(1, **contact), member(1, "2026-01-20", **contact),
        member(2, ""), member(2, "2026-01-25", **contact),
    ]  # fmt: skip
    got = passed(raw, Lead=[converted], CampaignMember=members)
    touches = got.tables["touches"]
    assert touches["touched_at"].astype(str).str[:10].tolist() == [
        "2026-01-10", "2026-01-20", "2026-01-25",
    ]  # fmt: skip
    assert touches["opportunity_id"].tolist() == [DEAL] * 3
    assert touches["opportunity_weight"].tolist() == pytest.approx([1 / 3] * 3)
    assert got.aside("touches") == {"repeated_touch": 2}


@pytest.mark.parametrize("n_campaigns", [1, 2, 5])
def test_adding_a_campaign_never_changes_what_is_shared_out_quirk_35(raw, n_campaigns):
    """Weights sum to 1 however many responded to; what was only sent, and a response after the close, have none."""
    converted = lead(IsConverted="true", ConvertedOpportunityId=DEAL)
    sent, late = member(98, ""), member(99, "2026-02-11")
    got = passed(
        raw, Lead=[converted], CampaignMember=[*(member(n) for n in range(n_campaigns)), sent, late]
    )
    touches = got.tables["touches"]
    assert touches["opportunity_weight"].sum() == pytest.approx(1)
    assert touches["opportunity_weight"].isna().sum() == 2
    assert touches["is_response"].sum() == n_campaigns + 1


STAGES = [
    stage("01-05", "Prospecting", 10), stage("01-08", "Prospecting", 10, Amount="90"), stage("01-20", "Proposal", 50),
    stage("02-10", "Closed Won", 100),
]  # fmt: skip


def test_stages_are_told_in_order_and_once_quirk_14(raw):
    """Newest first as oldest first; a change of amount is no change of stage; stays follow each other."""
    tables = []
    for told in (STAGES, STAGES[::-1]):
        got = passed(raw, OpportunityHistory=told)
        rows = got.tables["stage_history"]
        assert rows["stage"].tolist() == ["Prospecting", "Proposal", "Closed Won"]
        assert rows["stage_order"].tolist() == [1, 2, 3]
        assert rows["exited_at"].tolist()[:2] == rows["entered_at"].tolist()[1:]
        assert got.aside("stage_history") == {"unchanged_stage": 1}
        tables.append(rows.drop(columns="source_row"))
    assert tables[0].equals(tables[1])


def test_a_history_that_begins_late_is_marked_quirk_14(raw):
    """Created on 5 January, the first stage known is of 20 January."""
    got = passed(raw, OpportunityHistory=STAGES[2:])
    assert got.tables["stage_history"]["flagged_by"].fillna("").tolist() == ["left_censored", ""]


def test_a_deal_whose_owner_came_later_counts_for_who_closed_it_quirk_30(raw):
    """Ben was hired after the close; Ada moved the stage, so it is hers. Without history it is nobody's."""
    late = user(BEN, StartDate__c="2026-03-01")
    deals = [opportunity(1, OwnerId=BEN), opportunity(2, OwnerId=BEN), opportunity(3)]
    got = passed(raw, Opportunity=deals, User=[user(), late], OpportunityHistory=STAGES)
    rows = got.tables["opportunities"]
    assert rows["owner_at_close_rep_id"].fillna("").tolist() == [ADA, "", ADA]
    assert rows["owner_rep_id"].tolist() == [BEN, BEN, ADA]
    assert rows["flagged_by"].fillna("").tolist() == [
        "owner_changed_since",
        "owner_started_later",
        "",
    ]


def test_splits_of_an_opportunity_sum_to_its_amount_quirk_46(raw):
    """50/50 holds; 60/60 is set aside, and the deal counts for its owner."""
    splits = [
        {"OpportunityId": f"006{n:012d}", "SplitOwnerId": r, "SplitPercentage": p}
        for n, p in ((1, "50"), (2, "60"))
        for r in (ADA, BEN)
    ]
    got = passed(raw, Opportunity=[opportunity(1), opportunity(2)], OpportunitySplit=splits)
    assert got.tables["opportunity_splits"]["opportunity_id"].unique().tolist() == [DEAL]
    assert got.tables["opportunity_splits"]["split_rate"].sum() == 1.0
    assert got.aside("opportunity_splits") == {"splits_not_whole": 2}


def test_a_line_a_product_counts_the_opportunity_once_quirk_45(raw):
    """Three lines repeat 100: bookings are 100, and 200 are dropped by name."""
    lines = [opportunity(1, Primary_Product__c=f"01t{n:012d}") for n in range(3)]
    got = passed(raw, Opportunity=lines)
    assert got.tables["opportunities"]["deal_amount"].tolist() == [100.0]
    assert got.effect("opportunities", "repeated_by_lines")[4:7] == (2, 3, 200.0)


def test_the_later_version_holds_whatever_the_order_of_files_quirk_52(raw):
    """Overlapping monthly exports: changed on 1 March, as exported before and after."""
    old = opportunity(1, SystemModstamp="2026-02-11T00:00:00Z")
    new = opportunity(1, SystemModstamp="2026-03-01T00:00:00Z", Amount="120")
    for first, second in ((old, new), (new, old)):
        got = passed(raw, Opportunity=[first], March=[second])
        assert got.tables["opportunities"]["deal_amount"].tolist() == [120.0]
        assert got.aside() == {"older_version": 1}


def test_renewals_are_told_from_new_business_by_their_pipeline_quirk_44(raw):
    told = (("Renewals", ""), ("New", ""), ("New", "New Business"))
    deals = [opportunity(n, RecordTypeId=p, Type=t) for n, (p, t) in enumerate(told)]
    rows = passed(raw, Opportunity=deals).tables["opportunities"]
    assert rows["opportunity_type"].fillna("").tolist() == ["renewal", "", "new"]
    assert rows["flagged_by"].fillna("").tolist() == [
        "renewal_by_pipeline",
        "pipeline_of_unknown_type",
        "",
    ]


def test_customers_and_colleagues_at_a_meeting_are_told_apart_quirk_24(raw):
    """A meeting of three: the customer, a colleague of sales and one of marketing; who declined was not there."""
    people = ["003000000000001", ADA, BEN, "003000000000002"]
    relations = [
        {"EventId": "000000000000001", "RelationId": p, "IsInvitee": "true", "Status": s}
        for p, s in zip(people, ("Accepted", "New", "Accepted", "Declined"), strict=True)
    ]
    got = passed(
        raw,
        User=[user(), user(BEN, Title="Marketing Manager")],
        Event=[event(1)],
        EventRelation=[*relations, relations[0]],
    )
    assert sorted(got.tables["attendees"]["side"]) == ["customer", "marketing", "sales"]
    assert sorted(got.tables["attendees"]["rep_id"].dropna()) == [ADA, BEN]
    assert got.aside("attendees") == {"declined": 1, "repeated_record": 1}


def test_no_person_is_named_in_any_table_quirk_50(raw):
    """Names, addresses and phones of leads, users and attendees are nowhere; pseudonyms are, of this dataset alone."""
    users = [
        user()
        | {"Name": "Ada Lovelace", "Email": "ada@northwind.example", "Phone": "+44 20 7946 0000"}
    ]
    leads = [
        lead() | {"FirstName": "Eve", "LastName": "Person", "Phone": "555-0100"},
        lead(OTHER, Email="bob@northwind.example"),
    ]
    got = passed(
        raw,
        User=users,
        Lead=leads,
        Opportunity=[opportunity(1, Description="call eve.person@acme.test")],
    )
    text = json.dumps({n: t.astype(str).to_dict("records") for n, t in got.tables.items()})
    for told in (
        "Lovelace",
        "Eve",
        "Person",
        "@",
        "7946",
        "555-0100",
        "northwind.example",
        "acme.test",
    ):
        assert told not in text, told
    assert got.aside("leads") == {"internal_record": 1}
    assert got.tables["leads"]["person_key"].str.fullmatch(r"P[0-9A-F]{15}").all()


def test_leads_alone_make_a_report_and_date_it(raw):
    """No deals: the last lead is of 5 March, Ben owns one and stands for a rep; nothing is won or lost."""
    leads = [lead(), lead(OTHER, CreatedDate="2026-03-05T09:00:00Z", OwnerId=BEN)]
    write(raw, Lead=leads)
    got = cleaned(as_of=None)
    assert (str(got.audit.first_day), str(got.audit.as_of)) == ("2026-01-01", "2026-03-05")
    assert got.account("leads") == (2, 2, 0, 0)
    assert got.account("opportunities") == (0, 0, 0, 0)
    assert sorted(got.tables["reps"]["rep_id"]) == [ADA, BEN]


def test_a_folder_without_deals_and_without_leads_is_refused(raw):
    write(raw, User=[user()])
    with pytest.raises(
        CrmDataError, match=r"opportunities: no export .* nor leads, which would do"
    ):
        cleaned()


def test_responses_kept_by_hand_are_read(raw):
    """A CRM that exports no responses: who responded to what is a file of the house."""
    kept = {"lead_id": f"{LEAD}AAA", "campaign_id": "C-1", "is_response": "true"}
    rows = [kept | {"touched_at": f"2026-01-{day}T09:00:00Z"} for day in (12, 20)]
    got = passed(raw, Lead=[lead()], touches=rows)
    assert got.tables["touches"]["lead_id"].tolist() == [f"{LEAD}AAA"] * 2
    assert got.tables["touches"]["is_response"].all()
