"""What a notebook cell calls to show something.

Every call emits one output that reads well in JupyterLab and carries, beside that, the plain data
from which the report is set.  What is shown any other way does not reach leadership: the report
refuses it.  A notebook says once, by `use`, in which currency and with which smallest cell.

Captions, labels and notes are plain text.  Prose is markdown in which every dollar is money; text
that comes from the data goes into it through `inert`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from IPython.display import display
from matplotlib._pylab_helpers import Gcf
from matplotlib.text import Text

from analysis.chapters.data_quality import answerability
from analysis.figures import style
from analysis.figures.legible_names import label_text, spell_name
from analysis.project import money
from analysis.project.claims import CLAIMS
from analysis.project.errors import require_columns
from analysis.report import formats, html, markdown, output
from analysis.stats.suppression import MARK_COLUMN, N_COLUMN, suppress_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from analysis.chapters.data_quality.answerability import Withheld
    from analysis.report.output import Payload
    from analysis.stats.result import Result, Verdict
    from analysis.store.company import Company
    from analysis.tables.labelled_table import LabelledTable

SVG = "image/svg+xml"
inert = markdown.inert_markdown  # data as markdown that shows it verbatim


class _House:
    """What holds for a whole notebook."""

    currency = ""
    smallest_cell = 5
    withheld: ClassVar[Mapping[str, Withheld]] = {}  # by question
    withheld_metrics: ClassVar[Mapping[str, Withheld]] = {}  # by headline
    owners: ClassVar[Mapping[str, str]] = {}  # by key metric


def use(company: Company) -> None:
    """Set the company for what follows: its currency, its smallest cell, and what its gate
    withholds.
    """
    money.currency_symbol(company.settings.company.currency)
    _House.currency = company.settings.company.currency
    _House.smallest_cell = company.settings.people.smallest_cell
    _House.withheld = answerability.withheld_questions(company.audit)
    _House.withheld_metrics = answerability.withheld_metrics(company.audit)
    _House.owners = {m.name: m.owner for m in company.settings.key_metrics}


def value(number: float, format: str, *, currency: str = "") -> str:  # noqa: A002
    """Return a number as the report would show it, for use in prose.

    `currency` is that of a published figure.
    """
    return formats.cell_words(number, format, currency or _House.currency)


def card(
    result: Result,
    *,
    label: str,
    note: str = "",
    headline: bool = False,
    format: str = "",  # noqa: A002
) -> Payload:
    """Return the card of a result, to be shown by `kpis`; the unit chooses the format unless named.

    What rests on fewer reps than the smallest cell is not shown.
    """
    if result.name in _House.withheld_metrics:
        return _withheld_card(
            result,
            _House.withheld_metrics[result.name],
            label=label,
            headline=headline,
            format=format,
        )
    smallest = _House.smallest_cell
    is_small = result.n_of == "reps" and 0 < result.n < smallest
    if is_small:
        result = result._replace(estimate=math.nan, low=math.nan, high=math.nan)
    content = output.result_card(
        result, label=label, note=note, headline=headline, format=format, currency=_House.currency
    )
    if not is_small:
        return content
    values = {**content["shown"], "value": "not shown", "n": f"<{smallest} reps"}
    return {
        **content,
        "n": None,
        "note": f"Fewer than {smallest} reps. {note}".strip(),
        "shown": values,
    }


def _withheld_card(
    result: Result,
    why: Withheld,
    *,
    label: str,
    headline: bool,
    format: str,  # noqa: A002
) -> Payload:
    """Return a card without any number of the result.

    The gate's reason stands where the value would.
    """
    empty = result._replace(
        estimate=math.nan,
        low=math.nan,
        high=math.nan,
        n=0,
        method=f"{answerability.WITHHELD}: {why.why}",
    )
    content = output.result_card(
        empty,
        label=label,
        note=answerability.without_examples(why.sentence),
        headline=headline,
        format=format,
        currency=_House.currency,
    )
    values = {**content["shown"], "value": answerability.WITHHELD, "n": ""}
    return {**content, "n": None, "verdict": answerability.WITHHELD, "shown": values}


def is_withheld(*questions: str) -> bool:
    """Return whether the gate withholds one of the questions; if so, show why."""
    reasons = [_House.withheld[q] for q in questions if q in _House.withheld]
    if reasons:
        text(f"**Withheld.** {inert(reasons[0].why)}")
    return bool(reasons)


def kpis(cards: Sequence[Payload]) -> None:
    """Show cards side by side: value with unit, interval, n, kind, verdict and source."""
    plain = "\n".join(html.card_line(c) for c in cards)
    _emit({"kind": "kpis", "cards": list(cards)}, html=html.cards_html(cards), plain=plain)


def kpi(
    result: Result,
    *,
    label: str,
    note: str = "",
    headline: bool = False,
    format: str = "",  # noqa: A002
) -> None:
    """Show one result as a card; a headline also goes to the cover and into the manifest."""
    kpis([card(result, label=label, note=note, headline=headline, format=format)])


def table(labelled: LabelledTable) -> None:
    """Show a table.

    With a column ``n_reps``, rows of too few reps are hidden: the first column names the row and
    stays.  Where more columns name it, or groups have totals, call `suppress_cells` beforehand.
    """
    _emit_table(
        _cells(labelled), caption=labelled.caption, source=labelled.source, note=labelled.note
    )


def tables(several: Sequence[LabelledTable]) -> None:
    """Show several tables one under another, as cells for analysts do; those without a row not."""
    for labelled in several:
        if len(labelled.frame):
            table(labelled)


def claims(
    names: Sequence[str], *, caption: str = "Published figures, each as its publisher states it"
) -> None:
    """Show published figures with source and grade: whose they are, and what they are not."""
    picked = [CLAIMS[name] for name in names]
    heads = ["Figure", "Says", "What it is not", "n", "Grade", "Source"]
    rows = [
        [
            f"{'' if c.bound in {'exact', 'mean'} else f'{c.bound} '}{formats.with_unit(c.value, c.unit)}",  # noqa: E501
            c.says,
            c.is_not,
            f"{c.n:,}" if c.n else "not given",
            c.grade,
            f"{c.source}, {c.year}",
        ]
        for c in picked
    ]
    columns = [
        {"key": h, "label": h, "unit": "", "format": "text", "is_numeric": False} for h in heads
    ]
    cells = {"columns": columns, "rows": rows, "values": rows, "marks": "", "currency": ""}
    note = (
        "Grades: A peer-reviewed and quantitative, B peer-reviewed and qualitative, C official "
        "statistics, D vendor survey with n, E vendor claim without a method."
    )
    _emit_table(cells, caption=caption, source="as listed", note=note)


def figure(figure: Figure, data: LabelledTable, *, alt: str) -> None:
    """Show a figure under its own title and close it; the numbers behind it go to the workbook.

    `data` has the figure's caption, source and numbers; `alt` says in words what it shows, for
    whoever cannot see it.
    """
    if not alt.strip():
        raise ValueError("alt must say in words what the figure shows, got nothing")
    title, rows = " ".join(figure.get_suptitle().split()), data.frame
    if not title:
        raise ValueError("a figure needs a title that says what it shows, got none")
    if N_COLUMN in rows.columns and MARK_COLUMN not in rows.columns:
        n = rows[N_COLUMN]
        few = int((~((n >= _House.smallest_cell) | (n == 0))).sum())
        if few:
            raise ValueError(
                f"figure {title!r}: {few} of {len(rows)} rows stand for fewer than "
                f"{_House.smallest_cell} reps. Draw what stats.suppression.suppress_cells returns"
            )
    cells = output.table_cells(
        rows, kinds=data.formats, labels=data.labels, currency=_House.currency
    )
    figure.suptitle("")  # the page sets the title
    _spell_labels(figure)
    svg = style.figure_svg(figure)
    Gcf.destroy_fig(figure)  # what pyplot.close does, without the import of pyplot
    content = {
        "kind": "figure",
        "title": title,
        "caption": data.caption,
        "alt": alt,
        "source": data.source,
        "data": cells,
    }
    _emit(
        content,
        html=html.figure_html(content, svg),
        plain=f"{title}. {data.caption} {alt}",
        svg=svg,
    )


def _spell_labels(figure: Figure) -> None:
    """Let names in a figure go the way they go in the text: in letters the typeface holds, and cut
    where they name a row.
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            written = [label.get_text() for label in axis.get_ticklabels()]
            legible = [label_text(each) for each in written]
            if legible != written:
                size = axis.get_ticklabels()[0].get_fontsize()
                axis.set_ticks(axis.get_ticklocs(), legible, fontsize=size)
    for each in figure.findobj(Text):
        each.set_text(spell_name(each.get_text()))


