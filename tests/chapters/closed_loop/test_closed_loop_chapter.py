"""The chapter's tables for a whole company, and for one that exports next to nothing."""

import dataclasses

import pandas as pd
import pytest

from analysis.chapters.closed_loop import chapter, credit, loop_answer, targeting
from analysis.store.company import Company, open_company


class Poor(Company):
    """A company of which some tables are empty."""

    def table(self, name: str) -> pd.DataFrame:
        """Return the table, without rows where nobody exported it."""
        whole = super().table(name)
        gone = {"lead_status_history", "touches", "target_accounts", "campaign_notices",
                "sales_ready_leads", "attendees", "campaigns", "activities"}  # fmt: skip
        if name == "leads":
            return whole.assign(return_reason=None)
        return whole.iloc[:0] if name in gone else whole


@pytest.fixture(scope="module")
def rich(tiny_root):
    """Return the answer for the tiny company."""
    patch = pytest.MonkeyPatch()
    patch.setenv("ALIGNMENT_ROI_ROOT", str(tiny_root))
    yield loop_answer.answer_loop(open_company("tiny"))
    patch.undo()


def tables(answer):
    targets = targeting.company_targets(answer)
    return {
        "data": chapter.loop_data(answer),
        "handed": chapter.handover_figures(answer),
        "ledger": chapter.lead_ledger_table(answer),
        "yields": chapter.yields_table(answer),
        "reasons": chapter.return_reasons(answer),
        "versions": chapter.definition_versions(answer),
        "credit": chapter.credit_by_rule(answer),
        "sources": chapter.deal_sources(answer),
        "aims": chapter.target_figures(answer, targets),
        "alike": chapter.alike_names(answer, targets),
        "events": chapter.events_ready(answer, targets),
        "company": chapter.archetype_table(answer, targets),
    }


def test_a_whole_company_fills_every_table(rich):
    made = tables(rich)
    assert not rich.gaps
    assert [name for name, table in made.items() if table.frame.empty] in ([], ["alike"])
    for table in made.values():
        assert list(table.frame.columns) == list(table.columns)
        assert table.caption
        assert table.source
    money = made["credit"].frame.iloc[:-1, 2:]
    booked = credit.deals_won_in_year(rich)["deal_amount"].sum()
    assert money.sum().tolist() == pytest.approx([booked] * 6, abs=0.005)
    assert made["sources"].frame["share"].sum() == pytest.approx(1.0)
    assert loop_answer.loop_sentence(rich)
    assert set(made["versions"].frame["approval"]) == {"by sales", "by nobody"}


def test_a_company_that_exports_next_to_nothing_is_told_what_is_missing(rich):
    """Every table is empty or holds what is there; each gap says what cannot be told."""
    fields = {f.name: getattr(rich.company, f.name) for f in dataclasses.fields(rich.company)}
    poor = loop_answer.answer_loop(Poor(**fields))
    assert poor.gaps == set(loop_answer.GAPS) - {"lists", "events"}
    made = tables(poor)
    empty = {name for name, table in made.items() if table.frame.empty}
    assert empty == {
        "handed", "ledger", "yields", "reasons", "versions", "credit", "aims", "alike", "events",
    }  # fmt: skip
    assert loop_answer.loop_sentence(poor) == ""
    assert loop_answer.loop_step(poor) == ""
    assert "dated steps" in loop_answer.missing_sentence_of_loop(poor)
    for name in poor.gaps:
        assert loop_answer.gap_sentence(poor, name) in made["data"].note
    assert "cannot tell" in loop_answer.delay_sentence(poor)
    assert "No returned lead" in loop_answer.routing_sentence(poor)
    targets = targeting.company_targets(poor)
    assert "cannot tell" in chapter.spend_sentence(poor, targets)


def test_who_found_the_deals_by_hand(figure):
    """A returned lead, a qualified one, one nobody qualified, a deal with a source, one without."""
    deals = pd.DataFrame(
        {
            "opportunity_id": list("abcde"), "lead_source": [None, None, None, "Web", None],
            "campaign_id": None,
        }
    )  # fmt: skip
    leads = pd.DataFrame(
        {
            "opportunity_id": ["a", "b", "c"], "is_recycled": [True, False, False],
            "mql_at": pd.to_datetime(["2026-01-01", "2026-01-01", None], utc=True),
        }
    )  # fmt: skip
    got = credit.sourcing_split(deals, leads, set())
    assert got["n_deals"].tolist() == [1] * 5
    assert got["share"].sum() == pytest.approx(1.0)
    figure("001-12", "five deals, five sources: shares sum to 1")


def test_spend_whose_account_is_mostly_unknown_places_no_company(rich):
    """A third known is too little for a share on target to stand for all."""
    targets = targeting.company_targets(rich)
    little = targets._replace(spend={"on": 1.0, "off": 9.0, "unknown": 20.0, "total": 30.0})
    enough = targets._replace(spend={"on": 1.0, "off": 9.0, "unknown": 5.0, "total": 15.0})
    signs = [targeting.archetype_of(rich, t)[1].set_index("says") for t in (little, enough)]
    name = "share of spend that reaches target accounts"
    assert pd.isna(signs[0].loc[name, "value"])
    assert signs[1].loc[name, "value"] == pytest.approx(0.1)
