"""What an attacker puts into settings, folders of reports and files of requests; and who may read what is written."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections import Counter
from typing import TYPE_CHECKING

from delivered_project import CFO, add_packs, configure, published_project, report_folder
from report_fixtures import at, cell, notebook, run
from sql_escapes import ESCAPES

from analysis.project import paths
from analysis.project.errors import OwnMapError
from analysis.report import index_page
from analysis.sources import own_definitions
from analysis.store import request_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "salary-of-ada-99999"  # noqa: S105 - a word that must not be read
TEAM_NAMES = ["../x", "../../../etc/cron.d/x", "/etc/passwd", "CON", "a/b", "a\\b", "a\0b", "x" * 160, "東京営業部", "..", "-rf", "$(id)", "\u202exe", "<script>"]  # fmt: skip
OWN_SETTINGS = {
    "a host": '[pull]\nconnection = "crm"\nhost = "evil.example"\n',
    "a driver": '[pull]\nconnection = "crm"\ndriver = "/tmp/evil.so"\n',
    "an address": '[pull]\nconnection = "crm"\nurl = "postgresql://evil.example/x"\n',
    "a connection": '[connections.crm]\ndriver = "sqlite"\npath = "/etc/passwd"\ndatasets = ["small"]\n',
    "a file of another's": '[pull]\nconnection = "crm"\npath = "/etc/passwd"\n',
    "certificates": '[pull]\nconnection = "crm"\ncertificates = "/etc/passwd"\n',
    "a recipient": '[delivery]\nsender = "a@evil.example"\nowner = "a@evil.example"\ndomains = ["evil.example"]\n',
    "recipients": '[[delivery.recipients]]\naddress = "a@evil.example"\ndataset = "small"\n',
    "a mail server": '[delivery.mail_server]\nhost = "evil.example"\n',
    "a webhook": '[delivery.webhook]\nurl = "https://evil.example"\n',
    "a web address": '[delivery]\nbase_url = "https://evil.example"\n',
    "dotted keys": 'delivery.domains = ["evil.example"]\n',
    "a connection nobody lets it use": '[pull]\nconnection = "other"\n',
}  # fmt: skip
QUERIES = [
    "copy (select 1) to '/tmp/x'", "select 1; drop table opportunity", "attach '/etc/passwd' as x", "pragma writable_schema = 1",
    "insert into opportunity values (1)", "with x as (delete from opportunity returning 1) select * from x", "select 1 --\n; delete from opportunity",
]  # fmt: skip


def own_settings(root: Path) -> Iterator[tuple[str, bool, str]]:
    """Yield what a dataset's own settings ask for, whether the run ended with 2, and its code."""
    published_project(root)
    configure(root, 9, (CFO, None), more='by = "files"')
    house = root / "alignment.toml"
    house.write_text(
        house.read_text()
        + f'\n[connections.crm]\ndriver = "sqlite"\npath = "{root / "crm.sqlite"}"\ndatasets = ["small"]\n'
        + f'\n[connections.other]\ndriver = "sqlite"\npath = "{root / "crm.sqlite"}"\ndatasets = ["else"]\n'
    )
    session = sqlite3.connect(root / "crm.sqlite")
    session.execute("create table opportunity (id, _fivetran_synced)")
    session.commit()
    own = root / "data" / "raw" / "small" / "alignment.toml"
    for name, text in OWN_SETTINGS.items():
        own.write_text(text)
        commands = ("pull",) if "nobody lets" in name else ("pull", "deliver", "report")
        for command in commands:
            ran = run(root, command, "small")
            is_said = "evil" in ran.out or "/etc/passwd" in ran.out
            yield f"{name}: {command}", ran.code == 2 and not is_said, f"exit {ran.code}"
    for query in QUERIES:
        own.write_text(
            f'[pull]\nconnection = "crm"\n[pull.tables.x]\nquery = {json.dumps(query)}\n'
        )
        before = list(session.execute("select count(*), (select count(*) from sqlite_master) from opportunity"))  # fmt: skip
        ran = run(root, "pull", "small")
        after = list(session.execute("select count(*), (select count(*) from sqlite_master) from opportunity"))  # fmt: skip
        yield query, ran.code in {2, 3} and before == after, f"exit {ran.code}"
    session.close()


