"""Won, lost or open: by flags, else probability and closed state, else the stage's name; never by default."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from crm_tables import cleaned, fill, opportunity, user, write

from analysis.cleaning import outcomes, rules
from analysis.project.errors import CrmDataError
from analysis.sources import database


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        (
            "won",
            (
                "Closed Won", "Closed - Won", "Closed/Won", "Won", "Closed Won - Renewal", "closedwon", "6. Won",
                "100% - Closed Won", "Gewonnen", "Geschlossen und gewonnen", "Cierre ganado", "Fermée gagnée",
                "Chiuso vinto", "Fechado ganho", "Gesloten (gewonnen)", "受注",
            ),
        ),
        (
            "lost",
            (
                "Closed Lost", "closedlost", "Lost", "Closed-Lost to Competition", "Closed Lost - No budget", "Perdido",
                "Geschäft verloren", "Perdu (prix)", "Chiusa persa", "Przegrana", "Stage 7: Lost",
            ),
        ),
        ("closed", ("Closed", "Geschlossen", "Negócio fechado")),
        (
            "open",
            (
                "Proposal/Price Quote", "Negotiation/Review", "Contract Sent", "Verhandlung", "Decision Maker Bought-In",
                "Calificado para comprar", "Identificar responsables de la toma de decisiones", "Visita técnica",
                "Propuesta económica", "Presentación agendada", "Rendez-vous planifié", "Tomada de decisão",
                "Entscheidungsträger identifiziert", "Primo contatto",
            ),
        ),
        (
            None,
            (
                "Won back", "Not won", "Lost - reopened", "Won - pending signature", "Won?", "Won/Lost", "未受注",
                "Closed Lost (won by competitor)", "On hold", "Signed", "1001", "Wonderland", "Churned",
                "Firma realizada", "Compra", "Signature", "Sin decisión", "No interesado",
            ),
        ),
    ],
)  # fmt: skip
def test_a_name_says_an_outcome_only_where_it_leads_and_nothing_takes_it_back(outcome, names):
    assert {name: outcomes.name_outcome(name) for name in names} == dict.fromkeys(names, outcome)


DAYS = {"close_date": "date", "created_at": "timestamp", "modified_at": "timestamp"}
FLAGS = ("is_closed", "is_won", "probability", "stage")
NO_DEAL = {
    "status": None,
    "is_closed": None,
    "is_won": None,
    "probability": None,
    "stage": None,
    "stage_code": None,
}
NO_DEAL |= {"pipeline": None, "close_date": None, "created_at": None, "modified_at": None}
NO_DEAL |= {"stage_is_closed": None, "stage_is_won": None, "stage_probability": None}


BY_FLAGS = [  # closed flag, won flag, probability and stage
    ("won", (True, True, 1.0, "Closed Won")),
    ("won", (True, True, 0.9, "Closed Won")),
    ("lost", (True, False, 1.0, "Closed Lost")),
    ("won", (None, True, None, "Signed")),
    ("open", (False, None, 1.0, "Signed")),
    ("open", (False, False, 0.5, "Signed")),
    ("won", (True, None, 1.0, "1001")),
    ("lost", (True, None, 0.0, "1001")),
    (None, (True, None, None, "1001")),
    ("lost", (True, None, None, "Closed Lost")),
    (None, (True, None, 0.5, "Signed")),
    ("open", (None, None, 0.5, "Besprechung 2")),
    (None, (None, None, 1.0, "Signed")),
    (None, (None, None, 0.0, "Vorstufe")),
    ("open", (None, None, 0.0, "Prospecting")),
    ("won", (None, None, 1.0, "Closed - Won")),
    ("won", (None, None, None, "Ganada")),
    ("won", (None, None, 1.0, "Closed")),
    ("lost", (None, None, 0.0, "Closed")),
    (None, (None, None, None, "Closed")),
    ("lost", (None, False, None, "Closed")),
    (None, (None, False, None, "Signed")),
    (None, (None, None, None, None)),
    ("contradictory", (False, True, 1.0, "Closed Won")),
    ("contradictory", (True, False, 1.0, "Closed Won")),
    ("contradictory", (False, False, 0.5, "Lost")),
    ("contradictory", (False, False, 0.5, "Closed")),
    ("contradictory", (True, True, 0.0, "Signed")),
    ("contradictory", (True, False, 1.0, "Signed")),
    ("contradictory", (None, None, 0.0, "Closed Won")),
    ("contradictory", (None, None, 0.6, "Closed Lost")),
    ("contradictory", (None, None, 1.0, "Negotiation")),
    ("contradictory", (None, False, None, "Won")),
]
BY_STAGES_OR_MAP = [
    ("won", {"stage_is_closed": True, "stage_is_won": True, "stage": "Signed"}),
    ("lost", {"stage_is_closed": True, "stage_probability": 0.0, "stage": "Signed"}),
    ("open", {"stage_is_closed": False, "stage_probability": 1.0, "stage": "Signed"}),
    ("contradictory", {"is_closed": True, "stage_is_closed": False, "stage": "Signed"}),
    ("contradictory", {"is_closed": True, "probability": 1.0, "stage_probability": 0.0}),
    (
        "won",
        {"is_closed": True, "is_won": True, "stage_is_closed": False, "stage_probability": 0.5},
    ),
    ("lost", {"stage": "1001", "stage_code": "closedlost"}),
    ("lost", {"status": "lost", "stage": "Gone"}),
    ("won", {"status": "Closed Won"}),
    (None, {"status": "Duplicate", "stage": "Won"}),
    ("contradictory", {"status": "won", "stage": "Closed Lost"}),
    ("contradictory", {"status": "won", "is_closed": True, "is_won": False}),
]
KINDS = {
    name: "double"
    if name.split("_")[-1] == "probability"
    else "boolean"
    if "is_" in name
    else DAYS.get(name, "varchar")
    for name in NO_DEAL
}
COLUMNS = {"n": "integer"} | KINDS
COLUMNS |= {name: "varchar" for name in outcomes.OUTCOME_COLUMNS if name != "status"}


@pytest.fixture(scope="module")
def derive_outcomes(tmp_path_factory):
    """Return what gives the outcomes of deals, by their evidence: what the derived columns of opportunities say.

    Each deal for itself, or where `weigh_stages` says so with what the stages of all of them tell.
    """
    root = tmp_path_factory.mktemp("outcomes")
    shutil.copy(Path(__file__).parents[2] / "alignment.toml", root)
    with pytest.MonkeyPatch.context() as patch, database.open_session() as connection:
        patch.setenv("ALIGNMENT_ROI_ROOT", str(root))
        outcomes.define_outcomes(connection)
        book = rules.read_rulebook("opportunities", "here")

        def derive(deals, *, weigh_stages=False):
            rows = [{"n": n} | NO_DEAL | deal for n, deal in enumerate(deals)]
            connection.begin()
            try:
                fill(connection, "parsed_opportunities", rows, COLUMNS)
                if weigh_stages:
                    outcomes.deal_outcomes(connection, book)
                layer = "parsed_opportunities"
                for name in outcomes.OUTCOME_COLUMNS[:-1]:
                    layer = f"(select this.* replace (({book.derive[name]}) as {name}) from {layer} this)"
                found = connection.execute(f"select outcome from {layer} order by n").fetchall()
            finally:
                connection.rollback()
            return [outcome for (outcome,) in found]

        yield derive


@pytest.fixture(scope="module")
def outcomes_by_flags(derive_outcomes):
    return derive_outcomes([dict(zip(FLAGS, e, strict=True)) for _, e in BY_FLAGS])


@pytest.fixture(scope="module")
def outcomes_by_stages_or_map(derive_outcomes):
    return derive_outcomes([evidence for _, evidence in BY_STAGES_OR_MAP])


@pytest.mark.parametrize("n", range(len(BY_FLAGS)), ids=[str(case) for case in BY_FLAGS])
def test_the_evidence_of_a_row_decides_or_sets_it_aside(outcomes_by_flags, n):
    """Closed flag, won flag, probability and stage."""
    assert outcomes_by_flags[n] == BY_FLAGS[n][0]


@pytest.mark.parametrize(
    "n", range(len(BY_STAGES_OR_MAP)), ids=[str(case) for case in BY_STAGES_OR_MAP]
)
def test_a_table_of_stages_or_a_map_may_say_it_instead(outcomes_by_stages_or_map, n):
    assert outcomes_by_stages_or_map[n] == BY_STAGES_OR_MAP[n][0]


STAGE_ONLY = """
name = "ours"
[[export]]
table = "opportunities"
object = "deals"
needs = ["No", "Seller", "Phase"]
[export.columns]
opportunity_id = { from = "No", as = "id" }
owner_rep_id = { from = "Seller", as = "person" }
stage = { from = "Phase" }
close_date = { from = "Closed", as = "date" }
raw_amount = { from = "Value", as = "number" }
[[export]]
table = "reps"
object = "people"
needs = ["Person", "Job"]
[export.columns]
rep_id = { from = "Person", as = "person" }
"""


def deals(raw, *stages: str) -> None:
    lines = [f"{n},Ada,{stage},2026-02-10,{100 * n}" for n, stage in enumerate(stages, 1)]
    (raw / "fields.toml").write_text(STAGE_ONLY, encoding="utf-8")
    (raw / "deals.csv").write_text(
        "\n".join(["No,Seller,Phase,Closed,Value", *lines, ""]), encoding="utf-8"
    )
    (raw / "people.csv").write_text("Person,Job\nAda,x\n", encoding="utf-8")


def test_a_map_that_has_a_stage_only_is_read_by_its_names_and_the_rest_set_aside_with_its_money(
    raw,
):
    deals(raw, "Gewonnen", "Verloren", "Verhandlung", "Ruht", "Perdido")
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["won", "lost", "open", "lost"]
    effect = got.effect("opportunities", "unknown_outcome")
    assert (effect.action, effect.n_rows, effect.money_amount) == ("quarantine", 1, 400.0)
    assert "hs_is_closed_won" in effect.reason


def test_where_no_stage_tells_anything_the_run_stops_and_names_the_stages_and_columns(raw):
    deals(raw, "Phase A", "Phase B")
    with pytest.raises(
        CrmDataError,
        match=r"of 2 of 2 deals it cannot be told .*\(stages Phase A, Phase B\)\. Export .* IsWon",
    ):
        cleaned()


def test_salesforce_deals_without_flags_are_read_by_the_table_of_stages(raw):
    """Signed is closed and won there, Gone closed and not; a stage the table does not know is set aside."""
    stages = [
        {"MasterLabel": label, "ApiName": label, "IsClosed": c, "IsWon": w, "DefaultProbability": p}
        for label, c, w, p in (("Signed", "true", "true", "100"), ("Gone", "true", "false", "0"), ("Talk", "false", "false", "20"))
    ]  # fmt: skip
    names = ("Signed", "Gone", "Talk", "Besprochen")
    rows = [opportunity(n, StageName=name, Probability="") for n, name in enumerate(names, 1)]
    without = [{k: v for k, v in row.items() if k not in ("IsClosed", "IsWon")} for row in rows]
    write(raw, User=[user()], Opportunity=without, OpportunityStage=stages)
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["won", "lost", "open"]
    assert got.aside() == {"unknown_outcome": 1}


REPORT = {
    "Opportunity ID": "", "Opportunity Owner": "Ada", "Stage": "", "Close Date": "2026-02-10", "Created Date": "2026-01-05",
    "Amount": "100", "Probability (%)": "",
}  # fmt: skip


REPORTS = [
    (("Closed - Won", "Closed - Lost", "Proposal"), ("100", "0", "50")),
    (("Won", "Lost", "Verbal"), ("100%", "0%", "90%")),
    (("Gewonnen", "Verloren", "Angebot"), ("", "", "")),
]


def write_reports(raw) -> None:
    """Write a file a report, each of three deals."""
    people = [{"Full Name": "Ada", "Role": "North", "Active": "1", "Profile": "Sales"}]
    write(raw, users=people)
    for k, case in enumerate(REPORTS):
        rows = [
            REPORT | {"Opportunity ID": f"0060000000000{k}{n}", "Stage": s, "Probability (%)": p}
            for n, (s, p) in enumerate(zip(*case, strict=True), 1)
        ]
        write(raw, **{f"report_{k}": rows})


@pytest.fixture(scope="module")
def reports(clean_folder):
    return clean_folder(write_reports)


@pytest.mark.parametrize("k", range(len(REPORTS)))
def test_a_report_without_closed_and_won_columns_is_read_by_stage_and_probability(reports, k):
    deals = reports.tables["opportunities"]
    own = deals[deals["source_file"] == f"report_{k}.csv"]
    assert own["status"].tolist() == ["won", "lost", "open"]


def test_of_a_connectors_closed_stages_only_the_one_of_probability_1_is_won(raw):
    """closed_won is true for the lost stage too; closed without a probability, the label decides or nothing does."""
    stages = [
        {"stage_id": i, "pipeline_id": "p", "label": label, "probability": p, "closed_won": c, "_fivetran_deleted": "false"}
        for i, label, p, c in (
            ("1", "Signed", "1.0", "true"), ("2", "Gone", "0.0", "true"), ("3", "Talk", "0.4", "false"),
            ("4", "Closed lost", "", "true"), ("5", "Ended", "", "true"), ("6", "Gone", "0.0", "false"),
        )
    ]  # fmt: skip
    deal = {
        "deal_id": "", "deal_pipeline_id": "p", "deal_pipeline_stage_id": "", "owner_id": "72400000",
        "property_closedate": "2026-02-10 17:00:00", "property_createdate": "2026-01-05 09:00:00", "property_amount": "100",
    }  # fmt: skip
    owner = {
        "owner_id": "72400000",
        "email": "a@ours.example",
        "first_name": "A",
        "last_name": "B",
        "portal_id": "1",
    }
    rows = [
        deal | {"deal_id": f"9{s['stage_id']}", "deal_pipeline_stage_id": s["stage_id"]}
        for s in stages
    ]
    write(raw, deal=rows, deal_pipeline_stage=stages, owner=[owner])
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["won", "lost", "open", "lost"]
    assert got.aside() == {"unknown_outcome": 2}


def shares(raw, *deals: tuple[str, str, str]) -> None:
    """Write Salesforce's deals without flags: stage, probability and close date."""
    rows = [
        opportunity(n, StageName=stage, Probability=p, CloseDate=day)
        for n, (stage, p, day) in enumerate(deals, 1)
    ]
    write(
        raw,
        User=[user()],
        Opportunity=[{k: v for k, v in r.items() if k not in ("IsClosed", "IsWon")} for r in rows],
    )


