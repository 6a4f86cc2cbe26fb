"""Numbers, shares, amounts of money and lengths of time.

One decimal sign a column, told by its cells.

``1.200`` alone may be a thousand or one and a fifth; ``0.5`` or ``1,234.50`` elsewhere in the
column says which.  Where nothing does, the file is refused until somebody says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.sources.cells.reading import Hints, Reading, decided_by_cells
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE = "[+-]?[0-9]{1,15}"  # the same number whatever the decimal sign
NUMBER = r"[+-]?[0-9]{1,15}([.][0-9]+)?"  # 15 digits: what a double still holds to the unit
LENGTHS = {
    "milliseconds": 1 / 60_000,
    "seconds": 1 / 60,
    "minutes": 1.0,
    "hours": 60.0,
    "duration": None,
}
KINDS = ("number", "percent", "probability", "fraction", "count", *LENGTHS)

_SPELT = (
    "(?:([0-9]+) ?h(?:ours?|rs?)?)? ?(?:([0-9]+) ?m(?:inutes?|ins?)?)? ?(?:([0-9]+) "
    "?s(?:econds?|ecs?)?)?"
)
_ISO = "P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?)?"


def _tells(point: str, comma: str) -> str:
    """Return the form of cores that can only have `point` as decimal sign and `comma` between
    thousands.
    """
    p, c = f"[{point}]", f"[{comma}]"
    thousands = f"[0-9]{{1,3}}(?:{c}[0-9]{{3}})+"
    lakhs = f"|[0-9]{{1,2}}(?:{c}[0-9]{{2}})+{c}[0-9]{{3}}(?:{p}[0-9]+)?" if comma == "," else ""
    return (
        f"[0-9]*{p}(?:[0-9]{{1,2}}|[0-9]{{4,}})|(?:[0-9]{{4,}}|0?){p}[0-9]{{3}}|{thousands}{p}[0-9]+|[0-9]{{1,3}}(?:{c}[0-9]{{3}}){{2,}}|[0-9]{{1,3}}(?:[ "
        f"''][0-9]{{3}})+{p}[0-9]+|[0-9]*{p}[0-9]+[eE].*{lakhs}"
    )


def _written(point: str, comma: str) -> str:
    """Return the form of all cores that can be read with `point` as decimal sign."""
    p, c = f"[{point}]", f"[{comma}]"
    lakhs = f"|[0-9]{{1,2}}(?:{c}[0-9]{{2}})+{c}[0-9]{{3}}" if comma == "," else ""
    whole = f"[0-9]*|[0-9]{{1,3}}(?:(?:{c}[0-9]{{3}})+|(?: [0-9]{{3}})+|(?:''[0-9]{{3}})+){lakhs}"
    return f"(?:{whole})(?:{p}[0-9]+)?(?:[eE][+-]?[0-9]{{1,2}})?"


_EITHER = "[1-9][0-9]{0,2}[.,][0-9]{3}"
_SIGNS = {"point": (".", ","), "comma": (",", ".")}

# minus signs, thin blanks and apostrophes, read as -, a blank and '
ODD_SIGNS = "\u2212\u2013\u00a0\u202f\u2009\u2019\u00b4`"
SQL = read_statements(__name__)


def first_counts(kind: str) -> dict[str, str]:
    """Return SQL of the first counts: cells of digits with at most a decimal point."""
    fast = f"regexp_full_match({{x}}, '{NUMBER}')"
    counts = {
        "n_fast": f"count(*) filter (where {fast})",
        "n_dotted": f"count(*) filter (where contains({{x}}, '.') and {fast})",
        "n_fast_either": "count(*) filter (where {x}[-4] = '.' and regexp_full_match({x}, '[+-]?[1-9][0-9]{0,2}[.][0-9]{3}'))",
    }
    if kind in ("percent", "probability"):
        share = "try_cast(replace({x}, ',', '.') as double)"
        counts |= {
            "n_shares": f"count(*) filter (where {share} > 0 and {share} <{'=' * (kind == 'probability')} 1)",
            "n_above": f"count(*) filter (where not coalesce({share} <= 1, false) and {{x}} is not null)",
        }
    return counts


def second_counts(kind: str) -> dict[str, str]:
    """Return SQL of the second counts, over the cells written otherwise."""
    core = f"{_core(kind)}({{x}})"
    counts = {
        "n_point": f"regexp_full_match({core}, '{_tells('.', ',')}')",
        "n_comma": f"regexp_full_match({core}, '{_tells(',', '.')}')",
        "n_either": f"regexp_full_match({core}, '{_EITHER}')",
        "n_readable": f"{core} <> ''",
    }
    if kind in LENGTHS:
        counts["n_readable"] = f"{core} <> '' or regexp_matches({{x}}, '[0-9]')"
    if kind == "number":
        counts["n_money"] = f"{core} <> '' and money_sign(plain_signs({{x}})) <> ''"
    return {n: f"count(*) filter (where {sql})" for n, sql in counts.items()}


def _core(kind: str) -> str:
    return "length_core" if kind in LENGTHS else "amount_core"


def _decimal(column: str, n: Mapping[str, int], hint: str | None) -> tuple[str, str]:
    """Return a column's decimal sign, and why."""
    points, commas = n["n_point"] + n["n_dotted"] - n["n_fast_either"], n["n_comma"]
    either = n["n_either"] + n["n_fast_either"]
    remedy = 'say decimal = "point" or "comma" under [reading] in the dataset\'s fields.toml'
    if not points and not commas and not either:
        return "point", ""
    sign = decided_by_cells(
        {"comma": commas, "point": points},
        hint,
        none_tells=(
            f"its column {column} has {either:,} numbers such as 1.200 or 1,200 and none that "
            f"tells thousands from decimals; {remedy}"
        ),
        both_told=f"its column {column} has {points:,} numbers with a decimal point and {commas:,} with a "
        "decimal comma; "
        f"save it in one notation, or {remedy}",
    )
    if not points and not commas:
        return sign, f"decimal {sign}, as said ({either:,} numbers could be read either way)"
    return sign, f"decimal {sign} ({max(points, commas):,} of {n['n']:,} can be read no other way)"


