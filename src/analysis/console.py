"""Entry point of the console script: Ctrl-C ends in one line, even while the command line is
imported.

Nothing is imported here but what the interpreter has at hand, so that a moment after its start it
knows what an interrupt means.
"""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED, LINE = 130, b"interrupted: what stood before still stands\n"


def run_console() -> None:
    """Run the command line; a Ctrl-C before or after it ends the process at once."""
    signal.signal(signal.SIGINT, _end_at_once)
    open_streams()
    from analysis.cli import main  # noqa: PLC0415 - a second of imports, which may be interrupted

    main()


def open_streams() -> None:
    """Point standard streams that were closed at the start to nowhere.

    The next file that is opened would take its number, and be written to as if it were the screen.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number free is the one that was closed
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115, PTH123


def _end_at_once(_number: int, _frame: object) -> None:
    os.write(2, LINE)
    os._exit(INTERRUPTED)