SIGNED, DEAD, TALK = (
    ("Signed", "100", "2026-01-03"),
    ("Dead", "0", "2026-01-04"),
    ("Talk 2", "40", "2026-05-01"),
)
NEW = ("Vorstufe", "0", "2026-05-01")
CREATED = {"created_at": "2026-01-05 09:00:00"}


@pytest.mark.parametrize(
    ("deals", "expected", "n_unknown"),
    [
        ((SIGNED, DEAD, TALK), ["won", "lost", "open"], 0),
        ((SIGNED, TALK), ["open"], 1),
        ((DEAD, TALK), ["open"], 1),
        ((SIGNED, DEAD, TALK, ("Talk 2", "100", "2026-01-03")), ["won", "lost", "open"], 1),
        ((SIGNED, DEAD, TALK, ("Signed", "", "2026-01-03")), ["open"], 3),
        ((SIGNED, NEW, NEW, NEW, TALK), ["won", "open"], 3),
        (
            (SIGNED, DEAD, TALK, ("Prospecting", "0", "2026-05-01")),
            ["won", "lost", "open", "open"],
            0,
        ),
        ((SIGNED, ("Prospecting", "0", "2026-05-01"), TALK), ["open", "open"], 1),
    ],
)
def test_probabilities_close_deals_only_where_every_deal_has_one_and_all_three_kinds_occur(
    derive_outcomes, deals, expected, n_unknown
):
    """A stage at several probabilities, a step by its name and one whose deals are due in the future are open ones."""
    rows = [
        CREATED | {"stage": stage, "probability": int(p) / 100 if p else None, "close_date": day}
        for stage, p, day in deals
    ]
    found = derive_outcomes(rows, weigh_stages=True)
    assert [outcome for outcome in found if outcome is not None] == expected
    assert found.count(None) == n_unknown


