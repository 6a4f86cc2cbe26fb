"""What moved each headline: its drivers, since the last quarter and since a year before.

Both quarters are computed on today's data, by today's code, so that nothing but the company's own
movement is split; what a published figure differs from that is a part by itself.  The step of the
same season a year before stands beside it: a summer's leave comes back every summer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.chapters.alignment import chapter as alignment
from analysis.chapters.alignment import index_drivers
from analysis.chapters.cost import cost, cost_drivers
from analysis.chapters.data_quality import deal_drivers
from analysis.project.errors import CrmDataError
from analysis.report import formats
from analysis.stats.joint_suppression import cells_to_hide
from analysis.stats.shapley import DriverSplit, round_to_total

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from analysis.chapters.alignment.chapter import Scored
    from analysis.project.quarters import Quarter
    from analysis.project.settings import Settings
    from analysis.report.output import Payload
    from analysis.store.company import Company

Row = dict[str, Any]
MOST_DRIVERS = 4  # named of a figure; the rest are counted and summed
MOST_PRACTICES = 3  # of the index: their names are long
LEAST_LEAVE = 0.01  # of paid hours, from which leave is named as the season's
RESTATED = "restated since it was published"
SEASONS = ("winter", "spring", "summer", "autumn")  # from December
SOUTHERN_ZONES = (
    "Australia/", "Antarctica/", "Pacific/Auckland", "Pacific/Fiji", "America/Sao_Paulo",
    "America/Argentina/", "America/Buenos_Aires", "America/Santiago", "America/Montevideo",
    "America/Asuncion", "Africa/Johannesburg", "Africa/Windhoek", "Africa/Maputo",
)  # fmt: skip
HOURS_SOLD = ("Fewer hours sold", "More hours sold")
# Over paid hours: either can move while nobody's pay or quota does.
PAY_WORDS = ("Higher pay per paid hour", "Lower pay per paid hour")
QUOTA_WORDS = ("Higher quota per paid hour", "Lower quota per paid hour")
_HOURLY = {
    cost_drivers.MIX: ("Dearer mix of segments", "Cheaper mix of segments"),
    cost_drivers.HOURS_TO_WORK: ("Fewer hours to work", "More hours to work"),
    cost_drivers.SHARE_SOLD: (
        "Smaller share of working time sold", "Larger share of working time sold",
    ),
}  # fmt: skip
# What each driver is called where it raised the figure, and where it lowered it.
WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "cost_per_selling_hour": {**_HOURLY, "pay": PAY_WORDS},
    "required_bookings_per_selling_hour": {**_HOURLY, "quota": QUOTA_WORDS},
    "selling_hours_per_week": {
        cost_drivers.MIX: ("Mix of segments", "Mix of segments"),
        cost_drivers.HOURS_TO_WORK: ("More hours to work", "Fewer hours to work"),
        cost_drivers.SHARE_SOLD: (
            "Larger share of working time sold", "Smaller share of working time sold",
        ),
    },
    "bookings": {
        deal_drivers.HEADS: ("More reps", "Fewer reps"),
        deal_drivers.CLOSED_PER_HEAD: (
            "More opportunities closed per rep", "Fewer opportunities closed per rep",
        ),
        deal_drivers.CLOSED: ("More opportunities closed", "Fewer opportunities closed"),
        deal_drivers.WIN_RATE: ("Higher win rate", "Lower win rate"),
        deal_drivers.DEAL_SIZE: ("Larger deals", "Smaller deals"),
    },
    "win_rate": {
        deal_drivers.MIX: ("Mix of segments", "Mix of segments"),
        deal_drivers.RATE_WITHIN: ("Higher within segments", "Lower within segments"),
        deal_drivers.RATE_OF_ALL: (
            "Higher win rate, not split by segment",
            "Lower win rate, not split by segment",
        ),
    },
}  # fmt: skip
HOURLY = tuple(cost_drivers.FACTORS)
OTHER_SEGMENTS = "other segments"


class HeadlineSplits(NamedTuple):
    """The splits of each headline by name.

    Against the quarter `before`, the quarter a `year_before`, and the step into that one (`usual`),
    which says what is usual in the season.  `leave` names the season's leave where it took hours,
    by the quarter compared with.  `index_history` is the alignment index of the quarters that the
    data cover whole, oldest first, as of the quarter reported.
    """

    before: str
    year_before: str
    against: dict[str, dict[str, DriverSplit]]  # by quarter, then headline
    usual: dict[str, DriverSplit]
    leave: dict[str, str]
    index_history: dict[str, float]


def split_headlines(company: Company, *, names: Collection[str]) -> HeadlineSplits:
    """Return what moved the headlines called `names` into the quarter reported, and no others."""
    quarter, house = company.period, company.settings
    panels = {name: company.table(name) for name in ("rep_quarter", "team_quarter")}
    scored = _scored_alignment(company) if "alignment_index" in names else None
    before, year = str(quarter.shifted(-1)), str(quarter.shifted(-4))
    against = {
        then: _splits(panels, then, str(quarter), house, scored, names) for then in (before, year)
    }
    usual = _splits(panels, str(quarter.shifted(-5)), year, house, scored, names)
    past = _index_history(scored, panels["team_quarter"], str(quarter))
    return HeadlineSplits(before, year, against, usual, _leave_words(panels, quarter, house), past)


def _index_history(scored: Scored | None, teams: pd.DataFrame, until: str) -> dict[str, float]:
    """Return the company's index of each whole quarter in which some team has one."""
    if scored is None:
        return {}
    whole = [
        q for q in sorted(set(teams["quarter"])) if len(_whole_quarter(teams, q)) and q <= until
    ]
    results = {q: alignment.company_index(scored.aligned, q) for q in whole}
    return {quarter: result.estimate for quarter, result in results.items() if result.is_known}


