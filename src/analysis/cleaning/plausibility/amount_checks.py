"""Amounts beside finance's totals, and by currency, file and month; exchange rates beside each
other.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from analysis.cleaning.plausibility.checks import CheckReading, share_of
from analysis.cleaning.plausibility.questions import AMOUNTS, Bearing
from analysis.project.money import signed_percent
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.cleaning.plausibility.dataset import Dataset

FEWEST_WON = 20
FEWEST_OF_VALUE = 8
MOST_JUMP = (
    1.6  # between a rate and the nearer of its neighbours: a currency that falls so fast is rare
)
SMALLEST_TURN = 1.05  # from which on a rate that is the inverse of the others is told from a change
OF_DISTANCE = (
    0.7  # of a turned rate's distance from the middle, that one step makes: drift takes many
)
MANY_STEPS = 3  # usual steps, that it is long, where there are steps enough to tell what is usual
FEWEST_RATES = 5
LIKE_A_TURN = 0.5  # of a step, that is left of it when one of its rates is turned round
MOST_DAYS = 500
SMALLEST_SHARE = 0.01  # what a currency of no deal counts: pay or costs may be in it
RATES = Bearing((*AMOUNTS.decides, "cost"))
_GROUPS = ("currency", "file", "month")
SQL = read_statements(__name__)


def finance_gap(data: Dataset) -> Iterator[CheckReading]:
    """Yield the quarter in which bookings of the CRM lie furthest from finance's."""
    gaps = data.account.reconciliation
    if gaps:
        worst = max(gaps, key=lambda r: (abs(r.gap_rate), r.quarter))
        yield CheckReading(
            "finance_gap",
            AMOUNTS,
            min(abs(worst.gap_rate), 1.0),
            len(gaps),
            f"In {worst.quarter} the CRM's bookings are {worst.bookings_amount:,.0f}, finance's "
            f"{worst.finance_amount:,.0f} ({signed_percent(worst.gap_rate, 1)}).",
            "finance_bookings",
        )


def reporting_currency(data: Dataset) -> Iterator[CheckReading]:
    """Yield whether the rate file's rates are to another currency than the report's."""
    if not data.has("fx_rates"):
        return
    currency = data.house.company.currency
    n, furthest, others = data.row(
        """
        select count(*) filter (currency = $currency), max(abs(rate_to_reporting - 1)) filter (currency = $currency),
          (select list(currency order by currency) from (
            select currency from fx_rates where currency <> $currency group by currency
            having max(abs(rate_to_reporting - 1)) < 1e-6))
        from fx_rates""",
        {"currency": currency},
    )
    is_odd = furthest > 1e-3 if n else bool(others)
    ones = f"; 1 is the rate of {', '.join(others)}" if others else ""
    yield CheckReading(
        "reporting_currency_not_one",
        RATES,
        float(is_odd),
        max(int(n), 1),
        f"The exchange rates are to another currency than {currency}, the report's: its own rate "
        f"is {'not 1' if n else 'absent'}{ones}.",
        "fx_rates",
    )


def rates_out_of_range(data: Dataset) -> Iterator[CheckReading]:
    """Yield the currency whose rates mostly lie where it never traded.

    Another unit, or the wrong way round.
    """
    reporting = data.house.company.currency
    own = _known_ranges().get(reporting)
    if not data.has("fx_rates") or own is None:
        return
    worst: CheckReading | None = None
    for currency, n, n_deals, n_of, low, middle, high in data.rows(
        """
        select f.currency, count(*) as n, any_value(d.n_deals) as n_deals,
          (select count(*) from opportunities) as n_of,
          min(rate_to_reporting) as low, median(rate_to_reporting) as middle, max(rate_to_reporting) as high
        from fx_rates f
        left join (select currency, count(*) as n_deals from opportunities group by currency) d using (currency)
        where rate_to_reporting > 0 and currency <> $currency group by f.currency order by f.currency""",
        {"currency": reporting},
    ):
        usual_range = _known_ranges().get(currency)
        if usual_range is None:
            continue
        least, most = usual_range[0] / own[1], usual_range[1] / own[0]
        is_odd = not least <= middle <= most
        turned = (
            "; turned round they fit: a rate says what one unit costs"
            if least <= 1 / middle <= most
            else ""
        )
        reading = CheckReading(
            "rates_out_of_range",
            RATES,
            is_odd * max(share_of(n_deals or 0, n_of), SMALLEST_SHARE),
            int(n),
            f"The rates of {currency}, in which {n_deals or 0:,} of {n_of:,} deals are, are "
            f"{low:,.4g} to {high:,.4g} "
            f"{reporting} a unit, where it stood between {least:,.3g} and {most:,.3g}{turned}.",
            "fx_rates",
            (currency,),
        )
        if worst is None or reading.value > worst.value:
            worst = reading
    if worst is not None:
        yield worst


