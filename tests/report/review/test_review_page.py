"""Page one's key metrics, the review kit and what clients say: every figure bound to a computed one."""

import pandas as pd
import pytest
from report_cells import HOSTILE, compiled, outputs, ran, result, said, shows, write
from shown import show_as, show_practices

from analysis.project import settings
from analysis.project.errors import CrmDataError
from analysis.project.settings import KeyMetric, SettingsError
from analysis.report import formats, output, page_plan, show
from analysis.report.review import feedback as review_feedback
from analysis.report.review import page as review_page
from analysis.report.review.feedback import NarrativeError

METRIC = '[[key_metrics]]\nname = "m{}"\nowner = "Finance"\ndefinition = "d"\ntarget = 1\n'
TITLE = said("# Why?")


@pytest.fixture(autouse=True)
def _house():
    show_as(currency="USD", smallest_cell=5)


@pytest.mark.parametrize(("n", "is_ok"), [(2, False), (3, True), (5, True), (6, False)])
def test_a_pack_holds_three_to_five_key_metrics(raw, n, is_ok):
    (raw / "alignment.toml").write_text("".join(METRIC.format(i) for i in range(n)))
    if is_ok:
        assert len(settings.load_dataset_settings("here").key_metrics) == n
        return
    with pytest.raises(
        SettingsError, match=r"key_metrics is .* should have at (least 3|most 5) items"
    ):
        settings.load_dataset_settings("here")


def test_a_key_metric_is_named_once(raw):
    (raw / "alignment.toml").write_text(METRIC.format(1) * 3)
    with pytest.raises(SettingsError, match="m1 is named twice"):
        settings.load_dataset_settings("here")


def card(name, estimate):
    made = result(name, estimate, estimate - 1, estimate + 1, unit="USD per selling hour")
    return output.result_card(
        made, label="Cost", note="", headline=True, format="money", currency="USD"
    )


def metric(target=400.0, aim="at most", name="cost"):
    return KeyMetric(
        name=name, owner="Finance", definition="pay over hours", target=target, aim=aim
    )


@pytest.mark.parametrize(
    ("target", "aim", "met"),
    [
        (400, "at most", "missed"),
        (412, "at most", "met"),
        (412, "at least", "met"),
        (413, "at least", "missed"),
    ],
)
def test_a_target_is_met_or_missed(target, aim, met):
    (row,) = page_plan.key_metrics([metric(target, aim)], [card("cost", 412.0)], [], {})
    assert (row["met"], row["target"]) == (met, f"{aim} ${target}")


def test_a_key_metric_stands_with_last_quarter_and_trend():
    past = {"cost": {"2026Q1": 430.0, "2026Q2": 425.0}}
    (row,) = page_plan.key_metrics(
        [metric()],
        [card("cost", 412.0)],
        [
            page_plan.EarlierFigures("2026Q2", {"cost": 424.0}, {"cost": 425.0}),
            page_plan.EarlierFigures("2025Q3", {}, {"cost": 431.0}),
        ],
        past,
    )
    assert (row["value"], row["trend"], row["since"]) == ("$412", [430, 425, 412], "2026Q1")
    assert row["earlier"] == [
        {"quarter": "2026Q2", "value": "$424", "is_recomputed": False},
        {"quarter": "2025Q3", "value": "$431", "is_recomputed": True},
    ]


def test_a_quarter_that_nobody_can_compute_stays_absent():
    (row,) = page_plan.key_metrics(
        [metric()], [card("cost", 412.0)], [page_plan.EarlierFigures("2025Q3", {}, {})], {}
    )
    assert row["earlier"] == [
        {"quarter": "2025Q3", "value": formats.MISSING, "is_recomputed": False}
    ]


def test_a_key_metric_the_report_does_not_hold_is_named_so():
    (row,) = page_plan.key_metrics([metric(name="alignment_index")], [card("cost", 412.0)], [], {})
    assert (row["label"], row["unit"]) == ("Alignment index", "not in this report")


def test_a_key_metric_that_cannot_be_told_misses_no_target():
    (row,) = page_plan.key_metrics([metric()], [card("cost", float("nan"))], [], {})
    assert row["met"] == "cannot tell"


