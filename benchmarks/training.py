"""Measures how fast the training loop runs and solves paddle with its preset."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Timer
from typing import Any, TypeVar

import torch

from benchmarks.measuring import Clock, Measure, Row
from training.config import RunConfig
from training.display import Display, no_display
from training.logger import TensorBoardLogger
from training.loop import Run, make_agent_and_runner, train
from training.train_options import parse
from training.vector_runner import make_environments
from training.workers import run_jobs

T = TypeVar("T")
R = TypeVar("R")

SEEDS = (1, 2, 3, 4, 5)
STEPS = 400_000

ALL_INCLUDED = Measure(
    "PPO training on paddle, one thread, all included",
    "environment steps/s",
    f"training.loop.train with the preset for {STEPS:,} steps: acting, environments, learning, "
    "curves, checkpoint; evaluations are in the next two rows",
    120e3,
)
SOLVED = Measure(
    "from the first step to solved",
    "s",
    "training.loop.train with the preset, one run per seed, including evaluations, without what "
    "torch imports during the first update of a process (`python train.py` includes it); a seed "
    "that is not solved counts as infinite",
    4.0,
    "less",
)
EVALUATED = Measure(
    "PPO training until solved, including evaluations",
    "environment steps/s",
    "the runs of the row above: steps over seconds; evaluations and videos cost time, and their "
    "steps do not count",
)


@dataclass(frozen=True)
class Outcome:
    """Result of one run."""

    steps: int
    seconds: float
    processor: float
    """CPU seconds per second of wall time."""
    solved: bool


def measure_training(seeds: Sequence[int] = SEEDS, steps: int | None = None) -> list[Row]:
    """Measure all rows; each seed is trained once until solved and once for speed alone.

    A run lasts `steps` steps, by default those of the preset.
    """
    torch.set_num_threads(1)
    to_solved, alone = [], []
    run_once(preset_config(seed=0, steps=20_000))  # not measured: torch initialises itself
    for seed in seeds:
        config = preset_config(seed, steps)
        to_solved.append(run_once(config))
        alone.append(run_once(without_evaluations(config, steps or STEPS)))
    solved = tuple(run.seconds if run.solved else math.inf for run in to_solved)
    return [
        speed_row(ALL_INCLUDED, alone),
        Row(SOLVED, solved, tuple(run.processor for run in to_solved)),
        speed_row(EVALUATED, to_solved),
    ]


def speed_row(measure: Measure, outcomes: Sequence[Outcome]) -> Row:
    """Return a row with the steps per second of each run."""
    return Row(
        measure,
        tuple(run.steps / run.seconds for run in outcomes),
        tuple(run.processor for run in outcomes),
    )


def preset_config(seed: int, steps: int | None = None, options: Sequence[str] = ()) -> RunConfig:
    """Return the config of `python train.py --seed SEED [--steps STEPS] OPTIONS`."""
    given = [] if steps is None else ["--steps", str(steps)]
    _, config = parse(["--seed", str(seed), *given, *options])
    return config


def without_evaluations(config: RunConfig, steps: int) -> RunConfig:
    """Return the same config with `steps` steps and no evaluation before the end."""
    return replace(config, steps=steps, eval_every=10 * config.steps, solved_score=None)


def run_once(config: RunConfig) -> Outcome:
    """Train a new agent and measure the time from its first step."""
    with new_run(config) as (run, logger, display):
        clock = Clock()
        train(run, logger, display, Event())
        return Outcome(run.progress.steps, clock.seconds(), clock.processor(), run.solved)


def in_processes(run: Callable[[T], R], trials: Sequence[T], jobs: int) -> Iterator[R]:
    """Yield the result of each trial as it comes; `jobs` at a time, in separate processes."""
    return (result for _, result in run_jobs(run, trials, str(jobs), warm_up))


def warm_up() -> None:
    """Let PyTorch initialise itself, and compile the games."""
    run_once(preset_config(seed=0, steps=20_000))


@contextmanager
def time_limit(seconds: float) -> Iterator[Event]:
    """Yield an event that is set after `seconds`."""
    over = Event()
    limit = Timer(seconds, over.set)
    limit.start()
    try:
        yield over
    finally:
        limit.cancel()


@contextmanager
def new_run(
    config: RunConfig, wrap: Callable[[Any], Any] | None = None
) -> Iterator[tuple[Run, TensorBoardLogger, Display]]:
    """Yield an untrained agent with its environments, in a temporary run folder.

    `wrap` changes the environments of the training, but not those of evaluations.
    """
    with tempfile.TemporaryDirectory() as name:
        made = make_environments(config.env, config.num_envs, config.make_options)
        environments = made if wrap is None else wrap(made)
        agent, runner = make_agent_and_runner(config, environments)
        folder = Path(name)
        run = Run(config, folder, agent, runner)
        logger = TensorBoardLogger(folder, 0)
        try:
            yield run, logger, no_display()
        finally:
            logger.close()
            environments.close()
