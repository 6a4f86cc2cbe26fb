"""Exports say what the company did, in Salesforce's spelling, with the dirt that was planted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from analysis.simulate.exports import salesforce_format, write
from analysis.simulate.simulated_tables import simulate_panels
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from pathlib import Path

COMPANY = SimulatedCompany(n_teams=6, n_quarters=8, adoption=((3, 0.5),), late_logging_quarter=3)
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)


def defects(folder: Path) -> dict[str, dict[str, object]]:
    return json.loads((folder / "truth.json").read_text())["defects"]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    write.write_exports(COMPANY, folder, dirt=None)
    return folder


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dirty")
    write.write_exports(COMPANY, folder)
    return folder


def suffix(text: str) -> str:
    """Return the check suffix by definition: five characters a letter, a bit an upper-case one."""
    thirds = (text[0:5], text[5:10], text[10:15])
    return "".join(
        (UPPER + "012345")[sum((c in UPPER) << i for i, c in enumerate(third))] for third in thirds
    )


def test_equal_companies_give_equal_bytes(dirty, tmp_path):
    """File by file; another seed gives other files."""
    write.write_exports(COMPANY, tmp_path / "same")
    write.write_exports(replace(COMPANY, seed=8), tmp_path / "other")
    names = sorted(str(file.relative_to(dirty)) for file in dirty.rglob("*.*"))
    assert names == sorted(
        str(file.relative_to(tmp_path / "same")) for file in (tmp_path / "same").rglob("*.*")
    )
    assert len(names) == 23 + 20 + 2 + 1 + 1  # its settings, its sales-ready leads
    for name in names:
        assert (tmp_path / "same" / name).read_bytes() == (dirty / name).read_bytes()
    ours = (dirty / "Event.csv").read_bytes()
    assert (tmp_path / "other" / "Event.csv").read_bytes() != ours


def test_the_check_suffix_is_salesforces():
    """C is 4th of its five: 8, I; none: A; O, O and I are 3rd to 5th: 4 + 8 + 16 = 28, 2."""
    assert suffix("001C000000o4OOI") == "IA2"
    ids = salesforce_format.salesforce_ids("001", np.arange(1000)).to_pylist()
    assert len(set(ids)) == 1000
    assert all(text[15:] == suffix(text) for text in ids)


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("User", "Id"), ("UserRole", "Id"), ("Account", "Id"), ("Lead", "Id"), ("Campaign", "Id"),
        ("Opportunity", "OwnerId"), ("OpportunityHistory", "OpportunityId"), ("Event", "WhoId"),
        ("Task", "Id"), ("EventRelation", "RelationId"), ("quotas", "rep_id"),
    ],
)  # fmt: skip
def test_every_id_passes_its_checksum(clean, file, column):
    """All 18 characters of all of them, but for those exported with 15."""
    ids = read(clean, file)[column].unique()
    ids = [text for text in ids if text]
    assert ids
    assert all(len(text) == 18 and text[15:] == suffix(text) for text in ids)


def test_every_reference_exists(clean):
    """Owners, accounts, deals, leads, campaigns and teams are all exported."""
    known = {name: set(read(clean, name)["Id"]) for name in ("User", "UserRole", "Account")}
    known |= {
        name: set(read(clean, name)["Id"])
        for name in ("Opportunity", "Lead", "Campaign", "Event", "Product2")
    }
    known["What"] = known["Opportunity"] | known["Account"]
    links = [
        ("Opportunity", "OwnerId", "User"), ("Opportunity", "AccountId", "Account"),
        ("Opportunity", "CampaignId", "Campaign"),
        ("Opportunity", "Primary_Product__c", "Product2"),
        ("OpportunityHistory", "OpportunityId", "Opportunity"),
        ("OpportunityHistory", "CreatedById", "User"), ("Event", "OwnerId", "User"),
        ("Event", "WhatId", "What"), ("Task", "WhatId", "What"), ("Task", "OwnerId", "User"),
        ("EventRelation", "EventId", "Event"), ("Lead", "OwnerId", "User"),
        ("Lead", "ConvertedOpportunityId", "Opportunity"), ("LeadHistory", "LeadId", "Lead"),
        ("CampaignMember", "LeadId", "Lead"), ("CampaignMember", "CampaignId", "Campaign"),
        ("User", "ManagerId", "User"), ("User", "UserRoleId", "UserRole"),
        ("rep_team_history", "rep_id", "User"), ("rep_team_history", "team_id", "UserRole"),
        ("compensation", "rep_id", "User"), ("quotas", "rep_id", "User"),
        ("programme", "team_id", "UserRole"), ("hours_shifters", "rep_id", "User"),
        ("goals", "sales_owner_rep_id", "User"), ("goals", "marketing_owner_rep_id", "User"),
        ("target_accounts", "account_id", "Account"), ("campaign_notices", "campaign_id", "Campaign"),
        ("asset_uses", "opportunity_id", "Opportunity"), ("feedback", "rep_id", "User"),
        ("feedback", "product_id", "Product2"), ("survey_answers", "team_id", "UserRole"),
        ("campaign_milestones", "campaign_id", "Campaign"), ("content_ideas", "rep_id", "User"),
        ("content_trials", "account_id", "Account"), ("channels", "owner_rep_id", "User"),
        ("stage_owners", "team_id", "UserRole"),
    ]  # fmt: skip
    for file, column, target in links:
        assert set(read(clean, file)[column]) - {""} <= known[target], (file, column)


def test_keys_are_unique_in_clean_files(clean):
    """One record an id."""
    for name in ("User", "Account", "Opportunity", "OpportunityHistory", "Event", "Task", "Lead"):
        assert read(clean, name)["Id"].is_unique


def test_a_rep_is_in_one_team_at_a_time(clean):
    """Stays are half-open and do not overlap."""
    stays = read(clean, "rep_team_history").sort_values(["rep_id", "valid_from"])
    stays["valid_to"] = stays["valid_to"].replace("", "9999-12-31")
    assert (stays["valid_from"] < stays["valid_to"]).all()
    following = stays.groupby("rep_id")["valid_from"].shift(-1)
    assert (stays["valid_to"][following.notna()] <= following.dropna()).all()


def test_owners_are_in_the_team_that_closed_the_deal(clean):
    """Won bookings by as-of team and quarter equal the panel, in USD at the dated rates."""
    deals = read(clean, "Opportunity").query("IsWon == 'true'")
    stays = read(clean, "rep_team_history")
    stays["valid_to"] = stays["valid_to"].replace("", "9999-12-31")
    held = deals.merge(stays, left_on="OwnerId", right_on="rep_id")
    held = held[(held["valid_from"] <= held["CloseDate"]) & (held["CloseDate"] < held["valid_to"])]
    assert len(held) == len(deals)
    got = in_usd(clean, held).groupby([held["team_id"], quarter(held["CloseDate"])]).sum()
    panel = simulate_panels(COMPANY).team_quarter
    teams = read(clean, "UserRole")["Id"].to_numpy()
    labels = sorted(quarter(deals["CloseDate"]).unique())
    index = pd.MultiIndex.from_arrays(
        [teams[panel["team"]], np.array(labels)[panel["quarter"]]], names=["team_id", "CloseDate"]
    )
    assert got.reindex(index, fill_value=0).to_numpy() == pytest.approx(
        panel["bookings"].to_numpy(), abs=1
    )


def quarter(dates: pd.Series) -> pd.Series:
    return pd.PeriodIndex(dates, freq="Q").astype(str).to_series(dates.index).rename("CloseDate")


def in_usd(folder: Path, deals: pd.DataFrame) -> pd.Series:
    rates = read(folder, "DatedConversionRate")
    dated = deals.reset_index().merge(rates, left_on="CurrencyIsoCode", right_on="IsoCode")
    valid = (dated["StartDate"] <= dated["CloseDate"]) & (
        dated["CloseDate"] < dated["NextStartDate"]
    )
    dated = dated[valid].set_index("index")
    return (dated["Amount"].astype(float) / dated["ConversionRate"].astype(float)).reindex(
        deals.index
    )


def test_the_control_total_is_the_true_sum(clean, dirty):
    """Within 0.2 % of the won deals of each quarter, and the same beside dirty exports."""
    deals = read(clean, "Opportunity").query("IsWon == 'true'")
    total = in_usd(clean, deals).groupby(quarter(deals["CloseDate"])).sum()
    finance = read(clean, "finance_bookings").set_index("quarter")["bookings_amount"].astype(float)
    assert len(finance) == 8
    assert (finance / total - 1).abs().max() < 0.002
    assert read(dirty, "finance_bookings").equals(read(clean, "finance_bookings"))


def test_nothing_lies_after_the_window(clean):
    """People met and deals closed on the last day, 30 September 2026; open deals close later."""
    for file, column in (
        ("Event", "StartDateTime"), ("Event", "CreatedDate"), ("Task", "CompletedDateTime"),
        ("OpportunityHistory", "CreatedDate"), ("Lead", "CreatedDate"),
        ("LeadHistory", "CreatedDate"),
    ):  # fmt: skip
        assert read(clean, file)[column].max() < "2026-10-01", (file, column)
    assert read(clean, "Event")["StartDateTime"].max() > "2026-09-30"
    deals = read(clean, "Opportunity")
    closed = deals["IsClosed"] == "true"
    assert deals.loc[closed, "CloseDate"].max() == "2026-09-30"
    assert deals.loc[~closed, "CloseDate"].min() > "2026-09-30"
    assert deals["CloseDate"].min() >= "2024-10-01"


def test_names_that_would_do_harm_are_there(clean):
    """And so are those that only look like tests."""
    names = set(read(clean, "Account")["Name"])
    assert {'=HYPERLINK("http://evil.example","x")', "<script>alert(1)</script>"} <= names
    assert {"Total Energies", "Contest Ltd", "Testa S.p.A."} <= names


def test_a_clean_company_has_no_defects(clean):
    """Nothing planted, nothing listed."""
    assert defects(clean) == {}


@pytest.mark.study
def test_every_planted_defect_is_in_its_file(dirty):
    """Each id or key that truth.json lists is found, with an action and a rule."""
    found = defects(dirty)
    assert len(found) == 40
    for name, defect in found.items():
        assert name == f"{defect['file']}.{defect['rule']}"
        assert defect["action"] in {"drop", "flag", "quarantine"}
        table = read(dirty, str(defect["file"]))
        keys = TABLES[str(defect["table"])].key
        ids = table["Id"] if "Id" in table else table[list(keys)].agg("|".join, axis="columns")
        assert set(defect["ids"]) <= set(ids), name
        n = ids.isin(defect["ids"]).sum()
        assert n == len(defect["ids"]) * (1 + (defect["rule"] == "repeated_record")), name


def test_no_row_has_two_defects(dirty):
    """An id stands under one rule of its file."""
    listed = [
        (defect["file"], number)
        for defect in defects(dirty).values()
        for number in set(defect["ids"])
    ]
    assert len(listed) == len(set(listed))


def planted(folder: Path, name: str) -> pd.DataFrame:
    table = read(folder, name.partition(".")[0])
    return table[table["Id"].isin(defects(folder)[name]["ids"])]


def test_defects_of_opportunities_are_what_they_are_called(dirty):
    """Each looks wrong in its own way."""
    assert (planted(dirty, "Opportunity.deleted_record")["IsDeleted"] == "true").all()
    assert planted(dirty, "Opportunity.test_record")["Name"].str.match("(?i)test ").all()
    wrong = planted(dirty, "Opportunity.id_checksum")["Id"]
    assert all(text[15:] != suffix(text) for text in wrong)
    assert (
        planted(dirty, "Opportunity.unreadable_date")["CloseDate"]
        .isin(["#N/A", "2025-02-30"])
        .all()
    )
    assert planted(dirty, "Opportunity.negative_amount")["Amount"].astype(float).lt(0).all()
    assert (planted(dirty, "Opportunity.unknown_currency")["CurrencyIsoCode"] == "XXX").all()
    won = planted(dirty, "Opportunity.won_without_amount")
    assert (won["Amount"] == "").all()
    assert (won["StageName"] == "Closed Won").all()
    late = planted(dirty, "Opportunity.closed_before_created")
    assert (late["CreatedDate"].str[:10] > late["CloseDate"]).all()
    again = planted(dirty, "Opportunity.repeated_record")
    assert again.duplicated(keep=False).all()


def test_defects_of_events_are_what_they_are_called(dirty):
    """Start, end and length contradict each other in just the way the rule says."""

    def minutes(events: pd.DataFrame) -> pd.Series:
        start, end = (pd.to_datetime(events[c]) for c in ("StartDateTime", "EndDateTime"))
        return (end - start).dt.total_seconds() / 60

    old = planted(dirty, "Event.timestamp_before_1990")
    assert old["StartDateTime"].str.startswith("1970-01-2").all()
    odd = planted(dirty, "Event.duration_disagrees")
    assert (odd["DurationInMinutes"].astype(float) - minutes(odd) == 45).all()
    long = planted(dirty, "Event.longer_than_8_hours")
    assert (long["DurationInMinutes"].astype(float) == minutes(long)).all()
    assert minutes(long).between(12 * 60, 72 * 60).all()
    assert (minutes(planted(dirty, "Event.ends_before_start")) < 0).all()
    assert (planted(dirty, "Event.after_as_of")["StartDateTime"] > "2026-10-01").all()
    assert planted(dirty, "Event.cancelled")["Subject"].str.startswith("Canceled: ").all()
    users = set(read(dirty, "User")["Id"])
    assert not set(planted(dirty, "Event.unknown_rep")["OwnerId"]) & users
    events = read(dirty, "Event")
    key = ["OwnerId", "Subject", "StartDateTime", "EndDateTime"]
    twice = events[events.duplicated(key, keep=False) & ~events.duplicated(keep=False)]
    extra = twice.sort_values("CreatedDate").groupby(key).tail(1)
    assert set(extra["Id"]) == set(defects(dirty)["Event.double_logged"]["ids"])


def test_a_burst_is_one_rep_in_one_minute(dirty):
    """Three times 120 calls, and nobody else has more than a few in a minute."""
    calls = planted(dirty, "Task.import_burst")
    size = calls.groupby(["OwnerId", calls["CompletedDateTime"].str[:16]]).size()
    assert size.tolist() == [120, 120, 120]
    blank = planted(dirty, "Task.call_without_duration")
    assert (blank["CallDurationInSeconds"] == "").all()


def test_managers_quotas_are_the_sum_of_their_reports(dirty):
    """A roll-up counted with its parts would double the company's quota."""
    quotas = read(dirty, "quotas")
    key = quotas["rep_id"] + "|" + quotas["period_start"]
    found = defects(dirty)
    rolled = key.isin(found["quotas.manager_rollup"]["ids"])
    titles = read(dirty, "User").drop_duplicates("Id").set_index("Id")["Title"]
    assert (titles[quotas.loc[rolled, "rep_id"]] == "Sales Manager").all()
    clean_part = quotas[~rolled & ~key.isin(found["quotas.repeated_annual"]["ids"])]
    assert clean_part["quota_amount"].astype(float).max() < 1_000_000