def _links(root: Path, away: Path) -> dict[str, Callable[[], object]]:
    """Return what to put a link in the place of, in the folders that a delivery reads and notes in."""
    report = report_folder(root)

    def instead(place: Path) -> Callable[[], object]:
        def put() -> None:
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists() or place.is_symlink():
                place.rename(away / f"was-{len(list(away.iterdir()))}")
            place.symlink_to(away / "there" if place.suffix == "" else away / "secret")

        return put

    return {
        "PDF": instead(report / paths.REPORT_PDF),
        "manifest": instead(report / "manifest.json"),
        "report": instead(report),
        "pack": instead(report / "teams" / "t0"),
        "pack's PDF": instead(report / "teams" / "t1" / paths.REPORT_PDF),
        "index": instead(root / "reports" / "index.html"),
        "ledger": instead(root / "data" / "history" / "small" / "deliveries.jsonl"),
        "messages": instead(root / "data" / "outgoing"),
        "messages of a dataset": instead(root / "data" / "outgoing" / "small"),
    }


def links_at_delivery(new_root: Callable[[], Path]) -> Iterator[tuple[str, bool, str]]:
    """Yield each link, whether nothing was read or written beyond it, and the exit code."""
    for n in range(9):
        root = new_root()
        away = root.parent / "away"
        (away / "there").mkdir(parents=True)
        (away / "secret").write_text(SECRET)
        (away / "there" / "alignment-roi.pdf").write_text(SECRET)
        published_project(root)
        add_packs(root, "one", "two")
        configure(root, 9, (CFO, None), (CFO, "one"), (CFO, "two"), more='by = "files"')
        name, put = list(_links(root, away).items())[n]
        put()
        ran = run(root, "deliver", "small")
        mails = [f.read_bytes() for f in (root / "data" / "outgoing").rglob("*.eml") if f.is_file()]
        is_read = SECRET in ran.out + ran.err or any(SECRET.encode() in mail for mail in mails)
        is_written = (away / "secret").read_text() != SECRET or len(list((away / "there").iterdir())) > 1  # fmt: skip
        fine = ran.code in {0, 2, 3} and not is_read and not is_written
        yield name, fine, f"exit {ran.code}"


def pack_names(root: Path) -> Iterator[tuple[str, bool, str]]:
    """Yield names of teams, whether their packs lie in the reports and the index stays inert."""
    import page_check

    published_project(root)
    folders = set()
    with at(root):
        for n, name in enumerate(TEAM_NAMES):
            folder = paths.pack_folder("small", "2026Q2", name)
            inside = folder.parent == report_folder(root) / "teams"
            new = folder not in folders and len(folder.name) <= 60
            folders.add(folder)
            (pack,) = add_packs(root, name) if not n else (folder,)
            if n:
                pack.mkdir(parents=True)
                state = json.loads(
                    (report_folder(root) / "teams" / "t0" / "manifest.json").read_text()
                )
                state |= {"team": name, "title": f"Team {name}", "parameters": {"team": name}}
                (pack / "manifest.json").write_text(json.dumps(state))
                (pack / paths.REPORT_PDF).write_bytes(b"%PDF")
            yield f"folder of {name[:20]!r}", inside and new, ""
        index_page.write_index()
    page = (root / "reports" / "index.html").read_text("utf-8")
    yield "index of hostile names", page_check.faults(page_check.Page(page)) == [], ""
    configure(
        root, 9, *((CFO, name) for name in TEAM_NAMES if "\0" not in name), more='by = "files"'
    )
    ran = run(root, "deliver", "small")
    outside = [f for f in root.rglob("*.eml") if f.parent != root / "data" / "outgoing" / "small"]
    yield (
        "delivery of packs of hostile names",
        ran.code in {0, 2, 3} and not outside,
        f"exit {ran.code}",
    )


