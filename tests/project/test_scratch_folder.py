"""What a killed process left in TMPDIR goes with the next run; what a live one uses stays."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import tempfile

import pytest

from analysis.project.scratch_folder import IN_USE, PREFIX, scratch_folder, sweep_scratch

HOLDS = "import time; from analysis.project.scratch_folder import scratch_folder\nwith scratch_folder() as f:\n    print(f, flush=True); time.sleep(60)"


@pytest.fixture
def tmpdir_of_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_scratch_folder_is_private_and_goes_with_its_block(tmpdir_of_run):
    with scratch_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "rows").write_text("x")
        assert sweep_scratch() == 0
        assert folder.is_dir()
    assert list(tmpdir_of_run.iterdir()) == []


def test_a_killed_process_s_folder_is_swept_and_a_live_one_s_is_not(tmpdir_of_run):
    command = [sys.executable, "-c", HOLDS]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as live,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed,
    ):
        kept, gone = (tmpdir_of_run / p.stdout.readline().strip() for p in (live, killed))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert gone.is_dir()
        assert sweep_scratch() == 1
        assert (kept.is_dir(), gone.exists()) == (True, False)
        live.kill()
    assert sweep_scratch() == 1


def test_a_folder_without_our_lock_a_link_and_a_file_of_the_name_stay(tmpdir_of_run):
    outside = tmpdir_of_run / "outside"
    outside.mkdir()
    (outside / IN_USE).touch()
    (tmpdir_of_run / f"{PREFIX}link").symlink_to(outside)
    (tmpdir_of_run / f"{PREFIX}file").write_text("x")
    (tmpdir_of_run / f"{PREFIX}somebody-s").mkdir()
    assert sweep_scratch() == 0
    left = {p.name for p in tmpdir_of_run.iterdir()}
    assert left == {"outside", f"{PREFIX}link", f"{PREFIX}file", f"{PREFIX}somebody-s"}
