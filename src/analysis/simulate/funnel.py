"""The CRM's marketing objects: Lead, LeadHistory, Campaign and CampaignMember."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate import marketing, words
from analysis.simulate import salesforce as sf

if TYPE_CHECKING:
    from analysis.simulate.company import Company, Tables
    from analysis.simulate.records import Keys


def tables(company: Company, tables: Tables, keys: Keys) -> dict[str, pa.Table]:
    """Return all four, by file name."""
    rng = np.random.default_rng([company.seed, 12])
    return {
        "Lead": _leads(tables, keys, rng),
        "LeadHistory": _history(tables, keys),
        "Campaign": _campaigns(tables, keys),
        "CampaignMember": _members(tables, keys),
    }


def _leads(tables: Tables, keys: Keys, rng: np.random.Generator) -> pa.Table:
    start, rows = tables.draws.window.start, tables.demand.leads
    deal, status, n = rows["deal"].to_numpy(), rows["status"].to_numpy(), len(rows)
    done = status == marketing.CONVERTED
    deal = np.where(done, deal, -1)
    firm = rng.integers(0, len(words.STEMS), n) * len(words.FIELDS) + rng.integers(0, len(words.FIELDS), n)
    firms = [f"{stem} {field}" for stem in words.STEMS for field in words.FIELDS]
    who = (
        rng.integers(0, len(words.FIRST), n).tolist(),
        rng.integers(0, len(words.LAST), n).tolist(),
    )
    return pa.table(
        {
            "Id": keys.lead,
            "CreatedDate": sf.stamps(start, rows["created"].to_numpy() * 86_400 + rng.integers(0, 86_400, n)),
            "OwnerId": sf.pick(keys.user, rows["owner"].to_numpy()),
            "LeadSource": sf.pick(marketing.SOURCES, rows["source"].to_numpy()),
            "Status": sf.pick(marketing.STATUSES, status),
            "IsConverted": sf.flags(done),
            "ConvertedDate": sf.dates(start, rows["converted"].to_numpy(), known=done),
            "ConvertedOpportunityId": sf.pick(keys.deal, deal),
            "ConvertedAccountId": sf.pick(keys.account, np.where(done, keys.deal_account[deal], -1)),
            "Company": sf.pick(firms, firm),
            "Title": sf.pick(["CFO", "Head of Sales", "IT Manager", "Buyer", "COO"], rng.integers(0, 5, n)),
            "Email": pa.array(
                [
                    f"{words.FIRST[f]}.{words.LAST[s]}{i}@buyer.example".lower()
                    for i, (f, s) in enumerate(zip(*who, strict=True))
                ]
            ),
            "IsDeleted": sf.constant("false", n),
        }
    )


def _history(tables: Tables, keys: Keys) -> pa.Table:
    rows = tables.demand.history
    step = rows["step"].to_numpy()
    day = rows["day"].to_numpy() * 86_400 + 82_800 + step * 300
    return pa.table(
        {
            "Id": sf.ids("017", np.arange(len(rows))),
            "LeadId": sf.pick(keys.lead, rows["lead"].to_numpy()),
            "Field": sf.constant("Status", len(rows)),
            "OldValue": sf.pick(marketing.STATUSES, rows["old"].to_numpy()),
            "NewValue": sf.pick(marketing.STATUSES, rows["new"].to_numpy()),
            "CreatedDate": sf.stamps(tables.draws.window.start, day),
        }
    )


def _campaigns(tables: Tables, keys: Keys) -> pa.Table:
    window, rows = tables.draws.window, tables.demand.campaigns
    kind, quarter = rows["kind"].tolist(), rows["quarter"].tolist()
    return pa.table(
        {
            "Id": keys.campaign,
            "Name": pa.array(
                [f"{marketing.CAMPAIGN_TYPES[k]} {window.quarters[q]}" for k, q in zip(kind, quarter, strict=True)]
            ),
            "Type": sf.pick(marketing.CAMPAIGN_TYPES, rows["kind"].to_numpy()),
            "Status": sf.pick(["Completed", "In Progress"], (rows["end"] >= window.n_days).to_numpy().astype(int)),
            "StartDate": sf.dates(window.start, rows["start"].to_numpy()),
            "EndDate": sf.dates(window.start, rows["end"].to_numpy()),
            "BudgetedCost": sf.money(rows["budget"].to_numpy()),
            "ActualCost": sf.money(rows["cost"].to_numpy()),
            "ExpectedResponse": sf.pick(["12.5", "20", "15", "8", "3"], rows["kind"].to_numpy()),
            "CurrencyIsoCode": sf.constant("USD", len(rows)),
        }
    )


def _members(tables: Tables, keys: Keys) -> pa.Table:
    window, rows = tables.draws.window, tables.demand.members
    day, responded, n = rows["day"].to_numpy(), rows["responded"].to_numpy(), len(rows)
    answered = np.minimum(day + 3, window.n_days - 1)
    return pa.table(
        {
            "Id": sf.ids("00v", np.arange(n)),
            "CampaignId": sf.pick(keys.campaign, rows["campaign"].to_numpy()),
            "LeadId": sf.pick(keys.lead, rows["lead"].to_numpy()),
            "ContactId": sf.constant(None, n),
            "Status": sf.pick(["Sent", "Responded"], responded.astype(int)),
            "HasResponded": sf.flags(responded),
            "FirstRespondedDate": sf.dates(window.start, answered, known=responded),
            "CreatedDate": sf.stamps(window.start, day * 86_400 + 32_400),
        }
    )
