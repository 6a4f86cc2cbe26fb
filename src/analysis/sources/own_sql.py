"""What a dataset's own SQL may hold: one expression over its row, and nothing else.

A folder that was received is data.  An expression of its map or rules is parsed before any of it is
run: a statement behind it, a table, a file, a query of its own or a function that is not listed
here is refused by file and key.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import tomllib
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from analysis.project.errors import OwnMapError
from analysis.project.nearest_name import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LONGEST = 4_000  # characters of one expression
MOST_GROWTH = 50  # times that a text may become longer, by one expression and those it rests on
MOST_WILDCARDS = 2  # of a pattern whose search takes a power of the text's length
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
# What SQL knows without brackets: the clock and the session, of which no row tells.
_OF_SESSION = re.compile(r"current_\w+|local(time|timestamp)|(session_)?user", re.IGNORECASE)
# A name of the table itself is the whole row, itself and all that was put together before.
_ROWS = re.compile(r"this|candidates|lead_signals|unnamed_subquery\d*", re.IGNORECASE)
_PLAIN_TYPES = re.compile(
    r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BOOLEAN|FLOAT|DOUBLE|DECIMAL|VARCHAR|DATE|TIME|INTERVAL"
    r"|TIMESTAMP( WITH TIME ZONE|_S|_MS|_NS)?"
)
_LISTS = {"list_value", "row", "struct_pack"}
# The database tries every way to share a text among the wildcards of these; that of LIKE without
# single signs it reads once.
_LIKES = {"~~", "!~~", "~~*", "!~~*", "~~~"} | {
    f"{kind}_escape" for kind in ("like", "not_like", "ilike", "not_ilike")
}
_MOST_ARGUMENTS = {"max": 1, "min": 1, "arg_max": 2, "arg_min": 2}  # one more: so many of them
_TRUTHS = {"BETWEEN", "COMPARISON", "CONJUNCTION"}


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
        raise OwnMapError(f"{only}, but more text follows it.")
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
    extra_clauses = [name for name, is_there in clauses.items() if is_there]
    if extra_clauses or len(node["select_list"]) != 1:
        what = (
            f"has a {extra_clauses[0]} of its own"
            if extra_clauses
            else "a second one stands behind it"
        )
        raise OwnMapError(f"{only}, but {what}.")
    expression: dict[str, Any] = node["select_list"][0]
    return expression


def _require_listed(part: dict[str, Any], where: str, look_ups: Iterable[str]) -> None:
    name = part["function_name"].lower()
    if part.get("catalog") or part.get("schema") not in {"", "main"}:
        raise OwnMapError(f"{where}: {name} must be called by its bare name.")
    *kinds, variables = allowed_functions().values()
    allowed = {"getvariable", *look_ups, *itertools.chain(*kinds)}
    if name not in allowed:
        raise OwnMapError(
            f"{where}: the function {name} may not be used here."
            f"{did_you_mean(name, sorted(allowed))} "
            "src/analysis/sources/own_sql.toml lists those that may."
        )
    if name == "getvariable":
        argument = part["children"][0] if part["children"] else {}
        value = argument.get("value", {}).get("value") if isinstance(argument, dict) else None
        if value not in variables:
            raise OwnMapError(
                f"{where}: getvariable may ask for {', '.join(map(repr, variables))} only."
            )


def _constant(node: object) -> str | None:
    """Return the text of a part that is one in quotes, else None."""
    if not isinstance(node, dict) or node.get("class") != "CONSTANT":
        return None
    value = node["value"]
    return str(value.get("value") or "") if value["type"]["id"] == "VARCHAR" else None


def _require_bounded_call(part: dict[str, Any], where: str) -> None:
    """Refuse a call that takes or makes far more than its row holds."""
    name, arguments = part["function_name"].lower(), part["children"]
    if len(arguments) > _MOST_ARGUMENTS.get(name, len(arguments)):
        raise OwnMapError(f"{where}: {name} takes one value here, not several.")
    texts = [_constant(each) for each in arguments]
    if name == "strftime" and not any("%" in (text or "") for text in texts):
        raise OwnMapError(f"{where}: the format of strftime must be a text in quotes.")
    if name in {"replace", "regexp_replace"} and len(texts) > 2 and texts[2] is None:
        raise OwnMapError(f"{where}: the text that {name} inserts must stand in quotes.")
    if name not in _LIKES:
        return
    pattern = texts[1] if len(texts) > 1 else None
    if pattern is None:
        raise OwnMapError(f"{where}: the pattern of like, ilike or glob must be a text in quotes.")
    many, single = ("*", "?[") if name == "~~~" else ("%", "_")
    is_read_once = name in {"~~", "!~~"} and single not in pattern
    if not is_read_once and len(re.findall(f"[{many}]+(?=[^{many}])", pattern)) > MOST_WILDCARDS:
        raise OwnMapError(
            f"{where}: the pattern {pattern!r} has more than {MOST_WILDCARDS} times {many} before "
            "other signs, which can take years. Use regexp_matches."
        )


def _require_plain(part: dict[str, Any], where: str) -> None:
    """Refuse the clock, the whole row as one value, and what is no plain value."""
    kind, names = part["class"], part.get("column_names", [])
    if kind == "COLUMN_REF" and len(names) == 1:
        if _OF_SESSION.fullmatch(names[0]):
            raise OwnMapError(
                f"{where}: {names[0]} may not be used: its value is not part of the row."
            )
        if _ROWS.fullmatch(names[0]):
            raise OwnMapError(f"{where}: {names[0]} is a whole row; name a column of it.")
    if kind == "CAST" and not _PLAIN_TYPES.fullmatch(part["cast_type"]["id"]):
        raise OwnMapError(f"{where}: a value may be cast to a number, text, date or boolean only.")


def _growth(node: object, columns: Mapping[str, int], where: str) -> int:
    """Return how many times longer than the longest cell of its row a value can be at most."""
    if isinstance(node, list):
        return sum(_growth(each, columns, where) for each in node)
    if not isinstance(node, dict):
        return 0
    kind, name = node.get("class"), str(node.get("function_name", "")).lower()
    if kind == "COLUMN_REF":
        return columns.get(node["column_names"][-1].lower(), 1)
    if kind == "CASE":
        _growth([check["when_expr"] for check in node["case_checks"]], columns, where)
        values = [*(check["then_expr"] for check in node["case_checks"]), node["else_expr"]]
        return max(_growth(each, columns, where) for each in values)
    total = sum(_growth(value, columns, where) for value in node.values())
    if kind in _TRUTHS:
        return 0
    if name in {"replace", "regexp_replace"}:
        text = (_constant(node["children"][2]) or "") if len(node["children"]) > 2 else ""
        at_each_place = 1 if name == "regexp_replace" and text else 0
        total = max(1, total) * max(1, len(text) + text.count("\\") * 10 + at_each_place)
    elif name == "concat_ws" or name in _LISTS:
        total *= 2  # what stands between them, and signs before quotes
    if total > MOST_GROWTH and kind in {"FUNCTION", "WINDOW"}:
        raise OwnMapError(
            f"{where}: it puts texts together so often that one can become more than {MOST_GROWTH} "
            "times as long. Use fewer of ||, concat and replace."
        )
    return total


class Expression(NamedTuple):
    """An expression of the dataset's own, ready to stand inside our SQL, and by how many times it
    may lengthen a text.
    """

    sql: str
    growth: int


def read_expression(
    sql: str,
    where: str,
    look_ups: Iterable[str] = (),
    columns: Mapping[str, int] = MappingProxyType({}),
) -> Expression:
    """Return an expression of the dataset's own; refuse a text that is not one, or that does more.

    Parameters
    ----------
    sql : str
        The expression, as the map or rule has it.
    where : str
        File and key, for the message.
    look_ups : iterable of str
        Functions that the maps' lookups are.
    columns : mapping
        How many times longer than a cell those columns can be that own expressions computed.

    Raises
    ------
    OwnMapError
        If it is more than one expression, asks a table, a file or a setting, uses a function that is
        not listed, or can take or make far more than its row holds.

    Examples
    --------
    >>> read_expression("stage || ' ' || stage", "rule x").growth
    2
    >>> read_expression("1) from read_text('/etc/passwd') where (true", "rule x")
    Traceback (most recent call last):
    ...
    analysis.project.errors.OwnMapError: rule x must be one SQL expression over the columns of its row, but more text follows it.
    """
    tree = _single_expression(sql, where)
    for part in _parts(tree):
        kind = part["class"]
        if kind not in _CLASSES:
            what = _REFUSED.get(kind, kind.lower().replace("_", " "))
            raise OwnMapError(f"{where} must be one expression without {what}.")
        _require_plain(part, where)
        if kind in {"FUNCTION", "WINDOW"}:
            _require_listed(part, where, look_ups)
            _require_bounded_call(part, where)
    growth = _growth(tree, columns, where)
    return Expression(f"(\n{sql}\n)", growth)  # lines of its own: it may end in a comment


def require_name(name: object, where: str) -> None:
    """Raise `OwnMapError` if a name of the dataset's own holds anything but small letters, digits
    and _.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise OwnMapError(
            f"{where} must have a name of small letters, digits and _ (at most 60, a letter "
            f"first), got {name!r}."
        )


def look_up_function(lookup: str, column: str) -> str:
    """Return the name of the function that finds a column of a lookup by its first column."""
    return f"{LOOK_UP}{lookup}_{column}"
