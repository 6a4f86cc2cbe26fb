"""An export is known by its columns, whatever it is called, and a map is refused where it slips."""

from __future__ import annotations

import pytest
from crm_tables import cleaned, event, opportunity, user, write

from analysis.cleaning import rules
from analysis.project.errors import CrmDataError
from analysis.sources import field_maps, recognise
from analysis.tables.canonical import TABLES

OWN = """
name = "ours"

[[export]]
table = "opportunities"
object = "deals"
needs = ["No", "Seller"]
[export.columns]
opportunity_id = { from = "No", as = "id" }
owner_rep_id = { from = "Seller", as = "person" }
status = { from = "Result", values = { gewonnen = "won", verloren = "lost" } }
close_date = { from = "Closed", as = "date", missing = ["-", "n/a"] }
raw_amount = { from = "Value", as = "number" }
currency = { value = "USD" }
created_at = { from = "Opened", as = "midnight" }
stage = { sql = "'Stage of ' || status" }
"""
DEAL = {
    "No": "1",
    "Seller": "Ada",
    "Result": "gewonnen",
    "Closed": "2026-02-10",
    "Value": "5",
    "Opened": "2026-02-01",
}


def own(raw, text: str) -> None:
    (raw / "fields.toml").write_text(text, encoding="utf-8")


def names(header) -> list[str]:
    return [
        f"{e.object_name}>{e.table}"
        for e in recognise.recognise_layouts(header, field_maps.exports_known("here"))
    ]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (list(opportunity(1)), ["Opportunity>opportunities"]),
        ([c.upper() + " " for c in event(1)], ["Event>activities"]),
        (list(user()), ["User>reps", "User>rep_team_history"]),
        ([c for c in user() if c != "UserRoleId"], ["User>reps"]),
        (["sales_agent", "manager", "regional_office"], ["sales_teams>reps", "sales_teams>teams", "sales_teams>rep_team_history"]),
        (["Id", "Name", "ActualCost", "ExpectedResponse"], ["Campaign>campaigns"]),
        (["Id", "Name"], []),
        (["Opportunity ID", "Owner ID", "Stage", "Closed", "Won", "Amount", "Close Date", "Created Date"], ["Opportunity>opportunities"]),
        (["ID de oportunidad", "ID del propietario", "Etapa", "Cerrada", "Ganada", "Importe", "Fecha de cierre", "Fecha de creación"], ["Opportunity>opportunities"]),
        (["id", "owner_id", "stage_name", "is_closed", "is_won", "amount", "close_date", "created_date", "_fivetran_synced"], ["Opportunity>opportunities"]),
        ([], []),
    ],
)  # fmt: skip
def test_an_export_is_known_by_its_columns(raw, header, found):
    assert names(header) == found


def test_a_connectors_history_of_versions_is_not_taken_for_the_records(raw):
    """It has every column of an opportunity, a row for each state it ever had."""
    versions = ["_fivetran_active", "_fivetran_start", "_fivetran_end"]
    assert names([*opportunity(1), *versions]) == ["record versions of a connector>None"]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["CloseDate"], "CloseDate"),
        (["Close Date", "close_date"], "Close Date"),
        (["Close Date", "closedate "], "closedate "),
        (["Schlusstermin", "close_date"], "close_date"),
        (["Schlusstermin"], "Schlusstermin"),
        (["Closed"], None),
    ],
)
def test_quirk_11_a_column_is_found_by_its_name_first_then_by_its_labels(cells, found):
    """The exact name wins over another spelling, that over an alias, whatever their order in the header."""
    export = field_maps.ExportLayout(
        "map", "deal", ("CloseDate",), None, (), aliases=(("CloseDate", ("Schlusstermin",)),)
    )
    assert recognise.Header(cells).matching_cell("CloseDate", export) == found


def test_every_map_of_the_house_fills_columns_that_exist(raw):
    """Those of the table, or those its rules read."""
    for export in field_maps.exports_known("here"):
        if export.table:
            known = {c.name for c in TABLES[export.table].columns} | set(
                rules.read_rulebook(export.table, "here").work
            )
            assert {f.name for f in export.fields} <= known, export.object_name


def test_a_datasets_own_map_reads_its_own_layout(raw):
    """Constants, values, tokens for missing, SQL over other columns: each does what it says."""
    own(raw, OWN)
    write(
        raw, deals=[DEAL, DEAL | {"No": "2", "Result": "verloren", "Closed": "n/a"}], User=[user()]
    )
    got = cleaned().tables["opportunities"].set_index("opportunity_id")
    assert got["status"].to_dict() == {"1": "won", "2": "lost"}
    assert got["close_date"].isna().to_dict() == {"1": False, "2": True}
    assert got.loc["1", ["deal_amount", "currency", "stage"]].tolist() == [
        5.0,
        "USD",
        "Stage of won",
    ]
    assert got.loc["1", "owner_rep_id"].startswith("P")


