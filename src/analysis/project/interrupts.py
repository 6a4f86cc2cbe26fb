"""Ctrl-C ends a run within seconds, whatever a library is deep in."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 2.0  # [s] that an interrupted run has to put things away
SHOW_CURSOR = "\x1b[?25h"  # a spinner hides it


@contextlib.contextmanager
def answered_interrupts(exit_code: int, line: str) -> Iterator[list[int]]:
    """Let Ctrl-C end the run within seconds; yields the signals that come.

    Where the run does not end by itself in time, `line` is said and the process ends.
    A library that is deep in a computation may take its time, or make an error of its own of it.
    """
    signals: list[int] = []

    def end() -> None:
        if sys.stdout.isatty():
            sys.stdout.write(SHOW_CURSOR)
            sys.stdout.flush()
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
        os._exit(exit_code)

    def answer(number: int, _frame: object) -> NoReturn:
        if not signals:
            timer = threading.Timer(PATIENCE, end)
            timer.daemon = True
            timer.start()
        signals.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, answer)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, before)
