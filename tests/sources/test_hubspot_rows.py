"""Rows in the shape a connector lands HubSpot in: read where they lie, and what they lose is explained."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from crm_tables import cleaned

REFERENCE = os.environ.get("ALIGNMENT_ROI_REFERENCE", "")
pytestmark = pytest.mark.skipif(
    not REFERENCE, reason="ALIGNMENT_ROI_REFERENCE names no folder with HubSpot's rows"
)

OWNER = "44023296"  # of owner_data.csv


def linked(raw, *left_out: str) -> None:
    for file in sorted(Path(REFERENCE, "hubspot_rows").glob("*.csv")):
        if file.name not in left_out:
            (raw / file.name).write_bytes(file.read_bytes())


@pytest.fixture(scope="module")
def as_it_lies(shared_raw):
    """Return the pass over all 23 files as they are."""
    linked(shared_raw)
    return cleaned(as_of=None)


@pytest.fixture(scope="module")
def with_owners(shared_raw):
    """Return the pass with a table `engagement` that says whose each meeting was, as a connector's does."""
    linked(shared_raw, "engagement_data.csv")
    with Path(REFERENCE, "hubspot_rows", "engagement_meeting_data.csv").open(newline="") as stream:
        ids = [row["engagement_id"] for row in csv.DictReader(stream)]
    lines = [f"{i},MEETING,2020-07-09 11:04:22,4703379,{OWNER},true" for i in ids]
    head = "id,type,_fivetran_synced,portal_id,owner_id,active"
    (shared_raw / "engagement_data.csv").write_text("\n".join([head, *lines]) + "\n")
    return cleaned(as_of=None)


def test_every_file_is_read_and_every_row_accounted_for(as_it_lies):
    """No file is refused; 100 owners, 23 companies."""
    assert as_it_lies.audit.refusals == ()
    assert len(as_it_lies.audit.files) == 23
    for table in as_it_lies.audit.tables:
        assert table.n_in == table.n_clean + table.n_quarantined + table.n_dropped
    assert as_it_lies.account("reps")[:2] == (100, 100)
    assert as_it_lies.account("teams")[0] == 3
    assert as_it_lies.account("record_merges")[0] == 14 + 4


def test_a_deal_in_no_stage_has_no_status_and_no_owner_nobody(as_it_lies):
    """All deals lack a stage the stage table knows or an owner: set aside as such, not counted as open."""
    n_in, n_clean, n_quarantined, n_dropped = as_it_lies.account("opportunities")
    assert (n_in, n_clean) == (44, 0)
    assert n_quarantined + n_dropped == 44
    assert as_it_lies.aside() == {"unknown_outcome": n_quarantined}


def test_meetings_without_the_table_that_names_their_owner_are_set_aside(as_it_lies):
    """The one row of `engagement` is a call: nobody knows whose the 100 meetings were."""
    assert as_it_lies.aside("activities")["missing_required"] == 101


def test_quirk_16_seven_meetings_of_1970_are_set_aside_with_the_factor(with_owners):
    """Their seconds were taken for milliseconds: times 1000 they are of 2019 and 2020."""
    rule = with_owners.effect("activities", "timestamp_before_1990")
    assert (rule.n_rows, rule.action) == (7, "quarantine")
    assert "times 1000" in rule.reason


def test_quirk_20_of_544_hours_416_are_refused_in_seven_meetings(with_owners):
    """544.25 h in 93 meetings; 7 last 12 to 131 h, 416 h in all; 128.25 h are left, one meeting logged twice."""
    held = with_owners.tables["set_aside"]
    ours = held[held["table_name"] == "activities"]
    early = ours["rule"] == "timestamp_before_1990"
    clean = with_owners.tables["activities"]
    dated = ours.loc[~early, "minutes"].sum() / 60 + clean["minutes"].sum() / 60
    assert dated == pytest.approx(544.25)
    rule = with_owners.effect("activities", "longer_than_8_hours")
    assert (rule.n_rows, rule.hours) == (7, 416.0)
    again = ours[ours["rule"].isin(["double_logged", "near_duplicate"])]
    assert (len(clean), len(again)) == (85, 1)
    assert (clean["minutes"].sum() + again["minutes"].sum()) / 60 == pytest.approx(128.25)


def test_more_than_half_of_the_hours_are_junk_so_the_source_is_refused(with_owners):
    """416 of 544.37 h: what is left says that somebody logged, not for how long."""
    (source,) = [
        s for s in with_owners.audit.hours_sources if s.source_file == "engagement_meeting_data.csv"
    ]
    assert source.is_refused
    assert source.junk_share == pytest.approx(416.118 / 544.368, abs=0.001)
