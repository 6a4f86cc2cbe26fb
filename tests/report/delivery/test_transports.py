"""Mail by TLS and the webhook: to whom a message is handed over, for how long, and with no secret said."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import loopback_servers
import pytest
from delivered_project import (
    CFO,
    configure,
    deliver,
    report_folder,
    rewrite,
)
from loopback_servers import Inbox, mail_server, web_server
from report_fixtures import run

from analysis.store import manifest

if TYPE_CHECKING:
    from pathlib import Path


def test_the_webhook_gets_signed_json_once(root, inbox, monkeypatch):
    """The signature is HMAC-SHA256 over the time, a dot and the body."""
    key = "a key of the webhook's"
    monkeypatch.setenv("ALIGNMENT_ROI_WEBHOOK_KEY", key)
    with web_server() as (port, received):
        configure(root, inbox.port, more=f'\n[delivery.webhook]\nurl = "http://127.0.0.1:{port}/hook?a=1"\n')  # fmt: skip
        deliver(root)
        deliver(root)
    [posted] = received
    content = json.loads(posted.body)
    assert (content["event"], content["quarter"], posted.path) == ("report", "2026Q2", "/hook?a=1")
    assert content["answers"][0]["text"] == "It costs $399."
    signed = f"{posted.headers['X-Alignment-Roi-Time']}.".encode() + posted.body
    expected = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
    assert posted.headers["X-Alignment-Roi-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_says_no_is_asked_again_and_never_followed_elsewhere(
    root, inbox, monkeypatch, status
):
    monkeypatch.setenv("ALIGNMENT_ROI_WEBHOOK_KEY", "a key of the webhook's")
    with web_server() as (other, strayed), web_server(status, f"http://127.0.0.1:{other}/") as (port, received):  # fmt: skip
        configure(root, inbox.port, more=f'\n[delivery.webhook]\nurl = "http://127.0.0.1:{port}/"\n')  # fmt: skip
        is_whole, lines = deliver(root)
        deliver(root)
    assert (is_whole, len(received), strayed) == (False, 2, [])
    assert f"the webhook answered {status}" in lines[0]


@pytest.mark.parametrize(
    "kind", ["header without end", "one byte at a time", "continue", "body without end"]
)
def test_a_webhook_that_never_ends_is_left_in_time(root, inbox, monkeypatch, kind):
    """Whether it took the message nobody knows; a body that never ends is not read, and took it."""
    monkeypatch.setenv("ALIGNMENT_ROI_WEBHOOK_KEY", "a key of the webhook's")
    monkeypatch.setattr("analysis.report.delivery.transports.LONGEST_S", 0.5)
    with loopback_servers.endless_server(kind) as port:
        configure(root, inbox.port, more=f'\n[delivery.webhook]\nurl = "http://127.0.0.1:{port}/"\n')  # fmt: skip
        is_whole, lines = deliver(root)
    assert is_whole == (kind == "body without end")
    assert ("in doubt" in lines[0]) != is_whole


@pytest.mark.parametrize("kind", ["greeting without end", "reply without end"])
def test_a_mail_server_that_never_ends_is_left_in_time(root, monkeypatch, kind):
    """Before a message is handed over it was certainly not sent."""
    monkeypatch.setattr("analysis.report.delivery.transports.LONGEST_S", 0.5)
    with loopback_servers.endless_server(kind) as port:
        configure(root, port, (CFO, None))
        is_whole, lines = deliver(root)
    assert not is_whole
    assert "not sent: the server cannot be reached" in lines[0]
    assert "no answer within 0.5 s" in lines[0]


# --- TLS and secrets ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return an authority and its certificates; skipped where no openssl is there."""
    if loopback_servers.NO_OPENSSL:
        pytest.skip(loopback_servers.NO_OPENSSL)
    return loopback_servers.make_certificates(tmp_path_factory.mktemp("certificates"))


