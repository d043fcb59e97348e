"""Rewards that pass their trial and fail later, in training."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from safetensors.numpy import load_file

import train
from rewards.expression import RewardError
from rewards.sandbox.protection import protection
from tests import supervised_program

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
LATE = """
import os
import signal
import sys

kept = []

def f(before, action, after):
    how = os.environ.get("FAIL")
    if how == "sys.exit":
        sys.exit(0)
    if how == "KeyboardInterrupt":
        raise KeyboardInterrupt
    if how == "BaseException":
        raise BaseException("enough")
    if how == "memory":
        kept.append(bytearray(5 * 2**30))
    if how == "Ctrl-C":
        signal.raise_signal(signal.SIGINT)
    return float(str(after.hits - before.hits))
"""


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Games with the reward `LATE`."""
    file = tmp_path_factory.mktemp("rewards") / "late.py"
    file.write_text(LATE)
    with pytest.warns(UserWarning, match="plain Python"):
        env = gymnasium.make_vec("PaddleBall-v0", num_envs=2, reward=f"{file}:f")
    env.reset(seed=0)
    yield env
    env.close()


def line_with(text: str, source: str) -> int:
    """Return the number of the only line that contains `text`."""
    (found,) = [k for k, line in enumerate(source.splitlines(), 1) if text in line]
    return found


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("sys.exit", "sys.exit(0)"),
        ("KeyboardInterrupt", "raise KeyboardInterrupt"),
        ("BaseException", "raise BaseException"),
        ("memory", "kept.append"),
    ],
)
def test_whatever_a_reward_raises_is_reported_with_its_line(
    games: Any, how: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "memory" and not sys.platform.startswith("linux"):
        pytest.skip("only Linux can limit the memory")
    monkeypatch.setenv("FAIL", how)
    with pytest.raises(RewardError, match=rf"late\.py:{line_with(line, LATE)}: ") as raised:
        games.step(np.ones(2, np.int64))
    assert "\n" not in str(raised.value)
    monkeypatch.setenv("FAIL", "")
    games.step(np.ones(2, np.int64))
    np.empty(5 * 2**30, np.uint8)  # no limit is left behind; this touches no memory


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_in_a_reward_is_no_fault_of_it(games: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", "Ctrl-C")
    with pytest.raises(KeyboardInterrupt):
        games.step(np.ones(2, np.int64))


def program(how: str, folder: Path) -> subprocess.Popen[str]:
    """Start `tests.supervised_program`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.supervised_program", how, str(folder)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


@POSIX
def test_the_end_of_the_process_is_explained_in_one_line(tmp_path: Path) -> None:
    """The programs run at the same time, as a call that never returns is stopped after 3 s."""
    (tmp_path / "checkpoint.safetensors").touch()
    source = inspect.getsource(supervised_program)
    file = supervised_program.__file__
    never = f"`reward` did not return within {supervised_program.SECONDS} s"
    function = f"{file}:{line_with('def reward', source)}: `reward` "
    expected = {
        "sleeps": f"{file}:{line_with('sleep(3600)', source)}: {never}",
        "holds the interpreter": f"{file}:{line_with('PyDLL', source)}: {never}",
        "os._exit": f"{function}ended the whole program (exit code 0)",
        "kill": f"{function}ended the whole program (signal 9, Killed)",
        "abort": f"{file}:{line_with('os.abort', source)}: `reward` ended the whole program "
        "(signal 6, Aborted)",
        "ends while it is loaded": f"{file}: `supervised_program.py` ended the whole program",
        "killed from outside": "the program was ended from outside (signal 9, Killed)",
    }
    programs = {how: program(how, tmp_path) for how in expected}
    for how, process in programs.items():
        _, error = process.communicate(timeout=100)
        assert process.returncode == 2, how
        assert error.startswith(expected[how]), how
        assert error.count("\n") == 1, error
        assert "(step 1,234); everything up to the last checkpoint is saved" in error
        assert f"python train.py --resume {tmp_path} --trust-reward" in error


@POSIX
@pytest.mark.usefixtures("default_signals")
def test_exit_codes_and_signals_pass_through(tmp_path: Path) -> None:
    process = program("leaves a thread", tmp_path)
    assert not process.communicate(timeout=60)[1]
    assert process.returncode == 7
    process = program("waits for a signal", tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert not process.communicate(timeout=60)[1]
    assert process.returncode == 130


# --- Training in a sandbox

SNEAKY = """
import sys
from pathlib import Path

def f(before, action, after):
    return 1.0 * after.hits - before.hits

if "training.session" in sys.modules:  # not in the trial
    for folder in Path.cwd(), Path.home():
        try:
            (folder / "MARK").touch()
        except OSError:
            pass
"""


@pytest.mark.skipif(not protection(), reason="needs a sandbox")
def test_a_run_in_a_sandbox_is_the_same_and_writes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tensors equal those of a run without a sandbox, in which the file does write."""
    monkeypatch.chdir(tmp_path)
    mark = f"mark-{os.getpid()}"
    Path("sneaky.py").write_text(SNEAKY.replace("MARK", mark))
    arguments = ["--reward", "sneaky.py", "--num-envs", "8", "--eval-every", "100000"]
    arguments += ["--eval-episodes", "2", "--video-frames", "0", "--steps", "4096", "--run-dir"]
    done = subprocess.run(
        [sys.executable, train.__file__, *arguments, "a", "--sandbox"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"The training runs in a sandbox: {protection()}." in done.stdout
    assert sorted(path.name for path in Path().iterdir()) == ["a", "sneaky.py"]
    assert not (Path.home() / mark).exists()
    assert train.main([*arguments, "b"]) == 0
    assert Path(mark).exists()
    (Path.home() / mark).unlink()
    runs = [next(Path(name).iterdir()) for name in "ab"]
    confined, free = (load_file(run / "checkpoint.safetensors") for run in runs)
    assert confined.keys() == free.keys()
    for name, tensor in free.items():
        assert np.array_equal(confined[name], tensor), name


def test_a_sandbox_is_never_left_out_silently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--sandbox", "--run-dir", str(tmp_path / "r")]) == 2
    assert "--sandbox needs a process of its own" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


@POSIX
def test_play_names_a_reward_that_ends_the_program(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text(
        "import os, sys\ndef late(before, action, after):\n"
        "    if 'play.py' in sys.argv[0]:\n        os._exit(0)\n    return after.ball_y\n"
    )
    play = Path(__file__).parents[1] / "play.py"
    command = [sys.executable, str(play), "--headless", "--episodes", "1", "--reward", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    error = done.stderr.splitlines()[-1]
    assert error == f"play.py: {file}:2: `late` ended the whole program (exit code 0)"
