"""The cost of an hour of selling taken apart: by team, by what it is divided by, by assumption.

Every figure here is one of `cost.MEASURES`; this room only asks for it of other rows or under other
assumptions.
"""

from __future__ import annotations

import pandas as pd

from analysis.chapters.cost import cost
from analysis.project.errors import require_columns
from analysis.stats.result import Result
from analysis.tables.canonical import ACTIVITY_CLASSES

NARROW = "selling_hours"  # the definition used wherever none is named


def cost_measures(
    stays: pd.DataFrame, *, minimum_logged_share: float, currency: str
) -> pd.DataFrame:
    """Return every measure for all of `stays`: one row a measure.

    Columns: ``measure``, ``estimate``, ``low``, ``high``, ``unit``, ``n_reps`` and ``left_out``,
    which says how many reps do not count and why.
    """
    rows = []
    for name in cost.MEASURES:
        result = cost.estimate_cost(
            stays, name, minimum_logged_share=minimum_logged_share, currency=currency
        )
        _, _, left_out = result.method.partition("reps left out: ")
        rows.append(
            (
                name.replace("_", " "),
                result.estimate,
                result.low,
                result.high,
                result.unit,
                result.n,
                left_out or "none",
            )
        )
    return pd.DataFrame(
        rows, columns=["measure", "estimate", "low", "high", "unit", "n_reps", "left_out"]
    )


def unclassified_hours(stays: pd.DataFrame, *, minimum_logged_share: float) -> Result:
    """Return the share of logged hours that match no class of activity [0-1].

    They are in no definition of selling; whether they are selling is unknown.
    """
    require_columns(
        stays, ["rep_id", "unclassified_class_hours", "logged_hours", "logged_share"], "rep_quarter"
    )
    counted = stays[(stays["logged_share"] >= minimum_logged_share) & stays["logged_hours"].notna()]
    reps = counted.groupby("rep_id")[["unclassified_class_hours", "logged_hours"]].sum()
    return Result(
        "unclassified_share_of_logged_hours",
        *cost.ratio_of_sums(reps["unclassified_class_hours"], reps["logged_hours"]),
        "of logged hours",
        len(reps),
        "reps",
        "hours whose subject matches no activity class, over all logged; spread between reps",
        f"rep_quarter {', '.join(stays['quarter'].unique())}",
        interval_name=cost.BETWEEN_REPS,
    )


def by_groups(
    stays: pd.DataFrame, columns: list[str], *, minimum_logged_share: float, currency: str
) -> pd.DataFrame:
    """Return the cost per selling hour for each value of each of `columns`: one row a value.

    Columns: ``group`` (the value), ``by`` (the column), ``n_reps``, ``estimate``, ``low``,
    ``high``.
    """
    parts = []
    for column in columns:
        table = cost.cost_by_group(
            stays, column, minimum_logged_share=minimum_logged_share, currency=currency
        )
        narrow = table[table["definition"] == NARROW].sort_values("estimate", ascending=False)
        parts.append(narrow.rename(columns={column: "group"}).assign(by=column))
    return pd.concat(parts, ignore_index=True)[["group", "by", "n_reps", "estimate", "low", "high"]]


def by_team(
    stays: pd.DataFrame, teams: pd.DataFrame, *, minimum_logged_share: float, currency: str
) -> pd.DataFrame:
    """Return hours, cost and required bookings by team, dearest first: one row a team.

    Columns: ``team_id``, ``team`` (its name), ``n_reps``, ``hours`` sold per rep and week [h],
    ``cost`` per selling hour with ``low`` and ``high``, ``required`` bookings per selling hour
    [currency].
    """
    estimates = {}
    for name in (
        "cost_per_selling_hour",
        "selling_hours_per_week",
        "required_bookings_per_selling_hour",
    ):
        table = cost.cost_by_group(
            stays, "team_id", name, minimum_logged_share=minimum_logged_share, currency=currency
        )
        estimates[name] = table[table["definition"] == NARROW].set_index("team_id")
    dear = estimates["cost_per_selling_hour"]
    names = teams.dropna(subset="team_name").set_index("team_id")["team_name"].to_dict()
    table = pd.DataFrame(
        {
            "team_id": dear.index,
            "team": [names.get(team, team) for team in dear.index],
            "n_reps": dear["n_reps"],
            "hours": estimates["selling_hours_per_week"]["estimate"],
            "cost": dear["estimate"],
            "low": dear["low"],
            "high": dear["high"],
            "required": estimates["required_bookings_per_selling_hour"]["estimate"],
        }
    )
    return table.sort_values("cost", ascending=False, ignore_index=True)


def cost_sensitivity(
    stays: pd.DataFrame, *, minimum_logged_share: float, currency: str
) -> pd.DataFrame:
    """Return the cost per selling hour under other assumptions than the report's.

    One row an assumption.

    Columns: ``assumption``, ``n_reps``, ``estimate``, ``low``, ``high`` [currency/h], ``change``
    from the report's own figure.
    """
    cases = {
        "as reported": (stays, minimum_logged_share),
        "reps logged a quarter of the time count too": (stays, 0.25),
        "only reps logged nine tenths of the time": (stays, 0.9),
        "without overhead": (stays.assign(overhead_amount=0.0), minimum_logged_share),
        "without commission, nor fringe on it": (_without_commission(stays), minimum_logged_share),
        "only reps employed the whole quarter": (
            stays[stays["days_employed"] == stays["days_employed"].max()], minimum_logged_share,
        ),
    }  # fmt: skip
    rows = []
    for assumption, (table, share) in cases.items():
        result = cost.estimate_cost(table, minimum_logged_share=share, currency=currency)
        rows.append((assumption, result.n, result.estimate, result.low, result.high))
    frame = pd.DataFrame(rows, columns=["assumption", "n_reps", "estimate", "low", "high"])
    return frame.assign(change=frame["estimate"] / frame["estimate"].iloc[0] - 1)


def assumptions_that_matter(sensitivity: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return what `cost_sensitivity` returns without the assumptions that change nothing.

    Nothing: neither the reps who count nor the figure.  Also the names of those.
    """
    first = sensitivity.iloc[0]
    same = (sensitivity["n_reps"] == first["n_reps"]) & (sensitivity["change"] == 0)
    same.iloc[0] = False
    return sensitivity[~same], sensitivity.loc[same, "assumption"].tolist()


def _without_commission(stays: pd.DataFrame) -> pd.DataFrame:
    cash = stays["base_amount"] + stays["commission_amount"]
    on_base = stays["fringe_amount"] * (stays["base_amount"] / cash.where(cash > 0))
    return stays.assign(commission_amount=0.0, fringe_amount=on_base)


def week_by_class(stays: pd.DataFrame, column: str, *, minimum_logged_share: float) -> pd.DataFrame:
    """Return where a logged week goes.

    One row a value of `column`, a column a class of activity [h per rep and week].

    Also ``n_reps``.  Hours are those of logged weeks, over the weeks logged.
    """
    classes = {f"{name}_class_hours": name for name in ACTIVITY_CLASSES if name != "time_off"}
    require_columns(
        stays, [column, "rep_id", "weeks_employed", "logged_share", *classes], "rep_quarter"
    )
    logged = stays[stays["logged_share"] >= minimum_logged_share]
    weeks = (logged["weeks_employed"] * logged["logged_share"]).groupby(logged[column]).sum()
    hours = logged.groupby(column)[list(classes)].sum().rename(columns=classes)
    return (
        hours.div(weeks, axis="index")
        .assign(n_reps=logged.groupby(column)["rep_id"].nunique())
        .reset_index()
    )
