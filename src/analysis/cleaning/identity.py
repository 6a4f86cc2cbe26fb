"""Spellings of one name: merged automatically, decided by an analyst, or put to the analyst.

Two names are one without asking only where they are equal but for case, blanks, accents and
punctuation (``name_key``).  That is stricter than the equality of n-gram fingerprints, which holds
a name's pieces as a set and so takes "Model 100" and "Model 1000" for one.  Other likely pairs go
to ``name_review.csv``; the rows an analyst copies from there into ``names.csv`` hold from then on.

Chains of merges followed to their end.

A merged into B and B into C is A merged into C.  Merges that lead back to themselves have no end,
and a record merged into two that are not one has two: neither is guessed at.

Records that became one: by a merge in the CRM, by one name, or by an analyst's decision.

Merges are followed to the last survivor, and what hangs on a record hangs on its survivor from then
on, with its money and hours.  Where merges lead back to themselves, or one record into two, nothing
is moved: the rules set those rows aside.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from analysis.sources.database import has_row, insert_rows, replace_values
from analysis.sources.sql_files import read_statements
from analysis.tables.canonical import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

SQL = read_statements(__name__)
NAMES = {"accounts": "account_name", "products": "product_name"}
# share of two-letter pieces that two names have in common before they are put to the analyst
LIKELY = 0.65
LONGEST_BLOCK = 60  # names that share a piece so common tell nothing by it
MOST_NAMES = 100_000
MOST_PAIRS = 1_000
LEGAL_FORMS = frozenset(
    [
        "the",
        "inc",
        "incorporated",
        "llc",
        "ltd",
        "limited",
        "plc",
        "corp",
        "corporation",
        "co",
        "company",
        "gmbh",
        "ag",
        "kg",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "ab",
        "as",
        "oy",
    ]
)


class Pair(NamedTuple):
    """Two names that may mean one account or product, and their likeness [0-1]."""

    variant: str
    canonical: str
    similarity: float


def _decided(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the name keys an analyst gave up, each with the key to keep at the end of all
    decisions.
    """
    rows = connection.execute(SQL["decisions"], {"table": table}).fetchall()
    return {v: f.survivor for v, f in resolve_merges(rows).items() if f.survivor is not None}


def pairs_by_name(
    connection: duckdb.DuckDBPyConnection, table: str, key: str, gone: set[str]
) -> list[tuple[str, str, str]]:
    """Return typed rows whose name marks them as another row's duplicate.

    Loser, survivor and the rule, ``accepted_name`` or ``same_name``.

    One name is one record only where nothing contradicts (an account's country and parent, a
    product's family).  `gone`: ids that the CRM merged away itself.
    """
    if not has_row(connection, f"parsed_{table}"):
        return []
    decided = _decided(connection, table)
    rows: list[tuple[str, str, str]] = []
    ids: dict[str, list[str]] = defaultdict(list)
    wanted = sorted({*decided, *decided.values()})
    of_table = {"parsed": f"parsed_{table}", "key": key, "name": NAMES[table], "wanted": wanted}
    for spelling, record in connection.execute(SQL["ids_by_spelling"], of_table).fetchall():
        if record not in gone:
            ids[spelling].append(record)
    for variant, canonical in decided.items():
        if ids[canonical]:
            keep = ids[canonical][0]
            # where a name is the id, rows of other tables carry the variant's key though no record
            # bears it
            rows += [
                (loser, keep, "accepted_name")
                for loser in dict.fromkeys([*ids[variant], variant])
                if loser != keep
            ]
    given_up = {loser for loser, _, _ in rows} | gone
    groups = connection.execute(
        SQL[f"{table}_of_one_name"], {"given_up": sorted(given_up)}
    ).fetchall()
    return rows + [(loser, keep, "same_name") for ((keep, *losers),) in groups for loser in losers]


def _core(name: str) -> str:
    """Return a name's words in order of the alphabet, without the legal form."""
    words = re.findall(r"\w+", name.casefold())
    return "".join(sorted(w for w in words if w not in LEGAL_FORMS) or sorted(words))


def _pieces(core: str) -> frozenset[str]:
    padded = f"^{core}$"
    return frozenset(padded[i : i + 2] for i in range(len(padded) - 1))


