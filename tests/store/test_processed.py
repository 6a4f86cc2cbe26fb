"""Prepared once, again only for a reason, whole or not at all, and without a word about a person."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import re
import shutil

import pandas as pd
import pytest
from crm_tables import ROLES, event, opportunity, user, write
from report_fixtures import at, project

from analysis.project import paths
from analysis.project.errors import CrmDataError
from analysis.sources import intake
from analysis.store import processed
from analysis.tables.canonical import TABLES
from analysis.tables.panel_tables import PANELS

EMAIL = re.compile(rb"[\w.+-]+@[\w-]+\.[a-z]{2,}")


@pytest.fixture
def exports(raw):
    """Write a deal, a meeting, a rep and two roles."""
    write(raw, Opportunity=[opportunity(1)], Event=[event(1)], User=[user()], UserRole=ROLES)
    return raw


def file_bytes(folder) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir()}


@pytest.fixture(scope="module")
def first_use(tmp_path_factory):
    """Return a project's root and the reps of its dataset "here", which asking for them cleaned.

    The dataset holds the same exports and a meeting that was deleted; also whether they are as they were.
    """
    root = tmp_path_factory.mktemp("cleaned")
    gone = event(2, IsDeleted="true", EndDateTime="2026-02-02T11:30:00Z", DurationInMinutes="90")
    with at(project(root)):
        folder = paths.raw_folder("here")
        folder.mkdir()
        write(folder, Opportunity=[opportunity(1)], User=[user()], UserRole=ROLES)
        write(folder, Event=[event(1), gone])
        before = file_bytes(folder)
        reps = processed.load_table("here", "reps")
        return root, reps, file_bytes(folder) == before


@pytest.fixture
def prepared(first_use, root):
    """Return the dataset's folder of exports in a copy of that project: the copy is as a clean leaves it."""
    shutil.copytree(first_use[0], root, dirs_exist_ok=True)
    return paths.raw_folder("here")


def written() -> dict[str, tuple[int, int]]:
    """Return what tells one writing of the processed files from another."""
    return {
        f.name: (f.stat().st_ino, f.stat().st_mtime_ns)
        for f in paths.processed_folder("here").iterdir()
    }


def test_every_table_and_panel_is_written(prepared):
    account = processed.prepare_dataset("here")
    names = {f"{n}.parquet" for n in (*TABLES, *PANELS, "quarters", "quarantine")} | {
        "audit.json",
        "name_review.csv",
    }
    assert set(written()) == names
    assert processed.load_table("here", "opportunities")["deal_amount"].tolist() == [100.0]
    assert processed.load_table("here", "team_quarter")["bookings_amount"].tolist() == [100.0]
    assert (
        account
        == processed.read_audit("here")
        == json.loads((paths.processed_folder("here") / "audit.json").read_text())
    )
    assert account["as_of"] == "2026-02-10"


def test_columns_keep_the_types_of_the_schema(prepared):
    deals = processed.load_table("here", "opportunities")
    assert list(deals) == [c.name for c in TABLES["opportunities"].columns]
    assert str(deals["created_at"].dtype) == "datetime64[us, UTC]"
    assert deals["opportunity_id"].tolist() == ["006000000000001AAA"]


def test_nothing_is_done_twice(prepared):
    before = written()
    processed.prepare_dataset("here")
    assert written() == before


def _byte(raw):
    file = raw / "Opportunity.csv"
    file.write_text(file.read_text().replace(",100,", ",101,", 1))


def _rule(raw):
    (raw / "rules").mkdir()
    rule = '[[rule]]\nname = "small"\naction = "drop"\nwhen = "raw_amount < 200"\nreason = "too small for us"\n'
    (raw / "rules" / "opportunities.toml").write_text(rule)


def _setting(raw):
    (raw / "alignment.toml").write_text("[working_time]\nhours_per_day = 7.0\n")


def _house(raw):
    file = paths.project_root() / "alignment.toml"
    file.write_text(file.read_text().replace("weeks_per_year = 48.0", "weeks_per_year = 47.0"))


def _map(raw):
    (raw / "fields.toml").write_text('[[export]]\nobject = "other"\nneeds = ["x"]\n')


def _file(raw):
    write(
        raw,
        accounts=[{"Id": "001000000000001", "Name": "Acme", "Industry": "", "MasterRecordId": ""}],
    )


