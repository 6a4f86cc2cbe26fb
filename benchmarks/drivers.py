"""Why the demo company's hour of selling cost more, worked by hand beside what the report says.

By hand the cost of an hour is pay per paid hour over the share of paid hours sold: two factors, of
which one goes first.  The report splits into four, and prefers no order.  With the demo company
prepared.

    python benchmarks/drivers.py [--quarter 2026Q3]
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from analysis.chapters.cost import cost_drivers
from analysis.project import quarters, settings
from analysis.store import processed

if TYPE_CHECKING:
    import pandas as pd

PAY = ["base_amount", "commission_amount", "fringe_amount", "overhead_amount"]


def sums_by_hand(stays: pd.DataFrame, minimum_logged_share: float) -> tuple[float, float]:
    """Return pay per paid hour, and the share of paid hours sold, without the product's code."""
    counted = stays[
        (stays["logged_share"] >= minimum_logged_share)
        & stays["selling_hours"].notna()
        & stays[PAY].notna().all(axis="columns")
    ]
    pay = float((counted[PAY].sum(axis="columns") * counted["logged_share"]).sum())
    paid = float((counted["paid_hours"] * counted["logged_share"]).sum())
    return pay / paid, float(counted["selling_hours"].sum()) / paid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quarter", default="2026Q3")
    quarter = parser.parse_args().quarter
    share = settings.load_dataset_settings("demo").hours.minimum_logged_share
    panel = processed.load_table("demo", "rep_quarter")
    for back in (-1, -4):
        before = str(quarters.parse_quarter(quarter).shifted(back))
        then, now = (panel[panel["quarter"] == q] for q in (before, quarter))
        (old_pay, old_sold), (new_pay, new_sold) = (sums_by_hand(s, share) for s in (then, now))
        change = new_pay / new_sold - old_pay / old_sold
        hours_first = old_pay / new_sold - old_pay / old_sold
        pay_first = new_pay / old_sold - old_pay / old_sold
        print(f"{before} to {quarter}: {change:+.2f}")
        print(f"  by hand, hours first: hours {hours_first:+.2f}, pay {change - hours_first:+.2f}")
        print(f"  by hand, pay first:   hours {change - pay_first:+.2f}, pay {pay_first:+.2f}")
        split = cost_drivers.hour_drivers(
            then, now, "cost_per_selling_hour", minimum_logged_share=share
        )
        if split is not None:
            parts = ", ".join(f"{name} {part:+.2f}" for name, part in split.parts.items())
            print(f"  the report: {parts}; sum {sum(split.parts.values()):+.2f}")


if __name__ == "__main__":
    main()
