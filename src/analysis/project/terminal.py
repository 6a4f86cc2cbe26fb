"""What a command prints on a terminal; no text from the data can move the cursor.

On demand as JSON, a line an event, for a program that watches.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Protocol

import typer

from analysis.project.hidden_secrets import without_secrets
from analysis.project.terminal_text import terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Fact = str | int | float | bool | None


class Say(Protocol):
    """Prints a plain line on progress; facts by name go to programs alone."""

    def __call__(self, line: str, **facts: Fact) -> None:
        """Say it."""


class _Form:
    """How lines are printed in this process."""

    is_json = False


def use_json_lines(*, is_wanted: bool) -> None:
    """Print each line from now on, or not, as a JSON object: ``at``, ``event``, ``line``, facts."""
    _Form.is_json = is_wanted


def say_line(line: str, **facts: Fact) -> None:
    """Print a line to stdout at once."""
    text = _one_line(line)
    if _Form.is_json:
        now = dt.datetime.now(tz=dt.UTC).isoformat(timespec="milliseconds")
        text = without_secrets(json.dumps({"at": now, "event": "line", "line": text} | facts))
    typer.echo(text)
    sys.stdout.flush()


def say_lines(lines: Iterable[str]) -> None:
    """Print several lines to stdout at once."""
    for line in lines:
        say_line(line)


def say_text(text: str) -> None:
    """Print a text of one line or several to stdout at once."""
    typer.echo(terminal_text(without_secrets(text)))
    sys.stdout.flush()


def complain(message: str) -> None:
    """Print to stderr what went wrong, of one line or several."""
    typer.echo(terminal_text(without_secrets(message)), err=True)


@contextlib.contextmanager
def working(on: str) -> Iterator[Say]:
    """Show on a terminal that work is in progress; yields the function to print lines with."""
    if _Form.is_json or not sys.stdout.isatty():
        yield say_line
        return
    from rich.console import Console  # noqa: PLC0415 - a log needs none

    console = Console(highlight=False, markup=False)
    with console.status(on) as status:

        def say(line: str, **_: Fact) -> None:
            console.print(_one_line(line))
            status.update("running the notebooks")

        yield say


def _one_line(line: str) -> str:
    return terminal_text(without_secrets(line)).replace("\n", "<U+000A>").replace("\t", " ")
