"""What a page of HTML holds, and what would be wrong with it for a reader, a screen reader or a guard."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "img", "br", "hr", "input", "link", "circle", "polyline", "rect", "mspace"}
LOADING = ("src", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href")
MOST_BYTES = 8_000_000
SAFE_ADDRESS = re.compile(r"#|https?://|mailto:|[a-z0-9][^:]*$")  # the last is a file of the index


class Page(HTMLParser):
    """A page read once: its elements in order, its text, what is where."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[int, str]] = []
        self.tables: list[dict[str, bool]] = []
        self.styles: list[str] = []
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(source)
        self.close()
        self.unbalanced += self._open

    @property
    def text(self) -> str:
        """Return what a reader reads."""
        return "".join(self._text)

    @property
    def images(self) -> list[dict[str, str | None]]:
        """Return the attributes of every image."""
        return [attributes for tag, attributes in self.elements if tag == "img"]

    @property
    def drawn(self) -> str:
        """Return the words in its figures."""
        coded = [str(i["src"]).partition("base64,")[2] for i in self.images]
        svg = " ".join(base64.b64decode(c).decode() for c in coded)
        return " ".join(html.unescape(t) for t in re.findall(r"<text[^>]*>([^<]*)", svg))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag == "table":
            self.tables.append({"caption": False, "scope": True})
        if self.tables and tag == "caption":
            self.tables[-1]["caption"] = True
        if self.tables and tag == "th" and "scope" not in attributes:
            self.tables[-1]["scope"] = False
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(f"/{tag}")

    def handle_data(self, data):
        if self._open and self._open[-1] == "style":
            self.styles.append(data)
        else:
            self._text.append(data)


def read_page(file: Path) -> Page:
    """Return the page of a file."""
    return Page(file.read_text(encoding="utf-8"))


def faults(page: Page) -> list[str]:
    """Return what is wrong with a page; nothing where it is as it should be."""
    found = [f"unbalanced {tag}" for tag in page.unbalanced]
    levels = [level for level, _ in page.headings]
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} h1")
    found += [
        f"h{after} after h{before}"
        for before, after in itertools.pairwise(levels)
        if after > before + 1
    ]
    tags = [tag for tag, _ in page.elements]
    found += [f"no {tag}" for tag in ("main", "header", "title") if tags.count(tag) != 1]
    found += [f"an image without alt: {i}" for i in page.images if not (i.get("alt") or "").strip()]
    found += ["a table without caption or scopes" for t in page.tables if not t["scope"]]
    found += [*_loads(page), *_runs(page), *_policy(page), *_links(page)]
    if len(page.source.encode()) > MOST_BYTES:
        found.append("too large")
    return found


def _loads(page: Page) -> list[str]:
    """Return what a page would fetch."""
    named = [
        (tag, name, value)
        for tag, attributes in page.elements
        for name, value in attributes.items()
        if name in LOADING or (tag in {"link", "use", "image"} and name == "href")
    ]
    found = [
        f"{tag} {name}={value}"[:80]
        for tag, name, value in named
        if not (value or "").startswith("data:image/")
    ]
    return found + [f"style: {w}" for s in page.styles for w in re.findall(r"url\(|@import", s)]


def _runs(page: Page) -> list[str]:
    """Return what could run: elements, handlers, addresses, styles that come with the text."""
    forbidden = {"script", "iframe", "object", "embed", "base", "link", "foreignobject", "template"}
    found = [tag for tag, _ in page.elements if tag in forbidden]
    for tag, attributes in page.elements:
        found += [
            f"{tag} {name}" for name in attributes if name.startswith("on") or name == "style"
        ]
        address = (attributes.get("href") or "").strip().lower()
        if address and not SAFE_ADDRESS.match(address):
            found.append(f"a link to {address[:60]}")
    return found


def _policy(page: Page) -> list[str]:
    """Return what is wrong with the policy: it allows the one style sheet by its hash and no script."""
    policies = [
        a["content"]
        for tag, a in page.elements
        if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    if len(policies) != 1 or len(page.styles) != 1:
        return [f"{len(policies)} policies, {len(page.styles)} styles"]
    digest = base64.b64encode(hashlib.sha256(page.styles[0].encode()).digest()).decode()
    parts = dict(part.strip().split(" ", 1) for part in policies[0].split(";"))
    wanted = {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return [] if parts == wanted else [f"policy {parts}"]


def _links(page: Page) -> list[str]:
    """Return links within the page that lead nowhere, and names that stand twice."""
    ids = [a["id"] for _, a in page.elements if "id" in a]
    found = [f"id {i} twice" for i in sorted(set(ids)) if ids.count(i) > 1]
    targets = [
        a["href"]
        for tag, a in page.elements
        if tag == "a" and (a.get("href") or "").startswith("#")
    ]
    return found + [f"a link to {t}" for t in targets if t[1:] not in ids]
