"""A small company's report, by hand: what the tests of `report` and whoever changes the template look at.

`python tests/support/report_sample.py out.pdf` writes it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from report_cells import AS_OF, HOSTILE, NAN, compiled, outputs, ran, result, said, shows, write
from shown import show_as, show_figure, show_table

from analysis.figures import charts
from analysis.report import document, pdf, show
from analysis.stats.suppression import suppress_cells

if TYPE_CHECKING:
    from analysis.report.document import Document


def _cost(folder: Path) -> Path:
    rng = np.random.default_rng(7)
    teams = pd.DataFrame(
        {
            "team": [
                f"{region} {segment} {k}"
                for region in ("North America", "EMEA", "APAC")
                for segment in ("Enterprise", "Mid-market")
                for k in range(1, 5)
            ],
            "region": ["NA"] * 8 + ["EMEA"] * 8 + ["APAC"] * 8,
            "n_reps": [9, 7, 6, 8, 5, 3, 7, 8, 6, 9, 5, 7, 8, 6, 6, 5, 7, 9, 2, 6, 7, 4, 8, 6],
            "selling": rng.normal(10.4, 1.4, 24),
            "cost": rng.normal(410, 45, 24),
            "bookings": rng.normal(3.4e6, 6e5, 24),
            "win_rate": rng.uniform(0.14, 0.31, 24),
        }
    )
    fig, ax = plt.subplots(figsize=(6.6, 2.7), layout="constrained")
    hours = np.linspace(5, 16, 60)
    ax.plot(hours, 2e6 / 48 / hours, color="#0b4f93")
    ax.set(xlabel="Selling hours per rep and week [h]", ylabel="Required bookings [USD/h]")
    curve = pd.DataFrame({"hours": hours, "required": 2e6 / 48 / hours})
    regions = pd.DataFrame(
        {
            "region": ["North America", "EMEA", "APAC", "Latin America"],
            "n_reps": [55, 53, 53, 4],
            "cost": [401.2, 388.4, 421.9, 288.4],
            "paid": [96.1, 92.2, 99.0, 70.1],
            "hours": [10.6, 10.9, 9.8, 10.1],
        }
    )
    cost = result("cost_per_selling_hour", 412.3, 396.1, 428.8, unit="USD per selling hour")
    need = result(
        "required_bookings_per_selling_hour", 3788.4, 3650, 3921, unit="USD per selling hour"
    )
    return write(
        folder,
        "2_cost_per_hour.ipynb",
        said(
            "# What does an hour of selling cost?\n"
            "The chief revenue officer decides with this how much of a rep's week may go to anything but clients."
        ),
        ran(tags=("parameters",)),
        said("## An hour with clients costs 4.3 times an hour paid"),
        shows(
            show.kpis,
            [
                show.card(cost, label="Cost of an hour of selling", headline=True),
                show.card(need, label="Bookings an hour must bring", headline=True),
            ],
        ),
        shows(
            show.text,
            "Pay for 118 reps came to **$5,104,000** in the quarter. At a quota of $2,000,000 a year each of their "
            "528 selling hours must bring $3,788; a vendor's often quoted example says $399 and $3,788.",
        ),
        shows(
            show.finding,
            "An hour of actual selling costs $412, against $96 for an hour paid.",
            verdict="found",
        ),
        said(
            "The cost of a selling hour is $c_h = \\frac{S + C + F}{w \\cdot h}$ "
            "with pay $S$, commission $C$ and fringe $F$.[^1]\n\n"
            "$$q_h = \\frac{Q}{w\\,h} = \\frac{2{,}000{,}000}{48 \\times 11}$$\n\n"
            "[^1]: Fringe without the paid leave that base salary already holds."
        ),
        said("## Every hour lost to administration raises the bar for the rest"),
        shows(
            show_figure,
            fig,
            title="The fewer the hours, the more each must bring",
            caption="2026Q3 (fiscal), n = 118 reps.",
            alt="A falling curve: at 5 hours a week each must bring $8,333, at 16 hours $2,604.",
            data=curve,
            formats={"hours": "hours", "required": "money"},
            source="CRM activities, quotas.",
            labels={"hours": "Selling hours per week", "required": "Required bookings per hour"},
        ),
        shows(
            show_table,
            regions,
            caption="Cost of an hour by region, 2026Q3",
            formats={
                "region": "text",
                "n_reps": "count",
                "cost": "money",
                "paid": "money2",
                "hours": "hours",
            },
            labels={
                "n_reps": "Reps",
                "cost": "Cost per selling hour",
                "paid": "Cost per paid hour",
                "hours": "Selling per rep and week",
            },
            source="CRM activities, compensation",
        ),
        said("## The teams differ more within a region than between regions"),
        shows(
            show_table,
            suppress_cells(teams, smallest=5, keep=["team", "region"], within=["region"]),
            caption="Selling time, cost and bookings by team, 2026Q3",
            formats={
                "team": "text",
                "region": "text",
                "n_reps": "count",
                "selling": "hours",
                "cost": "money",
                "bookings": "money",
                "win_rate": "percent",
            },
            labels={
                "n_reps": "Reps",
                "selling": "Selling per rep and week",
                "cost": "Cost per selling hour",
            },
            note="Bookings by close date.",
            source="CRM activities, opportunities, compensation",
        ),
        shows(
            show.decision,
            "Move two hours a week of CRM administration from reps to operations in EMEA, by 1 December.",
        ),
        said(
            "## Definitions and sources\n**Selling time** is hours of calls, meetings and demos with clients. "
            "**Fully loaded cost** is base, commission paid and non-cash fringe."
        ),
        shows(show.claims, ["cost_per_selling_hour", "growth_aligned", "selling_elasticity"]),
    )


def _aligned(folder: Path) -> Path:
    rng = np.random.default_rng(3)
    quarters = [f"{y}Q{q}" for y in (2024, 2025, 2026) for q in (1, 2, 3, 4)][:11]
    lines = pd.DataFrame(
        {
            "quarter": quarters,
            "aligned": np.cumsum(rng.normal(0.02, 0.02, 11)),
            "laggard": np.cumsum(rng.normal(0.0, 0.02, 11)),
        }
    )
    fig, ax = plt.subplots(figsize=(6.6, 2.6), layout="constrained")
    ax.plot(quarters, lines["aligned"], color="#1f2933", marker="o", ms=3, label="aligned")
    ax.plot(quarters, lines["laggard"], color="#8a93a3", ls="--", label="laggard")
    ax.set(ylabel="Growth since 2024Q1")
    ax.legend(frameon=False)
    effects = pd.DataFrame({"t": range(-4, 6), "att": rng.normal(0, 0.02, 10)})
    fig2, ax2 = plt.subplots(figsize=(6.6, 2.4), layout="constrained")
    ax2.errorbar(effects["t"], effects["att"], yerr=0.03, fmt="o", color="#0b4f93", ms=3, lw=1)
    ax2.axhline(0, color="#8a93a3", lw=0.6)
    ax2.set(xlabel="Quarters since start", ylabel="ATT")
    wide = pd.DataFrame(
        {"team": [f"Team {k:02}" for k in range(1, 9)]}
        | {q: rng.normal(3e6, 4e5, 8) for q in [*quarters, "2026Q4", "total"]}
    )
    names = pd.DataFrame({"team": HOSTILE, "growth": rng.normal(0.1, 0.1, len(HOSTILE))})
    gap = result(
        "growth_gap", 6.2, -1.4, 13.8, unit="percentage points per year", kind="difference", verdict="cannot tell",
        n=24, n_of="teams", method="jackknife by team", source="CRM opportunities",
    )  # fmt: skip
    npv = result(
        "npv", NAN, NAN, NAN, unit="USD", kind="effect", verdict="cannot tell", n=0, n_of="teams with programme",
        source="programme cost (absent)",
    )  # fmt: skip
    return write(
        folder,
        "4_aligned_vs_laggard.ipynb",
        said(
            "# Do aligned teams grow faster?\n"
            "The two vice presidents decide with this whether the programme goes to all teams."
        ),
        said("## Aligned teams grew faster, but chance could do as much"),
        ran(
            outputs(show.kpi, gap, label="Growth gap, aligned less laggard", headline=True),
            outputs(
                show.kpi,
                npv,
                label="Net present value of the programme",
                note="Programme cost is not in the data.",
                headline=True,
            ),
        ),
        shows(
            show.cannot_tell,
            "Whether aligned teams grow faster: the gap of 6.2 points may be anything from -1.4 to 13.8.",
            needs="two more quarters, or eight more teams",
        ),
        shows(
            show_figure,
            fig,
            title="Aligned teams have pulled ahead since 2025",
            caption="2024Q1 to 2026Q3, n = 24 teams.",
            alt="Two lines: aligned teams rise, laggards stay level.",
            data=lines,
            formats={"quarter": "text", "aligned": "percent", "laggard": "percent"},
            source="CRM opportunities.",
        ),
        shows(
            show_figure,
            fig2,
            title="Nothing happened before the start, little after",
            caption="2024Q1 to 2026Q3, n = 24 teams in 4 cohorts.",
            alt="Ten estimates around zero with intervals that hold zero.",
            data=effects,
            formats={"t": "count", "att": "percent"},
            source="CRM opportunities, programme.",
        ),
        said("## Every team and quarter"),
        shows(
            show_table,
            wide,
            caption="Bookings by team and quarter",
            formats={"team": "text"} | dict.fromkeys([*quarters, "2026Q4", "total"], "money"),
            source="CRM opportunities",
        ),
        shows(
            show_table,
            names,
            caption="Teams with difficult names",
            formats={"team": "text", "growth": "percent"},
            source="CRM",
        ),
        shows(show.text, "Teams asked: " + ", ".join(show.inert(name) for name in HOSTILE) + "."),
        said(
            "> A difference is not an effect: classes sorted on growth give the same gap with no effect at all.\n\n"
            "1. Placebo\n2. Pre-trend\n   - by cohort\n   - pooled\n\n"
            "| Check | Result |\n|---|---:|\n| Placebo | 0.4 |\n| Pre-trend | 0.1 |"
        ),
        said(
            "## Definitions and sources\n"
            "**Aligned**: alignment score of the quarter *before* above the cut fixed in advance."
        ),
    )


def sample(folder: Path) -> Document:
    """Return a document that has everything a report may have."""
    show_as(currency="USD", smallest_cell=5)
    gap = document.MissingChapter(
        position=2,
        title="The return on the programme",
        question="Does alignment pay?",
        needs=[
            {"table": "programme", "columns": ["team_id", "start_date"]},
            {"table": "finance_bookings", "columns": ["quarter", "bookings_amount"]},
        ],
        why="The data hold neither when the programme started nor what it cost.",
    )
    second = document.MissingChapter(
        **(
            gap
            | {
                "position": 3,
                "question": "Which requests does marketing turn down?",
                "title": "The vetting of requests",
                "needs": [{"table": "requests", "columns": ["request_id", "asked_at", "decision"]}],
            }
        )
    )
    inputs = [
        {"file": f, "rows": n, "sha256": h * 16}
        for f, n, h in (("activities.csv", 184_212, "a3f1"), ("opportunities.csv", 6_120, "09bc"))
    ]
    facts = {
        "run_id": "7f3a91c2",
        "code": "c0ffee" * 6,
        "lock": "beef" * 16,
        "parameters": {"dataset": "demo", "quarter": "2026Q3"},
        "inputs": inputs,
        "versions": {"python": "3.11.7", "pandas": "3.1.1", "typst": "0.15.2"},
    }
    earlier = {
        "cost_per_selling_hour": [
            document.Earlier(q, v)
            for q, v in (("2025Q4", 431.0), ("2026Q1", 425.0), ("2026Q2", 418.0))
        ],
        "growth_gap": [document.Earlier("2026Q2", 5.1)],
    }
    notices = ["Not reconciled: bookings lie 2.1% above finance's control total of $41,200,000."]
    with mpl.rc_context():
        charts.use_style()
        chapters = _cost(folder), _aligned(folder)
    return compiled(*chapters, facts=facts, missing=[gap, second], notices=notices, earlier=earlier)


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        Path(sys.argv[1]).write_bytes(pdf.render_pdf(sample(Path(scratch)), timestamp=AS_OF))
