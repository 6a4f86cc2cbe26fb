"""Each rule takes what it names, leaves what only looks like it, and can be switched off."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest
from crm_tables import define, fill, stand
from rule_cases import CASES as FIRST_CASES
from rule_cases_more import MORE_CASES
from rule_cases_practice import PRACTICE_CASES
from rule_rows import AROUND, BASE, DAY, NEXT, TEN

from analysis.cleaning import hours, identity, rules
from analysis.project import settings
from analysis.project.errors import CrmDataError
from analysis.sources import database
from analysis.sources.database import quote_identifier
from analysis.tables.canonical import TABLES, read_declaration
from analysis.tables.columns import SQL_TYPES
from analysis.tables.quirks import QUIRKS

CASES = [*FIRST_CASES, *MORE_CASES, *PRACTICE_CASES]
HOUSE = {name: read_declaration(name) for name in TABLES}
# Without these, the rows they take contradict each other and another rule takes them.
VERSIONS = (  # without one of these, another rule takes the row: of two outcomes there is none
    "contradictory_outcome",
    "unknown_outcome",
    "repeated_record",
    "conflicting_record",
    "overlapping_membership",
    "older_version",
    "repeated_by_lines",
    "merged_account",
    "owner_without_team",
)
QUIRK = {
    (table, entry["name"]): entry.get("quirk")
    for table, book in HOUSE.items()
    for entry in book["rule"]
}
CASE_IDS = [f"quirk_{QUIRK.get((c.table, c.rule))}-{c.table}-{c.rule}" for c in CASES]


def surround(connection):
    """Make what rules ask beside the clean tables: typed ones not judged yet, merges, what was set aside."""
    for name in TABLES:
        kinds = {c.name: c.kind for c in TABLES[name].columns} | rules.read_rulebook(
            name, "here"
        ).work
        fill(
            connection,
            f"parsed_{name}",
            AROUND.get(f"parsed_{name}", []),
            {n: SQL_TYPES[k] for n, k in kinds.items()},
        )
    define(connection)
    identity.define_survivors(connection)
    hours.define_client_activities(connection)
    hours.define_classes(connection, settings.load_dataset_settings("here").activity_classes)
    connection.execute("create table own_domains (domain varchar)")
    for name in ("survivors", "own_domains", "set_aside", "due_stages"):
        for row in AROUND[name]:
            listed, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(
                f"insert into {name} ({listed}) values ({marks})", list(row.values())
            )


STAGE = []  # the connection on which all tables stand; each judgement stands in a transaction of its own


@pytest.fixture(scope="module", autouse=True)
def stage(tmp_path_factory):
    """Stand every table once: what a judgement does there is undone when it ends."""
    root = tmp_path_factory.mktemp("stage")
    shutil.copy(Path(__file__).parents[2] / "alignment.toml", root)
    with pytest.MonkeyPatch.context() as patch, database.open_session() as connection:
        patch.setenv("ALIGNMENT_ROI_ROOT", str(root))
        stand(connection, **{n: r for n, r in AROUND.items() if n in TABLES})
        surround(connection)
        STAGE.append(connection)
        yield
        STAGE.clear()


def judged(table, rows, without=None):
    """Judge the rows; return by each row's place the rule that took it, the flags on it, and each rule's effect."""
    book = rules.read_rulebook(table, "here")
    kinds = {c.name: c.kind for c in TABLES[table].columns} | book.work
    columns = {n: SQL_TYPES[k] for n, k in kinds.items()}
    chosen = book._replace(rules=tuple(r for r in book.rules if r.name != without))
    (connection,) = STAGE
    connection.begin()
    try:
        connection.execute(f"delete from {quote_identifier(table)}")
        numbered = [row | {"source_row": i} for i, row in enumerate(rows)]
        own = {"unreadable": 'struct("column" varchar, rule varchar, "text" varchar)[]'}
        fill(connection, "typed", numbered, columns | own)
        read = ", ".join(
            quote_identifier(n) for n in columns if n not in ("source_row", "flagged_by")
        )
        connection.execute(
            f"""create or replace table {quote_identifier("parsed_" + table)} as
            select * exclude (flagged_by, unreadable), coalesce(unreadable, []) as unreadable,
              hash(row({read})) as row_hash
            from typed"""
        )
        connection.execute("delete from set_aside where table_name = ?", [table])
        rules.judge_rows(connection, TABLES[table], chosen, f"parsed_{table}")
        taken = dict(
            connection.execute(
                "select source_row, rule from set_aside where table_name = ?", [table]
            ).fetchall()
        )
        kept = dict(
            connection.execute(
                f"select source_row, coalesce(flagged_by, '') from {table}"
            ).fetchall()
        )
        assert sorted([*taken, *kept]) == list(range(len(rows)))
        effects = rules.rule_effects(connection, TABLES[table], chosen, len(rows))
        return taken, kept, {e.rule: e for e in effects}
    finally:
        connection.rollback()


@pytest.mark.parametrize("case", CASES, ids=CASE_IDS)
def test_a_rule_takes_its_rows_and_no_others(raw, case):
    """A flag leaves the row clean."""
    (raw / "alignment.toml").write_text(
        '[company]\nname = "Northwind Instruments"\n', encoding="utf-8"
    )
    taken, kept, effects = judged(case.table, case.rows)
    marked = {n: set(flags.split()) for n, flags in kept.items()}
    action = effects[case.rule].action
    if action == "flag":
        assert {n for n, flags in marked.items() if case.rule in flags} == case.taken
        assert taken == {}
    else:
        assert taken == dict.fromkeys(case.taken, case.rule)
    assert effects[case.rule].n_rows == len(case.taken)


@pytest.mark.study
@pytest.mark.parametrize("case", CASES, ids=CASE_IDS)
def test_a_rule_switched_off_takes_and_flags_nothing(raw, case):
    """And no other rule takes its rows instead: a case is one of its own rule."""
    (raw / "alignment.toml").write_text(
        '[company]\nname = "Northwind Instruments"\n', encoding="utf-8"
    )
    left, unmarked, _ = judged(case.table, case.rows, without=case.rule)
    assert case.rule not in left.values()
    assert not any(case.rule in flags.split() for flags in unmarked.values())
    assert case.rule in VERSIONS or left == {}


@pytest.mark.parametrize("table", TABLES)
def test_every_rule_has_a_case(table):
    named = {entry["name"] for entry in HOUSE[table]["rule"]} - {"unreadable"}
    cases = {c.rule for c in CASES if c.table == table}
    assert cases == named, f"{table}: its cases stand in tests/support/rule_cases*.py"


@pytest.mark.parametrize("table", TABLES)
def test_every_rule_says_why_in_words_and_which_quirk(table):
    for entry in HOUSE[table]["rule"]:
        if entry["name"] != "unreadable":
            assert len(entry["reason"].split()) >= 3, entry
            assert entry.get("quirk") in QUIRKS, f"{entry}: quirk is a number of tables/quirks.py"


@pytest.mark.parametrize("table", TABLES)
def test_a_blank_where_one_is_required_is_set_aside(raw, table):
    """A row for each required column; the last, which lacks none, stays."""
    derived = rules.read_rulebook(table, "here").derive
    required = [c.name for c in TABLES[table].columns if c.is_required and c.name not in derived]
    taken, kept, effects = judged(
        table, [*(BASE[table] | {column: None} for column in required), BASE[table]]
    )
    assert taken == dict.fromkeys(range(len(required)), "missing_required")
    assert kept == {len(required): ""}
    assert all(column in effects["missing_required"].reason for column in required)


def partitions(table, rule):
    """Return the columns that a rule groups rows by, and that may be blank."""
    book = rules.read_rulebook(table, "here")
    kinds = {c.name: c.kind for c in TABLES[table].columns} | book.work
    required = {c.name for c in TABLES[table].columns if c.is_required}
    sql = " ".join(
        [rule.when, *(d for n, d in book.derive.items() if re.search(rf"\b{n}\b", rule.when))]
    )
    grouped = " ".join(re.findall(r"partition by (.*?)(?: order by|$|\) [<>=+-])", sql))
    return [
        n
        for n in kinds
        if n not in required and n not in book.derive and re.search(rf"\b{n}\b", grouped)
    ]


WINDOWED = [
    (table, entry["name"])
    for table, book in HOUSE.items()
    for entry in book["rule"]
    if "partition by" in " ".join([entry.get("when", ""), *book.get("derive", {}).values()])
    and "when" in entry
]


@pytest.mark.parametrize(("table", "name"), WINDOWED)
def test_blank_cells_are_no_group(raw, table, name):
    """Sixty rows of different keys, each blank where a rule groups: none is taken for another's twin."""
    rule = next(r for r in rules.read_rulebook(table, "here").rules if r.name == name)
    derived = rules.read_rulebook(table, "here").derive
    texts = [
        k
        for k in TABLES[table].key
        if k not in derived and TABLES[table].column(k).kind in ("id", "category")
    ]
    for blank in [*([column] for column in partitions(table, rule)), partitions(table, rule)]:
        key = next((k for k in texts if k not in blank), None)
        if not blank or key is None:
            continue
        rows = [
            BASE[table] | {key: f"{BASE[table].get(key, '')}{i}"} | dict.fromkeys(blank)
            for i in range(60)
        ]
        taken, marked, _ = judged(table, rows)
        assert name not in taken.values(), blank
        assert rule.action != "flag" or not any(
            name in flags.split() for flags in marked.values()
        ), blank


