"""All that a report says beyond its chapters, put together: plain data for the template and the workbook."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis import prepare, quarters, settings
from analysis.models import answerability
from analysis.report import manifest, page_one
from analysis.report.quarterly import actions, clients, deltas, editions, forecasting, kit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from analysis.quarters import Quarter
    from analysis.report.document import Document
    from analysis.report.execute import Job, Outcome
    from analysis.report.manifest import Manifest


class Past(NamedTuple):
    """Comparisons with the quarter before and with this quarter's own first edition, and the jobs they take."""

    before: deltas.Comparison | None
    first: deltas.Comparison | None
    jobs: list[Job]


class Quarterly(NamedTuple):
    """What the report shows (`content`), what the manifest keeps (`kept`), and the forecasts to be kept."""

    content: dict[str, Any]
    kept: dict[str, Any]
    forecasts: dict[str, dict[str, Any]]


def past(quarter: Quarter, now: Manifest, notebooks: Sequence[Path], scratch: Path) -> Past:
    """Return what was published before and is to be computed again."""
    found: list[deltas.Comparison | None] = []
    jobs: list[Job] = []
    dataset = now["dataset"]
    for then in (editions.first(dataset, str(quarter.shifted(-1))), editions.own(dataset, str(quarter))):
        comparison, more = deltas.compare(then, now, notebooks, scratch) if then else (None, [])
        found.append(comparison)
        jobs += more
    return Past(found[0], found[1], jobs)


def quarterly(
    document: Document, dataset: str, quarter: Quarter, compared: Past, outcomes: Sequence[Outcome]
) -> Quarterly:
    """Return the pages of a report that compare it with the last and run the review."""
    before = str(quarter.shifted(-1))
    house, cards = settings.load(dataset), document["cover"]
    last = manifest.published(dataset, quarter.shifted(-1))
    failed = [j.output for j, o in zip(compared.jobs, outcomes, strict=True) if o.status != "ok"]
    moved = deltas.rows(compared.before, failed, cards, last)
    restated = deltas.rows(compared.first, failed, cards, {}) if compared.first else []
    withheld = answerability.withheld_questions(prepare.audit(dataset))
    gated = answerability.withheld_metrics(prepare.audit(dataset))
    known = {
        name: values
        for name, values in forecasting.history(dataset, str(quarter), house).items()
        if answerability.METRIC_QUESTIONS.get(name) not in withheld
    }
    came = {c["name"]: c["estimate"] for c in cards}
    score = forecasting.scored(dataset, before, came)
    told = forecasting.made(cards, known)
    held = actions.reviews(dataset, before=str(quarter))
    carried = actions.carried(held, dt.date.fromisoformat(document["as_of"]))
    earlier = {n: {q: v for q, v in p.items() if q < str(quarter)} for n, p in known.items()}
    metrics = page_one.key_metrics(house.key_metrics, cards, last, before, earlier, gated)
    published = {q: manifest.published(dataset, quarters.quarter(q)) for q in held}
    panel = prepare.load(dataset, "rep_quarter")
    stays = panel[panel["quarter"] == str(quarter)]
    content = {
        "before": before,
        "following": str(quarter.shifted(1)),
        "key_metrics": metrics,
        "deltas": moved,
        "has_before": bool(last),
        "restated": deltas.changed(restated),
        "forecasts": forecasting.rows(cards, score, told),
        "forecast_note": _forecast_note(score, forecasting.hits(dataset, before, score)),
        "actions": kit.carried_rows(carried, {c["name"]: c for c in cards}, published),
        "actions_note": actions.sentence(carried, held),
        "kit": kit.kit(
            document,
            carried=carried,
            metrics=metrics,
            stays=stays.iloc[:0] if "cost" in withheld else stays,
            house=house,
        ),
        "narrative": clients.said(dataset, quarter, house),
    }
    kept = {
        "deltas": [{k: r[k] for k in ("name", "then", "now", "movement", *deltas.CAUSES, "says")} for r in moved],
        "since_first_edition": deltas.summary(restated) if compared.first else "first edition",
        "forecasts_scored": score,
    }
    return Quarterly(content, kept, told)


def _forecast_note(score: Mapping[str, Any], hits: tuple[int, int]) -> str:
    if not score:
        return "No forecast was made for this quarter: the next report scores those below."
    now = sum(f["is_inside"] for f in score.values())
    return f"{now} of {len(score)} forecasts for this quarter held; {hits[0]} of {hits[1]} since the first."
