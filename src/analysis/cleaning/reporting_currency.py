"""Whether the exports' money can be stated in the reporting currency at all, asked before any row
is judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis.project.errors import CrmDataError

if TYPE_CHECKING:
    import duckdb

_CODES = """
select currency, count(*), (select count(*) from parsed_opportunities),
  exists (select 1 from parsed_fx_rates f where f.currency = o.currency)
    or bool_or(o.converted_amount is not null and o.converted_currency = getvariable('currency'))
from parsed_opportunities o where currency is not null group by currency"""


def require_reachable(connection: duckdb.DuckDBPyConnection, reporting: str, dataset: str) -> None:
    """Refuse deals that are all in one other currency without a rate.

    They would be shown under a wrong sign, or lost.

    Raises
    ------
    CrmDataError
        With the line to write, if every deal that names a currency names the same other one.
    """
    codes = connection.execute(_CODES).fetchall()
    if len(codes) != 1:
        return
    code, n_named, n_all, has_rate = codes[0]
    if code == reporting or has_rate:
        return
    remedy = (
        f'Write `currency = "{code}"` under [company] in data/raw/{dataset}/alignment.toml, or add '
        "fx_rates.csv."
        if re.fullmatch("[A-Z]{3}", code)
        else f'Map that name to its ISO code in fields.toml, such as values = {{ "{code}" = "EUR" }}.'
    )
    raise CrmDataError(
        f"opportunities: {n_named:,} of {n_all:,} rows name their currency and all name {code}, "
        "but the reporting "
        f"currency is {reporting} and no exchange rate for {code} is there. "
        f"{remedy}"
    )
