"""Every path lies in the project, whatever a dataset is called."""

import pytest

from analysis.project import paths
from analysis.project.errors import OwnMapError


def test_the_root_is_the_nearest_folder_with_settings(tmp_path, monkeypatch):
    """Found from two floors below; a folder of the same settings further down is nearer."""
    monkeypatch.delenv("ALIGNMENT_ROI_ROOT", raising=False)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "alignment.toml").touch()
    monkeypatch.chdir(inner)
    assert paths.project_root() == tmp_path.resolve()
    (inner.parent / "alignment.toml").touch()
    assert paths.project_root() == inner.parent.resolve()


def test_the_environment_names_the_root(root, tmp_path_factory, monkeypatch):
    """Even where the working directory has settings of its own."""
    other = tmp_path_factory.mktemp("other")
    (other / "alignment.toml").touch()
    monkeypatch.chdir(other)
    assert paths.project_root() == root.resolve()


def test_a_folder_without_settings_is_refused(tmp_path, monkeypatch):
    """A named root is not searched upwards."""
    (tmp_path / "alignment.toml").touch()
    (tmp_path / "inner").mkdir()
    monkeypatch.setenv("ALIGNMENT_ROI_ROOT", str(tmp_path / "inner"))
    with pytest.raises(
        FileNotFoundError, match=r"no alignment\.toml in .*inner\. Start in the project's folder"
    ):
        paths.project_root()


def test_each_room_has_its_folder(root):
    assert paths.raw_folder("acme") == root.resolve() / "data" / "raw" / "acme"
    assert paths.processed_folder("acme") == root.resolve() / "data" / "processed" / "acme"
    assert paths.history_folder("acme") == root.resolve() / "data" / "history" / "acme"
    assert paths.report_folder("acme", "2026Q3") == root.resolve() / "reports" / "acme" / "2026Q3"
    assert paths.notebooks_folder() == root.resolve() / "notebooks"


@pytest.mark.parametrize(
    "name",
    ["../x", "..", "", "a/b", "/etc", "Acme", "a b", "-x", ".x", "x\n", "x\0", "ä", "a" * 41],
)
@pytest.mark.parametrize("room", [paths.raw_folder, paths.processed_folder, paths.history_folder])
def test_a_name_that_could_climb_out_is_refused(root, room, name):
    with pytest.raises(ValueError, match="dataset must be lower-case letters, digits, - or _"):
        room(name)


def test_datasets_are_folders_with_a_name(root):
    """Files and hidden folders are none; without a folder of exports there is no dataset."""
    for name in ("b", "a-1", ".hidden"):
        (root / "data" / "raw" / name).mkdir()
    (root / "data" / "raw" / "readme").touch()
    assert paths.dataset_names() == ["a-1", "b"]


def test_a_project_without_exports_has_no_datasets(root):
    (root / "data" / "raw").rmdir()
    assert paths.dataset_names() == []


def test_of_a_folder_that_leads_out_not_even_the_names_are_read(root, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (away / "secretname.toml").touch()
    raw = paths.raw_folder("acme")
    raw.mkdir(parents=True)
    assert paths.own_files("acme", "rules") == []
    (raw / "rules").symlink_to(away)
    with pytest.raises(OwnMapError, match=r"^data/raw/acme/rules: it is a link that leads out"):
        paths.own_files("acme", "rules")
