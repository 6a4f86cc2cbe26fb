"""The same money for pre-sales staff or for leads, and the ways the effect came by, from a company's tables."""

import datetime as dt
import math
from types import SimpleNamespace

import pandas as pd
import pytest
from roi_case import programme

from analysis.chapters.cost import cost
from analysis.chapters.growth.assessment import AssessmentTables
from analysis.chapters.roi import costs, mechanisms, options
from analysis.chapters.roi.case import Uncertain
from analysis.chapters.roi.options import LeadGeneration, PreSales, Terms
from analysis.project.errors import CrmDataError
from analysis.tables.canonical import SELLING_DEFINITIONS

END = dt.date(2026, 1, 1)  # leads of 2024-07-03 to 2025-07-03 are ripe

CAMPAIGNS = pd.DataFrame(
    {
        "campaign_type": ["Webinar", "Email", "Webinar"],
        "start_date": pd.to_datetime(["2025-01-10", "2025-03-01", "2025-11-01"]),
        "cost_amount": [300.0, 100.0, 9_000.0],
    }
)
LEADS = pd.DataFrame(
    {
        "lead_id": ["l1", "l2", "l3", "l4", "l5"],
        "lead_source": ["webinar", "Email", "Email", "Referral", "Webinar"],
        "created_at": pd.to_datetime(
            ["2025-01-12", "2025-03-02", "2025-03-03", "2025-03-04", "2025-12-01"], utc=True
        ),
        "is_converted": [True, False, True, True, False],
    }
)
ACTIVITIES = pd.DataFrame(
    {
        "activity_id": ["a", "a", "b", "c"],
        "lead_id": ["l1", "l1", "l3", "l4"],
        "minutes": [60.0, 60.0, 120.0, 600.0],
    }
)
WON = pd.DataFrame({"deal_amount": [90.0, 110.0]})


def test_a_lead_costs_what_its_years_campaigns_did():
    """l1 to l3 are of a campaign's source and ripe: 400 for three, 1 h and 2 h of reps, two converted."""
    got = options.lead_generation(CAMPAIGNS, LEADS, ACTIVITIES, WON, end=END)
    assert got.cost_per_lead == pytest.approx(400 / 3)
    assert got.rep_hours_per_lead == pytest.approx(1.0)
    assert (got.n_leads, got.n_opportunities) == (3, 2)
    assert got.deal_amount == pytest.approx(Uncertain(100.0, 10.0, 1))


def test_leads_of_campaigns_without_a_cost_are_refused():
    with pytest.raises(CrmDataError, match="cost_amount must be known, but 2 of 2 rows"):
        options.lead_generation(
            CAMPAIGNS.assign(cost_amount=math.nan), LEADS, ACTIVITIES, WON, end=END
        )


def test_a_company_without_campaigns_has_no_comparison():
    with pytest.raises(CrmDataError, match="from a campaign's source"):
        options.lead_generation(CAMPAIGNS.iloc[:0], LEADS, ACTIVITIES, WON, end=END)


def test_the_win_rate_is_of_deals_closed_in_the_last_year():
    deals = pd.DataFrame(
        {
            "status": ["won", "lost", "lost", "won", "open"],
            "close_date": pd.to_datetime(
                ["2025-05-01", "2025-06-01", "2024-06-01", "2026-01-01", "2025-07-01"]
            ),
            "deal_amount": 100.0,
        }
    )
    won, rate = options.last_year(deals, end=END)
    assert (len(won), rate) == (1, 0.5)


def test_a_hire_is_paid_a_years_hours_at_their_mean_cost():
    """52 weeks of 40 h at 2."""
    hire = options.pre_sales(
        programme(), hours_per_day=8.0, hours_freed=400.0, brings=Uncertain(5.0)
    )
    assert hire == PreSales(4_160.0, 400.0, Uncertain(5.0))


TERMS = Terms(0.7, 0.1, 0.0, 50.0, 0.25, 90.0)
HIRE = PreSales(100_000.0, 500.0, Uncertain(400.0))
LEAD = LeadGeneration(200.0, 1.0, 1_000_000, 100_000, Uncertain(40_000.0))