def sealed(root: Path, port: int, authority: Path | None) -> None:
    """Send by STARTTLS with a user, trusting `authority` or the system's list."""
    configure(root, port, (CFO, None))
    trusted = f'certificates = "{authority}"\n' if authority else ""
    file = root / "alignment.toml"
    file.write_text(
        file.read_text()
        .replace('host = "127.0.0.1"', f'host = "localhost"\nuser = "reports"\n{trusted}')
        .replace('tls = "off"', 'tls = "starttls"')
    )


def test_mail_goes_by_tls_with_user_and_password(root, certificates, monkeypatch):
    monkeypatch.setenv("ALIGNMENT_ROI_MAIL_PASSWORD", loopback_servers.MAIL_PASSWORD)
    box = Inbox()
    with mail_server(box, certificates.context(certificates.good)) as port:
        sealed(root, port, certificates.authority)
        assert deliver(root)[0]
    assert box.recipients == [CFO]


@pytest.mark.parametrize("kind", ["unknown authority", "wrong name"])
def test_a_bad_certificate_gets_neither_password_nor_report(root, certificates, monkeypatch, kind):
    monkeypatch.setenv("ALIGNMENT_ROI_MAIL_PASSWORD", loopback_servers.MAIL_PASSWORD)
    box, is_named = Inbox(), kind == "wrong name"
    served = certificates.wrong_name if is_named else certificates.good
    with mail_server(box, certificates.context(served)) as port:
        sealed(root, port, certificates.authority if is_named else None)
        is_whole, lines = deliver(root)
    assert (is_whole, box.recipients) == (False, [])
    assert "not sent: the certificate was refused" in lines[0]


@pytest.mark.parametrize("kind", ["good", "unknown authority", "wrong name"])
def test_the_webhook_gets_nothing_by_a_bad_certificate(
    root, inbox, certificates, monkeypatch, kind
):
    monkeypatch.setenv("ALIGNMENT_ROI_WEBHOOK_KEY", "a key of the webhook's")
    served = certificates.wrong_name if kind == "wrong name" else certificates.good
    trusted = "" if kind == "unknown authority" else f'certificates = "{certificates.authority}"\n'
    with web_server(context=certificates.context(served)) as (port, received):
        configure(root, inbox.port, more=f'\n[delivery.webhook]\nurl = "https://localhost:{port}/"\n{trusted}')  # fmt: skip
        is_whole, lines = deliver(root)
    assert (is_whole, len(received)) == ((True, 1) if kind == "good" else (False, 0))
    assert is_whole or "not sent: the certificate was refused" in lines[0]


def test_no_secret_is_printed_logged_or_kept(root, certificates, monkeypatch):
    """A wrong mail password and a wrong key, in every form they could take; the server repeats what it gets."""
    wrong, key = "hunter2%40@:/ x", "k%y@of:the/hook +"
    monkeypatch.setenv("ALIGNMENT_ROI_MAIL_PASSWORD", wrong)
    monkeypatch.setenv("ALIGNMENT_ROI_WEBHOOK_KEY", key)
    broken = {"notebook": "1_x", "status": "failed", "cell": 1, "error": f"OSError: {wrong} {quote(key)}"}  # fmt: skip
    box = Inbox()
    with mail_server(box, certificates.context(certificates.good)) as port, web_server(500) as (web, _):  # fmt: skip
        sealed(root, port, certificates.authority)
        file = root / "alignment.toml"
        file.write_text(f'{file.read_text()}[delivery.webhook]\nurl = "http://127.0.0.1:{web}/"\n')
        ran = run(root, "deliver", "small")
        rewrite(root, status="failed", notebooks=[broken])
        again = run(root, "deliver", "small", "--dry-run")
    assert (ran.code, box.recipients) == (3, [])
    assert "the mail server refused user and password (535)" in ran.err
    (report_folder(root) / manifest.FILE).unlink()  # what this test put there itself
    written = "".join(f.read_text(errors="replace") for f in root.rglob("*") if f.is_file())
    for secret in (wrong, key):
        plain = secret.encode()
        forms = [secret, quote(secret), quote(secret, safe=""), base64.b64encode(plain).decode(),
                 base64.b64encode(b"\0reports\0" + plain).decode(), repr(secret)[1:-1]]  # fmt: skip
        assert not [f for f in forms if f in ran.out + ran.err + again.out + again.err + written]
