"""Which of the articles' four companies ours resembles, by rules whose values are always printed.

A company is of the type of whose rules it meets the largest share, at least 60%; two types level
are "mixed", and "none" is one that no type reaches, of those of which two rules or more can be
judged.  A rule whose value is unknown is neither met nor missed.

What of the archetypes' rules a company's own tables can tell; the rest stays unknown, never false.

How far a team has come on the articles' four steps: meet, share figures, tell one story, keep at
it.

A step is reached when the evidence says so, not when somebody does, and only with the step before.

"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.project.errors import require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

FEWEST_RULES = 2  # a type of which fewer can be judged is not considered
ENOUGH = 0.6  # share of a type's rules to be met
MIXED, NONE = "mixed", "none"


class ArchetypeRule(NamedTuple):
    """A rule of a type: `column` above, at least, below or equal to `cut`."""

    archetype: str
    column: str
    comparison: Literal[">", ">=", "<", "=="]
    cut: float
    says: str


RULES: tuple[ArchetypeRule, ...] = (
    ArchetypeRule(
        "politics", "has_sales_list_only", "==", 1, "only sales keeps a list of target accounts"
    ),
    ArchetypeRule(
        "politics", "on_target_spend_rate", "<", 0.2, "share of spend that reaches target accounts"
    ),
    ArchetypeRule(
        "politics", "has_event_agenda", "==", 0, "target list and agenda 60 days before an event"
    ),
    ArchetypeRule(
        "politics", "n_goal_conflicts", ">", 0, "goals of one side that contradict the other's"
    ),
    ArchetypeRule(
        "glossy brochures",
        "untraceable_spend_rate",
        ">",
        0.5,
        "share of spend in kinds nobody can trace",
    ),
    ArchetypeRule(
        "glossy brochures",
        "linked_spend_rate",
        "<",
        0.3,
        "share of marketing's own budget linked to opportunities",
    ),
    ArchetypeRule(
        "glossy brochures",
        "self_sourced_rate",
        ">",
        0.7,
        "share of opportunities reps found themselves",
    ),
    ArchetypeRule(
        "not marketing's job",
        "pipeline_target_growth",
        ">=",
        1.5,
        "pipeline target over the last one",
    ),
    ArchetypeRule(
        "not marketing's job", "has_lead_target", "==", 0, "marketing has a target of leads"
    ),
    ArchetypeRule(
        "not marketing's job",
        "is_lead_generation_marketings",
        "==",
        0,
        "marketing owns the creation of leads",
    ),
    ArchetypeRule(
        "old reliables", "demand_change_rate", "<", -0.2, "change of demand on the year before"
    ),
    ArchetypeRule(
        "old reliables",
        "branding_response_rate",
        ">",
        0.5,
        "share of the answer to it that went into branding",
    ),
    ArchetypeRule(
        "old reliables",
        "n_in_programme",
        ">=",
        50,
        "people in the activity programme that followed",
    ),
    ArchetypeRule("old reliables", "activity_change_rate", ">", 0, "change of activity after it"),
)
TYPES = tuple(dict.fromkeys(rule.archetype for rule in RULES))
COLUMNS = [rule.column for rule in RULES]


def _met(values: npt.ArrayLike, rule: ArchetypeRule) -> np.ndarray:
    """Return 1 where a rule is met, 0 where it is not, missing where the value is."""
    numbers = np.asarray(values, float)
    compare = {">": np.greater, ">=": np.greater_equal, "<": np.less, "==": np.equal}[
        rule.comparison
    ]
    return np.where(np.isnan(numbers), np.nan, compare(numbers, rule.cut).astype(float))


def classify_archetypes(companies: pd.DataFrame) -> pd.DataFrame:
    """Return the type of each company: ``archetype`` and for each type the share of its rules met.

    Parameters
    ----------
    companies : DataFrame, one row a company
        A column for each of `RULES`; missing where unknown.

    Returns
    -------
    DataFrame, same index
        ``archetype``, a type, ``mixed`` or ``none``; a column a type with the share of its known
        rules that are met [0-1], missing where fewer than two are known.
    """
    require_columns(companies, COLUMNS, "companies")
    shares = {}
    for name in TYPES:
        met = np.stack(
            [_met(companies[rule.column], rule) for rule in RULES if rule.archetype == name]
        )
        n_rules = (~np.isnan(met)).sum(axis=0)
        shares[name] = np.where(
            n_rules >= FEWEST_RULES, np.nansum(met, axis=0) / np.maximum(n_rules, 1), np.nan
        )
    table = pd.DataFrame(shares, index=companies.index)
    filled = table.fillna(-1.0).to_numpy()
    best = filled.max(axis=1)
    level = (filled == best[:, None]).sum(axis=1)
    names = np.array(TYPES)[filled.argmax(axis=1)]
    kind = np.where(best < ENOUGH, NONE, np.where(level > 1, MIXED, names))
    table.insert(0, "archetype", pd.Series(kind, index=companies.index, dtype="str"))
    return table


def explain_archetype(company: pd.Series) -> pd.DataFrame:
    """Return the rules with a company's values: one row a rule.

    Columns: ``archetype``, ``says``, ``value`` (missing: unknown), ``rule`` (such as ``> 0.5``) and
    ``is_met``, missing where the value is.
    """
    rows = [
        (
            rule.archetype,
            rule.says,
            value := float(pd.to_numeric(company.get(rule.column, np.nan))),
            f"{rule.comparison} {rule.cut:g}",
            None if np.isnan(value) else bool(_met(value, rule)),
        )
        for rule in RULES
    ]
    return pd.DataFrame(rows, columns=["archetype", "says", "value", "rule", "is_met"])


UNTRACEABLE = (
    "Brochure",
    "PR",
    "Print",
    "Sponsorship",
)  # kinds whose effect nobody can trace to a lead


def archetype_values(
    tables: Mapping[str, pd.DataFrame], quarter: str, *, untraceable: Sequence[str] = UNTRACEABLE
) -> pd.Series[float]:
    """Return what a company's tables tell of `reference.RULES` in a quarter.

    Missing where they do not.

    Parameters
    ----------
    tables : clean tables by name, with panel ``quarters``
        Of use: ``campaigns``, ``touches``, ``opportunities``, ``leads``, ``target_accounts``,
        ``goals``, ``activity_targets``.
    quarter : such as 2026Q3
    untraceable : kinds of campaign nobody can trace
    """
    periods = tables["quarters"].set_index("quarter")
    if quarter not in periods.index:
        raise ValueError(f"quarter must be one of {', '.join(periods.index)}, got {quarter!r}")
    start, end = (pd.to_datetime(periods[c])[quarter] for c in ("from_day", "until_day"))
    result = pd.Series(np.nan, index=COLUMNS, dtype="float64", name=quarter)
    filled = {name: table for name, table in tables.items() if not table.empty}
    if "campaigns" in filled:
        result.update(pd.Series(_spend(filled, start, end, untraceable), dtype="float64"))
    if "opportunities" in filled:
        new = _within(filled["opportunities"], "created_at", start, end)
        result["self_sourced_rate"] = new["lead_source"].isna().mean() if len(new) else np.nan
    if "leads" in filled:
        year = pd.DateOffset(years=1)
        before = len(_within(filled["leads"], "created_at", start - year, end - year))
        result["demand_change_rate"] = (
            len(_within(filled["leads"], "created_at", start, end)) / before - 1
            if before
            else np.nan
        )
    if "target_accounts" in filled:
        on = _in_force(filled["target_accounts"], "valid_from", "valid_to", start, end)["side"]
        result["has_sales_list_only"] = float(
            (on == "sales").any() and not (on == "marketing").any()
        )
    if "activity_targets" in filled:
        targets = _in_force(filled["activity_targets"], "period_start", "period_end", start, end)
        result["has_lead_target"] = float(targets["volume_target"].notna().any())
    if "goals" in filled:
        goals = _in_force(filled["goals"], "period_start", "period_end", start, end)
        owners = goals[["sales_owner_rep_id", "marketing_owner_rep_id"]]
        if goals.empty or owners.notna().any(axis=None):
            result["n_goal_conflicts"] = goal_conflicts(goals)
    return result


def _within(
    table: pd.DataFrame, column: str, start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    day = pd.to_datetime(table[column], utc=True).dt.tz_localize(None)
    return table[(day >= start) & (day < end)]


def _in_force(
    table: pd.DataFrame, first: str, last: str, start: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    until = pd.to_datetime(table[last])
    return table[(pd.to_datetime(table[first]) < end) & (until.isna() | (until > start))]


def _spend(
    tables: Mapping[str, pd.DataFrame],
    start: pd.Timestamp,
    end: pd.Timestamp,
    untraceable: Sequence[str],
) -> dict[str, float]:
    """Return the shares of spend on campaigns begun in the quarter that nobody can trace, and that
    lead to deals.
    """
    ours = _within(tables["campaigns"], "start_date", start, end).dropna(subset=["cost_amount"])
    total = ours["cost_amount"].sum()
    if not total > 0:
        return {}
    linked = [
        tables[name].loc[tables[name]["opportunity_id"].notna(), "campaign_id"].dropna()
        for name in ("opportunities", "touches")
        if name in tables
    ]
    shares = {"untraceable_spend_rate": ours["campaign_type"].isin(list(untraceable))}
    if linked:
        shares["linked_spend_rate"] = ours["campaign_id"].isin(pd.concat(linked))
    return {
        name: float(ours.loc[mine, "cost_amount"].sum() / total) for name, mine in shares.items()
    }


def goal_conflicts(goals: pd.DataFrame) -> int:
    """Return how many metrics of a team one side aims at alone and the other alone, at different
    values; a metric written in another case is the same.
    """
    has_sales, has_marketing = (
        goals[f"{side}_owner_rep_id"].notna() for side in ("sales", "marketing")
    )
    metric = goals["metric"].astype(object).str.split().str.join(" ").str.casefold()
    alone = goals.assign(metric=metric, is_sales=has_sales)[has_sales ^ has_marketing]
    pairs = alone.groupby(["team_id", "metric"], dropna=False)
    is_both = pairs["is_sales"].max() & ~pairs["is_sales"].min()
    return int((is_both & (pairs["target_value"].max() > pairs["target_value"].min())).sum())


KEPT_UP = 2  # quarters in a row that the first three steps must hold for the fourth


class MaturityStep(NamedTuple):
    """A step: its number, its name, and the share each of its items must reach to complete it."""

    number: int
    says: str
    exits: tuple[tuple[str, float], ...]


STEPS: tuple[MaturityStep, ...] = (
    MaturityStep(
        1, "short and regular meetings, with agenda and leader", (("E06", 0.75), ("E10", 0.5))
    ),
    MaturityStep(2, "three to five key metrics, shared every month", (("E15", 1.0),)),
    MaturityStep(3, "one narrative, agreed and used", (("E18", 0.75),)),
    MaturityStep(4, "kept up two quarters in a row", ()),
)


def maturity_steps(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return the step each team has completed: one row a team and quarter.

    Columns: ``team_id``, ``quarter``; ``step`` 0 to 4; ``missing``, what the next step still lacks,
    and None after the last.  An unobserved item does not end a step: it is named as such.
    """
    require_columns(evidence, ["team_id", "quarter", "item", "share"], "alignment evidence")
    wide = evidence.pivot_table(
        index=["team_id", "quarter"], columns="item", values="share", aggfunc="first", dropna=False
    )
    rows: list[tuple[str, str, int, str | None]] = []
    before: tuple[str | None, int] = (None, 0)  # team, quarters in a row with three steps
    for key, shares in wide.iterrows():
        team, quarter = key if isinstance(key, tuple) else (key, "")
        lacks = [(step.number, _lacking(step, shares)) for step in STEPS[:-1]]
        done = next((number - 1 for number, lack in lacks if lack), len(lacks))
        run = (before[1] if before[0] == team else 0) + 1 if done == len(lacks) else 0
        before = (str(team), run)
        if run >= KEPT_UP:
            rows.append((team, quarter, len(STEPS), None))
        else:
            lack = (
                f"held {run} of {KEPT_UP} quarters in a row"
                if run
                else next(lack for _, lack in lacks if lack)
            )
            rows.append((team, quarter, done, lack))
    return pd.DataFrame(rows, columns=["team_id", "quarter", "step", "missing"])


