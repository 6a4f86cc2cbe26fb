"""One export file while it is being soiled.

A row is soiled once, or copied once; what was done to it is noted by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.simulate.exports import salesforce_format as sf

if TYPE_CHECKING:
    from analysis.simulate.world.calendar import Bools, Ints


@dataclass(frozen=True)
class Rates:
    """Share of a file's rows that get each defect [0-1]; their number where a default is whole."""

    deleted: float = 0.005
    repeated: float = 0.003
    test: float = 0.002
    id_checksum: float = 0.0005
    unreadable_date: float = 0.0005
    unreadable_number: float = 0.0005
    negative_amount: float = 0.0005
    amount_out_of_scale: float = 0.0002
    unknown_currency: float = 0.0005
    won_without_amount: float = 0.001
    closed_before_created: float = 0.003
    short_id: float = 0.1
    double_logged: float = 0.02
    cancelled: float = 0.01
    series: float = 0.0005
    before_1990: float = 0.001
    duration_disagrees: float = 0.001
    longer_than_8_hours: float = 0.001
    ends_before_start: float = 0.001
    after_as_of: float = 0.003
    unknown_rep: float = 0.0005
    bursts: int = 3
    burst_calls: int = 120
    call_without_duration: float = 0.02
    repeated_users: int = 2
    overlapping_memberships: int = 2
    implausible_pay: int = 2
    manager_rollups: bool = True
    repeated_annual: int = 3
    goals_twice: int = 3
    plans_turned_round: int = 2
    shares_in_percent: int = 2
    unknown_assets: int = 4
    requests_overanswered: int = 2
    requests_begun_early: int = 3
    scores_off_scale: int = 5
    meetings_ahead: int = 2


RATES = Rates()


Values = Sequence[str | None]
FIRST_NEW = 5_000_000  # the number of the first id that is only dirt


class Defect(NamedTuple):
    """One rule, and the records that must trip it."""

    file: str
    table: str
    rule: str
    action: str
    ids: list[str]


class Sheet:
    """One file while it is being soiled: rows still clean, rows to add, and what was done."""

    def __init__(self, file: str, about: str, table: pa.Table, rng: np.random.Generator) -> None:
        """Take a file as it is."""
        self.file, self.about, self.table, self.rng = file, about, table, rng
        self.defects: dict[str, Defect] = {}
        self.clean = np.ones(len(table), bool)
        self.added: list[pa.Table] = []
        self.next_id = FIRST_NEW

    def text(self, column: str) -> list[str | None]:
        """Return a column as it stands."""
        return list(self.table[column].to_pylist())

    def choose(self, rate: float, where: Bools | None = None) -> Ints:
        """Return clean rows to soil, in order: a share of the file, or a whole number."""
        able = np.flatnonzero(self.clean if where is None else self.clean & where)
        wanted = (
            rate
            if isinstance(rate, int)
            else max(round(rate * len(self.table)), 1)
            if rate > 0
            else 0
        )
        rows = np.sort(self.rng.choice(able, min(wanted, len(able)), replace=False))
        self.clean[rows] = False
        return rows

    def take(self, column: str, rows: Ints) -> list[str]:
        """Return the values of some rows; blanks as empty text."""
        values = self.table[column].take(pa.array(rows)).to_pylist()
        return ["" if value is None else value for value in values]

    def put(self, column: str, rows: Ints, values: Values) -> None:
        """Replace the values of some rows, given in order."""
        mask = np.zeros(len(self.table), bool)
        mask[rows] = True
        place = self.table.column_names.index(column)
        whole = self.table[column].combine_chunks()
        changed = pc.replace_with_mask(whole, pa.array(mask), pa.array(values, pa.string()))
        self.table = self.table.set_column(place, column, changed)

    def alter(
        self, rule: str, action: str, rows: Ints, key: list[str] | None = None, **columns: Values
    ) -> None:
        """Soil rows that were there, and note them by the id they had (or by `key`)."""
        ids = self.take("Id", rows) if key is None else key
        for column, values in columns.items():
            self.put(column, rows, values)
        self.note(rule, action, ids)

    def add(
        self, rule: str, action: str, rows: Ints, *, prefix: str | None = None, **columns: Values
    ) -> None:
        """Add copies of `rows`, some columns changed, under new ids if there is a `prefix`."""
        copy = self.table.take(pa.array(rows))
        if prefix is not None:
            fresh = sf.salesforce_ids(prefix, self.next_id + np.arange(len(rows)))
            self.next_id += len(rows)
            columns = {"Id": fresh.to_pylist()} | columns
        for column, values in columns.items():
            place = copy.column_names.index(column)
            copy = copy.set_column(
                place, column, pa.array(values, self.table.schema.field(column).type)
            )
        self.added.append(copy)
        self.note(rule, action, copy["Id"].to_pylist())

    def note(self, rule: str, action: str, ids: list[str]) -> None:
        """Remember what was planted; nothing planted leaves no trace."""
        if ids:
            self.defects[f"{self.file}.{rule}"] = Defect(self.file, self.about, rule, action, ids)

    def done(self) -> pa.Table:
        """Return the file with the added rows somewhere in it."""
        table = pa.concat_tables([self.table, *self.added])
        n_new = len(table) - len(self.table)
        place = np.concatenate(
            [np.arange(len(self.table)), self.rng.uniform(0, len(self.table), n_new)]
        )
        return table.take(pa.array(np.argsort(place, kind="stable")))
