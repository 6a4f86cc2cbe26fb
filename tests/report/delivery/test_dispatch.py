"""Who gets what: only reports that hold, each once, and the owner hears of the rest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from delivered_project import (
    ANSWERS,
    CFO,
    LEAD,
    METRIC,
    OWNER,
    TODAY,
    add_packs,
    configure,
    deliver,
    publish_small,
    published_project,
    pull_again,
    pull_small,
    report_folder,
    rewrite,
)
from loopback_servers import Inbox, mail_server
from report_fixtures import at, run

from analysis.project.settings import SettingsError
from analysis.report.delivery import delivery_status, dispatch, ledger

if TYPE_CHECKING:
    from pathlib import Path


def test_a_recipient_gets_the_report_with_its_answers_and_the_pdf(root, inbox):
    configure(root, inbox.port, (CFO, None))
    assert deliver(root)[0]
    [message] = inbox.messages()
    assert (message["To"], message["Subject"]) == (CFO, "Alignment ROI report: small, 2026Q2")
    plain = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "What does an hour of selling cost?\nUp. It costs $399." in plain
    assert "<strong>Cannot tell.</strong> Two teams are too few." in message.get_body(("html",)).get_content()  # fmt: skip
    [pdf] = message.iter_attachments()
    assert pdf.get_filename() == "alignment-roi-small-2026Q2.pdf"
    assert pdf.get_content() == (report_folder(root) / "alignment-roi.pdf").read_bytes()


def test_a_link_stands_there_only_with_a_base_address(root, inbox):
    configure(root, inbox.port, (CFO, None), more='base_url = "https://reports.acme.test/roi/"')
    deliver(root)
    text = inbox.messages()[0].get_body(("plain",)).get_content()
    assert "https://reports.acme.test/roi/small/2026Q2/alignment-roi.pdf" in text


def test_each_of_24_packs_goes_to_those_named_for_it_and_a_failed_one_to_nobody(root, inbox):
    """Team 7's failed: 23 recipients get their own, the owner hears of the 24th."""
    folders = add_packs(root, *(f"team {n}" for n in range(24)))
    broken = {"notebook": "8_pack", "status": "failed", "cell": 3, "error": "ZeroDivisionError: x"}
    rewrite(root, folders[7], status="failed", notebooks=[broken])
    configure(root, inbox.port, *((f"lead{n}@acme.test", f"team {n}") for n in range(24)))
    is_whole, lines = deliver(root)
    assert not is_whole
    assert "lead7@acme.test: gets nothing of small 2026Q2, pack team 7: it failed" in lines
    got = {m["To"]: m for m in inbox.messages()}
    assert set(got) == {OWNER, *(f"lead{n}@acme.test" for n in range(24) if n != 7)}
    for n in set(range(24)) - {7}:
        [pdf] = got[f"lead{n}@acme.test"].iter_attachments()
        assert pdf.get_content() == f"%PDF pack {n}".encode()
    failure = got[OWNER]
    assert (
        "8_pack, cell 3: ZeroDivisionError: x (failed)"
        in failure.get_body(("plain",)).get_content()
    )
    assert not list(failure.iter_attachments())


def test_a_report_is_sent_once(root, inbox):
    configure(root, inbox.port, (CFO, None))
    deliver(root)
    deliver(root)
    assert inbox.recipients == [CFO]