def _candidates(pieces: dict[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names that share one of their rarest pieces: enough to find every likely pair.

    Of a set of n pieces, two sets with a share of LIKELY in common meet within the n - LIKELY n + 1
    rarest.
    """
    count: dict[str, int] = defaultdict(int)
    for group in pieces.values():
        for piece in group:
            count[piece] += 1
    blocks: dict[str, list[str]] = defaultdict(list)
    for name, group in pieces.items():
        rarest = sorted(group, key=lambda p: (count[p], p))
        for piece in rarest[: len(rarest) - int(LIKELY * len(rarest)) + 1]:
            blocks[piece].append(name)
    done: set[tuple[str, str]] = set()
    for block in blocks.values():
        if len(block) <= LONGEST_BLOCK:
            for pair in combinations(sorted(block), 2):
                if pair not in done:
                    done.add(pair)
                    yield pair


def likely_pairs(spellings: Iterable[str]) -> list[Pair]:
    """Return the pairs of different names that may be one, likeliest first.

    The shorter is the variant.

    Names whose numbers differ are never a pair.

    Examples
    --------
    >>> likely_pairs(["Model 100", "Model 1000", "Acme Technolgy", "Acme Technology"])
    [Pair(variant='Acme Technolgy', canonical='Acme Technology', similarity=0.81)]
    """
    by_number: dict[tuple[str, ...], dict[str, frozenset[str]]] = defaultdict(dict)
    for name in sorted(set(spellings))[:MOST_NAMES]:
        by_number[tuple(re.findall(r"\d+", name))][name] = _pieces(_core(name))
    likely = []
    for pieces in by_number.values():
        if len(pieces) < 2:
            continue
        for a, b in _candidates(pieces):
            similarity = len(pieces[a] & pieces[b]) / len(pieces[a] | pieces[b])
            if similarity >= LIKELY:
                variant, canonical = sorted((a, b), key=lambda n: (len(n), n))
                likely.append(Pair(variant, canonical, round(similarity, 2)))
    return sorted(likely, key=lambda p: (-p.similarity, p))[:MOST_PAIRS]


def make_inert(text: str) -> str:
    """Return a text that no spreadsheet executes: a ' is put before one that begins like a formula.

    Examples
    --------
    >>> make_inert("=1+1"), make_inert("Acme")
    ("'=1+1", 'Acme')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_name_review(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``name_review``.

    Likely pairs of clean names, as a row of ``names.csv`` and their similarity.

    A pair the analyst has decided on, or a name decided to stand for itself, is not put again.
    """
    connection.execute(SQL["name_review"])
    for table, name in NAMES.items():
        if not has_row(connection, table):
            continue
        rows = connection.execute(SQL["open_spellings"], {"table": table, "name": name}).fetchall()
        likely = likely_pairs(spelling for (spelling,) in rows)
        insert_rows(
            connection,
            "name_review",
            [(table, make_inert(p.variant), make_inert(p.canonical), p.similarity) for p in likely],
        )


class Fate(NamedTuple):
    """What became of a record: its last survivor (None where that cannot be told) and the rule that
    says so.
    """

    survivor: str | None
    rule: str


def _fate(targets: Iterable[str], fates: dict[str, Fate]) -> Fate:
    fates_of_targets = [fates[t] for t in targets if t in fates]
    for rule in ("merge_cycle", "merge_conflict"):
        if any(f.rule == rule for f in fates_of_targets):
            return Fate(None, rule)
    ends = {fates[t].survivor if t in fates else t for t in targets}
    return Fate(ends.pop(), "merged_record") if len(ends) == 1 else Fate(None, "merge_conflict")


def resolve_merges(pairs: Iterable[tuple[str, str]]) -> dict[str, Fate]:
    """Return the fate of every record that was merged into another, by way of however many others.

    Examples
    --------
    >>> resolve_merges([("a", "b"), ("b", "c")])["a"]
    Fate(survivor='c', rule='merged_record')
    >>> sorted({f.rule for f in resolve_merges([("a", "b"), ("b", "a")]).values()})
    ['merge_cycle']
    """
    targets: dict[str, set[str]] = {}
    for loser, survivor in pairs:
        if loser != survivor:
            targets.setdefault(loser, set()).add(survivor)
    fates: dict[str, Fate] = {}
    for start in sorted(targets):
        path = [start] if start not in fates else []
        on_path = set(path)
        while path:
            here = path[-1]
            open_ends = sorted(t for t in targets[here] if t in targets and t not in fates)
            if open_ends and not on_path & set(open_ends):
                path.append(open_ends[0])
                on_path.add(open_ends[0])
                continue
            fates[here] = Fate(None, "merge_cycle") if open_ends else _fate(targets[here], fates)
            on_path.discard(path.pop())
    return fates


MERGEABLE = {
    "accounts": "account_id",
    "products": "product_id",
    "opportunities": "opportunity_id",
    "leads": "lead_id",
}
CHILDREN = {"account_id": "accounts", "parent_id": "accounts", "product_id": "products"} | {
    "opportunity_id": "opportunities",
    "lead_id": "leads",
}


def _stated(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> list[tuple[str, str]]:
    """Return the merges that the CRM states: who went into whom."""
    rows = (
        connection.execute(SQL["merges_in_their_table"], {"table": table})
        if table == "products"
        else connection.execute(
            SQL["merges_in_their_rows"], {"table": table, "key": key, "parsed": f"parsed_{table}"}
        )
    ).fetchall()
    return [(loser, survivor) for loser, survivor in rows if loser and survivor]


def _survivors(
    connection: duckdb.DuckDBPyConnection, table: str, key: str
) -> list[tuple[str, str, str | None, str]]:
    stated = _stated(connection, table, key)
    by_name = (
        pairs_by_name(connection, table, key, {loser for loser, _ in stated})
        if table in NAMES
        else []
    )
    if not stated and not by_name:
        return []
    fates = resolve_merges([*stated, *((loser, survivor) for loser, survivor, _ in by_name)])
    why = {loser: rule for loser, _, rule in by_name}
    standing = {
        i
        for (i,) in connection.execute(
            SQL["ids"], {"key": key, "parsed": f"parsed_{table}"}
        ).fetchall()
    }
    rows: list[tuple[str, str, str | None, str]] = []
    for record, fate in sorted(fates.items()):
        if fate.survivor is not None and fate.survivor not in standing:
            rows.append((table, record, None, "survivor_absent"))
        else:
            rows.append(
                (
                    table,
                    record,
                    fate.survivor,
                    why.get(record, fate.rule) if fate.survivor else fate.rule,
                )
            )
    return rows


def define_survivors(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table ``survivors``.

    Of a record merged, its survivor and the rule that says so.
    """
    connection.execute(SQL["survivors"])


def settle_survivors(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``survivors`` from the typed tables and the analyst's decisions, and point typed rows to
    the survivors.

    A lead has the steps of the records merged into it, too, from before its own first one.  A
    deal's history of stages and its splits stay its own and go with it.
    """
    define_survivors(connection)
    rows = [row for table, key in MERGEABLE.items() for row in _survivors(connection, table, key)]
    if not rows:
        return
    insert_rows(connection, "survivors", rows)
    for parent in {table: None for table, _, survivor, _ in rows if survivor is not None}:
        connection.execute(SQL["new_values"], {"table": parent})
        for table, column in _children_of(parent):
            if table == "opportunities":
                connection.execute(SQL["mark_rekeyed_deals"], {"table": parent})
            replace_values(connection, f"parsed_{table}", column)
        if parent == "leads":
            _join_histories(connection)


def _join_histories(connection: duckdb.DuckDBPyConnection) -> None:
    """Hang the steps of leads merged away on their survivors; needs ``new_values`` of leads."""
    connection.execute(SQL["mark_merged_steps"])
    replace_values(connection, "parsed_lead_status_history", "lead_id")
    connection.execute(SQL["mark_overlapping_steps"])
    connection.execute(SQL["date_merged_leads"])


def _children_of(parent: str) -> list[tuple[str, str]]:
    """Return the columns that name records of `parent` but are no key of their own table."""
    return [
        (name, column.name)
        for name, table in TABLES.items()
        for column in table.columns
        if CHILDREN.get(column.name) == parent and column.name not in table.key
    ]
