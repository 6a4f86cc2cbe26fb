"""Columns of texts read as a file's would be: values, the rules that cells break, notes."""

from __future__ import annotations

from shared_session import undone_session

from analysis.sources import database, field_maps
from analysis.sources import intake as sources_intake
from analysis.sources.cells import notation, parsers, reading

PARSED = {"date": "date", "timestamp": "timestamp", "midnight": "timestamp", "count": "count", "currency": "category"} | {
    "id": "id", "salesforce_id": "id", "boolean": "boolean",
}  # fmt: skip


def read_columns(
    columns: dict[str, list[str]],
    kind: str,
    *,
    currency: str = "USD",
    zone: str = "America/Phoenix",
    fills_currency: bool = False,
    **said,
):
    """Read columns of a file, each by itself, as `kind`.

    Return of each its values, the rules its cells break; the notes; and the currency of each row.
    """
    fields = tuple(reading.MappedColumn(n.lower(), source=n, parser=kind) for n in columns)
    layout = field_maps.ExportLayout("map", "Object", tuple(columns), "reps", fields)
    n_rows = len(next(iter(columns.values())))
    with undone_session() as connection:
        for name, value in (("currency", currency), ("time_zone", zone), ("dataset_key", "key")):
            database.set_variable(connection, name, value)
        heads = [f"c{n}" for n in range(len(columns))]
        connection.execute(
            f"create table text_0 (source_row bigint, {', '.join(f'{h} varchar' for h in heads)})"
        )
        marks = ", ".join("?" * (len(heads) + 1))
        for n, texts in enumerate(zip(*columns.values(), strict=True), 2):
            connection.execute(f"insert into text_0 values ({marks})", [n, *texts])
        export = sources_intake.Export(
            "it.csv", "", 0, "text_0", tuple(columns), "comma", n_rows, (layout,)
        )
        intake, readings = notation.study_columns(
            connection, sources_intake.Intake([export], [], []), said
        )
        if intake.refusals:
            raise notation.Ambiguous(intake.refusals[0].reason)
        typed = {f.name: PARSED.get(kind, "number") for f in fields}
        sql = parsers.table_sql(
            "text_0",
            "it.csv",
            tuple(columns),
            fields,
            typed | ({"currency": "category"} if fills_currency else {}),
            set(),
            readings["it.csv"],
        )
        moment = "::varchar" if PARSED.get(kind) == "timestamp" else ""
        listed = ", ".join(f"{f.name}{moment}" for f in fields)
        rows = connection.execute(
            f"select unreadable, {'currency' if fills_currency else 'null'}, {listed} from ({sql}) order by source_row"
        ).fetchall()
    broken = [{c["column"]: c["rule"] for c in row[0] or [] if c} for row in rows]
    read = {
        f.source: ([row[2 + n] for row in rows], [rules.get(f.name) for rules in broken])
        for n, f in enumerate(fields)
    }
    return read, intake.exports[0].notes, [row[1] for row in rows]


def column(texts: list[str], kind: str, **said):
    """Read one column of texts as `kind`; return its values, the rules its cells break and the note."""
    read, notes, codes = read_columns({"It": texts}, kind, fills_currency=kind == "number", **said)
    return *read["It"], notes, codes


def single_cells(texts: list[str], kind: str, **said):
    """Return of each text, in a column of its own, its value and the rule it breaks."""
    read, _, _ = read_columns({f"It{n}": [text] for n, text in enumerate(texts)}, kind, **said)
    return [(value, rule) for (value,), (rule,) in read.values()]


def values(texts: list[str], kind: str, **said):
    """Return the values of a column of which every cell is read."""
    got, rules, _, _ = column(texts, kind, **said)
    assert rules == [None] * len(texts), rules
    return got
