"""What a sweep searches, read from the command line."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewards.command_line import OneLineParser, as_typed
from training.config import RunConfig
from training.evaluation import TUNING_SEEDS
from training.ranges import Range, ranges_of_agent, with_value
from training.train_options import parse
from training.workers import WORKERS_HELP, check_workers

REFUSED = ("--resume", "--run-dir", "--sandbox", "--solved-score", "--trust-reward")
EVALUATIONS = 10
"""Evaluations of each run, if `--steps` and `--eval-every` do not say otherwise."""


@dataclass(frozen=True)
class Sweep:
    """What a sweep searches, and where it keeps its trials."""

    config: RunConfig
    """Settings of the preset; a trial changes those that have a range."""
    ranges: dict[str, Range]
    """What is tried for each setting."""
    seeds: tuple[int, ...]
    """Seeds of the runs of each trial."""
    trials: int
    """Number of trials, earlier ones included."""
    folder: Path
    """Folder of the results."""
    storage: str
    """Address of an Optuna storage."""
    command: str
    """Command line that started the sweep."""

    @property
    def name(self) -> str:
        """Name of the study in the storage."""
        return self.folder.name

    @property
    def seeds_text(self) -> str:
        """The seeds of each trial, for a message."""
        return ", ".join(map(str, self.seeds))

    @property
    def preset(self) -> dict[str, Any]:
        """The preset's value for each setting with a range."""
        values = {**vars(self.config), **dataclasses.asdict(self.config.settings)}
        return {name: values[name] for name in self.ranges}

    @property
    def identity(self) -> dict[str, Any]:
        """What all trials of a sweep have in common."""
        values = {**vars(self.config), "settings": dataclasses.asdict(self.config.settings)}
        ranges = {name: repr(each) for name, each in self.ranges.items()}
        return {"config": values, "ranges": ranges, "seeds": list(self.seeds)}

    def with_settings(self, changes: dict[str, Any], seed: int) -> RunConfig:
        """Return the config of a run of a trial."""
        return self.config.changed(seed=seed, **changes)


def read_sweep(arguments: Sequence[str]) -> tuple[Sweep, str]:
    """Return the sweep that a command line asks for, and its workers.

    Raises:
        ValueError: if it cannot be used.
        SystemExit: after --help.
    """
    parser = _parser()
    if "--help" in arguments or "-h" in arguments:
        parser.parse_args(["--help"])
    own, others = parser.parse_known_args(list(arguments))
    check_workers(own.workers)
    trials, seeds = _count("--trials", own.trials), _count("--seeds", own.seeds)
    given = {each.partition("=")[0].replace("_", "-") for each in others}
    for option in REFUSED:
        if option in given:
            raise ValueError(f"{option} is an option of train.py that a sweep does not have")
    _, config = parse(others)
    if "--steps" not in given:
        config = dataclasses.replace(config, steps=EVALUATIONS * config.eval_every)
    elif "--eval-every" not in given:
        every = max(1, config.steps // EVALUATIONS)
        config = dataclasses.replace(config, eval_every=every)
    elif config.eval_every > config.steps:
        raise ValueError(
            f"--eval-every must be at most --steps, as trials are judged by their evaluations; got "
            f"{config.eval_every} and {config.steps}"
        )
    config = dataclasses.replace(config, solved_score=None, video_frames=0)
    folder = own.folder or Path("sweeps", f"{config.env}_{config.agent}".replace("/", "_"))
    sweep = Sweep(
        config,
        ranges_of_agent(config.agent),
        tuple(TUNING_SEEDS[:seeds]),
        trials,
        folder,
        own.storage or f"sqlite:///{folder / 'trials.db'}",
        as_typed(shlex.join(["python", "-m", "training", "sweep", *arguments])),
    )
    ranges = {name: with_value(sweep.ranges[name], value) for name, value in sweep.preset.items()}
    return dataclasses.replace(sweep, ranges=ranges), own.workers


def _count(option: str, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{option} must be a positive whole number, got {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=as_typed("python -m training sweep"),
        description="Search the settings of an agent with Optuna, over the ranges in "
        "training/ranges.toml. All other options are those of train.py, such as --env bicycle "
        "--agent sac --steps 200000.",
        allow_abbrev=False,
    )
    parser.add_argument("--trials", default="30", help="Trials altogether, earlier ones included.")
    parser.add_argument(
        "--seeds", default="2", help="Number of tuning seeds, from 100 up, for each trial."
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="Folder of the sweep (default: sweeps/ENV_AGENT). An existing one is continued.",
    )
    parser.add_argument(
        "--storage",
        default="",
        help="Optuna storage (default: trials.db in the folder). Several machines can share one, "
        "such as postgresql://USER@HOST/NAME.",
    )
    parser.add_argument("--workers", default="", help=WORKERS_HELP)
    return parser
