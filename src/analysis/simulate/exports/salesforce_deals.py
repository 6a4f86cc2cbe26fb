"""What all files refer to, and the deals: opportunities, their history, exchange rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports import words
from analysis.simulate.world import marketing
from analysis.simulate.world.calendar import REGIONS, Floats, Ints
from analysis.simulate.world.people import NEVER

if TYPE_CHECKING:
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.calendar import Window
    from analysis.simulate.world.company_parameters import SimulatedCompany
    from analysis.simulate.world.people import Staff

CURRENCIES = ("USD", "EUR", "GBP", "JPY")
STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
PROBABILITY = (10, 25, 50, 75, 100, 0)
N_MARKETERS = 10
CLOSED = 4  # the place of the first closed stage
NO_SOURCE_RATE = 0.3  # deals without a lead whose source says --None--
OFFICE_OPENS = (
    14,
    8,
    1,
)  # by region: an hour of UTC from which the date is the local one for a while


class Keys(NamedTuple):
    """What the files share: ids, each deal's account, money and campaign."""

    user: pa.Array  # reps, then a manager a team, then marketers, then the integration user
    team: pa.Array  # teams, then Marketing
    account: pa.Array
    deal: pa.Array
    lead: pa.Array
    campaign: pa.Array
    product: pa.Array
    deal_account: Ints
    deal_currency: Ints
    amount: Floats  # in the deal's currency
    rates: Floats  # quarters x CURRENCIES, units per USD
    zone: list[str]  # time zone, by rep
    home: Ints  # first team, by rep


def record_keys(company: SimulatedCompany, tables: SimulatedTables) -> Keys:
    """Return the ids of everything that other files refer to."""
    rng = np.random.default_rng([company.seed, 6])
    window, people, _, deals = tables.draws
    table = deals.table
    n_reps, n_teams = len(people.rep_seat), company.n_teams
    home = np.zeros(n_reps, np.int64)
    home[people.rep.ravel()[::-1]] = people.team.ravel()[::-1]  # the earliest week wins
    zones = team_zones(people)
    region = people.team_region[table["team_created"].to_numpy()]
    share = np.array([[1.0, 0, 0, 0], [0.5, 0.3, 0.2, 0], [0.8, 0, 0, 0.2]])
    currency = (rng.random(len(table))[:, None] > np.cumsum(share, axis=1)[region]).sum(axis=1)
    walk = np.cumsum(0.02 * rng.standard_normal((len(window.quarters), 3)), axis=0)
    rates = np.round(
        np.column_stack([np.ones(len(walk)), np.array([0.92, 0.79, 148.0]) * np.exp(walk)]), 4
    )
    quarter = np.minimum(table["quarter"].to_numpy(), len(walk) - 1)
    n_accounts = company.accounts_per_team
    account = table["team_created"].to_numpy() * n_accounts + rng.integers(
        0, n_accounts, len(table)
    )
    return Keys(
        sf.salesforce_ids("005", np.arange(n_reps + n_teams + N_MARKETERS + 1)),
        sf.salesforce_ids("00E", np.arange(n_teams + 1)),
        sf.salesforce_ids("001", np.arange(n_teams * n_accounts)),
        sf.salesforce_ids("006", np.arange(len(table))),
        sf.salesforce_ids("00Q", np.arange(len(tables.demand.leads))),
        sf.salesforce_ids("701", np.arange(len(tables.demand.campaigns))),
        sf.salesforce_ids("01t", np.arange(len(words.PRODUCTS))),
        account,
        currency,
        np.maximum(np.round(table["amount_usd"].to_numpy() * rates[quarter, currency], 2), 1.0),
        rates,
        [zones[team] for team in home.tolist()],
        home,
    )


