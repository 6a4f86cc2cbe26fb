"""The chapter on the return: what the notebook shows, each thing from one call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.data_quality import answerability
from analysis.chapters.growth import specification
from analysis.chapters.roi import (
    accounts,
    appraised_programme,
    costs,
    decision,
    further_teams,
    headlines,
    mechanisms,
    options,
    roi_for_analysts,
)
from analysis.project import money
from analysis.store import manifest, processed
from analysis.tables.labelled_table import LabelledTable

if TYPE_CHECKING:
    from analysis.chapters.roi.appraised_programme import Programme
    from analysis.chapters.roi.case import Case
    from analysis.chapters.roi.decision import Decision, NextStep
    from analysis.chapters.roi.options import NextHour
    from analysis.stats.result import Result
    from analysis.store.company import Company

FOUND_BY = {"marketing": "Marketing", "sales": "Sales", "total": "Both"}
NOT_OF_ONE_TEAM = "Whether the programme pays rests on a comparison of teams."
BUDGET_CUTS = (accounts.BudgetCut(0.8, 0.5), accounts.BudgetCut(1.0, 0.8))


class Appraised(NamedTuple):
    """The programme of a company, what it is worth, and what to decide.

    `tables` are those of the company by name; `headlines` the results of cards by name.
    """

    company: Company
    tables: dict[str, pd.DataFrame]
    programme: Programme
    decision: Decision
    headlines: dict[str, Result]

    @property
    def case(self) -> Case:
        """What the appraisal takes as given."""
        return self.programme.case

    @property
    def sentence(self) -> str:
        """Whether it pays, in one or two sentences."""
        return decision.decision_sentence(self.case, self.decision)

    @property
    def next_step(self) -> NextStep:
        """What to do next, and the first step."""
        programme = self.tables["programme"]
        has_begun = pd.to_datetime(programme["start_date"]) < pd.Timestamp(self.company.day_after)
        further = further_teams.further_teams(
            self.case,
            self.tables["team_quarter"],
            programme.loc[has_begun, "team_id"].astype(str),
            quarter=self.company.quarter,
        )
        return decision.next_step(self.case, self.decision, further)

    @property
    def payback_note(self) -> str:
        """Note on the date from which the payback counts; explains a payback of 0 months."""
        is_at_once = self.headlines["payback_months"].estimate == 0
        middle = " In the middle outcome it is never in the red."
        return "From the first start." + (middle if is_at_once else "")

    @property
    def lift_note(self) -> str:
        """Horizon, and the lift that the present value rests on."""
        horizon = f"{self.case.horizon_words} from the first start"
        if not self.decision.is_shown:
            return f"{horizon}."
        lift = headlines.weighed_lift(self.case)
        return f"{horizon}, at a lift of {money.signed_percent(lift)}."

    @property
    def lifts_sentence(self) -> str:
        """How the lift behind the money follows from the one that the chapter on growth shows; ""
        where no lift is shown.
        """
        if not self.decision.is_shown:
            return ""
        return headlines.lifts_sentence(self.case, self.programme.growth.growth_gap.estimate)

    @property
    def chances_note(self) -> str:
        """Chances that it pays under either assumption made beforehand."""
        return decision.chances_note(self.case, self.decision)


def appraise_programme(company: Company) -> Appraised:
    """Appraise the company's programme as of the quarter reported."""
    company.require_whole(NOT_OF_ONE_TEAM)
    tables = {name: company.table(name) for name in appraised_programme.TABLES}
    programme = appraised_programme.company_programme(
        tables,
        quarter=company.quarter,
        house=company.settings,
        own_specification=processed.own_text(company.dataset, specification.OWN_FILE),
        looks=manifest.earlier_looks(company.dataset, "growth_gap", before=company.quarter),
    )
    ruling = decision.decide_on_case(programme.case)
    cards = headlines.roi_headlines(programme.case, ruling)
    return Appraised(company, tables, programme, ruling, cards)


def next_hour(appraised: Appraised) -> NextHour:
    """Bookings that one more hour of selling brings, as the chapter on selling time has it."""
    company = appraised.company
    return options.next_hour_of_company(
        appraised.tables,
        quarter=company.quarter,
        house=company.settings,
        account=company.audit,
    )


def data_sentence(appraised: Appraised) -> str:
    """Say what the appraisal takes as given, what growth says, and which cost nobody knows."""
    growth = appraised.programme.growth
    says = f"{costs.case_sentence(appraised.case)} {growth.sentence()}"
    if growth.assessment is not None and growth.assessment.heads is None:
        says += (
            " How many reps adopters have is not known: if they hired, the pay of those reps is "
            "missing from the cost."
        )
    return says