def test_a_value_the_map_does_not_know_is_set_aside(raw):
    """And is not taken for another one."""
    own(raw, OWN)
    write(raw, deals=[DEAL, DEAL | {"No": "2", "Result": "pending"}], User=[user()])
    got = cleaned()
    assert got.aside() == {"unmapped_value": 1}
    held = got.tables["set_aside"].set_index("rule").loc["unmapped_value"]
    assert held[["record_key", "column", "text"]].tolist() == ["2", "status", "pending"]


def test_a_datasets_own_map_wins_over_the_houses(raw):
    """Even where the house's has more columns in common."""
    own(raw, OWN.replace('["No", "Seller"]', '["Id", "OwnerId"]').replace('"deals"', '"mine"'))
    assert names(opportunity(1)) == ["mine>opportunities"]


def test_a_fallback_is_used_only_where_nothing_else_fills_the_table(raw):
    """Today's role of each user is no history where there is one."""
    write(raw, Opportunity=[opportunity(1)], User=[user()])
    assert cleaned().account("rep_team_history")[0] == 1
    stays = [
        {"rep_id": user()["Id"], "team_id": "t", "valid_from": d, "valid_to": ""}
        for d in ("2026-01-01", "2026-02-01")
    ]
    write(raw, rep_team_history=stays)
    assert cleaned().account("rep_team_history")[0] == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'as = "number"',
            'as = "nummer"',
            r"fields\.toml: column raw_amount: a way of reading called 'nummer' does not exist; .* Did you mean number\?",
        ),
        (
            'table = "opportunities"',
            'table = "oportunities"',
            r"a table called 'oportunities' does not exist; .* Did you mean opportunities\?",
        ),
        (
            'table = "opportunities"',
            'tabel = "opportunities"',
            r"a key of an export called 'tabel' does not exist; .* Did you mean table\?",
        ),
        (
            '{ from = "Value"',
            '{ form = "Value"',
            r"column raw_amount: a key called 'form' does not exist; .* Did you mean from\?",
        ),
        (
            '{ value = "USD" }',
            '{ value = "USD", from = "Cur" }',
            r"column currency must say exactly one of from, value and sql",
        ),
        (
            '{ value = "USD" }',
            '{ as = "text" }',
            r"column currency must say exactly one of from, value and sql",
        ),
        (
            'needs = ["No", "Seller"]',
            "needs = []",
            r"an export must say its object and the columns it needs",
        ),
        (
            "[[export]]",
            "aliases.deal = { No = ['Nr'] }\n[[export]]",
            r"aliases: an object called 'deal' does not exist; .* Did you mean deals\?",
        ),
        (
            "[[export]]",
            "aliases.deals = { Not = ['Nr'] }\n[[export]]",
            r"aliases of deals: a column called 'Not' does not exist; .* Did you mean No\?",
        ),
        (
            "[[export]]",
            "[[exports]]",
            r"a part called 'exports' does not exist; .* Did you mean export\?",
        ),
        ("[[export]]", "[[export]", r"fields\.toml: not valid TOML"),
    ],
)
def test_a_slip_in_a_map_is_refused_with_the_nearest_name(raw, old, new, message):
    own(raw, OWN.replace(old, new))
    with pytest.raises(CrmDataError, match=message):
        field_maps.exports_known("here")


def test_a_map_that_fills_no_column_of_the_table_is_refused(raw):
    own(raw, OWN.replace("raw_amount =", "amuont ="))
    write(raw, deals=[DEAL], User=[user()])
    with pytest.raises(
        CrmDataError,
        match=r"export deals: a column of opportunities called 'amuont' does not exist",
    ):
        cleaned()


def test_quirk_11_what_comes_nearest_is_named_with_what_it_lacks(raw):
    got = recognise.describe_nearest(
        ["Id", "OwnerId", "StageName", "IsClosed", "IsWon", "Amount"],
        field_maps.exports_known("here"),
    )
    assert (
        got
        == "nearest is Opportunity (Salesforce, API names), which also needs CloseDate, CreatedDate"
    )


@pytest.mark.parametrize(
    ("file", "header", "found"),
    [
        ("User.csv", ["Id", "Name", "Email", "IsActive", "Title"], "nearest is User (Salesforce, API names), which also needs"),
        (
            "OpportunityHistory.csv",
            ["Id", "OpportunityId", "StageName", "Amount", "CloseDate", "CreatedDate", "Probability"],
            "nearest is OpportunityHistory (Salesforce, API names), which also needs CreatedById",
        ),
        ("Opportunity.csv", ["Id", "OwnerId", "StageName", "Amount"], "nearest is Opportunity (Salesforce, API names), which also"),
        ("User.csv", ["Id", "Name"], "nearest is User (Salesforce, API names)"),
        ("Account.csv", ["Id", "Name"], "nearest is Account (Salesforce, API names)"),
    ],
)  # fmt: skip
def test_the_nearest_layout_knows_most_of_the_files_own_columns_then_has_its_name(
    raw, file, header, found
):
    assert recognise.describe_nearest(header, field_maps.exports_known("here"), file).startswith(
        found
    )
