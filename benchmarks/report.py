"""One quarter's report of the demo company against papermill's command line and nbconvert.

Each contender is a command of its own, measured with all its processes: this one adopts those that
outlive their parent (Linux), so that kernels and the process they are forked from are counted.
"model calls" runs the notebooks' cells in one process, without a kernel: what no engine can save.
The peer runs papermill once per notebook and nbconvert to HTML; with WeasyPrint installed it also
makes a PDF of each.  A start of a kernel is one that imports what notebook 2 imports.

    python benchmarks/report.py [--json] [--starts 5] [--root FOLDER]

`--root` names a project whose demo company this code has cleaned already: its data are copied.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HOUSE = Path(__file__).parents[1]
NOTEBOOKS = [  # the report's, not a pack's
    *sorted((HOUSE / "notebooks").glob("[1-8]_*.ipynb")),
    HOUSE / "notebooks" / "10_joint_work.ipynb",
]
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
CLI = ["-c", "from analysis.cli import main; main()"]
MODEL_CALLS = """
import contextlib, io, json, sys, time
from IPython.display import display
cells = [[c for c in json.load(open(f))["cells"] if c["cell_type"] == "code"] for f in sys.argv[1:]]
for notebook in cells:
    exec("".join(notebook[0]["source"]), {})
start = time.process_time()
for notebook in cells:
    names = {"display": display}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook:
            exec("".join(cell["source"]), names)
print(time.process_time() - start)
"""
STARTS = """
import json, sys, time
from analysis.report.run import kernel_provisioner
if sys.argv[1] == "forked":
    kernel_provisioner.use_forked_kernels()
from jupyter_client.manager import start_new_kernel
imports = "".join(json.load(open(sys.argv[2]))["cells"][1]["source"])
report_use = "import os, time; print(sum(os.times()[:2]))"
for n in range(int(sys.argv[3])):
    start, own, said = time.monotonic(), time.process_time(), []
    manager, client = start_new_kernel()
    client.execute_interactive(imports)
    client.execute_interactive(
        report_use, output_hook=lambda m: said.append(m["content"].get("text", "")))
    wall = time.monotonic() - start
    client.stop_channels()
    manager.shutdown_kernel()
    print(float("".join(said)) + time.process_time() - own, wall, flush=True)
"""


class Use(NamedTuple):
    """CPU and wall time of a contender [s], and what it printed."""

    cpu_s: float
    wall_s: float
    text: str


def measure_command(arguments: list[str], root: Path) -> Use:
    """Return what a command of this Python used, with every process it left."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = os.environ | {"ALIGNMENT_ROI_ROOT": str(root), "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as out:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, *arguments],
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)],
        )
        _, status = os.waitpid(pid, 0)
        wall = time.monotonic() - start
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
        out.seek(0)
        text = out.read()
    assert status == 0, text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Use(cpu, wall, text)


def papermill_and_nbconvert(root: Path) -> Use:
    """Return what the peer used: a command per notebook and form."""
    uses = []
    for notebook in NOTEBOOKS:
        run, page = root / notebook.name, root / f"{notebook.stem}.html"
        uses.append(
            measure_command(["-m", "papermill", "-k", "python3", str(notebook), str(run)], root)
        )
        uses.append(measure_command(["-m", "nbconvert", "--to", "html", str(run)], root))
        if importlib.util.find_spec("weasyprint"):
            uses.append(measure_command(["-m", "weasyprint", str(page), f"{page}.pdf"], root))
    return Use(sum(u.cpu_s for u in uses), sum(u.wall_s for u in uses), "")


def median_start(kind: str, starts: int, root: Path) -> Use:
    """Return the median start of a kernel, the first of its kind aside."""
    text = measure_command(["-c", STARTS, kind, str(NOTEBOOKS[1]), str(starts + 1)], root).text
    measured = [line.split() for line in text.splitlines()[1:]]
    cpu, wall = (statistics.median(float(m[i]) for m in measured) for i in (0, 1))
    return Use(cpu, wall, "")


def main() -> None:
    """Print CPU and wall time of each contender."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copy(HOUSE / "alignment.toml", root)
        shutil.copytree(HOUSE / "notebooks", root / "notebooks")
        for kind in ("raw", "processed") if options.root else ():
            shutil.copytree(options.root / "data" / kind / "demo", root / "data" / kind / "demo")
        if not options.root:
            measure_command([*CLI, "demo"], root)
            measure_command([*CLI, "clean", "demo"], root)
        rows: dict[str, Use] = {}

        def note(work: str, use: Use) -> None:
            rows[work] = use
            row = {"work": work, "cpu_s": use.cpu_s, "wall_s": use.wall_s}
            line = f"{work:45} {use.cpu_s:7.2f} CPU s {use.wall_s:7.2f} s"
            print(json.dumps(row) if options.json else line, flush=True)

        report = [*CLI, "report", "demo", "--quarter", "latest"]
        note("report, ours", measure_command(report, root))
        note("report, ours, unchanged", measure_command(report, root))
        for kind in ("forked", "spawned"):
            note(f"start of a kernel, {kind}", median_start(kind, options.starts, root))
        model = measure_command(["-c", MODEL_CALLS, *map(str, NOTEBOOKS)], root)
        note("model calls", Use(float(model.text), model.wall_s, ""))
        peer = "papermill + nbconvert"
        peer += " + WeasyPrint" if importlib.util.find_spec("weasyprint") else ", no PDF"
        note(f"report, {peer}", papermill_and_nbconvert(root))
    if options.json:
        return
    ours, calls = rows["report, ours"].cpu_s, rows["model calls"].cpu_s
    theirs = rows[f"report, {peer}"].cpu_s
    print(f"total {ours / theirs:.2f}; outside model calls {(ours - calls) / (theirs - calls):.2f}")
    forked, spawned = (rows[f"start of a kernel, {k}"].cpu_s for k in ("forked", "spawned"))
    print(f"start {forked / spawned:.2f}")


if __name__ == "__main__":
    main()
