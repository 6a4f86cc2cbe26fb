"""HubSpot's ids: numbers, one range an object, in the order of the Salesforce ids they stand for."""  # noqa: E501

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from analysis.simulate.exports.salesforce_deals import Keys
    from analysis.simulate.world.calendar import Ints

CASE = 15  # characters of a Salesforce id that tell records apart
STEP = 17  # between two ids of an object


class Ids:
    """One object's ids: Salesforce's, of 15 or 18 characters, to HubSpot's."""

    def __init__(self, first: int, whole: pa.Array) -> None:
        """Give the 18-character ids `whole` numbers from `first` on.

        Order is kept, so that ties break alike.
        """
        self.whole = pc.unique(whole.drop_null())
        self.whole = self.whole.take(pc.sort_indices(self.whole))
        self.known = pc.utf8_slice_codeunits(self.whole, 0, CASE)
        self.numbers = pa.array(first + STEP * np.arange(len(self.whole))).cast(pa.string())

    def of(self, column: pa.ChunkedArray | pa.Array) -> pa.Array:
        """Return HubSpot's id of each Salesforce id; blank where blank, or of another object."""
        return self.numbers.take(pc.index_in(_text15(column), self.known))

    def rank(self, column: pa.ChunkedArray | pa.Array) -> Ints:
        """Return a number of each id that is the same in every row that holds it."""
        positions: Ints = (
            pc.index_in(_text15(column), self.known).fill_null(0).to_numpy(zero_copy_only=False)
        )
        return positions.astype(np.int64)

    def texts(self, ids: list[str]) -> list[str]:
        """Return HubSpot's ids of a list of Salesforce ids."""
        return [str(text) for text in self.of(pa.array(ids, pa.string())).to_pylist()]

    def pairs(self) -> dict[str, str]:
        """Return every pair."""
        return dict(zip(self.whole.to_pylist(), self.numbers.to_pylist(), strict=True))


def _text15(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.utf8_slice_codeunits(whole, 0, CASE)


def id_spaces(files: dict[str, pa.Table], keys: Keys) -> dict[str, Ids]:
    """Return the ids of every object that the exports name."""

    def of(*columns: tuple[str, str], more: pa.Array | None = None) -> pa.Array:
        texts = [files[file][column].combine_chunks() for file, column in columns]
        both = pa.concat_arrays([*([more] if more is not None else []), *texts])
        return both.filter(pc.equal(pc.utf8_length(both), 18))

    deals = of(("Opportunity", "Id"))
    # A planted id with a wrong suffix stands for the right one, which `keys` has.
    news = deals.filter(pc.invert(pc.is_in(_text15(deals), _text15(keys.deal))))
    return {
        "owner": Ids(72_400_000, of(("User", "Id"), ("Event", "OwnerId"), ("Task", "OwnerId"))),
        "team": Ids(31_800_000, keys.team),
        "company": Ids(9_180_000_000, keys.account),
        "deal": Ids(13_600_000_000, pa.concat_arrays([keys.deal, news])),
        "contact": Ids(
            120_400_000, pa.concat_arrays([keys.lead, of(("Event", "WhoId"), ("Task", "WhoId"))])
        ),
        "campaign": Ids(552_000_000, keys.campaign),
        "product": Ids(1_710_000_000, keys.product),
        "engagement": Ids(41_000_000_000, of(("Event", "Id"), ("Task", "Id"))),
    }
