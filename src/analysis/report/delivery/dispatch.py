"""Who gets what of a dataset, and the sending of it: each message once.

The audience gets reports that hold; the owner hears of those that failed or answer nothing, of
reports that are overdue, and of key metrics that crossed a limit.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.project import exchange_settings, paths, quarters, settings
from analysis.report.delivery import deliverables, ledger, letters, metric_alerts, transports
from analysis.report.delivery.ledger import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analysis.project.exchange_settings import DeliverySettings, Recipient
    from analysis.report.delivery.deliverables import Deliverable
    from analysis.report.delivery.letters import Letter

WEBHOOK = "webhook"
MOST_NAMED = 5
IN_DOUBT = (
    "in doubt: sending it was begun and never noted as done; look whether it arrived, then "
    "`alignment-roi deliver {dataset} --resend {id}` to send it again"
)


class PlannedMessage(NamedTuple):
    """A message, and what holds it back: empty where it goes out now."""

    delivery: Delivery
    letter: Letter
    content: dict[str, Any]  # for the webhook
    held_back: str


class DeliveryPlan(NamedTuple):
    """All messages of a dataset on a day, and why a report or a recipient has none.

    ``unserved`` are recipients named for a report or pack that cannot go to them and never did.
    """

    messages: list[PlannedMessage]
    notes: list[str]
    unserved: list[str]


def plan_delivery(
    dataset: str, today: dt.date, *, resend: str | None = None, new_edition: bool = False
) -> DeliveryPlan:
    """Return who gets what of a dataset's newest report.

    Parameters
    ----------
    resend : id of a message that goes out again, alone
    new_edition : reports that went out and were made anew since go out again

    Raises
    ------
    SettingsError
        If the settings say nothing of delivery, or something wrong.
    ExchangeError
        If what was sent cannot be read, or there is no message `resend`.
    """
    house = exchange_settings.read_delivery()
    if house is None:
        raise settings.SettingsError(
            "alignment.toml: has no [delivery]; README says what stands there."
        )
    known_metrics = [a.metric for a in house.alerts if a.dataset == dataset]
    own = settings.load_dataset_settings(dataset)
    metric_alerts.require_key_metrics(known_metrics, [m.name for m in own.key_metrics])
    month = own.company.fiscal_year_start_month
    outputs = deliverables.newest_deliverables(dataset, month)
    before = ledger.read_deliveries(dataset)
    drafts, notes = _drafts(dataset, house, outputs, today, new_edition=new_edition)
    unserved = [] if resend else _unserved(dataset, house, outputs, before)
    drafts += _overdue(dataset, house, outputs, drafts, before, today, month)
    messages = [_with_state(d, before, house, today, resend) for d in drafts]
    if resend is not None:
        messages = [m for m in messages if m.delivery.delivery_id == resend]
        if not messages:
            raise transports.NotSentError(
                f"no message {resend} of {dataset}'s newest report; `deliver --dry-run` lists them"
            )
    return DeliveryPlan(messages, notes, unserved)


def plan_lines(plan: DeliveryPlan) -> list[str]:
    """Return who would get what, in lines."""
    lines = [
        f"{m.delivery.delivery_id}  {m.delivery.to}: {m.letter.subject}"
        f" [{m.held_back or f'goes out now by {m.delivery.by}'}]"
        for m in plan.messages
    ]
    return lines + plan.notes + plan.unserved


def send_all(
    plan: DeliveryPlan, *, say: Callable[[str], None], complain: Callable[[str], None]
) -> bool:
    """Send what is due; return whether all of it went out and nothing is in doubt."""
    house = exchange_settings.read_delivery()
    is_whole = True
    with _opened(house) as mailbox:
        for message in plan.messages:
            delivery, line = message.delivery, f"{message.delivery.to}: {message.letter.subject}"
            if message.held_back:
                if delivery.is_in_doubt:
                    is_whole = False
                    complain(f"{line}: {message.held_back}")
                continue
            begun = None
            try:
                if mailbox is not None and delivery.by == "e-mail":
                    mailbox.connect()
                begun = ledger.note_begun(delivery)
                by = _send(message, house, mailbox)
            except transports.InDoubtError as error:
                is_whole = False
                complain(f"{line}: {error}. {_doubt(delivery)}")
                continue
            except transports.NotSentError as error:
                if begun is not None:
                    ledger.forget(begun)
                is_whole = False
                complain(f"{line}: not sent: {error}")
                continue
            ledger.note_sent(begun)
            say(f"{line}: {by}")
    for note in plan.notes:
        say(note)
    for line in plan.unserved:
        complain(line)
    return is_whole and not plan.unserved


@contextlib.contextmanager
def _opened(house: DeliverySettings | None) -> Iterator[transports.Mailbox | None]:
    if house is None or house.mail_server is None:
        yield None
        return
    with contextlib.closing(transports.Mailbox(house.mail_server)) as mailbox:
        yield mailbox


def _send(
    message: PlannedMessage, house: DeliverySettings | None, mailbox: transports.Mailbox | None
) -> str:
    delivery = message.delivery
    if house is None:
        raise transports.NotSentError("alignment.toml has no [delivery]")
    if delivery.to == WEBHOOK:
        if house.webhook is None:
            raise transports.NotSentError("alignment.toml has no [delivery.webhook]")
        transports.post_webhook(house.webhook, message.content, delivery.delivery_id)
        return "posted"
    mail = letters.mail_message(
        message.letter, sender=house.sender, to=delivery.to, message_id=delivery.delivery_id
    )
    if mailbox is None or house.by == "files":
        file = transports.write_file(mail, delivery.dataset, delivery.delivery_id)
        return f"written as data/{transports.OUTGOING}/{delivery.dataset}/{file.name}"
    mailbox.send(mail, sender=house.sender, to=delivery.to)
    return "sent"


def _drafts(
    dataset: str,
    house: DeliverySettings,
    outputs: list[Deliverable],
    today: dt.date,
    *,
    new_edition: bool,
) -> tuple[list[PlannedMessage], list[str]]:
    drafts: list[PlannedMessage] = []
    notes: list[str] = []
    if not outputs:
        notes.append(f"{dataset}: no report has been made yet")
    for output in outputs:
        if output.why_not:
            notes.append(f"{output.label}: goes to nobody: {output.why_not}")
            drafts += _to_owner_of(output, house)
            continue
        edition = output.state["pdf_sha256"] if new_edition else None
        letter = letters.report_letter(output, house.base_url)
        drafts += [
            _message("report", r.address, output, letter, house, edition, _pause(r, today))
            for r in house.recipients
            if (r.dataset, r.pack) == (dataset, output.pack)
        ]
        if output.pack is None:
            if _hears(house, dataset):
                drafts.append(_message("report", WEBHOOK, output, letter, house, edition))
            drafts += _alerts(output, house)
    return drafts, [letters.one_line(note) for note in notes]


def _unserved(
    dataset: str, house: DeliverySettings, outputs: list[Deliverable], before: dict[str, Delivery]
) -> list[str]:
    """Return a line for each recipient whom no report or pack named for them reached or can."""
    there = {output.pack: output for output in outputs}
    reached = {
        (d.to, d.quarter, d.pack) for d in before.values() if d.kind == "report" and d.sent_at
    }
    lines = []
    for r in house.recipients:
        output = there.get(r.pack)
        if not (paths.project_root() / "data" / "raw" / r.dataset).is_dir():
            lines.append(f"{r.address}: gets nothing: there is no dataset {r.dataset} here")
        elif r.dataset != dataset or not outputs:
            continue
        elif output is None:
            missing = f"pack {r.pack}" if r.pack else "report"
            packs = [pack for pack in there if pack]
            lines.append(
                f"{r.address}: gets nothing: there is no {missing} of {dataset}"
                + (_known_packs(packs) if r.pack else "")
            )
        elif output.why_not and (r.address, output.quarter, output.pack) not in reached:
            lines.append(f"{r.address}: gets nothing of {output.label}: {output.why_not}")
    return [letters.one_line(line) for line in lines]


def _known_packs(packs: list[str]) -> str:
    if not packs:
        return "; `alignment-roi report DATASET --each-team` makes packs"
    more = f" and {len(packs) - MOST_NAMED} more" if len(packs) > MOST_NAMED else ""
    return f"; there are {', '.join(packs[:MOST_NAMED])}{more}"


def _to_owner_of(output: Deliverable, house: DeliverySettings) -> list[PlannedMessage]:
    """Return what the owner hears of a report that failed or answers nothing."""
    if output.why_not == deliverables.FAILED:
        kind: ledger.Kind = "failure"
        letter = letters.failure_letter(output)
    elif output.why_not == deliverables.WITHHELD:
        kind = "withheld"
        letter = letters.notice_letter(
            f"Alignment ROI: {output.label} went to nobody",
            f"Every answer of {output.label} is withheld, so it was sent to nobody. "
            "Its page one says what the data lack.",
        )
    else:
        return []
    once = f"{output.state['run_id']} {letter.opening}"
    messages = [_message(kind, house.owner, output, letter, house, once)]
    if _hears(house, output.dataset):
        messages.append(_message(kind, WEBHOOK, output, letter, house, once))
    return messages


def _alerts(output: Deliverable, house: DeliverySettings) -> list[PlannedMessage]:
    messages = []
    for alert in house.alerts:
        if alert.dataset != output.dataset:
            continue
        says = metric_alerts.crossing(alert, output.state)
        if says is None:
            continue
        letter = letters.notice_letter(f"Alignment ROI: {alert.metric} of {output.label}", says)
        once = f"{alert.metric} {alert.above} {alert.below}"
        messages.append(_message("alert", house.owner, output, letter, house, once))
        if _hears(house, output.dataset):
            messages.append(_message("alert", WEBHOOK, output, letter, house, once))
    return messages


def due_quarter(
    dataset: str, house: DeliverySettings, today: dt.date, month: int
) -> tuple[str, dt.date] | None:
    """Return the latest quarter whose report is due by now, and its due day; None where none is."""
    days = house.schedule_of(dataset).due_days
    if days is None:
        return None
    quarter = quarters.last_complete(today, month)
    while (day := quarter.end(month) + dt.timedelta(days=days)) >= today:
        quarter = quarter.shifted(-1)
    return str(quarter), day


def _overdue(
    dataset: str,
    house: DeliverySettings,
    outputs: list[Deliverable],
    drafts: list[PlannedMessage],
    before: dict[str, Delivery],
    today: dt.date,
    month: int,
) -> list[PlannedMessage]:
    """Return what the owner hears of a report that is due and went to nobody, nor does now."""
    due = due_quarter(dataset, house, today, month)
    if due is None or paused_until(house, dataset, today):
        return []
    quarter, day = due
    sent = {d.quarter for d in before.values() if d.kind == "report" and d.state == "sent"}
    goes_now = {d.delivery.quarter for d in drafts if d.delivery.kind == "report"}
    ready = {o.quarter for o in outputs if o.pack is None and not o.why_not}
    if any(q >= quarter for q in sent | goes_now | (ready if not house.recipients else set())):
        return []
    letter = letters.notice_letter(
        f"Alignment ROI overdue: {dataset} {quarter}",
        f"The report of {dataset} {quarter} was due on {day} and went to nobody yet.",
    )
    to = [house.owner, *([WEBHOOK] if _hears(house, dataset) else [])]
    return [_notice("overdue", each, dataset, quarter, letter, house) for each in to]


def _hears(house: DeliverySettings, dataset: str) -> bool:
    hook = house.webhook
    return hook is not None and (not hook.datasets or dataset in hook.datasets)


def _pause(recipient: Recipient, today: dt.date) -> str:
    until = recipient.paused_until
    return f"paused until {until}" if until and today < until else ""


def paused_until(house: DeliverySettings, dataset: str, today: dt.date) -> dt.date | None:
    """Return the day until which a dataset's deliveries are paused; None where they are not."""
    days = (house.paused_until, house.schedule_of(dataset).paused_until)
    return max((day for day in days if day and today < day), default=None)


