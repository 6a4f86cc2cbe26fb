"""Whether a team's pack tells anything of another team.

*Planted*: in a company of six teams every name, address, subject, topic and id of each is unique,
and so are its exact sums; all that a pack is (PDF, web page, workbook, notebook, manifest) and the
view it is made from are read for those of the five others: 30 pairs.

*By subtraction*: in companies of two and of three teams everything of the others is changed or
taken away: amounts, pay, quotas, hours, leads, requests, meetings, answers.  A pack that stays the
same to the byte tells nothing of them, whatever is taken from whatever.  What differs is printed,
of the view also what no pack shows.  The same for four teams, where figures of the company stand
beside: they may differ.

    PYTHONPATH=src:tests/support python tests/planted_teams.py [--only planted subtraction]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
import pikepdf
import pyarrow.parquet as pq
from report_fixtures import cells_of
from report_text import pages

from analysis.chapters.team_pack import company_side
from analysis.report.run import pack_job, packs
from analysis.simulate.exports import write
from analysis.simulate.world.company_parameters import SimulatedCompany
from analysis.store.company import open_company

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOUSE = Path(__file__).resolve().parents[1]
CLI = [sys.executable, "-c", "from analysis.cli import main; main()"]
WORDS = {  # texts in which a word of its team is planted
    "UserRole.csv": ["Name"], "User.csv": ["Name", "Email", "Title"], "Opportunity.csv": ["Name"],
    "Lead.csv": ["Company", "Title"], "Event.csv": ["Subject"], "Task.csv": ["Subject"],
    "marketing_requests.csv": ["topic"], "feedback.csv": ["theme"],
}  # fmt: skip
OWNERS = ("rep_id", "OwnerId", "owner_rep_id")
PARENTS = {
    "LeadHistory.csv": ("LeadId", "Lead.csv"),
    "CampaignMember.csv": ("LeadId", "Lead.csv"),
    "OpportunityHistory.csv": ("OpportunityId", "Opportunity.csv"),
    "OpportunityContactRole.csv": ("OpportunityId", "Opportunity.csv"),
    "EventRelation.csv": ("EventId", "Event.csv"),
}
LEFT_ALONE = {"Account.csv", "Campaign.csv", "Product2.csv", "working_calendar.csv", "channels.csv"}
WHOLE = {  # other rows rest on each of theirs, and who is paid decides what may be shown
    "rep_team_history.csv", "stage_owners.csv", "goals.csv", "assets.csv", "compensation.csv", "quotas.csv",
}  # fmt: skip
GONE = 0.3  # share of the others' rows that are taken away
SUMS = ("_amount", "_hours", "CallDuration", "score")
SAME = (
    "but for the index's drawn interval: PDF, web page, workbook and outputs the same to the byte"
)
TOKEN = re.compile(r"zq[0-9a-f]{10}q|[0-9A-Za-z]{18}|\d+\.\d+|\d{5,}")
Rows = dict[str, list[dict[str, str]]]


def read_rows(raw: Path) -> Rows:
    """Return the rows of every CSV file of an export."""
    found = {}
    for file in sorted(raw.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as stream:
            found[file.name] = list(csv.DictReader(stream))
    return found


def write_rows(raw: Path, files: Rows) -> None:
    """Write them, each file as it was."""
    for name, rows in files.items():
        if not rows:
            continue
        with (raw / name).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)


def new_project(root: Path, teams: int) -> Path:
    """Make a project with a company of so many teams; return the folder of its exports."""
    raw = root / "data" / "raw" / "small"
    raw.mkdir(parents=True)
    (root / "notebooks").mkdir()
    shutil.copy(HOUSE / "notebooks" / "9_team_pack.ipynb", root / "notebooks")
    shutil.copy(HOUSE / "alignment.toml", root)
    write.write_exports(SimulatedCompany(n_teams=teams, n_quarters=6), raw, layout="salesforce")
    (raw / "truth.json").unlink()
    (raw / "finance_bookings.csv").unlink()  # the company's own total is held against the deals
    return raw


def run(root: Path, *arguments: str) -> None:
    """Run the command line."""
    subprocess.run(
        [*CLI, *arguments], check=True, cwd=root, stdout=subprocess.DEVNULL,
        env=os.environ | {"ALIGNMENT_ROI_ROOT": str(root)},
    )  # fmt: skip


def teams_of_people(files: Rows) -> dict[str, set[str]]:
    """Return of each rep the teams they were ever in."""
    teams: dict[str, set[str]] = {}
    for row in files["rep_team_history.csv"]:
        teams.setdefault(row["rep_id"], set()).add(row["team_id"])
    return teams


def team_of_row(row: dict[str, str], people: dict[str, set[str]]) -> set[str]:
    """Return the teams whose row it may be; none where nothing in it says so."""
    if row.get("team_id"):
        return {row["team_id"]}
    owner = next((row[c] for c in OWNERS if row.get(c)), "")
    return people.get(owner, set())


def views(root: Path) -> dict[str, dict[str, str]]:
    """Return of each team all that its pack is made from: texts by the file they stand in."""
    os.environ["ALIGNMENT_ROI_ROOT"] = str(root)
    company = open_company("small")
    jobs = packs._Jobs(company)  # what travels
    found = {}
    for team in company_side.packed_teams(company):
        job = jobs.job_of(packs._planned(company, team, {}))
        texts = {"about": json.dumps({**job.about, "facts": ""}, sort_keys=True)}
        with zipfile.ZipFile(io.BytesIO(job.view)) as archive:
            for name in archive.namelist():
                content = archive.read(name)
                texts[Path(name).name or name] = (
                    pq.read_table(io.BytesIO(content)).to_pandas().to_csv()
                    if name.endswith(".parquet")
                    else content.decode()
                )
        found[team] = texts
    return found


def texts_of_pack(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of a pack with the text that it holds."""
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        if file.suffix == ".pdf":
            with pikepdf.open(file) as opened:
                text = " ".join([*pages(opened), str(opened.docinfo)])
        elif file.suffix == ".xlsx":
            text = "\n".join(map(str, cells_of(file)))
        else:
            text = file.read_text("utf-8")
        yield file.name, text


