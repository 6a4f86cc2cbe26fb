"""One list of targets: how far two agree, what reaches it, events in time, names that look alike."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.closed_loop import target_lists


def test_jaccard_of_60_shared_of_80(figure):
    """Sales lists 70, marketing 70, 60 of them alike."""
    got = target_lists.list_overlap(set(range(70)), set(range(10, 80)))
    assert (got.share, got.n_both, got.n_sales_only) == (0.75, 60, 10)
    assert math.isnan(target_lists.list_overlap(set(), set()).share)
    figure("001-29", f"Jaccard {got.share:.2f} of 60 shared, 80 on either")


@pytest.mark.parametrize(
    ("reached", "listed", "expected"),
    [
        (range(5000), range(70), (0.014, 1.0, 2 * 0.014 / 1.014)),  # mass mailing
        (range(10), range(5, 25), (0.5, 0.25, 1 / 3)),
        (range(3), range(7, 9), (0.0, 0.0, 0.0)),
    ],
)
def test_precision_recall_and_f1_by_hand(reached, listed, expected, figure):
    got = target_lists.list_fit(list(reached), list(listed))
    assert (got.precision, got.recall, got.f1) == pytest.approx(expected)
    figure("001-04", f"precision {got.precision:.3f}, recall {got.recall:.2f}, F1 {got.f1:.3f}")


def test_no_audience_or_no_list_is_no_fit():
    assert math.isnan(target_lists.list_fit([], ["a"]).precision)
    assert math.isnan(target_lists.list_fit(["a"], []).f1)


def test_executives_met_at_45_of_70(figure):
    hits, share, low, high = target_lists.share_of_accounts(range(70), set(range(25, 200)))
    assert (hits, round(share, 3), round(low, 3), round(high, 3)) == (45, 0.643, 0.526, 0.745)
    assert math.isnan(target_lists.share_of_accounts(range(70), None)[1])
    assert math.isnan(target_lists.share_of_accounts([], {1})[1])
    figure("001-21", f"45 of 70 accounts: {share:.3f}")


def test_spend_is_shared_by_people_and_sums_to_its_total(figure):
    """A mailing to 5,000 people of whom 70 are targets costs 5,000; one reached nobody on record.

    A campaign of 300 reached one target, one other account and one person of none.
    """
    audience = pd.DataFrame(
        {
            "campaign_id": ["mail"] * 5000 + ["few"] * 3,
            "person_key": [f"p{n}" for n in range(5003)],
            "account_id": [f"a{n}" for n in range(5000)] + ["a1", "b1", None],
        }
    )
    costs = pd.DataFrame(
        {"campaign_id": ["mail", "few", "lost", "free"], "cost_amount": [5000.0, 300.0, 40.0, None]}
    )
    wanted = {f"a{n}" for n in range(70)}
    got = target_lists.spend_on_target(costs, audience, wanted)
    assert got == pytest.approx({"on": 170.0, "off": 5030.0, "unknown": 140.0, "total": 5340.0})
    mail = target_lists.spend_on_target(costs[:1], audience, wanted)
    assert mail["on"] / mail["total"] == pytest.approx(0.014)
    figure("001-03", f"mass mailing: {mail['on'] / mail['total']:.1%} of spend on target")


@pytest.mark.parametrize(("days_before", "state"), [(61, "not due yet"), (60, "red"), (59, "red")])
def test_an_event_without_a_schedule_turns_red_60_days_before(days_before, state, figure):
    event = dt.date(2026, 9, 1)
    today = event - dt.timedelta(days=days_before)
    seen = event - dt.timedelta(days=80)
    got = target_lists.event_readiness(event, today, list_seen_on=seen, schedule_seen_on=None)
    assert (got.state, got.lacks, got.days_left) == (state, ("schedule",), days_before)
    whole = target_lists.event_readiness(event, today, list_seen_on=seen, schedule_seen_on=seen)
    assert whole.state == "ready"
    late = event - dt.timedelta(days=59)
    seen_late = target_lists.event_readiness(event, event, list_seen_on=seen, schedule_seen_on=late)
    assert seen_late.state == "red"
    figure("001-05", f"T-{days_before}: {got.state}")


def test_events_by_team_by_hand(figure):
    """Two teams asked of a fair, one saw both in time; a mailing is no event."""
    campaigns = pd.DataFrame(
        {
            "campaign_id": ["c1", "c2"], "campaign_name": ["Fair", "Mail"],
            "campaign_type": ["Trade Show", "Email"], "start_date": [dt.date(2026, 9, 1)] * 2,
        }
    )  # fmt: skip
    early, late = dt.date(2026, 6, 1), dt.date(2026, 8, 1)
    notices = pd.DataFrame(
        {
            "campaign_id": ["c1", "c1", "c2"], "team_id": ["T1", "T2", "T1"],
            "target_list_seen_on": [early, early, None], "schedule_seen_on": [early, late, None],
        }
    )  # fmt: skip
    today, first = dt.date(2026, 8, 15), dt.date(2026, 1, 1)
    got = target_lists.readiness_of_events(campaigns, notices, today, first)
    assert got[["n_teams", "n_ready", "n_red", "days_left"]].to_numpy().tolist() == [[2, 1, 1, 17]]
    blank = notices.assign(target_list_seen_on=None, schedule_seen_on=None)
    assert target_lists.readiness_of_events(campaigns, blank, today, first).empty
    figure(
        "001-06", "list and schedule count once a team of sales saw both; by one alone it is red"
    )


def test_lists_in_force_and_agreed_by_team():
    """T1's sides share one of three and both signed it; T2's marketing has no list."""
    day = dt.date(2026, 6, 1)
    lists = pd.DataFrame(
        [
            ("T1", "sales", "a", None, day, day), ("T1", "sales", "b", None, day, None),
            ("T1", "marketing", "b", None, day, day), ("T1", "marketing", "c", None, None, day),
            ("T1", "sales", "old", day, day, day), ("T2", "sales", "d", None, day, None),
        ],
        columns=["team_id", "side", "account_id", "valid_to", "approved_by_sales_on",
                 "approved_by_marketing_on"],
    ).assign(valid_from=dt.date(2026, 1, 1))  # fmt: skip
    got = target_lists.overlap_by_team(target_lists.in_force_on(lists, day)).set_index("team_id")
    assert got.loc["T1", ["share", "n_both", "n_approved"]].tolist() == [pytest.approx(1 / 3), 1, 2]
    assert math.isnan(got.loc["T2", "share"])


def test_corrupted_names_are_suggested_and_others_are_not(figure):
    """Five hundred names, one letter of each lost, doubled or swapped: F1 of the pairs shown."""
    rng = np.random.default_rng(2)
    starts, ends = list("bcdfghklmnprstvw"), list("aeiou")
    names: list[str] = []
    while len(names) < 500:
        word = "".join(rng.choice(starts) + rng.choice(ends) for _ in range(4)).capitalize()
        if word not in names:
            names.append(f"{word} {rng.choice(['Works', 'Foods', 'Steel', 'Textiles'])}")
    spoilt = []
    for name in names:
        at = int(rng.integers(1, len(name) - 2))
        kind = int(rng.integers(3))
        middle = ("", name[at] * 2, name[at + 1] + name[at])[kind]
        spoilt.append(name[:at] + middle + name[at + (2 if kind == 2 else 1) :])
    mine = {f"s{n}": name for n, name in enumerate(names)}
    theirs = {f"m{n}": name for n, name in enumerate(spoilt)}
    pairs = target_lists.suggested_pairs(mine, theirs, most=5000)
    best = pairs.drop_duplicates("sales_id")
    right = (best["sales_id"].str[1:] == best["marketing_id"].str[1:]).sum()
    precision, recall = right / len(best), right / len(names)
    f1 = 2 * precision * recall / (precision + recall)
    figure("001-07", f"pairs of 500 corrupted names: F1 {f1:.3f}")
    assert f1 >= 0.95


def test_one_name_under_two_ids_is_a_pair_and_nothing_is_merged():
    got = target_lists.suggested_pairs({"1": "Acme Tools", "3": "Zed"}, {"2": "Acme Tools"})
    assert got[["sales_id", "marketing_id", "alike"]].to_numpy().tolist() == [["1", "2", 1.0]]
    assert target_lists.suggested_pairs({"1": "GE Aerospace"}, {}).empty


def test_contacts_by_account_count_people_once_and_none_as_none():
    people = pd.DataFrame({"account_id": ["a", "a", "a", None, "z"], "person_key": list("ppqrs")})
    assert target_lists.contacts_by_account(people, {"a", "b"}).tolist() == [2, 0]


@pytest.mark.parametrize("kind", ["trade show", "Seminar / Conference", "Messe", "Webinar", None])
def test_an_event_is_known_in_any_case_and_language_and_a_team_counts_once(kind):
    """Two notices of one team: the earlier sight counts.  A webinar, or no type, is none."""
    event = pd.DataFrame(
        {"campaign_id": ["c"], "campaign_name": ["E"], "campaign_type": [kind], "start_date": [dt.date(2026, 9, 1)]}
    )  # fmt: skip
    notices = pd.DataFrame(
        {
            "campaign_id": ["c"] * 2, "team_id": ["t"] * 2,
            "target_list_seen_on": [dt.date(2026, 8, 1), dt.date(2026, 5, 1)],
            "schedule_seen_on": [dt.date(2026, 5, 1), None],
        }
    )  # fmt: skip
    got = target_lists.readiness_of_events(event, notices, dt.date(2026, 8, 2), dt.date(2026, 1, 1))
    is_event = kind not in ("Webinar", None)
    assert got[["n_teams", "n_ready"]].to_numpy().tolist() == ([[1, 1]] if is_event else [])
