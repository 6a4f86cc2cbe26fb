"""Records of an API → rows of texts: JSON lines, JSON arrays and answers that hold one.

A parent's fields become columns of their own (``Account.Name``), a parent that is not there leaves
them blank; ``attributes``, which only say what a record is, are dropped.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.sources.files.text_table import BrokenLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

CHUNK = 1 << 20
LONGEST_RECORD = 16 << 20  # characters
DEEPEST = 6  # parents of parents
# what a HubSpot record is associated with → the column of HubSpot's exports that says so
ASSOCIATED = {
    "companies": "Associated Company IDs",
    "contacts": "Associated Contact IDs",
    "deals": "Associated Deal IDs",
}
PRIMARY = re.compile(
    "(?:deal|contact|lead|meeting|call|email|task|company|ticket)_to_(?:company|contact|deal)"
)
_ANSWER = re.compile(  # what Salesforce, HubSpot, Dataverse, Pipedrive and Zoho call the list of records
    r'\s*(?P<around>(?:\{[^\[\]{}]*"[^"\[\]{}]+"\s*:\s*){0,3}?)'  # as a command line or GraphQL wraps an answer
    r'(?P<answer>\{(?:[^\[\]{}]|\{[^\[\]{}]*(?:\{[^\[\]{}]*\}[^\[\]{}]*)*\})*"(?:records|results|value|data|items|users|owners|deals|contacts|companies)"\s*:\s*)\[(?=\s*[{\]])'
)
_SPACE = re.compile(r"[\s,]*")
_GOES_ON = re.compile(
    r"next|nextlink|nextrecordsurl|nextpage|nextpagetoken|nextcursor|hasmore|hasnextpage|moreitemsincollection|odatanextlink|after"
)
_IS_LAST = re.compile(r"done|islast|islastpage|lastpage|complete|iscomplete")
_TOTAL = re.compile(
    r"totalsize|total|totalcount|totalresults|totalrecords|totalitems|odatacount|recordcount|count"
)
MARKS = {"nextrecordsurl", "paging", "hasmore", "odatanextlink", "totalsize", "nextpagetoken"}


class Page(NamedTuple):
    """What an answer states about itself: the number of records in all, and whether more follow."""

    n_records: int = 0
    total: int | None = None
    is_more: bool = False
    has_end: bool = False  # a part of it says it is the last


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def page_of(answer: dict[str, Any], page: Page) -> Page:
    """Return what an answer states about itself beside its records, at any depth.

    Examples
    --------
    >>> page_of({"totalSize": "5000", "done": False}, Page())
    Page(n_records=0, total=5000, is_more=True, has_end=False)
    >>> page_of({"paging": {"next": {"after": "100"}}}, Page()).is_more
    True
    """
    total, is_more, is_last = page.total, False, False
    stack = [answer]
    while stack:
        for name, value in stack.pop().items():
            key = _folded(name)
            if _GOES_ON.fullmatch(key) and value not in (None, False, "", {}, "false"):
                is_more = True
            elif _IS_LAST.fullmatch(key) and isinstance(value, bool):
                is_more, is_last = is_more or not value, value
            elif _TOTAL.fullmatch(key) and re.fullmatch(r"[0-9]{1,15}", str(value)):
                total = max(total or 0, int(value))
            if isinstance(value, dict):
                stack.append(value)
    return page._replace(
        total=total, is_more=is_more, has_end=page.has_end or is_last or not is_more
    )


def value_text(value: Any) -> str | None:
    """Return a value as text; lists and anything too deep stay JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def flatten_record(
    record: dict[str, Any], prefix: str = "", depth: int = 0
) -> dict[str, str | None]:
    """Return a record with its parents' fields as columns of its own.

    Examples
    --------
    >>> flatten_record({"attributes": {"type": "Opportunity"}, "Id": "1", "Account": {"Name": "Acme"}, "Owner": None, "Won": True})
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
            columns |= flatten_record(value, inner, depth + 1)
        else:
            columns[prefix + name] = value_text(value)
    return columns


def associated_ids(associations: dict[str, Any]) -> dict[str, str | None]:
    """Return the ids of records that a HubSpot record is associated with, as its exports write
    them.

    Between, the primary one first.

    A type without ``_unlabeled`` or a label of its own is the primary association of two records;
    each record stands there once for every type it has.

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
            columns[f"associations.{kind}"] = value_text(value)
            continue
        entries = [e if isinstance(e, dict) else {"id": e} for e in results]
        ordered = sorted(entries, key=lambda e: not PRIMARY.fullmatch(str(e.get("type", ""))))
        ids = dict.fromkeys(
            str(i) for e in ordered if (i := e.get("id", e.get("toObjectId"))) is not None
        )
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


