"""Tests that no run is lost: signals, kills, full disks, two processes, changed clocks."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import train
from reward_lab.preferences.ensemble import untrained
from reward_lab.preferences.store import Store
from rewards.learned import LearnedReward
from tests.test_training import REPOSITORY, assert_same_checkpoint, curves, only_run
from training.config import other_versions
from training.export import export_run
from training.lock import locked
from training.run_folder import RunError, load_checkpoint, write_json
from training.signals import interruptible

SHORT = ["--num-envs", "4", "--eval-episodes", "2", "--video-frames", "0", "--steps", "41"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a short run, which made 44 of 41 steps."""
    assert train.main([*SHORT, "--run-dir", str(tmp_path / "runs")]) == 0
    return only_run(tmp_path / "runs")


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_every_signal_to_end_lets_training_save(name: str) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"this system has no {name}")
    with interruptible() as interrupted:
        signal.raise_signal(getattr(signal, name))
        assert interrupted.is_set()


def test_an_ignored_signal_stays_ignored() -> None:
    """As SIGHUP is under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as interrupted:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupted.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_without_a_checkpoint_begins_at_step_0(folder: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    shutil.copyfile(folder / "config.json", killed / "config.json")
    assert train.main(["--resume", str(killed)]) == 0
    assert_same_checkpoint(folder, killed)


def test_a_finished_run_says_so_and_is_not_touched(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != ".lock"}
    capsys.readouterr()
    assert train.main(["--resume", str(folder)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "is finished after 44 steps. Continue with --steps with more than 44" in printed
    after = {path: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != ".lock"}
    assert after == before


@pytest.mark.parametrize("damage", ["missing", "older", "damaged"])
def test_a_finished_run_without_its_evaluation_is_evaluated(damage: str, folder: Path) -> None:
    evaluation = folder / "evaluation.json"
    before = json.loads(evaluation.read_text())
    if damage == "missing":
        evaluation.unlink()
    elif damage == "older":
        write_json(evaluation, before | {"steps": 4})
    else:
        evaluation.write_text("{")
    assert train.main(["--resume", str(folder)]) == 0
    assert json.loads(evaluation.read_text())["scores"] == before["scores"]


def test_a_second_process_is_refused_with_the_first_ones_number(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(folder):
        assert train.main(["--resume", str(folder), "--steps", "80"]) == 2
        assert f"is being trained by process {os.getpid()} on " in capsys.readouterr().err
    assert train.main(["--resume", str(folder), "--steps", "80"]) == 0


def test_the_lock_of_a_process_that_died_is_free(tmp_path: Path) -> None:
    code = "import os, sys; from pathlib import Path; from training.lock import locked\n"
    code += "with locked(Path(sys.argv[1])): os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, check=True)
    assert (tmp_path / ".lock").read_text().startswith("process ")
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "FIFO"])
def test_what_is_no_lock_is_not_written_to(kind: str, tmp_path: Path) -> None:
    """A stranger's folder may have a link to a file of yours in place of the lock."""
    victim, lock = tmp_path / "victim", tmp_path / ".lock"
    if kind == "FIFO":
        os.mkfifo(lock)
    elif kind == "folder":
        lock.mkdir()
    else:
        lock.symlink_to(victim)
    if kind == "link":
        victim.write_text("mine")
    with pytest.raises(RunError, match="not a regular file"), locked(tmp_path):
        pass
    assert [victim.read_text()] == ["mine"] if kind == "link" else not victim.exists()


@pytest.mark.parametrize("inside", [[], ["reward"]])
def test_a_folder_whose_training_never_began_says_what_to_do(
    inside: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a kill between the folder and its config.json."""
    for name in inside:
        (tmp_path / name).mkdir()
    assert train.main(["--resume", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "start a new run" in told


def test_temporary_files_of_a_killed_save_are_removed(folder: Path) -> None:
    left = folder / ".checkpoint.safetensors.abc123"
    left.write_bytes(b"half")
    (folder / ".other").write_text("not ours")
    assert train.main(["--resume", str(folder), "--steps", "80"]) == 0
    assert not left.exists()
    assert (folder / ".other").exists()


def test_a_clock_set_back_does_not_tangle_the_curves(folder: Path) -> None:
    (events,) = folder.glob("events*")
    parts = events.name.split(".")
    events.rename(folder / ".".join([*parts[:3], "9999999999", *parts[4:]]))
    assert train.main(["--resume", str(folder), "--steps", "80"]) == 0
    steps = [event.step for event in curves(folder).Scalars("eval/mean_score")]
    assert steps == [44, 80]


def test_other_versions_are_mentioned_in_one_line() -> None:
    (line,) = other_versions({"torch": "1.0", "python": "2.7", "gone": "1"})
    assert "torch 1.0 (now " in line
    assert "python 2.7 (now " in line
    assert "gone" not in line


def test_files_reach_the_disk_before_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced, then renamed, then the folder is synced."""
    happened = []
    fsync, replace = os.fsync, Path.replace

    def observed_fsync(handle: int) -> None:
        happened.append(("sync", os.fstat(handle).st_ino))
        fsync(handle)

    def observed_replace(self: Path, target: Path) -> Path:
        happened.append(("rename", self.stat().st_ino))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", observed_fsync)
    monkeypatch.setattr(Path, "replace", observed_replace)
    place = tmp_path.stat().st_ino
    reward = LearnedReward("mine", "paddle", {}, untrained(13, 1))
    for name, write in (
        ("a.json", partial(write_json, tmp_path / "a.json", {"a": 1})),
        ("reward.safetensors", partial(Store(tmp_path).write_reward, reward)),
    ):
        happened.clear()
        write()
        file = (tmp_path / name).stat().st_ino
        assert happened == [("sync", file), ("rename", file), ("sync", place)]


@contextlib.contextmanager
def limited(size: int) -> Iterator[None]:
    """Limit the size of the files that this process writes, in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 20_000], ids=["no byte", "no checkpoint"])
def test_a_full_disk_is_one_line_and_the_run_can_be_resumed(
    size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with limited(size):
        assert train.main([*SHORT, "--run-dir", str(tmp_path / "runs")]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "too large" in told.lower()
    folders = list((tmp_path / "runs").iterdir())
    assert len(folders) == (0 if size == 0 else 1)
    for folder in folders:
        assert train.main(["--resume", str(folder)]) == 0
        load_checkpoint(folder)


def test_a_disk_that_is_full_for_the_curves_names_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """TensorBoard's errors name no file."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("training.logger.TensorBoardLogger.scalars", full)
    assert train.main([*SHORT, "--run-dir", str(tmp_path / "runs")]) == 2
    run = only_run(tmp_path / "runs")
    written = f"train.py: {run} cannot be written: No space left on device\n"
    assert capsys.readouterr().err == written


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is gone: was the run folder renamed or removed"):
        write_json(tmp_path / "gone" / "a.json", {})


def test_an_export_keeps_the_run_and_reads_regular_files_only(folder: Path, tmp_path: Path) -> None:
    before = (folder / "checkpoint.safetensors").read_bytes()
    with pytest.raises(RunError, match="already holds a run"):
        export_run(folder, folder)
    assert (folder / "checkpoint.safetensors").read_bytes() == before
    (folder / "evaluation.json").unlink()
    export_run(folder, tmp_path / "interrupted")
    os.mkfifo(folder / "evaluation.json")
    with pytest.raises(RunError, match="not a regular file"):
        export_run(folder, tmp_path / "exported")
    assert not (tmp_path / "exported").exists()
