"""Which rows hold one of many ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_among(ids: pd.Series, chosen: pd.Series | pd.Index | Sequence[str]) -> pd.Series[bool]:
    """Return whether each of `ids` (texts) is one of `chosen`; a missing id is not.

    ``Series.isin`` of a column of texts makes a Python object of each of `chosen`: eight seconds
    for half a million ids, where this takes a sixth of one.
    """
    wanted = pa.array(pd.Series(chosen, dtype="str").dropna(), pa.large_string())
    is_in = pc.is_in(pa.array(ids, pa.large_string()), value_set=wanted)
    return pd.Series(is_in.to_numpy(zero_copy_only=False), ids.index, dtype=bool)
