"""One company, many files: every layout, dialect and order of rows gives the same clean tables and panels."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import resave

from analysis.simulate.exports import hubspot, write
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.store import processed
from analysis.tables.canonical import TABLES
from analysis.tables.panel_tables import PANELS

pytestmark = pytest.mark.study  # a company cleaned seven times
REPOSITORY = Path(__file__).parents[2]
COMPANY = SimulatedCompany(
    n_teams=3, n_quarters=3, team_size=3, accounts_per_team=40, adoption=((2, 1 / 3),)
)  # small: each variant is cleaned whole
LAYOUTS = ("salesforce", "hubspot")
IDS = {  # the object whose id a column holds
    "rep_id": "owner", "owner_rep_id": "owner", "owner_at_close_rep_id": "owner", "changed_by_rep_id": "owner",
    "team_id": "team", "account_id": "company", "parent_id": "company", "product_id": "product",
    "opportunity_id": "deal", "lead_id": "contact", "campaign_id": "campaign", "activity_id": "engagement",
    "sales_owner_rep_id": "owner", "marketing_owner_rep_id": "owner",
}  # fmt: skip
SOURCE = ("source_file", "source_row")
PSEUDONYMS = ("person_key", "executive_key")  # made of the id and the dataset's secret
TABLE_NAMES = [*TABLES, *PANELS]
# HubSpot's own; asserted against truth.json, so that what a layout lacks is known and no more.
LACKS = {
    "fx_rates": ["rate_to_corporate"],
    "campaigns": ["campaign_type", "expected_response_rate"],
    "leads": ["return_reason"],
    "lead_status_history": ["previous_status"],
    "opportunities": ["campaign_id"],
    "products": ["product_family"],
    "reps": ["manager_id"],
    "stage_history": ["raw_amount", "close_date"],
}
LACKS_TABLES = ["attendees", "contact_roles", "touches"]
OF_RESPONSES = {  # what a panel makes of `touches`
    "lead_dates": ["activity", "activity_basis"],
    "sales_ready_leads": ["is_sales_ready"],
}
ADDS = {"opportunities": ["pipeline"]}
ADDED_FLAGS = ["renewal_by_pipeline"]  # what a pipeline alone can tell


class Written(NamedTuple):
    """The company in both layouts, each cleaned as it stands."""

    root: Path
    truth: dict[str, object]

    def raw(self, dataset: str) -> Path:
        return self.root / "data" / "raw" / dataset


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Written:
    root = tmp_path_factory.mktemp("layouts")
    (root / "data" / "raw").mkdir(parents=True)
    shutil.copy(REPOSITORY / "alignment.toml", root)
    for layout in LAYOUTS:
        write.write_exports(COMPANY, root / "data" / "raw" / layout, layout=layout)
    return Written(root, json.loads((root / "data" / "raw" / "hubspot" / "truth.json").read_text()))


@pytest.fixture
def layouts(written, monkeypatch) -> Written:
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(written.root))
    for layout in LAYOUTS:
        processed.prepare_dataset(layout)  # only the first time
    return written


def told_alike(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table without what says where its rows stood, in the order of its columns' texts."""
    left = table.drop(columns=[c for c in (*SOURCE, *PSEUDONYMS) if c in table.columns])
    return ordered(left)


@functools.cache
def _stands_as(root: Path, layout: str, name: str) -> pd.DataFrame:
    """Return a table of the files as they were written, put in order once for all variants."""
    return told_alike(processed.load_table(layout, name), name)


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(list(table.columns), ignore_index=True, key=lambda c: c.astype(str))