def test_an_estimate_whose_verdict_is_open_neither_meets_nor_misses_a_target():
    """+11% with an interval around zero is no 5% reached."""
    open_card = card("cost", 412.0) | {"verdict": "cannot tell"}
    (row,) = page_plan.key_metrics([metric(400.0, "at least")], [open_card], [], {})
    assert row["met"] == "cannot tell"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '"Finance"',
            '"jane@northwind.example"',
            "an e-mail address has no place in a report: name a role",
        ),
        ('definition = "d"', f'definition = "{"long " * 40}"', "at most 120 characters"),
    ],
)
def test_the_words_of_a_key_metric_fit_page_one_and_name_nobody(raw, old, new, says):
    text = "".join(METRIC.format(i) for i in range(3))
    assert old in text
    (raw / "alignment.toml").write_text(text.replace(old, new))
    with pytest.raises(SettingsError, match=says):
        settings.load_dataset_settings("here")


STAYS = pd.DataFrame(
    {
        "rep_id": list("abcde"), "team_id": "t", "quarter": "2026Q3", "base_amount": 40_000.0,
        "commission_amount": 5_000.0, "fringe_amount": 3_000.0, "overhead_amount": 2_000.0, "selling_hours": 100.0,
        "selling_preparation_hours": 150.0, "selling_preparation_prospecting_hours": 200.0, "quota_amount": 1.0,
        "paid_hours": 520.0, "available_hours": 500.0, "weeks_employed": 13.0, "logged_share": 1.0,
    }
)  # fmt: skip


@pytest.fixture
def stays():
    """Return five reps of 50,000 a quarter and 500 hours: 100 an hour."""
    from analysis.tables.canonical import SELLING_DEFINITIONS

    return STAYS.assign(**dict.fromkeys(SELLING_DEFINITIONS, 100.0))


def page(tmp_path, raw, stays, *cells):
    doc = compiled(write(tmp_path, "1.ipynb", TITLE, *cells))
    return review_page.review_kit(
        doc, carried=[], metrics=[], stays=stays, house=settings.load_dataset_settings("here")
    )


def test_the_meetings_own_cost_by_hand(tmp_path, raw, stays):
    """8 people x 1.5 h x 50,000 / 500 h = 1,200."""
    meeting = page(tmp_path, raw, stays)["meeting"]
    assert meeting == (
        "8 people for 1.5 h come to $1,200, at the $100 that a rep's working hour costs."
    )


def test_what_fewer_than_five_reps_cost_is_not_told(tmp_path, raw, stays):
    meeting = page(tmp_path, raw, stays.head(4))["meeting"]
    assert meeting == (
        "8 people for 1.5 h, 12 h together. We cannot tell what they cost: it takes pay and hours "
        "of 5 reps."
    )


def test_the_agenda_has_its_three_parts_filled_from_the_chapters(tmp_path, raw, stays):
    cells = [
        shows(show.finding, "It costs $412.", verdict="found"),
        shows(show.cannot_tell, "Whether it pays.", needs="two quarters"),
        shows(show.decision, "Move two hours."),
        shows(show.bottleneck, "Reports take 3 h a week."),
    ]
    agenda = page(tmp_path, raw, stays, *cells)["agenda"]
    told = {part["name"]: [p["children"] for p in part["points"]] for part in agenda}
    assert told == {
        "Opportunities": [["Move two hours."], ["It costs $412."]],
        "Concerns": [["Whether it pays."]],
        "Bottlenecks": [["Reports take 3 h a week."]],
    }


def test_a_finding_that_is_no_gain_is_a_concern(tmp_path, raw, stays):
    cells = [
        shows(show.finding, "It lowered bookings.", verdict="likely", is_loss=True),
        shows(show.finding, "It made no difference.", verdict="no material effect"),
        shows(show.finding, "It likely does not pay.", verdict="likely does not pay"),
        shows(show.finding, "It likely pays.", verdict="likely pays"),
    ]
    agenda = page(tmp_path, raw, stays, *cells)["agenda"]
    points = {part["name"]: [p["children"] for p in part["points"]] for part in agenda}
    assert points["Opportunities"] == [["It likely pays."]]
    assert points["Concerns"] == [
        ["It lowered bookings."], ["It made no difference."], ["It likely does not pay."],
    ]  # fmt: skip


