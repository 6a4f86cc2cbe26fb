"""Leads, campaigns and stages: cycles counted, touches shared out, histories told in order; nobody named."""

from __future__ import annotations

import json

import pytest
from crm_tables import ADA, BEN, cleaned, deal_id, event, opportunity, user, write

from analysis.project.errors import CrmDataError

CONTACT = "003000000000001"
CY, DAN = "005000000000003AAA", "005000000000004AAA"


def lead_id(n):
    """Return a lead's id: Q is the third of its first five, so the suffix begins with E."""
    return f"00Q{n:012d}EAA"


def lead(n, **other):
    row = {
        "Id": f"00Q{n:012d}", "Status": "MQL", "IsConverted": "false", "ConvertedDate": "", "ConvertedOpportunityId": "",
        "ConvertedContactId": "", "LeadSource": "Web", "CreatedDate": "2026-01-01T09:00:00Z", "OwnerId": ADA,
        "Company": "Acme", "Email": "eve.person@acme.test", "IsDeleted": "false",
    }  # fmt: skip
    return row | other


def moved(day, old, new, n):
    return {
        "LeadId": f"00Q{n:012d}",
        "Field": "Status",
        "OldValue": old,
        "NewValue": new,
        "CreatedDate": f"2026-01-{day:02d}T09:00:00Z",
    }


def member(campaign, n, responded="2026-01-10", **other):
    row = {
        "CampaignId": f"701{campaign:012d}", "LeadId": f"00Q{n:012d}", "ContactId": "", "HasResponded": str(bool(responded)).lower(),
        "FirstRespondedDate": responded, "CreatedDate": "2026-01-05T09:00:00Z",
    }  # fmt: skip
    return row | other


def stage(n, day, name, probability, **other):
    row = {
        "OpportunityId": deal_id(n), "StageName": name, "CreatedDate": f"2026-{day}T09:00:00Z", "CreatedById": ADA,
        "Amount": "100", "Probability": str(probability), "CloseDate": "2026-02-10",
    }  # fmt: skip
    return row | other


def stages(n):
    return [
        stage(n, "01-05", "Prospecting", 10), stage(n, "01-08", "Prospecting", 10, Amount="90"),
        stage(n, "01-20", "Proposal", 50), stage(n, "02-10", "Closed Won", 100),
    ]  # fmt: skip


def converted(n, **other):
    return lead(n, IsConverted="true", ConvertedOpportunityId=deal_id(n), **other)


def history(n):
    """Return a lead's steps: qualified on the 3rd, back on the 5th, again on the 9th."""
    return [
        moved(3, "Open", "MQL", n),
        moved(5, "MQL", "Nurture", n),
        moved(9, "Nurture", "MQL", n),
        moved(12, "MQL", "SAL", n),
    ]


N_CAMPAIGNS = {41: 1, 42: 2, 43: 5}  # of each of these leads
PEOPLE = ["003000000000001", ADA, DAN, "003000000000002"]


def write_leads(raw):
    """Write leads with their histories and responses: the numbers of each test are its own."""
    again = {"Status": "Open - Not Contacted"}
    leads = [lead(1, Status="SAL"), lead(2, **again), lead(3, Status="SAL"), lead(4, **again)]
    leads += [converted(11), lead(12, IsConverted="true"), lead(21, OwnerId="00G000000000001")]
    leads += [converted(31, ConvertedContactId=CONTACT), *map(converted, N_CAMPAIGNS)]
    contact = {"LeadId": "", "ContactId": CONTACT}
    members = [
        member(1, 31), member(1, 31, **contact), member(1, 31, "2026-01-20", **contact),
        member(2, 31, ""), member(2, 31, "2026-01-25", **contact),
    ]  # fmt: skip
    for n, n_campaigns in N_CAMPAIGNS.items():
        members += [member(i, n) for i in range(n_campaigns)]
        members += [member(98, n, ""), member(99, n, "2026-02-11")]
    write(
        raw,
        Lead=leads,
        LeadHistory=[*history(1), *history(3)[::-1]],
        CampaignMember=members,
    )


def write_company(raw):
    """Write deals, their stages and meetings; then leads."""
    deals = [opportunity(n) for n in (11, 31, *N_CAMPAIGNS, 61, 62, 63, 73, 81, 82)]
    deals += [opportunity(n, OwnerId=CY) for n in (71, 72)]
    splits = [
        {"OpportunityId": f"006{n:012d}", "SplitOwnerId": r, "SplitPercentage": p}
        for n, p in ((81, "50"), (82, "60"))
        for r in (ADA, BEN)
    ]
    old = {"SystemModstamp": "2026-02-11T00:00:00Z"}
    new = {"SystemModstamp": "2026-03-01T00:00:00Z", "Amount": "120"}
    relations = [
        {"EventId": "000000000000001", "RelationId": p, "IsInvitee": "true", "Status": s}
        for p, s in zip(PEOPLE, ("Accepted", "New", "Accepted", "Declined"), strict=True)
    ]
    late = user(CY, StartDate__c="2026-03-01")
    write(
        raw,
        User=[user(), user(BEN), late, user(DAN, Title="Marketing Manager")],
        Opportunity=deals,
        OpportunityHistory=[*stages(61), *stages(62)[::-1], *stages(63)[2:], *stages(71)],
        OpportunitySplit=splits,
        Lines=[opportunity(91, Primary_Product__c=f"01t{n:012d}") for n in range(3)],
        April=[opportunity(101, **old), opportunity(102, **new)],
        March=[opportunity(101, **new), opportunity(102, **old)],
        Event=[event(1)],
        EventRelation=[*relations, relations[0]],
    )
    write_leads(raw)