def planted(folder: Path) -> list[str]:
    """Plant unique words and sums in six teams, make the packs, and look for those of others."""
    root = folder / "planted"
    raw = new_project(root, 6)
    files = read_rows(raw)
    people = teams_of_people(files)
    draw, words = random.Random(7), {}  # noqa: S311 - words
    for name, columns in WORDS.items():
        for row in files[name]:
            role = row.get("UserRoleId") or (row["Id"] if name == "UserRole.csv" else "")
            teams = team_of_row(row, people) or ({role} if role else set())
            if len(teams) != 1:
                continue
            for column in columns:
                word = f"zq{draw.getrandbits(40):010x}q"
                words[word] = next(iter(teams))
                row[column] = (
                    f"{word}@ours.example" if column == "Email" else f"{row[column]} {word}"
                )
    for row in files["Opportunity.csv"]:  # no two deals of one amount
        if _is_number(row["Amount"]):
            row["Amount"] = f"{float(row['Amount']):.0f}.{draw.randrange(10, 100)}"
    write_rows(raw, files)
    run(root, "report", "small", "--each-team")
    all_views = views(root)
    sums = {team: exact_sums(texts) for team, texts in all_views.items()}
    found, n_pairs, n_files, own = [], 0, 0, 0
    for pack in sorted(root.glob("reports/small/*/teams/*")):
        mine = json.loads((pack / "manifest.json").read_text())["team"]
        texts = [*texts_of_pack(pack), *(("view/" + n, t) for n, t in all_views[mine].items())]
        n_files += len(texts)
        own += sum(mine in text for _, text in texts)
        tokens = {name: set(TOKEN.findall(text.replace(",", ""))) for name, text in texts}
        for other in set(sums) - {mine}:
            n_pairs += 1
            theirs = {w for w, team in words.items() if team == other} | sums[other] | {other}
            theirs |= {rep for rep, teams in people.items() if teams == {other}}
            for name, words_there in tokens.items():
                has = sorted(theirs & words_there)
                found += [(mine, other, name, has[:3])] if has else []
    lines = [f"  {mine} holds of {other}: {name} {has}" for mine, other, name, has in found]
    shown = sum(len(t) for t in sums.values())
    says = (
        f"planted: {len(words):,} words, {shown} exact sums and all ids of 6 teams; {n_pairs} pairs, "
        f"{n_files} files (its own id in {own}); pairs with a hit: {len({f[:2] for f in found})}"
    )
    return [says, *lines]


def exact_sums(view: dict[str, str]) -> set[str]:
    """Return exact sums that are of this team alone: its deals' amounts and its quarters' bookings."""
    rows = pd.read_csv(io.StringIO(view["team_quarter.parquet"]))
    sums = {
        f"{x:.2f}".rstrip("0").rstrip(".") for x in rows["bookings_amount"].dropna() if x > 10_000
    }
    deals = pd.read_csv(io.StringIO(view["opportunities.parquet"]))
    sums |= {f"{x:.2f}" for x in deals["raw_amount"].dropna() if x > 10_000}
    return {s for s in sums if len(s) > 7}  # "12345.67": shorter ones meet by chance


