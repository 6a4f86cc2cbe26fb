"""Where a seller's week goes.

Hours by class, what share of paid time is selling, what the rest costs.

Every figure is a ratio of two sums over representatives, in logged weeks alone, with the interval
of `cost.ratio_of_sums`.  What no panel holds is named with the table it would take, not guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.chapters.cost import cost
from analysis.project import money
from analysis.project.errors import require_columns
from analysis.tables.canonical import ACTIVITY_CLASSES, DEFINITION_LABELS
from analysis.tables.membership import is_among

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from analysis.stats.result import Result

BASES = {"week": "weeks_employed", "paid": "paid_hours", "available": "available_hours"}
CLASS_LABELS = {
    "selling": "With clients",
    "preparation": "Preparation, proposals",
    "prospecting": "List building, cold calls",
    "internal": "Internal meetings",
    "admin": "Reporting and administration",
    "training": "Training",
    "unclassified": "Unclassified",
}
BURDENS = ("prospecting", "internal", "admin")
TENURES = ((1.0, "0 to 1 year"), (3.0, "1 to 3 years"), (float("inf"), "3 years or more"))
DAYS_PER_YEAR = 365.25
MANY = 4  # conversations in a day and more are one bin
SEVERAL = 3  # conversations in a day: what "several" means here


class LedgerNeed(NamedTuple):
    """A missing part of the ledger, and the table or column that would supply it."""

    item: str
    needs: str


NOT_HELD = (
    LedgerNeed(
        "Duplicate reports nobody reads", "reports with their readers: no CRM export holds them"
    ),
)
LEADS = LedgerNeed(
    "Hours on leads later disqualified",
    "records that name a lead: WhoId of a lead, or an associated contact",
)


def not_held(activities: pd.DataFrame) -> str:
    """Return a sentence on what the ledger lacks, and what would supply it."""
    require_columns(activities, ["lead_id"], "activities")
    lacking = [*NOT_HELD, *([] if activities["lead_id"].notna().any() else [LEADS])]
    return (
        "Not held: "
        + "; ".join(f"{each.item.lower()} (needs {each.needs})" for each in lacking)
        + "."
    )


def selling_shares(stays: pd.DataFrame, *, minimum_logged_share: float) -> pd.DataFrame:
    """Return selling time under each definition, narrowest first: one row a definition.

    Columns: ``definition``, ``label``, ``n_reps``; ``hours`` per rep and week employed [h];
    ``paid`` and ``available``, shares of that time [0-1]; each with ``_low`` and ``_high``.
    """
    logged_stays = well_logged_stays(stays, minimum_logged_share)
    rows = [
        {"definition": name, "label": label, **_row(logged_stays, name)}
        for name, label in DEFINITION_LABELS.items()
    ]
    return pd.DataFrame(rows)


def selling_by_group(
    stays: pd.DataFrame,
    columns: Sequence[str],
    *,
    minimum_logged_share: float,
    definition: str = "selling_hours",
) -> pd.DataFrame:
    """Return selling time for each value of each of `columns`: one row a value.

    Columns: ``group`` (the value), ``selling_by_group`` (the column) and those of `selling_shares`.
    """
    logged_stays = well_logged_stays(stays, minimum_logged_share)
    require_columns(logged_stays, columns, "rep_quarter")
    rows = [
        {"group": str(value), "by": column, **_row(part, definition)}
        for column in columns
        for value, part in logged_stays.groupby(column, sort=True, observed=True)
    ]
    names = ["group", "by", *_row(logged_stays.iloc[:0], definition)]
    return pd.DataFrame(rows, columns=names)


def week_by_activity(stays: pd.DataFrame, *, minimum_logged_share: float) -> pd.DataFrame:
    """Return the logged week by class of activity.

    One row a class, and how much of paid time none covers.

    Columns: ``label``, ``n_reps``, ``hours`` per rep and week employed [h], ``paid`` share of paid
    time [0-1], each with ``_low`` and ``_high``.
    """
    logged_stays = well_logged_stays(stays, minimum_logged_share)
    names = {f"{name}_class_hours": name for name in ACTIVITY_CLASSES if name != "time_off"}
    tracked = logged_stays[list(names)].sum(axis="columns")
    rows = [
        {"label": CLASS_LABELS[name], **_row(logged_stays, column)}
        for column, name in names.items()
    ]
    rest = logged_stays.assign(
        untracked=logged_stays["paid_hours"] * logged_stays["logged_share"] - tracked
    )
    rows.append({"label": "In no calendar, or leave", **_row(rest, "untracked")})
    columns = [
        "label",
        "n_reps",
        "hours",
        "hours_low",
        "hours_high",
        "paid",
        "paid_low",
        "paid_high",
    ]
    return pd.DataFrame(rows)[columns]


def week_burdens(
    stays: pd.DataFrame,
    *,
    minimum_logged_share: float,
    cost_of_hour: Result,
    cost_of_selling_hour: Result,
) -> pd.DataFrame:
    """Return what keeps reps from selling, in hours and in money: one row a class of `BURDENS`.

    Columns: ``label``, ``n_reps``, ``hours`` per rep and week [h] with ``hours_low`` and
    ``hours_high``; ``total_hours`` of the quarter [h]; ``amount``, those hours at what a working
    hour costs, and ``selling_amount``, at what a selling hour costs if they displace one
    [currency].
    """
    logged_stays = well_logged_stays(stays, minimum_logged_share)
    rows = []
    for name in BURDENS:
        column = f"{name}_class_hours"
        total = float(logged_stays[column].sum())
        row = _row(logged_stays, column)
        rows.append(
            {
                "label": CLASS_LABELS[name],
                **{key: row[key] for key in ("n_reps", "hours", "hours_low", "hours_high")},
                "total_hours": total,
                "amount": total * cost_of_hour.estimate,
                "selling_amount": total * cost_of_selling_hour.estimate,
            }
        )
    return pd.DataFrame(rows)


def largest_burden(burden_table: pd.DataFrame, quarter: str, *, currency: str) -> str:
    """Return in a sentence which burden takes most of a rep's week, from what `week_burdens`
    returns.
    """
    with_hours = burden_table[burden_table["hours"].notna()]
    if with_hours.empty:
        return f"We cannot tell what keeps reps from selling in {quarter}: no rep logged enough."
    most = with_hours.sort_values("hours", ascending=False).iloc[0]
    says = (
        f"Of a rep's week, {most['hours']:.1f} hours go into {str(most['label']).lower()} "
        f"({most['hours_low']:.1f} to {most['hours_high']:.1f}; n = {most['n_reps']:.0f} reps)"
    )
    costs = f", {money.millions_text(most['amount'], currency)}" if pd.notna(most["amount"]) else ""
    return f"{says}{costs} in {quarter}, more than any other burden."


def opportunity_sources(opportunities: pd.DataFrame) -> pd.DataFrame:
    """Return where new opportunities came from: one row a source, shares summing to 1.

    Without a lead source the rep found it, as far as the CRM knows.  Columns: ``source``,
    ``n_created``, ``share`` [0-1].
    """
    require_columns(opportunities, ["lead_source"], "opportunities")
    source = opportunities["lead_source"].fillna("no lead source: found by the rep")
    counts = source.value_counts().rename_axis("source").rename("n_created").reset_index()
    return counts.assign(share=counts["n_created"] / max(int(counts["n_created"].sum()), 1))


def one_to_one(activities: pd.DataFrame, attendees: pd.DataFrame) -> pd.DataFrame:
    """Return how many one-to-one client conversations a rep has in a day: one row a number of them.

    A conversation has one client and nobody of us but whose calendar it stands in.  Columns:
    ``conversations`` in a day, ``n_days`` (rep-days with any activity), ``share`` [0-1],
    ``n_reps``.
    """
    require_columns(activities, ["activity_id", "rep_id", "started_at", "is_all_day"], "activities")
    require_columns(attendees, ["activity_id", "person_key", "side", "rep_id"], "attendees")
    owner = attendees["activity_id"].map(
        activities.drop_duplicates("activity_id").set_index("activity_id")["rep_id"]
    )
    others = attendees[attendees["rep_id"].isna() | (attendees["rep_id"] != owner)]
    others = others.drop_duplicates(["activity_id", "person_key"])
    is_client = (others["side"] == "customer").groupby(others["activity_id"])
    sizes = is_client.agg(["sum", "size"])
    alone = sizes.index[(sizes["sum"] == 1) & (sizes["size"] == 1)]
    timed = activities[
        activities["started_at"].notna()
        & ~activities["is_all_day"].fillna(value=False).astype(bool)
    ]
    days = timed.assign(
        day=timed["started_at"].dt.floor("D"), is_alone=is_among(timed["activity_id"], alone)
    )
    per_day = (
        days.groupby(["rep_id", "day"])["is_alone"]
        .sum()
        .clip(upper=MANY)
        .rename("conversations")
        .reset_index()
    )
    counts = (
        per_day.groupby("conversations")
        .agg(n_days=("day", "size"), n_reps=("rep_id", "nunique"))
        .reset_index()
    )
    return counts.assign(share=counts["n_days"] / max(len(per_day), 1))


def one_to_one_sentence(activities: pd.DataFrame, attendees: pd.DataFrame) -> str:
    """Return a sentence on how often a rep talks to clients one to one, where an export names
    attendees.
    """
    if attendees.empty:
        return "One-to-one client conversations: unknown, no export says who came."
    counts = one_to_one(activities, attendees).set_index("conversations")["share"]
    some, several = 1 - counts.get(0, 0.0), float(counts[counts.index >= SEVERAL].sum())
    often = f"one or more on {some:.0%} of rep-days, {SEVERAL} or more on {several:.0%}"
    return f"One-to-one client conversations: {often}."


def with_tenure(stays: pd.DataFrame, reps: pd.DataFrame, on: dt.date) -> pd.DataFrame:
    """Return `stays` with ``tenure``, the rep's years with the company on the day `on`.

    Missing where unknown.
    """
    require_columns(reps, ["rep_id", "hired_on"], "reps")
    hired = pd.to_datetime(stays["rep_id"].map(reps.set_index("rep_id")["hired_on"]))
    years = (pd.Timestamp(on) - hired).dt.days / DAYS_PER_YEAR
    tenure = pd.Series(pd.NA, index=stays.index, dtype="object")
    for upper, label in reversed(TENURES):
        tenure[years < upper] = label
    return stays.assign(tenure=tenure)


def well_logged_stays(stays: pd.DataFrame, minimum_logged_share: float) -> pd.DataFrame:
    """Return the stays whose hours are known well enough to count."""
    require_columns(
        stays, ["rep_id", "logged_share", "selling_hours", *BASES.values()], "rep_quarter"
    )
    return stays[(stays["logged_share"] >= minimum_logged_share) & stays["selling_hours"].notna()]


def _row(logged_stays: pd.DataFrame, hours: str) -> dict[str, float]:
    cut = (
        logged_stays[list(BASES.values())]
        .mul(logged_stays["logged_share"], axis="index")
        .assign(hours=logged_stays[hours])
    )
    reps = cut.groupby(logged_stays["rep_id"]).sum()
    row: dict[str, float] = {"n_reps": len(reps)}
    for name, base in BASES.items():
        key = "hours" if name == "week" else name
        row[key], row[f"{key}_low"], row[f"{key}_high"] = cost.ratio_of_sums(
            reps["hours"], reps[base]
        )
    return row
