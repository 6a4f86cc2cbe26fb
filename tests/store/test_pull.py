"""Tables from a warehouse become files of a dataset: what is read, what stays, what is never said."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import connector_landing
import pandas as pd
import pytest
from crm_tables import cleaned, event, opportunity, user, write

from analysis.project.errors import ExchangeError, OwnMapError
from analysis.project.settings import SettingsError, load_dataset_settings
from analysis.sources.connector_schemas import survey_relations
from analysis.sources.field_maps import exports_known
from analysis.sources.warehouse import Relation
from analysis.store import pull, pull_record

COLUMNS = "id text primary key, owner_id, stage_name, amount real, close_date, created_date, is_deleted, notes, _fivetran_synced, _fivetran_deleted"
DEALS = [
    ("0065eZx00000RFBAB2", "0055eZx00000RFBAB2", "Closed Won", 0.1, "2026-03-30", "2026-01-04T16:31:01Z", "false", "secret", "2026-04-01 00:00:00", 0),
    ("0065eZx00000TIuABM", "0055eZx00000RFBAB2", "Closed Lost", 1e15 / 3, "2026-03-30", "2026-01-04T16:31:01Z", "false", None, "2026-04-05 00:00:00", 0),
    ("0065eZx00000VMdABM", "0055eZx00000RFBAB2", "Closed Won", None, "2026-03-30", "2026-01-04T16:31:01Z", "false", None, "2026-04-09 00:00:00", 0),
]  # fmt: skip


def connect(root: Path, driver: str, path: Path, own: str = "", datasets: str = '["here"]') -> None:
    """Let the dataset "here" pull from a connection of the root's settings."""
    settings = root / "alignment.toml"
    settings.write_text(
        settings.read_text()
        + f'[connections.crm]\ndriver = "{driver}"\npath = "{path}"\ndatasets = {datasets}\n'
    )
    (root / "data" / "raw" / "here" / "alignment.toml").write_text(
        f'[pull]\nconnection = "crm"\n{own}'
    )


@pytest.fixture
def crm(root, raw):
    """Return an SQLite database that holds three opportunities as Fivetran lands them."""
    session = sqlite3.connect(root / "crm.sqlite")
    session.execute(f"create table opportunity ({COLUMNS})")
    session.executemany(f"insert into opportunity values ({', '.join('?' * 10)})", DEALS)
    session.commit()
    connect(root, "sqlite", root / "crm.sqlite")
    yield session
    session.close()


def pulled(**options: bool) -> tuple[dict[str, pull_record.PulledTable], list[str]]:
    """Pull the dataset "here"; return what was written by object, and what was said."""
    lines: list[str] = []
    record = pull.pull_dataset("here", say=lines.append, **options)
    return {table.object_name: table for table in record.tables}, lines


def rows(raw: Path, name: str = "opportunity") -> pd.DataFrame:
    return pd.read_parquet(raw / f"{name}.parquet")


def test_a_connectors_table_is_found_by_itself_and_only_columns_that_a_map_reads_leave(crm, raw):
    """Nothing names the table; its notes stay where they are, and so does what the folder held."""
    (raw / "quotas.csv").write_text("kept")
    tables, _ = pulled()
    assert tables["Opportunity"].n_rows == 3
    assert "notes" not in rows(raw)
    assert "secret" not in (raw / "pulled.json").read_text()
    assert tables["Opportunity"].statement.startswith("select ")
    assert (raw / "quotas.csv").read_text() == "kept"


def test_files_of_a_pull_are_open_to_their_owner_alone(crm, raw):
    pulled()
    modes = {f.name: f.stat().st_mode & 0o777 for f in raw.iterdir() if f.suffix != ".toml"}
    assert modes == {"opportunity.parquet": 0o600, "pulled.json": 0o600}
    assert raw.stat().st_mode & 0o777 == 0o700


def test_numbers_of_sqlite_come_back_to_the_last_digit(crm, raw):
    pulled()
    assert [float(x) for x in rows(raw)["amount"].dropna()] == [0.1, 1e15 / 3]
    assert rows(raw)["amount"][0] == "0.1"


def test_a_column_of_many_kinds_is_read_whole(crm, raw):
    """The driver would decide by the first rows that it holds whole numbers."""
    crm.executemany(
        "insert into opportunity (id, owner_id, stage_name) values (?, ?, 'Open')",
        [(f"006{n:015d}", n if n < 3000 else "Müller") for n in range(3001)],
    )
    crm.commit()
    assert pulled()[0]["Opportunity"].n_rows == 3004
    assert rows(raw)["owner_id"].tolist()[-1] == "Müller"