def test_practices_come_by_team_with_hours_and_dollars(tmp_path, raw, stays):
    """A team of fewer than five reps, and one that would give it away, has no row here."""
    frame = pd.DataFrame(
        {
            "team": [*HOSTILE, "Small", "Next"], "practice": "Fewer reports",
            "hours": 120.0, "amount": 12_000.0, "n_reps": [9] + [7] * 7 + [2, 9],
        }
    )  # fmt: skip
    kinds = {
        "team": "text",
        "practice": "text",
        "hours": "count",
        "amount": "money",
        "n_reps": "count",
    }
    shown = shows(show_practices, frame, caption="Change", formats=kinds, source="CRM")
    practices = page(tmp_path, raw, stays, shown)["practices"]
    assert practices["rows"][0][:4] == [HOSTILE[0], "Fewer reports", "120", "$12,000"]
    assert (len(practices["rows"]), practices["more"], practices["number"]) == (8, 0, 1)


def test_a_name_without_end_pushes_no_other_off_the_page(tmp_path, raw, stays):
    frame = pd.DataFrame(
        {"team": ["word " * 400], "practice": "p", "hours": 1.0, "amount": 1.0, "n_reps": 9}
    )
    kinds = {
        "team": "text",
        "practice": "text",
        "hours": "count",
        "amount": "money",
        "n_reps": "count",
    }
    shown = shows(show_practices, frame, caption="Change", formats=kinds, source="CRM")
    (row,) = page(tmp_path, raw, stays, shown)["practices"]["rows"]
    assert len(row[0]) <= 81


def test_practices_need_what_the_kit_shows():
    with pytest.raises(CrmDataError, match="practices"):
        show_practices(
            pd.DataFrame({"team": ["A"]}), caption="c", formats={"team": "text"}, source="s"
        )


def test_what_is_shown_as_a_bottleneck_is_one_sentence():
    with pytest.raises(ValueError, match="a bottleneck is one sentence"):
        ran(outputs(show.bottleneck, "One.\n\nTwo."))


def feedback(*rows):
    columns = ["feedback_id", "rep_id", "segment", "theme", "trend", "product_id"]
    return pd.DataFrame([(str(i), *row) for i, row in enumerate(rows)], columns=columns)


PRICE = ("SMB", "price above budget", "budgets are cut", "P1")


def test_the_most_frequent_theme_comes_first_with_its_share():
    """Price: 3 of 5 reports by 2 reps; roll-out: 1 rep only, so it is not told; one report lacks a trend."""
    rows = [
        ("a", *PRICE),
        ("b", *PRICE),
        ("b", *PRICE),
        ("c", "SMB", "roll-out", "staff", "P2"),
        ("d", *PRICE[:2], None, "P1"),
    ]
    (top,) = review_feedback.feedback_themes(feedback(*rows), smallest_cell=2)
    assert (top.theme, top.n, top.n_of, top.n_reps, top.share) == (
        "price above budget",
        3,
        5,
        2,
        0.6,
    )
    assert (round(top.low, 3), round(top.high, 3)) == (0.231, 0.882)  # Wilson, 3 of 5


@pytest.mark.parametrize("value", [None, float("nan"), "", "  "])
def test_a_slot_without_a_value_fails_the_build(value):
    with pytest.raises(NarrativeError, match="the narrative has no value for trend"):
        review_feedback.fill_template(
            "{theme} because of {trend}", {"theme": "price", "trend": value}
        )


def test_a_slot_nobody_fills_fails_the_build():
    with pytest.raises(NarrativeError, match="no value for product"):
        review_feedback.fill_template("{product}", {})


def test_every_number_of_the_narrative_is_a_slot():
    words = review_feedback.TEMPLATE.replace("95%", "")
    assert not [c for c in words if c.isdigit()]


def test_text_of_the_data_is_not_read_as_a_slot():
    assert review_feedback.fill_template("{theme}!", {"theme": "{product} {0}"}) == "{product} {0}!"
