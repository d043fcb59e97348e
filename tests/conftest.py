"""Set up once for all tests: no window on the screen, the tiny game registered; shared fixtures."""

from __future__ import annotations

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
