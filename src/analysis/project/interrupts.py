"""Ctrl-C ends a run within seconds, even inside a library's long call."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 1.5  # [s] that an interrupted run has to put things away
SHOW_CURSOR = "\x1b[?25h"  # a spinner hides it
_ending = threading.Lock()  # taken by who ends the process, and never given back


@contextlib.contextmanager
def answered_interrupts(exit_code: int, line: str) -> Iterator[list[int]]:
    """Let Ctrl-C end the run within seconds; yields the signals that come.

    Where the run does not end by itself in time, `line` is said and the process ends.  A library
    that is deep in a computation may take its time, or make an error of its own of it: so a thread
    hears of the signal the moment it comes, and not when the library lets Python go on.
    """
    signals: list[int] = []
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)

    def answer(number: int, _frame: object) -> NoReturn:
        signals.append(number)
        raise KeyboardInterrupt

    def watch() -> None:
        while coming := os.read(read_end, 1):
            if coming[0] == signal.SIGINT:
                time.sleep(PATIENCE)
                end_interrupted(exit_code, line)
        os.close(read_end)

    before = signal.signal(signal.SIGINT, answer)
    wakeup_before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(wakeup_before)
        signal.signal(signal.SIGINT, before)
        os.close(write_end)


def end_interrupted(exit_code: int, line: str) -> NoReturn:
    """Print `line` and end the process; a second caller waits for the first."""
    _ending.acquire()
    if sys.stdout.isatty():
        sys.stdout.write(SHOW_CURSOR)
    sys.stdout.flush()
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
    os._exit(exit_code)