def _message(
    kind: ledger.Kind,
    to: str,
    output: Deliverable,
    letter: Letter,
    house: DeliverySettings,
    once: str | None,
    held_back: str = "",
) -> PlannedMessage:
    """Return a message on a report; `once` tells apart what may come again of the same quarter."""
    content = {
        "event": kind,
        "dataset": output.dataset,
        "company": output.state.get("company") or output.dataset,
        "quarter": output.quarter,
        "pack": output.pack,
        "run_id": output.state["run_id"],
        "subject": letter.subject,
        "text": letter.opening,
        "answers": [
            dict(zip(("question", "word", "text"), a, strict=True)) for a in letter.answers
        ],
        "key_metrics": list(letter.metrics),
        "link": letter.link,
        "pdf_sha256": output.state["pdf_sha256"],
    }
    delivery = _new_delivery(
        kind, to, output.dataset, output.quarter, output.pack, output.state["run_id"], house, once
    )
    return PlannedMessage(delivery, letter, content, held_back)


def _notice(
    kind: ledger.Kind, to: str, dataset: str, quarter: str, letter: Letter, house: DeliverySettings
) -> PlannedMessage:
    """Return a message on a report that is not there."""
    content = {"event": kind, "dataset": dataset, "quarter": quarter, "subject": letter.subject,
               "text": letter.opening}  # fmt: skip
    delivery = _new_delivery(kind, to, dataset, quarter, None, "", house, None)
    return PlannedMessage(delivery, letter, content, "")


