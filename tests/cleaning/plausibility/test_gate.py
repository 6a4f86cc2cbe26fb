"""The gate: from readings to verdicts; causes before echoes, warnings a company takes as they are, one account for all."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import pytest
from crm_tables import ADA, BEN, ROLES, event, opportunity, user, write

from analysis.chapters.alignment import chapter as alignment
from analysis.cleaning import rules
from analysis.cleaning.plausibility import gate, intake_checks
from analysis.cleaning.plausibility.checks import CheckReading, read_limits, reading_severity
from analysis.cleaning.plausibility.questions import (
    AMOUNTS,
    DEALS,
    NEEDS,
    OF_TABLE,
    QUESTIONS,
    bearing_of,
)
from analysis.project import paths, settings
from analysis.project.errors import CrmDataError
from analysis.project.settings import AcceptedWarning, SettingsError
from analysis.report import audit_lines
from analysis.sources.files.text_table import Refusal
from analysis.store import processed
from analysis.tables.canonical import TABLES

WITHOUT_AMOUNT = CheckReading(
    "won_without_amount",
    AMOUNTS,
    0.05,
    100,
    "5 of 100 won deals have no amount.",
    "opportunities",
    (),
    5,
)
GAP = CheckReading(
    "finance_gap", AMOUNTS, 0.05, 8, "In 2025Q2 the gap is +5.0%.", "finance_bookings"
)


def _verdicts(
    *found: CheckReading, accepted: tuple[AcceptedWarning, ...] = ()
) -> tuple[list[str], dict[str, str]]:
    alarms = gate._without_echoes(gate._alarms(found, accepted))
    n_in = dict.fromkeys(TABLES, 1)
    return [a.reading.check for a in alarms], {
        q: gate._verdict(q, alarms, n_in).status for q in QUESTIONS
    }


def test_a_cause_is_shown_and_its_echo_is_not():
    shown, verdicts = _verdicts(GAP, WITHOUT_AMOUNT)
    assert shown == ["won_without_amount"]
    assert verdicts["bookings"] == "warned"


def test_an_echo_graver_than_its_cause_is_shown_beside_it():
    shown, verdicts = _verdicts(GAP._replace(value=0.5), WITHOUT_AMOUNT)
    assert shown == ["finance_gap", "won_without_amount"]
    assert verdicts["bookings"] == "withheld"


def test_a_question_that_a_finding_only_touches_is_warned_of():
    """Commission is paid on bookings, so cost is touched."""
    _, verdicts = _verdicts(GAP._replace(value=0.5))
    assert (verdicts["bookings"], verdicts["cost"], verdicts["hours"]) == (
        "withheld",
        "warned",
        "answered",
    )


def test_too_few_odd_rows_are_no_alarm():
    assert reading_severity(WITHOUT_AMOUNT._replace(n_odd=1)) is None
    assert reading_severity(WITHOUT_AMOUNT) == "warn"
    assert reading_severity(WITHOUT_AMOUNT._replace(value=0.11)) == "withhold"


def test_a_table_can_have_a_limit_of_its_own():
    reading = CheckReading("rows_set_aside", DEALS, 0.03, 100, "", "opportunities", (), 3)
    assert reading_severity(reading) == "warn"
    assert reading_severity(reading._replace(table="quotas")) is None


def test_a_refused_file_bears_on_the_questions_of_the_table_it_comes_nearest_to():
    def bearing(*tables: str) -> tuple[str, ...]:
        data = SimpleNamespace(
            account=SimpleNamespace(refusals=(Refusal("x.csv", "it is empty", tables),))
        )
        return next(iter(intake_checks.refused_files(data))).bearing.questions

    assert bearing("compensation") == ("cost", "worth", "pay")
    assert bearing() == QUESTIONS


def test_a_finding_is_called_withheld_only_where_a_question_is_withheld_for_it():
    finding = {"check": "finance_gap", "questions": ["bookings"], "severity": "withhold", "accepted": None, "sentence": "Gap.",
               "examples": [], "remedy": "Find it."}  # fmt: skip
    verdict = {"status": "withheld", "checks": ["finance_gap"]}

    def first_words(**bookings: object) -> str:
        account = {
            "gate": {
                "questions": {"bookings": verdict | bookings},
                "findings": [finding],
                "controls_absent": [],
            }
        }
        return list(audit_lines.gate_lines(account))[2].split(":")[0]

    assert first_words() == "withheld"
    assert first_words(status="warned") == "warning"


ACCEPTED = AcceptedWarning(
    check="won_without_amount", reason="Pilots are free.", accepted_on=dt.date(2026, 11, 1)
)


def test_an_accepted_warning_is_listed_and_does_not_warn():
    alarms = gate._alarms([WITHOUT_AMOUNT], [ACCEPTED])
    assert alarms[0].accepted == gate.Acceptance("Pilots are free.", dt.date(2026, 11, 1))
    assert _verdicts(WITHOUT_AMOUNT, accepted=(ACCEPTED,))[1]["bookings"] == "answered"


def test_what_is_withheld_cannot_be_accepted():
    _, verdicts = _verdicts(WITHOUT_AMOUNT._replace(value=0.5), accepted=(ACCEPTED,))
    assert verdicts["bookings"] == "withheld"


def test_a_warning_is_accepted_of_one_table_where_one_is_named():
    of_another = ACCEPTED.model_copy(update={"table": "quotas"})
    assert _verdicts(WITHOUT_AMOUNT, accepted=(of_another,))[1]["bookings"] == "warned"


def test_an_accepted_name_that_is_no_check_is_refused_with_the_nearest(raw):
    text = '[[accepted_warnings]]\ncheck = "won_without_amounts"\nreason = "Pilots."\naccepted_on = 2026-11-01\n'
    (raw / "alignment.toml").write_text(text)
    with pytest.raises(
        SettingsError, match=r"won_without_amounts is no check\. Did you mean won_without_amount\?"
    ):
        processed.dry_run("here")


def test_an_acceptance_without_a_reason_is_refused(raw):
    (raw / "alignment.toml").write_text(
        '[[accepted_warnings]]\ncheck = "finance_gap"\naccepted_on = 2026-11-01\n'
    )
    with pytest.raises(SettingsError, match="reason is missing"):
        settings.load_dataset_settings("here")


def test_a_table_that_is_not_there_is_not_asked_for():
    verdict = gate._verdict("hours", [], {"opportunities": 5})
    assert verdict == gate.Verdict("not asked", ())


def test_every_table_the_index_is_made_from_bears_on_it():
    from_exports = [table for table in alignment.TABLES if table in TABLES]
    assert "opportunities" in from_exports
    assert [t for t in from_exports if "index" not in bearing_of(t).questions] == []


def test_every_bearing_is_of_questions_and_every_need_of_tables():
    assert {q for b in OF_TABLE.values() for q in (*b.decides, *b.touches)} <= set(QUESTIONS)
    assert set(OF_TABLE) <= set(TABLES)
    assert {t for ways in NEEDS.values() for way in ways for t in way} <= set(TABLES)


def test_every_echo_is_of_a_check_and_every_check_says_what_to_do():
    names = {name for name in read_limits() if " " not in name}
    assert {cause for limit in read_limits().values() for cause in limit.echo_of} <= names
    assert [name for name, limit in read_limits().items() if not limit.remedy] == []


def test_no_two_checks_are_echoes_of_each_other():
    """Both would be left out."""
    causes = {name: set(limit.echo_of) for name, limit in read_limits().items() if " " not in name}
    while any(causes.values()):
        first = [
            name
            for name, echo_of in causes.items()
            if echo_of and not any(causes[c] for c in echo_of)
        ]
        assert first, f"a circle among {[name for name, echo_of in causes.items() if echo_of]}"
        causes |= {name: set() for name in first}


def test_every_drop_of_the_house_is_planned_or_takes_repeats(raw):
    drops = [
        (t, r.name, r.is_planned, r.is_repeat)
        for t in TABLES
        for r in rules.read_rulebook(t, "here").rules
        if r.action == "drop"
    ]
    assert [(t, name) for t, name, planned, repeat in drops if planned == repeat] == []


# From files to verdicts.

STAFF = [user(ADA), user(BEN), *(user(f"00500000000000{n}AAA") for n in range(3, 7))]


def _exports(raw, deals):
    write(
        raw,
        Opportunity=deals,
        Event=[event(n, OwnerId=STAFF[n % 6]["Id"]) for n in range(60)],
        User=STAFF,
        UserRole=ROLES,
    )


def _outcome(n: int) -> dict[str, str]:
    return {} if n % 2 else {"StageName": "Closed Lost", "IsWon": "false", "Probability": "0"}


def _deal(n: int, **other: str):
    day = dt.date(2025, 1, 6) + dt.timedelta(days=6 * n)
    dates = {"CreatedDate": f"{day}T09:00:00Z", "CloseDate": f"{day + dt.timedelta(days=30)}"}
    owner = {"OwnerId": STAFF[n % 6]["Id"]}
    return opportunity(n, **(owner | dates | _outcome(n) | other))


@pytest.fixture(scope="module")
def no_amounts(shared_raw):
    """Return the account of a dry run over 60 deals, of which none of the 30 won has an amount.

    Beside it the gates of the pass and of what it wrote.
    """
    _exports(shared_raw, [_deal(n, Amount="") for n in range(60)])
    dry = processed.dry_run("here")
    gate_of_pass = processed.prepare_dataset("here")["gate"]
    text = (paths.processed_folder("here") / "audit.json").read_text()
    return dry, gate_of_pass, json.loads(text)["gate"]


STRANGERS = ["005000000000007AAA", "005000000000008AAA"]


@pytest.fixture(scope="module")
def of_strangers(shared_raw):
    """Return the findings of 60 deals of owners no user export knows, and 60 in the recycle bin."""
    _exports(
        shared_raw,
        [
            _deal(n, OwnerId=STRANGERS[n % 2], IsDeleted="true" if n >= 60 else "false")
            for n in range(120)
        ],
    )
    return {f["check"]: f for f in processed.dry_run("here")["gate"]["findings"]}


def test_won_deals_without_an_amount_withhold_bookings_and_say_how_many(no_amounts):
    account = no_amounts[0]
    assert account["gate"]["questions"]["bookings"] == {
        "status": "withheld",
        "checks": ["won_without_amount"],
    }
    finding = next(f for f in account["gate"]["findings"] if f["check"] == "won_without_amount")
    assert finding["sentence"] == "Cannot tell bookings: 30 of 30 won deals have no amount."
    assert finding["examples"] == [_deal(n)["Id"] for n in (1, 3, 5)]


def test_a_dry_run_judges_as_the_pass_does(no_amounts):
    dry, of_pass, written = no_amounts
    assert dry["gate"] == of_pass == written


def test_clean_prints_each_question_and_what_to_do(no_amounts):
    lines = list(audit_lines.audit_lines(no_amounts[0]))
    assert "  bookings: withheld (won_without_amount)" in lines
    assert (
        "withheld: won_without_amount: Cannot tell bookings: 30 of 30 won deals have no amount."
        in lines
    )
    assert any(line.startswith("no finance totals: Put bookings per quarter") for line in lines)


def test_an_audit_without_a_gate_is_printed_without_one(no_amounts):
    account = {k: v for k, v in no_amounts[0].items() if k != "gate"}
    assert not [line for line in audit_lines.audit_lines(account) if "the data can answer" in line]


def test_an_owner_no_user_export_knows_is_shown_with_ids_of_both_sides(of_strangers):
    finding = of_strangers["unknown_reps"]
    assert finding["severity"] == "withhold"
    assert finding["examples"] == [*STRANGERS, *sorted(r["Id"] for r in STAFF)[:3]]


def test_the_money_of_deals_set_aside_is_named_even_where_no_rate_is_known(raw):
    """Twelve of 60 deals are in a currency without a rate: 12 x 100 as they stand."""
    _exports(raw, [_deal(n, **({"CurrencyIsoCode": "SEK"} if n < 12 else {})) for n in range(60)])
    found = {f["check"]: f for f in processed.dry_run("here")["gate"]["findings"]}
    assert found["rows_set_aside"]["sentence"] == (
        "12 of 60 rows of opportunities were set aside (unknown currency 12), with 1,200 USD "
        "(12 deals without an exchange rate, each as the median deal or at another day's rate)."
    )
    assert "12 of 12 where currency is SEK" in found["set_aside_unevenly"]["sentence"]


def test_planned_drops_are_silent(of_strangers):
    """Half of the deals are in the recycle bin: no row is lost by it."""
    assert "rows_set_aside" not in of_strangers


def test_a_required_table_without_a_clean_row_is_refused_with_what_could_not_be_read(raw):
    _exports(raw, [_deal(n) | {"Id": f"006-{n}"} for n in range(4)])
    with pytest.raises(
        CrmDataError,
        match=r"none of 4 rows is clean \(id_checksum in opportunity_id 4\).*opportunity_id '006-0'",
    ):
        processed.dry_run("here")


def test_a_name_in_place_of_an_id_is_never_shown(raw):
    _exports(raw, [_deal(n) | {"Id": "Erika Mustermann"} for n in range(4)])
    with pytest.raises(CrmDataError) as refusal:
        processed.dry_run("here")
    assert "Mustermann" not in str(refusal.value)


def _file(notes=(), warnings=()):
    from analysis.cleaning.pipeline import FileAudit

    return FileAudit(
        "Opportunity.csv",
        "",
        0,
        60,
        "comma",
        "Opportunity",
        ("opportunities",),
        "",
        (),
        warnings,
        notes,
    )


class _Files:
    """What the checks of files stand on: an account of files and refusals alone."""

    def __init__(self, files=(), refusals=()):
        self.account = type("Account", (), {"files": files, "refusals": refusals})


@pytest.mark.parametrize(
    ("note", "level"),
    [
        ("CloseDate: day first (50 of 60)", "withhold"),
        ("CloseDate: day first (5,990 of 6,000)", None),
        ("CloseDate: day first", None),
    ],
)
def test_a_notation_that_reads_a_part_of_a_column_is_no_notation_of_it(note, level):
    found = [
        reading_severity(r) for r in intake_checks.partial_notations(_Files([_file(notes=(note,))]))
    ]
    assert found == ([level] if "of" in note else [])


def test_a_file_that_says_it_is_not_all_withholds_what_it_holds():
    reading = next(
        iter(
            intake_checks.incomplete_files(
                _Files([_file(warnings=("holds 60 of 5,000 records: it is not all",))])
            )
        )
    )
    assert reading_severity(reading) == "withhold"
    assert reading.bearing.decides == DEALS.decides


def test_a_file_that_was_refused_warns_of_every_question_and_a_pivot_of_none():
    from analysis.sources.files.text_table import Refusal

    refusals = [
        Refusal("Event.xls", "save it as XLSX or CSV"),
        Refusal("p.csv", "it is a pivot: totals of an export"),
    ]
    readings = list(intake_checks.refused_files(_Files(refusals=refusals)))
    assert [r.sentence for r in readings] == ["Event.xls was not read: save it as XLSX or CSV."]
    assert [reading_severity(r) for r in readings] == ["warn"]


def test_no_check_withholds_before_it_warns():
    assert [n for n, limit in read_limits().items() if limit.withhold < limit.warn] == []
