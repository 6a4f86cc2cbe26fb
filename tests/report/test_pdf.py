"""The PDF: for everybody, in vector, the same twice."""

import datetime as dt
import io
import re
from importlib import metadata

import nbformat
import pandas as pd
import pikepdf
import pytest
from report_cells import AS_OF, HOSTILE, compiled, said, shows, write
from report_sample import sample
from report_text import pages
from shown import show_as, show_table

from analysis.report import pdf, show
from analysis.report.nbconvert_exporter import AlignmentPdfExporter
from analysis.report.pdf import make_settable

TITLE = said("# What does an hour cost?")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    return sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def report(document):
    return pikepdf.open(io.BytesIO(pdf.render_pdf(document, timestamp=AS_OF)))


@pytest.fixture
def of(tmp_path):
    """Return the pages of a report of these cells."""
    show_as(currency="USD", smallest_cell=5)

    def told(*cells):
        doc = compiled(write(tmp_path, "1.ipynb", TITLE, *cells))
        return pikepdf.open(io.BytesIO(pdf.render_pdf(doc, timestamp=AS_OF)))

    return told


def elements(report, kind):
    return [
        o
        for o in report.objects
        if isinstance(o, pikepdf.Dictionary) and o.get("/S") == kind and "/P" in o
    ]


def test_it_is_tagged_and_says_its_language_and_title(report):
    assert report.Root.MarkInfo.Marked
    assert "/StructTreeRoot" in report.Root
    assert str(report.Root.Lang).startswith("en")
    assert report.Root.ViewerPreferences.DisplayDocTitle
    with report.open_metadata() as about:
        assert (
            about["dc:title"] == "Does working as one pay?, Northwind Instruments, 2026Q3 (fiscal)"
        )
        assert about["dc:creator"] == ["Revenue Operations"]
        assert about["pdfuaid:part"] == "1"
        assert about["pdfaid:conformance"] == "A"


def test_the_run_can_be_found_from_the_file(report):
    with report.open_metadata() as about:
        assert "run:7f3a91c2" in str(about["pdf:Keywords"])


def test_every_figure_and_formula_has_its_words(report):
    figures = elements(report, "/Figure")
    assert len(figures) == 3
    assert all(str(f.Alt).strip() for f in figures)
    assert {str(f.Alt) for f in elements(report, "/Formula")} > {
        "S",
        r"c_h = \frac{S + C + F}{w \cdot h}",
    }


def test_it_has_bookmarks_for_every_chapter(report):
    with report.open_outline() as outline:
        titles = [item.title for item in outline.root]
    assert titles[0] == "What we found, what we cannot tell, what to decide"
    assert {
        "What does an hour of selling cost?",
        "Does alignment pay?",
        "Definitions and sources",
    } < set(titles)


def test_nothing_in_it_is_a_raster(report):
    images = [
        o for o in report.objects if isinstance(o, pikepdf.Stream) and o.get("/Subtype") == "/Image"
    ]
    assert images == []


def test_equal_documents_are_equal_files(document, tmp_path):
    first = pdf.render_pdf(document, timestamp=AS_OF)
    assert pdf.render_pdf(sample(tmp_path), timestamp=AS_OF) == first
    assert pdf.render_pdf(document, timestamp=AS_OF + dt.timedelta(days=1)) != first


def test_the_cover_answers_at_a_glance(report):
    cover = pages(report)[0]
    for piece in (
        "Northwind Instruments", "Does working as one pay?", "2026Q3 (fiscal)", "$412", "95% interval", "cannot tell",
        "Not reconciled",
    ):  # fmt: skip
        assert piece.replace(" ", "") in cover.replace(" ", "")


def test_money_in_one_paragraph_stays_money(of):
    report = of(shows(show.text, "from $399 to $3,788 at a quota of **$2,000,000**"))
    assert "from$399to$3,788ataquotaof$2,000,000" in pages(report)[0].replace(" ", "")
    assert elements(report, "/Formula") == []


def test_hostile_names_are_inert_and_visible(of):
    frame = pd.DataFrame({"team": HOSTILE})
    table = shows(
        show_table, frame, caption=HOSTILE[1], formats={"team": "text"}, source=HOSTILE[2]
    )
    prose = shows(show.text, " and ".join(show.inert(name) for name in HOSTILE))
    text = pages(of(table, prose))[0].replace(" ", "")
    for name in make_settable(HOSTILE):
        assert text.count(name.replace(" ", "")) >= 2


