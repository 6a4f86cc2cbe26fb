"""Deliveries killed at random moments: nobody gets a report twice, and none is lost in silence.

Each trial sends 24 packs by a mail server on this machine, kills the process at a random moment
with SIGKILL, and delivers again until nothing is left.  What arrived is what the server was handed:
a recipient with two messages is a duplicate; one with none whose delivery is neither sent nor in
doubt is a loss.  A message that was handed over and never noted is in doubt, as is one cut off
before the server had it: those are counted, and were not sent again.

    python benchmarks/delivery.py [--trials 20] [--seed 7]
"""

# ruff: noqa: E402, E501  # support of the tests is found first
from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "support"))

from delivered_project import TODAY, add_packs, configure, published_project
from report_fixtures import at

from analysis.report.delivery import dispatch, ledger

N_PACKS = 24
SERVER = """
import asyncio, sys, time
from aiosmtpd.smtp import SMTP
class Inbox:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[1], "a") as stream:
            stream.write("".join(to + "\\n" for to in envelope.rcpt_tos))
        await asyncio.sleep(0.01)
        return "250 OK"
async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Inbox(), hostname="x"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def _deliver(root: Path) -> None:
    with at(root):
        plan = dispatch.plan_delivery("small", TODAY)
        dispatch.send_all(plan, say=lambda _: None, complain=lambda _: None)


def _killed_after(root: Path, seconds: float) -> bool:
    """Deliver in a process of its own and kill it; return whether it was still at work."""
    child = os.fork()
    if child == 0:
        try:
            _deliver(root)
        finally:
            os._exit(0)
    time.sleep(seconds)
    is_done, _ = os.waitpid(child, os.WNOHANG)
    if not is_done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return not is_done


def _trial(made: Path, scratch: Path, port: int, log: Path, seconds: float) -> dict[str, object]:
    root = Path(shutil.copytree(made, scratch / "project"))
    configure(root, port, *((f"lead{n}@acme.test", f"team {n}") for n in range(N_PACKS)))
    log.write_text("")
    is_killed = _killed_after(root, seconds)
    n_before = len(log.read_text().split())
    _deliver(root)
    time.sleep(0.05)
    got = Counter(log.read_text().split())
    with at(root):
        noted = list(ledger.read_deliveries("small").values())
    shutil.rmtree(root)
    arrived = {d.to for d in noted if got[d.to]}
    return {
        "after_s": round(seconds, 2), "killed": is_killed, "arrived_before": n_before,
        "duplicates": sum(n > 1 for n in got.values()),
        "lost": N_PACKS - len({d.to for d in noted}) + sum(d.state == "sent" and d.to not in arrived for d in noted),
        "in_doubt": sum(d.is_in_doubt for d in noted),
        "in_doubt_and_arrived": sum(d.is_in_doubt and d.to in arrived for d in noted),
    }  # fmt: skip


def main() -> None:
    """Print a row a trial and their sum; exit 1 where anything was doubled or lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as name:
        scratch, log = Path(name), Path(name) / "received"
        made = published_project(scratch / "made")
        add_packs(made, *(f"team {n}" for n in range(N_PACKS)))
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(log)], stdout=subprocess.PIPE)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            start = time.perf_counter()
            whole = _trial(made, scratch, port, log, 30.0 if asked.trials == 0 else 0.0)
            length = time.perf_counter() - start
            print("whole", whole, f"{length:.2f} s")
            rows = [
                _trial(made, scratch, port, log, draw.uniform(0, 0.7 * length))
                for _ in range(asked.trials)
            ]
        finally:
            server.kill()
            server.wait()
    for row in rows:
        print("  ".join(f"{k} {v}" for k, v in row.items()))
    sums = {k: sum(int(r[k]) for r in rows) for k in ("killed", "duplicates", "lost", "in_doubt", "in_doubt_and_arrived")}  # type: ignore[call-overload]  # fmt: skip
    print("sum", sums)
    sys.exit(bool(sums["duplicates"] or sums["lost"]))


if __name__ == "__main__":
    main()
