"""What typed rows still say of deals that stand twice."""

from __future__ import annotations

from crm_tables import cleaned, deal_id, opportunity, user, write


def test_a_deal_entered_twice_is_the_same_by_its_name_or_by_its_account(raw):
    """1 and 2 have a name and no account, 3 and 4 an account and no name; 5 and 6 have neither."""
    account = "001000000000001AAA"
    rows = [
        opportunity(1, Name="Big deal", AccountId=""),
        opportunity(2, Name="BIG  DEAL", AccountId=""),
        opportunity(3, Name="", AccountId=account),
        opportunity(4, Name="", AccountId=account),
        opportunity(5, Name="", AccountId=""),
        opportunity(6, Name="", AccountId=""),
    ]
    accounts = [{"Id": account, "Name": "Acme", "Industry": "", "MasterRecordId": ""}]
    write(raw, User=[user()], Account=accounts, Opportunity=rows)
    again = cleaned().tables["same_deals"]["opportunity_id"]
    assert sorted(again) == [deal_id(2), deal_id(4)]
