"""The vetting form of open requests, to look through and fill in within JupyterLab.

The leader's own question is not on it: it is asked in the leader's session alone.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import ipywidgets

from analysis.chapters.marketing_requests.vetting_session import describe_request
from analysis.store import request_records
from analysis.store.request_records import VettingAnswer
from analysis.tables.vetting_form import BIG_PICTURE, PUBLIC

if TYPE_CHECKING:
    import pandas as pd

SCORES = {"open": None, "no": 0, "in part": 1, "yes": 2}
WIDE = {"layout": {"width": "44em"}, "style": {"description_width": "24em"}}


def form_of_requests(dataset: str, requests: pd.DataFrame) -> ipywidgets.Widget:
    """Return the form: a request is picked and its questions answered, each kept at once."""
    rows = {describe_request(row): str(row["request_id"]) for row in requests.to_dict("records")}  # type: ignore[arg-type]
    if not rows:
        return ipywidgets.HTML("No request waits.")
    picked = ipywidgets.Dropdown(options=rows, description="Request", **WIDE)
    page = ipywidgets.VBox()

    def turn(_: object = None) -> None:
        page.children = tuple(_questions(dataset, picked.value))

    picked.observe(turn, names="value")
    turn()
    return ipywidgets.VBox([picked, page])


def _questions(dataset: str, request_id: str) -> list[ipywidgets.Widget]:
    record = request_records.read_record(dataset, request_id)
    widgets: list[ipywidgets.Widget] = [ipywidgets.HTML(f"<b>{html.escape(request_id)}</b>")]
    for question in PUBLIC:
        answer = record.answers.get(str(question.number))
        words = ipywidgets.Text(
            value=answer.text if answer else "",
            description=f"{question.number}. {question.asks}",
            continuous_update=False,
            **WIDE,
        )
        score = ipywidgets.ToggleButtons(
            options=SCORES, value=answer.score if answer else None, style={"button_width": "5em"}
        )

        def keep(_: object, number: int = question.number, words=words, score=score) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            keep_answer(dataset, request_id, number, words.value, score.value)

        words.observe(keep, names="value")
        score.observe(keep, names="value")
        widgets.append(ipywidgets.HBox([words, score]))
    fields = "; ".join(f"{f.question} {f.field}" for f in BIG_PICTURE)
    widgets.append(
        ipywidgets.HTML(f"The big picture, in the terminal's session: {html.escape(fields)}")
    )
    return widgets


def keep_answer(dataset: str, request_id: str, number: int, text: str, score: int | None) -> None:
    """Keep an answer of the form; one without words is taken back.

    Once a request is vetted its answers stand.
    """
    record = request_records.read_record(dataset, request_id)
    if record.states:
        return
    answers = {k: a for k, a in record.answers.items() if k != str(number)}
    if text.strip():
        answers[str(number)] = VettingAnswer(text=text.strip(), score=score)
    changed = record.model_copy(update={"answers": answers})
    request_records.write_record(dataset, changed)
