"""How a deal stands, won, lost or open, weighed from what its row and its stage say.

Flags come first, then the probability of a stage that is closed, then the stage's name; a stage of
which none speaks is open where most of its deals are due later than anything in the export.  Where
they contradict each other or nothing speaks, the deal has no outcome and is set aside.  The macros stand in
``outcomes.sql``, the words by which a stage's name says how a deal ended in ``outcome_words.toml``.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
import unicodedata
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from duckdb.sqltypes import VARCHAR

from analysis.project.errors import CrmDataError, OwnMapError
from analysis.sources import own_maps
from analysis.sources.cells import parsers
from analysis.sources.composed_sql import create_table, create_view, named_columns, query_text
from analysis.sources.sql_files import read_statements

if TYPE_CHECKING:
    from analysis.tables.rulebook import Rulebook

SQL = read_statements(__name__)
N_STAGES_NAMED = 6
OUTCOME_COLUMNS = (
    "stage_says",
    "map_says",
    "flags_say",
    "probability_settles",
    "probability_says",
    "is_due",
    "outcome",
    "status",
)
REMEDY = (
    "Export the columns that say it: IsClosed and IsWon (Closed and Won in a report), in HubSpot "
    "hs_is_closed and hs_is_closed_won, or Probability of every deal (100 won, 0 lost, between "
    "them open), or the table of stages with its probabilities; or write an [[export]] for the "
    "file in fields.toml with status = { from = 'StageName', values = { Signed = 'won', Gone = "
    "'lost' } }, its own column and stages. A forecast category does not say it: deals that are "
    "lost and deals left out of the forecast are both Omitted."
)
ORDINAL = re.compile("[a-z]?[0-9]+[a-z]?|[a-z]")  # 6, S7 or B in front of a name


class StageWords(NamedTuple):
    """The words by which stages are named, of all languages."""

    won: frozenset[str]
    lost: frozenset[str]
    closed: frozenset[str]
    filler: frozenset[str]
    open: frozenset[str]
    doubt: dict[str, frozenset[str]]
    part: dict[str, re.Pattern[str]]  # of languages without blanks between words


@functools.cache
def stage_words() -> StageWords:
    """Return the words of ``outcome_words.toml``."""
    file = resources.files("analysis.cleaning").joinpath("outcome_words.toml")
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    of = {
        part: frozenset(itertools.chain(*content[part].values()))
        for part in ("won", "lost", "closed", "filler", "open")
    }
    return StageWords(
        **of,
        doubt={outcome: frozenset(words) for outcome, words in content["doubt"].items()},
        part={outcome: re.compile("|".join(words)) for outcome, words in content["part"].items()},
    )


def name_words(name: str) -> list[str]:
    """Return the words of a stage's name, small and without accents.

    Examples
    --------
    >>> name_words("ClosedWon"), name_words("closedwon"), name_words("Fermée - gagnée")
    (['closed', 'won'], ['closed', 'won'], ['fermee', 'gagnee'])
    """
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    for outcome, part in stage_words().part.items():
        text = part.sub(f" {outcome} ", text)
    marked = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in marked if not unicodedata.combining(c))
    plain = re.sub(r"\bclosed(won|lost)\b", r"closed \1", plain)
    return [word for word in re.split(r"[\W_]+", plain) if word]


@functools.lru_cache(maxsize=4096)
def name_outcome(name: str) -> str | None:
    """Return what a stage's name says of a deal.

    Won, lost, closed (how is not said), open or nothing.

    Examples
    --------
    >>> [name_outcome(n) for n in ("Closed - Won", "Lost - reopened", "Won back", "Cierre perdido")]
    ['won', None, None, 'lost']
    """
    words = stage_words()
    all_words = name_words(name)
    fillers = {w for w in all_words if w in words.filler or ORDINAL.fullmatch(w)}
    named = [w for w in all_words if w not in fillers and w not in words.closed]
    if "?" in name:
        return None
    for outcome, other in (("won", words.lost), ("lost", words.won)):
        if named and named[0] in getattr(words, outcome):
            takes_back = words.doubt[outcome] | other
            return None if takes_back & set(named[1:]) else outcome
    if not named and words.closed & set(all_words):
        return "closed"
    is_step = words.open & set(all_words) and set(all_words) <= words.open | fillers
    return "open" if is_step else None


def define_outcomes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the SQL functions by which the outcome of a deal is weighed."""
    connection.create_function(  # type: ignore[call-overload]  # its stub does not know str | None
        "name_outcome",
        lambda name: None if name is None else name_outcome(name),
        [VARCHAR],
        VARCHAR,
        null_handling="special",  # a name that says nothing is missing
    )
    truth = parsers.PARSERS["boolean"].sql.replace("{x}", "trim(cell)")
    connection.execute("create or replace macro truth_of(cell) as " + truth)
    connection.execute(SQL["macros"])


def deal_outcomes(connection: duckdb.DuckDBPyConnection, book: Rulebook) -> None:
    """Make the table ``deal_outcomes``: when each deal was created and closed and whether it is
    won, lost or open, before any rule.

    Raises
    ------
    CrmDataError
        If there are deals and the outcome of none can be told; the message names their stages.
    """
    layer = "parsed_opportunities"
    trials: list[tuple[str, str]] = []
    try:
        for name in OUTCOME_COLUMNS:
            if name == "probability_settles":
                create_view(connection, "weighed_deals", query_text(["*"], layer))
                connection.execute(SQL["stages_without_flag"])
            (derived,) = named_columns({name: book.derive[name]})
            trials.append((name, query_text([derived], f"{layer} this")))
            layer = f"({query_text([f'this.* replace ({derived})'], f'{layer} this')})"
        outcomes = query_text(["created_at", "close_date", "stage", "status"], layer)
        create_table(connection, "deal_outcomes", outcomes, is_temporary=True)
    except duckdb.Error as error:
        if not book.is_own:
            raise
        column, why = own_maps.sql_at_fault(connection, trials, error)
        raise OwnMapError(
            f"rules/opportunities.toml: {column or 'a column'} under [derive] cannot be run: {why}."
        ) from None
    counted = connection.execute(
        "select count(*), count(status), count(stage) from deal_outcomes"
    ).fetchone()
    n, n_settled, n_staged = counted or (0, 0, 0)
    if n and not n_settled and n_staged:
        raise CrmDataError(untold_outcomes(connection))


def untold_outcomes(connection: duckdb.DuckDBPyConnection) -> str:
    """Say how many deals of ``deal_outcomes`` have an unknown outcome, and how to supply it.

    Empty where every outcome is known.
    """
    counted = connection.execute(
        "select count(*), count(*) - count(status) from deal_outcomes"
    ).fetchone()
    n, n_untold = counted or (0, 0)
    if not n_untold:
        return ""
    stages = connection.execute(
        "select stage from deal_outcomes where stage is not null and status is null "
        "group by stage order by count(*) desc, stage limit ?",
        [N_STAGES_NAMED],
    ).fetchall()
    named = f" (stages {', '.join(stage for (stage,) in stages)})" if stages else ""
    rest = (
        ""
        if n_untold == n
        else ", and none of the others has closed by today: nothing dates the export"
    )
    return (
        f"opportunities: of {n_untold:,} of {n:,} deals it cannot be told whether they were won, "
        f"lost or are open{named}{rest}. {REMEDY}"
    )
