"""What a notebook cell shows, in JupyterLab and for the report."""

import html
import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from report_cells import HOSTILE, NAN, outputs, result
from shown import show_as, show_figure, show_table

from analysis.project.errors import CrmDataError
from analysis.report import show
from analysis.report.output import MIME
from analysis.stats.result import Result
from analysis.stats.suppression import suppress_cells

COST = result("cost_per_selling_hour", 412.345, 396.1, 428.8, unit="USD per selling hour")


@pytest.fixture(autouse=True)
def _house():
    show_as(currency="USD", smallest_cell=5)


def shown(call, *args, **kwargs):
    (output,) = outputs(call, *args, **kwargs)
    return output["data"]


def read(page: str) -> str:
    """Return what a reader of the HTML sees."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def test_a_card_holds_the_numbers_as_shown():
    """$412.345 is shown as $412, so the report's number is 412."""
    (card,) = shown(show.kpi, COST, label="Cost of an hour", headline=True)[MIME]["cards"]
    assert (card["estimate"], card["low"], card["high"]) == (412, 396, 429)
    assert card["shown"] == {
        "value": "$412", "unit": "per selling hour", "interval": "$396 to $429", "n": "118 reps",
    }  # fmt: skip
    assert card["headline"] is True
    assert (card["kind"], card["verdict"], card["method"]) == ("measure", None, "ratio of sums")


def test_a_card_says_all_that_makes_a_figure_trustworthy():
    text = read(shown(show.kpi, COST, label="Cost of an hour", note="2026Q3")["text/html"])
    for piece in (
        "Cost of an hour", "$412", "per selling hour", "95% interval $396 to $429", "n = 118 reps", "measure",
        "Source: CRM activities, compensation", "2026Q3",
    ):  # fmt: skip
        assert piece in text


@pytest.mark.parametrize(
    ("unit", "estimate", "value"),
    [
        ("USD per selling hour", 99.5, "$99.50"),
        ("EUR", 1_843_000.0, "€1.84M"),
        ("CHF per hour", 250.0, "CHF\u00a0250"),
        ("hours per rep and week", 10.44, "10.4"),
        ("of available time", 0.2713, "27.1%"),
        ("per year", -0.04, "−4.0%"),  # noqa: RUF001 - a real minus
        ("percentage points per year", 24.0, "+24.0"),
        ("months", 7.26, "7.3"),
        ("months", 0.0, "at once"),
        ("index", 62.31, "62.3"),
    ],
)
def test_the_unit_says_how_an_estimate_reads(unit, estimate, value):
    card = show.card(result("x", estimate, NAN, NAN, unit=unit), label="x")
    assert card["shown"]["value"] == value
    assert card["shown"]["interval"] == ""


@pytest.mark.parametrize(
    ("change", "words"), [(56.2, "+$56"), (-56.2, "\N{MINUS SIGN}$56"), (0.2, "$0")]
)
def test_a_change_of_money_has_its_sign(change, words):
    moved = result("change", change, NAN, NAN, unit="USD per hour")
    assert show.card(moved, label="x", format="money_change")["shown"]["value"] == words


def test_a_payback_at_once_has_neither_unit_nor_interval():
    card = show.card(result("payback_months", 0.0, 0.0, 0.0, unit="months"), label="x")
    assert card["shown"]["value"] == "at once"
    assert (card["shown"]["unit"], card["shown"]["interval"]) == ("", "")


def test_an_unknown_estimate_says_cannot_tell():
    unknown = Result(
        "npv", NAN, NAN, NAN, "USD", 0, "teams", "none", "none", "effect", "cannot tell"
    )
    data = shown(show.kpi, unknown, label="Value", note="Programme cost is not in the data.")
    assert data[MIME]["cards"][0]["estimate"] is None
    assert "cannot tell" in read(data["text/html"])
    assert "Programme cost is not in the data." in read(data["text/html"])
    json.dumps(data, allow_nan=False)