def test_calls_without_a_time_of_logging_are_no_import(raw):
    """Sixty calls of one rep, none of which says when it was logged: all stay."""
    call = BASE["activities"] | {
        "kind": "call",
        "logged_at": None,
        "ended_at": None,
        "stated_minutes": None,
    }
    rows = [
        call | {"activity_id": f"c{i}", "started_at": TEN - dt.timedelta(days=i)} for i in range(60)
    ]
    assert judged("activities", rows)[0] == {}
    same = [
        row | {"logged_at": TEN, "started_at": TEN + dt.timedelta(hours=i)}
        for i, row in enumerate(rows)
    ]
    assert set(judged("activities", same)[0].values()) == {"import_burst"}


def test_a_crm_that_moved_is_no_import(raw):
    """All were written anew in one minute, but each bears the day it took place, over months."""
    call = BASE["activities"] | {
        "kind": "call",
        "logged_at": TEN,
        "ended_at": None,
        "stated_minutes": None,
    }
    rows = [
        call | {"activity_id": f"c{i}", "started_at": TEN - dt.timedelta(days=i)} for i in range(60)
    ]
    assert judged("activities", rows)[0] == {}


def test_doubles_go_before_a_burst_is_counted(raw):
    """Thirty calls logged twice in one minute are thirty calls, no burst of sixty."""
    call = BASE["activities"] | {
        "kind": "call",
        "logged_at": TEN,
        "ended_at": None,
        "stated_minutes": None,
    }
    rows = [
        call | {"activity_id": f"c{i}", "started_at": TEN + dt.timedelta(hours=i // 2)}
        for i in range(60)
    ]
    taken = judged("activities", rows)[0]
    assert sorted(taken.values()) == ["double_logged"] * 30


def test_a_version_that_was_deleted_since_takes_the_earlier_ones_along(raw):
    """In September it stood, in December it is in the recycle bin: nothing of it is left."""
    row = BASE["opportunities"]
    rows = [
        row | {"modified_at": TEN},
        row | {"modified_at": TEN + dt.timedelta(days=90), "is_deleted": True},
    ]
    assert judged("opportunities", rows)[0] == {0: "older_version", 1: "deleted_record"}


@pytest.mark.parametrize("stamps", [(TEN, TEN), (TEN, None), (None, None)])
def test_versions_that_no_time_tells_apart_are_set_aside(raw, stamps):
    """The same moment twice, or none on one of them."""
    row = BASE["opportunities"]
    rows = [row | {"modified_at": stamps[0]}, row | {"modified_at": stamps[1], "raw_amount": 7.0}]
    assert judged("opportunities", rows)[0] == {0: "conflicting_record", 1: "conflicting_record"}


def test_an_unreadable_cell_takes_the_row_by_the_first_reason(raw):
    cells = [
        {"column": "close_date", "rule": "unreadable_date", "text": "ask ada@example.com"},
        {"column": "raw_amount", "rule": "unreadable_number", "text": "#REF!"},
    ]
    taken, _, effects = judged(
        "opportunities", [BASE["opportunities"] | {"unreadable": cells}, BASE["opportunities"]]
    )
    assert taken == {0: "unreadable_date"}
    assert effects["unreadable_date"].action == "quarantine"
    assert "2026-09-30" in effects["unreadable_date"].reason


def test_the_first_rule_that_matches_takes_the_row(raw):
    """Deleted, a test and negative: deleted stands first; without that, the test; never counted twice."""
    row = BASE["opportunities"] | {"is_deleted": True, "record_name": "test", "raw_amount": -5.0}
    assert judged("opportunities", [row])[0] == {0: "deleted_record"}
    taken, _, effects = judged("opportunities", [row], without="deleted_record")
    assert taken == {0: "test_record"}
    assert effects["negative_amount"].n_rows == 0


def test_a_dropped_row_is_no_version_of_its_key(raw):
    """The deleted twin goes first, so the other one does not conflict with it."""
    rows = [BASE["opportunities"], BASE["opportunities"] | {"raw_amount": 7.0, "is_deleted": True}]
    assert judged("opportunities", rows)[0] == {1: "deleted_record"}


def test_a_row_may_carry_several_flags(raw):
    row = BASE["opportunities"] | {"raw_amount": None, "owner_rep_id": "nobody"}
    assert judged("opportunities", [row])[1] == {0: "won_without_amount unknown_owner"}


def test_an_effect_tells_the_money_on_its_rows(raw):
    """10 EUR at 1.1 and 5 USD are deleted: 16.00 of the reporting currency, of three rows."""
    gone = BASE["opportunities"] | {"is_deleted": True}
    rows = [
        gone | {"raw_amount": 10.0, "currency": "EUR", "close_date": DAY},
        gone | {"raw_amount": 5.0},
        BASE["opportunities"] | {"opportunity_id": "o2", "raw_amount": None},
    ]
    effects = judged("opportunities", rows)[2]
    assert effects["deleted_record"][4:] == (2, 3, 16.0, None)
    assert effects["won_without_amount"][4:] == (1, 3, None, None)
    assert effects["negative_amount"][4:] == (0, 3, None, None)


def test_an_effect_tells_the_hours_on_its_rows(raw):
    """60 and 30 minutes cancelled are 1.5 hours."""
    gone = BASE["activities"] | {"subject": "Canceled: demo"}
    rows = [
        gone,
        gone | {"activity_id": "x2", "minutes": 30.0, "stated_minutes": 30.0},
        BASE["activities"] | {"activity_id": "x3"},
    ]
    assert judged("activities", rows)[2]["cancelled"][4:] == (2, 3, None, 1.5)


def test_a_stay_since_ever_overlaps_a_second_one(raw):
    """Two stays without a first day cannot both hold."""
    rows = [
        {"rep_id": BASE["reps"]["rep_id"], "team_id": "00E000000000001EAA", "valid_to": d}
        for d in (None, NEXT)
    ]
    assert list(judged("rep_team_history", rows)[0].values()) == ["overlapping_membership"]


def own(raw, table, text):
    (raw / "rules").mkdir(exist_ok=True)
    (raw / "rules" / f"{table}.toml").write_text(text, encoding="utf-8")


def test_a_dataset_adds_a_rule_behind_the_houses(raw):
    own(
        raw,
        "accounts",
        '[[rule]]\nname = "ours"\naction = "drop"\nwhen = "account_name = \'Us\'"\nreason = "our own"\n',
    )
    rows = [BASE["accounts"] | {"account_name": "Us"}, BASE["accounts"] | {"account_id": "a2"}]
    taken, _, effects = judged("accounts", rows)
    assert taken == {0: "ours"}
    assert list(effects)[-1] == "ours"


def test_a_dataset_replaces_a_rule_of_the_house_in_its_place(raw):
    """`when = "false"` switches it off."""
    own(
        raw,
        "opportunities",
        '[[rule]]\nname = "test_record"\naction = "drop"\nwhen = "false"\nreason = "we sell tests"\n',
    )
    assert judged("opportunities", [BASE["opportunities"] | {"record_name": "test"}])[0] == {}
    names = [r.name for r in rules.read_rulebook("opportunities", "here").rules]
    assert names[4:6] == ["deleted_record", "test_record"]
    assert names.count("test_record") == 1


RULE = '[[rule]]\nname = "x"\naction = "drop"\nwhen = "true"\nreason = "why"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            RULE.replace("drop", "dropp"),
            r"rules/reps\.toml: rule x: action is 'dropp'; .* Did you mean drop\?",
        ),
        (
            RULE.replace("drop", "row"),
            r"rule x: action is 'row'; allowed are quarantine, drop, flag",
        ),
        (
            RULE + 'scope = "tabel"',
            r"rule x: scope is 'tabel'; allowed are row, table\. Did you mean table\?",
        ),
        (
            RULE.replace("reason", "reson"),
            r"rule x has reson; a rule has name, action, when, reason",
        ),
        ('[[rule]]\nname = "x"\naction = "drop"\n', r"rule x lacks reason, when"),
        (
            '[work]\nx = "txt"',
            r"a kind under \[work\] called 'txt' does not exist; .* Did you mean text\?",
        ),
        ("[derives]\n", r"a part called 'derives' does not exist; .* Did you mean derive\?"),
        ("[[rule]\n", r"rules/reps\.toml: not valid TOML"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_nearest_name(raw, text, message):
    own(raw, "reps", text)
    with pytest.raises(CrmDataError, match=message):
        rules.read_rulebook("reps", "here")


def test_rules_of_no_table_are_refused(raw):
    """They would never judge a row."""
    own(raw, "oportunities", RULE)
    with pytest.raises(
        CrmDataError, match=r"'oportunities' does not exist; .* Did you mean opportunities\?"
    ):
        rules.read_rulebook("reps", "here")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("acount_name = 'x'", "cannot be run: .* Its SQL may use"),
        ("account_name = ", "must be one SQL expression .*: Parser Error"),
        ("no_such(account_name)", "the function no_such may not be used here"),
    ],
)
def test_a_rule_that_is_no_sql_over_its_table_is_refused(raw, when, message):
    own(raw, "accounts", RULE.replace('"true"', f'"{when}"'))
    with pytest.raises(CrmDataError, match=rf"rules/accounts\.toml: rule x:? {message}"):
        judged("accounts", [BASE["accounts"]])