def change_others(files: Rows, mine: str, seed: int) -> Rows:
    """Return the exports with everything of other teams changed or taken away.

    They stay plausible: a deal is worth the same in its history, no row is left without its parent,
    and a meeting at which somebody of `mine` was stays, for these are hours of `mine`.
    """
    draw = random.Random(seed)  # noqa: S311 - which rows
    people = teams_of_people(files)
    shared = {
        row["EventId"]
        for row in files["EventRelation.csv"]
        if mine in people.get(row["RelationId"], set())
    }
    times: dict[str, float] = {}  # by deal
    changed: Rows = {}
    for name, rows in files.items():
        out = []
        for row in rows:
            teams = team_of_row(row, people)
            if name in LEFT_ALONE or name in PARENTS or not teams or mine in teams:
                out.append(row)
            elif name == "Opportunity.csv":
                times[row["Id"]] = draw.uniform(0.5, 2)
                out.append(_scaled(row, "Amount", times[row["Id"]]))
            elif name not in WHOLE and row.get("Id") not in shared and draw.random() < GONE:
                continue
            else:
                out.append({k: _changed(k, v, draw) for k, v in row.items()})
        changed[name] = out
    for name, (key, parent) in PARENTS.items():
        there = {row["Id"] for row in changed[parent]}
        changed[name] = [
            _scaled(row, "Amount", times[row[key]]) if row[key] in times else row
            for row in files[name]
            if not row[key] or row[key] in there
        ]
    return changed


def _scaled(row: dict[str, str], column: str, times: float) -> dict[str, str]:
    amount = row.get(column, "")
    return {**row, column: f"{float(amount) * times:.2f}"} if _is_number(amount) else row


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdecimal()


def _changed(column: str, value: str, draw: random.Random) -> str:
    if not _is_number(value) or not any(part in column for part in SUMS):
        return value
    if column == "score":
        return str(draw.randint(1, 5))
    more = float(value) * draw.uniform(0.5, 2)
    return f"{more:.2f}" if "." in value else f"{more:.0f}"


def packs_made(root: Path, teams: Iterable[str] | None = None) -> dict[str, dict[str, bytes]]:
    """Return of each team its pack's files, without what names the run, and the view's texts."""
    os.environ["ALIGNMENT_ROI_ROOT"] = str(root)
    company = open_company("small")
    jobs = packs._Jobs(company)
    for side in jobs.sides.values():
        if side["index"]:  # drawn of all teams in one stream of chance: its noise is everybody's
            side["index"] |= {"low": None, "high": None}
    found = {}
    for team in teams or company_side.packed_teams(company):
        job = jobs.job_of(packs._planned(company, team, {}))
        result = pack_job.make_pack(job._replace(about={**job.about, "facts": {"run_id": "x"}}))
        assert result.is_ok, result.reason
        cells = json.loads(result.files.pop(job.notebook))["cells"]
        outputs = json.dumps([cell.get("outputs") for cell in cells]).encode()
        found[team] = {**result.files, "outputs of the notebook": outputs}
    return found


def subtraction(folder: Path, sizes: Iterable[int] = (2, 3, 4)) -> list[str]:
    """Change the other teams of small companies and compare each team's pack, file by file."""
    lines = []
    for n_teams in sizes:
        root = folder / f"of{n_teams}"
        raw = new_project(root, n_teams)
        files = read_rows(raw)
        run(root, "clean", "small")
        before, views_before = packs_made(root), views(root)
        for mine in sorted(before):
            write_rows(raw, change_others(files, mine, seed=n_teams))
            run(root, "clean", "small")
            (after,) = packs_made(root, [mine]).values()
            files_changed = [name for name in after if after[name] != before[mine][name]]
            told = f"differs in {', '.join(files_changed)}" if files_changed else SAME
            lines.append(f"{n_teams} teams, pack of {mine}: {told}")
            view = views(root)[mine]
            differs = {n: difference(views_before[mine][n], view[n]) for n in view}
            lines += [f"    its view: {n}: {d}" for n, d in differs.items() if d]
        write_rows(raw, files)
    return lines


def difference(before: str, after: str) -> str:
    """Say where two texts differ, in short."""
    if before == after:
        return ""
    try:
        return "; ".join([*_different(json.loads(before), json.loads(after))][:8])
    except ValueError:
        one, other = (pd.read_csv(io.StringIO(text)) for text in (before, after))
    if len(one) != len(other):
        return f"{len(one)} and {len(other)} rows"
    columns = [c for c in one if not one[c].equals(other[c])]
    return f"columns {', '.join(columns)}"


def _different(one: Any, other: Any, at: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key != "stamp":
                yield from _different(one.get(key), other.get(key), f"{at}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _different(a, b, f"{at}[{n}]")
    elif one != other:
        yield f"{at}: {one!r:.60} | {other!r:.60}"


def main() -> None:
    """Print what was planted and found, and what differs by what others did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"planted": planted, "subtraction": subtraction}
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.only:
            sys.stdout.write("\n".join([*parts[name](Path(folder).resolve()), ""]))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
