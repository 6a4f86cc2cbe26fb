"""The same against a real PostgreSQL server, which the tests start and stop."""

from __future__ import annotations

import base64
import re
import threading
from urllib.parse import quote

import duckdb
import pandas as pd
import postgres_server
import pytest
from report_fixtures import USERS, run

from analysis.project.errors import ExchangeError
from analysis.store import pull, pull_record

driver = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="the driver is not installed")
pytestmark = pytest.mark.skipif(
    postgres_server.why_no_server() is not None, reason=str(postgres_server.why_no_server())
)
DEALS = """create table {schema}.opportunity as select
  '006' || lpad(i::text, 12, '0') as id, '0055eZx00000RFBAB2' as owner_id, 'Closed Won' as stage_name,
  (i + 0.1)::numeric(18, 4) as amount, i / 3.0::double precision as probability,
  date '2026-03-30' as close_date, timestamptz '2026-01-04 16:31:01+01' as created_date,
  false as is_deleted, '{{"a": 1}}'::jsonb as notes,
  timestamptz '2026-04-01 00:00+00' + i * interval '1 hour' as _fivetran_synced, false as _fivetran_deleted
  from generate_series(1, 100) i"""


@pytest.fixture(scope="module")
def server():
    """Return a server of this file's own."""
    with postgres_server.running_server() as started:
        yield started


@pytest.fixture
def crm(server, root, raw, request, monkeypatch):
    """Return what runs statements in a schema of the test's own, from which "here" pulls."""
    monkeypatch.setenv("PGPASSWORD", postgres_server.PASSWORD)
    schema = f"t{abs(hash(request.node.name))}"
    settings = root / "alignment.toml"
    settings.write_text(
        f'{settings.read_text()}[connections.crm]\ndriver = "postgresql"\nhost = "127.0.0.1"\nport = {server.port}\n'
        f'database = "postgres"\nuser = "{postgres_server.USER}"\ndatasets = ["here"]\n'
    )
    (raw / "alignment.toml").write_text(f'[pull]\nconnection = "crm"\nschema = "{schema}"\n')
    address = f"postgresql://{postgres_server.USER}@127.0.0.1:{server.port}/postgres"
    with driver.connect(address, autocommit=True) as session, session.cursor() as cursor:

        def execute(statement: str) -> None:
            cursor.execute(statement.format(schema=schema))

        execute("create schema {schema}")
        execute(DEALS)
        execute("alter table {schema}.opportunity add primary key (id)")
        yield execute


def pulled() -> pull_record.PulledTable:
    return pull.pull_dataset("here", say=lambda _: None).tables[0]


def test_types_of_a_server_come_as_they_are(crm, raw):
    """Sixteenths of a cent and a time with a zone; what no map reads stays there."""
    assert pulled().n_rows == 100
    first = pd.read_parquet(raw / "opportunity.parquet").iloc[0]
    assert (first["amount"], first["close_date"].isoformat()) == ("1.1000", "2026-03-30")
    assert first["created_date"] == pd.Timestamp("2026-01-04 15:31:01Z")
    assert first["probability"] == 1 / 3
    assert "notes" not in first


def test_a_second_pull_reads_only_what_changed(crm):
    """One deal is changed and one is new; the last of before lies within the hour read again."""
    pulled()
    crm(
        "update {schema}.opportunity set amount = 5, _fivetran_synced = '2026-05-01' where id like '%007'"
    )
    crm("insert into {schema}.opportunity select 'new', owner_id, stage_name, 1, 1, close_date, created_date, "
        "false, null, '2026-05-01', false from {schema}.opportunity limit 1")  # fmt: skip
    table = pulled()
    assert (table.n_read, table.n_rows) == (4, 101)


def test_nothing_can_be_written_there(crm, raw):
    """Not by a query that writes, nor by one that lets itself write first."""
    for query in (
        "with d as (delete from {schema}.opportunity returning id) select id from d",
        "select set_config('transaction_read_only', 'off', false)::text as x, nextval('{schema}.n') as y",
    ):
        crm("create sequence if not exists {schema}.n")
        schema = (raw / "alignment.toml").read_text().split('"')[3]
        (raw / "alignment.toml").write_text(
            f'[pull]\nconnection = "crm"\nschema = "{schema}"\n[pull.tables.x]\nquery = """{query.format(schema=schema)}"""\n'
        )
        with pytest.raises(RuntimeError, match=r"read-only transaction|top level|read-write mode"):
            pulled()