def steps_of_company(steps: pd.DataFrame, quarter: str, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return how far teams have come on the four steps of a quarter: one row a step.

    `steps` is what `maturity_steps` returns, `labels` the practices in words by item.  Columns:
    ``step``, ``ends_when``, ``n_done`` and ``n_teams``.
    """
    mine = steps[steps["quarter"] == quarter]
    rows = []
    for step in STEPS:
        ends = "; ".join(f"{labels.get(item, item)}: {least:.0%}" for item, least in step.exits)
        rows.append(
            (
                f"{step.number}. {step.says[:1].upper()}{step.says[1:]}",
                ends or "the first three steps held two quarters in a row",
                int((mine["step"] >= step.number).sum()),
                len(mine),
            )
        )
    return pd.DataFrame(rows, columns=["step", "ends_when", "n_done", "n_teams"])


def _lacking(step: MaturityStep, shares: pd.Series) -> str:
    """Return what a step still lacks; empty if nothing."""
    parts = []
    for item, least in step.exits:
        share = float(shares.get(item, np.nan))
        if np.isnan(share):
            parts.append(f"{item} not observed, at least {least:.0%} needed")
        elif share < least:
            parts.append(f"{item} at {share:.0%}, at least {least:.0%} needed")
    return "; ".join(parts)