def text(markdown_source: str) -> None:
    """Show computed prose; every dollar in it is money."""
    nodes = markdown.parse_markdown(markdown.money_safe(markdown_source))
    _emit({"kind": "text", "nodes": nodes}, html=html.prose_html(nodes), plain=markdown_source)


def finding(text: str, *, verdict: Verdict, word: str = "", is_loss: bool = False) -> None:
    """State what was found, in at most two sentences; `is_loss` makes it a concern of the review.

    `word` stands beside it on page one where the verdict is no answer: up, down or steady.
    """
    _emit_statement("finding", text, verdict=verdict, word=word, is_loss=is_loss)


def cannot_tell(text: str, *, needs: str) -> None:
    """State what the data cannot tell, and what it would take."""
    _emit_statement("cannot_tell", text, needs=needs)


def decision(text: str, *, metric: str = "", first_step: str = "") -> None:
    """State what is to be decided, its verb first; the owner of a key `metric` answers for it.

    `first_step` says in a sentence what to do on the next working day, should it be decided so.
    """
    owner = _House.owners.get(metric, "")
    _emit_statement("decision", text, owner=owner, first_step=first_step)


def bottleneck(text: str) -> None:
    """State in one sentence what holds teams up most; the review's agenda quotes it."""
    _emit_statement("bottleneck", text)


