"""The command of an installed package; `.ci/try_wheel` builds and installs the wheel itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import training_wheels
from rewards import command_line
from rewards.reward_file import OUR_MODULES


def run(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({} if path is None else {"PYTHONPATH": str(path)})
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_command_runs_the_program_of_its_name() -> None:
    assert set(training_wheels.MODULES) == set(OUR_MODULES) - {
        *("benchmarks", "train", "play", "training_wheels")
    }
    same = run("-m", "training_wheels", "rewards", "--help"), run("-m", "rewards", "--help")
    assert same[0].stdout == same[1].stdout != ""
    wrong = run("-m", "training_wheels", "rewards", "chek")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
    unknown = run("-m", "training_wheels", "fly")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "training-wheels: there is no command 'fly'; choose from train, play, rewards, stages, "
        "training, classroom, envs\n",
    )


def test_another_package_of_the_same_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "__init__.py").touch()
    clone = Path(training_wheels.__file__).parent
    found = run("-P", str(clone / "training_wheels.py"), "train", path=tmp_path)
    assert found.returncode == 2
    assert f"another project's package `envs` is in this environment ({tmp_path}" in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_commands_are_shown_as_they_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "python train.py --resume X, python play.py X, or python -m rewards check X"
    assert command_line.as_typed(text) == text
    monkeypatch.setattr(command_line, "CLONE", False)
    assert command_line.as_typed(text) == (
        "training-wheels train --resume X, training-wheels play X, "
        "or training-wheels rewards check X"
    )
