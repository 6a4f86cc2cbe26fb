"""Each source's hours step by step, and a source that is mostly junk counts none."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from crm_tables import ADA, BEN, cleaned, event, frame, opportunity, place, user, write
from shared_session import undone_house

from analysis.chapters.data_quality import hours_sources
from analysis.cleaning import hours
from analysis.panels import build
from analysis.project import settings
from analysis.tables.rulebook import Rule

RULES = (
    Rule("deleted_record", "drop", "", "in the bin"),
    Rule("longer_than_8_hours", "quarantine", "", "too long", is_junk=True),
)
AT = dt.datetime(2026, 2, 2, 10, tzinfo=dt.UTC)
ASIDE = {
    "table_name": "varchar", "rule": "varchar", "source_file": "varchar", "source_row": "bigint", "minutes": "double",
}  # fmt: skip


def row(
    n: int,
    minutes: float,
    *,
    rule: str | None = None,
    file: str = "meetings.csv",
    at: dt.datetime = AT,
    rep=ADA,
):
    """Return one exported entry, and which rule took it."""
    activity = {
        "activity_id": str(n),
        "rep_id": rep,
        "kind": "event",
        "activity_class": "selling",
        "started_at": at,
    }
    activity |= {"minutes": minutes, "is_all_day": False, "source_file": file, "source_row": n}
    return activity, rule


def account(*rows, share=0.5):
    """Return sources, steps, hours by rep and panels of a company with these entries."""
    clean = [a for a, rule in rows if rule is None]
    aside = [
        {"table_name": "activities", "rule": rule}
        | {k: a[k] for k in ("source_file", "source_row", "minutes")}
        for a, rule in rows
        if rule
    ]
    reps = [{"rep_id": r, "role": "rep", "time_zone": "UTC"} for r in (ADA, BEN)]
    stays = [{"rep_id": r, "team_id": "t", "valid_from": dt.date(2025, 1, 1)} for r in (ADA, BEN)]
    with undone_house() as connection:
        place(
            connection,
            reps=reps,
            teams=[{"team_id": "t", "team_name": "T"}],
            rep_team_history=stays,
            activities=clean,
        )
        for values in aside:
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(
                f"insert into set_aside ({names}) values ({marks})", list(values.values())
            )
        connection.execute("create table parsed_activities as from activities")
        for a, rule in rows:
            if rule:
                names, marks = ", ".join(a), ", ".join("?" * len(a))
                connection.execute(
                    f"insert into parsed_activities ({names}) values ({marks})", list(a.values())
                )
        sources = hours.judge_sources(connection, RULES, share)
        hours.by_day(connection)
        sources, steps = hours.hours_by_step(connection, sources, RULES)
        build.make_panels(
            connection,
            dt.date(2026, 1, 1),
            dt.date(2026, 3, 31),
            settings.load_dataset_settings("here"),
        )
        return sources, steps, frame(connection, "rep_week")


def test_a_source_goes_step_by_step_from_exported_to_counted(raw):
    """4 hours exported: 1 deleted, 3 left; two of an hour overlap by half: 2.5 count."""
    later = AT + dt.timedelta(minutes=30)
    rows = (
        row(1, 60.0),
        row(2, 60.0, at=later),
        row(3, 60.0, at=AT + dt.timedelta(hours=3)),
        row(4, 60.0, rule="deleted_record"),
    )
    (source,), steps, _ = account(*rows)
    assert [(s.step, s.hours_before, s.hours_after) for s in steps] == [
        ("as_exported", 4.0, 4.0),
        ("deleted_record", 4.0, 3.0),
        ("overlap", 3.0, 2.5),
        ("overlap_of_sources", 2.5, 2.5),
    ]
    assert not any(s.is_junk for s in steps)
    assert (source.exported_hours, source.junk_share, source.counted_hours, source.is_refused) == (
        4.0,
        0.0,
        2.5,
        False,
    )


def test_an_hour_in_two_sources_counts_once(raw):
    sources, steps, _ = account(row(1, 60.0), row(2, 60.0, file="calls.csv"))
    assert [s.counted_hours for s in sources] == [1.0, 1.0]
    assert (steps[-1].hours_before, steps[-1].hours_after) == (2.0, 1.0)


def test_quirk_21_a_source_that_is_mostly_junk_is_refused(raw):
    """10 of 12 hours are of one meeting too long: Ada, who logs there, has no hours; Ben, who does not, has."""
    rows = (
        row(1, 120.0),
        row(2, 600.0, rule="longer_than_8_hours"),
        row(3, 60.0, file="calls.csv", rep=BEN),
    )
    sources, steps, weeks = account(*rows)
    refused = next(s for s in sources if s.source_file == "meetings.csv")
    assert refused.is_refused
    assert refused.junk_share == pytest.approx(10 / 12)
    assert {s.step for s in steps if s.is_junk} == {"longer_than_8_hours", "refused"}
    assert refused.counted_hours == 0.0
    assert [(s.step, s.hours_after) for s in steps if s.source_file == "meetings.csv"][-2:] == [
        ("refused", 0.0),
        ("overlap", 0.0),
    ]
    week = weeks[weeks["week_start"] == dt.date(2026, 2, 2)].set_index("rep_id")
    assert week["coverage"].to_dict() == {ADA: "refused_source", BEN: "ok"}
    assert week["n_activities"].to_dict() == {ADA: 1, BEN: 1}
    assert pd.isna(week.loc[ADA, "selling_hours"])
    assert week.loc[BEN, "selling_hours"] == 1.0


def test_a_source_of_nothing_but_junk_is_refused_though_no_row_is_left(raw):
    """As Zoho's events, all of 2,928 hours: not a company that sold nothing."""
    (source,), _, weeks = account(row(1, 175_680.0, rule="longer_than_8_hours"))
    assert (source.junk_share, source.is_refused) == (1.0, True)
    assert weeks.loc[weeks["rep_id"] == ADA, "coverage"].unique().tolist() == ["refused_source"]


