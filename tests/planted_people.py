"""Whether anything that a person is called, wrote or is paid leaves by a report, a pack or a mail.

Into every text of a small company's exports unique names, addresses (also of internationalised
domains), telephone numbers, subjects, deals, accounts and pay are written: Salesforce and HubSpot
of a simulated company with its house files, requests and calendars, Pipedrive, Dynamics and Zoho of
a few records.  Then `clean`, `report`, `report --each-team`, `deliver` to files, and runs that fail
(a file that is refused, a notebook that raises).  Every planted word is looked for in all that was
written outside the exports and in all that the terminal said.

    PYTHONPATH=src:tests/support python tests/planted_people.py [--only salesforce] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
import pikepdf
from report_fixtures import cells_of
from report_text import pages

from analysis.simulate.exports import write
from analysis.simulate.world.company_parameters import SimulatedCompany

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(__file__).resolve().parents[1]
QUARTER = "2026Q3"
# Text columns by what stands in them.  Names of teams, products and campaigns may be shown.
PLANTED = {
    "person": {"User.csv": ["Name"], "users.csv": ["hs_given_name", "hs_family_name"],
               "owners.csv": ["firstName", "lastName"]},
    "address": {"Lead.csv": ["Email"], "contacts.csv": ["email"], "User.csv": ["Email"],
                "users.csv": ["hs_email"], "owners.csv": ["email"]},
    "subject": {"Event.csv": ["Subject"], "Task.csv": ["Subject"], "meetings.csv": ["hs_meeting_title"],
                "calls.csv": ["hs_call_title"], "emails.csv": ["hs_email_subject"], "tasks.csv": ["hs_task_subject"]},
    "title": {"Lead.csv": ["Title"], "contacts.csv": ["jobtitle"], "User.csv": ["Title"]},
    "deal": {"Opportunity.csv": ["Name"], "deals.csv": ["dealname"]},
    "account": {"Account.csv": ["Name"], "companies.csv": ["name"], "Lead.csv": ["Company"], "contacts.csv": ["company"]},
}  # fmt: skip
API = {"name": "person", "full_name": "person", "email": "address", "internalemailaddress": "address",
       "title": "deal", "Deal_Name": "deal", "subject": "subject", "Subject": "subject",
       "Event_Title": "subject", "phonenumber": "phone", "Account_Name": "account"}  # fmt: skip
WORD = re.compile(r"zq[0-9a-f]{8}q")


class Planter:
    """Makes unique words and remembers of which kind each is."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.pay: dict[str, str] = {}
        self.phones: dict[str, str] = {}

    def word(self, kind: str) -> str:
        """Return a word nobody else has."""
        word = f"zq{len(self.kinds) * 2_654_435_761 % 2**32:08x}q"
        self.kinds[word] = kind
        return word

    def phone(self) -> str:
        """Return a number nobody else has."""
        digits = f"17{len(self.phones) * 48_271 % 10**8:08}93"
        self.phones[digits] = "phone"
        return f"+49 {digits[:3]} {digits[3:]}"

    def text(self, kind: str, old: str) -> str:
        """Return a cell of a kind with a planted word in it."""
        if kind == "phone":
            return self.phone()
        word = self.word(kind)
        if kind == "address":
            domain = old.rpartition("@")[2] or f"fírma-{word}.例え"
            return (
                f"{word}@{domain}"
                if len(self.kinds) % 2
                else f"Zoë {word} <{word}@fírma-{word}.例え>"
            )
        if kind == "person":
            return f"Zoë{word}"
        return f"{old} {word} for {word}@fírma.例え {self.phone()}"