def test_a_second_pull_reads_only_what_changed(crm, raw):
    """One deal of three is changed; the one of the watermark's hour is read again and is the same."""
    pulled()
    crm.execute(
        "update opportunity set amount = 7, _fivetran_synced = '2026-05-01 00:00:00' where id = '0065eZx00000RFBAB2'"
    )
    crm.commit()
    table = pulled()[0]["Opportunity"]
    assert (table.n_read, table.n_rows, table.how) == (2, 3, "changed")
    assert rows(raw).set_index("id")["amount"]["0065eZx00000RFBAB2"] == "7.0"


def test_where_nothing_changed_the_file_keeps_its_bytes(crm, raw):
    pulled()
    before = (raw / "opportunity.parquet").read_bytes()
    assert pulled()[0]["Opportunity"].n_read == 1
    assert (raw / "opportunity.parquet").read_bytes() == before


def test_a_row_marked_by_the_connector_is_a_deleted_record_to_every_map(crm, raw):
    """Salesforce's own flag still says false."""
    pulled()
    crm.execute(
        "update opportunity set _fivetran_deleted = 1, _fivetran_synced = '2026-05-01 00:00:00' where id = '0065eZx00000RFBAB2'"
    )
    crm.commit()
    table = pulled()[0]["Opportunity"]
    assert table.n_marked_deleted == 1
    assert rows(raw).set_index("id")["is_deleted"].to_dict()["0065eZx00000RFBAB2"] == "true"
    assert table.deletions == "by the connector's mark"


def test_a_row_that_went_without_a_mark_is_missed_and_all_is_read_again(crm, raw):
    pulled()
    crm.execute("delete from opportunity where id = '0065eZx00000RFBAB2'")
    crm.commit()
    table = pulled()[0]["Opportunity"]
    assert (table.n_read, table.n_rows) == (2, 2)
    assert "rows came or went" in table.how


def test_where_no_mark_says_what_was_deleted_the_line_says_so(root, raw, crm):
    crm.execute("alter table opportunity drop column _fivetran_deleted")
    crm.commit()
    assert pulled()[0]["Opportunity"].deletions.startswith("read in full")
    assert "is not seen until --full" in pulled()[0]["Opportunity"].deletions


def test_a_time_that_is_yet_to_come_hides_no_later_change(crm, raw):
    """A row dated 2999 is no watermark."""
    crm.execute("update opportunity set _fivetran_synced = '2999-01-01' where amount is null")
    crm.commit()
    assert pulled()[0]["Opportunity"].watermark == "2026-04-05T00:00:00.000000+00:00"


def test_rows_without_a_time_are_read_every_time(crm, raw):
    crm.execute("update opportunity set _fivetran_synced = null where amount is null")
    crm.commit()
    pulled()
    crm.execute("update opportunity set amount = 8 where _fivetran_synced is null")
    crm.commit()
    assert pulled()[0]["Opportunity"].n_read == 2
    assert "8.0" in rows(raw)["amount"].tolist()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "alter table opportunity drop column close_date",
            "opportunity: column close_date not there any more",
        ),
        ("alter table opportunity drop column is_deleted", "column is_deleted is not there any"),
        ("alter table opportunity rename to opportunity_old", "opportunity: is not there any more"),
    ],
)
def test_a_table_or_column_that_is_gone_is_named_and_yesterdays_files_stay(crm, raw, change, says):
    """Until somebody says that it is as it should be."""
    pulled()
    before = {f.name: f.read_bytes() for f in raw.iterdir()}
    crm.execute(change)
    crm.commit()
    with pytest.raises(ExchangeError, match=says):
        pulled()
    assert {f.name: f.read_bytes() for f in raw.iterdir()} == before
    if "is_deleted" in change:
        assert pulled(accept_schema=True)[0]["Opportunity"].n_rows == 3


def test_a_declared_type_that_changed_is_named(crm, raw):
    """SQLite holds no cell to it: it is a word of whoever lands the table that something is other."""
    pulled()
    crm.execute("alter table opportunity rename to before")
    crm.execute(f"create table opportunity ({COLUMNS.replace('amount real', 'amount text')})")
    crm.execute("insert into opportunity select * from before")
    crm.commit()
    with pytest.raises(ExchangeError, match="column amount was declared real, now declared text"):
        pulled()


