"""What a dataset's own SQL may say: one expression over its row, and nothing else.

A folder that was received is data.  An expression of its map or rules is parsed before any of it is
run: a statement behind it, a table, a file, a query of its own or a function that is not listed
here is refused by file and key.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from analysis.project.errors import OwnMapError
from analysis.project.nearest_name import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 4_000  # characters of one expression
MOST_GROWTH = (
    10_000  # times that the texts of one table may become longer, all expressions together
)
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
LOOK_UP = "look_up_"

_CLASSES = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "WINDOW",
}
_REFUSED = {
    "LAMBDA": "an arrow or a lambda",
    "PARAMETER": "a parameter",
    "POSITIONAL_REFERENCE": "a column by its number",
    "STAR": "a star",
    "SUBQUERY": "a query of its own",
}
_JOINING = {"||", "concat", "concat_ws"}


@functools.cache
def allowed_functions() -> dict[str, list[str]]:
    """Return the functions that own SQL may call, by kind, and the variables it may ask for."""
    file = resources.files("analysis.sources").joinpath("own_sql.toml")
    names: dict[str, list[str]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return names


@functools.cache
def _parser() -> duckdb.DuckDBPyConnection:
    """Return a database that parses and holds nothing."""
    return duckdb.connect(config={"enable_external_access": False, "threads": 1})


@functools.lru_cache(maxsize=4096)
def _tree(select: str) -> dict[str, Any]:
    row = _parser().execute("select json_serialize_sql($1)", [select]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {}
    return tree


def _parts(node: object) -> Iterator[dict[str, Any]]:
    """Return every expression in a parsed one, itself first."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for value in node.values():
            yield from _parts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parts(value)


def _single_expression(sql: str, where: str) -> dict[str, Any]:
    """Return the parsed expression of `sql`, refused where it is more or less than one."""
    only = f"{where} must be one SQL expression over the columns of its row"
    if len(sql) > LONGEST:
        raise OwnMapError(f"{where} has {len(sql):,} characters; at most {LONGEST:,} are read.")
    tree = _tree(f"select (\n{sql}\n)")
    if tree.get("error"):
        why = str(tree.get("error_message", "")).partition("\n")[0]
        raise OwnMapError(f"{only}, but cannot be parsed: Parser Error: {why}.")
    nodes = [statement["node"] for statement in tree["statements"]]
    # Between brackets too: "a) or (b" would be closed by what stands around it.
    is_closed = not _tree(f"select [\n{sql}\n]").get("error")
    if len(nodes) != 1 or nodes[0]["type"] != "SELECT_NODE" or not is_closed:
        raise OwnMapError(f"{only}, but something stands behind it.")
    (node,) = nodes
    clauses = {
        "from": node["from_table"]["type"] != "EMPTY",
        "where": node["where_clause"] is not None,
        "group by": bool(node["group_expressions"]) or node["aggregate_handling"] != "STANDARD_HANDLING",
        "having": node["having"] is not None,
        "qualify": node["qualify"] is not None,
        "sample": node["sample"] is not None,
        "with": bool(node["cte_map"]["map"]),
        "order by or limit": bool(node["modifiers"]),
    }  # fmt: skip
    found = [name for name, is_there in clauses.items() if is_there]
    if found or len(node["select_list"]) != 1:
        what = f"has a {found[0]} of its own" if found else "a second one stands behind it"
        raise OwnMapError(f"{only}, but {what}.")
    expression: dict[str, Any] = node["select_list"][0]
    return expression


def _require_listed(part: dict[str, Any], where: str, look_ups: Iterable[str]) -> None:
    name = part["function_name"].lower()
    if part.get("catalog") or part.get("schema") not in {"", "main"}:
        raise OwnMapError(f"{where}: {name} must be called by its bare name.")
    *kinds, variables = allowed_functions().values()
    known = {"getvariable", *look_ups, *itertools.chain(*kinds)}
    if name not in known:
        raise OwnMapError(
            f"{where}: the function {name} may not be used here.{did_you_mean(name, sorted(known))} "
            "src/analysis/sources/own_sql.toml lists those that may."
        )
    if name == "getvariable":
        argument = part["children"][0] if part["children"] else {}
        value = argument.get("value", {}).get("value") if isinstance(argument, dict) else None
        if value not in variables:
            raise OwnMapError(
                f"{where}: getvariable may ask for {', '.join(map(repr, variables))} only."
            )


def _growth(part: dict[str, Any], where: str) -> int:
    """Return how many times longer a part makes its text at most."""
    name = part.get("function_name", "")
    if name in _JOINING:
        return max(1, len(part["children"]))
    if name not in {"replace", "regexp_replace"}:
        return 1
    by = part["children"][2] if len(part["children"]) > 2 else {}
    if by.get("class") != "CONSTANT":
        raise OwnMapError(f"{where}: what {name} puts in must be a text in quotes.")
    text = str(by["value"].get("value") or "")
    return max(1, len(text) + text.count("\\") * 10)


class Expression(NamedTuple):
    """An own expression to be put between what is ours, and how many times longer it makes a text."""

    sql: str
    growth: int


def read_expression(sql: str, where: str, look_ups: Iterable[str] = ()) -> Expression:
    """Return an expression of the dataset's own; refused where it is none, or does more than that.

    Parameters
    ----------
    sql : str
        The expression, as the map or rule has it.
    where : str
        File and key, for the message.
    look_ups : iterable of str
        Functions that the maps' lookups are.

    Raises
    ------
    OwnMapError
        If it is more than one expression, asks a table, a file or a setting, or uses a function
        that is not listed.

    Examples
    --------
    >>> read_expression("stage = 'Won' and amount > 0", "rule x").growth
    1
    >>> read_expression("1) from read_text('/etc/passwd') where (true", "rule x")
    Traceback (most recent call last):
    ...
    analysis.project.errors.OwnMapError: rule x must be one SQL expression over the columns of its row, but something stands behind it.
    """
    growth = 1
    for part in _parts(_single_expression(sql, where)):
        kind = part["class"]
        if kind not in _CLASSES:
            what = _REFUSED.get(kind, kind.lower().replace("_", " "))
            raise OwnMapError(f"{where} must be one expression without {what}.")
        if kind in {"FUNCTION", "WINDOW"}:
            _require_listed(part, where, look_ups)
            growth *= _growth(part, where)
    return Expression(f"(\n{sql}\n)", growth)  # lines of its own: it may end in a comment


def require_bounded(growths: Iterable[int], where: str) -> None:
    """Raise `OwnMapError` where all expressions of one table can make a text too long together."""
    if math.prod(growths) > MOST_GROWTH:
        raise OwnMapError(
            f"{where}: its expressions put texts together so often that one can become more than "
            f"{MOST_GROWTH:,} times as long. Use fewer of ||, concat and replace."
        )


def require_name(name: object, where: str) -> None:
    """Raise `OwnMapError` if a name of the dataset's own is more than small letters, digits and _."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise OwnMapError(
            f"{where} must be called by small letters, digits and _ (at most 60, a letter first), "
            f"got {name!r}."
        )


def look_up_function(lookup: str, column: str) -> str:
    """Return what the function is called that finds a column of a lookup by its first column."""
    return f"{LOOK_UP}{lookup}_{column}"