@pytest.fixture(scope="module")
def changed(first_use, tmp_path_factory):
    """Return a copy of that project after a second deal and six changes, cleaned again, and what it was before.

    That is the stamps after each change, what was written before, and the stamp of the pass.
    """
    root = tmp_path_factory.mktemp("changed")
    shutil.copytree(first_use[0], root, dirs_exist_ok=True)
    with at(root):
        before, raw = written(), paths.raw_folder("here")
        write(raw, Opportunity=[opportunity(1), opportunity(2, Amount="500")])
        stamps = [processed.stamp_of("here", processed.export_hashes(intake.files_of(raw)), None)]
        for change in (_byte, _rule, _setting, _house, _map, _file):
            change(raw)
            stamps.append(
                processed.stamp_of("here", processed.export_hashes(intake.files_of(raw)), None)
            )
        (paths.processed_folder("here") / "stale.parquet").touch()
        account = processed.prepare_dataset("here")
    return root, stamps, before, account["stamp"]


def test_a_change_is_seen(changed):
    """A byte of an export, a rule, a setting of the dataset or the house, a map, a file more: each redoes all."""
    root, stamps, before, stamp = changed
    assert len(set(stamps)) == 7
    assert stamp == stamps[-1]
    with at(root):
        assert written()["reps.parquet"] != before["reps.parquet"]


def test_a_change_has_its_effect(changed):
    """101 instead of 100, and that deal is dropped; the other one stays."""
    with at(changed[0]):
        assert processed.load_table("here", "opportunities")["deal_amount"].tolist() == [500.0]
        held = processed.load_table("here", "quarantine").set_index("rule").loc["small"]
    assert held[["action", "reason", "money_amount"]].tolist() == [
        "drop",
        "too small for us",
        101.0,
    ]


def test_the_quarantine_tells_the_hours_on_a_row(prepared):
    """90 minutes deleted are 1.5 hours."""
    held = processed.load_table("here", "quarantine").set_index("rule").loc["deleted_record"]
    assert held[["table_name", "record_key", "hours"]].tolist() == [
        "activities",
        "000000000000002AAA",
        1.5,
    ]


def test_another_day_is_another_table(prepared):
    assert processed.prepare_dataset("here", as_of=dt.date(2026, 1, 31))["as_of"] == "2026-01-31"
    assert processed.load_table("here", "activities").empty


def test_the_folder_is_replaced_whole(changed):
    """What lay there goes, and no scratch stays beside it."""
    with at(changed[0]):
        assert "stale.parquet" not in written()
        assert [f.name for f in paths.processed_folder("here").parent.iterdir()] == ["here"]


def leftover(name: str = ".here-abcd1234"):
    """Return a scratch folder as a killed pass leaves it."""
    folder = paths.processed_folder("here").parent / name
    (folder / "new").mkdir(parents=True)
    (folder / processed.OWNER_FILE).touch()
    return folder


def test_what_a_killed_pass_left_is_cleared_away(prepared):
    """Its own, and not the folder of a dataset whose name only begins the same."""
    mine, other = leftover(), leftover(".here-too-abcd1234")
    processed.prepare_dataset("here")
    assert not mine.exists()
    assert other.exists()


def test_what_a_killed_pass_had_moved_aside_goes_back(prepared):
    """Killed between two renames: the tables it was about to replace stand again, and need no new pass."""
    before = written()
    paths.processed_folder("here").rename(leftover() / "old")
    processed.recover_scratch("here")
    assert written() == before


def test_the_folder_of_a_pass_that_runs_is_left_alone(prepared):
    folder = leftover()
    with (folder / processed.OWNER_FILE).open() as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        processed.prepare_dataset("here")
        assert folder.exists()


@pytest.mark.parametrize("call", [processed.prepare_dataset, processed.dry_run])
def test_a_day_before_the_first_record_is_refused(exports, call):
    with pytest.raises(
        CrmDataError, match=r"as of 1999-12-31 there is nothing yet: the first record is of 20"
    ):
        call("here", as_of=dt.date(1999, 12, 31))
    assert not paths.processed_folder("here").exists()


