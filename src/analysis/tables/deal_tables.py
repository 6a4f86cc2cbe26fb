"""The tables of what is sold, to whom, and the time it took."""

from __future__ import annotations

from analysis.tables.columns import Column, Table

C = Column

DEAL_TABLES: tuple[Table, ...] = (
    Table(
        "accepted_names",
        "an analyst's decision that two spellings are one account or product",
        ("table_name", "variant"),
        (
            C("table_name", "category", "accounts or products", is_required=True),
            C(
                "variant",
                "text",
                "the spelling to give up; the same as `canonical`: a name that stands for itself",
                is_required=True,
            ),
            C("canonical", "text", "the spelling to keep", is_required=True),
        ),
    ),
    Table(
        "record_merges",
        "a record that the CRM merged into another",
        ("table_name", "record_id"),
        (
            C("table_name", "category", "accounts, leads or opportunities", is_required=True),
            C("record_id", "id", "record that is gone", is_required=True),
            C(
                "survivor_id",
                "id",
                "record it was merged into, itself perhaps merged again",
                is_required=True,
            ),
        ),
    ),
    Table(
        "products",
        "a product",
        ("product_id",),
        (
            C("product_id", "id", "the CRM's product id or name", is_required=True),
            C("product_name", "text", "as the price list calls it", is_required=True),
            C("product_family", "category", "family or series"),
            C(
                "product_key",
                "category",
                "name without case, blanks, accents and punctuation: what spellings share",
            ),
        ),
    ),
    Table(
        "accounts",
        "a company that buys or may buy",
        ("account_id",),
        (
            C("account_id", "id", "the CRM's account id or name", is_required=True),
            C("account_name", "text", "as the CRM calls it; hostile until shown inert"),
            C("industry", "category", "industry"),
            C("country", "category", "billing country"),
            C("employees", "count", "number of employees"),
            C("parent_id", "id", "account it belongs to"),
            C(
                "account_key",
                "category",
                "name without case, blanks, accents and punctuation: what spellings share",
            ),
        ),
    ),
    Table(
        "opportunities",
        "a possible deal",
        ("opportunity_id",),
        (
            C("opportunity_id", "id", "the CRM's opportunity id", is_required=True),
            C("account_id", "id", "account"),
            C("product_id", "id", "main product"),
            C("owner_rep_id", "id", "owner today", is_required=True),
            C(
                "owner_at_close_rep_id",
                "id",
                (
                    "whom a closed deal counts for: the owner, or who last moved its stage where "
                    "the owner joined after the close; missing: unknown"
                ),
            ),
            C(
                "opportunity_type",
                "category",
                "new, expansion, renewal or credit; only a credit may be below zero",
            ),
            C("pipeline", "category", "pipeline or record type as the CRM calls it"),
            C("stage", "category", "stage as the CRM calls it"),
            C(
                "status",
                "category",
                "open, won or lost, from the CRM's closed and won flags",
                is_required=True,
            ),
            C("created_at", "timestamp", "created"),
            C("close_date", "date", "closed, or expected to be"),
            C("raw_amount", "number", "contract value in `currency`"),
            C("currency", "category", "ISO 4217 code"),
            C("fx_rate", "number", "reporting currency per unit on the close date"),
            C("deal_amount", "number", "contract value in the reporting currency"),
            C("probability", "number", "the CRM's probability, 0 to 1"),
            C("lead_source", "category", "where the lead came from"),
            C("campaign_id", "id", "primary campaign"),
            C(
                "cycle_days",
                "number",
                "days from created to closed won; missing where they contradict",
            ),
        ),
        money="deal_amount",
    ),
    Table(
        "opportunity_splits",
        "a rep's share of an opportunity's amount",
        ("opportunity_id", "rep_id", "split_type"),
        (
            C("opportunity_id", "id", "opportunity", is_required=True),
            C("rep_id", "id", "rep", is_required=True),
            C("split_type", "category", "kind of split, such as revenue or overlay"),
            C(
                "split_rate",
                "number",
                "share of the amount; those of an opportunity and type sum to 1",
                is_required=True,
            ),
        ),
    ),
    Table(
        "stage_history",
        "a stay of an opportunity in a stage, [entered_at, exited_at)",
        ("opportunity_id", "entered_at", "stage"),
        (
            C("opportunity_id", "id", "opportunity", is_required=True),
            C("stage", "category", "stage as the CRM calls it", is_required=True),
            C("entered_at", "timestamp", "entered", is_required=True),
            C("exited_at", "timestamp", "left for another stage; missing: still in it"),
            C(
                "stage_order",
                "count",
                "place of the stage among all, by its probability; closed ones last",
            ),
            C("raw_amount", "number", "amount on the opportunity then, in its currency"),
            C("close_date", "date", "close date on the opportunity then"),
            C("changed_by_rep_id", "id", "who moved it"),
        ),
    ),
    Table(
        "activities",
        "a calendar entry or task of one rep",
        ("activity_id",),
        (
            C("activity_id", "id", "the CRM's event or task id", is_required=True),
            C("rep_id", "id", "whose time it took", is_required=True),
            C("kind", "category", "event, call, email or task"),
            C("activity_class", "category", "class by the analyst's table, else unclassified"),
            C("started_at", "timestamp", "start; required of events and of calls with a duration"),
            C("ended_at", "timestamp", "end; missing for tasks"),
            C("minutes", "number", "length; 0 for all-day entries and for tasks without one"),
            C("is_all_day", "boolean", "an all-day entry: counted apart, no hours"),
            C("opportunity_id", "id", "opportunity it was about"),
            C("account_id", "id", "account it was about"),
            C("lead_id", "id", "lead it was about, where the CRM says so"),
        ),
        minutes="minutes",
    ),
    Table(
        "attendees",
        "a person at an activity",
        ("activity_id", "person_key"),
        (
            C("activity_id", "id", "activity", is_required=True),
            C("person_key", "id", "pseudonym of the person", is_required=True),
            C("side", "category", "customer, sales, marketing or other", is_required=True),
            C("rep_id", "id", "the person's user id, where it is a colleague"),
        ),
    ),
)
