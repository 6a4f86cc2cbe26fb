"""Everything hostile that was tried, with counts: ``make attack`` prints it, in ten minutes at most.

Each attack is a function that yields the line of the table it fills.  What is printed under "failed"
is what must not happen: a crash, a hang, a row lost uncounted, a value that leaked, code 70.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import attack_exchange
import numpy as np
import pandas as pd
from attack_files import (
    CALENDARS,
    SCRIPTS,
    bombs,
    damaged_csv,
    minimal_project,
    random_file,
)
from published_totals import random_company, told_cells
from sql_escapes import ESCAPES

from analysis.figures.legible_names import label_text, spell_name
from analysis.project.errors import OwnMapError
from analysis.report import pdf
from analysis.report.pdf import PdfError
from analysis.sources import database, field_maps, intake, own_sql
from analysis.stats.joint_suppression import cells_to_hide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

MOST_SECONDS = 20  # of CPU, of one file: a machine that others use too makes the clock no measure
LONGEST_WAIT = 300  # [s] by the clock, after which a run has hung
HUNG = -1_000
# The root of a machine may read and write everywhere, unless it gives that right away.
WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
CODES = {0, 1, 2, 3, 75, 130}


class Line(NamedTuple):
    """One line of the table: what was tried how often, how often it went wrong, and what came."""

    attack: str
    n_tried: int
    n_failed: int
    outcome: str


def _read(
    connection: duckdb.DuckDBPyConnection, file: Path, layouts: list[field_maps.ExportLayout]
) -> intake.Intake:
    for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
        connection.execute(f'drop table "{name}"')
    return intake.read_files(connection, [file], layouts)


def _outcomes(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {n:,}" for what, n in counts.most_common())


def csv_structure(n: int) -> Iterator[Line]:
    """Damage a CSV of marked rows; each mark must be read, or its file or line counted as not."""
    rng, counts, n_lost, n_crashed = random.Random(1), Counter[str](), 0, 0  # noqa: S311
    layouts = field_maps.exports_known("here")
    with tempfile.TemporaryDirectory() as folder, database.open_session() as connection:
        file = Path(folder) / "Event.csv"
        for _ in range(n):
            content, marks = damaged_csv(rng)
            file.write_bytes(content)
            try:
                got = _read(connection, file, layouts)
            except Exception:  # noqa: BLE001 - what is counted
                n_crashed += 1
                continue
            if got.refusals:
                counts["refused"] += 1
                continue
            (export,) = got.exports
            cells = " || ' ' || ".join(f"coalesce(c{i}, '')" for i in range(len(export.header)))
            texts = connection.execute(f'select {cells} from "{export.text_table}"').fetchall()
            there = " ".join(text for (text,) in texts)
            n_missing = sum(mark not in there for mark in marks)
            n_lost += max(0, n_missing - len(got.broken_lines))
            counts["with lines set aside" if got.broken_lines else "read whole"] += 1
    yield Line("CSV structure: rows lost uncounted", n, n_lost, _outcomes(counts))
    yield Line("CSV structure: crashes", n, n_crashed, "")


def random_bytes(n: int) -> Iterator[Line]:
    """Read files of random bytes under every suffix."""
    rng, counts, n_crashed = random.Random(2), Counter[str](), 0  # noqa: S311
    layouts = field_maps.exports_known("here")
    with tempfile.TemporaryDirectory() as folder, database.open_session() as connection:
        for _ in range(n):
            name, content = random_file(rng)
            file = Path(folder) / name
            file.write_bytes(content)
            try:
                got = _read(connection, file, layouts)
                counts["refused" if got.refusals else "read"] += 1
            except Exception:  # noqa: BLE001 - what is counted
                n_crashed += 1
            file.unlink()
    yield Line("random bytes: crashes", n, n_crashed, _outcomes(counts))


def _run(root: Path, *arguments: str, limit: int | None = None, mask: int | None = None, before: tuple[str, ...] = ()) -> tuple[int, str]:  # fmt: skip
    """Run the command line; return its exit code (below 0: the signal that ended it) and all it said."""
    code = "from analysis.cli import main; main()"
    if limit is not None:
        code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); {code}"  # fmt: skip
    if mask is not None:
        code = f"import os; os.umask({mask}); {code}"
    try:
        ran = subprocess.run(
            [*before, sys.executable, "-c", code, *arguments],
            env=os.environ | {"ALIGNMENT_ROI_ROOT": str(root)},
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            timeout=LONGEST_WAIT,
        )
    except subprocess.TimeoutExpired:
        return HUNG, ""
    return ran.returncode, ran.stdout + ran.stderr


def _child_seconds() -> float:
    """Return the CPU time of all processes that were started and have ended [s]."""
    times = os.times()
    return times.children_user + times.children_system


def _clean_each(attack: str, prepares: dict[str, Callable[[Path], object]], *, seconds: float) -> Iterator[Line]:  # fmt: skip
    """Put something into a folder and clean it, each in a process of its own."""
    counts, n_failed, slowest, failed = Counter[str](), 0, 0.0, []
    for name, prepare in prepares.items():
        with tempfile.TemporaryDirectory() as folder:
            root = minimal_project(Path(folder) / "p")
            prepare(root / "data" / "raw" / "small")
            start = _child_seconds()
            code, said = _run(root, "clean", "small")
            took = _child_seconds() - start
        slowest = max(slowest, took)
        counts[f"exit {code}"] += 1
        if code not in CODES or took > seconds or "bug of alignment-roi" in said:
            n_failed += 1
            failed.append(name)
    yield Line(attack, len(prepares), n_failed, f"{_outcomes(counts)}; slowest {slowest:.0f} CPU s {' '.join(failed)}")  # fmt: skip


def workbooks_and_bombs() -> Iterator[Line]:
    """Sheets that go far, packed files that unpack to much, more files than anyone needs."""
    yield from _clean_each("XLSX extents, bombs, too many files", bombs(), seconds=60)


def calendars() -> Iterator[Line]:
    """Entries that repeat without end, many times a second, or within one another."""
    prepares = {
        f"calendar-{n}": lambda raw, text=text: (raw / "yuki.ics").write_text(text)
        for n, text in enumerate(CALENDARS)
    }
    yield from _clean_each("calendars: hangs, crashes", prepares, seconds=MOST_SECONDS)


def names() -> Iterator[Line]:
    """Set names of ten scripts, of 1 to 10,000 characters, in a report's tables, prose and figures."""
    from report_sample import sample

    n, failed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        document = sample(Path(folder))
        for (script, name), length in itertools.product(SCRIPTS.items(), (1, 160, 10_000)):
            text = (name * length)[:length] if length > 1 else name
            n += 1
            named = {**document, "company": label_text(text), "chapters": _renamed(document["chapters"], text)}  # fmt: skip
            try:
                pdf.render_pdf(named, timestamp=_noon())
            except (PdfError, ValueError):
                failed.append(f"{script} {length}")
            label = label_text(text)
            if not label.strip() or spell_name(label) != label:
                failed.append(f"label {script} {length}")
    yield Line("names: ten scripts, 1 to 10,000 characters", n, len(failed), " ".join(failed) or "reports made: all")  # fmt: skip


