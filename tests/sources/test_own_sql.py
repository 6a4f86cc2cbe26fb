"""A dataset's own SQL is one expression over its row, or is refused before it is run."""

from __future__ import annotations

import duckdb
import pytest
from crm_tables import cleaned, opportunity, user, write
from sql_escapes import ESCAPES, FILE
from test_own_maps import RULE
from test_recognise import DEAL, OWN, own

from analysis.project.errors import OwnMapError
from analysis.sources import database, own_sql

SOUND = (
    "stage = 'Won' and raw_amount > 0",
    "regexp_matches(stage, '^test', 'i')",
    "count(*) over (partition by stage) > 1",
    "row_number() over (partition by owner_rep_id order by close_date, opportunity_id) > 3",
    "case when stage like 'W%' then true else false end",
    "close_date between date '2026-01-01' and date '2026-03-31'",
    "close_date > getvariable('as_of')",
    "stage in ('Won', 'Lost') -- what counts",
    "created_at + interval 5 years < close_date",
    "this.raw_amount / 100 > 5",
    "trim(lower(stage)) || ' ' || coalesce(status, '') = 'won won'",
    "raw_amount::integer % 2 = 0",
    "try_cast(stage as date) is null",
    "stage ilike '%test%' and not is_placeholder(stage)",
    "name_key(stage) = 'closedwon'",
    "stage like '%a%b%c%d%e%'",
    "stage ilike '%demo%call%' or stage glob 'W*'",
    " or ".join(f"stage like 'x{i}%'" for i in range(70)),
    f"case {' '.join(f'when stage ilike {i!r} then {i!r}' for i in map(str, range(60)))} end = '1'",
    "strftime(close_date, '%Y-%m') = '2026-01' and list_contains(['a', 'b'], stage)",
    "raw_amount::decimal(18, 2) > 1 and stage::text <> '' and close_date::timestamp is not null",
)


@pytest.mark.parametrize("sql", ESCAPES)
def test_what_is_more_than_an_expression_is_refused_by_its_key(sql):
    with pytest.raises(OwnMapError, match=r"^rule x"):
        own_sql.read_expression(sql, "rule x")


@pytest.mark.parametrize("sql", SOUND)
def test_an_expression_over_the_row_is_taken_as_it_stands(sql):
    assert own_sql.read_expression(sql, "rule x").sql == f"(\n{sql}\n)"


def test_texts_made_a_thousand_times_longer_by_one_column_after_another_are_refused():
    """Of 30 characters each, two in a row make 900 of one."""
    once = own_sql.read_expression(f"replace(stage, 'a', '{'b' * 30}')", "rule x")
    assert once.growth == 30
    with pytest.raises(OwnMapError, match=r"more than 50 times as long"):
        own_sql.read_expression("first_word || first_word", "rule x", columns={"first_word": 30})


def test_after_intake_the_database_reaches_its_output_folder_alone(tmp_path):
    """Neither a file nor a setting is within reach of what gets through."""
    (tmp_path / "out").mkdir()
    with database.open_session() as connection:
        database.confine_session(connection, tmp_path / "out")
        connection.execute(f"copy (select 1 as a) to '{tmp_path / 'out' / 'a.parquet'}'")
        for beyond in (
            f"from read_text('{FILE}')",
            f"copy (select 1) to '{tmp_path / 'b.csv'}'",
            f"copy (select 1) to '{tmp_path / 'out' / '..' / 'b.csv'}'",
            f"attach '{tmp_path / 'c.db'}'",
        ):
            with pytest.raises(duckdb.PermissionException, match="disabled by configuration"):
                connection.execute(beyond)
        with pytest.raises(duckdb.InvalidInputException, match="has been locked"):
            connection.execute("set enable_external_access = true")
    assert [f.name for f in tmp_path.rglob("*.*")] == ["a.parquet"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[derive]\nunreadable = "[]"', r"a column under \[derive\] called 'unreadable' does not exist"),
        ('[derive]\nrid = "1"', r"a column under \[derive\] called 'rid' does not exist"),
        ('[work]\nsource_row = "count"', r"source_row under \[work\] is a column every table has already"),
        ('[work]\nrowid = "number"', r"rowid under \[work\] is a column every table has already"),
        ('[work]\n"a b" = "text"', r"a column under \[work\] must have a name of small letters"),
        (RULE.replace('"x"', '"x; drop"'), r"a rule must have a name of small letters"),
        ('[derive]\nstatus = "raw_amount::date::varchar"', r"status under \[derive\] cannot be run: Conversion Error"),
        (RULE.replace('"true"', "\"regexp_matches(stage, '(?=a)')\""), r"rule x cannot be run: .*invalid perl operator"),
        (RULE.replace('"true"', '"stage::int = 1"'), r"rule x cannot be run: .*convert string '\[a cell\]' to INT32"),
    ],
)  # fmt: skip
def test_own_columns_and_rules_are_refused_by_file_and_key(raw, text, message):
    (raw / "rules").mkdir()
    (raw / "rules" / "opportunities.toml").write_text(text, encoding="utf-8")
    write(raw, Opportunity=[opportunity(1)], User=[user()])
    with pytest.raises(OwnMapError, match=rf"rules/opportunities\.toml: {message}"):
        cleaned()


@pytest.mark.parametrize("name", ["set aside", "Set_Aside", 'x"; drop table set_aside; --'])
def test_a_lookup_is_called_by_a_plain_name(raw, name):
    lookup = f'\n[[export]]\nlookup = \'{name}\'\nobject = "o"\nneeds = ["Code"]\n[export.columns]\ncode = {{ from = "Code" }}\n'
    own(raw, OWN + lookup)
    write(raw, deals=[DEAL], User=[user()])
    with pytest.raises(
        OwnMapError, match=r"export o: a lookup and its columns must have a name of"
    ):
        cleaned()


def test_a_lookup_cannot_take_the_place_of_a_table_of_ours(raw):
    """A lookup called as the table of rows set aside is another table."""
    lookup = '\n[[export]]\nlookup = "set_aside"\nobject = "o"\nneeds = ["Code"]\n[export.columns]\ncode = { from = "Code" }\n'
    own(raw, OWN + lookup)
    write(raw, deals=[DEAL], User=[user()], codes=[{"Code": "1"}])
    assert cleaned().account("opportunities") == (1, 1, 0, 0)
