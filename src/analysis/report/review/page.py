"""The pages of a report beyond its chapters, put together.

Plain data for the template and the workbook.

The review kit: one page to run the quarterly meeting by.

Nothing on it is new: opportunities are what was found and practices that would pay, concerns what
the data cannot tell and what misses its target, bottlenecks the largest burdens and what is
overdue.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.chapters.cost import cost
from analysis.chapters.data_quality import answerability
from analysis.project import quarters
from analysis.project.errors import CrmDataError
from analysis.report import formats, page_plan
from analysis.report.review import actions, changes, drivers, feedback, trends
from analysis.report.review import forecasts as review_forecasts
from analysis.stats import suppression
from analysis.store import editions, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from analysis.project.settings import Settings
    from analysis.report.document import Document
    from analysis.report.markdown import Node
    from analysis.report.run.notebook_jobs import Job
    from analysis.store.company import Company
    from analysis.store.run_record import Manifest, Outcome


class Past(NamedTuple):
    """Comparisons with the quarter before and with this quarter's own first edition, and the jobs
    they take.
    """

    before: changes.QuarterComparison | None
    first: changes.QuarterComparison | None
    jobs: list[Job]


class Quarterly(NamedTuple):
    """What the report shows (`content`), what the manifest keeps (`kept`), and the forecasts to be
    kept.
    """

    content: dict[str, Any]
    record: dict[str, Any]
    forecasts: dict[str, dict[str, Any]]


def past_quarters(
    company: Company, now: Manifest, notebooks: Sequence[Path], scratch: Path
) -> Past:
    """Return the published quarters to compute again, and the jobs for them."""
    comparisons: list[changes.QuarterComparison | None] = []
    jobs: list[Job] = []
    for then in (
        editions.first_edition(company.dataset, str(company.period.shifted(-1))),
        editions.own_edition(company.dataset, company.quarter),
    ):
        comparison, more = (
            changes.plan_comparison(then, now, notebooks, scratch) if then else (None, [])
        )
        comparisons.append(comparison)
        jobs += more
    return Past(comparisons[0], comparisons[1], jobs)


def quarterly_pages(
    document: Document, company: Company, compared: Past, outcomes: Sequence[Outcome]
) -> Quarterly:
    """Return the pages of a report that compare it with the last and run the review."""
    dataset, quarter = company.dataset, company.period
    before = str(quarter.shifted(-1))
    house, cards = company.settings, document["cover"]
    last = manifest.published_figures(dataset, quarter.shifted(-1))
    failed = [j.output for j, o in zip(compared.jobs, outcomes, strict=True) if o.status != "ok"]
    splits = drivers.split_headlines(
        company, names={c["name"] for c in cards if c["estimate"] is not None}
    )
    moved = changes.change_rows(compared.before, failed, cards, last, splits)
    year = drivers.year_rows(
        splits, cards, manifest.published_figures(dataset, quarter.shifted(-4))
    )
    restated = changes.change_rows(compared.first, failed, cards, {}) if compared.first else []
    withheld = answerability.withheld_questions(company.audit)
    gated = answerability.withheld_metrics(company.audit)
    history, index_history = (
        {n: v for n, v in past.items() if answerability.METRIC_QUESTIONS.get(n) not in withheld}
        for past in (
            review_forecasts.unbroken_history(company),
            {"alignment_index": review_forecasts.unbroken(splits.index_history, quarter)},
        )
    )
    series = history | index_history
    came = {c["name"]: c["estimate"] for c in cards}
    score = review_forecasts.score_forecasts(dataset, before, came)
    forecasts = review_forecasts.forecasts_of_cards(cards, history)
    review_of = actions.read_reviews(dataset, before=str(quarter))
    carried = actions.carry_actions(review_of, dt.date.fromisoformat(document["as_of"]))
    earlier = {n: {q: v for q, v in p.items() if q < str(quarter)} for n, p in series.items()}
    metrics = page_plan.key_metrics(
        house.key_metrics,
        cards,
        [
            page_plan.EarlierFigures(
                then,
                manifest.published_figures(dataset, quarters.parse_quarter(then)),
                {n: s.then for n, s in splits.against[then].items()}
                | {n: values[then] for n, values in earlier.items() if then in values},
            )
            for then in (before, splits.year_before)
        ],
        earlier,
        gated,
    )
    published = {
        q: manifest.published_figures(dataset, quarters.parse_quarter(q)) for q in review_of
    }
    reasons = drivers.page_one_reasons(splits, cards)
    stays = company.rows_of_quarter("rep_quarter")
    content = {
        "before": before,
        "following": str(quarter.shifted(1)),
        "next_review": _last_day(quarter.shifted(1), house).isoformat(),
        "year_before": splits.year_before,
        "trends": trends.trend_figure(cards, earlier, house.key_metrics, str(quarter)),
        "key_metrics": [m | {"why": reasons.get(m["name"], "")} for m in metrics],
        "deltas": [
            row | {"year": year.get(row["name"]), "usual": drivers.usual_step(splits, card)}
            for row, card in zip(moved, cards, strict=True)
        ],
        "waterfalls": _waterfalls(splits, cards, str(quarter)),
        "has_before": bool(last),
        "restated": changes.changed_rows(restated),
        "forecasts": review_forecasts.forecast_rows(cards, score, forecasts),
        "quarter": str(quarter),
        "series": series,
        "published": editions.first_published(dataset, before=str(quarter)),
        "forecasts_scored": score,
        "forecasts_made": forecasts,
        "forecast_note": _forecast_note(
            score,
            review_forecasts.forecast_hits(dataset, before, score),
            is_any_made=bool(forecasts),
        ),
        "actions": carried_rows(carried, {c["name"]: c for c in cards}, published),
        "actions_note": actions.actions_sentence(carried, review_of),
        "kit": review_kit(
            document,
            carried=carried,
            metrics=metrics,
            stays=stays.iloc[:0] if "cost" in withheld else stays,
            house=house,
        ),
        "narrative": feedback.client_feedback(company),
    }
    record = {
        "deltas": [
            {k: r[k] for k in ("name", "then", "now", "movement", *changes.CAUSES, "says")}
            | {"basis": r["basis"], "drivers": r["parts"], "year_before": _record(year, r["name"])}
            for r in moved
        ],
        "since_first_edition": changes.change_summary(restated)
        if compared.first
        else "first edition",
        "forecasts_scored": score,
    }
    return Quarterly(content, record, forecasts)


def _last_day(quarter: quarters.Quarter, house: Settings) -> dt.date:
    return quarter.end(house.company.fiscal_year_start_month) - dt.timedelta(days=1)


def _waterfalls(
    splits: drivers.HeadlineSplits, cards: Sequence[dict[str, Any]], now: str
) -> list[Row]:
    """Return the bars of the cost of an hour against either earlier quarter, side by side."""
    drawn = [
        drivers.waterfall(card, splits.against[q][card["name"]], q, now, splits.leave.get(q, ""))
        for card in cards
        for q in (splits.before, splits.year_before)
        if card["name"] == WATERFALL_OF and card["name"] in splits.against[q]
    ]
    return [w for w in drawn if w]


def _record(year: Mapping[str, Row], name: str) -> Row | None:
    """Return what the manifest keeps of a headline against the same quarter a year before."""
    row = year.get(name)
    return row and {k: row[k] for k in ("then", "change", "basis", "parts", "says")}


def _forecast_note(score: Mapping[str, Any], hits: tuple[int, int], *, is_any_made: bool) -> str:
    if not score and not is_any_made:
        return (
            "No forecast was made for this quarter, and none for the next: too few quarters are "
            "there to learn from."
        )
    if not score:
        return "No forecast was made for this quarter: the next report scores those below."
    now = sum(f["is_inside"] for f in score.values())
    return (
        f"{now} of {len(score)} forecasts for this quarter came true, within their interval; "
        f"{hits[0]} of {hits[1]} since the first."
    )


MOST_POINTS, MOST_PRACTICES = 4, 8
NO_GAINS = ("no material effect", "likely does not pay")
WATERFALL_OF = "cost_per_selling_hour"  # the headline whose change is drawn
Row = dict[str, Any]


def review_kit(
    document: Document,
    *,
    carried: Sequence[actions.CarriedAction],
    metrics: Sequence[Row],
    stays: pd.DataFrame,
    house: Settings,
) -> Row:
    """Return the page: agenda, practices to change by team, and what the meeting costs.

    `metrics` are the rows of page one, `stays` panel ``rep_quarter`` of the quarter reported.
    """
    nodes = [(n, c["title"]) for c in document["chapters"] for n in page_plan.whole_chapter(c)]
    missed = [_point([_missed(m)]) for m in metrics if m["met"] == "missed"]
    overdue = [_point([_overdue(c.action)]) for c in carried if c.is_overdue]
    burdens = [_repeated(n, title) for n, title in nodes if n["kind"] == "bottleneck"]
    statements = document["statements"]
    in_body = {
        c["title"] for c in document["chapters"] if c["in_body"]
    }  # what the data are is no opportunity
    findings = [s for s in statements["found"] if s["chapter"] in in_body]
    gains = [*statements["decide"], *(s for s in findings if not _is_concern(s))]
    losses = [s for s in findings if _is_concern(s)]
    return {
        "agenda": [
            _part(
                "Opportunities",
                [_repeated(s, s["chapter"]) for s in gains],
                "Which of these do we take up, who, by when?",
            ),
            _part(
                "Concerns",
                [
                    *missed,
                    *(_repeated(s, s["chapter"]) for s in (*losses, *statements["cannot_tell"])),
                ],
                "What do we do about each, and what would it take to know more?",
            ),
            _part(
                "Bottlenecks", [*overdue, *burdens], "What stands in the way, and who can move it?"
            ),
        ],
        "practices": _practices(n for n, _ in nodes),
        "meeting": _meeting(stays, house),
    }


def _is_concern(statement: Row) -> bool:
    """Return whether a finding is no opportunity: a loss, or that something makes no difference."""
    return bool(statement.get("is_loss")) or statement.get("verdict") in NO_GAINS


def _missed(m: Row) -> str:
    return (
        f"{' '.join(filter(None, [m['label'] + ':', m['value'], m['unit']]))}, target "
        f"{m['target']}."
    )


def _overdue(a: actions.ReviewAction) -> str:
    return f"Overdue since {a.due}: {a.text} ({a.owner})"


def _point(children: list[Any]) -> Row:
    return {"children": children, "chapter": ""}


def _repeated(statement: Row, chapter: str) -> Row:
    """Return a statement of a chapter as a point, with the place where it stands."""
    keys = ("children", "anchor", "owner")
    return {k: statement[k] for k in keys if k in statement} | {"chapter": chapter}


def _part(name: str, points: Sequence[Row], question: str) -> Row:
    first_points = list(points[:MOST_POINTS])
    return {
        "name": name,
        "points": first_points,
        "more": len(points) - len(first_points),
        "question": question,
    }


def _practices(nodes: Iterable[Node]) -> Row | None:
    """Return the rows of the first table of practices, largest gain first as the chapter ordered
    them.
    """
    table = next((n for n in nodes if n["kind"] == "table" and n.get("use") == "practices"), None)
    if table is None:
        return None
    heads = [f"{c['label']} [{c['unit']}]" if c["unit"] else c["label"] for c in table["columns"]]
    open_rows = [row for row in table["rows"] if suppression.HIDDEN not in row]
    rows = [[formats.shorten_text(cell) for cell in row] for row in open_rows[:MOST_PRACTICES]]
    return {
        "heads": heads,
        "numeric": [c["is_numeric"] for c in table["columns"]],
        "rows": rows,
        "more": len(open_rows) - len(rows),
        "number": table["number"],
        "note": table["note"],
        "source": table["source"],
    }


def _meeting(stays: pd.DataFrame, house: Settings) -> str:
    """Return what the meeting costs.

    People x hours x cost of a working hour, as far as pay tells.
    """
    people, hours, currency = house.review.people, house.review.hours, house.company.currency
    each = _cost_of_hour(stays, house)
    if math.isnan(each):
        why = (
            "We cannot tell what they cost: it takes pay and hours of "
            f"{house.people.smallest_cell} reps."
        )
        return f"{people} people for {hours:g} h, {people * hours:g} h together. {why}"
    money = [formats.cell_words(x, "money", currency) for x in (each, people * hours * each)]
    return (
        f"{people} people for {hours:g} h come to {money[1]}, at the {money[0]} that a rep's "
        "working hour costs."
    )


def _cost_of_hour(stays: pd.DataFrame, house: Settings) -> float:
    share, currency = house.hours.minimum_logged_share, house.company.currency
    try:
        result = cost.estimate_cost(
            stays, "cost_per_available_hour", minimum_logged_share=share, currency=currency
        )
    except CrmDataError:  # no rep that quarter
        return math.nan
    return result.estimate if result.n >= house.people.smallest_cell else math.nan


def carried_rows(
    carried: Sequence[actions.CarriedAction], now: Mapping[str, Any], then: Mapping[str, Any]
) -> list[Row]:
    """Return an action a row, with its metric as published when the action was decided and today.

    `now` holds this report's cards by name; `then` by quarter and name what was published.
    """
    return [_action(c, now, then) for c in carried]


def _action(c: actions.CarriedAction, now: Mapping[str, Any], then: Mapping[str, Any]) -> Row:
    a = c.action
    state: str = "overdue" if c.is_overdue else a.status
    if c.is_forgotten:
        state = f"{state}, not spoken of since {c.last_review}"
    card = now.get(a.metric or "")
    measured = "not measured"
    if card:
        old = then.get(c.since, {}).get(a.metric)
        measured = f"{card['label']}: {card['shown']['value']} now"
        if old is not None:
            was = formats.cell_words(old, card["format"], card["currency"])
            measured = f"{card['label']}: {was} in {c.since}, {card['shown']['value']} now"
    about = f"{a.text} Reason: {a.reason}" if a.reason else a.text
    return {
        "id": a.id,
        "text": about,
        "owner": a.owner,
        "due": str(a.due),
        "state": state,
        "measured": measured,
    }