class _Arrays:
    """The records of the arrays of a JSON text, one behind the other, and what the answers around
    them say.
    """

    def __init__(self, stream: TextIO, start: str) -> None:
        self.stream, self.rest, self.page = stream, start, Page()
        self.number, self.decoder = 0, json.JSONDecoder(parse_int=str, parse_float=str)

    def _more(self) -> bool:
        more = self.stream.read(max(CHUNK, len(self.rest)))
        self.rest += more
        return bool(more)

    def _records(self) -> Iterator[tuple[int, str]]:
        """Yield the records of one array, whatever its size, each as text.

        Numbered as they come, from 1.
        """
        while True:
            self.rest = self.rest[_SPACE.match(self.rest).end() :]  # type: ignore[union-attr]  # it always matches
            if self.rest.startswith("]"):
                self.rest = self.rest[1:]
                return
            end = _end(self.decoder, self.rest)
            if end is None:
                if len(self.rest) > LONGEST_RECORD or not self._more():
                    if self.rest.strip():
                        self.number += 1
                        yield self.number, self.rest[:100] + " "  # cut off: no record
                    self.rest = ""
                    return
                continue
            self.number += 1
            yield self.number, self.rest[:end]
            self.rest = self.rest[end:]

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yield the records of every array.

        Text that is neither array nor answer comes as a record that is none.
        """
        while True:
            self.rest = self.rest.lstrip()
            if not self.rest:
                if not self._more():
                    return
                continue
            answer = _ANSWER.match(self.rest)
            if answer is None and not self.rest.startswith("["):
                self.number += 1
                yield self.number, self.rest[:100] + " "
                return
            self.rest = self.rest[answer.end() if answer else 1 :]
            before = self.number
            yield from self._records()
            n_records = self.page.n_records + self.number - before
            self.page = self.page._replace(n_records=n_records)
            if answer:
                answer_fields = json.loads(answer["answer"] + "[]}") | self._behind()
                for _ in range(answer["around"].count("{")):
                    answer_fields |= self._behind()
                self.page = page_of(answer_fields, self.page)

    def _behind(self) -> dict[str, Any]:
        """Return what an answer says behind its records."""
        while True:
            try:
                answer_fields, end = self.decoder.raw_decode('{"":0' + self.rest)
            except json.JSONDecodeError:
                if len(self.rest) > LONGEST_RECORD or not self._more():
                    self.rest = ""
                    return {"done": False}  # cut off
                continue
            self.rest = self.rest[end - len('{"":0') :]
            return dict(answer_fields)


def record_rows(
    file: Path, name: str, broken: list[BrokenLine], pages: list[Page] | None = None
) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield the records of a JSON file, flat, with their numbers.

    Anything that is not a record goes to `broken`.

    What the file says of itself, such as that there are more records elsewhere, goes to `pages`.
    """
    with file.open(encoding="utf-8-sig", errors="strict") as stream:
        try:
            start = stream.read(CHUNK)
            arrays = None
            page = Page()
            if _ANSWER.match(start) or start.lstrip().startswith("["):
                numbered: Iterator[tuple[int, str]] = iter(arrays := _Arrays(stream, start))
            else:
                stream.seek(0)
                numbered = _lines(stream)
            for number, line in numbered:
                try:
                    record = json.loads(
                        line, parse_int=str, parse_float=str
                    )  # an amount stays as it is written
                    json.dumps(record, ensure_ascii=False).encode()
                except ValueError:
                    record = None
                if (
                    isinstance(record, dict)
                    and arrays is None
                    and MARKS & {_folded(k) for k in record}
                ):
                    page = page_of(record, page)
                elif isinstance(record, dict):
                    page = page._replace(n_records=page.n_records + 1)
                    yield number, flatten_record(record)
                else:
                    broken.append(BrokenLine(name, number, "no JSON record"))
            if pages is not None:
                pages.append(arrays.page if arrays else page)
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8, as JSON has to be") from None
        except RecursionError:
            raise ValueError("its records are nested too deeply") from None
