"""What a report stands on, as its last page and its manifest state it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from analysis.chapters.data_quality import answerability
from analysis.project import article_practices
from analysis.project.code_revision import code_revision
from analysis.store import manifest, published_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.report.run.plan import Plan
    from analysis.store.company import Company
    from analysis.store.run_record import Manifest, Outcome


def provenance_facts(company: Company, run_plan: Plan) -> dict[str, Any]:
    """Return what the provenance page shows; nothing of it depends on when or where the run was."""
    account = company.audit
    return {
        "run_id": run_plan.run_id,
        "Parameters": run_plan.parameters,
        "What the exports can answer": {
            answerability.QUESTION_WORDS.get(q, q): status
            for q, status in answerability.question_statuses(account).items()
        },
        "What was seen in the exports": answerability.finding_rows(account),
        "Not exported": answerability.absent_rows(account),
        "Exports": [
            {
                "file": f["file"],
                "rows": f["n_rows"],
                "understood as": f["layout"],
                "SHA-256": f["sha256"][:12],
            }
            for f in account["files"]
        ],
        "Rows": _row_counts(account["tables"]),
        "Code": {
            "code SHA-256": manifest.code_sha256()[:16],
            "lock SHA-256": manifest.lock_sha256()[:16],
        },
        "Packages": manifest.package_versions(),
        **_practices_of_articles(),
    }


def _practices_of_articles() -> dict[str, Any]:
    """Return where each practice of the articles is measured: a table an article."""
    places = "N: notebook; E: item of the alignment index, notebook 4; vet, ask: commands"
    tables = {
        f"Practices: {title}": article_practices.practice_rows(article)
        for article, title in article_practices.ARTICLES.items()
    }
    return {"Practices": f"{article_practices.counts_sentence()} {places}.", **tables}


def _row_counts(tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what became of the rows of each table that lost some, and of all others together."""
    counts = {
        "in": "n_in",
        "clean": "n_clean",
        "quarantined": "n_quarantined",
        "dropped": "n_dropped",
    }
    lost = [t for t in tables if t["n_clean"] < t["n_in"]]
    rows = [{"table": t["table"], **{k: t[c] for k, c in counts.items()}} for t in lost]
    whole = [t for t in tables if t["n_in"] and t["n_clean"] == t["n_in"]]
    if whole:
        name = f"{len(whole)} {'other' if len(whole) == 1 else 'others'}, whole"
        rows.append({"table": name, **{k: sum(t[c] for t in whole) for k, c in counts.items()}})
    return rows


def state_manifest(
    company: Company,
    run_plan: Plan,
    runs: list[Outcome],
    started: dt.datetime,
    notice_lines: list[str],
) -> Manifest:
    """Return the manifest of a run whose notebooks have ended (none yet: `runs` empty), before it
    has a PDF.
    """
    account, house, revision = company.audit, company.settings, code_revision()
    return {
        "run_id": run_plan.run_id,
        "status": "ok" if all(r.status == "ok" for r in runs) else "failed",
        "dataset": company.dataset,
        "company": house.company.name or company.dataset,
        "quarter": company.quarter,
        "quarter_label": company.period.label(house.company.fiscal_year_start_month),
        "as_of": account["as_of"],
        "as_of_given": run_plan.as_of_given,
        "parameters": run_plan.parameters,
        "notebooks": manifest.outcome_entries(runs)
        + [
            {
                "notebook": m["title"],
                "status": "withheld" if m.get("is_withheld") else "missing",
                "needs": m["needs"],
                "why": m["why"],
            }
            for m in run_plan.missing
        ],
        "error": None,
        "metrics": {},
        "notices": notice_lines,
        "questions": answerability.question_statuses(account),
        "gate": account.get("gate", {}).get("findings", []),
        "inputs": [
            {"file": f["file"], "sha256": f["sha256"], "n_rows": f["n_rows"]}
            for f in account["files"]
        ],
        "tables": [{k: v for k, v in t.items() if k != "columns"} for t in account["tables"]],
        "pulled": published_runs.pulled_files(company.dataset),
        "code_sha256": manifest.code_sha256(),
        "revision": revision._asdict() if revision else None,
        "lock_sha256": manifest.lock_sha256(),
        "settings_sha256": manifest.settings_sha256(company),
        "packages": manifest.package_versions(),
        "owner": house.report.owner,
        "audience": house.report.audience,
        "pdf_sha256": None,
        "html_sha256": None,
        "xlsx_sha256": None,
        "previous_run_id": None,
        "started_at": started.isoformat(timespec="seconds"),
        "wall_s": round((dt.datetime.now(tz=dt.UTC) - started).total_seconds(), 2),
        "quarterly": {},
    }
