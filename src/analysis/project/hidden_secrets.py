"""Secrets of the environment, taken out of texts.

What a library, a driver or a server says may repeat a password in one form or another: nothing is
printed, logged or kept before it went through `without_secrets`.
"""

from __future__ import annotations

import base64
import html
import os
import re
from functools import cache
from pathlib import Path

DATABASE_PASSWORD = "PGPASSWORD"  # noqa: S105 - the name of a variable
DATABASE_PASSWORD_FILE = "PGPASSFILE"  # noqa: S105
MAIL_PASSWORD = "ALIGNMENT_ROI_MAIL_PASSWORD"  # noqa: S105
WEBHOOK_KEY = "ALIGNMENT_ROI_WEBHOOK_KEY"
PARAMETER_PREFIX = "ALIGNMENT_ROI_SECRET_"  # of secret parameters of notebooks
VARIABLES = (DATABASE_PASSWORD, MAIL_PASSWORD, WEBHOOK_KEY)
HIDDEN = "[secret]"
FEWEST_CHARACTERS = 4  # what is shorter stands in many a word
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/@]*:[^\s@]*(?=@)")  # user:password@


def without_secrets(text: str) -> str:
    """Return `text` with every secret of the environment taken out.

    As it is, URL-encoded, as base64 (also within a longer text) or in quotes.

    Examples
    --------
    >>> without_secrets("postgresql://crm:hunter2@db")
    'postgresql://[secret]@db'
    """
    return _IN_ADDRESS.sub(HIDDEN, hide_forms(text))


def hide_forms(text: str) -> str:
    """Return `text` with each secret of the environment taken out, and left otherwise as it is."""
    for secret in sorted(_secrets(), key=len, reverse=True):
        if _longest_word(secret) in text:  # no way of writing a secret changes its letters
            text = _spelling(secret).sub(HIDDEN, text)
        for form in _base64_forms(secret):
            text = text.replace(form, HIDDEN)
    return text


def _secrets() -> set[str]:
    values = [v for n, v in os.environ.items() if n in VARIABLES or n.startswith(PARAMETER_PREFIX)]
    return {s for s in (*values, *_of_password_file()) if len(s) >= FEWEST_CHARACTERS}


def _longest_word(secret: str) -> str:
    return max(re.findall(r"[A-Za-z0-9]+", secret), key=len, default="")


@cache
def _spelling(secret: str) -> re.Pattern[str]:
    """Return what matches a secret however its characters are written: as they are, URL-encoded
    once or more, behind backslashes, as entities of HTML; all of them or some.
    """
    return re.compile("".join(f"(?:{'|'.join(_ways_to_write(c))})" for c in secret))


def _ways_to_write(sign: str) -> list[str]:
    if sign.isascii() and sign.isalnum():
        return [sign]
    number, in_utf8 = ord(sign), sign.encode("utf-8", "surrogateescape")
    encodings = {in_utf8} | ({bytes([number])} if number < 256 else set())
    return [
        rf"\\{{0,3}}{re.escape(sign)}",
        *("".join(f"%(?:25)*(?i:{byte:02X})" for byte in code) for code in sorted(encodings)),
        *([r"\+"] if sign == " " else []),
        rf"\\{{1,2}}(?i:x{number:02x}|u{number:04x})",
        rf"&(?i:\#0*{number}|\#x0*{number:x}|{re.escape(html.escape(sign)[1:-1]) or 'amp'});",
    ]


@cache
def _base64_forms(secret: str) -> list[str]:
    """Return what of a secret stands in base64; within a longer text it has three phases."""
    plain, forms = secret.encode("utf-8", "surrogateescape"), set()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + plain)
        inner = coded[(0, 2, 3)[before] :].rstrip(b"=")
        inner = inner[:-1] if (before + len(plain)) % 3 else inner
        forms |= {inner.decode(), inner.decode().translate(str.maketrans("+/", "-_"))}
    return sorted((f for f in forms if len(f) >= FEWEST_CHARACTERS), key=len, reverse=True)


def _of_password_file() -> list[str]:
    """Return the passwords of libpq's file, if there is one."""
    named = os.environ.get(DATABASE_PASSWORD_FILE)
    try:
        file = Path(named) if named else Path.home() / ".pgpass"
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (OSError, RuntimeError):
        return []
    fields = [re.split(r"(?<!\\):", line, maxsplit=4) for line in lines]
    return [re.sub(r"\\(.)", r"\1", f[4]) for f in fields if len(f) == 5]