def _scored_alignment(company: Company) -> Scored | None:
    """Return alignment up to the quarter, as chapter 4 scores it; None where it cannot be."""
    tables = {name: company.table(name) for name in alignment.TABLES}
    try:
        return alignment.score_alignment(
            tables, company.quarter, house=company.settings, last_day=company.audit["as_of"]
        )
    except CrmDataError:  # no team, or nothing to score
        return None


def _splits(
    panels: Mapping[str, pd.DataFrame],
    then: str,
    now: str,
    house: Settings,
    scored: Scored | None,
    names: Collection[str],
) -> dict[str, DriverSplit]:
    stays = [_whole_quarter(panels["rep_quarter"], q) for q in (then, now)]
    teams = [_whole_quarter(panels["team_quarter"], q) for q in (then, now)]
    splits: dict[str, DriverSplit | None] = {}
    if all(len(s) for s in stays):
        splits |= {m: _hourly(stays[0], stays[1], m, house) for m in HOURLY if m in names}
    if all(len(t) for t in teams):
        splits["bookings"] = deal_drivers.bookings_drivers(*teams)
        splits["win_rate"] = deal_drivers.win_rate_drivers(*teams)
        if scored is not None:
            splits["alignment_index"] = index_drivers.index_drivers(scored, then, now)
    return {name: split for name, split in splits.items() if split is not None and name in names}


