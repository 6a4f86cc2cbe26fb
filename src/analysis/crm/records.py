"""Records of an API → rows of texts: JSON lines, JSON arrays and answers that hold one.

A parent's fields become columns of their own (``Account.Name``), a parent that is not there leaves
them blank; ``attributes``, which only say what a record is, are dropped.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from analysis.crm.text_tables import BrokenLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

CHUNK = 1 << 20
LONGEST_RECORD = 16 << 20  # characters
DEEPEST = 6  # parents of parents
ASSOCIATED = {  # what a HubSpot record is associated with → the column of HubSpot's exports that says so
    "companies": "Associated Company IDs",
    "contacts": "Associated Contact IDs",
    "deals": "Associated Deal IDs",
}
PRIMARY = re.compile("(?:deal|contact|lead|meeting|call|email|task|company|ticket)_to_(?:company|contact|deal)")
_ANSWER = re.compile(r'\s*\{[^\[\]{}]*"(?:records|results)"\s*:\s*\[')
_SPACE = re.compile(r"[\s,]*")


def text(value: Any) -> str | None:
    """Return what a value says as text; lists and what lies too deep stay JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str | None]:
    """Return a record with its parents' fields as columns of its own.

    Examples
    --------
    >>> flat({"attributes": {"type": "Opportunity"}, "Id": "1", "Account": {"Name": "Acme"}, "Owner": None, "Won": True})
    {'Id': '1', 'Account.Name': 'Acme', 'Owner': None, 'Won': 'true'}
    """
    columns: dict[str, str | None] = {}
    for name, value in record.items():
        if name == "attributes" and isinstance(value, dict):
            continue
        if name == "associations" and depth == 0 and isinstance(value, dict):
            columns |= associated_ids(value)
            continue
        if isinstance(value, dict) and depth < DEEPEST:
            # HubSpot keeps all of a record's columns under "properties"
            inner = prefix if name == "properties" else f"{prefix}{name}."
            columns |= flat(value, inner, depth + 1)
        else:
            columns[prefix + name] = text(value)
    return columns


def associated_ids(associations: dict[str, Any]) -> dict[str, str | None]:
    """Return what a HubSpot record hangs on, as its exports write it: ids with ; between, the primary one first.

    A type without ``_unlabeled`` or a label of its own is the primary association of two records; each record
    stands there once for every type it has.

    Examples
    --------
    >>> types = ("deal_to_company_unlabeled", "deal_to_company_unlabeled", "deal_to_company")
    >>> results = [{"id": i, "type": t} for i, t in zip("798", types, strict=True)]
    >>> associated_ids({"companies": {"results": results}})
    {'Associated Company IDs': '8;7;9'}
    """
    columns: dict[str, str | None] = {}
    for kind, value in associations.items():
        results = value.get("results") if isinstance(value, dict) else value
        column = ASSOCIATED.get(kind)
        if column is None or not isinstance(results, list):
            columns[f"associations.{kind}"] = text(value)
            continue
        entries = [e if isinstance(e, dict) else {"id": e} for e in results]
        ordered = sorted(entries, key=lambda e: not PRIMARY.fullmatch(str(e.get("type", ""))))
        ids = dict.fromkeys(str(i) for e in ordered if (i := e.get("id", e.get("toObjectId"))) is not None)
        columns[column] = ";".join(ids) or None
    return columns


def _lines(stream: TextIO) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(LONGEST_RECORD):
        number += 1
        if len(line) == LONGEST_RECORD and not line.endswith("\n"):
            raise ValueError(f"line {number} is longer than any record")
        if line.strip():
            yield number, line


def _end(decoder: json.JSONDecoder, text: str) -> int | None:
    """Return where the value that a text begins with ends; nothing where it may go on."""
    try:
        _, end = decoder.raw_decode(text)
    except json.JSONDecodeError:
        return None
    return end if end < len(text) else None


def _of_array(stream: TextIO, start: str) -> Iterator[tuple[int, str]]:
    """Yield the records of a JSON array, whatever its size, each as text; numbered as they come, from 1."""
    decoder, number, rest = json.JSONDecoder(parse_int=str, parse_float=str), 0, start
    while True:
        rest = rest[_SPACE.match(rest).end() :]  # type: ignore[union-attr]  # it always matches
        if rest.startswith("]"):
            return
        end = _end(decoder, rest)
        if end is None:
            more = stream.read(max(CHUNK, len(rest)))
            if not more or len(rest) > LONGEST_RECORD:
                if rest.strip():
                    yield number + 1, rest[:100] + " "  # cut off: no record
                return
            rest += more
            continue
        number += 1
        yield number, rest[:end]
        rest = rest[end:]


def rows(file: Path, name: str, broken: list[BrokenLine]) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield the records of a JSON file, flat, with their numbers; what is no record goes to `broken`."""
    with file.open(encoding="utf-8-sig", errors="strict") as stream:
        try:
            start = stream.read(CHUNK)
            answer = _ANSWER.match(start)
            if answer or start.lstrip().startswith("["):
                found = _of_array(stream, start[answer.end() if answer else start.index("[") + 1 :])
            else:
                stream.seek(0)
                found = _lines(stream)
            for number, line in found:
                try:
                    record = json.loads(line, parse_int=str, parse_float=str)  # an amount stays as it is written
                    json.dumps(record, ensure_ascii=False).encode()
                except ValueError:
                    record = None
                if isinstance(record, dict):
                    yield number, flat(record)
                else:
                    broken.append(BrokenLine(name, number, "no JSON record"))
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8, as JSON has to be") from None
        except RecursionError:
            raise ValueError("its records lie within each other without end") from None
