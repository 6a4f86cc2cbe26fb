"""Parts of the week that the classes of activity hide, such as hours on leads later disqualified.

Hours on leads that came to nothing, cold calls apart from list building.

Records that name a lead or an opportunity say what the time was for.  A quarter's class hours are
divided among its records by their minutes, so the parts of a class sum to it however records
overlap; a record counts once, by its id.  A lead's fate is the one known today: a recent lead's is
often still open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from analysis.chapters.cost import cost
from analysis.chapters.selling_time import time_use
from analysis.project.errors import CrmDataError, require_columns

if TYPE_CHECKING:
    import datetime as dt

    from analysis.stats.result import Result

ENTRY = [
    "activity_id",
    "rep_id",
    "kind",
    "activity_class",
    "started_at",
    "minutes",
    "opportunity_id",
    "lead_id",
]
DISQUALIFIED, QUALIFIED, OPEN, UNLINKED = "disqualified", "qualified", "open", "unlinked"
FATES = {
    "disqualified": DISQUALIFIED,
    "converted": QUALIFIED,
    "sql": QUALIFIED,
}  # of the lead's stage today
FATE_LABELS = {
    DISQUALIFIED: "On leads later disqualified",
    QUALIFIED: "On leads qualified since",
    OPEN: "On leads of open fate",
}
PART_LABELS = {
    "cold_calls": "Cold calls",
    "list_building": "List building, research",
    "internal": "Internal meetings",
}


class Qualified(NamedTuple):
    """How much selling went to qualified opportunities, where records say to what.

    `share` of the selling hours on opportunities, and on leads whose fate is known, that were not
    on leads later disqualified [0-1], with its 95% interval (jackknife by rep); NaN where no record
    names a lead.  `linked` is the share of all selling hours that this speaks of [0-1].
    """

    share: float
    low: float
    high: float
    linked: float
    n_reps: int


def hours_by_record(
    stays: pd.DataFrame,
    activities: pd.DataFrame,
    leads: pd.DataFrame,
    *,
    minimum_logged_share: float,
) -> pd.DataFrame:
    """Return the quarter's hours record by record.

    One row an activity with a length, summing to the ledger.

    Parameters
    ----------
    stays : DataFrame, a rep's stay in a team within a quarter
        ``rep_quarter`` of one quarter; reps logged too little are left out.
    activities, leads : DataFrame, an activity; a lead
        Those of the quarter, as `activities_within` cuts them; all leads.
    minimum_logged_share : [0-1]

    Returns
    -------
    DataFrame
        ``activity_id``, ``rep_id``, ``kind``, ``activity_class``, ``lead_id``, ``fate`` (qualified,
        disqualified, open or unlinked; an opportunity is qualified) and ``hours_by_record`` [h]:
        the rep's class hours by the record's share of the class's minutes.

    Raises
    ------
    CrmDataError
        If a column is missing, or `stays` holds more than one quarter.
    """
    require_columns(activities, ENTRY, "activities")
    require_columns(leads, ["lead_id", "lead_stage"], "leads")
    logged_stays = time_use.well_logged_stays(stays, minimum_logged_share)
    quarters = stays["quarter"].unique()
    if len(quarters) > 1:
        raise CrmDataError(
            f"rep_quarter: hours by record need one quarter, but it holds {len(quarters)}. "
            "Choose the quarter reported."
        )
    distinct = activities.drop_duplicates("activity_id")
    distinct = distinct[
        (distinct["minutes"] > 0) & distinct["rep_id"].isin(logged_stays["rep_id"])
    ].copy()
    classes = [c for c in logged_stays.columns if str(c).endswith("_class_hours")]
    by_class = (
        logged_stays.groupby("rep_id")[classes]
        .sum()
        .rename(columns=lambda c: c.removesuffix("_class_hours"))
    )
    class_hours = by_class.reset_index().melt(
        "rep_id", var_name="activity_class", value_name="class_hours"
    )
    distinct = distinct.merge(class_hours, on=["rep_id", "activity_class"], how="left")
    total = distinct.groupby(["rep_id", "activity_class"], observed=True)["minutes"].transform(
        "sum"
    )
    distinct["hours"] = distinct["class_hours"].fillna(0.0) * distinct["minutes"] / total
    distinct["fate"] = _fate(distinct, leads)
    return distinct[["activity_id", "rep_id", "kind", "activity_class", "lead_id", "fate", "hours"]]


def activities_within(activities: pd.DataFrame, first: dt.date, end: dt.date) -> pd.DataFrame:
    """Return the activities begun from the day `first` up to and without the day `end` (UTC)."""
    require_columns(activities, ENTRY, "activities")
    started = pd.to_datetime(activities["started_at"], utc=True)
    return activities[
        (started >= pd.Timestamp(first, tz="UTC")) & (started < pd.Timestamp(end, tz="UTC"))
    ]


def parts_of_week(
    stays: pd.DataFrame,
    entries: pd.DataFrame,
    *,
    minimum_logged_share: float,
    cost_of_hour: Result,
    cost_of_selling_hour: Result,
) -> pd.DataFrame:
    """Return the parts of the week that classes hide, in hours and in money: one row a part.

    Cold calls and the rest of prospecting sum to their class; hours on leads cut across classes and
    are missing where no record names a lead.  `entries` is what `hours_by_record` returns.
    Columns: ``label``, ``n_reps``, ``hours_by_record`` per rep and week [h] with ``hours_low`` and
    ``hours_high``, ``paid`` share of paid time [0-1], ``total_hours`` of the quarter [h],
    ``amount`` at what a working hour costs and ``selling_amount`` at what a selling hour costs
    [currency], ``n_leads`` and ``n_activities``.
    """
    is_prospecting, is_call = entries["activity_class"] == "prospecting", entries["kind"] == "call"
    flags = {
        PART_LABELS["cold_calls"]: is_prospecting & is_call,
        PART_LABELS["list_building"]: is_prospecting & ~is_call,
        PART_LABELS["internal"]: entries["activity_class"] == "internal",
    }
    has_leads = bool(entries["lead_id"].notna().any())
    flags |= {
        label: (entries["fate"] == fate) & entries["lead_id"].notna()
        for fate, label in FATE_LABELS.items()
    }
    logged_stays = time_use.well_logged_stays(stays, minimum_logged_share)
    bases = (
        logged_stays[["weeks_employed", "paid_hours"]]
        .mul(logged_stays["logged_share"], axis="index")
        .groupby(logged_stays["rep_id"])
        .sum()
    )
    weeks, paid = bases["weeks_employed"], bases["paid_hours"]
    rows = []
    for label, is_part in flags.items():
        part = entries[is_part]
        unknown = label in FATE_LABELS.values() and not has_leads
        of_rep = part.groupby("rep_id")["hours"].sum().reindex(weeks.index, fill_value=0.0)
        ends = (np.nan, np.nan, np.nan) if unknown else cost.ratio_of_sums(of_rep, weeks)
        total = np.nan if unknown else float(part["hours"].sum())
        rows.append(
            {
                "label": label,
                "n_reps": len(weeks),
                "hours": ends[0],
                "hours_low": ends[1],
                "hours_high": ends[2],
                "paid": total / float(paid.sum()),
                "total_hours": total,
                "amount": total * cost_of_hour.estimate,
                "selling_amount": total * cost_of_selling_hour.estimate,
                "n_leads": int(part["lead_id"].nunique()),
                "n_activities": len(part),
            }
        )
    return pd.DataFrame(rows)


def week_with_parts(week: pd.DataFrame, parts_table: pd.DataFrame) -> pd.DataFrame:
    """Return the week by class with its parts: those of prospecting behind it, leads at the end.

    `week` is what `time_use.week_by_activity` returns and `parts_table` what `parts_of_week` does;
    columns are those of `week`.
    """
    of_class = [PART_LABELS["cold_calls"], PART_LABELS["list_building"]]
    labelled = parts_table[parts_table["label"].isin([*of_class, FATE_LABELS[DISQUALIFIED]])]
    is_class, lower = (
        labelled["label"].isin(of_class),
        [f"{label[:1].lower()}{label[1:]}" for label in labelled["label"]],
    )
    labelled = labelled.assign(
        place=is_class,
        label=[
            f"{head}{word}"
            for head, word in zip(np.where(is_class, "… ", "Of all these, "), lower, strict=True)
        ],
    )
    at = week.index[week["label"] == time_use.CLASS_LABELS["prospecting"]][0] + 1
    columns = [c for c in week.columns if c in labelled.columns]
    inside, across = (
        labelled.loc[labelled["place"], columns],
        labelled.loc[~labelled["place"], columns],
    )
    return pd.concat([week.iloc[:at], inside, week.iloc[at:], across], ignore_index=True)


def qualified_share(entries: pd.DataFrame) -> Qualified:
    """Return how much of selling went to qualified opportunities, where records say to what."""
    selling = entries[entries["activity_class"] == "selling"]
    sums = selling.pivot_table(
        index="rep_id", columns="fate", values="hours", aggfunc="sum", fill_value=0.0
    )
    sums = sums.reindex(columns=[QUALIFIED, DISQUALIFIED, OPEN, UNLINKED], fill_value=0.0)
    decided, total = sums[QUALIFIED] + sums[DISQUALIFIED], float(sums.to_numpy().sum())
    if not entries["lead_id"].notna().any() or not decided.sum() > 0:
        return Qualified(np.nan, np.nan, np.nan, 0.0, len(sums))
    share, low, high = cost.ratio_of_sums(sums[QUALIFIED], decided)
    return Qualified(share, low, min(high, 1.0), float(decided.sum()) / total, len(sums))


def qualified_sentence(qualified: Qualified) -> str:
    """Return in a sentence what is measured of the qualified share of selling, and what is assumed."""  # noqa: E501
    if np.isnan(qualified.share):
        return "No record names a lead, so the share on qualified opportunities is assumed."
    return (
        f"Of the {qualified.linked:.0%} of selling hours that name an opportunity or a lead of "
        f"known fate, {qualified.share:.1%} ({qualified.low:.1%} to {qualified.high:.1%}) were not "
        "on leads later disqualified; the share of the others is assumed."
    )


def _fate(distinct: pd.DataFrame, leads: pd.DataFrame) -> pd.Series[str]:
    """Return what became of what each activity was about."""
    stage = distinct["lead_id"].map(
        leads.drop_duplicates("lead_id").set_index("lead_id")["lead_stage"]
    )
    of_lead = stage.map(FATES).fillna(OPEN).where(distinct["lead_id"].notna(), UNLINKED)
    return of_lead.where(distinct["opportunity_id"].isna(), QUALIFIED).rename("fate")