def test_a_wrong_password_is_said_without_any_password(crm, root, raw, monkeypatch):
    """Exit code 3; in no form does it stand in what was said or written."""
    wrong = "hunter2%40@:/ x"
    monkeypatch.setenv("PGPASSWORD", wrong)
    ran = run(root, "pull", "here")
    assert ran.code == 3
    assert 'password authentication failed for user "crm"' in ran.err
    forms = (wrong, quote(wrong), quote(wrong, safe=""), base64.b64encode(wrong.encode()).decode())
    written = "".join(f.read_text(errors="replace") for f in root.rglob("*") if f.is_file())
    assert not [form for form in forms if form in ran.out + ran.err + written]


def test_a_password_of_a_file_is_found_by_libpq(crm, root, server, tmp_path, monkeypatch):
    """Colons in it are written with a backslash before them."""
    monkeypatch.delenv("PGPASSWORD")
    file = tmp_path / "passwords"
    file.write_text(f"127.0.0.1:{server.port}:*:crm:{postgres_server.PASSWORD.replace(':', chr(92) + ':')}\n")  # fmt: skip
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert run(root, "pull", "here").code == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("alter table {schema}.opportunity rename to opportunities_2025", "opportunity: is not there any more; SCHEMA.opportunities_2025 has its columns"),
        ("alter table {schema}.opportunity drop column probability", "column probability is not there any more"),
        ("alter table {schema}.opportunity alter column amount type text", "column amount was numeric, now text"),
    ],
)  # fmt: skip
def test_a_changed_schema_is_named_and_yesterdays_files_stay(crm, root, raw, change, says):
    pulled()
    before = {f.name: f.read_bytes() for f in raw.iterdir()}
    schema = re.search('schema = "(.*)"', (raw / "alignment.toml").read_text())[1]
    crm(change)
    ran = run(root, "pull", "here")
    assert (ran.code, says in ran.err.replace(schema, "SCHEMA")) == (3, True)
    assert {f.name: f.read_bytes() for f in raw.iterdir()} == before


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("select id, id from {schema}.opportunity", 2, "has the column 'id' twice"),
        ('select id, amount as "ID" from {schema}.opportunity', 2, "has the column 'id' twice"),
        ("select stage_name::integer from {schema}.opportunity", 3, "deals: invalid input syntax for type integer: [a cell]"),
        ("select nothing from {schema}.opportunity", 3, 'toml: pull.tables.deals.query: column "nothing" does not exist'),
        ("select * from nowhere", 3, 'toml: pull.tables.deals.query: relation "nowhere" does not exist'),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_used_is_named_with_file_and_key(crm, root, raw, text, code, says):
    own = raw / "alignment.toml"
    schema = re.search('schema = "(.*)"', own.read_text())[1]
    own.write_text(
        f"{own.read_text()}[pull.tables.deals]\nquery = '''{text.format(schema=schema)}'''\n"
    )
    ran = run(root, "pull", "here")
    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert "INVALID_ARGUMENT" not in ran.err
    assert "Closed" not in ran.err


def pulled_cells(raw, columns: str) -> list[tuple[str | None, ...]]:
    """Return cells of the first four pulled deals as texts."""
    session = duckdb.connect()
    session.execute("set timezone = 'UTC'")
    return session.execute(
        f"select {columns} from '{raw / 'opportunity.parquet'}' where id < '006000000000005' order by 1"
    ).fetchall()