def test_a_long_table_repeats_its_header(of):
    frame = pd.DataFrame({"team": [f"T{k:03}" for k in range(120)], "cost": range(120)})
    formats = {"team": "text", "cost": "money"}
    table = shows(
        show_table,
        frame,
        caption="All",
        formats=formats,
        source="CRM",
        labels={"cost": "Hourly cost"},
    )
    texts = [t.replace(" ", "") for t in pages(of(table)) if "T0" in t or "T1" in t]
    assert len(texts) > 1
    assert all("Hourlycost" in text for text in texts)
    assert all(f"T{k:03}" in "".join(texts) for k in range(120))


def test_a_wide_table_gets_a_page_turned_sideways_and_the_text_stays_upright(report):
    sizes = [
        (float(p.mediabox[2]), "Team08" in t.replace(" ", ""))
        for p, t in zip(report.pages, pages(report), strict=True)
    ]
    assert [is_wide for width, is_wide in sizes if width > 800] == [True]
    assert sizes[-1][0] < 600


def test_a_name_without_a_blank_breaks_instead_of_leaving_the_page(of):
    name = "x" * 250
    frame = pd.DataFrame({"team": [name], "growth": [0.1]})
    formats = {"team": "text", "growth": "percent"}
    report = of(
        shows(show_table, frame, caption=name, formats=formats, source="CRM"),
        shows(show.text, name),
    )
    # each of the three is cut where no page holds more; the workbook has the whole
    assert pages(report)[0].replace("\u200b", "").count("x") == 3 * 160
    assert float(report.pages[0].mediabox[2]) < 600


def test_a_table_too_wide_for_any_page_is_refused(of):
    frame = pd.DataFrame({f"quarter_{k:02}": [123_456_789.0] for k in range(30)})
    with pytest.raises(
        pdf.PdfError, match="table 1 is too wide even for a page turned sideways: Everything"
    ):
        of(
            shows(
                show_table,
                frame,
                caption="Everything",
                formats=dict.fromkeys(frame, "money"),
                source="CRM",
            )
        )


def test_a_formula_that_is_none_is_refused_readably(of):
    with pytest.raises(pdf.PdfError, match=r"the PDF was not written: unknown variable: hatt"):
        of(said(r"$\hatt{x}$"))


def test_a_page_can_be_had_as_a_picture(document):
    assert pdf.render_page(document, page=1, ppi=20).startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="page must be from 1 to"):
        pdf.render_page(document, page=99, ppi=20)


def test_jupyterlab_can_ask_for_the_exporter_by_its_name():
    """The server's address of an export takes letters, digits and underscores: a hyphen is a 404."""
    names = [
        point.name
        for point in metadata.entry_points(group="nbconvert.exporters")
        if point.value.startswith("analysis.")
    ]
    assert names
    assert all(re.fullmatch(r"\w+", name) for name in names)


def test_one_notebook_exports_as_one_chapter(tmp_path):
    show_as(currency="USD", smallest_cell=5)
    path = write(tmp_path, "draft.ipynb", TITLE, shows(show.text, "It costs $412."))
    content, resources = AlignmentPdfExporter().from_notebook_node(
        nbformat.read(path, 4), {"metadata": {"name": "draft"}}
    )
    assert resources["output_extension"] == ".pdf"
    assert "Itcosts$412." in pages(pikepdf.open(io.BytesIO(content)))[0].replace(" ", "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("東京営業部", "DongJingYingYeBu"),
        ("צפון \u200fא", "tsfvn '"),
        ("🚀 Rocket", ":rocket: Rocket"),
        ("a\u202eb", "a[U+202E]b"),
    ],
)
def test_a_name_in_another_script_is_spelled_in_letters_the_typeface_holds(name, shown):
    settable = pdf.make_settable({"rows": [[name, 3.0]], "facts": {"rows": 12}})
    assert settable == {"rows": [[shown, 3.0]], "facts": {"rows": 12}}


def test_names_without_end_are_cut_on_the_page():
    """160 of a run without a blank, 300 of a cell."""
    settable = pdf.make_settable({"rows": [["x" * 10_000], ["ab " * 5_000]]})
    (run,), (cell,) = settable["rows"]
    assert run.replace("\u200b", "") == "x" * 160 + "…"
    assert len(cell) == 300
