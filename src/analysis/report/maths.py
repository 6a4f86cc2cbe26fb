r"""LaTeX formulas as Typst formulas.

Typst evaluates a formula, so what could leave the formula is refused before and after the
conversion: ``#`` (it starts code) and quotes (they end a text).
"""

from __future__ import annotations

import re

import tex2typst

GROUPED_DIGITS = re.compile(r"\d{1,3}(?:\{,\}\d{3})+")
UPRIGHT_WORD = re.compile(r"\\mathrm\{([A-Za-z ]{2,})\}")
TEXT = re.compile(r'"[^"\\#]*"')


class MathsError(ValueError):
    """A formula that cannot be set, or not safely."""


def typst(tex: str) -> str:
    """Return the Typst form of a LaTeX formula.

    Raises
    ------
    MathsError
        If the formula holds ``#`` or a quote, or is not LaTeX.

    """
    if re.search(r'["#]', tex):
        raise MathsError(f'formula {tex!r}: # and " are not allowed inside $...$; a plain dollar is written \\$')
    # One number, not digits, commas and digits; words upright, not letter by letter.
    source = GROUPED_DIGITS.sub(lambda m: rf"\text{{{m.group(0).replace('{,}', ',')}}}", tex)
    source = UPRIGHT_WORD.sub(r"\\text{\1}", source)
    try:
        converted = str(tex2typst.tex2typst(source))
    except ValueError as error:
        raise MathsError(f"formula {tex!r}: {str(error).splitlines()[0]}") from None
    if re.search(r'["#]', TEXT.sub("", converted)):
        raise MathsError(f"formula {tex!r} would leave the formula when set")
    return converted
