"""Exports that end early, write quarters or lengths their own way, or carry an address in their name."""

from __future__ import annotations

import duckdb
import pytest
from crm_tables import ADA, BEN, cleaned, event, opportunity, user, write
from test_ical import DEMO, calendar

from analysis.project import paths
from analysis.sources.cells import parsers
from analysis.sources.file_labels import file_labels

DEALS = [opportunity(n) | {"LastModifiedDate": "2026-03-01T10:00:00Z"} for n in range(1, 31)]


def warnings_of(audit, file="Opportunity.csv") -> tuple[str, ...]:
    return next(f.warnings for f in audit.files if f.file == file)


@pytest.mark.parametrize(
    ("n_cut", "is_warned"),
    [
        (0, False),
        (1, False),
        (2, True),
        (9, True),
        (21, True),
    ],  # 1: the line end alone, 21: all of the cell
)
def test_a_file_cut_inside_its_last_cell_may_be_incomplete(raw, n_cut, is_warned):
    write(raw, Opportunity=DEALS, User=[user()])
    file = raw / "Opportunity.csv"
    file.write_text(file.read_text()[: -n_cut or None])
    assert any("may be incomplete" in w for w in warnings_of(cleaned().audit)) is is_warned


def test_numbers_of_any_length_in_the_last_column_show_no_cut(raw):
    deals = [opportunity(n) | {"Rank__c": str(10 + n)} for n in range(30)] + [
        opportunity(99) | {"Rank__c": "9"}
    ]
    write(
        raw,
        Opportunity=[d | {"Rank__c": d["Rank__c"] + "0" * (i % 3)} for i, d in enumerate(deals)],
        User=[user()],
    )
    file = raw / "Opportunity.csv"
    file.write_text(file.read_text().rstrip("\n"))
    assert warnings_of(cleaned().audit) == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2026Q1", "2026Q1"), ("Q1 2026", "2026Q1"), ("2026-Q1", "2026Q1"), ("2026 q2", "2026Q2"),
        ("FY26 Q1", "2026Q1"), ("Q3 FY2026", "2026Q3"), ("1Q26", "2026Q1"), ("Q4'25", "2025Q4"),
        ("1. Quartal 2026", "2026Q1"), ("T2 2026", "2026Q2"),
        ("2026/1", None), ("2026-01", None), ("Q5 2026", None), ("Q1", None), ("2026", None), ("FY25/26 Q1", None),
    ],
)  # fmt: skip
def test_a_quarter_is_read_where_only_one_can_be_meant(text, name):
    sql = parsers.PARSERS["quarter"].sql.replace("{x}", "$text")
    assert duckdb.execute(f"select {sql}", {"text": text}).fetchone() == (name,)


def test_finance_is_compared_only_in_quarters_that_can_be_read(raw):
    finance = [
        {"quarter": q, "bookings_amount": "100", "currency": "USD"} for q in ("Q1 2026", "2026/2")
    ]
    write(raw, Opportunity=[opportunity(1)], User=[user()], finance_bookings=finance)
    got = cleaned()
    assert got.aside("finance_bookings") == {"unknown_quarter": 1}
    assert [(r.quarter, r.gap_rate) for r in got.audit.reconciliation] == [("2026Q1", 0.0)]


@pytest.mark.parametrize("has_column", [True, False])
def test_a_meeting_without_an_end_is_as_long_as_stated(raw, has_column):
    meetings = [
        event(1, EndDateTime=""),
        event(2, EndDateTime="", DurationInMinutes="0", Subject="Call"),
    ]
    if not has_column:
        meetings = [{k: v for k, v in m.items() if k != "EndDateTime"} for m in meetings]
    write(raw, Opportunity=[opportunity(1)], User=[user()], Event=meetings)
    minutes = cleaned().tables["activities"].sort_values("activity_id")["minutes"]
    assert minutes.iloc[0] == 60.0
    assert minutes.iloc[1:].isna().all()


def test_overhead_is_paid_for_the_same_period_as_the_base(raw):
    pay = {
        "valid_from": "2025-01-01",
        "valid_to": "",
        "commission_rate": "0.1",
        "fringe_rate": "0.2",
        "currency": "USD",
    }
    month = pay | {
        "rep_id": ADA,
        "base_amount": "8000",
        "overhead_amount": "1000",
        "base_period": "month",
    }
    year = pay | {
        "rep_id": BEN,
        "base_amount": "96000",
        "overhead_amount": "12000",
        "base_period": "year",
    }
    write(raw, Opportunity=[opportunity(1)], User=[user(), user(BEN)], compensation=[month, year])
    assert cleaned().tables["compensation"]["overhead_amount"].tolist() == [12_000.0, 12_000.0]


