"""Record of a run: how each notebook ended, and the shape of `manifest.json`."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

Status = Literal["ok", "failed", "killed", "timeout"]
Parameter = str | int | float | bool


class Outcome(NamedTuple):
    """How the run of a notebook ended; `cell` counts from 1, the injected parameters included.

    `reads` names the clean tables and panels it loaded; a second of the `attempts` is made where
    the process that ran it died.  One that `is_reused` ran before, and nothing changed since.
    """

    notebook: str
    status: Status
    wall_s: float
    cell: int | None = None
    error: str | None = None
    reads: tuple[str, ...] = ()
    attempts: int = 1
    is_reused: bool = False


class Manifest(TypedDict):
    """One run of one report."""

    run_id: str
    status: str  # ok or failed
    dataset: str
    company: NotRequired[str]
    team: NotRequired[str]  # of one team's pack, with its name as `title`
    title: NotRequired[str]
    quarter: str
    quarter_label: str
    as_of: str
    as_of_given: str | None  # the day asked for by --as-of
    parameters: dict[str, Parameter]
    notebooks: list[
        dict[str, Any]
    ]  # the outcomes of execute.run; without data `missing`, or `withheld`
    error: str | None  # why no document could be made although every notebook ran
    metrics: dict[str, dict[str, Any]]
    notices: list[str]
    questions: NotRequired[dict[str, str]]  # answered, warned, withheld or not asked
    gate: NotRequired[list[dict[str, Any]]]  # the gate's findings
    inputs: list[dict[str, Any]]  # file, sha256, n_rows
    pulled: NotRequired[dict[str, Any] | None]  # when, and the SHA-256 of each file a pull wrote
    tables: list[dict[str, Any]]  # rows in = clean + quarantined + dropped
    code_sha256: str
    revision: NotRequired[dict[str, Any] | None]  # commit, is_changed; None outside a work tree
    lock_sha256: str
    settings_sha256: str
    packages: dict[str, str]
    owner: str
    audience: str
    pdf_sha256: str | None
    html_sha256: NotRequired[str | None]
    xlsx_sha256: NotRequired[str | None]
    answers: NotRequired[list[dict[str, Any]]]  # page one: question, word, text
    key_metrics: NotRequired[list[dict[str, Any]]]  # page one, with their trend
    previous_run_id: str | None  # of the report that a failed run left in place
    started_at: str
    wall_s: float
    quarterly: dict[
        str, Any
    ]  # why figures moved, and forecasts scored; empty where no report was made
