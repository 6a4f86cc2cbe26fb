"""The console: Ctrl-C ends in one line and 130, also while the command line is still imported or a
library holds on; streams that were closed lead nowhere."""

import subprocess
import sys

import pytest

IMPORTED = "import types; sys.modules['analysis.cli'] = types.ModuleType('analysis.cli'); sys.modules['analysis.cli'].__getattr__ = lambda name: os.kill(os.getpid(), 2)"
HELD = """
from analysis.project import interrupts
interrupts.PATIENCE = 0.1
with interrupts.answered_interrupts(130, "interrupted: what stood before still stands"):
    threading.Timer(0.1, os.kill, (os.getpid(), 2)).start()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000_000)
"""


@pytest.mark.parametrize(
    "code", [f"{IMPORTED}; from analysis.console import run_console; run_console()", HELD]
)
def test_ctrl_c_ends_in_one_line(code):
    """Not a traceback of an import, and not after the minutes that C code computes."""
    ran = subprocess.run(
        [sys.executable, "-c", f"import hashlib, os, sys, threading\n{code}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 130
    assert ran.stderr == "interrupted: what stood before still stands\n"


def test_streams_that_were_closed_lead_nowhere():
    """Else the next file opened takes the number of the screen, and is written to as if it were it."""
    code = (
        "import os, sys; from analysis import console; console.open_streams(); print('said');"
        "os._exit(os.fstat(1).st_rdev != os.stat(os.devnull).st_rdev or sys.stdin.read() != '')"
    )
    ran = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, code],
        check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0
