"""What clients say, from the clean tables of a dataset: named, bounded, and never the end of a report."""

import io

import pandas as pd
import pikepdf
import pytest
from report_cells import AS_OF, HOSTILE, compiled, said, write
from report_fixtures import at, project, squeezed
from report_text import pages

from analysis.project import paths, settings
from analysis.report import pdf
from analysis.report.pdf import make_settable
from analysis.report.review import feedback as review_feedback
from analysis.store.company import Company

PRODUCTS = pd.DataFrame({"product_id": ["P1", "P2"], "product_name": ["Gauge", None]})
DEALS = pd.DataFrame(
    {
        "opportunity_id": ["1", "2", "3"], "status": ["won", "lost", "won"], "product_id": "P1",
        "close_date": pd.to_datetime(["2026-07-01", "2026-07-02", "2026-10-01"]),
    }
)  # fmt: skip


def feedback(theme="price", product="P1", segment="SMB"):
    """Return the same report of five reps."""
    return pd.DataFrame(
        {
            "feedback_id": list("12345"), "rep_id": list("abcde"), "reported_on": pd.Timestamp("2026-09-30"),
            "theme": theme, "trend": "budgets are cut", "product_id": product, "segment": segment,
        }
    )  # fmt: skip


@pytest.fixture
def told(tmp_path):
    """Return what is said of these reports in 2026Q3."""
    root = project(tmp_path / "project")

    def of(reports):
        with at(root):
            (root / "data/raw/here").mkdir(exist_ok=True)
            folder = paths.processed_folder("here")
            folder.mkdir(parents=True, exist_ok=True)
            for name, table in (
                ("feedback", reports),
                ("products", PRODUCTS),
                ("opportunities", DEALS),
            ):
                table.to_parquet(folder / f"{name}.parquet")
            house = settings.load_dataset_settings("here")
            return review_feedback.client_feedback(Company("here", "2026Q3", house, {}))

    return of


def test_the_narrative_counts_the_quarters_own_reports_and_deals(told):
    """Of three deals one was lost and one closed in the quarter after."""
    assert told(feedback())["sentence"].startswith(
        "Clients in SMB most often report “price” and give “budgets are cut” as the reason: 5 of 5 "
    )
    assert told(feedback())["sentence"].endswith("They speak of Gauge, which won 1 deal in 2026Q3.")


@pytest.mark.parametrize("product", ["P2", "P9"])
def test_a_product_without_a_name_is_left_out_and_fails_no_report(told, product):
    """Cleaning keeps feedback on a product that no export knows, flagged."""
    got = told(feedback(product=product))
    assert got["sentence"] == ""
    assert got["note"].startswith(
        "5 reports were brought; none names segment, theme, trend and a known product"
    )


def test_a_theme_without_end_leaves_room_for_the_rest_of_the_page(told):
    assert len(told(feedback(theme="price is bad " * 400))["sentence"]) < 400


def test_what_clients_say_is_set_as_text(told, tmp_path):
    """Template code, markup and formulas in a theme are words in the PDF too."""
    hostile = [told(feedback(theme=text, segment=text))["sentence"] for text in HOSTILE]
    document = compiled(write(tmp_path, "1.ipynb", said("# Why?\n## Answer\nBecause.")))
    document["statements"]["decide"] = [
        {"kind": "decision", "children": [text], "chapter": ""} for text in hostile
    ]
    with pikepdf.open(io.BytesIO(pdf.render_pdf(document, timestamp=AS_OF))) as made:
        text = squeezed("".join(pages(made)))
    for name in make_settable(HOSTILE):
        assert text.count(squeezed(f"Clients in {name} most often report “{name}” and")) == 1, name