def decide_numbers(kind: str, column: str, n: Mapping[str, int], hints: Hints) -> Reading:
    """Return how a column of numbers is read.

    Raises
    ------
    Ambiguous
        If its cells do not tell the decimal sign, and nothing was said.
    """
    sign, why = _decimal(column, n, hints.decimal)
    point, comma = _SIGNS[sign]
    note = f"{column}: {why}" if why and (sign == "comma" or n["n_readable"]) else ""
    if sign == "point" and not n["n_readable"]:
        value = "try_cast({x} as double)"
        value = (
            value
            if n["n_fast"] == n["n"]
            else f"case when regexp_full_match({{x}}, '{NUMBER}') then {value} end"
        )
        in_percent = "false"
    else:
        value, in_percent = (
            _plain_first(kind, sign, _written_value(kind, point, comma)),
            "contains({x}, '%')",
        )
    unreadable = "unreadable_duration" if kind in LENGTHS else "unreadable_number"
    swapped = f"regexp_full_match({_core(kind)}({{x}}), '{_written(comma, point)}')"
    rule = f"case when {swapped} and {_core(kind)}({{x}}) <> '' and ({value}) is null then 'contradictory_number' else '{unreadable}' end"
    if sign == "point" and n["n_fast"] == n["n"]:  # nothing then contradicts the column
        rule = f"'{unreadable}'"
    code = None
    if kind in ("percent", "probability", "fraction"):
        share, says = _share(kind, column, n, value, in_percent)
        note = says or note
        rule = f"case when ({value}) is not null then 'percent_or_fraction' else {rule} end"
        value = f"case when {share} between 0 and 1 then {share} end"
    elif kind == "count":
        value = f"case when {value} >= 0 and {value} % 1 = 0 then ({value})::bigint end"
        if not n["n_readable"] and sign == "point":
            value = "case when regexp_full_match({x}, '[0-9]{1,18}([.]0+)?') then split_part({x}, '.', 1)::bigint end"
    elif kind in LENGTHS and in_percent == "false" and LENGTHS[kind] is not None:
        value = f"({value}) * {LENGTHS[kind]!r}"
    elif kind == "duration" and in_percent == "false":
        value, rule = "null", "'unreadable_duration'"
    if kind == "number" and n["n_money"]:
        code = "money_code(money_sign(plain_signs({x})))"
        note = f"{note or column + ': decimal point'}; {n['n_money']:,} cells name their currency"
    return Reading(value, rule, note, code)


