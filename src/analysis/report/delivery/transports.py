"""Ways out: e-mail by SMTP, a signed message to an address of the web, files for other means.

A transport says which of three came: handed over (it returns), certainly not (`NotSentError`), or
nobody can know (`InDoubtError`).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import signal
import smtplib
import ssl
import time
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from analysis.project import paths
from analysis.project.errors import ExchangeError
from analysis.project.hidden_secrets import MAIL_PASSWORD, WEBHOOK_KEY, without_secrets
from analysis.project.private_files import FILE_OF_OWNER, private_folder
from analysis.project.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from email.message import EmailMessage
    from pathlib import Path

    from analysis.project.exchange_settings import MailServer, Webhook

PATIENCE_S = 30  # of silence
LONGEST_S = 300  # for one message, however busily a server says nothing
LONGEST_REPLY = 200
OUTGOING = "outgoing"  # of data/: messages for those who send by other means


class NotSentError(ExchangeError):
    """A message that certainly did not go out."""


class InDoubtError(ExchangeError):
    """A message that may or may not have arrived."""


def tls_context(certificates: str | None) -> ssl.SSLContext:
    """Return the TLS context that checks a server's certificate and name, by the system's
    certificates or a file's.
    """
    try:
        return ssl.create_default_context(cafile=certificates)
    except (OSError, ssl.SSLError):
        raise NotSentError(
            "the file of certificates named in the settings cannot be read"
        ) from None


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    """End with `TimeoutError` what takes longer than a message may: a server can send byte after
    byte, or line after line, and never come to the end.
    """

    def end(_number: int, _frame: object) -> NoReturn:
        raise TimeoutError(f"no answer within {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Mailbox:
    """A mail server, connected when the first message goes out."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._session: smtplib.SMTP | None = None

    def connect(self) -> None:
        """Connect, greet and log in, unless connected already; sends nothing."""
        with _certainly_not_sent(), _in_time():
            self._connected()

    def send(self, message: EmailMessage, *, sender: str, to: str) -> None:
        """Hand one message over for one recipient."""
        content = message.as_bytes()
        with _certainly_not_sent(), _in_time():
            session = self._connected()
            for step, address in ((session.mail, sender), (session.rcpt, to)):
                code, reply = step(address)
                if code not in {250, 251}:
                    session.rset()
                    raise NotSentError(f"the mail server said {code} {_words(reply)}")
        try:
            with _in_time():
                code, reply = session.data(content)
        except smtplib.SMTPDataError as error:
            code, reply = error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException):
            self._forget()
            raise InDoubtError(
                "the connection to the mail server broke before it confirmed the message"
            ) from None
        if code != 250:
            self._forget()
            raise NotSentError(f"the mail server said {code} {_words(reply)}")

    def close(self) -> None:
        """End the session, politely where the server still listens."""
        if self._session is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException), _in_time():
                self._session.quit()
        self._forget()

    def _forget(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None

    def _connected(self) -> smtplib.SMTP:
        if self._session is not None:
            try:
                if self._session.noop()[0] == 250:
                    return self._session
            except (OSError, smtplib.SMTPException):
                pass
            self._forget()
        server = self._server
        if server.tls == "from the start":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host,
                server.port,
                timeout=PATIENCE_S,
                context=tls_context(server.certificates),
            )
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=PATIENCE_S)
        try:
            self._greet(session)
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def _greet(self, session: smtplib.SMTP) -> None:
        session.ehlo_or_helo_if_needed()
        if self._server.tls == "starttls":
            session.starttls(context=tls_context(self._server.certificates))
            session.ehlo()
        if self._server.user is not None:
            password = os.environ.get(MAIL_PASSWORD)
            if not password:
                raise NotSentError(f"{MAIL_PASSWORD} holds no password for the mail server's user")
            if not password.isascii():
                raise NotSentError(f"{MAIL_PASSWORD} must be of ASCII characters")
            session.login(self._server.user, password)


@contextlib.contextmanager
def _certainly_not_sent() -> Iterator[None]:
    """Turn what goes wrong before a message is handed over into one line without a secret."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise NotSentError(
            f"the mail server refused user and password ({error.smtp_code})"
        ) from None
    except smtplib.SMTPResponseException as error:
        raise NotSentError(
            f"the mail server said {error.smtp_code} {_words(error.smtp_error)}"
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise NotSentError(f"the certificate was refused: {error.verify_message}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(f"the server cannot be reached: {_words(str(error))}") from None


def _bytes(reply: bytes | str) -> bytes:
    return reply if isinstance(reply, bytes) else reply.encode()


def _words(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return without_secrets(" ".join(text.split()))[:LONGEST_REPLY]


def post_webhook(webhook: Webhook, content: Mapping[str, Any], delivery_id: str) -> None:
    """Post JSON signed with the shared key: HMAC-SHA256 over time, a dot and the body.

    Redirections are not followed.
    """
    key = os.environ.get(WEBHOOK_KEY)
    if not key:
        raise NotSentError(f"{WEBHOOK_KEY} holds no key to sign with")
    body = json.dumps(content, ensure_ascii=True, sort_keys=True).encode()
    at = str(int(time.time()))
    signature = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "alignment-roi",
        "X-Alignment-Roi-Id": delivery_id,
        "X-Alignment-Roi-Time": at,
        "X-Alignment-Roi-Signature": f"sha256={signature}",
    }
    parts = urlsplit(webhook.url)
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=PATIENCE_S, context=tls_context(webhook.certificates)
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        with _certainly_not_sent(), _in_time():
            connection.connect()
        try:
            with _in_time():
                connection.request("POST", target, body, headers)
                status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            raise InDoubtError("the connection to the webhook broke before it answered") from None
    if not 200 <= status < 300:
        raise NotSentError(f"the webhook answered {status}")


def write_file(message: EmailMessage, dataset: str, name: str) -> Path:
    """Write a message as a file that mail programs open and send; a link is not followed."""
    folder = paths.project_root() / "data"
    for name_of_folder in (OUTGOING, dataset):
        folder = folder / name_of_folder
        if folder.is_symlink():
            where = folder.relative_to(paths.project_root())
            raise NotSentError(f"{where} is a link: put a folder of its own in its place")
        private_folder(folder)
    with write_whole(folder / f"{name}.eml", mode=FILE_OF_OWNER) as part:
        part.write_bytes(message.as_bytes())
    return folder / f"{name}.eml"