def test_times_without_end_and_numbers_that_are_none_are_set_aside_and_counted(crm, root, raw):
    """The driver would make days before our era of them; as a time of writing they are no watermark."""
    crm(
        "alter table {schema}.opportunity add is_closed boolean default true, add is_won boolean default true"
    )
    crm("update {schema}.opportunity set close_date = 'infinity' where id like '%001'")
    crm("update {schema}.opportunity set created_date = '-infinity' where id like '%004'")
    crm(
        "update {schema}.opportunity set amount = 'NaN', _fivetran_synced = 'infinity' where id like '%002'"
    )
    crm("update {schema}.opportunity set _fivetran_synced = '-infinity' where id like '%003'")
    table = pulled()
    assert table.watermark == "2026-04-05T04:00:00.000000+00:00"
    assert pulled_cells(raw, "id, close_date::varchar, created_date::varchar, amount") == [
        ("006000000000001", "infinity", "2026-01-04 15:31:01+00", "1.1000"),
        ("006000000000002", "2026-03-30", "2026-01-04 15:31:01+00", "NaN"),
        ("006000000000003", "2026-03-30", "2026-01-04 15:31:01+00", "3.1000"),
        ("006000000000004", "2026-03-30", "-infinity", "4.1000"),
    ]
    assert pulled().n_read == 3  # an hour's overlap, and the one that is always yet to come
    (raw / "User.csv").write_text(USERS)
    ran = run(root, "clean", "here", "--dry-run")
    for rule in ("unreadable_date", "unreadable_timestamp"):
        assert f"{rule}: quarantine 1 of 100" in ran.out
    assert "NaN: 1 cells are missing (amount)" in ran.out


def test_a_server_of_another_encoding_gives_texts_and_one_of_none_is_refused(
    crm, server, root, raw
):
    """Latin-1 is written as UTF-8; bytes of no encoding would be a file that nothing reads."""
    settings, before = root / "alignment.toml", (root / "alignment.toml").read_text()
    own = raw / "alignment.toml"
    own.write_text('[pull]\nconnection = "crm"\nschema = "public"\n')
    for encoding, word in (
        ("latin1", "\u00fc"),
        ("sql_ascii", "' || convert_from('\\xfc', 'SQL_ASCII') || '"),
    ):
        crm(
            f"create database {encoding} encoding '{encoding}' template template0 lc_collate 'C' lc_ctype 'C'"
        )
        address = f"postgresql://{postgres_server.USER}@127.0.0.1:{server.port}/{encoding}"
        with driver.connect(address, autocommit=True) as session, session.cursor() as cursor:
            cursor.execute(DEALS.format(schema="public").replace("Closed Won", f"f{word}r"))
        settings.write_text(before.replace('database = "postgres"', f'database = "{encoding}"'))
        if encoding == "latin1":
            assert pulled().n_rows == 100
            assert pulled_cells(raw, "distinct stage_name") == [("f\u00fcr",)]
            kept = (raw / "opportunity.parquet").read_bytes()
        else:
            with pytest.raises(
                ExchangeError, match=r"^public\.opportunity: a text in it is not UTF-8$"
            ):
                pull.pull_dataset("here", full=True, say=lambda _: None)
            assert (raw / "opportunity.parquet").read_bytes() == kept


def test_a_materialized_view_is_a_table_and_a_part_of_one_is_none(crm, raw):
    """As dbt and large warehouses keep them."""
    crm("alter table {schema}.opportunity rename to base")
    crm("create materialized view {schema}.opportunity as select * from {schema}.base")
    crm(
        "create table {schema}.event (id text, _fivetran_synced timestamptz) partition by range (_fivetran_synced)"
    )
    crm("create table {schema}.event_2026 partition of {schema}.event default")
    left = [line for line in pull.plan_lines("here") if "not read" in line]
    assert pulled().n_rows == 100
    assert [line.partition(":")[0].rpartition(".")[2] for line in left] == ["base", "event"]


@pytest.mark.parametrize("key", ["_fivetran_id", "id, line_no", "line_no"])
def test_a_primary_key_of_columns_that_no_map_reads_stops_no_second_pull(crm, raw, key):
    """A connector's own comes along; with a column that stays there, ids tell rows apart if they can."""
    crm("alter table {schema}.opportunity drop constraint opportunity_pkey")
    crm("alter table {schema}.opportunity add line_no serial, add _fivetran_id text")
    crm("update {schema}.opportunity set _fivetran_id = 'f' || line_no")
    crm(f"alter table {{schema}}.opportunity add primary key ({key})")
    pulled()
    table = pulled()
    assert (table.how, table.n_read, table.n_rows) == ("changed", 2, 100)
    header = pd.read_parquet(raw / "opportunity.parquet").columns
    assert ("line_no" in header, "_fivetran_id" in header) == (False, key == "_fivetran_id")
    crm("update {schema}.opportunity set id = '006000000000001'")
    crm("update {schema}.opportunity set _fivetran_synced = '2026-05-01' where line_no = 7")
    if key != "_fivetran_id":
        assert "no column tells" in (pulled(), pulled())[1].how


