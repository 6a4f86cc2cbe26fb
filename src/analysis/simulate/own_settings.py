"""What the simulated company keeps in files of its own: its settings, its sales-ready leads."""

TEXT = """# Settings of the simulated company; they override the root's alignment.toml key by key.

[company]
name = "Northwind Instruments"      # on the cover
currency = "USD"                    # reporting currency: every <name>_amount is in it
time_zone = "America/New_York"      # for people whose own zone the CRM does not know
joint_executive = "CRO"             # answers for both sales and marketing

[requests]                          # what marketing has for requests of sales in a quarter
capacity_hours = 480.0
budget_amount = 45000
skill_hours = { design = 160.0, events = 220.0 }
most_goals = 5

# Three to five headlines that everybody watches, each with who answers for it and what it should be, in its unit.
[[key_metrics]]
name = "selling_hours_per_week"
owner = "Sales Operations"
definition = "hours of calls, meetings and demos with clients, per rep and employed week"
target = 9.0
[[key_metrics]]
name = "cost_per_selling_hour"
owner = "Finance"
definition = "fully loaded pay over hours with clients"
target = 550
aim = "at most"
[[key_metrics]]
name = "win_rate"
owner = "Sales leadership"
definition = "won / (won + lost), by close date"
target = 0.30
[[key_metrics]]
name = "bookings"
owner = "Revenue Operations"
definition = "contract value of deals won, by close date"
target = 95_000_000
[[key_metrics]]
name = "alignment_index"
owner = "Revenue Operations"
definition = "practices of sales and marketing kept, of 100 points"
target = 50
"""  # noqa: E501

DEFINITIONS = """# What makes a lead sales-ready, by what was known in its first 30 days.

[[definition]]
name = "marketing_2024"
side = "marketing"
valid_from = {first}
when = "n_responses >= 1 or lead_source in ('Web', 'Webinar', 'Content', 'Brochure')"

[[definition]]
name = "sales_2024"
side = "sales"
valid_from = {first}
when = "n_responses >= 1 or lead_source in ('Partner', 'Referral')"

[[definition]]
name = "agreed_2025"
valid_from = {second}
approved_by = "{approver}"
when = "n_responses >= 1 or lead_source in ('Partner', 'Referral', 'Webinar')"

[[definition]]
name = "agreed_2026"
valid_from = {third}
approved_by = "{approver}"
when = "n_responses >= 2 or lead_source in ('Partner', 'Referral')"
"""