def test_full_reads_everything_again_and_the_same_rows_keep_their_bytes(crm, raw):
    """In another order too: a report is not made anew for it."""
    pulled()
    before = (raw / "opportunity.parquet").read_bytes()
    crm.execute("create table other as select * from opportunity order by id desc")
    crm.execute("delete from opportunity")
    crm.execute("insert into opportunity select * from other")
    crm.commit()
    assert pulled(full=True)[0]["Opportunity"].n_read == 3
    assert (raw / "opportunity.parquet").read_bytes() == before
    crm.execute("update opportunity set amount = 8 where amount is null")
    crm.commit()
    pulled(full=True)
    assert "8.0" in rows(raw)["amount"].tolist()


def test_a_file_that_was_changed_by_hand_is_pulled_again_in_full(crm, raw):
    pulled()
    (raw / "opportunity.parquet").write_bytes(b"")
    assert "not the one that was pulled" in pulled()[0]["Opportunity"].how


def test_a_dry_run_lists_what_would_be_read_and_writes_nothing(crm, raw):
    crm.execute("create table task_queue (id, _fivetran_synced)")
    crm.commit()
    lines = pull.plan_lines("here")
    assert lines[0].startswith("opportunity -> opportunity.parquet: Opportunity (Salesforce, API names), 3 rows, 9 of 10 columns")  # fmt: skip
    assert lines[1] == "task_queue: not read: no table of that name is read"
    assert [f.name for f in raw.iterdir()] == ["alignment.toml"]


def test_an_export_of_the_same_name_stops_the_pull(crm, raw):
    (raw / "Opportunity.csv").write_text("Id\n1\n")
    with pytest.raises(ExchangeError, match="so every row would be read twice"):
        pulled()


def test_several_states_of_a_record_are_not_taken_for_records(crm, raw):
    crm.execute("alter table opportunity add column _fivetran_active")
    crm.commit()
    with pytest.raises(ExchangeError, match="shows no CRM table of a connector"):
        pulled()


def test_names_of_tables_and_columns_are_no_sql(crm, raw):
    """A name that ends the statement is a name; and a view of what is gone stops nothing."""
    crm.execute("create view zz_broken as select * from nowhere")
    crm.execute('create table "x; drop table opportunity; --" (id, _fivetran_synced)')
    crm.execute('alter table opportunity add column "close_date"" from t; --" text')
    crm.commit()
    assert pulled()[0]["Opportunity"].n_rows == 3


# --- queries of a dataset's own -------------------------------------------------------------------


def query(text: str, more: str = "") -> str:
    return f"[pull.tables.deals]\nquery = '''{text}'''\n{more}"


def test_a_dataset_may_ask_a_query_a_table(root, raw, crm):
    """What the query gives is the file; a comment at its end ends nothing."""
    own = query("select id as no, amount from opportunity -- all", 'key = ["no"]\n')
    (raw / "alignment.toml").write_text(f'[pull]\nconnection = "crm"\n{own}')
    tables, _ = pulled()
    assert tables["deals"].query == "select id as no, amount from opportunity -- all"
    assert rows(raw, "deals").columns.tolist() == ["no", "amount"]


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [
        ("select 1; delete from opportunity", "", "must be one query without a semicolon"),
        ("delete from opportunity", "", "must begin with select or with"),
        ("select id from opportunity", 'key = ["idd"]', r"has no column 'idd'\. Did you mean id\?"),
    ],
)
def test_what_a_query_may_not_be_is_named_with_file_and_key(root, raw, crm, text, more, says):
    (raw / "alignment.toml").write_text(f'[pull]\nconnection = "crm"\n{query(text)}\n{more}')
    with pytest.raises(
        SettingsError, match=rf"^data/raw/here/alignment\.toml: pull\.tables\.deals.*{says}"
    ):
        pulled()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select 1 from nowhere", r"toml: pull\.tables\.deals\.query: no such table: nowhere$"),
        ("with d as (select 1) delete from opportunity", "syntax error"),
        ("select 1) q union select (1", "syntax error|near"),
        ("select load_extension('x')", "^deals: (not authorized|no such function)"),
    ],
)
def test_a_query_can_only_read(root, raw, crm, text, says):
    (raw / "alignment.toml").write_text(f'[pull]\nconnection = "crm"\n{query(text)}')
    with pytest.raises(ExchangeError, match=says):
        pulled()
    assert crm.execute("select count(*) from opportunity").fetchone() == (3,)


