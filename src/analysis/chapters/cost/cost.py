"""What an hour of selling costs, and what it has to bring in.

A quarter's cost is divided by the hours a representative *sells*, not the hours paid: that gap is
what the analysis is about.  Hours are known of logged weeks alone, so cost, quota and time are cut
to the logged share of the quarter before anything is divided.  A figure is a ratio of two sums over
representatives.  They are all there are, so its ends are the spread between reps, as a jackknife
that leaves out one at a time gives it; how much of selling the records hold is `capture_range`'s.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.project import money
from analysis.project.claims import CLAIMS
from analysis.project.errors import CrmDataError, require_columns, require_rows
from analysis.stats import intervals
from analysis.stats.result import Result, Verdict
from analysis.tables.canonical import DEFINITION_LABELS, SELLING_DEFINITIONS

if TYPE_CHECKING:
    import numpy.typing as npt

PAY = ["base_amount", "commission_amount", "fringe_amount", "overhead_amount"]
FEWEST_REPS = 3  # below, a jackknife says nothing
BETWEEN_REPS = "between reps"  # what the ends of a figure over all reps are
MINUTES_PER_HOUR = 60


class Measure(NamedTuple):
    """A ratio of sums: which column over which; `unit` may hold {currency}."""

    numerator: str
    denominator: str
    unit: str


# "selling" stands for the hours of the definition asked for.
MEASURES: dict[str, Measure] = {
    "cost_per_selling_hour": Measure(
        "fully_loaded_cost_amount", "selling", "{currency} per recorded selling hour"
    ),
    "cost_per_available_hour": Measure(
        "fully_loaded_cost_amount", "available_hours", "{currency} per available hour"
    ),
    "cost_per_paid_hour": Measure(
        "fully_loaded_cost_amount", "paid_hours", "{currency} per paid hour"
    ),
    "required_bookings_per_selling_hour": Measure(
        "quota_amount", "selling", "{currency} per recorded selling hour"
    ),
    "selling_hours_per_week": Measure("selling", "weeks_employed", "hours per rep and week"),
    "selling_share_of_available_time": Measure("selling", "available_hours", "of available time"),
}
NEEDED = [
    "rep_id", "quarter", "logged_share", *SELLING_DEFINITIONS, *PAY,
    "quota_amount", "paid_hours", "available_hours", "weeks_employed",
]  # fmt: skip


def fully_loaded_cost(stays: pd.DataFrame) -> pd.Series[float]:
    """Return base, commission, fringe and overhead together [currency/quarter].

    NaN if one is unknown.
    """
    require_columns(stays, PAY, "rep_quarter")
    return stays[PAY].sum(axis="columns", skipna=False).rename("fully_loaded_cost_amount")


def ratio_of_sums(
    numerator: npt.ArrayLike, denominator: npt.ArrayLike
) -> tuple[float, float, float]:
    """Return a ratio of sums with its 95% interval, one entry a representative.

    Leaves out one representative at a time, t with n - 1 degrees of freedom.  On lognormal hours
    the natural scale covers 0.945 to 0.952 from 8 reps on, the log scale down to 0.923.

    Examples
    --------
    >>> ratio_of_sums([400, 200], [1, 1])
    (300.0, nan, nan)
    """
    above, below = np.asarray(numerator, float), np.asarray(denominator, float)
    n = above.size
    estimate = float(above.sum() / below.sum()) if below.sum() > 0 else math.nan
    rest = below.sum() - below
    if n < FEWEST_REPS or not (rest > 0).all():
        return estimate, math.nan, math.nan
    without = (above.sum() - above) / rest
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    return intervals.t_interval(estimate, error, df=n - 1)


def left_out(stays: pd.DataFrame, measure: str, *, minimum_logged_share: float) -> pd.Series[str]:
    """Return why each stay does not count in `measure`: the first reason that applies, or ""."""
    spec = _spec(measure)
    thin = f"logged under {minimum_logged_share * 100:.0f}% of the time"
    reason = pd.Series("", index=stays.index, name="left_out")
    reason[stays[list(SELLING_DEFINITIONS)].isna().any(axis="columns")] = "hours unknown"
    reason[~(stays["logged_share"] >= minimum_logged_share)] = thin
    if spec.denominator != "selling":
        reason[stays[spec.denominator].isna()] = f"{spec.denominator} unknown"
    if spec.numerator == "quota_amount":
        reason[stays["quota_amount"].isna()] = "no quota"
    if spec.numerator == "fully_loaded_cost_amount":
        reason[fully_loaded_cost(stays).isna()] = "pay unknown in part"
    return reason


def estimate_cost(
    stays: pd.DataFrame,
    measure: str = "cost_per_selling_hour",
    *,
    minimum_logged_share: float,
    currency: str,
    definition: str = "selling_hours",
    smallest_cell: int = 1,
) -> Result:
    """Return one of `MEASURES` for all representatives in `stays`.

    Parameters
    ----------
    stays : DataFrame, a seller's stay in a team within the one quarter reported
        Panel ``rep_quarter`` of `errors`.
    measure : key of `MEASURES`
    minimum_logged_share : share of a stay's working days that must be logged for it to count
    currency : reporting currency, for the unit
    definition : key of `canonical.SELLING_DEFINITIONS`
    smallest_cell : fewest reps a figure may be of; one of fewer is missing

    Returns
    -------
    Result
        `n` counts representatives used; `method` says how many were left out and why.  The estimate
        is NaN where no hours are left, the interval where fewer than three representatives are.

    Raises
    ------
    CrmDataError
        If a column is missing, or `stays` holds no row or more than one quarter.
    """
    _require_one_quarter(stays)
    spec = _spec(measure)
    reasons = left_out(stays, measure, minimum_logged_share=minimum_logged_share)
    reps = _per_rep(stays[reasons == ""], definition)
    value, low, high = ratio_of_sums(reps[spec.numerator], reps[spec.denominator])
    result = Result(
        name=measure,
        estimate=value,
        low=low,
        high=high,
        unit=spec.unit.format(currency=currency),
        n=len(reps),
        n_of="reps",
        method=_method(
            spec, definition, stays.loc[reasons != "", "rep_id"], reasons[reasons != ""]
        ),
        source=f"rep_quarter {', '.join(stays['quarter'].unique())}",
        interval_name=BETWEEN_REPS,
    )
    return result.hide_few(smallest_cell)


def paired_change(
    then: pd.DataFrame,
    now: pd.DataFrame,
    measure: str = "cost_per_selling_hour",
    *,
    minimum_logged_share: float,
    currency: str,
    smallest_cell: int = 1,
) -> Result:
    """Return by how much one of `MEASURES` changed between two quarters, paired by rep.

    A rep is left out of both quarters at once: most reps sold in both, and what makes one dear in
    one quarter does so in the other.  `then` and `now` are panel ``rep_quarter`` of one quarter
    each; NaN where either gives no figure or has fewer than `smallest_cell` reps.
    """
    spec = _spec(measure)
    tables = []
    for stays in (then, now):
        _require_one_quarter(stays)
        reasons = left_out(stays, measure, minimum_logged_share=minimum_logged_share)
        tables.append(_per_rep(stays[reasons == ""], "selling_hours"))
    reps = tables[0].index.union(tables[1].index)
    sums = [table.reindex(reps, fill_value=0.0) for table in tables]
    change = _paired_interval(
        *((t[spec.numerator].to_numpy(), t[spec.denominator].to_numpy()) for t in sums)
    )
    few = min(len(table) for table in tables) < smallest_cell
    quarter_names = [str(stays["quarter"].iloc[0]) for stays in (then, now)]
    return Result(
        f"change_in_{measure}",
        *((math.nan,) * 3 if few else change),
        spec.unit.format(currency=currency),
        int((sums[0].index.isin(tables[0].index) & sums[0].index.isin(tables[1].index)).sum()),
        "reps in both",
        "difference of two ratios of sums; leaves a rep out of both quarters at once",
        f"rep_quarter {', '.join(quarter_names)}",
        "difference",
        interval_name="paired by rep, 95%",
    )


def _paired_interval(
    then: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    now: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
) -> tuple[float, float, float]:
    """Return the difference of two ratios with its jackknife interval, an entry a rep."""
    n = len(now[0])
    unknown = (math.nan, math.nan, math.nan)
    if n < FEWEST_REPS or not all(below.sum() > 0 for _, below in (then, now)):
        return unknown
    if not all((below.sum() - below > 0).all() for _, below in (then, now)):
        return unknown
    old, new = ((above.sum() - above) / (below.sum() - below) for above, below in (then, now))
    estimate = float(now[0].sum() / now[1].sum() - then[0].sum() / then[1].sum())
    without = new - old
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    return intervals.t_interval(estimate, error, df=n - 1)


def by_definition(
    stays: pd.DataFrame,
    measure: str = "cost_per_selling_hour",
    *,
    minimum_logged_share: float,
    currency: str,
) -> pd.DataFrame:
    """Return `measure` under each definition of selling, narrowest first: one row a definition.

    Columns: ``definition``, ``label``, ``n_reps``, ``n_left_out`` [reps], ``estimate_cost``,
    ``low``, ``high``, ``unit``.
    """
    company = stays.assign(group="company")
    table = cost_by_group(
        company, "group", measure, minimum_logged_share=minimum_logged_share, currency=currency
    )
    return table.drop(columns="group")


def counted_stays(stays: pd.DataFrame, *, minimum_logged_share: float) -> pd.DataFrame:
    """Return the stays whose cost of an hour is counted."""
    reasons = left_out(stays, "cost_per_selling_hour", minimum_logged_share=minimum_logged_share)
    return stays[reasons == ""]


def cost_by_group(
    stays: pd.DataFrame,
    column: str,
    measure: str = "cost_per_selling_hour",
    *,
    minimum_logged_share: float,
    currency: str,
) -> pd.DataFrame:
    """Return `measure` for each value of `column` (``team_id``, ``region``, ``segment``) and
    definition.

    Columns: `column` and those of `by_definition`.  A group of which nothing is known keeps its
    rows.
    """
    require_columns(stays, [column], "rep_quarter")
    _require_one_quarter(stays)
    spec = _spec(measure)
    reasons = left_out(stays, measure, minimum_logged_share=minimum_logged_share)
    used = {name: _per_rep(stays[reasons == ""], name, column) for name in SELLING_DEFINITIONS}
    left = stays[reasons != ""]
    rows = []
    for key in stays[column].sort_values().unique():
        n_left_out = left.loc[
            left[column].isna() if pd.isna(key) else left[column] == key, "rep_id"
        ].nunique()
        for name, label in DEFINITION_LABELS.items():
            keys = used[name].index.get_level_values(column)
            reps = used[name][keys.isna() if pd.isna(key) else keys == key]
            ends = ratio_of_sums(reps[spec.numerator], reps[spec.denominator])
            rows.append(
                (
                    key,
                    name,
                    label,
                    len(reps),
                    n_left_out,
                    *ends,
                    spec.unit.format(currency=currency),
                )
            )
    names = [
        column,
        "definition",
        "label",
        "n_reps",
        "n_left_out",
        "estimate",
        "low",
        "high",
        "unit",
    ]
    return pd.DataFrame(rows, columns=names)


def hour_cost_sentence(
    table: pd.DataFrame, quarter: str, *, currency: str, step: str = "", capture: str = ""
) -> str:
    """Return in plain words what a recorded hour cost, from what `by_definition` returns.

    `step` is the clause of `step_since`, `capture` the sentence on how much of selling the records
    hold.  Figures that are not shown (of too few reps, or unknown) are in no sentence either.
    """
    estimates = table[table["estimate"].notna()]
    if estimates.empty:
        return (
            f"We cannot tell what an hour of selling cost in {quarter}: too few reps have both "
            "pay and logged hours."
        )
    narrow = estimates.iloc[0]
    hour = (
        f"A recorded hour of selling cost {money.amount_text(narrow['estimate'], currency)} in "
        f"{quarter} ({narrow['n_reps']:.0f} reps){step and f', {step}'}."
    )
    return " ".join(filter(None, [hour, capture]))


def hour_cost_verdict(table: pd.DataFrame) -> Verdict:
    """Return whether `hour_cost_sentence` states a figure."""
    return "found" if table["estimate"].notna().any() else "cannot tell"


def change_word(change: Result | None) -> str:
    """Return whether a measure went up, down or stayed steady by its paired error.

    Nothing where no quarter before can be compared.

    Examples
    --------
    >>> change_word(None)
    ''
    """
    if change is None or math.isnan(change.low):
        return ""
    return "steady" if change.low <= 0 <= change.high else "up" if change.low > 0 else "down"


def step_since(change: Result | None, before: str, *, currency: str) -> str:
    """Return in a clause how far the cost of an hour is from that of the quarter `before`."""
    word = change_word(change)
    if change is None or not word:
        return ""
    if word == "steady":
        return f"about as much as in {before}"
    amount = money.amount_text(abs(change.estimate), currency)
    return f"{amount} {'more' if word == 'up' else 'less'} than in {before}"


def leave_double_count(fringe_rate: float) -> float:
    """Return the share of base, commission and fringe that may be paid leave counted twice.

    Salary already pays leave, so only the non-cash rate (18.8% on cash) belongs on top.  A rate
    nearer to the benefit share (24.7%, leave included) than to that is taken to hold the leave
    again; a lower one is not questioned.

    Examples
    --------
    >>> round(leave_double_count(0.247), 4)  # (0.247 - 0.188) / 1.247
    0.0473
    >>> leave_double_count(0.188)
    0.0
    """
    noncash, with_leave = CLAIMS["noncash_fringe_rate"].value, CLAIMS["benefit_share"].value
    if fringe_rate < (noncash + with_leave) / 2:
        return 0.0
    return (fringe_rate - noncash) / (1 + fringe_rate)


def fringe_note(stays: pd.DataFrame) -> str:
    """Return what to say of the company's fringe rate, or "" if nothing."""
    pay = stays[PAY].dropna()
    cash = float(pay["base_amount"].sum() + pay["commission_amount"].sum())
    rate = float(pay["fringe_amount"].sum()) / cash if cash > 0 else 0.0
    twice = leave_double_count(rate)
    if twice == 0:
        return ""
    return (
        f"Fringe is {rate * 100:.1f}% of cash pay. Official statistics put the non-cash part at "
        f"{CLAIMS['noncash_fringe_rate'].value * 100:.1f}%; if yours holds paid leave, which "
        "salary already pays, "
        f"pay and fringe are overstated by up to {twice * 100:.1f}% of themselves."
    )