def definitions() -> Iterator[tuple[str, bool, str]]:
    """Yield expressions that would do more than judge a lead, and whether each is refused."""
    odd = (
        "[[definition]]",
        "definition = 5",
        "a = " + "[" * 5_000,
        "[[definition]]\nname = 5\nwhen = true",
        "\0",
    )
    texts = [f'[[definition]]\nname = "x"\nvalid_from = 2026-01-01\nwhen = {json.dumps(sql)}\n' for sql in ESCAPES]  # fmt: skip
    for text in (*texts, *odd):
        try:
            own_definitions.parse_definitions(text)
        except OwnMapError:
            yield text, True, "refused"
        else:
            yield text, False, "taken"


HOUSE_FILES = {
    "marketing_requests.csv": "request_id,team_id,asked_on,trigger,decision,n_questions_answered,topic,kind,goal_id,skill",
    "campaign_notices.csv": "notice_id,team_id,campaign_id,first_send_on,notified_on,has_talking_points",
    "campaign_milestones.csv": "milestone_id,team_id,campaign_id,due_on,done_on,is_shared",
    "assets.csv": "asset_id,team_id,created_on,is_in_library,has_sales_input,production_hours,kind,stage",
    "asset_uses.csv": "use_id,asset_id,team_id,used_on,opportunity_id",
    "content_trials.csv": "trial_id,account_id,begins_on,is_held_out,assigned_by",
    "stage_owners.csv": "answer_id,team_id,side,stage,accountable,agreed_on",
    "content_ideas.csv": "idea_id,team_id,rep_id,brought_on,asset_id",
    "channels.csv": "channel_id,owner_rep_id,refresh_days,refreshed_on",
    "feedback.csv": "feedback_id,team_id,rep_id,reported_on,theme,trend",
}
CELLS = [
    "",
    "=1+1",
    "'; drop table teams; --",
    "<script>",
    "\u202e",
    "x" * 9_000,
    "-1",
    "1e309",
    "9999-12-31",
    "0000-00-00",
    "NaN",
    "\x1b[2J",
    "../x",
    "東",
]


def house_files(new_root: Callable[[], Path]) -> Iterator[tuple[str, bool, str]]:
    """Yield files of content, campaigns and requests full of hostile cells: each row counted, no bug of ours."""
    for name, header in HOUSE_FILES.items():
        root = new_root()
        published_project(root)
        columns = header.split(",")
        rows = [
            [CELLS[(i * 5 + j * 3) % len(CELLS)] for j in range(len(columns))] for i in range(60)
        ]
        text = "\n".join([header, *(",".join(f'"{c}"' for c in row) for row in rows)])
        (root / "data" / "raw" / "small" / name).write_text(text, encoding="utf-8")
        ran = run(root, "clean", "small")
        table = name.removesuffix(".csv")
        counted = [line for line in ran.out.splitlines() if line.strip().startswith(f"{table}: ")]
        is_counted = any(f"{table}: 60 = " in line for line in counted) or "refused" in ran.out
        yield (
            name,
            ran.code in {0, 1, 2} and is_counted and "\x1b" not in ran.out,
            f"exit {ran.code}",
        )


