"""What of a chapter stands in the body, and that the body has at most twelve pages."""

import io

import matplotlib.pyplot as plt
import pandas as pd
import pikepdf
import pytest
from report_cells import AS_OF, compiled, result, said, shows, write
from report_text import pages
from shown import show_as, show_figure

from analysis.project.settings import KeyMetric
from analysis.report import page_plan, pdf, show
from analysis.report.document import DocumentError

COST = result("cost_per_selling_hour", 412.3, 396.1, 428.8, unit="USD per selling hour")


def heading(words):
    return {"kind": "heading", "level": 2, "children": [words]}


def paragraph(words):
    return {"kind": "paragraph", "children": [words]}


def figure(name):
    return {"kind": "figure", "title": name}


def table(n_rows, name="t"):
    return {"kind": "table", "rows": [["x"]] * n_rows, "columns": [{}], "caption": name}


ANSWER = [heading("Answer"), paragraph("It costs."), {"kind": "kpis", "cards": []}]


def test_the_answer_and_the_first_figure_stand_in_the_body():
    """The figure takes its heading and the words before it along; what follows it stays under the same heading."""
    section = [heading("It depends"), paragraph("On this."), figure("f"), table(3)]
    body, details = page_plan.split_chapter([*ANSWER, heading("Data"), figure("rows"), *section])
    assert body == [*ANSWER, heading("It depends"), paragraph("On this."), figure("f")]
    assert details == [heading("Data"), figure("rows"), heading("It depends"), table(3)]


@pytest.mark.parametrize("aside", ["Data", "Data: what came in", "How sure are we?"])
def test_neither_the_data_nor_the_doubts_fill_the_body(aside):
    body, details = page_plan.split_chapter([*ANSWER, heading(aside), figure("f")])
    assert body == ANSWER
    assert details == [heading(aside), figure("f")]


@pytest.mark.parametrize(("n_rows", "is_in"), [(8, True), (9, False)])
def test_without_a_figure_a_small_table_stands_for_it(n_rows, is_in):
    body, _ = page_plan.split_chapter([*ANSWER, heading("By region"), table(n_rows)])
    assert (table(n_rows) in body) == is_in


def test_a_second_figure_of_the_answer_waits_in_the_appendix():
    body, details = page_plan.split_chapter([*ANSWER, figure("one"), figure("two")])
    assert body == [*ANSWER, figure("one")]
    assert details == [figure("two")]


def test_nothing_is_lost_where_there_is_no_answer():
    nodes = [paragraph("a"), heading("X"), figure("f"), paragraph("b"), table(20)]
    body, details = page_plan.split_chapter(nodes)
    assert sorted(map(str, body + details)) == sorted([*map(str, nodes), str(heading("X"))])


def test_chapters_that_answer_a_question_of_page_one_have_a_page_each_and_seven_at_most():
    answers = [[], ["cost"], ["worth"], [], ["growth"], ["pay", "next"], ["pay"]]
    assert page_plan.in_body(answers) == [False, True, True, False, True, True, True]
    assert sum(page_plan.in_body([["next"]] * 9)) == 7


def chapter(folder, number, *answers, n_words=60):
    fig, ax = plt.subplots(figsize=(6.6, 4.5))
    ax.plot([1, 2])
    data = pd.DataFrame({"x": [1, 2]})
    told = result(f"headline_{number}", 412.3, 396.1, 428.8, unit="USD per selling hour")
    path = write(
        folder, f"{number}.ipynb",
        said(f"# Is it question {number}?\nWhoever reads it decides."),
        said("## Answer\n" + "words " * n_words),
        shows(show.kpi, told, label="Cost", headline=True),
        shows(show.finding, f"Answer {number} is 412. " + "And so on. " * 20, verdict="found"),
        shows(show.decision, f"Decide {number}.", metric="bookings"),
        said("## A figure"),
        shows(show_figure, fig, title="T", caption="c", alt="a", data=data, formats={"x": "count"}, source="CRM"),
        said("## More"),
        shows(show.text, "details " * 900),
    )  # fmt: skip
    text = path.read_text().replace(
        '"metadata": {}, "cells"',
        f'"metadata": {{"alignment_roi": {{"answers": {list(answers)}}}}}, "cells"'.replace(
            "'", '"'
        ),
    )
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """Return the pages of a report of five chapters, each longer than a page, and its bookmarks with their pages."""
    folder = tmp_path_factory.mktemp("five")
    show_as(currency="USD", smallest_cell=5)
    asked = [(), ("cost",), ("worth",), ("growth",), ("pay", "next")]
    doc = compiled(
        *(chapter(folder, i, *a, n_words=250 if i == 2 else 60) for i, a in enumerate(asked))
    )
    report = pikepdf.open(io.BytesIO(pdf.render_pdf(doc, timestamp=AS_OF)))
    return doc, [t.replace(" ", "") for t in pages(report)]


def page_of(texts, title):
    return next(i for i, t in enumerate(texts, start=1) if i > 1 and title.replace(" ", "") in t)