def marketing_ask(
    minutes: float, n_reps: int, cost: Result | float, bookings: Result | float
) -> pd.DataFrame:
    """Return what a request of `minutes` [min] to `n_reps` takes, on both bases: one row a basis.

    `cost` is the cost per selling hour, `bookings` the bookings required per selling hour, which is
    no cost.  Columns: ``basis``, ``estimate_cost``, ``low``, ``high`` [currency]; the interval is
    NaN where a bare number was given.

    Examples
    --------
    >>> marketing_ask(30, 20, 399, 3_788)["estimate"].tolist()
    [3990.0, 37880.0]
    """
    hours = minutes * n_reps / MINUTES_PER_HOUR
    rows = []
    for basis, each in (
        ("cost of the selling hours", cost),
        ("bookings those hours must bring", bookings),
    ):
        ends = (
            (each.estimate, each.low, each.high)
            if isinstance(each, Result)
            else (each, math.nan, math.nan)
        )
        rows.append((basis, *(hours * end for end in ends)))
    return pd.DataFrame(rows, columns=["basis", "estimate", "low", "high"])


def ask_sentence(ask: pd.DataFrame, minutes: float, n_reps: int, *, currency: str) -> str:
    """Return in one sentence what to do about requests to sales, from what `marketing_ask` returns."""  # noqa: E501
    amount = float(ask["estimate"].iloc[0])
    size = f"{minutes:g} minutes of {n_reps} reps is"
    if math.isnan(amount):
        hours = minutes * n_reps / MINUTES_PER_HOUR
        return (
            f"Count the selling time of each request to sales before it goes out: {size} "
            f"{hours:g} hours."
        )
    return (
        f"Cost each request to sales before it goes out: {size} "
        f"{money.amount_text(amount, currency)} of selling time."
    )


