"""Maven's CRM sales opportunities against the answers a third party published."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from crm_tables import cleaned

from analysis.panels import build

REFERENCE = os.environ.get("ALIGNMENT_ROI_REFERENCE", "")
pytestmark = pytest.mark.skipif(
    not REFERENCE, reason="ALIGNMENT_ROI_REFERENCE names no folder with Maven's data"
)


@pytest.fixture(scope="module")
def maven(shared_raw):
    """Return the pass over Maven's CRM sales opportunities, read where they lie."""
    for file in sorted(Path(REFERENCE, "maven_crm").glob("*.csv")):
        (shared_raw / file.name).write_bytes(file.read_bytes())
    return cleaned(as_of=None, today=dt.date(2026, 11, 1))


def test_mavens_answer_key_is_found(maven):
    """A third party's pivot: won 531, 1,254, 1,257, 1,196 of 4,238; win rate 63.15 %."""
    deals = maven.tables["opportunities"]
    assert maven.account("opportunities") == (8_800, 8_800, 0, 0)
    won = deals[deals["status"] == "won"]
    months = won["close_date"].map(lambda day: (day.year, (day.month + 2) // 3))
    assert months.value_counts().sort_index().to_dict() == {
        (2017, 1): 531,
        (2017, 2): 1254,
        (2017, 3): 1257,
        (2017, 4): 1196,
    }
    n_lost = (deals["status"] == "lost").sum()
    assert round(100 * len(won) / (len(won) + n_lost), 2) == 63.15
    assert [r.file for r in maven.audit.refusals] == ["sales_pipeline__pivot_export.csv"]
    assert (maven.audit.first_day, maven.audit.as_of) == (
        dt.date(2017, 3, 1),
        dt.date(2017, 12, 31),
    )


def test_mavens_misspelt_product_is_the_same_product(maven):
    """1,480 rows say GTXPro; the seven products stay seven."""
    deals, products = maven.tables["opportunities"], maven.tables["products"]
    spelt = deals[deals["flagged_by"] == "product_spelling"]
    assert len(spelt) == maven.effect("opportunities", "product_spelling").n_rows == 1_480
    names = products.set_index("product_id")["product_name"]
    assert len(names) == 7
    assert spelt["product_id"].map(names).unique().tolist() == ["GTX Pro"]
    assert deals["product_id"].isin(names.index).all()


def test_mavens_first_quarter_is_partial(maven):
    """It holds March alone."""
    rows = build.quarter_rows(maven.audit.first_day, maven.audit.as_of, 1)
    assert [name for name, _, _, is_partial in rows if is_partial] == ["2017Q1"]
    assert len(rows) == 4
