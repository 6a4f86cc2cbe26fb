"""Money that is all in one other currency is refused with the line to write, and none is dollars in silence."""

import pytest
from report_fixtures import USERS

from analysis.project import settings
from analysis.project.errors import CrmDataError
from analysis.report import audit_lines
from analysis.sources import templates
from analysis.store import processed

DEALS = "Id,Name,AccountId,OwnerId,StageName,IsClosed,IsWon,Amount,CurrencyIsoCode,CreatedDate,CloseDate,Type,Probability,IsDeleted\n"
ROW = "0065eZx00000RFBAB2,A,0015eZx00005eg8ABA,0055eZx00000RFBAB2,Closed Won,true,true,1000.00,{},2026-01-04T16:31:01.000Z,2026-03-30,New Business,100,false\n"
RATES = "IsoCode,ConversionRate,StartDate,NextStartDate\nEUR,0.9,2026-01-01,2027-01-01\nUSD,1,2026-01-01,2027-01-01\n"


@pytest.fixture
def euro(raw):
    """Return the folder of a company with one deal, in EUR."""
    (raw / "User.csv").write_text(USERS, encoding="utf-8")
    (raw / "Opportunity.csv").write_text(DEALS + ROW.format("EUR"), encoding="utf-8")
    return raw


def test_deals_all_in_one_other_currency_are_refused_with_the_line_to_write(euro):
    match = r'1 of 1 rows name their currency and all name EUR, but the reporting currency is USD .*`currency = "EUR"`'
    with pytest.raises(CrmDataError, match=match):
        processed.prepare_dataset("here")


def test_a_currency_by_its_name_is_mapped_and_is_no_setting(euro):
    """`currency = "Euro"` would be refused as no ISO code."""
    (euro / "Opportunity.csv").write_text(DEALS + ROW.format("Euro"), encoding="utf-8")
    with pytest.raises(CrmDataError, match=r'all name Euro, .* values = \{ "Euro" = "EUR" \}\.$'):
        processed.prepare_dataset("here")


@pytest.mark.parametrize("remedy", ["settings", "rates"])
def test_either_remedy_lets_them_through(euro, remedy):
    if remedy == "settings":
        (euro / "alignment.toml").write_text('[company]\ncurrency = "EUR"\n', encoding="utf-8")
    else:
        (euro / "DatedConversionRate.csv").write_text(RATES, encoding="utf-8")
    account = processed.prepare_dataset("here")
    assert next(t for t in account["tables"] if t["table"] == "opportunities")["n_clean"] == 1


def test_a_currency_nobody_named_is_said_to_be_assumed(raw):
    (notice,) = audit_lines.currency_notice(settings.load_dataset_settings("here"))
    assert notice.startswith(
        "No setting names this company's currency: amounts are taken to be in USD."
    )
    (raw / "alignment.toml").write_text('[company]\ncurrency = "USD"\n', encoding="utf-8")
    assert audit_lines.currency_notice(settings.load_dataset_settings("here")) == []


def test_init_writes_settings_without_a_target_and_leaves_those_there(root):
    folder = root / "data" / "raw" / "acme"
    templates.write_templates(folder)
    house = settings.load_dataset_settings("acme")
    assert (house.company.name, house.company.has_currency) == ("acme", False)
    assert {m.target for m in house.key_metrics} == {None}
    (folder / "alignment.toml").write_text('[company]\nname = "Acme"\n', encoding="utf-8")
    templates.write_templates(folder)
    assert settings.load_dataset_settings("acme").company.name == "Acme"


def test_init_asks_for_the_four_exports_that_let_one_file_check_another(root):
    folder = root / "data" / "raw" / "acme"
    templates.write_templates(folder)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for asked in ("finance_bookings.csv", "OpportunityHistory", "EventRelation", "WhatId"):
        assert asked in readme
