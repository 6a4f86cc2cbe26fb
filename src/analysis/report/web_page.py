"""A page of HTML in which nothing can run or be loaded from elsewhere.

Every text is escaped where a template puts it, and what is invisible in it is named.  The policy in
the page's head allows its own style sheet, by hash, and images that it carries itself: no script,
no address.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup, escape

from analysis.figures.legible_names import code_point, is_invisible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TEMPLATE = Path(__file__).parent / "template"
STYLE = "page.css"
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 100.0, 24.0, 3.0  # of the drawing in the templates


class _Absent(jinja2.StrictUndefined):
    """What a node does not have: a template may ask for it, and may not print it."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def fill_template(
    name: str,
    *,
    more_style: str = "",
    filters: Mapping[str, Callable[..., Any]] | None = None,
    **content: Any,
) -> bytes:
    """Return the page that template `name` makes of `content`.

    The template finds its style sheet as ``css`` and the policy that allows no other as ``policy``.
    """
    loader = jinja2.FileSystemLoader(TEMPLATE)
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=_Absent,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "sparkline": sparkline_points,
        "signs_kept": _signs_kept,
        **(filters or {}),
    }
    css = f"{(TEMPLATE / STYLE).read_text(encoding='utf-8')}{more_style}"
    page = environment.get_template(name).render(
        css=Markup(css),  # noqa: S704 - our own file, and rules made of numbers
        policy=content_policy(css),
        **content,
    )
    return page.encode()


def content_policy(css: str) -> str:
    """Return the policy of a page whose only style is `css`, and which loads nothing."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _visible(value: Any) -> Any:
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(code_point(c) if is_invisible(c) else c for c in value)


def _signs_kept(text: str) -> Markup:
    """Return a text in which no line breaks between a sign and its amount."""
    return Markup(re.sub(r"([+\u2212])(?=\S)", "\\1&#8288;", str(escape(_visible(text)))))  # noqa: S704 - escaped


def sparkline_points(values: Sequence[float | None]) -> dict[str, Any] | None:
    """Return a line through values, oldest first, and its end; None of fewer than two.

    Examples
    --------
    >>> sparkline_points([1, 3, 2])
    {'points': '3,21 50,3 97,12', 'x': '97', 'y': '12'}
    """
    present = [v for v in values if v is not None]
    if len(present) < 2:
        return None
    low, reach = min(present), (max(present) - min(present)) or 1.0
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / (len(present) - 1)
    room = SPARK_HEIGHT - 2 * SPARK_EDGE
    at = [
        (f"{SPARK_EDGE + i * step:.4g}", f"{SPARK_EDGE + room * (1 - (v - low) / reach):.4g}")
        for i, v in enumerate(present)
    ]
    return {"points": " ".join(f"{x},{y}" for x, y in at), "x": at[-1][0], "y": at[-1][1]}