def test_a_pass_that_fails_leaves_what_stood(prepared):
    before = written()
    (prepared / "User.csv").write_bytes(b"")
    with pytest.raises(CrmDataError, match=r"reps: no export in data/raw/here fills this table"):
        processed.prepare_dataset("here")
    assert written() == before
    assert [f.name for f in paths.processed_folder("here").parent.iterdir()] == ["here"]


def test_a_dry_run_writes_nothing(exports):
    got = processed.dry_run("here")
    assert [t["n_clean"] for t in got["tables"] if t["table"] == "opportunities"] == [1]
    assert not (paths.project_root() / "data" / "processed").exists()
    assert not (paths.project_root() / "data" / "history").exists()


def test_raw_is_never_edited(first_use):
    assert first_use[2]


def test_a_table_is_prepared_on_first_use(first_use, prepared):
    assert first_use[1]["role"].tolist() == ["rep"]
    assert (paths.processed_folder("here") / "audit.json").is_file()


def test_an_unknown_dataset_is_named_beside_those_there(raw):
    with pytest.raises(
        CrmDataError, match=r"ther: no folder data/raw/ther\. Datasets here: here\."
    ):
        processed.prepare_dataset("ther")


def test_a_project_without_datasets_says_so(root):
    (root / "data" / "raw").rmdir()
    with pytest.raises(CrmDataError, match=r"Datasets here: none yet\."):
        processed.prepare_dataset("here")


@pytest.mark.parametrize("name", ["../x", "", "/etc", "A"])
def test_a_name_that_could_climb_is_refused(root, name):
    with pytest.raises(ValueError, match="dataset must be lower-case"):
        processed.prepare_dataset(name)


def test_pseudonyms_hold_over_passes_and_differ_between_datasets(root):
    """The key is made once for a dataset, and readable by its owner only."""
    pipeline = {
        "opportunity_id": "1",
        "sales_agent": "Ada",
        "deal_stage": "Won",
        "engage_date": "2026-01-01",
    }
    pipeline |= {"close_date": "2026-02-01", "close_value": "5", "product": "", "account": ""}
    people = []
    for name in ("here", "there", "here"):
        folder = paths.raw_folder(name)
        folder.mkdir(exist_ok=True)
        write(
            folder,
            a=[pipeline],
            b=[{"sales_agent": "Ada", "manager": "Ben", "regional_office": "East"}],
        )
        (folder / "b.csv").write_text((folder / "b.csv").read_text() + "\n" * len(people))
        processed.prepare_dataset(name)
        people.append(processed.load_table(name, "reps")["rep_id"].tolist())
    assert people[0] == people[2]
    assert people[0] != people[1]
    key = paths.history_folder("here") / processed.KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kept", ["", "00ff", "z" * 64])
def test_a_key_that_is_not_whole_is_refused_and_kept(raw, kept):
    """With another key nobody would be who they were in the reports before."""
    write(raw, Opportunity=[opportunity(1)], User=[user()], UserRole=ROLES)
    key = paths.history_folder("here") / processed.KEY_FILE
    key.parent.mkdir(parents=True)
    key.write_text(kept)
    with pytest.raises(CrmDataError, match=rf"must hold 64 hex digits, but holds {len(kept)} char"):
        processed.prepare_dataset("here")
    assert key.read_text() == kept


def contents(folder) -> dict[str, bytes]:
    """Return what each processed file says: of Parquet also each column's name and texts once, since its bytes are packed."""
    texts = {}
    for file in folder.iterdir():
        table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.DataFrame()
        cells = "\n".join([*table, *(str(t) for c in table for t in table[c].astype(str).unique())])
        texts[file.name] = file.read_bytes() + cells.encode()
    return texts


