"""Trials of experiments: ordinary runs of the one loop, several at once.

Each is made from settings as train.py has them, so that an experiment can measure nothing that a
student could not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shlex
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar

import torch
from rich.console import Console
from rich.progress import Progress

from envs.registry import DATASETS
from training.config import RunConfig
from training.cores import usable_cores
from training.display import PlainDisplay
from training.loop import Run, make_agent_and_runner, train
from training.run_folder import CONFIG, write_json
from training.train_options import parse
from training.vector_runner import make_environments

Cell = TypeVar("Cell")
Found = TypeVar("Found")


class Point(NamedTuple):
    """One evaluation in the course of a trial, on test examples."""

    steps: int
    """Guesses made so far."""
    numbers: int
    """Numbers of feedback so far."""
    score: float
    metrics: dict[str, float]


class Kept(NamedTuple):
    """A trial that others can begin with, `--pretrained`, and what its evaluations found."""

    folder: Path
    points: list[Point]


def trial(env: str, seed: int, steps: int, evaluations: int = 1, **changes: Any) -> RunConfig:
    """Settings of a trial: those that train.py has for `env`, and `changes`.

    Args:
        env: short name.
        seed: of the network and, where there is one, of the data set.
        steps: guesses to be made, or steps to be played.
        evaluations: evenly spread, the last one at the end.
        **changes: `agent`, another one than presets.toml names; `settings`, a dict of
            hyperparameters; all else are environment options.
    """
    settings = changes.pop("settings", {})
    agent = ["--agent", changes.pop("agent")] if "agent" in changes else []
    options = {"data_seed": seed, **changes} if env in DATASETS else changes
    arguments = ["--env", env, "--env-options", *(f"{k}={v}" for k, v in options.items())]
    _, config = parse([*arguments, *agent, "--seed", str(seed), "--steps", str(steps)])
    return dataclasses.replace(
        config,
        settings=dataclasses.replace(config.settings, **settings),
        eval_every=steps // evaluations,
        solved_score=None,
        video_frames=0,
    )


class Recorder:
    """A logger that keeps the evaluations in memory and ignores everything else."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.points: list[Point] = []

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Keep the points on the evaluation's curves."""
        found = {k.removeprefix("eval/"): v for k, v in values.items() if k.startswith("eval/")}
        if found:
            numbers = self._run.progress.feedback_numbers
            self.points.append(Point(step, numbers, found.pop("mean_score"), found))

    def gif(self, *_: Any) -> None:
        """Ignore a picture."""

    def embedding(self, *_: Any) -> None:
        """Ignore an embedding."""


def trained(config: RunConfig) -> tuple[Run, list[Point]]:
    """Train by the loop of train.py; also what each evaluation found. No folder is left behind."""
    with tempfile.TemporaryDirectory() as folder:
        return _trained_into(Path(folder), config)


def _trained_into(folder: Path, config: RunConfig) -> tuple[Run, list[Point]]:
    environments = make_environments(config.env, config.num_envs, config.make_options)
    run = Run(config, folder, *make_agent_and_runner(config, environments))
    recorder = Recorder(run)
    train(run, recorder, PlainDisplay(Console(quiet=True), "", config.steps), Event())
    return run, recorder.points


def kept(config: RunConfig, place: Path) -> Kept:
    """Train into a new run folder in `place`, for others to begin with."""
    folder = Path(tempfile.mkdtemp(dir=place))
    _, points = _trained_into(folder, config)
    write_json(folder / CONFIG, config.to_json(shlex.join(sys.argv)))
    return Kept(folder, points)


@contextlib.contextmanager
def run_bodies(
    configs: dict[Cell, list[RunConfig]], processes: int, describe: str
) -> Iterator[dict[Cell, list[Kept]]]:
    """Trials that others can begin with while the context lasts; arguments as of `run_trials`."""
    with tempfile.TemporaryDirectory() as place:
        keep = functools.partial(kept, place=Path(place))
        yield run_trials(keep, configs, processes, describe)


def measure(config: RunConfig) -> list[Point]:
    """Train, and return what each evaluation found."""
    return trained(config)[1]


def percent(found: dict[Cell, list[list[Point]]]) -> dict[Cell, list[float]]:
    """The score that each trial ended with."""
    return {cell: [100 * points[-1].score for points in each] for cell, each in found.items()}


def run_trials(
    work: Callable[[RunConfig], Found],
    configs: dict[Cell, list[RunConfig]],
    processes: int,
    describe: str,
) -> dict[Cell, list[Found]]:
    """What `work` finds in each trial, several of them at once, with a progress bar.

    Args:
        work: a function of a module, since other processes run it.
        configs: of each cell of the experiment, a trial for each seed.
        processes: how many at once; 0: one for each core.
        describe: what the progress bar says.
    """
    trials = [(cell, k) for cell, configs_of in configs.items() for k in range(len(configs_of))]
    trials.sort(key=lambda trial: trial[1])  # those of one seed share test examples
    workers = min(processes or usable_cores(), len(trials))
    found: dict[tuple[Cell, int], Found] = {}
    with (
        Progress(console=Console(stderr=True)) as progress,
        ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker) as pool,
    ):
        bar = progress.add_task(describe, total=len(trials))
        try:
            waiting = {pool.submit(work, configs[cell][k]): (cell, k) for cell, k in trials}
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                progress.advance(bar)
        except BaseException:
            for worker in active_children():  # they do not listen to Ctrl-C
                worker.terminate()
            raise
    return {cell: [found[cell, k] for k in range(len(of))] for cell, of in configs.items()}


def _begin_worker() -> None:
    """One thread each; Ctrl-C is the parent's business; who outlives the parent ends too."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