def test_at_the_allowed_share_a_source_is_still_taken(raw):
    rows = row(1, 60.0), row(2, 60.0, rule="longer_than_8_hours")
    assert not account(*rows)[0][0].is_refused
    assert account(*rows, share=0.49)[0][0].is_refused


def test_a_file_loaded_twice_is_no_junk(raw):
    """Deleted and repeated rows are no facts of their own, and say nothing about the others."""
    (source,), _, _ = account(
        row(1, 60.0), *(row(n, 60.0, rule="deleted_record") for n in range(2, 9))
    )
    assert not source.is_refused


def test_quirk_20_a_call_of_420_minutes_too_many_takes_its_file_along(raw):
    """From files to the report: 9 hours in one event, 1 in another."""
    long = event(2, EndDateTime="2026-02-02T19:00:00Z", DurationInMinutes="540")
    write(raw, Opportunity=[opportunity(1)], Event=[event(1), long], User=[user()])
    audit = cleaned().audit
    (source,) = audit.hours_sources
    assert (source.source_file, source.exported_hours, source.junk_hours, source.is_refused) == (
        "Event.csv",
        10.0,
        9.0,
        True,
    )
    told_of = {
        "hours_sources": [s._asdict() for s in audit.hours_sources],
        "hours_steps": [s._asdict() for s in audit.hours_steps],
        "n_long_days": audit.n_long_days,
    }
    assert hours_sources.refused_sources(told_of) == [
        "Hours unknown: 90% of the hours of Event.csv (event) are junk, so whoever logs there has no hours in this report."
    ]
    assert hours_sources.hours_sentence(told_of) == (
        "Of 10 hours exported, 9 (90.0%) are junk and 0 count. Sources refused: Event.csv (event, 90% junk). "
        "Rep-days above 12 hours: 0."
    )
    ledger = hours_sources.hours_ledger(told_of)
    assert ledger["source"].iloc[0] == "Event.csv event"
    assert ledger.loc[ledger["junk"], "step"].tolist() == ["longer_than_8_hours", "refused"]


def test_a_long_day_is_counted_and_kept(raw):
    """Thirteen meetings of an hour one after the other."""
    starts = [AT.replace(hour=h) for h in range(6, 19)]
    with undone_house() as connection:
        place(connection, activities=[row(n, 60.0, at=at)[0] for n, at in enumerate(starts)])
        hours.by_day(connection)
        assert hours.n_long_days(connection) == 1


def test_without_hours_the_sentence_says_so():
    assert hours_sources.hours_sentence({}).startswith("No entry of the exports has a length")
    assert hours_sources.hours_ledger({}).empty