def _spec(measure: str) -> Measure:
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
    return MEASURES[measure]


def _require_one_quarter(stays: pd.DataFrame) -> None:
    require_columns(stays, NEEDED, "rep_quarter")
    require_rows(stays, "rep_quarter", "to cost")
    quarters = stays["quarter"].unique()
    if len(quarters) > 1:
        raise CrmDataError(
            f"rep_quarter: cost needs one quarter, but has {len(quarters)} "
            f"({', '.join(map(str, quarters[:3]))}).\nChoose the quarter reported before calling."
        )


def _per_rep(stays: pd.DataFrame, definition: str, *within: str) -> pd.DataFrame:
    """Return one row a rep `within` a group.

    Hours, and all else cut to the logged share of the quarter.
    """
    if definition not in SELLING_DEFINITIONS:
        raise ValueError(
            f"definition must be one of {', '.join(SELLING_DEFINITIONS)}, got {definition!r}"
        )
    whole = stays[["quota_amount", "paid_hours", "available_hours", "weeks_employed"]].assign(
        fully_loaded_cost_amount=fully_loaded_cost(stays)
    )
    cut = whole.mul(stays["logged_share"], axis="index").assign(selling=stays[definition])
    return cut.groupby(
        [*(stays[name] for name in within), stays["rep_id"]], dropna=False, observed=True
    ).sum()


def _method(spec: Measure, definition: str, reps: pd.Series[str], reasons: pd.Series[str]) -> str:
    uses_hours = "selling" in (spec.numerator, spec.denominator)
    parts = ["ratio of sums over reps, logged weeks only"]
    if uses_hours:
        parts.append(f"selling = {DEFINITION_LABELS[definition].removeprefix('… ')}")
    parts.append("ends: spread between reps, leaving out one at a time, 95%")
    counts = reps.groupby(reasons).nunique()
    if len(counts):
        parts.append("reps left out: " + ", ".join(f"{n} ({why})" for why, n in counts.items()))
    return "; ".join(parts)