def test_a_report_made_anew_goes_out_again_only_if_asked_and_then_once(root, inbox):
    configure(root, inbox.port, (CFO, None))
    deliver(root)
    sent = ledger.Delivery.model_validate_json(next((root / "data").rglob("deliveries/*.json")).read_bytes())  # fmt: skip
    with at(root):
        ledger.note_sent(sent.model_copy(update={"run_id": "f" * 16}))  # as of an edition before
        held = dispatch.plan_delivery("small", TODAY).messages[0].held_back
    assert held.endswith("it was made anew since: --new-edition sends that")
    deliver(root, new_edition=True)
    deliver(root, new_edition=True)
    deliver(root)
    assert inbox.recipients == [CFO, CFO]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda root: rewrite(root, answers=[a | {"word": "Withheld"} for a in ANSWERS]), "every answer is withheld"),
        (lambda root: rewrite(root, answers=[], questions={"cost": "withheld"}), "every answer is withheld"),
        (lambda root: rewrite(root, parameters={"dataset": "small", "quarter": "2026Q2", "asks": 4}), "it is out of date"),
        (lambda root: (report_folder(root) / "alignment-roi.pdf").write_bytes(b"%PDF"), "not the one that was published"),
        (lambda root: (report_folder(root) / "alignment-roi.pdf").unlink(), "there is no PDF"),
        (lambda root: rewrite(root, as_of="2026-05-15"), "its quarter is not over"),
    ],
)  # fmt: skip
def test_a_report_that_does_not_hold_goes_to_nobody(root, inbox, spoil, why):
    configure(root, inbox.port, (CFO, None))
    spoil(root)
    _, lines = deliver(root)
    assert CFO not in inbox.recipients
    assert why in " ".join(lines)
    assert inbox.recipients == ([OWNER] if "withheld" in why else [])


def test_packs_are_out_of_date_with_the_report_they_stand_beside(root, inbox):
    """Exports changed since: neither goes out, and whoever is named for one is told of in the log."""
    add_packs(root, "north")
    configure(root, inbox.port, (CFO, None), (LEAD, "north"))
    deals = root / "data" / "raw" / "small" / "Opportunity.csv"
    deals.write_text(deals.read_text().replace("1000.00", "1001.00"))
    is_whole, lines = deliver(root)
    assert not is_whole
    assert inbox.recipients == []
    for label in (
        f"{CFO}: gets nothing of small 2026Q2:",
        f"{LEAD}: gets nothing of small 2026Q2, pack north:",
    ):
        [line] = [line for line in lines if line.startswith(label)]
        assert "exports changed since" in line


def test_a_report_made_before_a_pull_is_out_of_date(tmp_path, inbox):
    """It still holds, by what history keeps, but there is a later state of the tables."""
    root = published_project(tmp_path / "project")
    session = pull_small(root)
    publish_small(root)
    rewrite(root, answers=ANSWERS, key_metrics=[])
    configure(root, inbox.port, (CFO, None))
    session.execute("update opportunity set amount = 7, _fivetran_synced = '2026-07-01'")
    session.commit()
    pull_again(root)
    is_whole, lines = deliver(root)
    assert (is_whole, inbox.recipients) == (False, [])
    assert "it is out of date: run" in lines[0]
    assert "as the pull of 2" in lines[0]
    publish_small(root)
    rewrite(root, answers=ANSWERS, key_metrics=[])
    assert deliver(root)[0]
    assert inbox.recipients == [CFO]


def test_a_recipient_of_no_dataset_or_pack_is_named_and_the_run_is_not_whole(root, inbox):
    configure(root, inbox.port, (CFO, None), (LEAD, "nort"))
    file = root / "alignment.toml"
    unknown = '[[delivery.recipients]]\naddress = "x@acme.test"\ndataset = "smal"\n'
    file.write_text(f"{file.read_text()}\n{unknown}")
    is_whole, lines = deliver(root)
    assert not is_whole
    assert inbox.recipients == [CFO]
    assert "x@acme.test: gets nothing: there is no dataset smal here" in lines
    hint = "; `alignment-roi report DATASET --each-team` makes packs"
    assert f"{LEAD}: gets nothing: there is no pack nort of small{hint}" in lines
    add_packs(root, *(f"n{n}" for n in range(7)))
    assert any(
        line.endswith("of small; there are n0, n1, n2, n3, n4 and 2 more")
        for line in deliver(root)[1]
    )