def team_zones(people: Staff) -> list[str]:
    """Return the time zone each team sits in."""
    regions = [words.ZONES[REGIONS[region]] for region in people.team_region.tolist()]
    return [zones[team // len(REGIONS) % len(zones)] for team, zones in enumerate(regions)]


def opportunity_files(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys
) -> dict[str, pa.Table]:
    """Return Opportunity, OpportunityHistory and DatedConversionRate."""
    rng = np.random.default_rng([company.seed, 9])
    window, _, _, deals = tables.draws
    table, entered = deals.table, tables.calendar.stages
    n = len(table)
    created, closed, is_closed, is_won = (
        table[c].to_numpy() for c in ("created", "closed", "is_closed", "is_won")
    )
    owner, creator = table["owner"].to_numpy(), table["creator"].to_numpy()
    dates = [
        created,
        *(entered[c].to_numpy() for c in ("qualification", "proposal", "negotiation")),
    ]
    dates.append(np.where(is_closed, closed, NEVER))
    last_stage = np.sum([day < window.n_days for day in dates[1:4]], axis=0)
    stage = np.where(is_closed, np.where(is_won, 4, 5), last_stage)
    lead = np.full(n, -1)
    from_deal = tables.demand.leads["deal"].to_numpy()
    lead[from_deal[from_deal >= 0]] = np.flatnonzero(from_deal >= 0)
    source = np.where(lead >= 0, tables.demand.leads["source"].to_numpy()[lead], -1)
    none = len(marketing.SOURCES)
    source = np.where((source < 0) & (rng.random(n) < NO_SOURCE_RATE), none, source)
    joined = np.full(len(tables.demand.leads), -1)
    members = tables.demand.members
    joined[members["lead"].to_numpy()] = members["campaign"].to_numpy()
    region = tables.draws.people.team_region[table["team_created"].to_numpy()]
    second = np.array(OFFICE_OPENS)[region] * 3600 + rng.integers(0, 4 * 3600, n)
    kind = rng.choice(3, n, p=[0.8, 0.14, 0.06])
    numbers = np.arange(n)
    opportunity = pa.table(
        {
            "Id": keys.deal,
            "Name": pa.array([f"Deal {i + 1000}" for i in numbers.tolist()]),
            "AccountId": sf.pick_words(keys.account, keys.deal_account),
            "OwnerId": sf.pick_words(keys.user, owner),
            "Type": sf.pick_words(["New Business", "Existing Business", "Renewal"], kind),
            "StageName": sf.pick_words(STAGES, stage),
            "IsClosed": sf.flag_texts(is_closed),
            "IsWon": sf.flag_texts(is_won),
            "Amount": sf.amount_texts(keys.amount),
            "CurrencyIsoCode": sf.pick_words(CURRENCIES, keys.deal_currency),
            "Probability": sf.pick_words([str(p) for p in PROBABILITY], stage),
            "CreatedDate": sf.utc_stamps(window.start, created * 86_400 + second),
            "CloseDate": sf.day_texts(window.start, closed),
            "LeadSource": sf.pick_words([*marketing.SOURCES, "--None--"], source),
            "CampaignId": sf.pick_words(keys.campaign, np.where(lead >= 0, joined[lead], -1)),
            "Primary_Product__c": sf.pick_words(
                keys.product, rng.integers(0, len(keys.product), n)
            ),
            "IsDeleted": sf.constant_column("false", n),
        }
    )
    is_exported = pa.array(~is_closed | (closed >= _first_logged(company, window)))
    when = np.stack(dates, axis=1)
    deal, step = np.nonzero(when < np.minimum(closed + 1, window.n_days)[:, None])
    day = when[deal, step]
    at_stage = np.where(step == CLOSED, stage[deal], step)
    early = np.where(
        step < CLOSED, rng.uniform(0.8, 1.25, (n, 2))[deal, np.minimum(step, 3) // 2], 1.0
    )
    early = np.where(~is_closed[deal] & (step == last_stage[deal]), 1.0, early)
    guess = np.where((step < CLOSED - 1) & is_closed[deal], rng.integers(-10, 30, n)[deal], 0)
    holder = tables.draws.people.rep[table["seat"].to_numpy()[deal], window.week_of(day)]
    by = np.where(step == 0, creator[deal], holder)
    history = pa.table(
        {
            "Id": sf.salesforce_ids("008", np.arange(len(deal))),
            "OpportunityId": sf.pick_words(keys.deal, deal),
            "StageName": sf.pick_words(STAGES, at_stage),
            "Amount": sf.amount_texts(np.round(keys.amount[deal] * early, 2)),
            "Probability": sf.pick_words([str(p) for p in PROBABILITY], at_stage),
            "CloseDate": sf.day_texts(window.start, np.maximum(closed[deal] + guess, day)),
            "CreatedDate": sf.utc_stamps(window.start, day * 86_400 + second[deal] + step * 1800),
            "CreatedById": sf.pick_words(keys.user, by),
        }
    )
    return {
        "Opportunity": opportunity.filter(is_exported),
        "OpportunityHistory": history.filter(is_exported.take(pa.array(deal))),
        "DatedConversionRate": _rates(tables, keys),
    }


def _first_logged(company: SimulatedCompany, window: Window) -> int:
    """Return the day from which closed deals are exported."""
    if not company.wins_logged_quarter:
        return -NEVER
    return int(np.flatnonzero(window.quarter == company.wins_logged_quarter - 1)[0])


def _rates(tables: SimulatedTables, keys: Keys) -> pa.Table:
    window = tables.draws.window
    n = len(window.quarters)
    edges = [
        *window.dates(np.flatnonzero(np.diff(window.quarter, prepend=-1))).astype(str).tolist(),
        "9999-12-31",
    ]
    rows = [("USD", edges[0], edges[-1], "1")]
    for column, code in enumerate(CURRENCIES[1:], 1):
        rows += [(code, edges[q], edges[q + 1], f"{keys.rates[q, column]:.4f}") for q in range(n)]
    names = ("IsoCode", "StartDate", "NextStartDate", "ConversionRate")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
