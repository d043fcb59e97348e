"""How fast the project's own training learns, by the settings of its presets, in this process."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import torch
from rich.console import Console

from benchmarks.measuring import Clock, Measure, Row
from training.config import RunConfig
from training.display import Display, PlainDisplay
from training.logger import Logger
from training.loop import Run, make_agent_and_runner, train
from training.train_options import parse
from training.vector_runner import make_environments

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
    "training.loop.train with the preset, one run a seed, evaluations included, what torch imports "
    "at a process's first update excluded (it is within python train.py); a seed that is not "
    "solved counts as infinite",
    4.0,
    "less",
)
EVALUATED = Measure(
    "PPO training until solved, evaluations too",
    "environment steps/s",
    "the runs of the row above: steps over seconds; evaluations and films cost time, and their "
    "steps do not count",
)


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    steps: int
    seconds: float
    processor: float
    """Seconds of processor time in each of them."""
    solved: bool


def measure_training(seeds: Sequence[int] = SEEDS, steps: int | None = None) -> list[Row]:
    """All rows of this theme; each seed once to solved and once for speed alone.

    Args:
        seeds: of the runs.
        steps: budget of each run, where it is not to be that of the preset.
    """
    torch.set_num_threads(1)
    to_solved, alone = [], []
    run_once(preset_config(seed=0, steps=20_000))  # not counted: torch sets itself up
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
    """Steps a second of each run."""
    return Row(
        measure,
        tuple(run.steps / run.seconds for run in outcomes),
        tuple(run.processor for run in outcomes),
    )


def preset_config(seed: int, steps: int | None = None, options: Sequence[str] = ()) -> RunConfig:
    """What `python train.py --seed SEED [--steps STEPS] OPTIONS` runs."""
    given = [] if steps is None else ["--steps", str(steps)]
    _, config = parse(["--seed", str(seed), *given, *options])
    return config


def without_evaluations(config: RunConfig, steps: int) -> RunConfig:
    """The same agent and environments, never looked at in between."""
    return replace(config, steps=steps, eval_every=10 * config.steps, solved_score=None)


def run_once(config: RunConfig) -> Outcome:
    """Train a new agent; the time runs from its first step on."""
    with new_run(config) as (run, logger, display):
        clock = Clock()
        train(run, logger, display, Event())
        return Outcome(run.progress.steps, clock.seconds(), clock.processor(), run.solved)


@contextmanager
def new_run(config: RunConfig) -> Iterator[tuple[Run, Logger, Display]]:
    """An untrained agent with its environments, in a run folder that is thrown away."""
    with tempfile.TemporaryDirectory() as name:
        environments = make_environments(config.env, config.num_envs, config.make_options)
        agent, runner = make_agent_and_runner(config, environments)
        folder = Path(name)
        run = Run(config, folder, agent, runner)
        logger = Logger(folder, 0)
        try:
            yield run, logger, PlainDisplay(Console(quiet=True), "", config.steps)
        finally:
            logger.close()
            environments.close()
