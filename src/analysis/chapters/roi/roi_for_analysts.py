"""What an analyst looks at beside the answer on the return: distribution, quarters, next budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.chapters.roi import accounts, headlines, simulation
from analysis.project import money
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.roi.accounts import NextBudget
    from analysis.chapters.roi.case import Case
    from analysis.chapters.roi.simulation import Appraisal

QUANTILES = {"p10": ("money", "P10"), "p50": ("money", "P50"), "p90": ("money", "P90")}
SOURCE = "team_quarter, rep_quarter, programme, programme_costs"


def return_tables(case: Case, appraisal: Appraisal) -> list[LabelledTable]:
    """Return the distribution of what the programme is worth, when it has paid back, benefit and
    cost by quarter, and the figures by the vendors' method.
    """
    over = f"over {case.horizon_words}, n = {case.teams_words} that started"
    quarters = {
        "quarter": ("text", "Quarter"),
        "costs": ("text", "Costs"),
        "benefit_amount": ("money", "Benefit"),
        "cost_amount": ("money", "Cost"),
        "net_p10": ("money", "Net so far, P10"),
        "net_p50": ("money", "P50"),
        "net_p90": ("money", "P90"),
    }
    states = appraisal.by_quarter["is_observed"].map({True: "known", False: "to come"})
    return [
        LabelledTable(
            simulation.npv_quantiles(appraisal),
            f"What the programme is worth {over}",
            {"figure": ("text", "Figure"), **QUANTILES},
            SOURCE,
            note="Four in five draws lie between P10 and P90.",
        ),
        LabelledTable(
            simulation.payback_shares(appraisal, horizon_quarters=case.n_periods),
            f"When the programme has paid back, {over}",
            {"payback": ("text", "Paid back"), "probability": ("percent2", "Of draws")},
            SOURCE,
        ),
        LabelledTable(
            appraisal.by_quarter.assign(costs=states)[list(quarters)],
            f"Benefit and cost by quarter, {over}",
            quarters,
            SOURCE,
        ),
        _vendors_method(case, appraisal),
    ]


def _vendors_method(case: Case, appraisal: Appraisal) -> LabelledTable:
    rows = headlines.by_vendors_method(case, appraisal)
    words = [
        money.amount_text(value, case.currency) if unit == case.currency else f"{value:.2f} {unit}"
        for value, unit in zip(rows["value"], rows["unit"], strict=True)
    ]
    return LabelledTable(
        rows.assign(says=words)[["figure", "says"]],
        "The same by the method of vendors' studies",
        {"figure": ("text", "Figure"), "says": ("text", "Value")},
        SOURCE,
        note="Medians, with risk taken off by stated shares in place of a distribution.",
    )


def budget_table(budget: NextBudget, cuts: list[accounts.BudgetCut]) -> LabelledTable:
    """Return next quarter's budget of campaigns under a rule that cuts it: one row."""
    rule = "; ".join(
        f"below {cut.attainment:.0%} of quota {cut.budget_share:.0%} of it is left" for cut in cuts
    )
    return LabelledTable(
        pd.DataFrame([budget]),
        "Next quarter's budget of campaigns, if bookings come as in the last four quarters",
        {**QUANTILES, "probability_cut": ("percent", "Cut at all")},
        "team_quarter, campaigns",
        note=f"An example of such a rule, not the company's: {rule}.",
    )