def test_names_of_any_kind_are_read(crm, raw):
    """A schema with a dot, a blank and a quote, upper case as of other warehouses, 63 letters."""
    crm('create schema if not exists "crm.prod ""x"')
    upper = ", ".join(f'{c} as "{c.upper()}"' for c in ("id", "owner_id", "stage_name", "amount", "close_date",
                      "created_date", "is_deleted", "_fivetran_synced", "_fivetran_deleted"))  # fmt: skip
    crm(
        f'create table "crm.prod ""x"."OPPORTUNITY" as select {upper}, 1 as "{"x" * 63}" from {{schema}}.opportunity'
    )
    own = raw / "alignment.toml"
    own.write_text('[pull]\nconnection = "crm"\nschema = \'crm.prod "x\'\n')
    assert pulled().n_rows == 100
    assert pulled().how == "changed"


def test_what_the_user_may_not_read_is_not_there_and_what_fails_is_named(
    crm, root, raw, monkeypatch
):
    """Also where rows are only counted."""
    crm("create role reader login password 'a b'")
    monkeypatch.setenv("PGPASSWORD", "a b")
    settings = root / "alignment.toml"
    settings.write_text(
        settings.read_text().replace(f'user = "{postgres_server.USER}"', 'user = "reader"')
    )
    with pytest.raises(ExchangeError, match="with a table that its user may read; it shows none"):
        pulled()
    crm("grant usage on schema {schema} to reader")
    crm(
        "grant select (id, owner_id, stage_name, amount, close_date, created_date, _fivetran_synced) on {schema}.opportunity to reader"
    )
    assert pulled().n_rows == 100
    crm(
        "create view {schema}.user_role as select pg_read_file('/etc/hostname') as name, '1' as id, '' as parent_role_id, now() as _fivetran_synced"
    )
    crm("grant select on {schema}.user_role to reader")
    crm("alter view {schema}.user_role owner to reader")
    with pytest.raises(ExchangeError, match=r"\.user_role: permission denied"):
        pull.plan_lines("here")


def test_tables_of_one_pull_are_of_one_moment(crm, raw):
    """Deals that go while another table is read, which waits for it, are still in count and rows."""
    crm(
        "create function {schema}.held() returns text language sql as $$ select pg_advisory_lock(1)::text $$"
    )
    crm(
        "create view {schema}.user_role as select {schema}.held() as name, '1' as id, '' as parent_role_id, now() as _fivetran_synced"
    )
    crm("select pg_advisory_lock(1)")
    deletion = threading.Thread(
        target=crm,
        args=(
            (
                "do $$ begin while not exists (select from pg_locks where locktype = 'advisory' and not granted) "
                "loop perform pg_sleep(0.01), pg_stat_clear_snapshot(); end loop; "
                "delete from {schema}.opportunity; perform pg_advisory_unlock(1); end $$"
            ),
        ),
    )
    deletion.start()
    record = pull.pull_dataset("here", say=lambda _: None)
    deletion.join()
    assert {t.object_name: t.n_rows for t in record.tables} == {"Opportunity": 100, "UserRole": 1}


def test_a_server_that_dies_while_it_is_read_leaves_yesterdays_files(crm, server, root, raw):
    """The last test: a table that takes ten seconds, and no server after half of one."""
    pulled()
    before = {f.name: f.read_bytes() for f in raw.iterdir()}
    crm("create view {schema}.user_role as select pg_sleep(0.1)::text as name, i::text as id, '' as parent_role_id, "
        "now() as _fivetran_synced from generate_series(1, 100) i")  # fmt: skip
    timer = threading.Timer(0.5, server.kill)
    timer.start()
    ran = run(root, "pull", "here")
    timer.join()
    assert ran.code == 3
    assert "server closed the connection unexpectedly" in ran.err
    assert {f.name: f.read_bytes() for f in raw.iterdir()} == before
