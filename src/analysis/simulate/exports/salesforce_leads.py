"""The CRM's marketing objects: Lead, LeadHistory, Campaign and CampaignMember."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.simulate.exports import salesforce_format as sf
from analysis.simulate.exports import words
from analysis.simulate.world import marketing

if TYPE_CHECKING:
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.simulated_tables import SimulatedTables
    from analysis.simulate.world.company_parameters import SimulatedCompany

REASON_SEED = 32  # a stream of its own, so that no other draw moves


def lead_files(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys
) -> dict[str, pa.Table]:
    """Return all four, by file name."""
    rng = np.random.default_rng([company.seed, 12])
    return {
        "Lead": _leads(company, tables, keys, rng),
        "LeadHistory": _history(tables, keys),
        "Campaign": _campaigns(tables, keys),
        "CampaignMember": _members(tables, keys),
    }


def _leads(
    company: SimulatedCompany, tables: SimulatedTables, keys: Keys, rng: np.random.Generator
) -> pa.Table:
    start, rows = tables.draws.window.start, tables.demand.leads
    deal, status, n = rows["deal"].to_numpy(), rows["status"].to_numpy(), len(rows)
    done = status == marketing.CONVERTED
    deal = np.where(done, deal, -1)
    firm = rng.integers(0, len(words.STEMS), n) * len(words.FIELDS) + rng.integers(
        0, len(words.FIELDS), n
    )
    firms = [f"{stem} {field}" for stem in words.STEMS for field in words.FIELDS]
    who = (
        rng.integers(0, len(words.FIRST), n).tolist(),
        rng.integers(0, len(words.LAST), n).tolist(),
    )
    return pa.table(
        {
            "Id": keys.lead,
            "CreatedDate": sf.utc_stamps(
                start, rows["created"].to_numpy() * 86_400 + rng.integers(0, 86_400, n)
            ),
            "OwnerId": sf.pick_words(keys.user, rows["owner"].to_numpy()),
            "LeadSource": sf.pick_words(marketing.SOURCES, rows["source"].to_numpy()),
            "Status": sf.pick_words(marketing.STATUSES, status),
            "IsConverted": sf.flag_texts(done),
            "ConvertedDate": sf.day_texts(start, rows["converted"].to_numpy(), is_known=done),
            "ConvertedOpportunityId": sf.pick_words(keys.deal, deal),
            "ConvertedAccountId": sf.pick_words(
                keys.account, np.where(done, keys.deal_account[deal], -1)
            ),
            "Company": sf.pick_words(firms, firm),
            "Title": sf.pick_words(
                ["CFO", "Head of Sales", "IT Manager", "Buyer", "COO"], rng.integers(0, 5, n)
            ),
            "Email": pa.array(
                [
                    f"{words.FIRST[f]}.{words.LAST[s]}{i}@buyer.example".lower()
                    for i, (f, s) in enumerate(zip(*who, strict=True))
                ]
            ),
            "IsDeleted": sf.constant_column("false", n),
            **_reasons(company, tables, n),
        }
    )


def _reasons(company: SimulatedCompany, tables: SimulatedTables, n: int) -> dict[str, pa.Array]:
    """Return why sales handed a lead back or would not have it, as far as it said so."""
    rng = np.random.default_rng([company.seed, REASON_SEED])
    history, status = tables.demand.history, tables.demand.leads["status"].to_numpy()
    is_returned = np.zeros(n, bool)
    is_returned[history.loc[history["new"].eq(marketing.NURTURE), "lead"].to_numpy()] = True
    is_stated = rng.random(n) < marketing.REASON_RATE
    returned, refused = (
        rng.choice(len(reasons), n, p=marketing.REASON_SHARES)
        for reasons in (marketing.RETURN_REASONS, marketing.REFUSAL_REASONS)
    )
    return {
        "Recycle_Reason__c": sf.pick_words(
            marketing.RETURN_REASONS, np.where(is_returned & is_stated, returned, -1)
        ),
        "Disqualification_Reason__c": sf.pick_words(
            marketing.REFUSAL_REASONS,
            np.where((status == marketing.OUT) & is_stated, refused, -1),
        ),
    }


def _history(tables: SimulatedTables, keys: Keys) -> pa.Table:
    rows = tables.demand.history
    step = rows["step"].to_numpy()
    day = rows["day"].to_numpy() * 86_400 + 82_800 + step * 300
    return pa.table(
        {
            "Id": sf.salesforce_ids("017", np.arange(len(rows))),
            "LeadId": sf.pick_words(keys.lead, rows["lead"].to_numpy()),
            "Field": sf.constant_column("Status", len(rows)),
            "OldValue": sf.pick_words(marketing.STATUSES, rows["old"].to_numpy()),
            "NewValue": sf.pick_words(marketing.STATUSES, rows["new"].to_numpy()),
            "CreatedDate": sf.utc_stamps(tables.draws.window.start, day),
        }
    )


def _campaigns(tables: SimulatedTables, keys: Keys) -> pa.Table:
    window, rows = tables.draws.window, tables.demand.campaigns
    kind, quarter = rows["kind"].tolist(), rows["quarter"].tolist()
    return pa.table(
        {
            "Id": keys.campaign,
            "Name": pa.array(
                [
                    f"{marketing.CAMPAIGN_TYPES[k]} {window.quarters[q]}"
                    for k, q in zip(kind, quarter, strict=True)
                ]
            ),
            "Type": sf.pick_words(marketing.CAMPAIGN_TYPES, rows["kind"].to_numpy()),
            "Status": sf.pick_words(
                ["Completed", "In Progress"], (rows["end"] >= window.n_days).to_numpy().astype(int)
            ),
            "StartDate": sf.day_texts(window.start, rows["start"].to_numpy()),
            "EndDate": sf.day_texts(window.start, rows["end"].to_numpy()),
            "BudgetedCost": sf.amount_texts(rows["budget"].to_numpy()),
            "ActualCost": sf.amount_texts(rows["cost"].to_numpy()),
            "ExpectedResponse": sf.pick_words(
                ["12.5", "20", "15", "8", "3"], rows["kind"].to_numpy()
            ),
            "CurrencyIsoCode": sf.constant_column("USD", len(rows)),
        }
    )


def _members(tables: SimulatedTables, keys: Keys) -> pa.Table:
    window, rows = tables.draws.window, tables.demand.members
    day, responded, n = rows["day"].to_numpy(), rows["responded"].to_numpy(), len(rows)
    answered = np.minimum(day + 3, window.n_days - 1)
    return pa.table(
        {
            "Id": sf.salesforce_ids("00v", np.arange(n)),
            "CampaignId": sf.pick_words(keys.campaign, rows["campaign"].to_numpy()),
            "LeadId": sf.pick_words(keys.lead, rows["lead"].to_numpy()),
            "ContactId": sf.constant_column(None, n),
            "Status": sf.pick_words(["Sent", "Responded"], responded.astype(int)),
            "HasResponded": sf.flag_texts(responded),
            "FirstRespondedDate": sf.day_texts(window.start, answered, is_known=responded),
            "CreatedDate": sf.utc_stamps(window.start, day * 86_400 + 32_400),
        }
    )