def test_a_card_of_fewer_than_five_reps_is_not_shown():
    card = show.card(COST._replace(n=4), label="Cost")
    assert [card[key] for key in ("estimate", "low", "high", "n")] == [None] * 4
    assert (card["shown"]["value"], card["shown"]["n"], card["note"]) == (
        "not shown",
        "<5 reps",
        "Fewer than 5 reps.",
    )
    assert show.card(COST._replace(n=4, n_of="teams"), label="Cost")["shown"]["value"] == "$412"


def test_a_table_has_its_cells_as_words_and_as_numbers():
    frame = pd.DataFrame({"team": ["A", "B"], "cost": [412.345, NAN], "win_rate": [0.2049, 0.31]})
    formats = {"team": "text", "cost": "money2", "win_rate": "percent"}
    content = shown(show_table, frame, caption="Cost", formats=formats, source="CRM")[MIME]
    assert content["rows"] == [["A", "$412.35", "20.5%"], ["B", "–", "31.0%"]]  # noqa: RUF001
    assert content["values"] == [["A", 412.35, 0.205], ["B", None, 0.31]]
    assert [c["is_numeric"] for c in content["columns"]] == [False, True, True]


def test_a_minus_zero_is_a_zero():
    frame = pd.DataFrame({"gap": [-0.001]})
    content = shown(show_table, frame, caption="Gap", formats={"gap": "money"}, source="CRM")[MIME]
    assert (content["rows"], content["values"]) == ([["$0"]], [[0]])


def test_a_table_hides_its_small_rows_by_itself():
    frame = pd.DataFrame(
        {"region": ["A", "B", "C"], "n_reps": [4, 20, 8], "cost": [400.0, 410.0, 420.0]}
    )
    content = shown(
        show_table, frame, caption="Cost", formats={"region": "text", "n_reps": "count", "cost": "money"}, source="CRM"
    )[MIME]  # fmt: skip
    assert content["rows"] == [["A", "<5", "[c]"], ["B", "20", "$410"], ["C", "[c]", "[c]"]]
    assert content["values"] == [["A", None, None], ["B", 20, 410], ["C", None, None]]
    assert "400" not in json.dumps(content)
    assert "420" not in json.dumps(content)


def test_a_table_suppressed_before_is_taken_as_it_is():
    frame = pd.DataFrame(
        {"region": ["n", "n"], "team": ["A", "B"], "n_reps": [4, 20], "cost": [400.0, 410.0]}
    )
    hidden = suppress_cells(frame, smallest=5, keep=["region", "team"])
    formats = {"region": "text", "team": "text", "n_reps": "count", "cost": "money"}
    content = shown(show_table, hidden, caption="Cost", formats=formats, source="CRM")[MIME]
    assert content["rows"] == [["n", "A", "<5", "[c]"], ["n", "B", "[c]", "[c]"]]


def test_a_column_without_a_format_is_named():
    with pytest.raises(ValueError, match="columns without a format: cost"):
        show_table(pd.DataFrame({"cost": [1.0]}), caption="Cost", formats={}, source="CRM")


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r"format must be one of money, .*, got 'dollars'"):
        show_table(
            pd.DataFrame({"cost": [1.0]}), caption="Cost", formats={"cost": "dollars"}, source="CRM"
        )


def test_an_amount_without_a_currency_is_refused():
    show._House.currency = ""
    with pytest.raises(ValueError, match="currency must be an ISO 4217 code such as USD, got ''"):
        show.value(412.0, "money")


def figure():
    fig, ax = plt.subplots()
    ax.plot([1, 2], [3, 4])
    fig.suptitle("Hours fall")
    ax.set_xlabel("quarter")
    return fig


def draw(**more):
    given = {
        "title": "Hours fall", "caption": "2026Q3, n = 9 reps.", "alt": "A line falls.", "source": "CRM",
        "data": pd.DataFrame({"hours": [10.44, 9.9]}), "formats": {"hours": "hours"},
    }  # fmt: skip
    return shown(show_figure, figure(), **(given | more))


def test_a_figure_is_the_same_picture_twice_with_text_as_text_and_closed():
    first, second = draw(), draw()
    assert first["image/svg+xml"] == second["image/svg+xml"]
    assert ">quarter</text>" in first["image/svg+xml"]
    assert plt.get_fignums() == []