def write_people(raw):
    """Write people by name, deals of two pipelines, and responses by hand only."""
    ada = {"Name": "Ada Lovelace", "Email": "ada@northwind.example", "Phone": "+44 20 7946 0000"}
    eve = {"FirstName": "Eve", "LastName": "Person", "Phone": "555-0100"}
    types = (("Renewals", ""), ("New", ""), ("New", "New Business"))
    text = {"Description": "call eve.person@acme.test"}
    deals = [opportunity(n, RecordTypeId=p, Type=t, **text) for n, (p, t) in enumerate(types)]
    leads = [lead(1) | eve, lead(2, Email="bob@northwind.example")]
    own = {"lead_id": lead_id(1), "campaign_id": "C-1", "is_response": "true"}
    by_hand = [own | {"touched_at": f"2026-01-{day}T09:00:00Z"} for day in (12, 20)]
    write(raw, User=[user() | ada], Lead=leads, Opportunity=deals, touches=by_hand)


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_company)


@pytest.fixture(scope="module")
def people(clean_folder):
    return clean_folder(write_people)


def rows_of(got, table, column, value):
    """Return the clean rows of a table that hold this value in a column."""
    clean = got.tables[table]
    return clean[clean[column] == value].reset_index(drop=True)


@pytest.mark.parametrize("n", [1, 3])
def test_a_lead_handed_back_and_qualified_again_has_two_cycles_quirk_36(company, n):
    """Qualified on the 3rd, back on the 5th, again on the 9th; the history newest first (3) or not (1)."""
    rows = company.rows("leads", lead_id(n), lead_id(n + 1))
    assert rows["n_cycles"].tolist() == [2, 0]
    assert rows["is_recycled"].tolist() == [True, False]
    assert rows["lead_stage"].tolist() == ["sal", "open"]
    assert [str(t.date()) for t in rows.iloc[0][["mql_at", "recycled_at", "sal_at"]]] == [
        "2026-01-03",
        "2026-01-05",
        "2026-01-12",
    ]
    steps = rows_of(company, "lead_status_history", "lead_id", lead_id(n))
    assert steps["cycle"].tolist() == [1, 1, 2, 2]
    assert steps["is_recycling"].tolist() == [False, True, False, False]
    assert steps["exited_at"].tolist()[:3] == steps["entered_at"].tolist()[1:]
    assert company.effect("leads", "recycled").n_rows == 2  # the two leads of this test


def test_converted_is_not_the_same_as_an_opportunity_quirk_37(company):
    """Two converted, one of them to a contact only, and no other lead so."""
    rows = company.rows("leads", lead_id(11), lead_id(12))
    assert rows["is_converted"].sum() == 2
    assert rows["opportunity_id"].notna().sum() == 1
    assert company.effect("leads", "converted_without_opportunity").n_rows == 1


def test_a_queue_is_no_rep_quirk_31(company):
    assert company.rows("leads", lead_id(21))["owner_rep_id"].isna().tolist() == [True]
    assert company.effect("leads", "queue_owner").n_rows == 1


def test_every_response_counts_and_none_twice_as_lead_and_as_contact_quirk_35(company):
    """The contact is the lead of before: the same day is one response, a later day another.

    Of campaign 2, where the contact responded, that the lead was sent it says nothing more.
    """
    touches = rows_of(company, "touches", "opportunity_id", deal_id(31))
    assert touches["touched_at"].astype(str).str[:10].tolist() == [
        "2026-01-10", "2026-01-20", "2026-01-25",
    ]  # fmt: skip
    assert touches["opportunity_weight"].tolist() == pytest.approx([1 / 3] * 3)
    assert company.aside("touches") == {"repeated_touch": 2}


@pytest.mark.parametrize("n", N_CAMPAIGNS)
def test_adding_a_campaign_never_changes_what_is_shared_out_quirk_35(company, n):
    """Weights sum to 1 however many responded to; what was only sent, and a response after the close, have none."""
    touches = rows_of(company, "touches", "lead_id", lead_id(n))
    assert touches["opportunity_weight"].sum() == pytest.approx(1)
    assert touches["opportunity_weight"].isna().sum() == 2
    assert touches["is_response"].sum() == N_CAMPAIGNS[n] + 1