def in_salesforces_ids(table: pd.DataFrame, truth: dict) -> pd.DataFrame:
    """Return a table of the HubSpot layout with the ids and statuses of the Salesforce one."""
    table = table.copy()
    for column, space in IDS.items():
        if column in table.columns:
            back = {hs: sf for sf, hs in truth["ids"][space].items()}
            assert table[column].dropna().isin([*back, "unassigned"]).all(), column
            table[column] = table[column].map(
                lambda i, back=back: back.get(i, i), na_action="ignore"
            )
    if "lead_status" in table.columns:
        words = {hs: sf for sf, hs in truth["lead_statuses"].items()}
        table["lead_status"] = table["lead_status"].map(words)
    if "flagged_by" in table.columns:
        kept = (
            table["flagged_by"]
            .str.split()
            .map(lambda marks: " ".join(m for m in marks if m not in ADDED_FLAGS), "ignore")
        )
        table["flagged_by"] = kept.where(kept != "", None)
    return table


def assert_same(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        got, expected, check_dtype=False, check_exact=False, rtol=1e-9, atol=1e-9
    )


def without(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table.drop(columns=[c for c in columns if c in table.columns])


def test_what_hubspot_lacks_is_this_and_no_more(layouts):
    """The list above is truth.json's; each column is filled from Salesforce, and from HubSpot in no row."""
    assert layouts.truth["lacks"] == LACKS == {t: list(c) for t, c in hubspot.LACKS.items()}
    assert layouts.truth["lacks_tables"] == LACKS_TABLES
    assert layouts.truth["adds"] == ADDS
    for table, columns in LACKS.items():
        assert processed.load_table("salesforce", table)[columns].notna().any().all(), table
        assert processed.load_table("hubspot", table)[columns].isna().all().all(), table
    for table in LACKS_TABLES:
        assert len(processed.load_table("salesforce", table)) > 0
        assert len(processed.load_table("hubspot", table)) == 0
    for table, columns in ADDS.items():
        assert processed.load_table("hubspot", table)[columns].notna().all().all(), table
        assert processed.load_table("salesforce", table)[columns].isna().all().all(), table


NOT_SIMULATED = {
    "accepted_names",
    "record_merges",
    "opportunity_splits",
    "time_study",
    "observed_days",
}


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_hubspot_and_salesforce_give_the_same_table(layouts, name):
    """Row by row and cell by cell, ids mapped."""
    if name in LACKS_TABLES:
        return
    lacking = [
        *LACKS.get(name, []), *OF_RESPONSES.get(name, []), *ADDS.get(name, []), *SOURCE, *PSEUDONYMS,
    ]  # fmt: skip
    salesforce = without(processed.load_table("salesforce", name), lacking)
    translated = without(
        in_salesforces_ids(processed.load_table("hubspot", name), layouts.truth), lacking
    )
    assert list(translated.columns) == list(salesforce.columns)
    assert len(salesforce) > 0 or name in NOT_SIMULATED
    assert_same(ordered(translated), ordered(salesforce))


def test_both_layouts_account_for_every_row_and_agree_with_finance(layouts):
    """No file refused; the gap to finance's control total is the same to the cent."""
    accounts = {layout: processed.read_audit(layout) for layout in LAYOUTS}
    for account in accounts.values():
        assert account["refusals"] == []
        assert all(
            t["n_in"] == t["n_clean"] + t["n_quarantined"] + t["n_dropped"]
            for t in account["tables"]
        )
    assert accounts["hubspot"]["reconciliation"] == accounts["salesforce"]["reconciliation"]
    assert accounts["hubspot"]["as_of"] == accounts["salesforce"]["as_of"]


@pytest.mark.parametrize(
    ("layout", "variant"),
    [  # each costs twenty seconds: every variant once, of the CRM whose files it changes more
        ("hubspot" if name in {"monthly_files", "loaded_twice"} else "salesforce", name)
        for name in resave.VARIANTS
    ],
)
def test_the_same_files_saved_otherwise_give_the_same_tables(layouts, layout, variant):
    """Every clean table and panel of each dialect, encoding, order of dates and of rows."""
    dataset = f"{layout}_{variant}"
    resave.rewrite_exports(layouts.raw(layout), layouts.raw(dataset), resave.VARIANTS[variant])
    account = processed.prepare_dataset(dataset)
    assert account["refusals"] == []
    for name in TABLE_NAMES:
        assert_same(
            told_alike(processed.load_table(dataset, name), name),
            _stands_as(layouts.root, layout, name),
        )
