"""Which of the articles' four companies ours resembles, by rules whose values are always printed.

A company is of the type of whose rules it meets the largest share, at least 60%; two types level are
"mixed", and "none" is one that no type reaches, of those of which two rules or more can be judged.  A rule
whose value is unknown is neither met nor missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from analysis.schema import require_columns

if TYPE_CHECKING:
    import numpy.typing as npt

FEWEST_RULES = 2  # a type of which fewer can be judged is not considered
ENOUGH = 0.6  # share of a type's rules to be met
MIXED, NONE = "mixed", "none"


class Rule(NamedTuple):
    """A rule of a type: `column` above, at least, below or equal to `cut`."""

    archetype: str
    column: str
    comparison: Literal[">", ">=", "<", "=="]
    cut: float
    says: str


RULES: tuple[Rule, ...] = (
    Rule("politics", "has_sales_list_only", "==", 1, "only sales keeps a list of target accounts"),
    Rule("politics", "on_target_spend_rate", "<", 0.2, "share of spend that reaches target accounts"),
    Rule("politics", "has_event_agenda", "==", 0, "target list and agenda 60 days before an event"),
    Rule("politics", "n_goal_conflicts", ">", 0, "goals of one side that contradict the other's"),
    Rule("glossy brochures", "untraceable_spend_rate", ">", 0.5, "share of spend in kinds nobody can trace"),
    Rule("glossy brochures", "linked_spend_rate", "<", 0.3, "share of marketing's own budget linked to opportunities"),
    Rule("glossy brochures", "self_sourced_rate", ">", 0.7, "share of opportunities reps found themselves"),
    Rule("not marketing's job", "pipeline_target_growth", ">=", 1.5, "pipeline target over the last one"),
    Rule("not marketing's job", "has_lead_target", "==", 0, "marketing has a target of leads"),
    Rule("not marketing's job", "is_lead_generation_marketings", "==", 0, "marketing owns the creation of leads"),
    Rule("old reliables", "demand_change_rate", "<", -0.2, "change of demand on the year before"),
    Rule("old reliables", "branding_response_rate", ">", 0.5, "share of the answer to it that went into branding"),
    Rule("old reliables", "n_in_programme", ">=", 50, "people in the activity programme that followed"),
    Rule("old reliables", "activity_change_rate", ">", 0, "change of activity after it"),
)
TYPES = tuple(dict.fromkeys(rule.archetype for rule in RULES))
COLUMNS = [rule.column for rule in RULES]


def _met(values: npt.ArrayLike, rule: Rule) -> np.ndarray:
    """Return 1 where a rule is met, 0 where it is not, missing where the value is."""
    known = np.asarray(values, float)
    compare = {">": np.greater, ">=": np.greater_equal, "<": np.less, "==": np.equal}[rule.comparison]
    return np.where(np.isnan(known), np.nan, compare(known, rule.cut).astype(float))


def classify(companies: pd.DataFrame) -> pd.DataFrame:
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
        met = np.stack([_met(companies[rule.column], rule) for rule in RULES if rule.archetype == name])
        known = (~np.isnan(met)).sum(axis=0)
        shares[name] = np.where(known >= FEWEST_RULES, np.nansum(met, axis=0) / np.maximum(known, 1), np.nan)
    table = pd.DataFrame(shares, index=companies.index)
    filled = table.fillna(-1.0).to_numpy()
    best = filled.max(axis=1)
    level = (filled == best[:, None]).sum(axis=1)
    names = np.array(TYPES)[filled.argmax(axis=1)]
    kind = np.where(best < ENOUGH, NONE, np.where(level > 1, MIXED, names))
    table.insert(0, "archetype", pd.Series(kind, index=companies.index, dtype="str"))
    return table


def explained(company: pd.Series) -> pd.DataFrame:
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