def _new_delivery(
    kind: ledger.Kind,
    to: str,
    dataset: str,
    quarter: str,
    pack: str | None,
    run_id: str,
    house: DeliverySettings,
    once: str | None,
) -> Delivery:
    return Delivery(
        delivery_id=ledger.delivery_id(kind, to.lower(), dataset, quarter, pack, once),
        kind=kind,
        to=to,
        dataset=dataset,
        quarter=quarter,
        pack=pack,
        run_id=run_id,
        state="being sent",
        by=WEBHOOK if to == WEBHOOK else house.by,
        begun_at="",
    )


def _with_state(
    draft: PlannedMessage,
    before: dict[str, Delivery],
    house: DeliverySettings,
    today: dt.date,
    resend: str | None,
) -> PlannedMessage:
    """Return a message with what was noted of it: sent, in doubt, or paused."""
    if resend is not None and draft.delivery.delivery_id == resend:
        return draft._replace(held_back="")
    noted = _same_report(draft.delivery, before) or before.get(draft.delivery.delivery_id)
    if noted is not None and noted.state == "sent":
        again = "" if noted.run_id == draft.delivery.run_id else _NEWER
        return draft._replace(delivery=noted, held_back=f"sent {noted.sent_at}{again}")
    if noted is not None:
        return draft._replace(delivery=noted, held_back=_doubt(noted))
    until = paused_until(house, draft.delivery.dataset, today)
    if until and draft.delivery.kind == "report":
        return draft._replace(held_back=f"paused until {until}")
    return draft


_NEWER = "; it was made anew since: --new-edition sends that"


def _same_report(delivery: Delivery, before: dict[str, Delivery]) -> Delivery | None:
    """Return a delivery of the same edition under another id: asked for as a new edition or not."""
    if delivery.kind != "report":
        return None
    same = (delivery.to.lower(), delivery.quarter, delivery.pack, delivery.run_id)
    of_reports = [d for d in before.values() if d.kind == "report"]
    return next(
        (d for d in of_reports if (d.to.lower(), d.quarter, d.pack, d.run_id) == same), None
    )


def _doubt(delivery: Delivery) -> str:
    return IN_DOUBT.format(dataset=delivery.dataset, id=delivery.delivery_id)
