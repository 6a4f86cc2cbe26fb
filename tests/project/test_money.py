"""An amount in words carries the company's own sign."""

import pandas as pd
import pytest
from report_cells import result

from analysis.chapters.cost import cost, worked_example
from analysis.chapters.roi import headlines
from analysis.chapters.selling_time import time_use
from analysis.figures import charts
from analysis.project import money
from analysis.report import formats


@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [
        (1234.5, "EUR", "€1,234"),
        (-110, "USD", "\N{MINUS SIGN}$110"),
        (-0.4, "USD", "$0"),
        (5, "CHF", "CHF\N{NO-BREAK SPACE}5"),
    ],
)
def test_the_minus_stands_before_the_sign_of_the_currency(amount, currency, says):
    assert money.amount_text(amount, currency) == says


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        (20_000, "€20,000"),
        (-20_000, "\N{MINUS SIGN}€20,000"),
        (0, "€0"),
        (99_999, "€99,999"),
        (100_000, "€0.10M"),
        (92_084_000, "€92.08M"),
    ],
)
def test_millions_are_millions_only_where_they_are_some(amount, says):
    """Hundredths of a million say nothing of 20,000; the number behind the cell is what the cell says."""
    assert formats.cell_words(amount, "millions", "EUR") == says
    assert formats.round_cell(amount, "millions") == (
        92_080_000 if amount == 92_084_000 else amount
    )


def test_a_spreadsheet_shows_small_amounts_whole_too():
    assert (
        formats.spreadsheet_format("millions", "EUR")
        == '[>=100000]"€"#,##0.00,,"M";[<=-100000]-"€"#,##0.00,,"M";"€"#,##0'
    )


def test_what_is_no_currency_is_refused():
    with pytest.raises(ValueError, match="ISO 4217 code such as USD, got 'euro'"):
        money.currency_symbol("euro")


@pytest.fixture
def by_definition() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": ["narrow", "wide"],
            "n_reps": [9, 9],
            "estimate": [500.0, 300.0],
            "low": [450.0, 280.0],
            "high": [550.0, 320.0],
        }
    )


def test_the_cost_sentence_is_in_the_companys_currency(by_definition):
    says = cost.hour_cost_sentence(
        by_definition, "2026Q3", currency="EUR", step="€30 more than in 2026Q2"
    )
    assert says == (
        "A recorded hour of selling cost €500 in 2026Q3 (9 reps), €30 more than in 2026Q2."
    )


@pytest.mark.parametrize(
    ("low", "high", "word", "says"),
    [
        (10.0, 50.0, "up", "€30 more than in 2026Q2"),
        (-50.0, -10.0, "down", "€30 less than in 2026Q2"),
        (-10.0, 70.0, "steady", "about as much as in 2026Q2"),
        (float("nan"), float("nan"), "", ""),
    ],
)
def test_a_step_is_told_by_its_paired_error(low, high, word, says):
    """An interval around zero is steady; where nothing can be compared nothing is said."""
    change = result("change", (low + high) / 2, low, high, unit="EUR")
    assert cost.change_word(change) == word
    assert cost.step_since(change, "2026Q2", currency="EUR") == says


def test_what_is_not_shown_is_in_no_sentence(by_definition):
    """Four reps' cost is hidden in the table; the sentence made from it names no figure either."""
    hidden = by_definition.assign(
        estimate=float("nan"), low=float("nan"), high=float("nan"), n_reps=4
    )
    says = cost.hour_cost_sentence(hidden, "2026Q3", currency="EUR")
    assert says.startswith("We cannot tell what an hour of selling cost in 2026Q3: ")
    assert not any(c.isdigit() for c in says.replace("2026Q3", ""))
    assert cost.hour_cost_verdict(hidden) == "cannot tell"
    assert cost.hour_cost_verdict(by_definition) == "found"


def test_an_ask_of_unknown_cost_is_told_in_hours():
    """30 minutes of 20 reps are 10 hours, whatever one costs."""
    nan = float("nan")
    told = cost.ask_sentence(cost.marketing_ask(30, 20, nan, nan), 30, 20, currency="EUR")
    assert told.endswith("30 minutes of 20 reps is 10 hours.")
    assert "€3,990 of selling time" in cost.ask_sentence(
        cost.marketing_ask(30, 20, 399, 1), 30, 20, currency="EUR"
    )


def test_the_articles_dollars_are_no_line_on_a_chart_in_euros():
    assert worked_example.reference_line("USD") == (399.0, "article, 2013: $399")
    assert (worked_example.reference_line("EUR"), worked_example.reference_note("EUR")) == (
        None,
        "",
    )


def test_a_charts_labels_and_axis_carry_the_currency(by_definition):
    drawn = charts.draw_ranges(
        by_definition, title="t", label="label", x_label="an hour", currency="EUR"
    )
    drawn.figure.canvas.draw()
    texts = [t.get_text() for t in drawn.texts] + [t.get_text() for t in drawn.get_xticklabels()]
    assert {"€500", "€450 to €550"} <= set(texts)
    assert not [t for t in texts if "$" in t]
    assert all(t.get_text().startswith("€") for t in drawn.get_xticklabels())


def test_the_largest_burden_of_a_small_team_is_no_hundredth_of_a_million():
    """20,000 is said as 20,000."""
    found = pd.DataFrame(
        {
            "label": ["Reporting"],
            "hours": [5.0],
            "hours_low": [4.0],
            "hours_high": [6.0],
            "n_reps": [8],
            "amount": [20_000.0],
        }
    )
    assert ", €20,000 in 2026Q3, more" in time_use.largest_burden(found, "2026Q3", currency="EUR")
    assert not hasattr(headlines, "_money")
