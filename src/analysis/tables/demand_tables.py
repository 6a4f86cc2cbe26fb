"""The tables of where demand comes from: campaigns, leads and their way through the funnel."""

from __future__ import annotations

from analysis.tables.columns import Column, Table

C = Column

DEMAND_TABLES: tuple[Table, ...] = (
    Table(
        "campaigns",
        "a marketing campaign",
        ("campaign_id",),
        (
            C("campaign_id", "id", "the CRM's campaign id", is_required=True),
            C("campaign_name", "text", "as the CRM calls it; hostile until shown inert"),
            C("campaign_type", "category", "webinar, trade show and the like"),
            C("start_date", "date", "first day"),
            C("end_date", "date", "last day"),
            C("budget_amount", "number", "planned cost [currency]"),
            C("cost_amount", "number", "actual cost [currency]"),
            C("currency", "category", "ISO 4217 code the costs were stated in"),
            C(
                "expected_response_rate",
                "number",
                "share of the people reached that was expected to respond",
            ),
        ),
        money="cost_amount",
    ),
    Table(
        "leads",
        "a person who may buy",
        ("lead_id",),
        (
            C("lead_id", "id", "the CRM's lead id", is_required=True),
            C(
                "person_key",
                "id",
                "pseudonym of the person: a lead and the contact it became share one",
                is_required=True,
            ),
            C("created_at", "timestamp", "created"),
            C("owner_rep_id", "id", "owner today; missing where a queue owns it"),
            C("lead_source", "category", "where the lead came from"),
            C("lead_status", "category", "status as the CRM calls it"),
            C(
                "lead_stage",
                "category",
                (
                    "open, mql, sal, sql, nurture, disqualified or converted; missing where the "
                    "map does not know the status"
                ),
            ),
            C("mql_at", "timestamp", "first marketing qualified"),
            C("sal_at", "timestamp", "first accepted by sales"),
            C("sql_at", "timestamp", "first qualified by sales"),
            C("recycled_at", "timestamp", "first handed back to marketing to nurture"),
            C("is_recycled", "boolean", "was handed back to marketing at least once"),
            C("n_cycles", "count", "times it was marketing qualified, a return included"),
            C(
                "return_reason",
                "category",
                "why sales handed it back or would not have it, as the CRM says",
            ),
            C(
                "is_converted",
                "boolean",
                "made an account or opportunity: not the same as having one",
            ),
            C("converted_on", "date", "converted"),
            C("opportunity_id", "id", "opportunity it was converted to"),
            C("account_id", "id", "account it was converted to"),
        ),
    ),
    Table(
        "lead_status_history",
        "a stay of a lead in a status, [entered_at, exited_at)",
        ("lead_id", "entered_at", "lead_status"),
        (
            C("lead_id", "id", "lead", is_required=True),
            C("lead_status", "category", "status as the CRM calls it", is_required=True),
            C("previous_status", "category", "status it left"),
            C(
                "lead_stage",
                "category",
                (
                    "open, mql, sal, sql, nurture, disqualified or converted; missing where the "
                    "map does not know the status"
                ),
            ),
            C("entered_at", "timestamp", "entered", is_required=True),
            C("exited_at", "timestamp", "left for another status; missing: still in it"),
            C("is_recycling", "boolean", "this step hands the lead back to marketing"),
            C(
                "cycle",
                "count",
                "1 until the lead is marketing qualified again after a return, then 2",
            ),
        ),
    ),
    Table(
        "touches",
        "a response of a person to a campaign; one row too where a person in it never responded",
        ("person_key", "campaign_id", "touched_at"),
        (
            C("person_key", "id", "pseudonym of the person, as in leads", is_required=True),
            C("campaign_id", "id", "campaign", is_required=True),
            C(
                "touched_at",
                "timestamp",
                "responded, or put into the campaign where there was no response",
                is_required=True,
            ),
            C(
                "is_response",
                "boolean",
                "the person responded; being sent something is none",
                is_required=True,
            ),
            C("lead_id", "id", "the person's lead"),
            C("opportunity_id", "id", "opportunity the lead was converted to"),
            C(
                "opportunity_weight",
                "number",
                (
                    "share of the opportunity: equal over its responses up to the close, which "
                    "sum to 1"
                ),
            ),
        ),
    ),
)