def test_what_each_use_must_bring_by_hand():
    """Two hires free 1,000 h: 200,000 / (1,000 x .6) = 333.33 an hour. 1,000 leads with reps' hours cost 250,000, and
    bring 6,000,000 if all convert."""
    got = options.compare_uses(200_000.0, HIRE, LEAD, TERMS, currency="USD")
    assert got.conversion == 0.1
    assert got.leads_pay_from == pytest.approx(250 / 6_000)
    assert got.hour_pays_from == pytest.approx(1_000 / 3)
    assert got.table.to_numpy().tolist() == [
        ["Hire pre-sales staff", "1,000 h of selling", "$333 of bookings an hour",
         "$400, estimated of one more hour"],
        ["Fund lead generation", "1,000 leads", "4.2% become opportunities",
         "10.0% of leads so far; added ones bring less"],
    ]  # fmt: skip
    assert options.options_sentence(got).startswith(
        "Lead generation pays if 4.2% of added leads become opportunities; leads so far converted at 10.0%"
    )


def test_bookings_a_year_later_must_be_larger():
    later = options.compare_uses(
        200_000.0, HIRE, LEAD, TERMS._replace(discount_rate=0.1, cycle_days=365.0), currency="USD"
    )
    assert later.hour_pays_from == pytest.approx(1.1 * 1_000 / 3)


def test_where_an_hours_worth_is_unknown_the_table_says_so():
    unknown = HIRE._replace(bookings_per_hour=Uncertain(math.nan))
    got = options.compare_uses(200_000.0, unknown, LEAD, TERMS, currency="USD")
    assert got.table["known"].iloc[0] == "not known"


@pytest.mark.parametrize(
    ("budget", "leads", "message"),
    [
        (0, LEAD, "budget and costs must be above 0, got 0"),
        (1, LEAD._replace(n_leads=1_000, n_opportunities=1_001), "got 1001 of 1000"),
    ],
)
def test_a_wrong_argument_is_named(budget, leads, message):
    with pytest.raises(ValueError, match=message):
        options.compare_uses(budget, HIRE, leads, TERMS, currency="USD")


NAMES = [f"{2024 + k // 4}Q{k % 4 + 1}" for k in range(7)]
STARTS = {"T0": 3, "T1": 3, "T2": 4, "T3": 4}


def company() -> tuple[AssessmentTables, pd.DataFrame]:
    """Return seven teams of which four joined: hours rise by 0.2 in logs, recycled leads by 10 points, wins stay."""
    rows = [
        (f"T{i}", name, False, math.exp(5 + i / 10 + k / 20 + 0.2 * (k >= STARTS.get(f"T{i}", 99))), 0.3,
         0.02 + 0.1 * (k >= STARTS.get(f"T{i}", 99)))
        for i in range(7) for k, name in enumerate(NAMES)
    ]  # fmt: skip
    columns = [
        "team_id",
        "quarter",
        "is_partial",
        "selling_hours",
        "win_rate",
        mechanisms.RECYCLED_SHARE,
    ]
    table = pd.DataFrame(rows, columns=columns)
    joined = pd.DataFrame(
        {
            "team_id": list(STARTS),
            "start_date": pd.to_datetime(["2024-10-01", "2024-10-01", "2025-01-01", "2025-01-01"]),
        }
    )
    shares = table[["team_id", "quarter", mechanisms.RECYCLED_SHARE]]
    return AssessmentTables(table.drop(columns=mechanisms.RECYCLED_SHARE), joined), shares


def test_each_way_is_what_was_put_there():
    """0.2 x 0.3 by hours; -log(1 - 0.1) by recycled leads; nothing by win rate."""
    known, shares = company()
    got = mechanisms.estimate_mechanisms(
        known, shares, hours_yield=Uncertain(0.3, 0.0, 0), quarter="2025Q3"
    )
    assert [way.name for way in got] == [mechanisms.HOURS, mechanisms.LEADS, mechanisms.WINS]
    assert [way.change.estimate * way.yields.estimate for way in got] == pytest.approx(
        [0.06, -math.log(0.9), 0.0]
    )


def test_an_hours_worth_that_is_unknown_leaves_hours_out():
    known, shares = company()
    got = mechanisms.estimate_mechanisms(
        known, shares, hours_yield=Uncertain(math.nan), quarter="2025Q3"
    )
    assert [way.name for way in got] == [mechanisms.LEADS, mechanisms.WINS]


def test_ways_and_rest_multiply_to_the_total():
    known, shares = company()
    case = programme(lift=0.3)
    table = mechanisms.beside_the_total(
        case,
        mechanisms.estimate_mechanisms(known, shares, hours_yield=Uncertain(0.3), quarter="2025Q3"),
    )
    factor = 1 + table["estimate"]
    assert factor.iloc[:4].prod() == pytest.approx(math.exp(0.3))
    assert factor.iloc[4] == pytest.approx(math.exp(0.3))
    assert table["part"].iloc[-1] == "Sum of the ways, beside and not added"


