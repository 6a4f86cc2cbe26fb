"""Servers on this machine that a test sends to: mail with and without TLS, and one of the web."""

from __future__ import annotations

import contextlib
import email
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from email import policy
from typing import TYPE_CHECKING, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

MAIL_USER, MAIL_PASSWORD = "reports", "s%cret@pass:w/ord x"
NO_OPENSSL = None if shutil.which("openssl") else "openssl is not installed"


class Inbox:
    """What a mail server was handed: recipients and messages, in order; it refuses `refused`."""

    def __init__(self, refused: tuple[str, ...] = (), reply: str = "250 OK") -> None:
        self.envelopes: list[tuple[str, bytes]] = []
        self.refused, self.reply = refused, reply

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.reply.startswith("250"):
            self.envelopes += [(to, envelope.content) for to in envelope.rcpt_tos]
        return self.reply

    @property
    def recipients(self) -> list[str]:
        return [to for to, _ in self.envelopes]

    def messages(self) -> list[EmailMessage]:
        return [
            email.message_from_bytes(content, policy=policy.default)
            for _, content in self.envelopes
        ]


class Certificates(NamedTuple):
    """An authority of the test's own and certificates that it signed."""

    authority: Path
    good: Path
    wrong_name: Path

    def context(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        return context


def make_certificates(folder: Path) -> Certificates:
    """Make an authority, a certificate of localhost and one of another name."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name, host in (("good", "localhost"), ("wrong_name", "elsewhere.example")):
        openssl(
            "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}"
        )
        (folder / "ext").write_text(f"subjectAltName=DNS:{host}\nauthorityKeyIdentifier=keyid\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", "2", "-extfile", "ext")  # fmt: skip
    return Certificates(folder / "ca.pem", folder / "good.pem", folder / "wrong_name.pem")


def _authenticate(_server, _session, _envelope, _mechanism, data) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        MAIL_USER.encode(), MAIL_PASSWORD.encode())  # fmt: skip
    return AuthResult(success=is_right, handled=False)


class _Controller(Controller):
    def __init__(self, inbox: Inbox, context: ssl.SSLContext | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        super().__init__(inbox, hostname="127.0.0.1", port=port)
        self._tls = context

    def factory(self) -> SMTP:
        if self._tls is None:
            return SMTP(self.handler, hostname="mail.test")
        return SMTP(self.handler, hostname="mail.test", tls_context=self._tls, require_starttls=True,
                    authenticator=_authenticate, auth_required=True)  # fmt: skip


@contextlib.contextmanager
def mail_server(inbox: Inbox, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run a mail server; with a context it asks for STARTTLS and a password.  Yields its port."""
    controller = _Controller(inbox, context)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


class Posted(NamedTuple):
    """A request that a webhook received."""

    path: str
    headers: dict[str, str]
    body: bytes


@contextlib.contextmanager
def web_server(
    status: int = 200, location: str | None = None, context: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[Posted]]]:
    """Run a server of the web that answers `status`, by TLS with a context; yields its port and what
    it received.
    """
    received: list[Posted] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(Posted(self.path, dict(self.headers), body))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """A test prints nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a client that hangs up is what a test is about
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# What a server sends first, and then again and again.
ENDLESS = {
    "header without end": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 100),
    "one byte at a time": (b"", b"H"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body without end": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b"x" * 100),
    "greeting without end": (b"", b"220-hello\r\n"),
    "reply without end": (b"220 hello\r\n", b"250-mail.test\r\n"),
}


@contextlib.contextmanager
def endless_server(kind: str) -> Iterator[int]:
    """Run a server that sends something every hundredth of a second and never ends; yields its port."""
    first, again = ENDLESS[kind]
    is_over = threading.Event()

    def send(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), peer:
            peer.sendall(first)
            while not is_over.wait(0.01):
                peer.sendall(again)

    def listen() -> None:
        while not is_over.is_set():
            with contextlib.suppress(TimeoutError):
                send(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            is_over.set()
            thread.join()