def practices(labelled: LabelledTable) -> None:
    """Show the practices to change, a row a team and practice, best first.

    The review kit shows them too.

    The table needs ``team``, ``practice``, ``hours`` [h] and ``amount`` [currency], as expected.
    """
    require_columns(labelled.frame, ["team", "practice", "hours", "amount"], "practices")
    cells = {**_cells(labelled), "use": "practices"}
    _emit_table(cells, caption=labelled.caption, source=labelled.source, note=labelled.note)


def _cells(labelled: LabelledTable) -> Payload:
    """Return a table's cells, rows of too few reps hidden where it counts reps and that was not
    done yet.
    """
    frame = labelled.frame
    if N_COLUMN in frame.columns and MARK_COLUMN not in frame.columns:
        frame = suppress_cells(frame, smallest=_House.smallest_cell, keep=list(frame.columns[:1]))
    return output.table_cells(
        frame,
        kinds=labelled.formats,
        labels=labelled.labels,
        currency=labelled.currency or _House.currency,
    )


def _emit_table(cells: Payload, *, caption: str, source: str, note: str) -> None:
    content = {
        "kind": "table",
        "caption": caption.removesuffix("."),
        "source": source,
        "note": note,
        **cells,
    }
    _emit(content, html=html.table_html(content), plain=html.table_text(content))


def _emit_statement(kind: str, sentence: str, **more: str | bool) -> None:
    nodes = markdown.parse_markdown(markdown.money_safe(sentence))
    if [node["kind"] for node in nodes] != ["paragraph"]:
        raise ValueError(f"a {kind} is one sentence, got {sentence!r}")
    content = {"kind": kind, "children": nodes[0]["children"], **more}
    _emit(content, html=html.statement_html(content), plain=sentence)


def _emit(content: Payload, *, html: str, plain: str, svg: str = "") -> None:
    content, exact = output.without_exact(content)
    bundle = {"text/plain": plain, "text/html": html, output.MIME: content}
    metadata = {} if exact is None else {output.MIME: {"exact": exact}}
    display({**bundle, SVG: svg} if svg else bundle, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
