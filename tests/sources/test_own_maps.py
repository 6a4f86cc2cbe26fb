"""What is wrong in a dataset's own map, rules or decisions is wrong usage: file, key, what is allowed, the nearest."""

from __future__ import annotations

import re

import pytest
from crm_tables import cleaned, opportunity, user, write
from report_fixtures import run
from test_recognise import DEAL, OWN, own

from analysis.project.errors import OwnMapError

SQL = "\"'Stage of ' || status\""
ACTIVITY = """
[[export]]
table = "activities"
object = "visits"
needs = ["Visit", "From", "Till"]
[export.columns]
activity_id = { from = "Visit", as = "id" }
rep_id = { from = "Seller", as = "person" }
kind = { value = "event" }
started_at = { from = "From", as = "timestamp" }
ended_at = { from = "Till", as = "timestamp" }
"""
LOOKUP = """
[[export]]
lookup = "sellers"
object = "sellers"
needs = ["Code", "Name of seller"]
[export.columns]
code = { from = "Code" }
seller = { from = "Name of seller" }
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('from = "Value"', 'from = "Vallue"', r"column raw_amount: from is 'Vallue', which is no column of deals\.csv; its columns are No, .* Did you mean Value\?"),
        ('gewonnen = "won"', 'gewonnen = "gewonnen"', r"column status: values: a value called 'gewonnen' does not exist; known are open, won, lost"),
        ('gewonnen = "won"', 'gewonnen = "wonn"', r"does not exist; known are open, won, lost\. Did you mean won\?"),
        ("raw_amount =", "deal_amount =", r"column deal_amount is computed and cannot be mapped; map what it is computed from: .*raw_amount"),
        ("raw_amount =", "amuont =", r"export deals: a column of opportunities called 'amuont' does not exist"),
        ('status = { from = "Result", values = { gewonnen = "won", verloren = "lost" } }', 'status = "won"', r"column status is 'won'; it has to be a table"),
        ('needs = ["No", "Seller"]', 'needs = "No"', r"export deals: needs is 'No'; it has to be a list of texts"),
        ('from = "Value"', "from = 5", r"column raw_amount: from is 5; it has to be a text in quotes"),
        ('missing = ["-", "n/a"]', 'missing = "-"', r"column close_date: missing is '-'; it has to be a list of texts"),
        ('value = "USD"', "value = 1", r"column currency: value is 1; it has to be a text"),
        ('verloren = "lost"', "verloren = false", r"column status: values: a value called 'false' does not exist; known are open, won, lost"),
        (SQL, '"\'Stage of \' || statuss"', r"export deals: column stage: its sql cannot be run on deals\.csv: Binder Error.*statuss"),
        (SQL, '"status || ("', r"fields\.toml: column stage: its sql must be one SQL expression .*: Parser Error"),
        (SQL, '"(select max(s.seller) from sellerss s)"', r"column stage: its sql must be one expression without a query of its own"),
        ('raw_amount = { from = "Value", as = "number" }', 'raw_amount = { sql = "status" }', r"column raw_amount: its sql cannot be run on deals\.csv: Conversion Error"),
        ('name = "ours"', "name = 3", r"fields\.toml: name is 3; it has to be a text"),
        ('name = "ours"', 'name = "ours"\nname = "again"', r"fields\.toml: not valid TOML"),
        ('name = "ours"', 'name = "ours"\n[reading]\nmissing = "x"', r"\[reading\] missing is 'x'; it is a list of texts"),
        ('name = "ours"', 'name = "ours"\n[reading]\ndate_order = 5', r"\[reading\] date_order: a value called 5 does not exist; known are day-first"),
        ('name = "ours"', 'name = "ours"\nexport = 5', r"fields\.toml: "),
    ],
)  # fmt: skip
def test_a_map_that_cannot_hold_is_refused_by_file_and_key(raw, old, new, message):
    assert old in OWN
    own(raw, OWN.replace(old, new))
    write(raw, deals=[DEAL], User=[user()])
    with pytest.raises(OwnMapError, match=message):
        cleaned()


@pytest.mark.parametrize(
    ("column", "inputs"),
    [
        ("outcome", "is_closed, is_won, stage_is_closed"),
        ("map_says", "status"),
        ("finance_quarter", "close_date"),
        ("fx_rate", "currency"),
    ],
)
def test_a_computed_column_of_a_map_is_refused_with_columns_that_can_be_mapped(raw, column, inputs):
    """No round: none of the columns named is computed itself; no SQL either."""
    own(raw, OWN.replace("raw_amount =", f"{column} ="))
    write(raw, deals=[DEAL], User=[user()])
    with pytest.raises(
        OwnMapError, match=rf"column {column} is computed and cannot be mapped; map what"
    ) as refusal:
        cleaned()
    listed = str(refusal.value).partition("computed from: ")[2].rstrip(".").split(", ")
    assert set(inputs.split(", ")) <= set(listed)
    assert not {
        "outcome",
        "map_says",
        "flags_say",
        "probability_says",
        "probability_settles",
        "fx_rate",
    } & set(listed)
    assert not re.search(r"case when|coalesce|select", str(refusal.value))


def test_a_way_of_reading_in_a_lookup_is_refused(raw):
    own(raw, LOOKUP.replace('from = "Code"', 'from = "Code", as = "id"'))
    write(raw, deals=[DEAL], User=[user()])
    with pytest.raises(
        OwnMapError,
        match=r"column code \(a lookup holds texts as they stand\): a key called 'as' does not exist",
    ):
        cleaned()


def test_a_map_that_is_not_utf_8_is_refused(raw):
    (raw / "fields.toml").write_bytes(OWN.replace("ours", "für uns").encode("cp1252"))
    write(raw, deals=[DEAL], User=[user()])
    with pytest.raises(
        OwnMapError, match=r"fields\.toml: byte \d+ is not UTF-8; save the file as UTF-8 anew"
    ):
        cleaned()


RULE = '[[rule]]\nname = "x"\naction = "drop"\nwhen = "true"\nreason = "why"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            RULE.replace('"true"', "5"),
            r"rules/opportunities\.toml: rule x: when is 5; it has to be a text",
        ),
        (RULE + 'quirk = "7"', r"rule x: quirk is '7'; it has to be a whole number"),
        (RULE + 'is_junk = "yes"', r"rule x: is_junk is 'yes'; it has to be true or false"),
        (
            RULE.replace('"true"', "\"stage::date > '2026-01-01'\""),
            r"rule x cannot be run: Conversion Error",
        ),
        (RULE.replace('"true"', '"stagee = 1"'), r"rule x cannot be run: Binder Error.*stagee"),
        ('[derive]\nstage = "stage + 1"', r"stage under \[derive\] cannot be run: "),
        ("work = 5", r"rules/opportunities\.toml: work is 5"),
        ("[work]\nx = 5", r"rules/opportunities\.toml: work is"),
        ("rule = 5", r"rule is 5; it has to be begun by its name in double brackets"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_by_file_and_name(raw, text, message):
    (raw / "rules").mkdir()
    (raw / "rules" / "opportunities.toml").write_text(text, encoding="utf-8")
    write(raw, Opportunity=[opportunity(1)], User=[user()])
    with pytest.raises(OwnMapError, match=message):
        cleaned()


def test_decisions_on_names_that_cannot_be_read_are_refused(raw):
    write(
        raw,
        Opportunity=[opportunity(1)],
        User=[user()],
        names=[{"table": "accounts", "from": "A", "to": "B"}],
    )
    with pytest.raises(
        OwnMapError, match=r"names\.csv: .*It has the columns table, variant and canonical"
    ):
        cleaned()


def test_start_and_end_give_the_length(raw):
    """Half past nine to eleven is 90 minutes."""
    own(raw, ACTIVITY)
    visit = {
        "Visit": "1",
        "Seller": "Ada",
        "From": "2026-02-02T09:30:00Z",
        "Till": "2026-02-02T11:00:00Z",
    }
    sellers = [{"Full Name": "Ada", "Role": "North", "Active": "1", "Profile": "Standard"}]
    write(raw, visits=[visit], users=sellers, Opportunity=[opportunity(1)])
    assert cleaned().tables["activities"]["minutes"].tolist() == [90.0]


def test_a_map_may_join_a_second_file(raw):
    """Deals name a code; who that is stands in another file."""
    deals = OWN.replace(
        'owner_rep_id = { from = "Seller", as = "person" }',
        'owner_code = { from = "Seller" }\nowner_rep_id = { sql = "pseudonym(look_up_sellers_seller(owner_code))" }',
    )
    own(raw, deals + LOOKUP)
    (raw / "rules").mkdir()
    (raw / "rules" / "opportunities.toml").write_text(
        '[work]\nowner_code = "text"\n', encoding="utf-8"
    )
    write(
        raw,
        deals=[DEAL | {"Seller": "S1"}],
        sellers=[{"Code": "S1", "Name of seller": "Ada Lund"}],
        User=[user(Name="Ada Lund")],
    )
    got = cleaned()
    assert got.effect("opportunities", "unknown_owner").n_rows == 0


def test_the_command_line_ends_with_wrong_usage(raw, root):
    """Exit code 2, one line, no traceback."""
    own(raw, OWN.replace('as = "number"', 'as = "nummer"'))
    write(raw, deals=[DEAL], User=[user()])
    ran = run(root, "clean", "here")
    assert ran.code == 2
    assert ran.err.strip() == (
        "fields.toml: column raw_amount: a way of reading called 'nummer' does not exist; known are "
        + ran.err.strip().partition("known are ")[2]
    )
    assert "Did you mean number?" in ran.err
