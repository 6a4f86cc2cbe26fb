"""No way of writing a secret shows it, and nothing else is taken out of a text."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from analysis.project.hidden_secrets import hide_forms, without_secrets

SECRETS = ("p%40w@r:d/ x&y=z", "a'b\"c\\d+e", "pä ss#ü", "plain1234", "%%%% ::", "<&>'")
WAYS = {
    "as it is": lambda s: s,
    "in a list": lambda s: repr([s]),
    "in JSON": json.dumps,
    "in JSON of UTF-8": lambda s: json.dumps(s, ensure_ascii=False),
    "URL": lambda s: quote(s, safe=""),
    "path of a URL": quote,
    "form": quote_plus,
    "lower case": lambda s: quote(s, safe="").replace("%2F", "%2f").replace("%3A", "%3a"),
    "what a URL may hold": lambda s: quote(s, safe="@:/?&=+"),
    "twice": lambda s: quote(quote(s, safe=""), safe=""),
    "HTML": html.escape,
    "password file": lambda s: s.replace("\\", "\\\\").replace(":", "\\:"),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 of a login": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
    "base64 of a URL": lambda s: base64.urlsafe_b64encode(b"x" + s.encode()).decode(),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_taken_out_however_it_is_written(monkeypatch, way, secret):
    """Of base64 up to two signs at its ends may stay: they hold of it less than a character each."""
    monkeypatch.setenv("PGPASSWORD", secret)
    written = WAYS[way](secret)
    hidden = hide_forms(f"before {written} after")
    assert written not in hidden
    assert "[secret]" in hidden
    assert (hidden.startswith("before "), hidden.endswith(" after")) == (True, True)
    if "base64" not in way:
        assert len(hidden) <= len("before ['[secret]'] after")


@pytest.mark.parametrize("text", ["a line of a log, 40% of d/x", "p%40w@r", "x&y=z", ""])
def test_what_is_no_secret_stays(monkeypatch, text):
    monkeypatch.setenv("PGPASSWORD", SECRETS[0])
    assert without_secrets(text) == text


def test_a_secret_within_another_is_taken_out_with_it(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    monkeypatch.setenv("ALIGNMENT_ROI_WEBHOOK_KEY", "hunter2 and more")
    assert hide_forms("key hunter2%20and%20more, hunter2") == "key [secret], [secret]"