def test_a_failed_report_is_told_to_the_owner_once(root, inbox):
    broken = {"notebook": "2_cost", "status": "timeout", "cell": 7, "error": "a cell ran longer than 900 s"}  # fmt: skip
    rewrite(root, status="failed", notebooks=[broken])
    configure(root, inbox.port, (CFO, None))
    deliver(root)
    deliver(root)
    [message] = inbox.messages()
    assert message["Subject"] == "Alignment ROI failed: small 2026Q2"
    assert "2_cost, cell 7: a cell ran longer than 900 s" in message.get_body(("plain",)).get_content()  # fmt: skip


def test_a_mailbox_that_is_refused_stops_no_other_and_is_tried_again(root):
    box = Inbox(refused=(CFO,))
    with mail_server(box) as port:
        configure(root, port, (CFO, None), (LEAD, None))
        is_whole, lines = deliver(root)
        assert (is_whole, box.recipients) == (False, [LEAD])
        assert f"{CFO}: Alignment ROI report: small, 2026Q2: not sent: the mail server said 550 no such mailbox" in lines  # fmt: skip
        box.refused = ()
        assert deliver(root)[0]
    assert box.recipients == [LEAD, CFO]


def test_a_message_that_the_server_turns_down_is_certainly_not_sent(root):
    box = Inbox(reply="554 5.7.1 looks like spam")
    with mail_server(box) as port:
        configure(root, port, (CFO, None))
        assert "554 5.7.1 looks like spam" in deliver(root)[1][0]
        box.reply = "250 OK"
        deliver(root)
    assert box.recipients == [CFO]


def test_a_delivery_that_was_begun_and_never_noted_is_in_doubt_until_somebody_resends_it(
    root, inbox
):
    """It is neither sent again nor taken for sent; the exit says so."""
    configure(root, inbox.port, (CFO, None), (LEAD, None))
    with at(root):
        [cfo, _] = dispatch.plan_delivery("small", TODAY).messages
        ledger.note_begun(cfo.delivery)
    ran = run(root, "deliver", "small")
    assert (ran.code, inbox.recipients) == (3, [LEAD])
    identifier = cfo.delivery.delivery_id
    assert f"alignment-roi deliver small --resend {identifier}" in ran.err
    assert run(root, "deliver", "small", "--resend", identifier).code == 0
    assert inbox.recipients == [LEAD, CFO]
    assert run(root, "deliver", "small").code == 0


def test_a_ledger_that_cannot_be_read_stops_all_sending(root, inbox):
    configure(root, inbox.port, (CFO, None))
    folder = root / "data" / "history" / "small" / "deliveries"
    folder.mkdir(parents=True)
    (folder / "0123456789ab.json").write_text("{")
    ran = run(root, "deliver", "small")
    assert ran.code == 3
    assert "what was sent is not known" in ran.err
    assert inbox.recipients == []


def test_a_dry_run_says_who_would_get_what_and_sends_nothing(root, inbox):
    configure(root, inbox.port, (CFO, None), (LEAD, "no such team"))
    ran = run(root, "deliver", "small", "--dry-run")
    assert ran.code == 0
    assert f"{CFO}: Alignment ROI report: small, 2026Q2 [goes out now by e-mail]" in ran.out
    assert f"{LEAD}: gets nothing: there is no pack no such team of small" in ran.out
    assert inbox.recipients == []
    assert not (root / "data" / "history" / "small" / "deliveries").exists()


@pytest.mark.parametrize(
    "more",
    [
        "paused_until = 2026-08-01",
        '\n[[delivery.schedules]\ndataset = "small"\npaused_until = 2026-08-01\n'.replace("[[delivery.schedules]", "[[delivery.schedules]]"),
    ],
)  # fmt: skip
def test_what_is_paused_waits_for_its_day(root, inbox, more):
    configure(root, inbox.port, (CFO, None), more=more)
    deliver(root, dt.date(2026, 7, 31))
    assert inbox.recipients == []
    deliver(root, dt.date(2026, 8, 1))
    assert inbox.recipients == [CFO]


