"""The console script's way in: Ctrl-C ends in one line also while the command line is imported.

Nothing is imported here but what the interpreter has at hand, so that a moment after its start it
knows what an interrupt means.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED, LINE = 130, b"interrupted: what stood before still stands\n"


def run_console() -> None:
    """Run the command line; a Ctrl-C before it can answer for itself, or after, ends at once."""
    signal.signal(signal.SIGINT, _end_at_once)
    from analysis.cli import main  # noqa: PLC0415 - a second of imports, which may be interrupted

    main()


def _end_at_once(_number: int, _frame: object) -> None:
    os.write(2, LINE)
    os._exit(INTERRUPTED)
