"""The web page of a report: the PDF's document, inert, accessible, in one file."""

import base64
import copy
import re

import page_check
import pytest
from report_cells import HOSTILE, compiled, said, shows, write
from report_sample import sample
from shown import show_as

from analysis.report import document, html_report, show, web_page

PLANTED = [
    *HOSTILE,
    "javascript:alert(1)",
    "]]>",
    "{{ 7 * 7 }} {% if x %}",
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return sample(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(content):
    return page_check.Page(html_report.render_html(content).decode())


def test_nothing_is_wrong_with_the_page(page):
    """One h1, no level skipped, every image in words, nothing loaded or run, the policy's hash right."""
    assert page_check.faults(page) == []
    assert len(page.images) == 3
    assert all(table["caption"] for table in page.tables[:3])


def test_the_checks_find_what_is_wrong():
    """What the check above is worth: each fault planted is found."""
    bad = (
        "<html><head><title>x</title><style>a{}</style></head><body><header></header><main><h1>a</h1>"
        '<h3>b</h3><img src="http://x/y.png"><a href="javascript:x">a</a><p onclick="x" style="y">c</p>'
        '<a href="#none">d</a><table><tr><th>e</th></tr></table><script>f</script></main></body></html>'
    )
    assert page_check.faults(page_check.Page(bad)) == [
        "h3 after h1",
        "an image without alt: {'src': 'http://x/y.png'}",
        "a table without caption or scopes",
        "img src=http://x/y.png",
        "script",
        "a link to javascript:x",
        "p onclick",
        "p style",
        "0 policies, 1 styles",
        "a link to #none",
    ]


def test_the_page_says_what_the_document_says(page, content):
    """Every chapter, table, figure and statement, and the cells as they read in the PDF."""
    headings = page.text
    for chapter in content["chapters"]:
        assert chapter["title"] in headings
    for told in ("$412", "Not reconciled: bookings lie 2.1% above", "[c]", "Team 08", "184,212"):
        assert told in page.text
    numbers = re.findall(r"(Figure|Table) (\d)", page.text)
    assert {n for kind, n in numbers if kind == "Figure"} == {"1", "2", "3"}
    assert {n for kind, n in numbers if kind == "Table"} == {"1", "2", "3", "4", "5"}


def test_every_chapter_is_reached_by_a_link(page, content):
    targets = {a.get("href") for tag, a in page.elements if tag == "a"}
    assert {f"#chapter-{i}" for i in range(len(content["chapters"]))} <= targets
    assert {"#main", "#findings", "#appendix", "#definitions", "#provenance"} <= targets


def test_hostile_text_is_text_wherever_it_stands(content):
    """Every text of the document is replaced: nothing of it becomes an element, an attribute or an address."""
    together = " · ".join(PLANTED)
    page = page_check.Page(html_report.render_html(_every_text(content, together)).decode())
    assert page_check.faults(page) == []
    for planted in filter(str.isprintable, PLANTED):
        assert page.text.count(planted) > 50, planted


def _every_text(content, planted):
    """Return the document in which every text that is shown is `planted`."""
    kept = {
        "kind",
        "svg",
        "typst",
        "tex",
        "format",
        "url",
        "align",
        "currency",
        "verdict",
        "key",
        "anchor",
    }

    def replaced(part, key=""):
        if isinstance(part, dict):
            return {k: v if k in kept else replaced(v, k) for k, v in part.items()}
        if isinstance(part, list):
            return [replaced(x, key) for x in part]
        return planted if isinstance(part, str) and key not in kept else part

    return replaced(copy.deepcopy(content))


def test_what_is_invisible_is_named(page):
    """A mark that turns the text around it shows as its code point, as in the PDF."""
    assert "[U+202E]gnp[U+001B]" in page.text
    assert "\u202e" not in page.source


def test_a_figure_is_an_image_with_the_letters_it_needs(page):
    """An image runs no script and loads nothing; without its own letters it would take others."""
    for image in page.images:
        kind, coded = image["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        svg = base64.b64decode(coded).decode()
        assert svg.startswith("<svg")
        assert "font-family:Inter;font-weight:400 700;src:url(data:font/woff;base64," in svg
        assert float(image["width"]) > float(image["height"]) > 100


def test_formulas_are_mathml(page):
    tags = [tag for tag, _ in page.elements]
    assert tags.count("math") == 5
    assert tags.count("mfrac") == 3


@pytest.mark.parametrize(
    ("levels", "below"),
    [((2, 3, 2), [3, 4, 3]), ((3,), [3]), ((2, 3, 3, 2), [3, 4, 4, 3]), ((3, 2), [3, 3])],
)
def test_no_level_of_heading_is_skipped(levels, below):
    nodes = [{"kind": "heading", "level": level, "children": ["a"]} for level in levels]
    assert [n["level"] for n in html_report.headings_under(nodes, 2)] == below


def test_equal_documents_are_equal_pages(content):
    assert html_report.render_html(content) == html_report.render_html(copy.deepcopy(content))


def test_a_page_that_is_too_large_is_refused_and_its_largest_figures_are_named(
    content, monkeypatch
):
    monkeypatch.setattr(html_report, "MOST_BYTES", 1000)
    with pytest.raises(
        html_report.HtmlError, match=r"0\.\d MB, and 0 MB are allowed.*figure \d with"
    ):
        html_report.render_html(content)


def test_a_link_that_is_no_address_stops_the_page(tmp_path):
    """Markdown refuses it before; a document by hand is refused here."""
    show_as(currency="USD", smallest_cell=5)
    note = write(
        tmp_path, "1.ipynb", said("# Is it?"), shows(show.text, "See [this](https://a.example).")
    )
    made = compiled(note)
    nodes = made["chapters"][0]["lead"] + made["chapters"][0]["nodes"]
    [link] = [p for node in nodes for p in node["children"] if isinstance(p, dict)]
    assert b'href="https://a.example"' in html_report.render_html(made)
    link["url"] = "javascript:alert(1)"
    with pytest.raises(html_report.HtmlError, match="is no address a report may link to"):
        html_report.render_html(made)


def test_a_node_without_a_form_stops_the_page(content):
    made: document.Document = copy.deepcopy(content)
    made["chapters"][0]["nodes"].append({"kind": "hologram"})
    with pytest.raises(html_report.HtmlError, match="it cannot show hologram"):
        html_report.render_html(made)


def test_a_sparkline_needs_two_values():
    assert web_page.sparkline_points([1.0, None]) is None
    assert web_page.sparkline_points([2.0, 2.0]) == {"points": "3,21 97,21", "x": "97", "y": "21"}