def test_an_overdue_report_is_told_to_the_owner_once(root, inbox):
    """2026Q3 was due on 10 October, and the newest report is of 2026Q2."""
    more = '\n[[delivery.schedules]]\ndataset = "small"\ndue_days = 9\n'
    configure(root, inbox.port, (CFO, None), more=more)
    deliver(root, dt.date(2026, 10, 10))
    assert inbox.recipients == [CFO]
    deliver(root, dt.date(2026, 10, 11))
    deliver(root, dt.date(2026, 10, 12))
    assert inbox.recipients == [CFO, OWNER]
    assert inbox.messages()[1]["Subject"] == "Alignment ROI overdue: small 2026Q3"


@pytest.mark.parametrize(
    ("limit", "now", "is_told"),
    [
        ("above = 500.0", 520.0, True),
        ("above = 480.0", 520.0, True),
        ("above = 470.0", 520.0, False),
        ("above = 530.0", 520.0, False),
        ("below = 470.0", 460.0, True),
        ("below = 490.0", 460.0, False),
        ("above = 500.0", None, False),
    ],
)
def test_an_alert_is_for_a_metric_that_crossed_a_limit_not_for_one_beyond_it(
    root, inbox, limit, now, is_told
):
    """The quarter before it was 480; where today's is withheld, whether it crossed is unknown."""
    rewrite(root, metrics={"cost_per_selling_hour": METRIC | {"estimate": now}})
    configure(root, inbox.port, more=f'\n[[delivery.alerts]]\ndataset = "small"\nmetric = "cost_per_selling_hour"\n{limit}\n')  # fmt: skip
    deliver(root)
    deliver(root)
    assert inbox.recipients == [OWNER] * is_told
    if is_told:
        text = inbox.messages()[0].get_body(("plain",)).get_content()
        side, value = limit.split(" = ")
        assert f"is {now:g} in 2026Q2 and was 480 in 2026Q1: it is now {side} {float(value):g}" in text  # fmt: skip


def test_an_alert_on_what_is_no_key_metric_is_refused(root, inbox):
    configure(root, inbox.port, more='\n[[delivery.alerts]]\ndataset = "small"\nmetric = "cost_per_seling_hour"\nabove = 5.0\n')  # fmt: skip
    with pytest.raises(SettingsError, match=r"Did you mean cost_per_selling_hour\?"):
        deliver(root)


def test_files_are_written_for_those_who_send_by_other_means(root, inbox):
    configure(root, inbox.port, (CFO, None), more='by = "files"')
    deliver(root)
    [file] = (root / "data" / "outgoing" / "small").glob("*.eml")
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"To: {CFO}".encode() in file.read_bytes()
    assert inbox.recipients == []


@pytest.mark.parametrize("place", ["data/outgoing", "data/outgoing/small"])
def test_a_link_in_place_of_a_folder_of_messages_is_named_and_not_followed(root, tmp_path, place):
    """Neither is anything noted as sent: once a folder stands there, the message is written."""
    configure(root, 9, (CFO, None), more='by = "files"')
    (away := tmp_path / "away").mkdir()
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).symlink_to(away)
    is_whole, [line] = deliver(root)
    assert (is_whole, list(away.iterdir())) == (False, [])
    assert f"not sent: {place} is a link" in line
    (root / place).unlink()
    assert deliver(root)[0]


# --- the index ----------------------------------------------------------------------------------


def index_of(root: Path, today: dt.date) -> list[str]:
    with at(root):
        lines = delivery_status.delivery_lines("small", "2026Q2", today)
        return [line.text for line in lines] + delivery_status.overdue_lines({"small": {"2026Q2"}}, today)  # fmt: skip