def test_five_long_chapters_leave_room_for_the_three_pages_of_the_quarter(five):
    """The appendix begins on page 7 of what has yet to get its three pages of the quarter."""
    _, texts = five
    appendix = next(i for i, t in enumerate(texts, start=1) if "Thechaptersindetail" in t)
    assert appendix == 7
    assert appendix - 1 + 3 <= page_plan.MOST_PAGES
    for number, page in ((1, 3), (2, 4), (3, 5), (4, 6)):
        assert f"Answer{number}is412." in texts[page - 1]
        assert "detailsdetails" not in texts[page - 1]


def test_a_chapter_that_answers_no_question_is_in_the_appendix_whole(five):
    doc, texts = five
    assert [c["in_body"] for c in doc["chapters"]] == [False, True, True, True, True]
    assert "Isitquestion0?" not in "".join(texts[2:6])
    assert "Answer0is412." in "".join(texts[6:])


def test_figures_are_numbered_in_the_order_in_which_they_are_met(five):
    doc, _ = five
    by_chapter = [n["number"] for c in doc["chapters"] for n in c["nodes"] if n["kind"] == "figure"]
    assert by_chapter == [5, 1, 2, 3, 4]


def test_page_one_answers_the_five_questions(five):
    doc, texts = five
    assert [line["key"] for line in doc["lines"]] == ["cost", "worth", "growth", "pay", "next"]
    for words in ("Whatdoesanhourofsellingcost?", "Answer1is412.", "Answer4is412.", "Decide4."):
        assert words in texts[0]


def test_an_answer_too_long_for_a_page_is_refused_by_name(tmp_path):
    show_as(currency="USD", smallest_cell=5)
    with pytest.raises(pdf.PdfError, match=r"Is it question 1\? does not fit on one page"):
        pdf.render_pdf(compiled(chapter(tmp_path, 1, "cost", n_words=2500)), timestamp=AS_OF)


def test_a_question_nobody_asks_is_refused(tmp_path):
    with pytest.raises(
        DocumentError, match="answers 'costs', which is none of cost, worth, growth, pay, next"
    ):
        compiled(chapter(tmp_path, 1, "costs"))


def test_a_question_without_an_answer_says_so_on_page_one(tmp_path):
    doc = compiled(chapter(tmp_path, 1, "cost"))
    told = {line["key"]: line for line in doc["lines"]}
    assert (told["growth"]["word"], told["growth"]["children"]) == (
        "Cannot tell",
        ["No chapter answers it."],
    )
    assert told["next"]["children"] == ["Decide 1."]


def test_a_figure_without_data_shows_nothing_and_leaves_its_place_to_a_table():
    empty = figure("f") | {"data": {"rows": []}}
    body, details = page_plan.split_chapter(
        [*ANSWER, heading("Path"), empty, heading("By dimension"), table(0), table(5, "five")]
    )
    assert table(5, "five") in body
    assert empty in details
    assert table(0) not in body


@pytest.mark.parametrize(
    ("gap", "word"),
    [
        ({"needs": [{"table": "quotas", "columns": ["quota_amount"]}], "why": ""}, "Complete"),
        ({"needs": [], "is_withheld": True, "why": "Half the reps have no team."}, "Complete"),
        ({"needs": [], "why": "Too few weeks."}, "Nothing"),
    ],
)
def test_where_questions_wait_for_data_these_are_the_next_step(gap, word):
    chapter = {"title": "A", "answers": ["cost"], "missing": gap, "nodes": [], "details": []}
    line = page_plan.question_lines([chapter])[-1]
    assert (line["key"], line["word"]) == ("next", word)
    assert ("1 question waits for data" in line["children"][0]) is (word == "Complete")


def test_where_columns_would_answer_page_one_points_to_the_page_that_lists_them():
    gap = {"needs": [{"table": "quotas", "columns": ["quota_amount"]}], "why": "No quotas."}
    chapter = {"title": "A", "answers": ["cost"], "missing": gap, "nodes": [], "details": []}
    assert page_plan.question_lines([chapter])[0]["children"] == [
        "No quotas. What an answer needs is listed there."
    ]


def test_questions_without_an_answer_share_a_page_wherever_they_stood(tmp_path):
    """The first and the third of three cannot be told: page 3 has the answer, page 4 both others."""
    show_as(currency="USD", smallest_cell=5)
    gaps = [
        {
            "position": at,
            "question": f"Is gap {at} told?",
            "title": "",
            "needs": [{"table": "quotas", "columns": ["quota_amount"]}],
            "why": "The exports hold no quotas.",
            "answers": [key],
        }
        for at, key in ((0, "cost"), (2, "growth"))
    ]
    doc = compiled(chapter(tmp_path, 1, "worth"), missing=gaps)
    report = pikepdf.open(io.BytesIO(pdf.render_pdf(doc, timestamp=AS_OF)))
    texts = [t.replace(" ", "") for t in pages(report)]
    assert [page_of(texts[2:], f"Is gap {at} told?") + 2 for at in (0, 2)] == [4, 4]
    assert "Isitquestion1?" in texts[2]


def test_a_key_metric_that_no_chapter_shows_keeps_its_target():
    """In full: its format is not known, and 95 million are not 9.5e+07."""
    (row,) = page_plan.key_metrics(
        [KeyMetric(name="bookings", owner="o", definition="d", target=95_000_000.0)], [], [], {}
    )
    assert (row["target"], row["unit"], row["met"]) == (
        "at least 95,000,000",
        "not in this report",
        "",
    )