def request_files(root: Path) -> Iterator[tuple[str, bool, str]]:
    """Yield files where decisions on requests are kept, and whether each is read or refused."""
    published_project(root)
    folder = root / "data" / "history" / "small" / "requests"
    folder.mkdir(parents=True)
    outside = root / "secret.toml"
    outside.write_text(f'request_id = "r"\n# {SECRET}\n')
    kinds: dict[str, Callable[[Path], object]] = {
        "deep TOML": lambda f: f.write_text("a = " + "[" * 5_000),
        "no TOML": lambda f: f.write_bytes(os.urandom(4_000)),
        "empty": lambda f: f.write_text(""),
        "another's id": lambda f: f.write_text('request_id = "other"\n'),
        "path as id": lambda f: f.write_text('request_id = "../../x"\n'),
        "long answer": lambda f: f.write_text(f'request_id = "r"\n[answers.1]\ntext = "{"x" * 5_000_000}"\nscore = 2\n'),
        "unknown key": lambda f: f.write_text('request_id = "r"\nrun = "rm -rf"\n'),
        "wrong kinds": lambda f: f.write_text('request_id = "r"\nanswers = 5\n'),
        "link out": lambda f: f.symlink_to(outside),
        "link to itself": lambda f: f.symlink_to(f.name),
        "pipe": os.mkfifo,
        "folder": lambda f: f.mkdir(),
    }  # fmt: skip
    for name, put in kinds.items():
        file = folder / "r.toml"
        put(file)
        with at(root):
            try:
                request_records.read_records("small")
                what, fine = "read", name == "empty"
            except OwnMapError as error:
                what, fine = "refused", SECRET not in str(error)
            except Exception as error:  # noqa: BLE001 - what is counted
                what, fine = type(error).__name__, False
        yield name, fine, what
        file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()


def written_modes(root: Path, mask: int) -> Counter[str]:
    """Return the modes of requests, pulled files, deliveries, packs and reports, by place, under a umask."""
    before = os.umask(mask)
    try:
        published_project(root)
        ours = set(root.rglob("*"))
        configure(root, 9, (CFO, None), more='by = "files"')
        run(root, "deliver", "small")
        with at(root):
            record = request_records.RequestRecord(request_id="r-1")
            request_records.write_record("small", record)
            answer = request_records.VettingAnswer(text="because", score=1)
            request_records.write_leader_answer("small", "r-1", answer)
        session = sqlite3.connect(root / "crm.sqlite")
        session.execute(
            "create table opportunity (id text primary key, owner_id, stage_name, amount real, close_date, created_date, is_deleted, _fivetran_synced, _fivetran_deleted)"
        )
        session.execute(
            "insert into opportunity values ('0065eZx00000RFBAB2', '0055eZx00000RFBAB2', 'Closed Won', 1, '2026-03-30', '2026-01-04T16:31:01Z', 'false', '2026-04-01 00:00:00', 0)"
        )
        session.commit()
        session.close()
        (root / "alignment.toml").write_text(
            (root / "alignment.toml").read_text()
            + f'\n[connections.crm]\ndriver = "sqlite"\npath = "{root / "crm.sqlite"}"\ndatasets = ["small"]\n'
        )
        own = root / "data" / "raw" / "small" / "alignment.toml"
        own.write_text('[pull]\nconnection = "crm"\n')
        known = set((root / "data" / "raw" / "small").iterdir())
        (root / "data" / "raw" / "small" / "Opportunity.csv").unlink()  # pulled ones take its place
        run(root, "pull", "small")
        notebook(
            root / "notebooks" / "1_x.ipynb",
            "# Q",
            cell('quarter: str = "2026Q2"\ndataset: str = "demo"', "parameters"),
        )
        run(root, "report", "small")
    finally:
        os.umask(before)
    counts: Counter[str] = Counter()
    history = root / "data" / "history" / "small"
    places = {
        "requests": [history / "requests", *(history / "requests").rglob("*")],
        "history": [f for f in history.rglob("*") if "requests" not in f.parts],
        "pulled": [f for f in (root / "data" / "raw" / "small").iterdir() if f not in known],
        "mails": [*(root / "data" / "outgoing").rglob("*")],
        "notebooks run": [*(root / "reports").rglob("*.ipynb")],
    }
    for place, files in places.items():
        for each in set(files) - ours:
            kind = "folder" if each.is_dir() else "file"
            counts[f"{place} {kind} {stat.S_IMODE(each.stat().st_mode):04o}"] += 1
    return counts
