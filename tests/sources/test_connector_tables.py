"""Tables as a connector writes them are read through the same maps, and the audit says what they lose."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from crm_tables import cleaned, opportunity, user, write

from analysis.project.errors import CrmDataError

SNAKE = {"Id": "id", "OwnerId": "owner_id", "StageName": "stage_name", "IsClosed": "is_closed", "IsWon": "is_won",
         "Amount": "amount", "CloseDate": "close_date", "CreatedDate": "created_date", "IsDeleted": "is_deleted",
         "Name": "name"}  # fmt: skip


def connector(deal: dict[str, str]) -> dict[str, str]:
    """Return an opportunity as a connector writes it: its columns in snake case, and one of its own."""
    return {name: deal[k] for k, name in SNAKE.items()} | {
        "_fivetran_synced": "2026-03-01 10:00:00"
    }


def test_quirk_12_all_opportunities_deleted_is_an_account_not_a_crash(raw):
    """10 in, 10 dropped, 0 clean."""
    write(
        raw, User=[user()], deals=[connector(opportunity(n, IsDeleted="true")) for n in range(10)]
    )
    got = cleaned()
    assert got.account("opportunities") == (10, 0, 0, 10)
    deleted = got.effect("opportunities", "deleted_record")
    assert (deleted.n_rows, deleted.n_of, deleted.action) == (10, 10, "drop")


def test_one_live_opportunity_among_deleted_ones_is_kept(raw):
    deals = [opportunity(n, IsDeleted="true") for n in range(9)] + [opportunity(9)]
    write(raw, User=[user()], deals=[connector(d) for d in deals])
    assert cleaned().account("opportunities") == (10, 1, 0, 9)


def test_meetings_of_hubspot_landed_as_properties_are_read(raw):
    """Of three an hour each, one was cancelled and one deleted; whose it was stands in its own row."""
    meetings = [
        {
            "engagement_id": str(n), "type": "MEETING", "property_hubspot_owner_id": "7",
            "property_hs_meeting_title": "Client meeting", "property_hs_meeting_outcome": outcome,
            "property_hs_meeting_start_time": f"2026-03-0{n} 10:00:00+00", "property_hs_meeting_end_time": f"2026-03-0{n} 11:00:00+00",
            "_fivetran_deleted": str(n == 3).lower(), "_fivetran_synced": "2026-03-05 00:00:00+00",
        }
        for n, outcome in ((1, "COMPLETED"), (2, "CANCELED"), (3, "COMPLETED"))
    ]  # fmt: skip
    owner = {"owner_id": "7", "email": "a@b.c", "first_name": "A", "last_name": "B", "portal_id": "1", "type": "PERSON"}  # fmt: skip
    write(raw, owner=[owner], engagement_meeting=meetings, Opportunity=[opportunity(1)])
    got = cleaned()
    activities = got.tables["activities"].set_index("activity_id")
    assert (activities.loc["1", "rep_id"], activities.loc["1", "minutes"]) == ("7", 60)
    assert "3" not in activities.index


def test_versions_of_a_record_are_not_counted_beside_it(raw):
    """A connector's history mode: two states of the one opportunity that is there."""
    deal = connector(opportunity(1))
    span = {
        "_fivetran_active": "true",
        "_fivetran_start": "2026-01-01",
        "_fivetran_end": "9999-12-31",
    }
    write(
        raw,
        User=[user()],
        deals=[deal],
        versions=[deal | span, deal | span | {"_fivetran_active": "false"}],
    )
    got = cleaned()
    assert got.account("opportunities") == (1, 1, 0, 0)
    versions = next(f for f in got.audit.files if f.file == "versions.csv")
    assert (versions.n_rows, versions.tables) == (2, ())


@pytest.mark.skipif(
    "ALIGNMENT_ROI_REFERENCE" not in os.environ, reason="the reference data are not here"
)
def test_the_salesforce_rows_of_dbt_are_read_and_all_ten_opportunities_are_deleted(raw):
    """14 tables of real shapes, nothing configured: none is refused, none crashes."""
    for file in (Path(os.environ["ALIGNMENT_ROI_REFERENCE"]) / "salesforce_rows").glob("*.csv"):
        shutil.copy(file, raw)
    got = cleaned()
    assert got.audit.refusals == ()
    assert len(got.audit.files) == 14
    assert got.account("opportunities") == (10, 0, 0, 10)
    assert got.effect("opportunities", "deleted_record").n_rows == 10
    assert {f.file: f.tables for f in got.audit.files}["sf_opportunity_history_data.csv"] == ()


def _landed(**cells: str) -> dict[str, str]:
    """Return an opportunity as a connector writes it: times without a zone, an amount of three decimals."""
    return connector(opportunity(1, Amount="1.200", CreatedDate="2026-01-31 23:30:00")) | cells


def test_a_connector_writes_utc_and_a_decimal_point_without_being_asked(raw):
    """Neither cell tells; elsewhere both are asked for."""
    write(raw, User=[user()], deals=[_landed()])
    (deal,) = cleaned().tables["opportunities"].to_dict("records")
    assert deal["created_at"] == pd.Timestamp("2026-01-31 23:30", tz="UTC")
    assert deal["deal_amount"] == 1.2


def test_what_the_dataset_says_of_its_connector_wins(raw):
    """23:30 in Denver, seven hours behind, is 06:30 UTC; with a decimal comma 1.200 is 1,200."""
    write(raw, User=[user()], deals=[_landed()])
    (raw / "fields.toml").write_text('[reading]\ntime_zone = "America/Denver"\ndecimal = "comma"\n')
    (deal,) = cleaned().tables["opportunities"].to_dict("records")
    assert deal["created_at"] == pd.Timestamp("2026-02-01 06:30", tz="UTC")
    assert deal["deal_amount"] == 1200


def test_the_same_cells_in_a_file_that_is_no_connectors_are_asked_about(raw):
    deal = _landed()
    del deal["_fivetran_synced"]
    write(raw, User=[user()], deals=[deal])
    with pytest.raises(
        CrmDataError, match=r"times without a zone|none that tells thousands from decimals"
    ):
        cleaned()
