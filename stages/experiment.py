"""What experiments share: trials in parallel, intervals, a table, a slide and a verdict.

An experiment is a module with a `main`. Its trials are ordinary runs of `training.loop`, each from
settings as train.py has them, so that an experiment can measure nothing that a student could not.
"""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import Event
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from stages.environments.stage import Array
from stages.slides import font_for
from training.command_line import parse
from training.config import RunConfig
from training.display import PlainDisplay
from training.logger import Logger
from training.loop import Run, train, untrained
from training.stepper import make_environments
from training.usage import INTERRUPTED, USAGE_ERROR, read_options

HELD = {
    "en": {True: "It held in our measurement", False: "Our measurement does not show it"},
    "ko": {True: "우리 측정에서 확인되었다", False: "우리 측정에서는 확인되지 않았다"},
}
"""How a verdict begins: was the claim's interval on its side?"""
Found = TypeVar("Found")
Language = Literal["en", "ko"]
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t, two-sided 95 %, for 1, 2, ... degrees of freedom (Gosset, "Student" 1908)."""
MOST_SEEDS = len(T_95) + 1


@dataclass(frozen=True)
class ExperimentOptions:
    """One experiment: trials with a progress bar, then a table, a slide (PNG) and a sentence."""

    lang: Language = "en"
    """Of the slide, the table and the sentence."""
    out: Path | None = None
    """Where to write the slide; by default the experiment's name with .png, here."""
    seeds: int = 3
    """Trials of each kind, each with a data set and a network of its own."""
    processes: int = 0
    """Trials at once; 0: one for each core."""

    def __post_init__(self) -> None:
        if not 2 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"--seeds must be between 2 and {MOST_SEEDS}, not {self.seeds}")
        if self.processes < 0:
            raise ValueError(f"--processes must not be negative, but is {self.processes}")


class Point(NamedTuple):
    """One evaluation in the course of a trial, on test examples."""

    steps: int
    """Guesses made so far."""
    numbers: int
    """Numbers of feedback so far."""
    score: float
    metrics: dict[str, float]


class Mean(NamedTuple):
    """A mean over seeds, and half the width of its 95 % interval."""

    value: float
    margin: float

    def __format__(self, spec: str) -> str:
        return f"{self.value:{spec}} ± {self.margin:{spec.lstrip('+')}}"


def mean(values: Sequence[float] | Array) -> Mean:
    """The mean of one value for each seed, with its interval by Student's t."""
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Mean(float(np.mean(values)), T_95[len(values) - 2] * spread)


def trial(env: str, seed: int, steps: int, evaluations: int = 1, **changes: Any) -> RunConfig:
    """Settings of a trial: those that train.py has for `env`, and `changes`.

    Args:
        env: short name.
        seed: of the network and of the data set.
        steps: guesses to be made.
        evaluations: evenly spread, the last one at the end.
        **changes: `settings`, a dict of hyperparameters; all else are environment options.
    """
    settings = changes.pop("settings", {})
    options = {"data_seed": seed, **changes}
    arguments = ["--env", env, "--env-options", *(f"{k}={v}" for k, v in options.items())]
    _, config = parse([*arguments, "--seed", str(seed), "--steps", str(steps)])
    return dataclasses.replace(
        config,
        settings=dataclasses.replace(config.settings, **settings),
        eval_every=steps // evaluations,
        solved_score=None,
    )


class Recorder(Logger):
    """Keeps evaluations in memory, in place of TensorBoard's files."""

    takes_pictures = False

    def __init__(self, run: Run) -> None:
        self._run = run
        self.points: list[Point] = []

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Pick out what an evaluation found."""
        found = {k.removeprefix("eval/"): v for k, v in values.items() if k.startswith("eval/")}
        if found:
            numbers = self._run.progress.feedback_numbers
            self.points.append(Point(step, numbers, found.pop("mean_score"), found))


def trained(config: RunConfig, folder: Path) -> tuple[Run, list[Point]]:
    """Train into `folder`, by the loop of train.py; also what each evaluation found."""
    environments = make_environments(config.env, config.num_envs, config.make_options)
    run = Run(config, folder, *untrained(config, environments))
    recorder = Recorder(run)
    train(run, recorder, PlainDisplay(Console(quiet=True), "", config.steps), Event())
    return run, recorder.points


def measure(config: RunConfig) -> list[Point]:
    """Train, and return what each evaluation found."""
    with tempfile.TemporaryDirectory() as folder:
        return trained(config, Path(folder))[1]


def measure_all(trials: Sequence[RunConfig], processes: int, describe: str) -> list[list[Point]]:
    """`measure` each of `trials`, several at once, with a progress bar; in their order."""
    return work_through(measure, trials, processes, describe)


def work_through(
    work: Callable[[RunConfig], Found], trials: Sequence[RunConfig], processes: int, describe: str
) -> list[Found]:
    """What `work` finds of each of `trials`: see `measure_all`."""
    workers = min(processes or os.cpu_count() or 1, len(trials))
    found: dict[int, Found] = {}
    with (
        Progress(console=Console(stderr=True)) as progress,
        ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker) as pool,
    ):
        bar = progress.add_task(describe, total=len(trials))
        try:
            waiting = {pool.submit(work, config): k for k, config in enumerate(trials)}
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                progress.advance(bar)
        except BaseException:
            for worker in active_children():  # they do not listen to Ctrl-C
                worker.terminate()
            raise
    return [found[k] for k in range(len(trials))]


def _begin_worker() -> None:
    """One thread each; Ctrl-C is the parent's business."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")


def run_experiment(
    name: str,
    experiment: Callable[[ExperimentOptions, Path], None],
    arguments: Sequence[str] | None = None,
) -> int:
    """Read the command line and run `experiment(options, path of its slide)`; the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        options: ExperimentOptions = read_options(ExperimentOptions, given, f"-m stages.{name}")
        path = options.out or Path(f"{name}.png")
        check_slide(path, options.lang)
        experiment(options, path)
    except (ValueError, OSError) as error:
        print(f"stages.{name}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenProcessPool:
        print(
            f"stages.{name}: a process that ran a trial has died, for want of memory perhaps; "
            "--processes 1 takes less",
            file=sys.stderr,
        )
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"stages.{name}: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def check_slide(path: Path, lang: Language) -> None:
    """See before the work begins whether its slide can be drawn and written.

    Raises:
        ValueError: otherwise.
    """
    if path.suffix != ".png":
        raise ValueError(f"--out must end in .png, not {str(path)!r}")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}")
    font_for(lang)


def tell(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], verdict: str) -> None:
    """Print a table and the sentence below it."""
    table = Table(title=title)
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(verdict, highlight=False, soft_wrap=True)
