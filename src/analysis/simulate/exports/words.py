"""The made-up names of a simulated company, and the text that tries to do harm."""

from __future__ import annotations

FIRST = (
    "Ada", "Amir", "Ana", "Ben", "Carla", "Chen", "Dana", "David", "Elif", "Emma", "Femi",
    "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jin", "Joao", "Kaya", "Lars", "Lena", "Liam",
    "Maya", "Mei", "Nia", "Nils", "Noor", "Omar", "Paul", "Priya", "Ravi", "Rosa", "Sam", "Sara",
    "Tara", "Tom", "Uma", "Vera", "Yuki", "Zoe",
)  # fmt: skip
LAST = (
    "Abe", "Adeyemi", "Ahmed", "Bauer", "Berg", "Brown", "Castro", "Cohen", "Costa", "Diaz",
    "Dubois", "Eriksen", "Fischer", "Garcia", "Gupta", "Haddad", "Hansen", "Ito", "Jansen",
    "Kaur", "Kim", "Kovacs", "Larsen", "Lee", "Lopez", "Mehta", "Moreau", "Mwangi", "Nakamura",
    "Novak", "Okafor", "Patel", "Rossi", "Santos", "Schmidt", "Silva", "Tanaka", "Weber", "Wong",
    "Young",
)  # fmt: skip
STEMS = (
    "Alder", "Aspen", "Beacon", "Birch", "Cedar", "Cobalt", "Delta", "Ember", "Falcon", "Granite",
    "Harbor", "Iris", "Juniper", "Krypton", "Lumen", "Maple", "Nimbus", "Onyx", "Pioneer",
    "Quartz", "Raven", "Summit", "Tidal", "Umbra", "Vertex", "Willow", "Xenon", "Yonder",
    "Zephyr",
)  # fmt: skip
FIELDS = (
    "Foods", "Freight", "Health", "Insurance", "Labs", "Logistics", "Media", "Power", "Retail",
    "Steel", "Systems",
)  # fmt: skip
INDUSTRIES = (
    "Manufacturing",
    "Healthcare",
    "Financial Services",
    "Retail",
    "Energy",
    "Transportation",
    "Technology",
)
PRODUCTS = (
    "Northwind Core", "Northwind Analytics", "Northwind Connect", "Northwind Mobile",
    "Northwind Secure", "Onboarding", "Premium Support",
)  # fmt: skip
COUNTRIES = {
    "Americas": ("United States", "Canada", "Brazil", "Mexico"),
    "EMEA": ("Germany", "United Kingdom", "France", "South Africa"),
    "APAC": ("Singapore", "Japan", "Australia", "India"),
}
ZONES = {
    "Americas": ("America/New_York", "America/Chicago", "America/Sao_Paulo"),
    "EMEA": ("Europe/Berlin", "Europe/London", "Europe/Paris"),
    "APAC": ("Asia/Singapore", "Asia/Tokyo", "Australia/Sydney"),
}
HOSTILE = (
    '=HYPERLINK("http://evil.example","x")', "<script>alert(1)</script>", "#panic()", "$x$",
    "'; drop table accounts; --", "../../etc/passwd",
)  # fmt: skip
INNOCENT = (
    "Total Energies",
    "Contest Ltd",
    "Testa S.p.A.",
    "Zürich Café Gruppe",
)  # the last for encodings
SUBJECTS = (
    ("Client meeting", "Client meeting: negotiation", "Client meeting: contract"),
    ("Client meeting", "Product demo", "Client meeting: discovery"),
    ("Call with client", "Call with client: follow-up"),
    ("Preparation: client meeting", "Preparation: demo", "Proposal writing"),
    ("Prospecting block", "List building", "Account research"),
    ("Internal meeting", "Pipeline review", "Internal meeting: team"),
    ("Admin", "Reporting", "Admin: CRM hygiene"),
    ("Training", "Training: product"),
    ("Hold", "Misc", "Busy", "Tbc"),
    ("Cold call", "Cold call: introduction"),
)
JOINT = "Sales and marketing meeting"
TASKS = (
    "Email: follow-up",
    "Email: introduction",
    "To do: update forecast",
    "To do: send brochure",
)
