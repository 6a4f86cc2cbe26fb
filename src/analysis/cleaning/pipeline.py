"""The pass: text tables in, canonical tables, quarantine and audit out.

Every row of every export ends in exactly one of clean, quarantined and dropped, and the audit says
how many where and by which rule.  Nothing is imputed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analysis.cleaning import (
    held_meetings,
    hours,
    identity,
    outcomes,
    people_of_rows,
    reconciliation,
    references,
    reporting_currency,
    rules,
    second_entries,
    set_aside_spread,
    unmatched_words,
    validity,
)
from analysis.project.errors import CrmDataError
from analysis.project.strange_files import why_strange
from analysis.sources import blank_cells, field_maps, own_maps, typed_tables
from analysis.sources import intake as sources_intake
from analysis.sources.cells import notation
from analysis.sources.database import confine_session, quote_identifier, set_variable
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from analysis.cleaning.unmatched_words import UnmatchedWord
    from analysis.project.settings import Settings
    from analysis.sources.files import text_table

SQL = read_statements(__name__)
FREE_MAIL = (
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "icloud.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "proton.me",
)
FIRST_YEAR = 1990
# Without a table of each there is no report at all: of several one is enough.
REQUIRED_TABLES = (("opportunities", "leads"), ("reps",))
WIDELY_USED = ("Salesforce", "HubSpot", "Dynamics", "Pipedrive", "Zoho")  # as an error names them


class TableAudit(NamedTuple):
    """What became of one table's rows: `n_in` = `n_clean` + `n_quarantined` + `n_dropped`."""

    table: str
    n_in: int
    n_clean: int
    n_quarantined: int
    n_dropped: int
    columns: dict[str, int]  # filled cells of each column


class FileAudit(NamedTuple):
    """How one file was understood."""

    file: str
    sha256: str
    n_bytes: int
    n_rows: int
    delimiter: str
    layout: str
    tables: tuple[str, ...]
    encoding: str = ""  # and how it was decided, and how lines end
    stripped: tuple[tuple[str, int], ...] = ()  # rule → lines that are no rows
    warnings: tuple[str, ...] = ()
    notes: tuple[
        str, ...
    ] = ()  # what else was decided about the file: date order, currency, filled cells


class Audit(NamedTuple):
    """The account of one pass over a dataset's exports."""

    dataset: str
    as_of: dt.date
    first_day: dt.date
    files: tuple[FileAudit, ...]
    refusals: tuple[text_table.Refusal, ...]
    tables: tuple[TableAudit, ...]
    rules: tuple[rules.RuleEffect, ...]
    reconciliation: tuple[reconciliation.QuarterReconciliation, ...]
    hours_sources: tuple[hours.HoursSource, ...]
    hours_steps: tuple[hours.HoursStep, ...]
    n_long_days: int


def _one(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Mapping[str, object] | None = None
) -> tuple[object, ...]:
    row = connection.execute(sql, values).fetchone()
    if row is None:
        raise AssertionError(f"a query without an answer: {sql}")
    return tuple(row)


def _define_lead_days(connection: duckdb.DuckDBPyConnection) -> None:
    """Make ``lead_days``, the days of leads' records: none where deals date the export."""
    connection.execute(SQL["lead_days"])


def _as_of(connection: duckdb.DuckDBPyConnection, today: dt.date) -> dt.date:
    """Return the latest activity or close date that the export could know of.

    What an export knows ends where its records were last created, logged or closed; a meeting
    planned after that has not taken place.  Leads date an export that holds no deals.
    """
    (as_of,) = _one(connection, SQL["as_of"], {"today": today})
    if not isinstance(as_of, dt.date):
        raise CrmDataError(
            outcomes.untold_outcomes(connection)
            or "opportunities: no row has a close date or an activity to date the export by. "
            "Export closed opportunities too, or name the day by --as-of."
        )
    return as_of


