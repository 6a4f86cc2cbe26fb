"""A message on a report: its subject, its words as plain text and as HTML, the PDF with it.

Whatever comes from the data is text: nothing in it ends a line of a header, and no name of a file
is taken from it but letters, digits and hyphens.
"""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from analysis.project import paths
from analysis.project.hidden_secrets import without_secrets
from analysis.project.terminal_text import terminal_text
from analysis.report import web_page
from analysis.store import manifest

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.report.delivery.deliverables import Deliverable

LONGEST_SUBJECT = 150
LONGEST_LINE = 600
TEMPLATE = "mail.html.j2"


class Letter(NamedTuple):
    """What a message says; `file` is attached where there is one."""

    subject: str
    opening: str
    answers: tuple[tuple[str, str, str], ...] = ()  # question, word, text
    metrics: tuple[str, ...] = ()
    link: str | None = None
    file: Path | None = None
    file_name: str = ""


def report_letter(output: Deliverable, base_url: str | None) -> Letter:
    """Return the message that brings a report or a pack."""
    state = output.state
    company = state.get("company") or output.dataset
    whose = state.get("title") or output.pack
    what = f"{company}, {whose}" if whose and output.pack else company
    kind = "pack" if output.pack else "report"
    return Letter(
        one_line(f"Alignment ROI {kind}: {what}, {output.quarter}", LONGEST_SUBJECT),
        one_line(f"The {kind} of {what}, {state['quarter_label']}, is attached as a PDF."),
        tuple(
            (one_line(a["question"]), one_line(a["word"] or ""), one_line(a["text"]))
            for a in state.get("answers", [])
        ),
        tuple(_metric_line(m) for m in state.get("key_metrics", [])),
        _link(output, base_url) if base_url else None,
        output.file,
        attachment_name(output),
    )


def failure_letter(output: Deliverable) -> Letter:
    """Return the message that tells the owner of a failed report: notebook, cell and error."""
    broken = [n for n in output.state["notebooks"] if n["status"] not in manifest.WITHOUT_FAILURE]
    lines = [f"{manifest.failure_line(n)} ({n['status']})" for n in broken]
    lines = lines or [str(output.state["error"])]
    return Letter(
        one_line(f"Alignment ROI failed: {output.label}", LONGEST_SUBJECT),
        one_line(f"No report went out. {'; '.join(lines)}"),
    )


def notice_letter(subject: str, text: str) -> Letter:
    """Return a short notice to the owner."""
    return Letter(one_line(subject, LONGEST_SUBJECT), one_line(text))


def attachment_name(output: Deliverable) -> str:
    """Return a name that is safe on every system: dataset, quarter and the pack's letters."""
    parts = [
        "alignment-roi",
        output.dataset,
        output.quarter,
        *([output.pack] if output.pack else []),
    ]
    plain = [re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-")[:40] for part in parts]
    return "-".join(part for part in plain if part) + ".pdf"


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Return a text of the data as one harmless line without secrets."""
    line = " ".join(terminal_text(re.sub(r"\s+", " ", without_secrets(str(text)))).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}\u2026"


def plain_text(letter: Letter) -> str:
    """Return the words of a message as plain text."""
    parts = [letter.opening]
    parts += [f"{q}\n{f'{word}. ' if word else ''}{text}" for q, word, text in letter.answers]
    if letter.metrics:
        parts.append("\n".join(("Key metrics", *letter.metrics)))
    if letter.link:
        parts.append(letter.link)
    return "\n\n".join(parts) + "\n"


def mail_message(letter: Letter, *, sender: str, to: str, message_id: str) -> EmailMessage:
    """Return a message ready to be sent to one recipient; made again, it has the same id."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=False, usegmt=True)
    message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(plain_text(letter))
    page = web_page.fill_template(TEMPLATE, letter=letter)
    message.add_alternative(page.decode("utf-8"), subtype="html")
    if letter.file is not None:
        message.add_attachment(
            letter.file.read_bytes(),
            maintype="application",
            subtype="pdf",
            filename=letter.file_name,
        )
    return message


def _metric_line(metric: dict[str, Any]) -> str:
    before = "; ".join(f"{e['quarter']}: {e['value']}" for e in metric.get("earlier", []))
    unit = f" {metric['unit']}" if metric.get("unit") else ""
    return one_line(
        f"{metric['label']}: {metric['value']}{unit}" + (f" ({before})" if before else "")
    )


def _link(output: Deliverable, base_url: str) -> str:
    place = output.file.relative_to(paths.reports_folder()).as_posix()
    return f"{base_url.rstrip('/')}/{quote(place)}"