def test_a_text_that_is_none_is_named_with_its_table_and_not_repeated(raw, crm):
    crm.execute("update opportunity set stage_name = cast(x'ff41' as text)")
    crm.commit()
    with pytest.raises(ExchangeError, match=r"^opportunity: a text in it is not UTF-8$"):
        pulled()


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ('[connections.crm]\nhost = "evil.example"\n', r"connections\.crm\.host"),
        ('[connections.crm]\ndriver = "/tmp/evil.so"\n', r"connections\.crm\.driver"),
        ('[delivery]\nbase_url = "https://evil.example"\n', r"delivery\.base_url"),
        ('[[delivery.recipients]]\naddress = "a@evil.example"\n', r"delivery\.recipients\.0\.address"),
        ('[pull]\nconnection = "crm"\nhost = "evil.example"\n', r"pull\.host"),
        ('[pull]\nconnection = "crm"\npath = "/etc/passwd"\n', r"pull\.path"),
    ],
)  # fmt: skip
def test_a_datasets_folder_names_no_host_driver_address_or_recipient(root, raw, own, key):
    (raw / "alignment.toml").write_text(own)
    with pytest.raises(SettingsError, match=rf"data/raw/here/alignment\.toml: {key} may not stand"):
        load_dataset_settings("here")


def test_pull_of_a_datasets_folder_takes_no_host(root, raw):
    (raw / "alignment.toml").write_text('[pull]\nconnection = "crm"\nhost = "evil.example"\n')
    with pytest.raises(SettingsError, match=r"pull\.host is not a setting"):
        pulled()


def test_a_connection_lets_only_the_datasets_it_names(root, raw, crm):
    settings = root / "alignment.toml"
    settings.write_text(settings.read_text().replace('["here"]', '["other"]'))
    with pytest.raises(SettingsError, match="does not let here read"):
        pulled()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('driver = "/tmp/evil.so"', "driver: Input should be 'postgresql', 'sqlite' or 'parquet'"),
        ('driver = "postgresql"\nhost = "db"\nuser = "u"', "needs database"),
        ('driver = "postgresql"\nhost = "db"\nuser = "u"\ndatabase = "d"\ntls = "off"', "tls may be off only"),
        ('driver = "sqlite"\npath = "x"\npassword = "hunter2"', "A secret stands in no file"),
        ('driver = "postgresql"\nhost = "postgresql://u:hunter2@db/"\nuser = "u"\ndatabase = "d"', "host: String should match"),
    ],
)  # fmt: skip
def test_a_wrong_connection_is_named_and_its_value_is_not_repeated(root, raw, lines, says):
    settings = root / "alignment.toml"
    settings.write_text(f'{settings.read_text()}[connections.crm]\ndatasets = ["here"]\n{lines}\n')
    (raw / "alignment.toml").write_text('[pull]\nconnection = "crm"\n')
    with pytest.raises(SettingsError, match=says) as caught:
        pulled()
    assert "hunter2" not in str(caught.value)


# --- exchange of files ------------------------------------------------------------------------


@pytest.mark.parametrize("n_moved", [0, 1, 2])
def test_a_pull_killed_while_files_are_exchanged_is_finished_by_whoever_comes_next(
    root, raw, n_moved
):
    """Three new files, of which none, one or two were in place already."""
    for name in ("account.parquet", "lead.parquet", "pulled.json", "task.parquet"):
        (raw / name).write_text("old")
    staging = raw / pull_record.STAGING
    staging.mkdir()
    files = ["account.parquet", "lead.parquet", "pulled.json"]
    for n, name in enumerate(files):
        (raw / name if n < n_moved else staging / name).write_text("new")
    (staging / pull_record.READY).write_text(json.dumps({"files": files, "stale": ["task.parquet"]}))  # fmt: skip
    pull_record.finish_exchange("here")
    assert {f.name: f.read_text() for f in raw.iterdir()} == dict.fromkeys(files, "new")


def test_a_pull_killed_before_its_files_were_ready_leaves_yesterdays(root, raw, crm):
    pulled()
    staging = raw / pull_record.STAGING
    staging.mkdir()
    (staging / "opportunity.parquet").write_text("half")
    pull_record.finish_exchange("here")
    assert len(rows(raw)) == 3
    pulled()
    assert not staging.exists()


@pytest.mark.parametrize("name", ["../../evil.parquet", "alignment.toml", "/etc/passwd"])
def test_a_list_of_files_that_leads_elsewhere_is_refused(root, raw, name):
    staging = raw / pull_record.STAGING
    staging.mkdir()
    (staging / pull_record.READY).write_text(json.dumps({"files": [name], "stale": []}))
    with pytest.raises(OwnMapError, match="was not written by a pull"):
        pull_record.finish_exchange("here")


def test_a_record_that_no_pull_wrote_is_refused(root, raw, crm):
    (raw / "pulled.json").write_text('{"tables": []}')
    with pytest.raises(OwnMapError, match="delete it, and the next pull reads everything"):
        pulled()


# --- other shapes ---------------------------------------------------------------------------------