def hubspot_deal(n: int, currency: str, amount: str, at_home: str) -> dict[str, str]:
    return {
        "Record ID": str(n), "Deal Name": f"Deal {n}", "Deal owner": ADA, "Deal Stage": "Closed Won", "Close Date": "2026-02-10",
        "Amount": amount, "Create Date": "2026-01-05", "Is Closed Won": "true", "Is Deal Closed?": "true",
        "Currency": currency, "Amount in company currency": at_home,
    }  # fmt: skip


@pytest.mark.parametrize(("dollars_at_home", "is_taken"), [("100", True), ("90", False)])
def test_the_company_currency_counts_where_it_is_the_reporting_one(raw, dollars_at_home, is_taken):
    """In the second the account's currency is another: its own dollars are converted too."""
    (raw / "fields.toml").write_text('[reading]\ntime_zone = "UTC"\n')
    deals = [hubspot_deal(1, "USD", "100", dollars_at_home), hubspot_deal(2, "EUR", "100", "110")]
    write(raw, deals=deals, User=[user()])
    got = cleaned()
    deals = got.tables["opportunities"]
    amounts = deals["deal_amount"].tolist()
    assert {d.isoformat() for d in deals["close_date"]} == {"2026-02-10"}, (
        "a day that no zone shifts"
    )
    assert (amounts, got.aside()) == (
        ([100.0, 110.0], {}) if is_taken else ([100.0], {"unknown_currency": 1})
    )


def test_a_deal_neither_won_nor_lost_by_its_labels_is_open(raw):
    """HubSpot's dialog offers "Is Closed Lost" beside "Is Closed Won"; a stage of one's own says nothing."""
    (raw / "fields.toml").write_text('[reading]\ntime_zone = "UTC"\n')
    rows = []
    for n, (won, lost) in enumerate((("true", "false"), ("false", "true"), ("false", "false")), 1):
        row = hubspot_deal(n, "USD", "100", "100") | {"Is Closed Won": won, "Is Closed Lost": lost}
        row["Deal Stage"] = f"Phase {n}"
        del row["Is Deal Closed?"]
        rows.append(row)
    write(raw, deals=rows, User=[user()])
    deals = cleaned().tables["opportunities"].set_index("opportunity_id")
    assert deals["status"].to_dict() == {"1": "won", "2": "lost", "3": "open"}


def test_users_without_their_type_are_users(raw):
    """A report of users seldom has the column UserType."""
    users = [{k: v for k, v in each.items() if k != "UserType"} for each in (user(), user(BEN))]
    write(raw, Opportunity=[opportunity(1)], User=users)
    assert set(cleaned().tables["reps"]["rep_id"]) == {ADA, BEN}


def test_no_address_in_a_file_name_goes_further(raw):
    write(raw, User=[user(Email="ada@acme.test")], Opportunity=[opportunity(1)])
    (raw / "ada@acme.test.ics").write_text(calendar(DEMO))
    (raw / "nobody@acme.test.ics").write_text(calendar(DEMO))
    got = cleaned()
    assert got.tables["activities"]["source_file"].tolist() == ["[address 1].ics"]
    assert [r.file for r in got.audit.refusals] == ["[address 2].ics"]
    assert "@acme" not in repr(got.audit)


def test_two_files_never_share_a_label(tmp_path):
    files = [
        tmp_path / n
        for n in ("a@x.com.csv", "b@x.com.csv", "[address 1].csv", "of c%40x.com.csv", "Lead.csv")
    ]
    labels = file_labels(files)
    assert len(set(labels.values())) == len(files)
    assert labels[tmp_path / "Lead.csv"] == "Lead.csv"
    assert not any("x.com" in label for label in labels.values())


def test_a_folder_with_capitals_is_called_misnamed_not_absent(root):
    (root / "data" / "raw" / "Acme 2026").mkdir()
    assert paths.misnamed_folder("Acme 2026") == "acme-2026"
    assert paths.misnamed_folder("acme") is None
