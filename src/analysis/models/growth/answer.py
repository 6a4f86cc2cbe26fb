"""One sentence the leadership can repeat, made from the verdict and never typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.claims import CLAIMS

if TYPE_CHECKING:
    from analysis.models.growth.assessment import Assessment
    from analysis.models.growth.power import Power
    from analysis.models.result import Result

MINUS = "\N{MINUS SIGN}"
NOUNS = {"growth_gap": "bookings", "opportunities_gap": "new opportunities"}


def sentence(answer: Assessment) -> str:
    """Return what may be said of the programme and bookings, with the interval and the number of teams."""
    failed = tuple(each.name for each in answer.evidence.guards if each.passed is False)
    words = of_result(answer.growth_gap, answer.power, failed, n_guards=len(answer.evidence.guards))
    if answer.growth_gap.verdict == "cannot tell" and answer.early.verdict == "found":
        words += f" {of_result(answer.early)}"
    if answer.is_exploratory:
        words += " Exploratory: the specification was changed after the data had been seen."
    return words


def of_result(result: Result, power: Power | None = None, failed: tuple[str, ...] = (), *, n_guards: int = 0) -> str:
    """Return one sentence on one result, and what would tell; `failed` names the guards that do not hold.

    Examples
    --------
    >>> from analysis.models.result import Result
    >>> found = Result("growth_gap", 15.2, 8.1, 22.9, "percent of bookings", 40, "teams", "", "", "effect", "found")
    >>> of_result(found)
    'Teams that joined the programme book 15% more for it (8% to 23% more; 40 teams).'
    """
    noun = NOUNS.get(result.name, "")
    spread = f"{_signed(result.low)} to {_signed(result.high)}; {result.n} teams"
    if result.verdict == "found":
        more, low, high = ("more", result.low, result.high)
        if result.estimate < 0:
            more, low, high = ("less", -result.high, -result.low)
        verb = "book" if noun == "bookings" else f"have {abs(result.estimate):.0f}% {more} {noun}"
        amount = f"{verb} {abs(result.estimate):.0f}% {more}" if noun == "bookings" else verb
        return f"Teams that joined the programme {amount} for it ({low:.0f}% to {high:.0f}% {more}; {result.n} teams)."
    if result.verdict == "no material effect":
        return f"Joining the programme made no difference to {noun} that matters ({spread})."
    if failed and (result.low > 0 or result.high < 0):
        side = "above" if result.estimate > 0 else "below"
        return (
            f"{noun.capitalize()} of teams that joined the programme are {abs(result.estimate):.0f}% {side} what they "
            f"would be ({spread}), but whether that is the programme cannot be told: {len(failed)} of {n_guards} "
            f"checks {'does' if len(failed) == 1 else 'do'} not hold ({'; '.join(failed)})."
        )
    tail = f" {power.sentence()}" if power else ""
    return f"Whether joining the programme changed {noun} cannot be told ({spread}).{tail}"


def vendor_line() -> str:
    """Return the vendor's gap as what it is, for the grey line of the chart."""
    best, worst = CLAIMS["growth_aligned"], CLAIMS["growth_laggard"]
    gap = 100 * (best.value - worst.value)
    return (
        f"Vendor survey, not ours: {gap:.0f} points between best and laggards ({best.source}; n = {best.n}; "
        f"grade {best.grade}; {best.is_not})"
    )


def _signed(percent: float) -> str:
    return f"{percent:+.0f}%".replace("-", MINUS)