@pytest.mark.skipif(
    "ALIGNMENT_ROI_REFERENCE" not in os.environ, reason="the reference data are not here"
)
def test_hubspot_as_fivetran_lands_it_is_found_whole(root, raw):
    """Of 23 tables the 19 that a map reads, each with all of its rows; the others are named."""
    (root / "landed").mkdir()
    n_rows = {}
    for file in (Path(os.environ["ALIGNMENT_ROI_REFERENCE"]) / "hubspot_rows").glob("*.csv"):
        name, table = file.stem.removesuffix("_data"), pd.read_csv(file, dtype=str)
        n_rows[name] = len(table)
        if "_fivetran_synced" not in table:
            table["_fivetran_synced"] = "2026-01-01 00:00:00"
        table.to_parquet(root / "landed" / f"{name}.parquet")
    connect(root, "parquet", root / "landed")
    left = [line.partition(":")[0] for line in pull.plan_lines("here") if "not read" in line]
    assert sorted(left) == ["deal_contact", "engagement_contact", "team_user", "users"]
    tables, _ = pulled()
    assert len(tables) == 19
    assert {name: t.n_read for name, t in tables.items()} == {n: n_rows[n] for n in tables}
    assert all(t.n_rows == t.n_read or t.n_marked_deleted for t in tables.values())


def test_hubspot_as_airbyte_lands_it_is_read_by_the_names_of_its_properties(root, raw):
    (root / "landed").mkdir()
    deal = {"hs_object_id": "1", "pipeline": "default", "dealstage": "x", "amount": "5", "closedate": "2026-03-30T00:00:00Z",
            "createdate": "2026-01-01T00:00:00Z", "hubspot_owner_id": "7"}  # fmt: skip
    row = {f"properties_{k}": v for k, v in deal.items()}
    row |= {"id": "1", "archived": "false", "_airbyte_extracted_at": "2026-04-01 00:00:00", "_airbyte_raw_id": "u"}  # fmt: skip
    pd.DataFrame([row]).to_parquet(root / "landed" / "deals.parquet")
    connect(root, "parquet", root / "landed")
    assert pulled()[0]["deals"].n_rows == 1
    assert set(deal) < set(rows(raw, "deals").columns)


def test_a_folder_of_parquet_takes_no_query_and_reads_no_link_out_of_it(root, raw):
    (root / "landed").mkdir()
    (root / "landed" / "opportunity.parquet").symlink_to("/etc/hostname")
    connect(root, "parquet", root / "landed", query("select * from read_csv('/etc/passwd')"))
    with pytest.raises(ExchangeError, match="a folder of Parquet takes no query"):
        pulled()


def test_two_schemas_that_hold_the_crm_must_be_told_apart(root, raw):
    names = ["id", "owner_id", "stage_name", "amount", "close_date", "created_date", "_fivetran_synced"]  # fmt: skip
    both = [Relation(at, "opportunity", tuple((n, "text") for n in names)) for at in ("crm", "sandbox")]  # fmt: skip
    layouts = exports_known("here")
    with pytest.raises(ExchangeError, match=r"several schemas \(crm, sandbox\)"):
        survey_relations(both, layouts, None)
    [source] = survey_relations(both, layouts, "sandbox").sources
    assert source.relation.label == "sandbox.opportunity"
    with pytest.raises(
        ExchangeError,
        match="no schema 'prod' with a table that its user may read; it shows crm, sandbox",
    ):
        survey_relations(both, layouts, "prod")


def test_salesforce_as_fivetran_lands_it_gives_the_clean_tables_of_its_files(root, raw):
    """Names in snake case, numbers, times and flags with types of their own."""
    write(
        raw,
        User=[user()],
        Opportunity=[opportunity(n, Amount=f"{n}.25") for n in range(3)],
        Event=[event(n) for n in range(3)],
    )
    files = sorted(raw.glob("*.csv"))
    connector_landing.land_in_sqlite(files, root / "crm.sqlite")
    by_files = cleaned()
    for file in files:
        file.unlink()
    connect(root, "sqlite", root / "crm.sqlite")
    assert set(pulled()[0]) == {"User", "Opportunity", "Event"}
    by_pull = cleaned()
    for name in ("opportunities", "reps", "activities"):
        assert_same_rows(by_files.tables[name], by_pull.tables[name])
        assert len(by_pull.tables[name])


def assert_same_rows(one: pd.DataFrame, other: pd.DataFrame) -> None:
    of_files = ["source_file", "source_row"]
    pd.testing.assert_frame_equal(
        one.drop(columns=of_files, errors="ignore"), other.drop(columns=of_files, errors="ignore")
    )