def test_a_pass_closes_deals_by_their_probabilities(raw):
    """The first of those cases, by the whole pass."""
    shares(raw, SIGNED, DEAD, TALK)
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["won", "lost", "open"]
    assert got.aside() == {}


def test_hubspots_deal_probability_closes_custom_stages(raw):
    deal = {
        "Record ID": "",
        "Deal Name": "D",
        "Deal Stage": "",
        "Close Date": "2026-02-10 16:30",
        "Deal owner": "Ada Lund",
    }
    deal |= {
        "Amount": "5",
        "Pipeline": "Renewals",
        "Create Date": "2026-01-05 09:12",
        "Deal probability": "",
    }
    owner = {
        "id": "400",
        "email": "a@x.example",
        "firstName": "Ada",
        "lastName": "Lund",
        "userId": "1",
        "archived": "false",
    }
    owner |= {"createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2025-01-01T00:00:00Z", "teams": ""}
    kinds = (("Verlängert", "1.0"), ("Gekündigt", "0.0"), ("Offen 3", "0.2"))
    rows = [
        deal | {"Record ID": f"900{n}", "Deal Stage": stage, "Deal probability": p}
        for n, (stage, p) in enumerate(kinds)
    ]
    (raw / "fields.toml").write_text('[reading]\ntime_zone = "company"\n', encoding="utf-8")
    write(raw, deals=rows, owners=[owner])
    assert cleaned().tables["opportunities"]["status"].tolist() == ["won", "lost", "open"]