def _share(
    kind: str, column: str, n: Mapping[str, int], value: str, in_percent: str
) -> tuple[str, str]:
    """Return the SQL of a column of shares, and a note where its cells contradict its unit."""
    of_percent = f"case when {in_percent} then {value} end"
    if kind == "fraction" or not n["n_shares"] or n["n_above"]:
        divisor = "" if kind == "fraction" else " / 100"
        return f"case when {in_percent} then {value} else {value}{divisor} end", ""
    shares = (
        f"{column}: {n['n_shares']:,} of {n['n']:,} lie between 0 and 1 and none above: fractions"
    )
    if kind == "probability":  # cells formatted as percent, which a spreadsheet keeps as fractions
        return value, shares
    return (
        "null" if in_percent == "false" else of_percent,
        f"{shares}, not the percentages the map says",
    )


def _plain_first(kind: str, sign: str, value: str) -> str:
    """Return the SQL of a number of which plain ones, as nearly all are, go by a cast and the
    others by `value`.
    """
    factor = LENGTHS.get(kind, 1.0)
    if factor is None:
        return value
    return f"case when regexp_full_match({{x}}, '{NUMBER if sign == 'point' else WHOLE}') then {{x}}::double * {factor!r} else {value} end"


def _written_value(kind: str, point: str, comma: str) -> str:
    """Return the SQL of a number in any notation with this decimal sign."""
    core = f"{_core(kind)}({{x}})"
    marks = f"'{point}', '{comma}'"
    number = f"case when {core} <> '' and regexp_full_match({core}, '{_written(point, comma)}') then core_value({core}, {marks}) end"
    if kind in LENGTHS:
        return _length(kind, number)
    value = f"{number} * sign_of(plain_signs({{x}})) * scale_of(plain_signs({{x}}))"
    balanced = "starts_with({x}, '(') = ends_with({x}, ')')"
    return f"case when {balanced} then {value} / case when contains({{x}}, '%') then 100 else 1 end end"


def _length(kind: str, number: str) -> str:
    """Return the SQL of a length of time in minutes: its own unit wins over the map's."""
    factor = LENGTHS[kind]
    unit = "lower(regexp_extract({x}, '[0-9] ?([A-Za-z]+)[.]?$', 1))"
    bare = f"{number} * {factor!r}" if factor is not None else "null"
    lead = {"hours": 60.0, "minutes": 1.0}.get(
        kind
    )  # the map's unit is what a clock of two parts begins with
    clock = "null"
    if lead is not None:
        clock = f"split_part({{x}}, ':', 1)::double * {lead} + split_part({{x}}, ':', 2)::double * {lead / 60!r}"
    parts = "split_part({x}, ':', 1)::double * 60 + split_part({x}, ':', 2)::double + split_part({x}, ':', 3)::double / 60"
    spelt = " + ".join(
        f"spelt_part(lower({{x}}), '^{_SPELT}$', {i}) * {f!r}"
        for i, f in ((1, 60.0), (2, 1.0), (3, 1 / 60))
    )
    iso = " + ".join(
        f"spelt_part({{x}}, '^{_ISO}$', {i}) * {f!r}"
        for i, f in ((1, 1440.0), (2, 60.0), (3, 1.0), (4, 1 / 60))
    )
    sign = "case when plain_signs({x})[1] = '-' then -1 else 1 end"
    return (
        "case when regexp_full_match({x}, '[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?') then "
        + parts
        + " when regexp_full_match({x}, '[0-9]{1,3}:[0-5][0-9]') then "
        + clock
        + f" when regexp_full_match({{x}}, '{_ISO}') and regexp_matches({{x}}, '[0-9]') then {iso}"
        + (
            f" when length_core({{x}}) <> '' and {unit} <> '' then {number} * "
            f"unit_minutes({unit}) * {sign}"
        )
        + f" when length_core({{x}}) <> '' then {bare} * {sign}"
        + f" when regexp_matches({{x}}, '[0-9]') and regexp_full_match(lower({{x}}), '{_SPELT}') then {spelt} end"
    )