def _noon() -> object:
    import datetime as dt

    return dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)


def _renamed(node: object, name: str) -> object:
    """Return a chapter whose tables' first text column holds `name`."""
    if isinstance(node, dict):
        if node.get("kind") == "table" and node.get("rows"):
            return {**node, "rows": [[name, *row[1:]] for row in node["rows"]]}
        return {key: _renamed(value, name) for key, value in node.items()}
    return [_renamed(each, name) for each in node] if isinstance(node, list) else node


def own_expressions() -> Iterator[Line]:
    """Hand over expressions that would do more than judge a row."""
    through = []
    for sql in ESCAPES:
        try:
            own_sql.read_expression(sql, "rule x")
            through.append(sql)
        except OwnMapError:
            pass
    yield Line("own rules and maps: escapes that succeed", len(ESCAPES), len(through), " | ".join(through))  # fmt: skip


def _links() -> dict[str, Callable[[Path], object]]:
    return {
        "link out": lambda raw: (raw / "Account.csv").symlink_to("/etc/passwd"),
        "link to nothing": lambda raw: (raw / "Account.csv").symlink_to("nothing"),
        "link to itself": lambda raw: (raw / "Account.csv").symlink_to("Account.csv"),
        "calendar link": lambda raw: (raw / "a.ics").symlink_to("/etc/passwd"),
        "settings link": lambda raw: (raw / "alignment.toml").symlink_to("/etc/passwd"),
        "map link": lambda raw: (raw / "fields.toml").symlink_to("/etc/passwd"),
        "rules link": lambda raw: (raw / "rules").symlink_to("/etc"),
        "rules link out": lambda raw: (raw / "rules").symlink_to("/usr"),
        "reviews link": lambda raw: (raw / "reviews").symlink_to("/etc"),
        "name of an address": lambda raw: (raw / "ada@acme.test [x].csv").write_text("Id\n1\n"),
        "name that rings": lambda raw: (raw / "\x1b]0;x\x07.csv").write_text("Id\n1\n"),
        "folder of controls": lambda raw: (raw / "\x1b[2J\u202e").mkdir(),
        "folder of a file's name": lambda raw: (raw / "Event.csv").mkdir(),
        "folder link": lambda raw: (raw / "more").symlink_to("/"),
        "pipe": lambda raw: os.mkfifo(raw / "Event.csv"),
        "device": lambda raw: (raw / "Event.csv").symlink_to("/dev/zero"),
        "name no text": lambda raw: (raw / os.fsdecode(b"caf\xe9.csv")).write_text("x"),
        "name of controls": lambda raw: (raw / "a\n\x1b[2J\u202e.csv").write_text("Id\n1\n"),
        "name of signs": lambda raw: (raw / "*?[a]'\";--.csv").write_text("Id\n1\n"),
        "longest name": lambda raw: (raw / f"{'x' * 251}.csv").write_text("Id\n1\n"),
    }


