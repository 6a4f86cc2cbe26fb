"""Executed notebooks into one document."""

import json

import pandas as pd
import pytest
from report_cells import compiled, outputs, ran, result, said, shows, write
from shown import show_as, show_table

from analysis.report import document, markdown, output, show
from analysis.report.document import DocumentError

COST = result("cost_per_selling_hour", 412.3, 396.1, 428.8, unit="USD per selling hour")
TITLE = said("# What does an hour cost?\nWho decides what with it.")
TABLE = {"caption": "Cost", "formats": {"team": "text"}, "source": "CRM"}
TEAMS = pd.DataFrame({"team": ["A"]})


@pytest.fixture(autouse=True)
def _house():
    show_as(currency="USD", smallest_cell=5)


@pytest.fixture
def notebook(tmp_path):
    return lambda *cells, name="2_cost.ipynb": write(tmp_path, name, *cells)


def printed(text, name="stdout"):
    return ran([{"output_type": "stream", "name": name, "text": text}])


def test_a_chapter_is_a_notebook_under_its_question(notebook):
    (chapter,) = compiled(notebook(TITLE, said("## A finding\nIt holds.")))["chapters"]
    assert chapter["title"] == "What does an hour cost?"
    assert chapter["lead"] == [{"kind": "paragraph", "children": ["Who decides what with it."]}]
    assert [n["kind"] for n in chapter["nodes"]] == ["heading", "paragraph"]


def test_a_document_is_plain_json(notebook):
    doc = compiled(notebook(TITLE, shows(show.kpi, COST, label="Cost", headline=True)))
    assert json.loads(json.dumps(doc, allow_nan=False)) == doc


def test_code_and_hidden_cells_never_reach_it(notebook):
    hidden = [
        ran(outputs(show.text, f"hidden {t}"), tags=(t,))
        for t in ("parameters", "injected-parameters", "analyst")
    ]
    note = said("hidden words") | {"metadata": {"tags": ["analyst"]}}
    doc = compiled(notebook(TITLE, *hidden, note, shows(show.text, "shown")))
    assert "shown" in json.dumps(doc)
    assert "hidden" not in json.dumps(doc)
    assert "x = 1" not in json.dumps(doc)


def test_headlines_become_the_cover_and_the_metrics(notebook):
    other = COST._replace(name="other")
    doc = compiled(
        notebook(
            TITLE,
            shows(show.kpi, COST, label="Cost", headline=True),
            shows(show.kpi, other, label="O"),
        )
    )
    assert [card["name"] for card in doc["cover"]] == ["cost_per_selling_hour"]
    assert output.headline_metrics(doc["cover"]) == {
        "cost_per_selling_hour": {
            "estimate": 412, "low": 396, "high": 429, "unit": "USD per selling hour", "n": 118, "n_of": "reps",
            "kind": "measure", "verdict": None, "method": "ratio of sums", "source": "CRM activities, compensation",
        }
    }  # fmt: skip


def test_cards_shown_one_by_one_stand_side_by_side(notebook):
    cards = [shows(show.kpi, COST._replace(name=name), label=name) for name in "ab"]
    (node,) = compiled(notebook(TITLE, *cards))["chapters"][0]["nodes"]
    assert [card["label"] for card in node["cards"]] == ["a", "b"]


def test_an_earlier_quarter_is_shown_as_this_one_is(notebook):
    path = notebook(TITLE, shows(show.kpi, COST, label="Cost", headline=True))
    earlier = {"cost_per_selling_hour": [document.Earlier("2026Q2", 418.4)]}
    (card,) = compiled(path, earlier=earlier)["cover"]
    assert card["trend"] == [{"quarter": "2026Q2", "estimate": 418.4, "shown": "$418"}]


def test_one_name_is_a_headline_once(notebook):
    twice = [shows(show.kpi, COST, label="Cost", headline=True)] * 2
    with pytest.raises(DocumentError, match="cost_per_selling_hour is a headline twice"):
        compiled(notebook(TITLE, *twice))


def test_statements_are_gathered_by_what_they_ask_of_the_reader(notebook):
    doc = compiled(
        notebook(
            TITLE,
            shows(show.finding, "It costs $412.", verdict="found"),
            shows(show.finding, "The gap is 6 points.", verdict="cannot tell"),
            shows(show.cannot_tell, "Whether it pays.", needs="two quarters"),
            shows(show.decision, "Move two hours."),
        )
    )
    told = {
        place: [s["children"] for s in statements]
        for place, statements in doc["statements"].items()
    }
    assert told == {
        "found": [["It costs $412."]],
        "cannot_tell": [["The gap is 6 points."], ["Whether it pays."]],
        "decide": [["Move two hours."]],
    }


def gap(position):
    return document.MissingChapter(
        position=position, title="The return", question="Does it pay?", why="No programme cost.",
        needs=[{"table": "programme", "columns": ["team_id", "start_date"]}],
    )  # fmt: skip


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_missing_chapter_keeps_its_place_and_is_told_on_page_one(notebook, position):
    paths = [notebook(said(f"# Question {k}?"), name=f"{k}.ipynb") for k in (1, 2)]
    doc = compiled(*paths, missing=[gap(position)])
    assert doc["chapters"][position]["title"] == "Does it pay?"
    assert [c["title"] for c in doc["chapters"] if not c["missing"]] == [
        "Question 1?",
        "Question 2?",
    ]
    (told,) = doc["statements"]["cannot_tell"]
    assert told["needs"] == "programme: team_id, start_date"


def test_definitions_are_gathered_in_the_appendix(notebook):
    cells = [
        said("## Finding"),
        said("## Definitions and sources\n**Cost** is all pay."),
        shows(show_table, TEAMS, **TABLE),
    ]
    doc = compiled(notebook(TITLE, *cells))
    assert [n["kind"] for n in doc["chapters"][0]["nodes"]] == ["heading"]
    assert [n["kind"] for n in doc["appendix"][0]["nodes"]] == ["paragraph", "table"]


