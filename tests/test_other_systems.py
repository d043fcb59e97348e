"""What differs on other systems, as far as Linux can show it."""

from __future__ import annotations

import errno
import gc
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from agents import make_agent, settings_type
from agents.agent import Agent, Step, Task
from rewards.command_line import quoted
from rewards.expression import RewardError
from rewards.output import Output
from rewards.terms import load_term, relative_files
from training.run_folder import read_tensors, write_json, write_tensors
from training.signals import interruptible

ROOT = Path(__file__).parent.parent

WITHOUT_UNIX = """
import faulthandler, os, signal, sys, types
import gymnasium, mmap, msgspec, numpy, subprocess, sysconfig, tempfile
sysconfig.get_config_vars()
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in "fork killpg O_NONBLOCK O_CLOEXEC O_PATH nice getuid setsid sched_getaffinity".split():
    delattr(os, name)
for name in "SIGALRM SIGHUP SIGQUIT SIGTSTP SIGPROF setitimer ITIMER_PROF SIGSTOP".split():
    delattr(signal, name)
del faulthandler.register
opened = os.open
def without_proc(path, *arguments, **options):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return opened(path, *arguments, **options)
os.open = without_proc
sys.platform = "win32"
locking = lambda *arguments: None
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)

from pathlib import Path
import rewards.sandbox.parent, training.supervisor
from rewards.guard import LimitedCall
from rewards.sandbox.confinement import Confinement
from rewards.sandbox.restrictions import available
from training.cores import usable_cores
from training.lock import locked
from training.run_folder import read_json, write_json
from training.signals import interruptible

assert not available() and usable_cores() >= 1
with Confinement(sys.__stderr__).watched(60.0), LimitedCall("mine", "mine.py:1", []):
    pass
with interruptible() as interrupted:
    signal.raise_signal(signal.SIGTERM)
assert interrupted.is_set()
folder = Path(sys.argv[1])
with locked(folder):
    write_json(folder / "config.json", {"seed": 1})
assert read_json(folder / "config.json") == {"seed": 1}
"""


def test_what_windows_lacks_is_not_needed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, str(tmp_path)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_closing_the_console_of_windows_lets_training_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    with interruptible() as interrupted:
        signal.raise_signal(signal.SIGUSR1)
        assert interrupted.is_set()


@pytest.mark.parametrize("attempts", [2, 100])
def test_a_file_that_a_reader_has_open_is_replaced_later(
    attempts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses until the reader has closed it."""
    replace, refused = Path.replace, []

    def refuse(self: Path, target: Path) -> Path:
        refused.append(target)
        if len(refused) <= attempts:
            raise PermissionError(errno.EACCES, "in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr("training.run_folder.time.sleep", lambda seconds: None)
    for_ever = attempts > 2
    with pytest.raises(PermissionError) if for_ever else nullcontext():
        write_json(tmp_path / "config.json", {})
    left = [file.name for file in tmp_path.iterdir()]
    assert left == ([] if for_ever else ["config.json"])


SOON: dict[str, dict[str, Any]] = {
    "ppo": {"num_steps": 4, "minibatches": 1},
    "pqn": {"num_steps": 4, "minibatches": 1},
    "dqn": {"learning_starts": 0, "batch_size": 8, "replay_capacity": 100},
    "sac": {"warmup": 1, "batch_size": 8, "capacity": 100},
    "reinforce": {},
}
"""Settings with which agents learn from the first steps on."""


def trained(name: str) -> Agent:
    """Return an agent that has learned from ten steps, episodes of one step among them."""
    seen = spaces.Box(-1.0, 1.0, (3,), np.float32)
    actions = spaces.Box(-1.0, 1.0, (1,), np.float32) if name == "sac" else spaces.Discrete(2)
    task = Task("test", seen, actions, 2, 100)
    agent = make_agent(name, task, settings_type(name)(**SOON[name]), 0)
    now, no, ends = np.full((2, 3), 0.5, np.float32), np.zeros(2, bool), np.array([True, False])
    for _ in range(10):
        agent.learn(Step(now, agent.act(now), np.ones(2), {}, ends, no, now, ~no))
    return agent


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists what is mapped")
@pytest.mark.parametrize("name", SOON)
def test_a_restored_agent_does_not_keep_its_checkpoint_open(name: str, tmp_path: Path) -> None:
    """Windows could not replace the file with the next checkpoint."""
    file, agent = tmp_path / "checkpoint.safetensors", trained(name)
    write_tensors(file, agent.tensors(), agent.numbers())
    read = read_tensors(file)
    assert str(file) in Path("/proc/self/maps").read_text()
    agent.restore(*read)
    del read
    gc.collect()
    assert str(file) not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("function", ["write", "flush"])
@pytest.mark.parametrize("reason", [errno.EPIPE, errno.EINVAL, errno.ENOSPC])
def test_windows_reports_a_reader_that_has_gone_as_an_invalid_argument(
    function: str, reason: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*text: str) -> int:
        raise OSError(reason, os.strerror(reason))

    with (tmp_path / "output").open("w", encoding="utf-8") as stream:
        output = Output(stream)
        monkeypatch.setattr(stream, function, fail, raising=False)
        call = output.flush if function == "flush" else lambda: output.write("text")
        if reason == errno.ENOSPC:
            with pytest.raises(OSError, match="No space"):
                call()
        else:
            call()
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("argument", "unix", "windows"),
    [
        ("runs/a", "runs/a", "runs/a"),
        (r"runs\a", r"'runs\a'", r"runs\a"),
        ("my runs", "'my runs'", '"my runs"'),
    ],
)
def test_commands_to_copy_are_quoted_for_the_shell(
    argument: str, unix: str, windows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quoted(argument) == unix
    monkeypatch.setattr(sys, "platform", "win32")
    assert quoted(argument) == windows


def test_reward_files_on_two_drives_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def mine(before, action, after):\n    return 1.0\n", encoding="utf-8")

    def on_two_drives(folders: Any) -> str:
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(os.path, "commonpath", on_two_drives)
    with pytest.raises(RewardError, match=re.escape(f"one drive, got {tmp_path}")):
        relative_files([load_term(str(file), "rewards.paddle")])


# --- The C locale without UTF-8

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def in_c_locale(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "rewards", *arguments],
        capture_output=True,
        cwd=folder,
        env={**os.environ, **C_LOCALE, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def test_file_names_of_any_letters_in_the_c_locale(tmp_path: Path) -> None:
    done = in_c_locale(tmp_path, "new", "보상.py")
    assert done.returncode == 0, done.stderr.decode()
    assert "보상" in (tmp_path / "보상.py").read_text(encoding="utf-8")
    assert done.stdout.decode().startswith("보상.py is written")


def test_file_names_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    done = in_c_locale(tmp_path, "new", os.fsdecode(b"\xff.py"))
    assert done.returncode == 2
    assert done.stderr == b"rewards: b'\\xff.py' is not UTF-8; rename the file\n"
    assert not list(tmp_path.iterdir())