def links_and_odd_files() -> Iterator[Line]:
    """Links, pipes and devices in a folder, and names that are none."""
    yield from _clean_each("links, pipes, odd names", _links(), seconds=60)


def _sizes_written() -> list[int]:
    """Return limits of which each stops another file a byte before its end: eight of all."""
    with tempfile.TemporaryDirectory() as folder:
        root = minimal_project(Path(folder) / "p")
        _run(root, "clean", "small")
        written = [f for f in (root / "data" / "processed").rglob("*") if f.is_file()]
        sizes = sorted({f.stat().st_size - 1 for f in written})
    return sizes[:: max(1, len(sizes) // 8)][:8]


def disks() -> Iterator[Line]:
    """Stop a write at many places, and take the right to write or read away."""
    counts, n_failed = Counter[str](), 0
    limits = [0, 1, 63, 500, 1_000, 3_000, 10_000, 30_000, *_sizes_written()]
    for limit in limits:
        with tempfile.TemporaryDirectory() as folder:
            root = minimal_project(Path(folder) / "p")
            code, said = _run(root, "clean", "small", limit=limit)
            key = root / "data" / "history" / "small" / "pseudonyms.key"
            is_whole = not key.exists() or len(key.read_text()) == 64
            again, _ = _run(root, "clean", "small")
        counts[f"exit {code}"] += 1
        n_failed += code not in {0, 2} or again != 0 or not is_whole or "bug of" in said
    yield Line("full disk, at each write", len(limits), n_failed, f"{_outcomes(counts)}; the next run exits 0")  # fmt: skip
    before = WITHOUT_RIGHTS if os.getuid() == 0 else ()
    if before and not shutil.which(before[0]):
        return
    counts, n_failed, places = Counter[str](), 0, ["data/processed", "data/history", "data/raw/small/User.csv", "alignment.toml"]  # fmt: skip
    for place in places:
        with tempfile.TemporaryDirectory() as folder:
            root = minimal_project(Path(folder) / "p")
            (root / "data" / "processed").mkdir()
            (root / "data" / "history").mkdir()
            (root / place).chmod(0o500 if (root / place).is_dir() else 0)
            code, said = _run(root, "clean", "small", before=before)
        counts[f"exit {code}"] += 1
        n_failed += code != 2 or "bug of" in said
    yield Line("read-only folders, unreadable files", len(places), n_failed, _outcomes(counts))


def suppression(n: int) -> Iterator[Line]:
    """Solve what random companies with small teams publish."""
    cuts, n_told, n_small = ["team", "segment", "region"], 0, 0
    for seed in range(n):
        people = random_company(np.random.default_rng(seed))
        hidden = cells_to_hide(people, cuts, smallest=5)
        n_small += sum(int((people[c].value_counts() < 5).sum()) for c in cuts)
        n_told += len(told_cells(people, cuts, hidden, smallest=5))
    yield Line("suppression: small cells told within 25%", n, n_told, f"{n_small:,} small cells in {n} companies")  # fmt: skip


def modes() -> Iterator[Line]:
    """Print the modes of pay and history for two umasks."""
    for mask in (0o022, 0o077):
        with tempfile.TemporaryDirectory() as folder:
            root = minimal_project(Path(folder) / "p")
            _run(root, "clean", "small", mask=mask)
            places = [root / "data" / p / "small" for p in ("processed", "history")]
            found = Counter(
                f"{'folders' if each.is_dir() else 'files'} {stat.S_IMODE(each.stat().st_mode):04o}"
                for place in places
                for each in (place, *place.rglob("*"))
            )
        n_wrong = sum(n for what, n in found.items() if what not in {"folders 0700", "files 0600"})
        yield Line(f"modes for umask {mask:03o}", sum(found.values()), n_wrong, _outcomes(found))


def _new_root() -> Path:
    return Path(tempfile.mkdtemp(prefix="attack-")) / "p"


def _tries(attack: str, tries: Iterator[tuple[str, bool, str]]) -> Iterator[Line]:
    """Count what was tried, how often it went wrong, and what came."""
    rows = list(tries)
    failed = [name[:60] for name, is_fine, _ in rows if not is_fine]
    came = Counter(what for *_, what in rows if what)
    yield Line(attack, len(rows), len(failed), f"{_outcomes(came)} {' | '.join(failed)}".strip())


def exchange() -> Iterator[Line]:
    """Settings of a dataset that name hosts and recipients, links where reports are delivered, names of packs."""
    yield from _tries(
        "own settings: hosts, recipients, queries", attack_exchange.own_settings(_new_root())
    )
    yield from _tries(
        "links in reports at a delivery", attack_exchange.links_at_delivery(_new_root)
    )
    yield from _tries("packs: hostile names of teams", attack_exchange.pack_names(_new_root()))
    yield from _tries("definitions of a sales-ready lead", attack_exchange.definitions())
    yield from _tries("files of decisions on requests", attack_exchange.request_files(_new_root()))
    yield from _tries(
        "files of content, campaigns, requests", attack_exchange.house_files(_new_root)
    )
    for mask in (0o022, 0o077):
        found = attack_exchange.written_modes(_new_root(), mask)
        n_wrong = sum(
            n for what, n in found.items() if not what.endswith(("folder 0700", "file 0600"))
        )
        yield Line(f"requests, pulls, mails, umask {mask:03o}", sum(found.values()), n_wrong, _outcomes(found))  # fmt: skip


def personal_data() -> Iterator[Line]:
    """Plant unique names and addresses, and look for them in everything written and said."""
    from attack_files import plant_people

    with tempfile.TemporaryDirectory() as folder:
        root = minimal_project(Path(folder) / "p")
        planted = plant_people(root / "data" / "raw" / "small")
        code, said = _run(root, "clean", "small")
        _, said_too = _run(root, "clean", "small", "--dry-run")
        everything = said + said_too
        for file in sorted((root / "data" / "processed").rglob("*.*")):
            if file.suffix == ".parquet":
                everything += pd.read_parquet(file).to_csv()
            elif file.is_file():
                everything += file.read_text(encoding="utf-8")
    leaked = [value for value in planted if value.casefold() in everything.casefold()]
    yield Line("planted names and addresses found", len(planted), len(leaked), f"exit {code} {leaked[:3] or ''}")  # fmt: skip


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _lines(attack: Callable[..., Iterator[Line]], *counts: int) -> list[Line]:
    return list(attack(*counts))


def main() -> None:
    """Print the table, and end with 1 where anything went wrong that must not."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    attacks = [  # what takes longest first, on every core
        (csv_structure, round(4_000 * scale)), (random_bytes, round(2_000 * scale)), (workbooks_and_bombs,),
        (names,), (suppression, round(200 * scale)), (exchange,), (calendars,), (links_and_odd_files,), (disks,),
        (modes,), (personal_data,), (own_expressions,),
    ]  # fmt: skip
    start, n_failed = time.monotonic(), 0
    _print(f"{'attack':48} {'tried':>7} {'failed':>7}  outcome")
    with ProcessPoolExecutor(max_tasks_per_child=1) as pool:
        for lines in as_completed([pool.submit(_lines, *attack) for attack in attacks]):
            for line in lines.result():
                n_failed += line.n_failed
                _print(f"{line.attack:48} {line.n_tried:7,} {line.n_failed:7,}  {line.outcome}")
    _print(f"{time.monotonic() - start:.0f} s")
    sys.exit(bool(n_failed))


if __name__ == "__main__":
    main()