def test_the_index_says_when_and_to_how_many_a_report_was_delivered(root, inbox):
    """Two got the report and one a pack; another run begun for a fourth is in doubt."""
    add_packs(root, "team 1")
    configure(root, inbox.port, (CFO, None), ("coo@acme.test", None), (LEAD, "team 1"))
    assert index_of(root, TODAY) == ["Delivered to nobody yet"]
    assert run(root, "deliver", "small").code == 0
    day = dt.datetime.now(tz=dt.UTC).date()
    lines = [f"Delivered to 2, last on {day}", f"Packs delivered to 1, last on {day}"]
    assert index_of(root, TODAY) == lines
    page = (root / "reports" / "index.html").read_text()
    assert " · ".join(lines) in page
    with at(root):
        sent = next(iter(ledger.read_deliveries("small").values()))
        ledger.note_begun(sent.model_copy(update={"delivery_id": "0" * 12}))
    assert index_of(root, TODAY)[-1].startswith(
        "1 delivery is in doubt: alignment-roi deliver small"
    )


def test_the_index_says_what_is_paused_and_what_is_overdue(root):
    """2026Q2 was due on 14 July, 2026Q3 on 14 October."""
    due = '\n[[delivery.schedules]]\ndataset = "small"\ndue_days = 14\n'
    configure(root, 1, (CFO, None), more=due)
    assert index_of(root, dt.date(2026, 7, 15)) == ["Delivered to nobody yet"]
    assert index_of(root, dt.date(2026, 7, 16)) == ["Overdue since 2026-07-15: delivered to nobody yet"]  # fmt: skip
    assert index_of(root, dt.date(2026, 10, 16))[-1] == "small 2026Q3: overdue since 2026-10-15, not made yet"  # fmt: skip
    configure(root, 1, (CFO, None), more=f"{due}paused_until = 2026-08-01\n")
    assert index_of(root, dt.date(2026, 7, 16)) == ["Deliveries are paused until 2026-08-01"]


# --- what is hostile ----------------------------------------------------------------------------

HOSTILE = "A\r\nBcc: evil@evil.test\r\n\r\n<script>alert(1)</script>\u202e \x1b[31m../../etc/passwd"


def test_names_and_answers_of_the_data_are_text_in_headers_bodies_and_file_names(root, inbox):
    """No header more, no other recipient, no mark-up, nothing that acts, no path."""
    add_packs(root, HOSTILE)
    rewrite(root, report_folder(root) / "teams" / "t0", title=HOSTILE, company=HOSTILE,
            answers=[{"question": HOSTILE, "word": HOSTILE, "text": HOSTILE}])  # fmt: skip
    configure(root, inbox.port, (LEAD, HOSTILE))
    assert deliver(root)[0]
    assert inbox.recipients == [LEAD]
    [message] = inbox.messages()
    assert sorted({h.lower() for h in message.keys()}) == sorted(  # noqa: SIM118
        ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"]
    )  # fmt: skip
    assert "\n" not in message["Subject"]
    assert len(message["Subject"]) <= 150
    page = message.get_body(("html",)).get_content()
    assert "<script" not in page
    assert "\u202e" not in page + message.get_body(("plain",)).get_content()
    [pdf] = message.iter_attachments()
    assert set(pdf.get_filename()) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
    )
    assert ".." not in pdf.get_filename()


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("cfo@evil.test", "recipients.0.address is in none of delivery.domains"),
        ("cfo@acme.test.evil.test", "in none of delivery.domains"),
        ("a@acme.test,b@evil.test", "not an e-mail address"),
        ("a@acme.test\\nBcc: b@evil.test", "not an e-mail address"),
        ("cfo@acme.test>", "not an e-mail address"),
        ("Ada, CFO <cfo@acme.test>", "not an e-mail address"),
        ('\\"cfo, b@evil.test\\"@acme.test', "not an e-mail address"),
        ("cfo@büro.acme.test", "a domain of other letters is written by its xn-- name"),
        ("cfo@acme.test\u200b", "a domain of other letters"),
    ],
)
def test_a_recipient_beyond_the_domains_is_refused_before_anything_is_sent(root, inbox, address, says):  # fmt: skip
    configure(root, inbox.port, (address, None))
    ran = run(root, "deliver", "small")
    assert ran.code == 2
    assert says in ran.err
    assert inbox.recipients == []
