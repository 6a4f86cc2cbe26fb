"""What a command says on a terminal: lines in which nothing of the data moves the cursor."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import typer

from analysis.project.hidden_secrets import without_secrets
from analysis.project.terminal_text import terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def say_line(line: str) -> None:
    """Print a line to stdout at once."""
    typer.echo(_one_line(line))
    sys.stdout.flush()


def say_lines(lines: Iterable[str]) -> None:
    """Print several."""
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
def working(on: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that work goes on; yields what to say plain lines with, there and
    elsewhere.
    """
    if not sys.stdout.isatty():
        yield say_line
        return
    from rich.console import Console  # noqa: PLC0415 - a log needs none

    console = Console(highlight=False, markup=False)
    with console.status(on) as status:

        def say(line: str) -> None:
            console.print(_one_line(line))
            status.update("running the notebooks")

        yield say


def _one_line(line: str) -> str:
    return terminal_text(without_secrets(line)).replace("\n", "<U+000A>").replace("\t", " ")
