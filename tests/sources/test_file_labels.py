"""Exports that end early, write quarters or lengths their own way, or carry an address in their name."""

from __future__ import annotations

import duckdb
import pytest
from crm_tables import ADA, BEN, event, opportunity, user, write
from test_ical import DEMO, calendar

from analysis.project import paths
from analysis.sources.cells import parsers
from analysis.sources.file_labels import file_labels

CUTS = {
    0: False,
    1: False,
    2: True,
    9: True,
    21: True,
}  # 1: the line end alone, 21: all of the cell


def deals_from(first: int) -> list[dict[str, str]]:
    """Return thirty deals whose last column is a time of one length."""
    changed = {"LastModifiedDate": "2026-03-01T10:00:00Z"}
    return [opportunity(first + n) | changed for n in range(30)]


def cut_off(file, n_cut: int) -> None:
    file.write_text(file.read_text()[: -n_cut or None])


def write_cut_files(raw) -> None:
    for n_cut in CUTS:
        write(raw, **{f"cut_{n_cut}": deals_from(100 * n_cut + 1)})
        cut_off(raw / f"cut_{n_cut}.csv", n_cut)
    ranks = [str(10 + n) for n in range(30)] + ["9"]
    numbers = [
        opportunity(3000 + n) | {"Rank__c": rank + "0" * (n % 3)} for n, rank in enumerate(ranks)
    ]
    write(raw, numbers=numbers)
    (raw / "numbers.csv").write_text((raw / "numbers.csv").read_text().rstrip("\n"))


def write_company(raw) -> None:
    """Write files cut off, a deal that finance knows of, meetings without an end, and pay."""
    write_cut_files(raw)
    autumn = {"CloseDate": "2025-11-10", "CreatedDate": "2025-10-05T09:00:00Z"}
    finance = [
        {"quarter": q, "bookings_amount": "100", "currency": "USD"} for q in ("Q4 2025", "2026/2")
    ]
    meetings = [
        event(n, EndDateTime="", OwnerId=owner) | other
        for n, owner, other in (
            (1, ADA, {}), (2, ADA, {"DurationInMinutes": "0", "Subject": "Call"}),
            (3, BEN, {}), (4, BEN, {"DurationInMinutes": "0", "Subject": "Call"}),
        )
    ]  # fmt: skip
    without = [{k: v for k, v in m.items() if k != "EndDateTime"} for m in meetings[2:]]
    pay = {
        "valid_from": "2025-01-01", "valid_to": "", "commission_rate": "0.1", "fringe_rate": "0.2", "currency": "USD",
    }  # fmt: skip
    month = {
        "rep_id": ADA,
        "base_amount": "8000",
        "overhead_amount": "1000",
        "base_period": "month",
    }
    year = {
        "rep_id": BEN,
        "base_amount": "96000",
        "overhead_amount": "12000",
        "base_period": "year",
    }
    write(
        raw,
        User=[user(), user(BEN)],
        Opportunity=[opportunity(9001, **autumn)],
        finance_bookings=finance,
        Event=meetings[:2],
        without_ends=without,
        compensation=[pay | month, pay | year],
    )


@pytest.fixture(scope="module")
def company(clean_folder):
    return clean_folder(write_company)


def warnings_of(audit, file: str) -> tuple[str, ...]:
    return next(f.warnings for f in audit.files if f.file == file)


@pytest.mark.parametrize(("n_cut", "is_warned"), CUTS.items())
def test_a_file_cut_inside_its_last_cell_may_be_incomplete(company, n_cut, is_warned):
    warnings = warnings_of(company.audit, f"cut_{n_cut}.csv")
    assert any("may be incomplete" in w for w in warnings) is is_warned


def test_numbers_of_any_length_in_the_last_column_show_no_cut(company):
    assert warnings_of(company.audit, "numbers.csv") == ()


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


def test_finance_is_compared_only_in_quarters_that_can_be_read(company):
    """The one deal of autumn is of 100."""
    assert company.aside("finance_bookings") == {"unknown_quarter": 1}
    quarters = [(r.quarter, r.gap_rate) for r in company.audit.reconciliation]
    assert quarters == [("2025Q4", 0.0)]