def test_tables_are_numbered_through_chapters_and_appendix(notebook):
    table = shows(show_table, TEAMS, **TABLE)
    first = notebook(TITLE, table, said("## Definitions and sources"), table, name="1.ipynb")
    doc = compiled(first, notebook(TITLE, table, name="2.ipynb"))
    assert [c["nodes"][-1]["number"] for c in doc["chapters"]] == [1, 2]
    assert doc["appendix"][0]["nodes"][0]["number"] == 3


def test_a_failed_cell_stops_the_report_even_where_it_is_hidden(notebook):
    failed = ran(
        [{"output_type": "error", "ename": "KeyError", "evalue": "'n'", "traceback": []}],
        tags=("analyst",),
    )
    with pytest.raises(DocumentError, match=r"2_cost.ipynb, cell 2 failed: KeyError: 'n'"):
        compiled(notebook(TITLE, failed))


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_printed_text_stops_it(notebook, name):
    with pytest.raises(
        DocumentError, match=rf"cell 2 printed 'rows: 3' to {name}. Show it by report.show"
    ):
        compiled(notebook(TITLE, printed("rows: 3\n", name)))


def test_a_warning_of_python_does_not_and_page_one_says_so(notebook):
    """Its kind and place are told; what it quotes stays in the notebook."""
    text = "kernel_1/2.py:3: RuntimeWarning: Acme's 7 divided by zero\n  x / y\n"
    doc = compiled(notebook(TITLE, said("It holds."), printed(text, "stderr")))
    (notice,) = doc["notices"]
    assert notice.startswith(
        "Python gave 1 warning while these figures were computed (2_cost.ipynb, cell 3: "
        "RuntimeWarning): "
    )
    assert "Acme" not in json.dumps(doc)


def test_blank_output_does_not(notebook):
    assert compiled(notebook(TITLE, printed(" \n")))["chapters"][0]["nodes"] == []


@pytest.mark.parametrize(
    "data",
    [
        {"text/html": "<table></table>", "text/plain": "x"},
        {"image/png": "aGk=", "text/plain": "<Figure>"},
        {"text/plain": "412.3"},
        {"text/markdown": "**$399** to $3,788"},
    ],
)
def test_what_is_shown_without_show_stops_it(notebook, data):
    bare = ran(
        [{"output_type": "execute_result", "metadata": {}, "data": data, "execution_count": 1}]
    )
    with pytest.raises(
        DocumentError, match=r"cell 2 shows .* without report.show. Show it by report.show"
    ):
        compiled(notebook(TITLE, bare))


def test_a_payload_of_another_version_stops_it(notebook):
    (output,) = outputs(show.text, "x")
    output["data"]["application/vnd.alignment-roi+json"]["kind"] = "video"
    with pytest.raises(DocumentError, match="another version wrote a 'video'"):
        compiled(notebook(TITLE, ran([output])))


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("![plan](plan.png)", "an image in markdown: show it by report.show.figure"),
        ("[here](javascript:alert(1))", "a link must start with http://, https:// or mailto:"),
        ("[^1]: nobody asks", "footnote 1 is defined but never referred to"),
        ("$$\\frac{1}{2$$", "formula .* Unmatched"),
        ('$x \\text{" #panic()}$', "are not allowed inside"),
        ("#### Too deep", "headings go to ### only"),
        ("# Another title", "a second title 'Another title'"),
    ],
)
def test_markdown_that_cannot_be_shown_stops_it(notebook, source, complaint):
    with pytest.raises(DocumentError, match=rf"2_cost.ipynb.*{complaint}"):
        compiled(notebook(TITLE, said(source)))


def test_a_notebook_without_a_title_is_named(notebook):
    with pytest.raises(
        DocumentError, match=r"2_cost.ipynb: the first thing shown must be its title"
    ):
        compiled(notebook(said("## Answer")))


@pytest.mark.parametrize(
    "source",
    [
        "from $399 to $3,788",
        "**$2,000,000** over 528 hours is **$3,788**.",
        "$100K/$200K, and $5 (C$)",
        r"\$x\$ stays",
    ],
)
def test_money_in_markdown_is_no_formula(source):
    (paragraph,) = markdown.parse_markdown(source)
    assert "maths" not in json.dumps(paragraph)
    assert markdown.plain_text(paragraph["children"]) == source.replace("*", "").replace("\\", "")


def test_a_formula_keeps_its_latex_as_alt_text():
    (paragraph,) = markdown.parse_markdown(r"cost $\frac{S}{h}$ an hour")
    assert paragraph["children"][1] == {"kind": "maths", "tex": r"\frac{S}{h}", "typst": "S/h"}


def test_html_in_markdown_is_text():
    (paragraph,) = markdown.parse_markdown("a <b>bold</b> claim")
    assert "".join(paragraph["children"]) == "a <b>bold</b> claim"


def test_what_the_data_are_comes_below_what_they_say_of_the_business():
    """The chapter on the data comes first in the report, and answers none of page one's questions."""

    def chapter(title, *, in_body):
        return document.Chapter(
            title=title,
            lead=[],
            nodes=[{"kind": "finding", "children": [title], "verdict": "found"}],
            details=[],
            missing=None,
            answers=[],
            in_body=in_body,
        )

    chapters = [
        chapter("Rows", in_body=False),
        chapter("Cost", in_body=True),
        chapter("Pay", in_body=True),
    ]
    assert [n["chapter"] for n in document._statements(chapters)["found"]] == [
        "Cost",
        "Pay",
        "Rows",
    ]
