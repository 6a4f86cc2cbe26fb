"""What a report stood on: read by machines, written whole, equal where the report is equal."""

import hashlib
import json

import pytest
from report_fixtures import at, notebook, project

from analysis.project import paths
from analysis.project.errors import CrmDataError
from analysis.project.quarters import Quarter, parse_quarter
from analysis.store import manifest
from analysis.store.company import Company
from analysis.store.run_record import Outcome

AUDIT = {"stamp": "abc"}


def company(quarter="2026Q2", audit=AUDIT):
    return Company("small", quarter, None, audit)


@pytest.fixture
def root(tmp_path):
    folder = project(tmp_path / "project")
    notebook(folder / "notebooks" / "1_fine.ipynb", "# Is it fine?", "x = 1")
    with at(folder):
        yield folder


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    """Under a temporary name first: nothing is left of it."""
    content = {
        "run_id": "0" * 16,
        "status": "ok",
        "error": None,
        "metrics": {"npv": {"estimate": 1.5}},
    }
    manifest.write_manifest(tmp_path, content)
    assert manifest.read_manifest(tmp_path) == content
    assert [f.name for f in tmp_path.iterdir()] == ["manifest.json"]


def test_a_folder_without_a_report_has_no_manifest(tmp_path):
    assert manifest.read_manifest(tmp_path) is None
    assert manifest.read_manifest(tmp_path / "nowhere") is None


@pytest.mark.parametrize("text", ['{"a":', "[]", "", "\xff\xfe"])
def test_a_damaged_manifest_is_none_of_a_report_and_an_error_of_history(root, tmp_path, text):
    (tmp_path / manifest.FILE).write_bytes(text.encode("latin-1"))
    assert manifest.read_manifest(tmp_path) is None
    quarter_folder = paths.history_folder("demo") / "2026Q2"
    quarter_folder.mkdir(parents=True)
    (quarter_folder / manifest.FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(CrmDataError, match=r"history: 2026Q2/manifest\.json cannot be read"):
        manifest.published_figures("demo", parse_quarter("2026Q2"))


def test_the_run_id_is_that_of_what_the_report_follows_from(root):
    """Sixteen hexadecimal digits; the order in which parameters were given is nothing it follows from."""
    one = manifest.run_id(company(), {"a": 1, "b": 2})
    assert len(one) == 16
    assert int(one, 16) >= 0
    assert manifest.run_id(company(), {"b": 2, "a": 1}) == one


@pytest.mark.parametrize(
    ("other", "parameters"),
    [
        (company(audit={"stamp": "abd"}), {"a": 1}),
        (company("2026Q1"), {"a": 1}),
        (company(), {"a": 2}),
        (company(), {"a": "1"}),
        (company(), {}),
    ],
)
def test_whatever_differs_makes_another_run_id(root, other, parameters):
    assert manifest.run_id(other, parameters) != manifest.run_id(company(), {"a": 1})


def test_what_the_quarter_before_published_is_part_of_the_run_id(root):
    """The report shows it as the trend: a corrected figure there makes this report anew."""
    ids = {manifest.run_id(company(), {})}
    before = root / "data" / "history" / "small" / "2026Q1"
    before.mkdir(parents=True)
    for estimate in (399.0, 401.0):
        manifest.write_manifest(
            before,
            {
                "metrics": {
                    "cost_per_selling_hour": {"estimate": estimate},
                    "npv": {"estimate": None},
                }
            },
        )
        assert manifest.published_figures("small", Quarter(2026, 1)) == {
            "cost_per_selling_hour": estimate
        }
        ids.add(manifest.run_id(company(), {}))
    assert len(ids) == 3


def test_the_code_is_sources_and_notebooks_but_not_their_outputs(root):
    before = manifest.code_sha256()
    file = root / "notebooks" / "1_fine.ipynb"
    content = json.loads(file.read_text())
    content["cells"][1] |= {
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
    }
    file.write_text(json.dumps(content))
    assert manifest.code_sha256() == before
    content["cells"][1]["source"] = "x = 2"
    file.write_text(json.dumps(content))
    assert manifest.code_sha256() != before


def test_a_project_without_a_lock_says_so_by_an_empty_hash(root):
    assert manifest.lock_sha256() == ""
    (root / "requirements.lock").write_bytes(b"")
    assert (
        manifest.lock_sha256() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize("name", manifest.FILE_HASHES)
@pytest.mark.parametrize(
    ("change", "content"),
    [
        ({}, b"file"),
        ({"status": "failed"}, b"file"),
        ({"run_id": "0123456789abcdee"}, b"file"),
        ({}, b"file changed"),
        ({}, None),
    ],
)
def test_a_report_is_current_only_if_finished_and_untouched(tmp_path, name, change, content):
    sha256 = hashlib.sha256(b"file").hexdigest()
    finished = {"status": "ok", "run_id": "0123456789abcdef"}
    hashes = dict.fromkeys(("pdf_sha256", "html_sha256", "xlsx_sha256"), sha256)
    manifest.write_manifest(tmp_path, {"notebooks": []} | finished | hashes | change)
    for other in manifest.FILE_HASHES:
        (tmp_path / other).write_bytes(b"file")
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    is_current = manifest.is_current(tmp_path, "0123456789abcdef")
    assert is_current == (not change and content == b"file")


def test_outcomes_are_stated_field_by_field():
    got = manifest.outcome_entries([Outcome("1_x", "killed", 1.5, 3, "died", ("reps",))])
    told = {
        "notebook": "1_x",
        "status": "killed",
        "wall_s": 1.5,
        "cell": 3,
        "error": "died",
        "reads": ("reps",),
        "attempts": 1,
        "is_reused": False,
    }
    assert got == [told]


def test_a_failure_is_told_with_its_cell_if_it_has_one():
    told = {"notebook": "1_x", "cell": 0, "error": "E: no"}
    assert manifest.failure_line(told) == "1_x, cell 0: E: no"
    assert manifest.failure_line(told | {"cell": None}) == "1_x: E: no"


def test_the_packages_that_figures_depend_on_are_all_installed_and_named():
    assert set(manifest.PACKAGES) == set(manifest.package_versions())
    assert all(version[0].isdigit() for version in manifest.package_versions().values())
