"""A team's view of a project: its rows and nothing of any other team, as bytes that travel."""

import io
import itertools
import json
import zipfile

import pandas as pd
import pytest

from analysis.project.settings import load_dataset_settings
from analysis.store import processed, team_rows, team_view
from analysis.store.company import Company

TEAMS = [f"T{i}" for i in range(6)]
AUDIT = {"as_of": "2026-09-30", "first_day": "2026-07-01", "stamp": "s", "tables": []}


def planted(team):
    """Return values that stand in this team's rows and nowhere else."""
    i = TEAMS.index(team)
    return {
        f"name-of-{team}",
        f"rep-{team}",
        f"deal-{team}",
        f"lead-{team}",
        f"source-{team}",
        str(7_000_001 + i * 13),
    }


@pytest.fixture
def company(raw, root):
    """Return a company of six teams of one rep each, every value of a team's rows its own."""
    (root / "notebooks").mkdir()
    folder = processed.paths.processed_folder("here")
    folder.mkdir(parents=True)
    of = {t: 7_000_001 + i * 13 for i, t in enumerate(TEAMS)}
    day = pd.Timestamp("2026-08-01").date()
    frames = {
        "quarters": [{"quarter": "2026Q3"}],
        "teams": [{"team_id": t, "team_name": f"name-of-{t}"} for t in TEAMS],
        "rep_team_history": [
            {"rep_id": f"rep-{t}", "team_id": t, "valid_from": None, "valid_to": None} for t in TEAMS
        ],
        "rep_quarter": [{"rep_id": f"rep-{t}", "team_id": t, "base_amount": of[t]} for t in TEAMS],
        "team_quarter": [{"team_id": t, "bookings_amount": of[t]} for t in TEAMS],
        "lead_dates": [{"lead_id": f"lead-{t}", "team_id": t, "lead_source": f"source-{t}"} for t in TEAMS],
        "opportunities": [
            {"opportunity_id": f"deal-{t}", "owner_rep_id": f"rep-{t}", "owner_at_close_rep_id": None,
             "close_date": day, "deal_amount": of[t]} for t in TEAMS
        ],
        "observed_days": [{"rep_id": f"rep-{t}", "day": day} for t in TEAMS],
    }  # fmt: skip
    assert set(frames) == set(team_view.TABLES)
    for name, rows in frames.items():
        pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet")
    return Company("here", "2026Q3", load_dataset_settings("here"), AUDIT)


def view_of(company, team, root):
    notebook = root / "notebooks" / "9_team_pack.ipynb"
    notebook.write_text("{}")
    mine = Company(
        "here", "2026Q3", company.settings, team_rows.account_of_team(company.audit), team
    )
    tables = team_view.SharedTables(company)
    return team_view.view_of_team(mine, tables, {"shows": {}}, notebook)


def text_of(view):
    """Return every name and value that a view holds."""
    said = []
    with zipfile.ZipFile(io.BytesIO(view)) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".parquet"):
                said.append(pd.read_parquet(io.BytesIO(content)).to_json())
            said += [name, content.decode("latin-1")]
    return "\n".join(said)


def test_a_view_holds_nothing_of_any_other_team(company, root, figure):
    """All pairs of six teams: its own planted values are there, those of the other five are not."""
    texts = {team: text_of(view_of(company, team, root)) for team in TEAMS}
    for team in TEAMS:
        assert not [value for value in planted(team) if value not in texts[team]]
    met = [
        (a, b)
        for a, b in itertools.permutations(TEAMS, 2)
        if any(v in texts[a] for v in planted(b))
    ]
    assert met == []
    figure("018", "30 of 30 pairs of 6 teams: no planted value of the other team in a view")


def test_a_view_keeps_the_kinds_of_its_tables(company, root, tmp_path):
    view = view_of(company, "T2", root)
    folder = team_view.unpack_view(view, team_view.digest_of(view), tmp_path / "view")
    file = folder / "data" / "processed" / "here" / "opportunities.parquet"
    whole = pd.read_parquet(company.paths.processed / "opportunities.parquet")
    expected = whole[whole["opportunity_id"] == "deal-T2"].reset_index(drop=True)
    pd.testing.assert_frame_equal(pd.read_parquet(file), expected)


def test_equal_views_are_equal_bytes(company, root):
    assert view_of(company, "T1", root) == view_of(company, "T1", root)


def test_an_unpacked_view_is_its_owners_alone(company, root, tmp_path):
    view = view_of(company, "T0", root)
    folder = team_view.unpack_view(view, team_view.digest_of(view), tmp_path / "view")
    modes = {f.stat().st_mode & 0o777 for f in folder.rglob("*") if f.is_file()}
    assert modes == {0o600}
    assert {d.stat().st_mode & 0o777 for d in [folder, *folder.rglob("*")] if d.is_dir()} == {0o700}


def test_bytes_that_changed_on_the_way_are_refused(company, root, tmp_path):
    view = view_of(company, "T0", root)
    with pytest.raises(ValueError, match="its bytes differ from those that were sent"):
        team_view.unpack_view(view + b" ", team_view.digest_of(view), tmp_path / "view")


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../out.txt", "x")
    view = buffer.getvalue()
    with pytest.raises(ValueError, match="leads out of its folder"):
        team_view.unpack_view(view, team_view.digest_of(view), tmp_path / "view")
    assert not (tmp_path / "out.txt").exists()


def test_a_project_that_is_no_view_has_no_side(company):
    assert team_view.read_side("here") is None
    (company.paths.processed / team_view.SIDE_FILE).write_text(json.dumps({"shows": {}}))
    assert team_view.read_side("here") == {"shows": {}}