def test_what_no_closed_deal_dates_is_refused_by_the_deals_that_cannot_be_told(raw):
    """Not by close dates: every deal has one."""
    shares(raw, SIGNED, SIGNED, TALK)
    with pytest.raises(
        CrmDataError,
        match=r"of 2 of 3 deals it cannot be told .*\(stages Signed\), and none of the others has closed",
    ):
        cleaned(as_of=None)


def due(raw, *deals: tuple[str, str]) -> None:
    """Write a report whose deals have a stage and a close date, and were created in January."""
    rows = [
        {k: v for k, v in REPORT.items() if k != "Probability (%)"}
        | {"Opportunity ID": f"0060000000000{n:02}", "Stage": stage, "Close Date": day}
        for n, (stage, day) in enumerate(deals, 1)
    ]
    write(
        raw,
        report=rows,
        users=[{"Full Name": "Ada", "Role": "North", "Active": "1", "Profile": "Sales"}],
    )


ENDED = (("Ganada", "2026-02-10"), ("Perdida", "2026-03-20"))


def test_a_stage_that_nothing_names_is_open_where_most_of_its_deals_are_due_later_than_anything(
    raw,
):
    due(raw, *ENDED, *(("Etapa 4", day) for day in ("2026-05-01", "2026-06-01", "2026-02-01")))
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["won", "lost", "open", "open", "open"]
    assert got.effect("opportunities", "open_by_due_date").n_rows == 3


@pytest.mark.parametrize(
    "days",
    [
        ("2026-03-01", "2026-03-15", "2026-05-01"),  # most ended before
        ("2026-05-01", "2026-06-01"),  # too few to tell
    ],
)
def test_a_stage_that_nothing_names_stays_unknown_where_its_dates_do_not_tell(
    derive_outcomes, days
):
    deals = [*ENDED, *(("Descartada", day) for day in days)]
    rows = [CREATED | {"stage": stage, "close_date": day} for stage, day in deals]
    assert derive_outcomes(rows, weigh_stages=True) == ["won", "lost", *[None] * len(days)]