@pytest.mark.parametrize("owner", [ADA, BEN], ids=["a blank end", "no column"])
def test_a_meeting_without_an_end_is_as_long_as_stated(company, owner):
    rows = company.tables["activities"]
    minutes = rows[rows["rep_id"] == owner].sort_values("activity_id")["minutes"]
    assert minutes.iloc[0] == 60.0
    assert minutes.iloc[1:].isna().tolist() == [True]


def test_overhead_is_paid_for_the_same_period_as_the_base(company):
    assert company.tables["compensation"]["overhead_amount"].tolist() == [12_000.0, 12_000.0]


def hubspot_deal(n: int, currency: str, amount: str, at_home: str) -> dict[str, str]:
    return {
        "Record ID": str(n), "Deal Name": f"Deal {n}", "Deal owner": ADA, "Deal Stage": "Closed Won", "Close Date": "2026-02-10",
        "Amount": amount, "Create Date": "2026-01-05", "Is Closed Won": "true", "Is Deal Closed?": "true",
        "Currency": currency, "Amount in company currency": at_home,
    }  # fmt: skip


def write_hubspot(raw, dollars_at_home: str) -> None:
    """Write two deals in two currencies, and three of stages of one's own with the labels of a dialog."""
    (raw / "fields.toml").write_text('[reading]\ntime_zone = "UTC"\n')
    labels = []
    for n, (won, lost) in enumerate((("true", "false"), ("false", "true"), ("false", "false")), 11):
        row = hubspot_deal(n, "USD", "100", dollars_at_home)
        row |= {"Is Closed Won": won, "Is Closed Lost": lost, "Deal Stage": f"Phase {n}"}
        del row["Is Deal Closed?"]
        labels.append(row)
    deals = [hubspot_deal(1, "USD", "100", dollars_at_home), hubspot_deal(2, "EUR", "100", "110")]
    write(raw, deals=deals, labels=labels, User=[user()])


@pytest.fixture(scope="module")
def in_dollars(clean_folder):
    return clean_folder(lambda raw: write_hubspot(raw, "100"))


@pytest.fixture(scope="module")
def in_another_currency(clean_folder):
    return clean_folder(lambda raw: write_hubspot(raw, "90"))


@pytest.mark.parametrize(
    ("company", "is_taken"), [("in_dollars", True), ("in_another_currency", False)]
)
def test_the_company_currency_counts_where_it_is_the_reporting_one(request, company, is_taken):
    """In the second the account's currency is another: its own dollars are converted too."""
    got = request.getfixturevalue(company)
    deals = got.rows("opportunities", "1", "2")
    amounts = deals["deal_amount"].tolist()
    assert {d.isoformat() for d in deals["close_date"]} == {"2026-02-10"}, (
        "a day that no zone shifts"
    )
    assert (amounts, got.aside()) == (
        ([100.0, 110.0], {}) if is_taken else ([100.0], {"unknown_currency": 1})
    )


def test_a_deal_neither_won_nor_lost_by_its_labels_is_open(in_dollars):
    """HubSpot's dialog offers "Is Closed Lost" beside "Is Closed Won"; a stage of one's own says nothing."""
    deals = in_dollars.rows("opportunities", "11", "12", "13").set_index("opportunity_id")
    assert deals["status"].to_dict() == {"11": "won", "12": "lost", "13": "open"}


def write_calendars(raw) -> None:
    """Write users without their type, and calendars called by an address."""
    users = (user(Email="ada@acme.test"), user(BEN, Email=""))
    without = [{k: v for k, v in each.items() if k != "UserType"} for each in users]
    write(raw, User=without, Opportunity=[opportunity(1)])
    (raw / "ada@acme.test.ics").write_text(calendar(DEMO))
    (raw / "nobody@acme.test.ics").write_text(calendar(DEMO))


@pytest.fixture(scope="module")
def calendars(clean_folder):
    return clean_folder(write_calendars)


def test_users_without_their_type_are_users(calendars):
    """A report of users seldom has the column UserType."""
    assert set(calendars.tables["reps"]["rep_id"]) == {ADA, BEN}


def test_no_address_in_a_file_name_goes_further(calendars):
    assert calendars.tables["activities"]["source_file"].tolist() == ["[address 1].ics"]
    assert [r.file for r in calendars.audit.refusals] == ["[address 2].ics"]
    assert "@acme" not in repr(calendars.audit)


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
