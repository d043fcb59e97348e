"""Set up once for all tests: no window on the screen, the tiny game registered, experiments."""

from __future__ import annotations

import importlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pytest
import torch

import tests.games  # noqa: F401 - registers the tiny game
from envs.registry import EXPERIMENTS
from stages.datasets import dataset
from stages.lab import trials
from stages.lab.experiment import run_experiment

torch.set_num_threads(1)  # more would wait for each other whenever the machine is busy
dataset.TEST_EXAMPLES = 2_000  # instead of 10,000, which take seconds to draw


@pytest.fixture
def verdicts_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str, Callable[[Any], Any]], tuple[int, int]]:
    """Runs an experiment, by name and in a language, on what a function makes up of each trial.

    Returns how many claims held and how many did not. Its slide is whole, and all that is left.
    """

    def run(name: str, lang: str, made_up: Callable[[Any], Any]) -> tuple[int, int]:
        module = importlib.import_module(EXPERIMENTS[name].target.partition(":")[0])
        for place in (module, trials):
            monkeypatch.setattr(
                place,
                "run_trials",
                lambda _, configs, *__: {
                    cell: [made_up(config) for config in each] for cell, each in configs.items()
                },
            )
        slide = tmp_path / "slide.png"
        assert run_experiment(name, module.experiment, ["--lang", lang, "--out", str(slide)]) == 0
        assert [path.name for path in tmp_path.iterdir()] == ["slide.png"]
        header = slide.read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:]) == (1280, 720)
        told = capsys.readouterr().out
        held, refused = (
            ("measurement confirms", "does not confirm")
            if lang == "en"
            else ("측정에서 확인되었다", "확인되지 않았다")
        )
        return told.count(held), told.count(refused)

    return run
