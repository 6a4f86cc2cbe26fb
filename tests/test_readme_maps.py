"""The maps that README.md prints are run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from crm_tables import cleaned, user, write
from test_recognise import own

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
MAPS = [
    text for text in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[export]]" in text
]


def test_the_first_map_reads_deals_by_their_state(raw):
    own(raw, MAPS[0])
    deal = {
        "Deal no": "1",
        "Owner no": user()["Id"],
        "State": "Won",
        "Closed on": "2026-02-10",
        "Value": "76.5",
    }
    others = [
        deal | {"Deal no": "2", "State": "Lost"},
        deal | {"Deal no": "3", "State": "Open"},
        deal | {"Deal no": "4", "State": "Asleep"},
    ]
    write(raw, deals=[deal, *others], User=[user()])
    got = cleaned()
    deals = got.tables["opportunities"].set_index("opportunity_id")
    assert deals["status"].to_dict() == {"1": "won", "2": "lost", "3": "open"}
    assert deals.loc["1", "deal_amount"] == 76.5
    assert got.aside() == {"unmapped_value": 1}


def test_the_second_map_finds_each_seller_in_the_joined_file(raw):
    """With the line of rules/opportunities.toml that stands beside its column; S2 is of no one."""
    own(raw, MAPS[1])
    said = re.search(r"# rules/(\w+)\.toml: (\[work\]) (.*)", MAPS[1])
    assert said is not None
    (raw / "rules").mkdir()
    (raw / "rules" / f"{said[1]}.toml").write_text(f"{said[2]}\n{said[3]}\n", encoding="utf-8")
    deals = [
        {"No": "1", "Seller": "S1", "Result": "gewonnen"},
        {"No": "2", "Seller": "S2", "Result": "verloren"},
    ]
    write(
        raw,
        deals=deals,
        sellers=[{"Code": "S1", "Name of seller": "Ada Lund"}],
        User=[user(Name="Ada Lund")],
    )
    got = cleaned()
    assert got.tables["opportunities"]["status"].tolist() == ["won"]
    assert got.aside() == {"missing_required": 1}


STATE = '{ from = "State", values = { Won = "won", Lost = "lost", Open = "open" } }'


@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ('"true"', '"false"')])
def test_flags_may_be_mapped_to_true_and_false_with_or_without_quotes(raw, yes, no):
    flags = (
        f'is_closed = {{ from = "State", values = {{ Won = {yes}, Lost = {yes}, Open = {no} }} }}\n'
        f'is_won = {{ from = "State", values = {{ Won = {yes}, Lost = {no}, Open = {no} }} }}'
    )
    assert f"status = {STATE}" in MAPS[0]
    own(raw, MAPS[0].replace(f"status = {STATE}", flags))
    deal = {
        "Deal no": "1",
        "Owner no": user()["Id"],
        "State": "Won",
        "Closed on": "2026-02-10",
        "Value": "5",
    }
    write(
        raw, deals=[deal, deal | {"Deal no": "2", "State": "Lost"}, deal | {"Deal no": "3", "State": "Open"}],
        User=[user()],
    )  # fmt: skip
    assert cleaned().tables["opportunities"]["status"].tolist() == ["won", "lost", "open"]
