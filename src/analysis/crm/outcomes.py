"""How a deal stands, won, lost or open, weighed from what its row and its stage say.

Flags come first, then the probability of a stage that is closed, then the stage's name; where they
contradict each other or none speaks, the deal has no outcome and is set aside.  The macros stand in
``outcomes.sql``, the words by which a stage's name says how a deal ended in ``outcome_words.toml``.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from analysis.crm import parse
from analysis.crm.engine import identifier
from analysis.schema import CrmDataError

if TYPE_CHECKING:
    import duckdb

    from analysis.crm.rules import Rulebook

N_STAGES_NAMED = 6
LISTS = {"won": "won_words", "lost": "lost_words", "closed": "closed_words"}
LISTS |= {"filler": "filler_words", "open": "open_words"}
REMEDY = (
    "Export the columns that say it: IsClosed and IsWon (Closed and Won in a report), in HubSpot "
    "hs_is_closed and hs_is_closed_won, or the table of stages with its probabilities; "
    "or map each stage to won, lost or open as status in fields.toml."
)


def define_outcomes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the SQL macros by which the outcome of a deal is weighed, ``outcome_of`` before all."""
    folder = resources.files("analysis.crm")
    words = tomllib.loads(folder.joinpath("outcome_words.toml").read_text(encoding="utf-8"))
    lists = {name: [w for ws in words[part].values() for w in ws] for part, name in LISTS.items()}
    lists |= {f"{outcome}_doubts": ws for outcome, ws in words["doubt"].items()}
    for name, listed in lists.items():
        connection.execute(f"set variable {identifier(name)} = $listed", {"listed": listed})
    parts = {f"part_{outcome}": "|".join(ws) for outcome, ws in words["part"].items()}
    truth = parse.PARSERS["boolean"].sql.replace("{x}", "trim(cell)")
    text = folder.joinpath("outcomes.sql").read_text(encoding="utf-8")
    connection.execute(text.format(truth=truth, **parts))


def settle_outcomes(connection: duckdb.DuckDBPyConnection, book: Rulebook) -> None:
    """Let ``parsed_opportunities`` hold each deal's outcome as its status, before any rule judges.

    Raises
    ------
    CrmDataError
        If there are deals and the outcome of none can be told; the message names their stages.
    """
    layer = "parsed_opportunities"
    for name in ("stage_says", "outcome", "status"):
        layer = f"(select this.* replace (({book.derive[name]}) as {name}) from {layer} this)"
    connection.execute(
        f"create or replace temp table settled as select this.* from {layer} this;"
        "drop table parsed_opportunities; alter table settled rename to parsed_opportunities"
    )
    counted = connection.execute(
        "select count(*), count(status), count(stage) from parsed_opportunities"
    ).fetchone()
    n, n_told, n_staged = counted or (0, 0, 0)
    if n and not n_told and n_staged:
        stages = connection.execute(
            "select stage from parsed_opportunities where stage is not null "
            "group by stage order by count(*) desc, stage limit ?",
            [N_STAGES_NAMED],
        ).fetchall()
        raise CrmDataError(
            f"opportunities: of {n:,} of {n:,} deals it cannot be told whether they were won, lost "
            f"or are open (stages {', '.join(stage for (stage,) in stages)}). {REMEDY}"
        )