def spent_sentence(appraised: Appraised) -> str:
    """Say what the programme has cost so far, on what most of it went, and where costs lack."""
    last = costs.last_counted(appraised.case)
    spent = costs.spent_sentence(programme_spending(appraised).frame, last, appraised.case.currency)
    lacking = costs.costs_end_sentence(
        appraised.tables["programme_costs"],
        last,
        fiscal_year_start_month=appraised.company.settings.company.fiscal_year_start_month,
    )
    return f"{spent} {lacking}".strip()


def programme_spending(appraised: Appraised) -> LabelledTable:
    """Cost of the programme so far: one row an item."""
    company, hour = appraised.company, appraised.case.cost_per_hour.estimate
    price = f", at {money.amount_text(hour, company.settings.company.currency, 2)} a paid hour"
    is_hidden = "cost_per_paid_hour" in answerability.withheld_metrics(company.audit)
    return LabelledTable(
        costs.programme_spending(
            appraised.case,
            appraised.tables["programme_costs"],
            fiscal_year_start_month=company.settings.company.fiscal_year_start_month,
        ),
        f"What the programme has cost up to {costs.last_counted(appraised.case)}",
        {
            "item": ("text", "Item"),
            "hours": ("count", "Hours"),
            "cost_amount": ("money", "Cost"),
            "share": ("percent", "Of all"),
        },
        f"programme_costs, activities, attendees, {company.quarter}",
        note="Meetings: time of people in meetings of both sides without customers since the "
        f"first start{'' if is_hidden else price}.",
    )


def _estimate_note(appraised: Appraised) -> str:
    """Return in a sentence what is drawn orange; "" where no estimate is."""
    case = appraised.case
    if not math.isfinite(headlines.estimated_lift(case)[0]):
        return ""
    weighed = (
        f", which the {case.prior.mean_points:+g}% assumed draws to "
        f"{money.signed_percent(headlines.weighed_lift(case))}"
        if case.prior and appraised.decision.is_shown
        else ""
    ).replace("-", money.MINUS)
    source = headlines.lift_source(case)
    together = "" if case.effect.not_counted else " together"
    return f"Orange: the lift estimated from {source}{together}{weighed}, "


def worth_by_lift(appraised: Appraised) -> LabelledTable:
    """Net present value were the lift known: one row a lift."""
    case, quarter = appraised.case, appraised.company.quarter
    return LabelledTable(
        headlines.worth_by_lift(case),
        f"Net present value over {case.horizon_words} at each lift; the band holds four in "
        f"five outcomes of all else that is uncertain. {_estimate_note(appraised)}"
        f"n = {case.teams_words} that started, {quarter}.",
        {
            "lift": ("percent2", "Lift"),
            "p10": ("millions", "P10"),
            "p50": ("millions", "P50"),
            "p90": ("millions", "P90"),
        },
        f"team_quarter, rep_quarter, programme, programme_costs, {quarter}",
    )


def presales_or_leads(
    appraised: Appraised, hour: NextHour, *, budget_amount: float, hours_freed: float
) -> LabelledTable:
    """What the same money must bring as pre-sales staff and as leads: one row an option."""
    company = appraised.company
    compared = options.company_options(
        appraised.tables,
        appraised.programme,
        hour,
        quarter=company.quarter,
        house=company.settings,
        budget_amount=budget_amount,
        hours_freed=hours_freed,
    )
    amount = money.amount_text(budget_amount, company.settings.company.currency)
    return LabelledTable(
        compared.table,
        f"What {amount} a year must bring to pay, {company.quarter}",
        {
            "option": ("text", "Option"),
            "added": ("text", "Buys"),
            "pays_from": ("text", "Breaks even at"),
            "known": ("text", "Known of it"),
        },
        f"campaigns, leads, activities, opportunities, rep_week, {company.quarter}",
        note=f"{options.options_sentence(compared)} A hire is assumed to cost what a rep does and "
        f"to free {hours_freed:,.0f} hours a year.",
    )


def change_by_way(appraised: Appraised, hour: NextHour) -> LabelledTable:
    """Change of adopters' bookings by the way it came: one row a way, one the total."""
    quarter = appraised.company.quarter
    return LabelledTable(
        mechanisms.mechanisms_of_company(
            appraised.tables, appraised.programme, hour, quarter=quarter
        ),
        f"Change of adopters' bookings by way, quarters up to {quarter}",
        {
            "part": ("text", "Way"),
            "estimate": ("percent", "Bookings"),
            "low": ("percent", "95% from"),
            "high": ("percent", "to"),
        },
        "team_quarter, rep_quarter, leads, opportunities, programme",
        note="The parts multiply to the total. A way that the data cannot carry has no row.",
    )


def decision_figures(appraised: Appraised) -> LabelledTable:
    """Chances, break-even, money at stake and the drift one would have to believe: one row each."""
    return LabelledTable(
        decision.decision_table(appraised.case, appraised.decision),
        f"The decision in figures, {appraised.company.quarter}",
        {"figure": ("text", "Figure"), "value": ("text", "Value")},
        "team_quarter, rep_quarter, programme, programme_costs",
    )


