"""Spellings of one name: what is merged by itself, what an analyst decides, what is put to the analyst.

Two names are one without asking only where they are equal but for case, blanks, accents and
punctuation (``name_key``).  That is stricter than the equality of n-gram fingerprints, which holds a
name's pieces as a set and so takes "Model 100" and "Model 1000" for one.  Other likely pairs go to
``name_review.csv``; the rows an analyst copies from there into ``names.csv`` hold from then on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from analysis.crm import merges
from analysis.crm.engine import identifier, insert_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

SUBJECTS = {"accounts": ("account_name", ("country", "parent_id")), "products": ("product_name", ("product_family",))}
LIKELY = 0.65  # share of two-letter pieces that two names have in common before they are put to the analyst
LONGEST_BLOCK = 60  # names that share a piece so common tell nothing by it
MOST_NAMES = 100_000
MOST_PAIRS = 1_000
LEGAL_FORMS = frozenset(["the", "inc", "incorporated", "llc", "ltd", "limited", "plc", "corp", "corporation", "co", "company", "gmbh", "ag", "kg", "sa", "sas", "sarl", "srl", "spa", "bv", "nv", "ab", "as", "oy"])  # fmt: skip


class Pair(NamedTuple):
    """Two names that may be one, and how much they have in common [0-1]."""

    variant: str
    canonical: str
    similarity: float


def _decided(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the name keys an analyst gave up, each with the key to keep at the end of all decisions."""
    rows = connection.execute(
        "select name_key(variant), name_key(canonical) from accepted_names where table_name = ?", [table]
    ).fetchall()
    return {v: f.survivor for v, f in merges.resolve(rows).items() if f.survivor is not None}


def pairs(connection: duckdb.DuckDBPyConnection, table: str, key: str, gone: set[str]) -> list[tuple[str, str, str]]:
    """Return the typed rows that are another one by name: loser, survivor and the rule, ``accepted_name`` or ``same_name``.

    One name is one record only where nothing contradicts (an account's country and parent, a product's
    family).  `gone`: ids that the CRM merged away itself.
    """
    name, told_apart = SUBJECTS[table]
    parsed = identifier("parsed_" + table)
    decided = _decided(connection, table)
    found: list[tuple[str, str, str]] = []
    ids: dict[str, list[str]] = defaultdict(list)
    wanted = sorted({*decided, *decided.values()})
    for spelling, record in connection.execute(
        f"select distinct name_key({name}), {key} from {parsed} where {key} is not null and name_key({name}) in "
        "(select unnest(?::varchar[])) order by all",
        [wanted],
    ).fetchall():
        if record not in gone:
            ids[spelling].append(record)
    for variant, canonical in decided.items():
        if ids[canonical]:
            keep = ids[canonical][0]
            # where a name is the id, rows of other tables carry the variant's key though no record bears it
            found += [
                (loser, keep, "accepted_name") for loser in dict.fromkeys([*ids[variant], variant]) if loser != keep
            ]
    given_up = {loser for loser, _, _ in found} | gone
    clear = " and ".join(f"count(distinct {c}) <= 1" for c in told_apart)
    alive = "not coalesce(is_deleted, false)" if table == "accounts" else "true"
    groups = connection.execute(
        f"""select list_sort(list_distinct(list({key}))) from {parsed}
        where {key} is not null and name_key({name}) <> '' and {alive} and {key} not in (select unnest(?::varchar[]))
        group by name_key({name}) having count(distinct {key}) > 1 and {clear} order by 1""",
        [sorted(given_up)],
    ).fetchall()
    return found + [(loser, keep, "same_name") for ((keep, *losers),) in groups for loser in losers]


def _core(name: str) -> str:
    """Return a name's words in order of the alphabet, without the legal form."""
    words = re.findall(r"\w+", name.casefold())
    return "".join(sorted(w for w in words if w not in LEGAL_FORMS) or sorted(words))


def _pieces(core: str) -> frozenset[str]:
    padded = f"^{core}$"
    return frozenset(padded[i : i + 2] for i in range(len(padded) - 1))


def _candidates(pieces: dict[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names that share one of their rarest pieces: enough to find every likely pair.

    Of a set of n pieces, two sets with a share of LIKELY in common meet within the n - LIKELY n + 1 rarest.
    """
    count: dict[str, int] = defaultdict(int)
    for held in pieces.values():
        for piece in held:
            count[piece] += 1
    blocks: dict[str, list[str]] = defaultdict(list)
    for name, held in pieces.items():
        rarest = sorted(held, key=lambda p: (count[p], p))
        for piece in rarest[: len(rarest) - int(LIKELY * len(rarest)) + 1]:
            blocks[piece].append(name)
    seen: set[tuple[str, str]] = set()
    for block in blocks.values():
        if len(block) <= LONGEST_BLOCK:
            for pair in combinations(sorted(block), 2):
                if pair not in seen:
                    seen.add(pair)
                    yield pair


def likely_pairs(spellings: Iterable[str]) -> list[Pair]:
    """Return the pairs of different names that may be one, likeliest first; the shorter is the variant.

    Names whose numbers differ are never a pair.

    Examples
    --------
    >>> likely_pairs(["Model 100", "Model 1000", "Acme Technolgy", "Acme Technology"])
    [Pair(variant='Acme Technolgy', canonical='Acme Technology', similarity=0.81)]
    """
    by_number: dict[tuple[str, ...], dict[str, frozenset[str]]] = defaultdict(dict)
    for name in sorted(set(spellings))[:MOST_NAMES]:
        by_number[tuple(re.findall(r"\d+", name))][name] = _pieces(_core(name))
    found = []
    for pieces in by_number.values():
        if len(pieces) < 2:
            continue
        for a, b in _candidates(pieces):
            similarity = len(pieces[a] & pieces[b]) / len(pieces[a] | pieces[b])
            if similarity >= LIKELY:
                variant, canonical = sorted((a, b), key=lambda n: (len(n), n))
                found.append(Pair(variant, canonical, round(similarity, 2)))
    return sorted(found, key=lambda p: (-p.similarity, p))[:MOST_PAIRS]


def inert(text: str) -> str:
    """Return a text that no spreadsheet runs: one that begins like a formula gets a ' in front.

    Examples
    --------
    >>> inert("=1+1"), inert("Acme")
    ("'=1+1", 'Acme')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def review(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``name_review``: likely pairs of clean names, as a row of ``names.csv`` and their similarity.

    A pair the analyst has decided on, or a name decided to stand for itself, is not put again.
    """
    connection.execute(
        "create or replace table name_review (table_name varchar, variant varchar, canonical varchar, similarity double)"
    )
    for table, (name, _) in SUBJECTS.items():
        rows = connection.execute(
            f"""select any_value({name} order by {name}) from {identifier(table)} where name_key({name}) <> ''
            and name_key({name}) not in (select name_key(variant) from accepted_names where table_name = ?
              and name_key(variant) = name_key(canonical)) group by name_key({name})""",
            [table],
        ).fetchall()
        found = likely_pairs(spelling for (spelling,) in rows)
        insert_rows(
            connection, "name_review", [(table, inert(p.variant), inert(p.canonical), p.similarity) for p in found]
        )