def rates_apart(data: Dataset) -> Iterator[CheckReading]:
    """Yield deals converted at a rate far from its currency's other rates, or at one that is years
    old.
    """
    if not data.has("fx_rates", "opportunities"):
        return
    n, n_apart, n_old, apart, old = data.row(
        SQL["rates_apart"],
        {
            "like_a_turn": LIKE_A_TURN,
            "fewest_rates": FEWEST_RATES,
            "most_jump": MOST_JUMP,
            "smallest_turn": SMALLEST_TURN,
            "of_distance": OF_DISTANCE,
            "many_steps": MANY_STEPS,
            "most_days": MOST_DAYS,
        },
    )
    for check, count, named, says in (
        ("rates_apart", n_apart, apart, "a rate that lies far from the rates before and after it"),
        (
            "rates_grown_old",
            n_old,
            old,
            f"a rate that began more than {MOST_DAYS} days before they closed",
        ),
    ):
        examples = f" ({', '.join(sorted(named)[:3])})" if named else ""
        yield CheckReading(
            check,
            RATES,
            share_of(count, n),
            int(n),
            f"{count:,} of {n:,} won deals are converted at {says}{examples}.",
            "fx_rates",
            (),
            int(count),
        )


@functools.cache
def _known_ranges() -> dict[str, tuple[float, float]]:
    text = (
        resources.files("analysis.cleaning.plausibility")
        .joinpath("currencies.toml")
        .read_text(encoding="utf-8")
    )
    return {currency: (low, high) for currency, (low, high) in tomllib.loads(text).items()}


def scale_of_amounts(data: Dataset) -> Iterator[CheckReading]:
    """Yield amounts far from the median, and a currency, file or month whose median is far from all
    others'.
    """
    if not data.has("opportunities"):
        return
    won = data.frame(SQL["won_amounts"])
    if len(won) < FEWEST_WON:
        return
    middle = won["deal_amount"].median()
    n_odd = int(((won["deal_amount"] > 30 * middle) | (won["deal_amount"] < middle / 30)).sum())
    yield CheckReading(
        "amounts_out_of_scale",
        AMOUNTS,
        share_of(n_odd, len(won)),
        len(won),
        (
            f"{n_odd:,} of {len(won):,} won deals are above 30 times or below a thirtieth of the "
            "median."
        ),
        "opportunities",
        (),
        n_odd,
    )
    for name in _GROUPS:
        groups = (
            won.groupby(name)["deal_amount"]
            .agg(["median", "size"])
            .query("size >= @FEWEST_OF_VALUE")
        )
        if len(groups) > 1:
            distance = np.log(groups["median"] / middle).abs()
            worst = distance.idxmax()
            yield CheckReading(
                f"amounts_by_{name}",
                AMOUNTS,
                float(1 - np.exp(-distance.max())),
                int(groups["size"][worst]),
                (
                    f"The median deal won of {name} {worst} is {groups['median'][worst]:,.0f}, "
                    f"{middle:,.0f} over all."
                ),
                "opportunities",
                (str(worst),),
            )