def test_a_figures_title_is_set_by_the_page_not_twice():
    assert "Hours fall" not in draw()["image/svg+xml"]
    assert "Hours fall" in read(draw()["text/html"])


def test_a_figure_brings_its_numbers():
    assert draw()[MIME]["data"]["values"] == [[10.4], [9.9]]


def test_a_figure_without_alt_text_is_refused():
    with pytest.raises(ValueError, match="alt must say in words what the figure shows"):
        draw(alt=" ")


def test_a_figure_that_draws_a_small_cell_is_refused():
    few = pd.DataFrame({"team": ["A", "B"], "n_reps": [4, 9]})
    with pytest.raises(
        ValueError, match="figure 'Hours fall': 1 of 2 rows stand for fewer than 5 reps"
    ):
        draw(data=few, formats={"team": "text", "n_reps": "count"})


def test_dollars_in_prose_are_money():
    data = shown(show.text, "At **$2,000,000** an hour costs $399, and must bring $3,788 ($x$).")
    assert (
        read(data["text/html"]) == "At $2,000,000 an hour costs $399, and must bring $3,788 ($x$)."
    )
    assert "maths" not in json.dumps(data[MIME])


def test_no_two_dollars_meet_in_html():
    """JupyterLab and nbconvert read $...$ in one text node as a formula; a tag between them ends it."""
    frame = pd.DataFrame({"what": ["$399 and $3,788"]})
    pages = [
        shown(show.text, "from $399 to $3,788")["text/html"],
        shown(show.kpi, COST, label="$1 and $2")["text/html"],
        shown(show_table, frame, caption="$1 and $2", formats={"what": "text"}, source="$3 or $4")[
            "text/html"
        ],
    ]
    for page in pages:
        assert all(text.count("$") < 2 for text in re.split(r"<[^>]*>", page))
        assert "mathjax_ignore" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_inert_and_visible(name):
    """It stands in the HTML as written, and brings no element of its own."""
    frame = pd.DataFrame({"team": [name]})
    table = shown(show_table, frame, caption=name, formats={"team": "text"}, source=name, note=name)
    card = shown(show.kpi, COST._replace(source=name), label=name, note=name)
    prose = shown(show.text, f"Team {show.inert(name)} grew.")
    finding = shown(show.finding, f"Team {show.inert(name)} grew.", verdict="found")
    seen = name.replace("\u202e", "[U+202E]").replace("\x1b", "[U+001B]")
    for data, times in ((table, 4), (card, 3), (prose, 1), (finding, 1)):
        assert read(data["text/html"]).count(seen) == times
        assert "<script" not in data["text/html"]
    assert "".join(prose[MIME]["nodes"][0]["children"]) == f"Team {name} grew."


def test_a_statement_is_one_sentence():
    with pytest.raises(ValueError, match="a decision is one sentence"):
        show.decision("Do this.\n\nAnd that.")


def test_a_statement_says_what_it_would_take():
    data = shown(show.cannot_tell, "Whether it pays.", needs="programme cost")
    assert data[MIME]["needs"] == "programme cost"
    assert read(data["text/html"]) == "Cannot tell\u2002Whether it pays.Needs: programme cost"


def test_a_published_figure_brings_its_grade_and_what_it_is_not():
    rows = shown(show.claims, ["growth_aligned", "cost_per_selling_hour"])[MIME]["rows"]
    assert rows[0][0] == "20.0% per year"
    assert rows[1][0] == "at least $399 per selling hour"
    assert [row[4] for row in rows] == ["D", "E"]


def test_show_is_light_to_import():
    heavy = {"typst", "nbconvert", "papermill", "xlsxwriter"}
    code = f"import sys; from analysis.report import show; print({heavy!r} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_a_column_named_that_is_not_there_is_a_mistake_of_ours():
    """A `CrmDataError` would make the chapter a page that says the data cannot tell."""
    with pytest.raises(ValueError, match="columns named that the table does not have: high") as e:
        show_table(
            pd.DataFrame({"cost": [1.0]}),
            caption="Cost",
            formats={"cost": "money", "high": "money"},
            source="CRM",
        )
    assert not isinstance(e.value, CrmDataError)
