"""Tests of `check` on faulty rewards: a clear line each, and no files or processes left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rewards.__main__ import main
from rewards.expression import RewardError
from rewards.sandbox.parent import TrialProcess
from tests.wrong_rewards import COLLECTION, DEF, HIGH, LEGAL_FUNCTIONS, WRONG_CALLS, Wrong


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, source: str | bytes) -> Path:
    """Write a reward file."""
    file = folder / "mine.py"
    file.write_bytes(source.encode() if isinstance(source, str) else source)
    return file


@pytest.mark.parametrize("wrong", COLLECTION, ids=[wrong.name for wrong in COLLECTION])
def test_check_prints_the_expected_line_and_exit_code(
    wrong: Wrong, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = written(folder, wrong.source)
    before = file.read_bytes()
    assert main(["check", "mine.py"], wrong.seconds) == wrong.code
    out, err = capfd.readouterr()
    expected = wrong.message.replace("FILE", "mine.py")
    lines = [line for line in (err + out).splitlines() if ": " in line]
    assert not expected or any(expected in line for line in lines), (out, err)
    if wrong.code == 2:
        assert err.count("\n") == (0 if "failed: " in out else 1)
        assert "Traceback" not in out + err
    else:
        assert not err
        assert ("warning: " in out) >= bool(wrong.message)
        assert "can be used" in out
    assert file.read_bytes() == before
    assert os.listdir(folder) == ["mine.py"]  # noqa: PTH208 - every entry, hidden ones too


def named(wrong: Wrong, name: str) -> str:
    """Return the source of a case with another name for its function."""
    assert isinstance(wrong.source, str)
    return re.sub(r"\bf\(", f"{name}(", wrong.source)


def test_functions_next_to_a_reward_are_told_the_same_as_a_reward(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """All functions of a file are tried in one process, and those that are wrong are left out."""
    source, expected = named(Wrong("", HIGH, ""), "mine"), []
    for k, wrong in enumerate(WRONG_CALLS):
        lines, message = source.count("\n"), wrong.message.replace("`f`", f"`f{k}`")
        place = re.search(r"FILE:(\d+)", message)
        assert place is not None
        message = message.replace(place[0], f"mine.py:{lines + int(place[1])}")
        expected.append(f"`f{k}` is not shown, as it is no reward: {message}")
        source += named(wrong, f"f{k}")
    written(folder, source)
    assert main(["check", "mine.py"]) == 0
    out, err = capfd.readouterr()
    for message in expected:
        assert message in out
    assert not err
    assert "can be used" in out
    assert os.listdir(folder) == ["mine.py"]  # noqa: PTH208 - every entry, hidden ones too


def test_all_legal_functions_of_a_file_are_shown(folder: Path) -> None:
    names = [f"f{k}" for k in range(len(LEGAL_FUNCTIONS))]
    sources = [named(wrong, name) for wrong, name in zip(LEGAL_FUNCTIONS, names, strict=True)]
    written(folder, "".join([named(Wrong("", HIGH, ""), "mine"), *sources]))
    with TrialProcess("mine.py", "paddle", diagnose="en") as trial:
        found = trial.wait_for_findings()
        trial.wait()
    assert sorted(found["rewards"]) == [*names, "mine"]
    assert not [text for text in found["warnings"] if "is not shown" in text]


def test_the_collection_has_enough_cases_with_different_names() -> None:
    names = [wrong.name for wrong in (*COLLECTION, *WRONG_CALLS, *LEGAL_FUNCTIONS)]
    assert len(set(names)) == len(names) >= 45


def refusal(expression: str, env: str = "paddle", diagnose: str = "") -> str:
    """Return the error about a reward."""
    with (
        TrialProcess(expression, env, diagnose=diagnose) as trial,
        pytest.raises(RewardError) as raised,
    ):
        trial.wait()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_names_that_are_not_readable_files_or_games(folder: Path) -> None:
    (folder / "folder.py").mkdir()
    assert "folder.py:f is a folder" in refusal("folder.py:f").replace(
        "folder.py is", "folder.py:f is"
    )
    assert "nowhere.py does not exist (looked for" in refusal("nowhere.py")
    assert "there is no game `chess`; choose from bicycle, paddle" in refusal(
        "hit_or_miss", "chess"
    )
    file = written(folder, HIGH)
    file.chmod(0)
    if not os.access(file, os.R_OK):  # root can read every file
        assert "cannot be read (Permission denied)" in refusal("mine.py")


def test_another_function_of_the_file_does_not_decide(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "import ctypes\ndef other(before, action, after):\n    return ctypes.string_at(0)\n"
    written(folder, other + HIGH.replace("def f(", "def mine("))
    assert main(["check", "mine.py"]) == 0
    out, err = capsys.readouterr()
    assert "warning: only `mine` is tried, because of another function: " in err
    assert "mine.py:3: `other` ended the whole program" in err
    assert err.count("\n") == 1
    assert "can be used" in out


def test_names_that_are_not_functions(folder: Path) -> None:
    written(folder, "class F:\n    pass\nx = 1\ndef test_it():\n    pass\n" + HIGH)
    assert "it is a class; write a function" in refusal("mine.py:F")
    assert "it is a test; write a function" in refusal("mine.py:test_it")
    assert "has no function `x`; " in refusal("mine.py:x")
    assert "has no function `g`; " in refusal("mine.py:g")


def test_a_file_stands_for_the_function_with_its_name(folder: Path) -> None:
    written(folder, HIGH + HIGH.replace("f(", "mine("))
    with TrialProcess("mine.py", "paddle") as trial:
        assert trial.wait() == []
    written(folder, HIGH + HIGH.replace("f(", "g("))
    for checked in (False, True):  # train.py and `rewards check` give the same answer
        message = refusal("mine.py", diagnose="en" if checked else "")
        assert "mine.py has 2 functions; name the reward, as in mine.py:g, and begin" in message


PARENT = """
import time
from rewards.sandbox.parent import TrialProcess

trial = TrialProcess("mine.py", "paddle", seconds=300.0)
while trial.running.running != "`f`":
    time.sleep(0.01)
print("on", flush=True)
trial.wait()
"""
"""Starts a trial with an endless loop, and prints `on` once the loop is running."""


def running(marker: str) -> bool:
    """Return whether a trial process runs in a folder whose path contains `marker`."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                marker in str((process / "cwd").readlink())
                and "rewards.sandbox.child" in (process / "cmdline").read_text()
            ):
                return True
        except OSError:
            continue
    return False


def test_a_trial_that_is_stopped_while_it_starts_holds_nothing_open() -> None:
    """A sandbox that was being set up used to outlive its trial, and `stop` waited for it."""
    for k in range(25):
        trial = TrialProcess("hit_or_miss", "paddle")
        time.sleep(0.0004 * k)
        stopper = threading.Thread(target=trial.stop, daemon=True)
        stopper.start()
        stopper.join(20.0)
        assert not stopper.is_alive()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_no_process_is_left_behind(folder: Path, how: str) -> None:
    """The trial process ends, long before its time limit, when it is stopped or left alone."""
    written(folder, DEF + "    while True:\n        pass\n")
    if how == "stopped":
        trial = TrialProcess("mine.py", "paddle", seconds=300.0)
        assert trial.poll() is None
        assert running(str(folder))
        trial.stop()
    else:
        command = [sys.executable, "-c", PARENT]
        parent = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder)
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"on\n"
        parent.kill()
        parent.wait()
        parent.stdout.close()
    deadline = time.monotonic() + 240
    while running(str(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(str(folder))