def answers_by_assumption(appraised: Appraised) -> LabelledTable:
    """The answer with one assumption changed at a time: one row an assumption."""
    rows = headlines.answers_by_assumption(appraised.case, appraised.decision)
    columns = {
        "assumption": ("text", "Assumption"),
        "break_even": ("percent2", "Breaks even at"),
        "low": ("percent2", "95% from"),
        "high": ("percent2", "to"),
        "p10": ("millions", "NPV, P10"),
        "p50": ("millions", "P50"),
        "p90": ("millions", "P90"),
        "probability_positive": ("percent", "Draws that pay"),
    }
    return LabelledTable(
        rows,
        f"The answer under other assumptions, {appraised.company.quarter}",
        # Where the chance is withheld, so is what rests on it.
        {name: columns[name] for name in rows.columns},
        "rep_quarter, programme_costs",
    )


def inputs_by_worth(appraised: Appraised) -> LabelledTable:
    """What makes the net present value uncertain: one row a figure; none where it is withheld."""
    return LabelledTable(
        headlines.inputs_by_worth(appraised.decision),
        f"What makes the net present value uncertain, {appraised.company.quarter}",
        {
            "input": ("text", "Figure"),
            "npv_low": ("millions", "NPV at its P10"),
            "npv_high": ("millions", "at its P90"),
            "share_of_variance": ("percent", "Of the variance"),
            "worth_knowing": ("money", "Spend no more on knowing it than"),
        },
        "team_quarter, rep_quarter, programme_costs",
    )


def avoidable_costs(
    appraised: Appraised, *, duplicate_reports: int, hours_per_report: float
) -> LabelledTable:
    """Cost of unused material and repeated reports, apart from the appraisal: one row an item."""
    company = appraised.company
    marketing_hour = company.settings.money.marketing_hour_cost_amount
    unused = costs.unused_content(
        appraised.tables["assets"],
        appraised.tables["asset_uses"],
        as_of=company.day_after,
        marketing_hour_cost_amount=marketing_hour,
    )
    repeated = costs.duplicate_reports(duplicate_reports, hours_per_report, marketing_hour)
    return LabelledTable(
        costs.avoidable_costs(unused, duplicates_amount=repeated),
        f"Cost that could be avoided, apart from the above and no part of it, {company.quarter}",
        {
            "item": ("text", "Item"),
            "n_found": ("count", "Pieces"),
            "of": ("count", "Of"),
            "hours": ("count", "Hours"),
            "cost_amount": ("money", "Cost"),
        },
        "assets, asset_uses",
        note="Material younger than 60 days is not counted. Repeated reports are counted by hand; "
        "a dash: nobody has.",
    )


def one_account(appraised: Appraised) -> LabelledTable:
    """Deals by who found them and what both functions cost: one row a function, then the total."""
    company = appraised.company
    account = accounts.account_of_company(
        appraised.tables, appraised.programme, quarter=company.quarter, house=company.settings
    )
    paid = company.rows_of_quarter("rep_quarter").dropna(subset="base_amount")["rep_id"].nunique()
    if paid < company.settings.people.smallest_cell:
        account[["cost_amount", "contribution_per_unit"]] = math.nan
    account["function"] = account["function"].map(FOUND_BY)
    without = int(account["n_without_amount"].iloc[-1])
    return LabelledTable(
        account.drop(columns="n_without_amount"),
        f"Sales and marketing in one account, {company.quarter}",
        {
            "function": ("text", "Found by"),
            "n_won": ("count", "Deals won"),
            "bookings_amount": ("money", "Bookings"),
            "contribution_amount": ("money", "Margin after commission"),
            "cost_amount": ("money", "Cost of the function"),
            "contribution_per_unit": ("number2", "Margin per unit of cost"),
        },
        "opportunities, rep_quarter, campaigns, programme_costs",
        note="Found by marketing: the deal names a campaign; a dash where none does. Marketing's "
        "own pay stands in no table, so its cost is a least sum. The cost of sales is rounded to "
        "about one rep's pay, so that no report tells it."
        + (f" Counted and not summed: {without} won without an amount." if without else ""),
    )


def tables_for_analysts(appraised: Appraised) -> list[LabelledTable]:
    """Distribution, benefit and cost by quarter, the vendors' method, next budget."""
    company = appraised.company
    budget = accounts.budget_of_company(
        appraised.tables,
        quarter=company.quarter,
        fiscal_year_start_month=company.settings.company.fiscal_year_start_month,
        rule=list(BUDGET_CUTS),
    )
    return [
        *roi_for_analysts.return_tables(appraised.case, appraised.decision.appraisal),
        roi_for_analysts.budget_table(budget, list(BUDGET_CUTS)),
    ]