def test_no_person_is_in_the_processed_files(exports):
    """Names, addresses, subjects, titles; an address in a cell that cannot be read, in a name, as an id."""
    secret = {
        "Name": "Zebulon Quark",
        "Email": "zebulon@quark.example",
        "Username": "zq@quark.example",
    }
    write(
        exports,
        User=[user(**secret, Title="Quarkmaster")],
        Event=[event(1, Subject="Demo with Zebulon Quark", WhatId="ask zebulon@quark.example")],
        Opportunity=[
            opportunity(1, Name="Zebulon's deal"), opportunity(2, Amount="ask zebulon@quark.example"),
            opportunity(3, OwnerId="zebulon@quark.example"),
        ],
        Account=[{"Id": "001000000000001", "Name": "Acme zebulon@quark.example", "Industry": "", "MasterRecordId": ""}],
        rep_team_history=[{"rep_id": "zebulon@quark.example", "team_id": "t", "valid_from": "", "valid_to": ""}],
    )  # fmt: skip
    processed.prepare_dataset("here")
    assert processed.load_table("here", "accounts")["account_name"].tolist() == ["Acme [e-mail]"]
    held = processed.load_table("here", "quarantine")
    assert sorted(
        held["rule"]
    ) == [  # an address as an owner is that user; in a sentence it is no id
        "id_checksum",
        "not_a_sales_team",
        "not_a_sales_team",
        "unknown_team",
        "unreadable_number",
    ]
    for name, content in contents(paths.processed_folder("here")).items():
        assert b"uark" not in content, name
        assert b"ebulon" not in content, name
        assert not EMAIL.search(content), name


def test_no_person_of_a_whole_company_is_in_the_processed_files(tiny):
    """Every name, e-mail address and title of its users, and every subject, is looked for."""
    users = pd.read_csv(paths.raw_folder("tiny") / "User.csv", dtype=str, keep_default_na=False)
    told = {
        v
        for c in ("Email", "Username", "LastName", "Name", "FirstName")
        if c in users
        for v in users[c]
        if len(v) > 3
    }
    events = pd.read_csv(paths.raw_folder("tiny") / "Event.csv", dtype=str, keep_default_na=False)
    told |= set(events["Subject"].unique()[:500])
    assert len(told) > 50
    everything = "\n".join(
        c.decode("utf-8", "replace") for c in contents(paths.processed_folder("tiny")).values()
    )
    cells = set(re.split(r"[,\n\"]", everything))
    assert not [t for t in told if t in cells or (len(t) > 12 and t in everything)]
    assert not EMAIL.search(everything.encode())


def test_every_planted_defect_of_a_whole_company_is_found(tiny):
    """Each row that truth.json lists is set aside or flagged by the rule it was planted for."""
    truth = json.loads((paths.raw_folder("tiny") / "truth.json").read_text())["defects"]
    held = processed.load_table("tiny", "quarantine")
    rules = {rule: set(rows["record_key"]) for rule, rows in held.groupby("rule")}
    flags = pd.concat([processed.load_table("tiny", n)[["flagged_by"]] for n in TABLES])[
        "flagged_by"
    ].dropna()
    flagged = flags.str.split().explode().value_counts().to_dict()
    assert len(truth) > 25
    for name, defect in truth.items():
        rule = defect["rule"]
        if defect["action"] == "flag":
            assert flagged.get(rule, 0) >= len(defect["ids"]) > 0, name
        else:
            assert rule in rules, name
            same_file = held[held["source_file"] == f"{defect['file']}.csv"]
            if rule == "import_burst":  # what was logged twice goes before any burst is looked for
                taken_by = same_file["rule"].isin({rule, "double_logged"})
                assert set(defect["ids"]) <= set(same_file.loc[taken_by, "record_key"]), name
            else:
                assert (same_file["rule"] == rule).sum() == len(defect["ids"]), name


def test_rows_of_a_whole_company_are_accounted_for(tiny):
    """Table by table; what is quarantined or dropped is in the quarantine, row by row."""
    held = processed.load_table("tiny", "quarantine").groupby(["table_name", "action"]).size()
    for table in processed.read_audit("tiny")["tables"]:
        name = table["table"]
        assert table["n_in"] == table["n_clean"] + table["n_quarantined"] + table["n_dropped"]
        assert table["n_clean"] == len(processed.load_table("tiny", name))
        assert held.get((name, "quarantine"), 0) == table["n_quarantined"]
        assert held.get((name, "drop"), 0) == table["n_dropped"]


def test_what_a_chapter_lacks_is_named(prepared):
    """No compensation at all; opportunities without a campaign; reps with all it needs."""
    account = processed.prepare_dataset("here")
    needs = {
        "compensation": ["base_amount"],
        "opportunities": ["deal_amount", "campaign_id"],
        "reps": ["role"],
    }
    assert processed.missing_needs(account, needs) == [
        ("compensation", ("base_amount",)),
        ("opportunities", ("campaign_id",)),
    ]