def plant_csv(planter: Planter, raw: Path) -> None:
    """Write planted texts into the CSV files, each with a column of notes besides."""
    for file in sorted(raw.glob("*.csv")):
        columns = {c: kind for kind, files in PLANTED.items() for c in files.get(file.name, [])}
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        for n, row in enumerate(rows):
            for column, kind in columns.items():
                if kind == "address" and file.name in {"User.csv", "users.csv", "owners.csv"}:
                    row[column] = f"{planter.word(kind)}@{row[column].rpartition('@')[2]}"
                else:
                    row[column] = planter.text(kind, row[column])
            if file.name == "compensation.csv":
                row["base_amount"] = f"{61_000 + 173.37 * n:.2f}"
                planter.pay[row["base_amount"]] = "pay"
            if n % max(1, len(rows) // 300) == 0:
                row["Private notes"] = planter.text("note", "call her")
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(
                stream, [*dict.fromkeys(k for row in rows for k in row)], restval=""
            )
            writer.writeheader()
            writer.writerows(rows)


def plant_calendar(planter: Planter, raw: Path) -> None:
    """Write a calendar of planted entries."""
    entries = "".join(
        f"BEGIN:VEVENT\nUID:{n}-{planter.word('subject')}\nDTSTART:202608{n:02}T100000Z\n"
        f"DTEND:202608{n:02}T110000Z\nSUMMARY:{planter.text('subject', 'Demo')}\n"
        f"DESCRIPTION:{planter.text('note', 'x')}\nLOCATION:{planter.text('note', 'at')}\n"
        f"ORGANIZER;CN={planter.text('person', '')}:mailto:{planter.word('address')}@ours.example\n"
        f"ATTENDEE;CN={planter.text('person', '')}:mailto:{planter.word('address')}@fírma.例え\nEND:VEVENT\n"
        for n in range(1, 29)
    )
    name = planter.word("address")
    (raw / f"{name}@ours.example.ics").write_text(
        f"BEGIN:VCALENDAR\nVERSION:2.0\n{entries}END:VCALENDAR\n", encoding="utf-8"
    )


def plant_requests(planter: Planter, root: Path) -> None:
    """Write what was answered on requests where `vet` keeps it."""
    folder = root / "data" / "history" / "small" / "requests"
    folder.mkdir(parents=True)
    for n in range(1, 20):
        answers = "".join(
            f'[answers.{q}]\ntext = "{planter.text("answer", "because")}"\nscore = 2\n'
            for q in (1, 2, 3)
        )
        (folder / f"request-{n}.toml").write_text(
            f'request_id = "request-{n}"\n{answers}', encoding="utf-8"
        )


def small_answers(name: str) -> dict[str, Any]:
    """Return the answers of an API, as the tests of these sources have them."""
    unit, owner, account = (f"{n}0000000-0000-0000-0000-000000000000" for n in "abc")
    days = [f"2026-{m:02}-{d:02}" for m in range(1, 10) for d in (3, 10, 17)]
    if name == "pipedrive":
        return {
            "users": {"success": True, "data": [
                {"id": 7 + n, "name": "Ada B", "email": "a@ours.example", "active_flag": True, "timezone_name": "Europe/Berlin"}
                for n in range(6)]},
            "stages": {"success": True, "data": [{"id": 5, "name": "Negotiation", "pipeline_id": 1, "order_nr": 3}]},
            "organizations": {"success": True, "data": [
                {"id": 3, "name": "Firm", "owner_id": 7, "address": {"country": "DE"}, "visible_to": 3}]},
            "deals": {"success": True, "data": [
                {"id": n, "title": "Deal", "owner_id": 7 + n % 6, "org_id": 3, "person_id": None, "pipeline_id": 1, "stage_id": 5,
                 "value": 1000.5, "currency": "USD", "add_time": f"{day}T09:00:00Z", "update_time": f"{day}T17:00:00Z",
                 "status": "won" if n % 2 else "lost", "is_deleted": False, "probability": None, "lost_reason": None,
                 "visible_to": 3, "close_time": f"{day}T17:00:00Z", "won_time": f"{day}T17:00:00Z" if n % 2 else None,
                 "lost_time": None if n % 2 else f"{day}T17:00:00Z", "expected_close_date": day}
                for n, day in enumerate(days)]},
            "activities": {"success": True, "data": [
                {"id": n, "subject": "Demo", "type": "meeting", "owner_id": 7 + n % 6, "deal_id": n, "org_id": 3, "lead_id": None,
                 "is_deleted": False, "done": True, "due_date": day, "due_time": "15:00", "duration": "01:30",
                 "add_time": f"{day}T10:00:00Z", "update_time": f"{day}T16:30:00Z"} for n, day in enumerate(days)]},
        }  # fmt: skip
    if name == "dynamics":
        return {
            "systemusers": {"value": [
                {"systemuserid": owner, "internalemailaddress": "a@ours.example", "isdisabled": False, "fullname": "Ada B",
                 "title": "Account Executive", "_businessunitid_value": unit}]},
            "businessunits": {"value": [{"businessunitid": unit, "name": "North", "isdisabled": False}]},
            "accounts": {"value": [{"accountid": account, "name": "Firm", "_ownerid_value": owner, "numberofemployees": 12}]},
            "opportunities": {"value": [
                {"opportunityid": str(n), "name": "Deal", "statecode": 1 + n % 2, "statuscode": 3, "estimatedvalue": 1200.0,
                 "actualvalue": 1000.0, "actualclosedate": day, "estimatedclosedate": day, "createdon": f"{day}T09:00:00Z",
                 "modifiedon": f"{day}T17:00:00Z", "_ownerid_value": owner, "_parentaccountid_value": account,
                 "closeprobability": None, "stepname": "3-Propose", "transactioncurrencyid": {"isocurrencycode": "USD"}}
                for n, day in enumerate(days)]},
            "phonecalls": {"value": [
                {"activityid": f"9{n}", "subject": "Call", "phonenumber": "1", "directioncode": True, "actualdurationminutes": 25,
                 "actualstart": f"{day}T15:00:00Z", "statecode": 1, "_ownerid_value": owner, "_regardingobjectid_value": str(n),
                 "createdon": f"{day}T16:00:00Z", "modifiedon": f"{day}T16:00:00Z"} for n, day in enumerate(days)]},
        }  # fmt: skip
    return {
        "users": {"users": [
            {"id": "7", "full_name": "Ada B", "email": "a@ours.example", "status": "active", "time_zone": "Europe/Berlin",
             "role": {"name": "Sales Rep", "id": "1"}}]},
        "accounts": {"data": [{"id": "3", "Account_Name": "Firm", "Industry": None, "Employees": 12}]},
        "deals": {"data": [
            {"id": str(n), "Deal_Name": "Deal", "Stage": "Closed Won" if n % 2 else "Closed Lost", "Amount": 1000,
             "Closing_Date": day, "Created_Time": f"{day}T10:00:00+01:00", "Modified_Time": f"{day}T18:00:00+01:00",
             "Currency": "USD", "Owner": {"name": "Ada B", "id": "7", "email": "a@ours.example"},
             "Account_Name": {"name": "Firm", "id": "3"}, "Probability": 100 * (n % 2), "Type": "New Business",
             "Lead_Source": "Trade Show", "Campaign_Source": None} for n, day in enumerate(days)], "info": {"more_records": False}},
        "events": {"data": [
            {"id": str(n), "Event_Title": "Demo", "Start_DateTime": f"{day}T15:00:00+01:00", "What_Id": {"id": "2"},
             "End_DateTime": f"{day}T16:15:00+01:00", "All_day": False, "Owner": {"id": "7"}} for n, day in enumerate(days)]},
    }  # fmt: skip


def planted_json(planter: Planter, node: Any, key: str = "", above: str = "") -> Any:
    """Return an answer with its texts planted."""
    if isinstance(node, dict):
        texts = {k: planted_json(planter, v, k, key) for k, v in node.items()}
        return texts | {"private_notes": planter.text("note", "call")} if "id" in node else texts
    if isinstance(node, list):
        return [planted_json(planter, each, key, above) for each in node]
    if isinstance(node, str) and node == "Firm":
        return planter.text("account", node)
    if isinstance(node, str) and key in API and above not in {"role", "stages", "businessunits"} and node not in {"North", "Negotiation"}:  # fmt: skip
        return planter.text(API[key], node)
    return node


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield every file under a folder with the text that it holds, PDFs and workbooks opened."""
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        if file.suffix == ".parquet":
            text = pd.read_parquet(file).astype(str).to_csv()
        elif file.suffix == ".pdf":
            text = pdf_text(file)
        elif file.suffix == ".xlsx":
            text = "\n".join(map(str, cells_of(file)))
        else:
            text = file.read_bytes().decode("utf-8", "replace")
        yield str(file), f"{file.name}\n{text}"


def pdf_text(file: Path) -> str:
    """Return the text of a PDF's pages, and its metadata."""
    with pikepdf.open(file) as opened:
        return " ".join([*pages(opened), str(opened.docinfo), str(opened.open_metadata())])


def hunt(planter: Planter, text: str, *, is_pay_kept: bool) -> Counter[str]:
    """Return how many planted words of each kind stand in a text."""
    plain = unicodedata.normalize("NFKC", text)
    found = Counter(planter.kinds.get(w, "?") for w in set(WORD.findall(plain.casefold())))
    digits = re.sub(r"[\s\u00a0()./-]", "", plain) if "phone" in planter.phones.values() else ""
    found["phone"] += sum(
        each in digits for each in set(re.findall(r"17\d{8}93", digits)) & set(planter.phones)
    )
    if not is_pay_kept:
        numbers = set(re.findall(r"\d[\d,]*\.\d\d?\b", plain))
        found["pay"] += sum(n.replace(",", "") in planter.pay for n in numbers)
    return +found


def designed(kind: str, file: str) -> bool:
    """Whether a kind may stand in a file: accounts' names in clean tables, and in a notebook that
    showed them, both for their owner alone."""
    of_owner = file.endswith(("/accounts.parquet", ".ipynb"))
    return kind in {"account", "phone"} and of_owner


def run(root: Path, *arguments: str) -> tuple[int, str]:
    """Run the command line; return its exit code and all it said."""
    ran = subprocess.run(
        [sys.executable, "-c", "from analysis.cli import main; main()", *arguments],
        env=os.environ | {"ALIGNMENT_ROI_ROOT": str(root)}, cwd=root,
        capture_output=True, text=True, errors="replace", check=False, timeout=3_000,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def hunt_everywhere(planter: Planter, root: Path, said: str) -> tuple[int, dict[str, Counter[str]]]:
    """Return how many files were read, and by kind in which of them planted words were found."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    files = 0
    for place in ("data/processed", "data/history", "data/outgoing", "reports"):
        for file, text in texts_of(root / place):
            if "/requests/" in file or file.endswith("inputs/dataset/sales_ready.toml"):
                continue  # what was answered, and the dataset's own file, are kept for their owner
            files += 1
            is_pay_kept = place != "reports" or file.endswith(".ipynb")
            for kind, n in hunt(planter, text, is_pay_kept=is_pay_kept).items():
                if designed(kind, file):
                    continue
                found[kind][file.removeprefix(str(root) + "/")] += n
    for kind, n in hunt(planter, said, is_pay_kept=False).items():
        found[kind]["terminal"] += n
    return files, found


def try_crm(name: str, root: Path) -> dict[str, Any]:
    """Plant, run and hunt; return the counts."""
    planter, raw = Planter(), root / "data" / "raw" / "small"
    raw.mkdir(parents=True)
    shutil.copytree(HOUSE / "notebooks", root / "notebooks")
    house = (HOUSE / "alignment.toml").read_text(encoding="utf-8")
    if name in {"salesforce", "hubspot"}:
        shutil.rmtree(raw)
        write.write_exports(SimulatedCompany(n_teams=4, n_quarters=6), raw, layout=name)
        (raw / "truth.json").unlink()
        plant_csv(planter, raw)
        plant_requests(planter, root)
        plant_calendar(planter, raw)
        with (raw / "sales_ready.toml").open("a", encoding="utf-8") as stream:
            stream.write(
                f'\n[[definition]]\nname = "agreed"\nside = "both"\nvalid_from = 2026-01-01\n'
                f'approved_by = "{planter.word("person")}"\nwhen = "n_responses >= 2"\n'
            )
    else:
        for file, content in small_answers(name).items():
            planted = planted_json(planter, content)
            (raw / f"{file}.json").write_text(
                json.dumps(planted, ensure_ascii=False), encoding="utf-8"
            )
    (raw / f"{planter.word('address')}@refused.csv").write_text(
        "\n".join(
            f"{planter.text('address', '')},{planter.phone()},{planter.text('person', '')}"
            for _ in range(5)
        ),
        encoding="utf-8",
    )
    (root / "alignment.toml").write_text(
        house + '\n[delivery]\nby = "files"\nsender = "roi@acme.test"\nowner = "ops@acme.test"\ndomains = ["acme.test"]\n'
        'recipients = [{ address = "cfo@acme.test", dataset = "small" }]\n', encoding="utf-8"
    )  # fmt: skip
    said, codes = "", {}
    for arguments in (
        ("clean", "small", "--dry-run"), ("report", "small"),
        ("report", "small", "--each-team"), ("deliver", "small", "--dry-run"), ("deliver", "small"),
    ):  # fmt: skip
        if arguments[-1] == "--each-team" and name not in {"salesforce", "hubspot"}:
            continue
        codes[" ".join(arguments)], words = run(root, *arguments)
        said += words
    codes["a notebook that raises"], words = run_failing(root)
    said += words
    codes["deliver the failure"], words = run(root, "deliver", "small")
    said += words
    files, found = hunt_everywhere(planter, root, said)
    (root / "terminal.txt").write_text(said)
    n_planted = Counter(planter.kinds.values()) + Counter(
        {"phone": len(planter.phones), "pay": len(planter.pay)}
    )
    return {"who": name, "codes": codes, "planted": dict(n_planted), "files": files,
            "found": {k: dict(v) for k, v in found.items()}}  # fmt: skip


def run_failing(root: Path) -> tuple[int, str]:
    """Make the report once more with a notebook that raises what it reads."""
    file = root / "notebooks" / "2_cost_per_hour.ipynb"
    content = json.loads(file.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if "quarter_costs" in "".join(cell["source"]):
            cell["source"] = (
                "raise ValueError(company.table('reps').to_csv() + company.table('accounts').to_csv())"
            )
            break
    file.write_text(json.dumps(content), encoding="utf-8")
    return run(root, "report", "small", "--force")


def main() -> None:
    """Print what was planted, where each planted word was found, and how each command ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", action="append")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    for name in chosen.only or ("salesforce", "hubspot", "pipedrive", "dynamics", "zoho"):
        folder = chosen.keep or Path(tempfile.mkdtemp())
        row = try_crm(name, folder / name)
        if chosen.json:
            sys.stdout.write(f"{json.dumps(row)}\n")
            continue
        n = sum(row["planted"].values())
        sys.stdout.write(f"{name}: {n:,} planted {row['planted']}; {row['files']} files read\n")
        sys.stdout.write(f"  exit codes {row['codes']}\n  found: {row['found'] or 0}\n")
        sys.stdout.flush()
        if not chosen.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
