"""Tables as a connector writes them are read through the same maps, and the audit says what they lose."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from crm_tables import cleaned, opportunity, user, write

SNAKE = {"Id": "id", "OwnerId": "owner_id", "StageName": "stage_name", "IsClosed": "is_closed", "IsWon": "is_won",
         "Amount": "amount", "CloseDate": "close_date", "CreatedDate": "created_date", "IsDeleted": "is_deleted",
         "Name": "name"}  # fmt: skip


def connector(deal: dict[str, str]) -> dict[str, str]:
    """Return an opportunity as a connector writes it: its columns in snake case, and one of its own."""
    return {name: deal[k] for k, name in SNAKE.items()} | {"_fivetran_synced": "2026-03-01 10:00:00"}


def test_quirk_12_all_opportunities_deleted_is_an_account_not_a_crash(raw):
    """10 in, 10 dropped, 0 clean."""
    write(raw, User=[user()], deals=[connector(opportunity(n, IsDeleted="true")) for n in range(10)])
    got = cleaned()
    assert got.account("opportunities") == (10, 0, 0, 10)
    deleted = got.effect("opportunities", "deleted_record")
    assert (deleted.n_rows, deleted.n_of, deleted.action) == (10, 10, "drop")


def test_one_live_opportunity_among_deleted_ones_is_kept(raw):
    deals = [opportunity(n, IsDeleted="true") for n in range(9)] + [opportunity(9)]
    write(raw, User=[user()], deals=[connector(d) for d in deals])
    assert cleaned().account("opportunities") == (10, 1, 0, 9)


def test_versions_of_a_record_are_not_counted_beside_it(raw):
    """A connector's history mode: two states of the one opportunity that is there."""
    deal = connector(opportunity(1))
    span = {"_fivetran_active": "true", "_fivetran_start": "2026-01-01", "_fivetran_end": "9999-12-31"}
    write(raw, User=[user()], deals=[deal], versions=[deal | span, deal | span | {"_fivetran_active": "false"}])
    got = cleaned()
    assert got.account("opportunities") == (1, 1, 0, 0)
    versions = next(f for f in got.audit.files if f.file == "versions.csv")
    assert (versions.n_rows, versions.tables) == (2, ())


@pytest.mark.skipif("ALIGNMENT_ROI_REFERENCE" not in os.environ, reason="the reference data are not here")
def test_the_salesforce_rows_of_dbt_are_read_and_all_ten_opportunities_are_deleted(raw):
    """14 tables of real shapes: none is refused, none crashes."""
    for file in (Path(os.environ["ALIGNMENT_ROI_REFERENCE"]) / "salesforce_rows").glob("*.csv"):
        shutil.copy(file, raw)
    (raw / "fields.toml").write_text('[reading]\ntime_zone = "UTC"\n')  # their times have no zone
    got = cleaned()
    assert got.audit.refusals == ()
    assert len(got.audit.files) == 14
    assert got.account("opportunities") == (10, 0, 0, 10)
    assert got.effect("opportunities", "deleted_record").n_rows == 10
    assert {f.file: f.tables for f in got.audit.files}["sf_opportunity_history_data.csv"] == ()