def test_stages_are_told_in_order_and_once_quirk_14(company):
    """Newest first as oldest first; a change of amount is no change of stage; stays follow each other."""
    tables = []
    for n in (61, 62):
        rows = rows_of(company, "stage_history", "opportunity_id", deal_id(n))
        assert rows["stage"].tolist() == ["Prospecting", "Proposal", "Closed Won"]
        assert rows["stage_order"].tolist() == [1, 2, 3]
        assert rows["exited_at"].tolist()[:2] == rows["entered_at"].tolist()[1:]
        tables.append(rows.drop(columns=["opportunity_id", "source_row"]))
    assert tables[0].equals(tables[1])
    assert company.aside("stage_history") == {"unchanged_stage": 3}  # of deals 61, 62 and 71


def test_a_history_that_begins_late_is_marked_quirk_14(company):
    """Created on 5 January, the first stage known is of 20 January."""
    rows = rows_of(company, "stage_history", "opportunity_id", deal_id(63))
    assert rows["flagged_by"].fillna("").tolist() == ["left_censored", ""]


def test_a_deal_whose_owner_came_later_counts_for_who_closed_it_quirk_30(company):
    """Cy was hired after the close; Ada moved the stage, so it is hers. Without history it is nobody's."""
    rows = company.rows("opportunities", deal_id(71), deal_id(72), deal_id(73))
    assert rows["owner_at_close_rep_id"].fillna("").tolist() == [ADA, "", ADA]
    assert rows["owner_rep_id"].tolist() == [CY, CY, ADA]
    assert rows["flagged_by"].fillna("").tolist() == [
        "owner_changed_since",
        "owner_started_later",
        "",
    ]


def test_splits_of_an_opportunity_sum_to_its_amount_quirk_46(company):
    """50/50 holds; 60/60 is set aside, and the deal counts for its owner."""
    assert company.tables["opportunity_splits"]["opportunity_id"].unique().tolist() == [deal_id(81)]
    assert company.tables["opportunity_splits"]["split_rate"].sum() == 1.0
    assert company.aside("opportunity_splits") == {"splits_not_whole": 2}


def test_a_line_a_product_counts_the_opportunity_once_quirk_45(company):
    """Three lines repeat 100: bookings are 100, and 200 are dropped by name."""
    assert company.rows("opportunities", deal_id(91))["deal_amount"].tolist() == [100.0]
    assert company.effect("opportunities", "repeated_by_lines")[4:7] == (2, 20, 200.0)  # of 20 rows


def test_the_later_version_holds_whatever_the_order_of_files_quirk_52(company):
    """Overlapping monthly exports: changed on 1 March, as exported before (101) and after (102)."""
    for n in (101, 102):
        assert company.rows("opportunities", deal_id(n))["deal_amount"].tolist() == [120.0]
        assert company.aside_of(deal_id(n)) == {"older_version": 1}


def test_renewals_are_told_from_new_business_by_their_pipeline_quirk_44(people):
    rows = people.tables["opportunities"]
    assert rows["opportunity_type"].fillna("").tolist() == ["renewal", "", "new"]
    assert rows["flagged_by"].fillna("").tolist() == [
        "renewal_by_pipeline",
        "pipeline_of_unknown_type",
        "",
    ]


def test_customers_and_colleagues_at_a_meeting_are_told_apart_quirk_24(company):
    """A meeting of three: the customer, a colleague of sales and one of marketing; who declined was not there."""
    assert sorted(company.tables["attendees"]["side"]) == ["customer", "marketing", "sales"]
    assert sorted(company.tables["attendees"]["rep_id"].dropna()) == [ADA, DAN]
    assert company.aside("attendees") == {"declined": 1, "repeated_record": 1}


def test_no_person_is_named_in_any_table_quirk_50(people):
    """Names, addresses and phones of leads, users and attendees are nowhere; pseudonyms are, of this dataset alone."""
    text = json.dumps({n: t.astype(str).to_dict("records") for n, t in people.tables.items()})
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
    assert people.aside("leads") == {"internal_record": 1}
    assert people.tables["leads"]["person_key"].str.fullmatch(r"P[0-9A-F]{15}").all()


def test_leads_alone_make_a_report_and_date_it(raw):
    """No deals: the last lead is of 5 March, Ben owns one and stands for a rep; nothing is won or lost."""
    leads = [lead(1), lead(2, CreatedDate="2026-03-05T09:00:00Z", OwnerId=BEN)]
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


def test_responses_kept_by_hand_are_read(people):
    """A CRM that exports no responses: who responded to what is a file of the house."""
    assert people.tables["touches"]["lead_id"].tolist() == [lead_id(1)] * 2
    assert people.tables["touches"]["is_response"].all()