def _whole_quarter(panel: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return a quarter's rows; none where the data do not cover the whole of it."""
    rows = panel[panel["quarter"] == quarter]
    return rows.iloc[:0] if rows["is_partial"].astype(bool).any() else rows


def _hourly(
    then: pd.DataFrame, now: pd.DataFrame, measure: str, house: Settings
) -> DriverSplit | None:
    """Return the split of a figure per hour; None where either quarter has too few reps to show."""
    basis = {"minimum_logged_share": house.hours.minimum_logged_share}
    smallest = house.people.smallest_cell
    named = [
        stays.assign(segment=stays["segment"].astype(object).fillna(cost_drivers.NO_SEGMENT))
        for stays in (then, now)
    ]
    few: set[object] = set()
    for stays in named:
        counted = stays[cost.left_out(stays, measure, **basis) == ""]
        reps = counted.drop_duplicates(["rep_id", "segment"])
        if reps["rep_id"].nunique() < smallest:
            return None
        few |= {cell.value for cell in cells_to_hide(reps, ["segment"], smallest=smallest)}
    # A driver by segment would tell of one that the tables hide: those count as one.
    old, new = (
        stays.assign(segment=stays["segment"].mask(stays["segment"].isin(few), OTHER_SEGMENTS))
        for stays in named
    )
    return cost_drivers.hour_drivers(old, new, measure, **basis)


def _leave_words(
    panels: Mapping[str, pd.DataFrame], quarter: Quarter, house: Settings
) -> dict[str, str]:
    """Return what to call the leave that took or gave hours, by the quarter compared with.

    It is the season's where the same step a year before went the same way, and was at least half
    as large: what goes beyond the usual is no season.
    """
    shares = {
        shift: cost_drivers.leave_share(
            _whole_quarter(panels["rep_quarter"], str(quarter.shifted(shift))),
            minimum_logged_share=house.hours.minimum_logged_share,
        )
        for shift in (0, -1, -4, -5)
    }
    now, earlier = shares[0] - shares[-1], shares[-4] - shares[-5]
    words = {}
    if abs(now) >= LEAST_LEAVE:
        is_of_season = abs(earlier) >= max(LEAST_LEAVE, abs(now) / 2) and (earlier > 0) == (now > 0)
        season_of = quarter if now > 0 else quarter.shifted(-1)
        season = season_name(season_of, house)
        words[str(quarter.shifted(-1))] = (
            (f"{season} leave" if now > 0 else f"{season} leave over")
            if is_of_season
            else ("more leave" if now > 0 else "less leave")
        )
    if abs(year := shares[0] - shares[-4]) >= LEAST_LEAVE:
        words[str(quarter.shifted(-4))] = "more leave" if year > 0 else "less leave"
    return words


def season_name(quarter: Quarter, house: Settings) -> str:
    """Return the season in which most of a quarter lies, by the hemisphere of the company's time
    zone.
    """
    month = quarter.start(house.company.fiscal_year_start_month).month % 12 + 1  # the middle one
    place = (month % 12) // 3
    is_southern = house.company.time_zone.startswith(SOUTHERN_ZONES)
    return SEASONS[(place + 2 * is_southern) % 4]


def named_parts(
    name: str, split: DriverSplit, total: float, form: str, leave: str, *, size: float
) -> list[tuple[str, float]] | None:
    """Return each driver in words with its part of `total`, largest first, at display precision.

    The parts sum to `total` to the last digit shown.  None where the split's own change is not
    `total` but for rounding, so that it explains something else.
    """
    step = formats.display_step(form, size)
    if abs(split.change - total) > 1.5 * step:
        return None
    order = sorted(split.parts, key=lambda k: -abs(split.parts[k]))
    most = MOST_PRACTICES if name == "alignment_index" else MOST_DRIVERS
    first, rest = order[:most], order[most:]
    parts = [split.parts[k] for k in first]
    words = [driver_words(name, k, split.parts[k], leave) for k in first]
    if moved := [k for k in rest if split.parts[k]]:
        parts.append(sum(split.parts[k] for k in moved))
        words.append(f"{len(moved)} others")
    counts = round_to_total([p / step for p in parts], round(total / step))
    return [
        (each, formats.shown_difference(count * step, 0.0, form))
        for each, count in zip(words, counts, strict=True)
        if count
    ]


def driver_words(name: str, driver: str, part: float, leave: str) -> str:
    """Return what a driver is called in a report.

    Examples
    --------
    >>> driver_words("cost_per_selling_hour", "hours to work", 68.0, "summer leave")
    'Fewer hours to work (summer leave)'
    """
    up_down = WORDS.get(name, {}).get(driver)
    text = driver if up_down is None else up_down[part < 0]
    return f"{text} ({leave})" if driver == cost_drivers.HOURS_TO_WORK and leave else text


def merged_hours(name: str, split: DriverSplit) -> DriverSplit:
    """Return a split with both drivers of hours sold joined into one, where they moved the same
    way.

    Page one has room for no more: hours to work times the share of them sold are the hours sold.
    """
    both = [split.parts.get(k, 0.0) for k in (cost_drivers.HOURS_TO_WORK, cost_drivers.SHARE_SOLD)]
    if name not in HOURLY or both[0] * both[1] < 0:
        return split
    parts = {k: v for k, v in split.parts.items() if k != cost_drivers.SHARE_SOLD}
    return split._replace(parts=parts | {cost_drivers.HOURS_TO_WORK: sum(both)})


def _is_mostly_leave(split: DriverSplit) -> bool:
    hours, share = (
        abs(split.parts.get(k, 0.0)) for k in (cost_drivers.HOURS_TO_WORK, cost_drivers.SHARE_SOLD)
    )
    return hours > share


def year_rows(
    splits: HeadlineSplits, cards: Sequence[Payload], published: Mapping[str, float]
) -> dict[str, Row]:
    """Return each headline against the same quarter a year before, by name.

    `published` holds what that quarter's report said, by name; without it the figure is recomputed
    on today's data, and `basis` says so.  Each row has ``then``, ``change``, ``parts`` (words and
    amount), ``says`` and ``shown``.
    """
    rows = {}
    for card in cards:
        split = splits.against[splits.year_before].get(card["name"])
        if split is None or card["estimate"] is None:
            continue
        rows[card["name"]] = compared_row(
            card, split, published.get(card["name"]), splits.leave.get(splits.year_before, "")
        )
    return rows


def compared_row(card: Payload, split: DriverSplit, published: float | None, leave: str) -> Row:
    """Return a headline against a quarter: what was published then, or what today's data give."""
    name, form, currency, now = (
        card["name"], card["format"], card["currency"], card["estimate"],
    )  # fmt: skip
    today = formats.shown_difference(split.then, 0.0, form)
    then = today if published is None else published
    parts = named_parts(
        name, split, formats.shown_difference(now, today, form), form, leave, size=now
    )
    if parts is not None and (restated := formats.shown_difference(today, then, form)):
        parts.insert(0, (RESTATED, restated))
    change = formats.shown_difference(now, then, form)
    return {
        "then": then,
        "change": change,
        "basis": "recomputed on today's data" if published is None else "as published",
        "parts": parts or [],
        "says": parts_sentence(parts, form, currency) if parts is not None else "not split",
        "shown": {
            "then": formats.cell_words(then, form, currency),
            "change": formats.signed_words(change, form, currency),
        },
    }


def parts_sentence(parts: Sequence[tuple[str, float]], form: str, currency: str) -> str:
    """Return drivers in words, each with what it moved: ``Fewer reps: -$13.``."""
    if not parts:
        return "no change"
    return " ".join(
        f"{words}: {formats.signed_words(amount, form, currency)}." for words, amount in parts
    )


def page_one_reasons(splits: HeadlineSplits, cards: Sequence[Payload]) -> dict[str, str]:
    """Return in plain words why each headline moved, by name, for page one.

    Against the last quarter, then the same quarter a year before; two drivers each.
    """
    reasons = {}
    for card in cards:
        texts = []
        for quarter in (splits.before, splits.year_before):
            split = splits.against[quarter].get(card["name"])
            if split is not None and card["estimate"] is not None:
                texts.append(_reason(card, split, quarter, splits.leave.get(quarter, "")))
        if texts:
            reasons[card["name"]] = " ".join(texts)
    return reasons


def _reason(card: Payload, split: DriverSplit, quarter: str, leave: str) -> str:
    name, form, currency, now = (
        card["name"], card["format"], card["currency"], card["estimate"],
    )  # fmt: skip
    whole = merged_hours(name, split)
    is_merged = len(whole.parts) < len(split.parts)
    total = formats.shown_difference(now, formats.shown_difference(split.then, 0.0, form), form)
    parts = named_parts(name, whole, total, form, leave, size=now) or []
    if is_merged:
        hours = WORDS[name][cost_drivers.HOURS_TO_WORK]
        fewer_first = name != "selling_hours_per_week"
        for old, new in zip(hours, HOURS_SOLD if fewer_first else HOURS_SOLD[::-1], strict=True):
            parts = [(words.replace(old, new), amount) for words, amount in parts]
        if leave and split.parts.get(cost_drivers.SHARE_SOLD):  # leave took hours to work alone
            mostly = f"(mostly {leave})" if _is_mostly_leave(split) else ""
            parts = [(words.replace(f"({leave})", mostly).rstrip(), x) for words, x in parts]
    step = formats.signed_words(total, form, currency) if total else "no change"
    if not parts:
        return f"Since {quarter}: {step}."
    return f"Since {quarter} ({step}): {parts_sentence(parts, form, currency)}"


def usual_step(splits: HeadlineSplits, card: Payload) -> str:
    """Return in a sentence how the headline moved in the same season a year before, if known."""
    split = splits.usual.get(card["name"])
    if split is None:
        return ""
    step = formats.shown_difference(split.now, split.then, card["format"])
    if not step:
        return "A year before it did not move."
    words = formats.signed_words(step, card["format"], card["currency"])
    return f"A year before it moved by {words}."


def waterfall(card: Payload, split: DriverSplit, quarter: str, now: str, leave: str) -> Row | None:
    """Return the bars of a headline's change from `quarter` to `now`, top down.

    Each bar has ``label``, ``shown``, ``low`` and ``high`` in the figure's unit, and ``kind``: end,
    up or down.  None where there is nothing to draw.
    """
    form, currency = card["format"], card["currency"]
    then = formats.shown_difference(split.then, 0.0, form)
    total = formats.shown_difference(card["estimate"], then, form)
    parts = named_parts(card["name"], split, total, form, leave, size=card["estimate"])
    if not parts:
        return None
    bars = [_bar(quarter, formats.cell_words(then, form, currency), 0.0, then, "end")]
    level = then
    for words, amount in parts:
        bars.append(
            _bar(
                words, formats.signed_words(amount, form, currency), level, level + amount,
                "up" if amount > 0 else "down",
            )
        )  # fmt: skip
        level += amount
    bars.append(_bar(now, card["shown"]["value"], 0.0, card["estimate"], "end"))
    lowest = min(b["low"] for b in bars if b["kind"] != "end")
    highest = max(b["high"] for b in bars)
    return {
        "title": f"{card['label']}, {quarter} to {now}",
        "bars": bars,
        # an axis that begins short of the smallest level shows what moved; ends are cut and say so
        "from": lowest - 0.5 * (highest - lowest),
        "to": highest,
        "alt": f"{card['label']} from {quarter} to {now}: {parts_sentence(parts, form, currency)}",
    }


def _bar(label: str, words: str, start: float, end: float, kind: str) -> Row:
    return {
        "label": label, "shown": words, "low": min(start, end), "high": max(start, end),
        "kind": kind,
    }  # fmt: skip
