"""Secrets of the environment, taken out of texts.

What a library, a driver or a server says may repeat a password in one form or another: nothing is
printed, logged or kept before it went through `without_secrets`.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import string
from pathlib import Path
from urllib.parse import quote, quote_plus

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
    for form in _secret_forms():
        text = text.replace(form, HIDDEN)
    return text


def _secret_forms() -> list[str]:
    forms: set[str] = set()
    values = [v for n, v in os.environ.items() if n in VARIABLES or n.startswith(PARAMETER_PREFIX)]
    for secret in (*values, *_of_password_file()):
        if len(secret) >= FEWEST_CHARACTERS:
            forms |= _written_forms(secret)
    return sorted(forms, key=len, reverse=True)


def _written_forms(secret: str) -> set[str]:
    plain = secret.encode("utf-8", "surrogateescape")
    forms = {secret, repr(secret)[1:-1], quote(plain, safe=""), quote(plain), quote_plus(plain)}
    forms |= {form.lower() for form in forms if "%" in form}
    forms |= {
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        secret.replace("\\", "\\\\").replace('"', '\\"'),
        *(json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)),
        html.escape(secret),
        "".join(c if c in _UNRESERVED else f"%{ord(c):02X}" for c in secret if ord(c) < 256),
    }
    for before in range(3):  # within a longer text base64 has three phases
        coded = base64.b64encode(b"\0" * before + plain)
        inner = coded[(0, 2, 3)[before] :].rstrip(b"=")
        inner = inner[:-1] if (before + len(plain)) % 3 else inner
        forms |= {inner.decode(), inner.decode().translate(str.maketrans("+/", "-_"))}
    return {form for form in forms if len(form) >= FEWEST_CHARACTERS}


_UNRESERVED = string.ascii_letters + string.digits + "-._~"


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
