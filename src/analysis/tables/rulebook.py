"""A named rule, and all rules and columns that judge one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from analysis.tables.columns import Kind

Action = Literal["quarantine", "drop", "flag"]
Scope = Literal["row", "table"]


class Rule(NamedTuple):
    """A named judgement of rows; `quirk` is the CRM quirk it answers.

    `is_junk`: a row it takes says that its source's times cannot be trusted; enough of them refuse
    the source. `only_if`: a rule that sees the table is run only where a row fulfils this SQL, so a
    table without is not scanned. `is_planned`: what it drops is no fact of its own, however much of
    it there is, so that nothing is lost by it. `is_repeat`: it takes rows for repeats by their
    content: uneven by nature, and a guess where there are many. `alike`: columns, parted by commas;
    a rule that sees the table sees only rows that another equals in them, so that those alone of
    their kind need not be put in order.
    """

    name: str
    action: Action
    when: str
    reason: str
    scope: Scope = "row"
    quirk: int | None = None
    is_junk: bool = False
    only_if: str | None = None
    is_planned: bool = False
    is_repeat: bool = False
    alike: str | None = None


class Rulebook(NamedTuple):
    """How one table is judged: columns read for the rules only, columns computed, and the rules.

    `is_own`: rules of the dataset's are among them, so that they are run (and refused) without any
    row too.
    """

    work: dict[str, Kind]
    derive: dict[str, str]
    rules: tuple[Rule, ...]
    is_own: bool = False