def _require_data(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> None:
    """Refuse a day of the export that lies before anything it holds, or before there were CRMs."""
    if as_of.year < FIRST_YEAR:
        raise CrmDataError(
            f"opportunities: the last of its dates is {as_of}: no CRM is that old, so its years are of "
            f"another calendar. Export dates with years from {FIRST_YEAR} on, as 2026-09-30."
        )
    (first,) = _one(connection, SQL["first_record"])
    if isinstance(first, dt.date) and as_of < first:
        raise CrmDataError(
            f"opportunities: as of {as_of} there is nothing yet: the first record is of "
            f"{first}. Name a later day by --as-of."
        )


def _table_audit(
    connection: duckdb.DuckDBPyConnection, name: str, n_in: int, actions: dict[str, str]
) -> TableAudit:
    if not n_in:
        return TableAudit(
            name, 0, 0, 0, 0, dict.fromkeys((c.name for c in TABLES[name].columns), 0)
        )
    n_clean, *counts = _one(connection, SQL["filled_cells"], {"table": name})
    aside = dict(
        connection.execute(
            "select rule, count(*) from set_aside where table_name = ? group by rule", [name]
        ).fetchall()
    )
    dropped = sum(n for rule, n in aside.items() if actions[rule] == "drop")
    audit = TableAudit(
        name,
        n_in,
        int(str(n_clean)),
        sum(aside.values()) - dropped,
        dropped,
        {c.name: int(str(n)) for c, n in zip(TABLES[name].columns, counts, strict=True)},
    )
    if audit.n_in != audit.n_clean + audit.n_quarantined + audit.n_dropped:
        raise AssertionError(f"{name}: {audit.n_in} rows in, but {audit}: a row was lost")
    return audit


def _layouts(export: sources_intake.Export, broken: Sequence[text_table.BrokenLine]) -> FileAudit:
    tables = tuple(layout.table for layout in export.layouts if layout.table)
    first = export.layouts[0]
    stripped = Counter(line.rule for line in broken if line.file == export.file)
    return FileAudit(
        export.file,
        export.sha256,
        export.size,
        export.n_rows,
        export.delimiter,
        f"{first.object_name} ({first.map_name})",
        tables,
        export.encoding,
        tuple(sorted(stripped.items())),
        export.warnings,
        export.notes,
    )


def _prepare_session(
    connection: duckdb.DuckDBPyConnection, dataset_key: str, settings: Settings
) -> None:
    variables: dict[str, str | float] = {
        "currency": settings.company.currency,
        "longest_minutes": settings.hours.longest_activity_hours * 60,
        "time_zone": settings.company.time_zone,
        "dataset_key": dataset_key,
        "company_name": settings.company.name,
    }
    for name, value in variables.items():
        set_variable(connection, name, value)
    outcomes.define_outcomes(connection)
    held_meetings.define_held_meetings(connection)
    connection.execute(read_statements("analysis.cleaning.roles")["macros"])
    hours.define_late_stages(connection, settings.pipeline.late_stages)
    connection.execute(SQL["set_aside"])


def _exports_that_fill(
    table: str, layouts: Sequence[field_maps.ExportLayout], intake: sources_intake.Intake
) -> str:
    """Name exports that fill a table as a clause.

    Those of the CRM that the folder is of first, then one of each CRM, as widely used as it is.
    """

    def crm(layout: field_maps.ExportLayout) -> str:
        return layout.map_name.partition(" ")[0].rstrip(",")

    def place(layout: field_maps.ExportLayout) -> int:
        return WIDELY_USED.index(crm(layout)) if crm(layout) in WIDELY_USED else len(WIDELY_USED)

    here = {crm(layout) for export in intake.exports for layout in export.layouts}
    fills = sorted((e for e in layouts if e.table == table), key=place)
    first = list({crm(e): e for e in reversed(fills)}.values())
    fills.sort(key=lambda e: (crm(e) not in here, e not in first))
    names = list(dict.fromkeys(f"{e.object_name} ({e.map_name})" for e in fills))
    return f", such as {', '.join(names[:3])}" if names else ""


def _first_day(connection: duckdb.DuckDBPyConnection, as_of: dt.date) -> dt.date:
    (first,) = _one(connection, SQL["first_day"])
    return min(first, as_of) if isinstance(first, dt.date) else as_of


def define_own_domains(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``own_domains``.

    Mail domains of the CRM's users, those anyone may have left out.
    """
    connection.execute(SQL["own_domains"], {"free_mail": list(FREE_MAIL)})


def define_rates(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the SQL macro ``rate_on(code, day)``.

    Reporting currency per unit, missing where no single rate is known.

    A rate against the CRM's corporate currency goes by the reporting currency's own rate of the
    same day; where that has none, nothing is converted.
    """
    connection.execute(SQL["reporting_rates"])


def _note_names(
    connection: duckdb.DuckDBPyConnection, intake: sources_intake.Intake, files: Sequence[Path]
) -> None:
    """Note what names the exports and the files not read hold, while their text is there."""
    read = {export.file for export in intake.exports if export.tables}
    unmatched_words.collect_names(
        connection,
        intake.exports,
        [f for f in files if f.name not in read and not why_strange(f, f.parent)],
    )


def _settle_table(connection: duckdb.DuckDBPyConnection, name: str, settings: Settings) -> None:
    """Make what later tables ask of the one just judged."""
    if name == "record_merges":
        identity.settle_survivors(connection)
    if name == "fx_rates":
        define_rates(connection)
    if name == "finance_bookings":
        reconciliation.define_quarters(
            connection,
            settings.company.fiscal_year_start_month,
            settings.reconciliation.tolerance_rate,
        )


def _require_tables(
    n_in: Mapping[str, int],
    dataset: str,
    layouts: Sequence[field_maps.ExportLayout],
    intake: sources_intake.Intake,
) -> None:
    """Refuse a folder that fills none of the tables of which one is required."""
    absent = next((names for names in REQUIRED_TABLES if not any(n_in[n] for n in names)), None)
    if absent is None:
        return
    refused = "".join(f"\n  {r.file}: {r.reason}." for r in intake.refusals)
    others = "".join(f", nor {name}, which would do too" for name in absent[1:])
    raise CrmDataError(
        f"{absent[0]}: no export in data/raw/{dataset} fills this table{others}. "
        f"Put the export there{_exports_that_fill(absent[0], layouts, intake)}, or map its columns in "
        "fields.toml."
        f"{f' Files that lie there and are not read:{refused}' if refused else ''}"
    )


def clean_tables(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    dataset: str,
    settings: Settings,
    *,
    dataset_key: str,
    as_of: dt.date | None = None,
    today: dt.date | None = None,
    show_words: Callable[[tuple[UnmatchedWord, ...]], None] | None = None,
    output: Path | None = None,
) -> Audit:
    """Make the canonical tables of `canonical.TABLES` in the database, and return the account of
    it.

    `show_words` is handed the words of subjects that match no class, which nothing keeps; without
    it they are not looked for.  Once the files are read the database reaches no file but those of the
    folder `output`.  Also makes ``set_aside_checks`` (each row not clean), ``rep_day_hours`` and the SQL variable
    ``assessment``.

    Raises
    ------
    CrmDataError
        If a required table has no export, or no row of it is left.
    """
    _prepare_session(connection, dataset_key, settings)
    layouts = field_maps.exports_known(dataset)
    intake = sources_intake.read_files(connection, files, layouts, until=as_of or today)
    if show_words:
        _note_names(connection, intake, files)
    confine_session(connection, output)
    books = {name: rules.read_rulebook(name, dataset) for name in TABLES}
    own_maps.require_sound(intake, layouts, books)
    own = field_maps.reading_of(dataset)
    intake, readings = notation.study_columns(
        connection, blank_cells.without_blanks(connection, intake, own), own
    )
    intake, n_in = typed_tables.all_tables(connection, intake, layouts, books, readings)
    for export in intake.exports:
        connection.execute(f"drop table {quote_identifier(export.text_table)}")
    intake = validity.settle_intervals(connection, intake, field_maps.reading_of(dataset))
    intake, n_in = people_of_rows.people_of_rows(connection, intake, n_in)
    _require_tables(n_in, dataset, layouts, intake)
    intake = references.settle_references(
        connection, intake, [name for name, n in n_in.items() if n]
    )
    outcomes.deal_outcomes(connection, books["opportunities"])
    reporting_currency.require_reachable(connection, settings.company.currency, dataset)
    _define_lead_days(connection)
    as_of = as_of or _as_of(connection, today or dt.datetime.now(tz=dt.UTC).date())
    _require_data(connection, as_of)
    set_variable(connection, "as_of", as_of)
    identity.define_survivors(connection)
    set_aside_spread.define_tables(connection, books)
    second_entries.define_tables(connection)
    define_own_domains(connection)
    audits, effects = [], []
    sources: tuple[hours.HoursSource, ...] = ()
    hours.define_client_activities(connection)
    hours.define_classes(connection, settings.activity_classes)
    for name, table in TABLES.items():
        rules.judge_rows(connection, table, books[name], f"parsed_{name}")
        if n_in[name]:
            set_aside_spread.count_deciding(connection, table, f"parsed_{name}")
            set_aside_spread.measure_spread(connection, table, books[name])
            second_entries.measure_entries(connection, name, f"parsed_{name}")
        _settle_table(connection, name, settings)
        if name == "activities":
            sources = hours.judge_sources(
                connection, books[name].rules, settings.hours.max_junk_share
            )
            if show_words:
                show_words(unmatched_words.unmatched_words(connection))
        connection.execute(f"drop table {quote_identifier('parsed_' + name)}")
        effect = rules.rule_effects(connection, table, books[name], n_in[name])
        effects += effect
        audits.append(
            _table_audit(connection, name, n_in[name], {e.rule: e.action for e in effect})
        )
    identity.write_name_review(connection)
    hours.by_day(connection)
    sources, steps = hours.hours_by_step(connection, sources, books["activities"].rules)
    return Audit(
        dataset,
        as_of,
        _first_day(connection, as_of),
        tuple(_layouts(e, intake.broken_lines) for e in intake.exports),
        tuple(intake.refusals),
        tuple(audits),
        tuple(effects),
        reconciliation.reconcile_quarters(connection, settings.company.fiscal_year_start_month),
        sources,
        steps,
        hours.n_long_days(connection),
    )
