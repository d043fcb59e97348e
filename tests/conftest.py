"""Set up once for all tests: no window on the screen, the tiny game registered; shared fixtures.

The order of the files and what is left out here keep all tests under five minutes on two cores.
"""

from __future__ import annotations

import gc
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame
import pytest
import torch

import tests.games  # noqa: F401 - registers the tiny game
from envs.engine.drawing import font_with
from envs.names import load
from envs.registry import EXPERIMENTS
from stages.lab import texts
from stages.lab.command import run_experiment
from training.signals import signals_to_end

torch.set_num_threads(1)  # more would wait for each other whenever the machine is busy
# Where it is set, each of the hundreds of child processes would compile all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

FIRST = (
    *("test_contract", "test_live_training", "test_training"),
    *("test_rewards_check", "test_supervisor", "test_wrong_rewards"),
    *("test_classroom_server", "test_classroom_pages"),
)
"""Files that take longest. They start first, so that no worker is left alone with one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    place = {name: k for k, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(FIRST)))


def pytest_collection_finish() -> None:
    """Leave what was imported out of the garbage collector's rounds; it lives until the end."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _do_not_wait_for_the_disk() -> Iterator[None]:
    """Make `fsync` only check its argument: no test cuts the power, and a run waits often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture
def default_signals() -> Iterator[None]:
    """Handle signals like a program in the foreground, in this process and in child processes.

    Under `nohup`, or in the background of a shell, some are ignored, and children inherit this.
    """
    before = {number: signal.signal(number, signal.SIG_DFL) for number in signals_to_end()}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def without_korean_letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide all fonts with Korean letters, as on a machine that has none."""
    monkeypatch.setitem(sys.modules, "koreanize_matplotlib", None)  # as if it were not installed
    monkeypatch.setattr(pygame.font, "match_font", lambda name: None)
    font_with.cache_clear()
    yield
    font_with.cache_clear()


@pytest.fixture
def verdicts_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str, Callable[[Any], Any]], tuple[int, int]]:
    """Run an experiment, by name and in a language, on the outcomes that a function makes up.

    Returns how many claims held and how many did not. The slides are whole and the only files.
    """

    def run(name: str, lang: str, made_up: Callable[[Any], Any]) -> tuple[int, int]:
        def run_trials(_: Any, configs: dict[Any, list[Any]], *__: Any) -> dict[Any, list[Any]]:
            return {cell: [made_up(config) for config in each] for cell, each in configs.items()}

        slide = tmp_path / "slide.png"
        arguments = ["--lang", lang, "--out", str(slide)]
        experiment = load(EXPERIMENTS[name].target)
        assert run_experiment(name, experiment, arguments, run_trials=run_trials) == 0
        files = {path.name: path for path in tmp_path.iterdir()}
        two = experiment.second_plot is not None
        assert files.keys() == {"slide.png", "slide_2.png"} if two else {"slide.png"}
        for file in files.values():
            header = file.read_bytes()[:24]
            assert header[:8] == b"\x89PNG\r\n\x1a\n"
            assert struct.unpack(">II", header[16:]) == (1280, 720)
        printed = capsys.readouterr().out
        held, refused = (texts.load("lab", lang)[key] for key in ("held", "not_held"))
        return printed.count(held), printed.count(refused)

    return run