def test_an_opportunity_counts_for_the_team_its_owner_spent_most_of_the_quarter_in():
    leads = pd.DataFrame({"opportunity_id": ["o1", "o2", None], "is_recycled": [True, False, True]})
    deals = pd.DataFrame(
        {
            "opportunity_id": ["o1", "o2", "o3"],
            "owner_rep_id": ["r", "r", "gone"],
            "created_at": pd.to_datetime(["2025-01-05", "2025-02-05", "2025-02-05"], utc=True),
        }
    )
    stays = pd.DataFrame(
        {
            "rep_id": ["r", "r"],
            "team_id": ["a", "b"],
            "quarter": "2025Q1",
            "days_employed": [20, 70],
        }
    )
    got = mechanisms.recycled_shares(leads, deals, stays)
    assert got.to_dict("records") == [
        {"team_id": "b", "quarter": "2025Q1", mechanisms.RECYCLED_SHARE: 0.5}
    ]


def test_what_nobody_counted_stays_missing_among_avoidable_cost(figure):
    unused = pd.DataFrame(
        {
            "place": ["elsewhere"],
            "n_assets": [4],
            "n_unused": [3],
            "hours": [2.0],
            "cost_amount": [130.0],
        }
    )
    got = costs.avoidable_costs(unused)
    assert got.iloc[0].tolist() == [
        "Material not used in two quarters, elsewhere",
        3,
        4,
        2.0,
        130.0,
    ]
    assert got.iloc[1, 1:].isna().all()
    assert (
        costs.avoidable_costs(unused.iloc[:0], duplicates_amount=2_160.0)["cost_amount"].tolist()[1]
        == 2_160.0
    )
    figure(
        "002-05",
        "material nobody used: 3 of 4, 130; repeated reports 2,160, missing where nobody counts them",
    )


def test_without_leads_no_share_of_recycled_ones_is_told_and_none_is_zero():
    leads = pd.DataFrame(
        {"opportunity_id": pd.Series(dtype="str"), "is_recycled": pd.Series(dtype="boolean")}
    )
    deals = pd.DataFrame(
        {
            "opportunity_id": ["1"],
            "owner_rep_id": ["r"],
            "created_at": pd.to_datetime(["2026-01-05"]),
        }
    )
    stays = pd.DataFrame(
        {"rep_id": ["r"], "team_id": ["t"], "quarter": ["2026Q1"], "days_employed": [90]}
    )
    assert mechanisms.recycled_shares(leads, deals, stays).empty
    assert (
        len(mechanisms.recycled_shares(leads.reindex([0]).assign(opportunity_id="1"), deals, stays))
        == 1
    )


@pytest.mark.parametrize(
    ("status", "smallest_cell", "cost_amount", "why"),
    [
        ("answered", 5, 200.0, "cannot tell: hours and opportunities"),
        ("withheld", 5, math.nan, "the cost of an hour is withheld. A third of the hours have no"),
        ("answered", 6, math.nan, "what an hour of selling costs is not known."),
    ],
)
def test_an_hour_costs_nothing_here_that_its_own_page_withholds(
    status, smallest_cell, cost_amount, why
):
    """Five reps paid 20,000 for 100 h; too few to tell what one more hour brings."""
    each = dict.fromkeys((*SELLING_DEFINITIONS, "paid_hours", "available_hours"), 100.0)
    pay = dict.fromkeys(cost.PAY, 5_000.0)
    stays = pd.DataFrame([{**each, **pay, "rep_id": rep} for rep in "abcde"]).assign(
        quarter="2026Q3", team_id="t", logged_share=1.0, weeks_employed=13.0,
        quota_amount=9e5, bookings_amount=5e5,
    )  # fmt: skip
    weeks = stays.assign(week_start="2026-09-21", coverage="ok", n_created=1)
    found = {
        "check": "undated", "questions": ["hours", "cost", "worth"], "severity": "withhold",
        "sentence": "A third of the hours have no date.", "remedy": "Export them again.",
        "accepted": None,
    }  # fmt: skip
    verdict = {"status": status, "checks": ["undated"]}
    got = options.next_hour_of_company(
        {"rep_week": weeks, "rep_quarter": stays},
        quarter="2026Q3",
        house=SimpleNamespace(
            hours=SimpleNamespace(minimum_logged_share=0.5),
            company=SimpleNamespace(currency="USD"),
            people=SimpleNamespace(smallest_cell=smallest_cell),
        ),
        account={"gate": {"findings": [found], "questions": {"cost": verdict}}},
    )
    assert got.cost_amount == pytest.approx(cost_amount, nan_ok=True)
    assert math.isnan(got.brings.estimate)
    assert got.why.startswith(why)
