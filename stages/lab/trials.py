"""Trials: runs of the training loop for an experiment, several of them in parallel.

A trial is made from the same settings as a run of train.py, so that an experiment measures nothing
that you could not measure yourself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple, TypeVar

from rich.console import Console
from rich.progress import Progress

from agents.agent import Agent
from envs.names import load
from envs.registry import DATASETS, encoding_of
from training.config import RunConfig
from training.display import no_display
from training.evaluation import TUNING_SEEDS
from training.loop import Run, make_agent_and_runner, train
from training.run_folder import CONFIG, write_json
from training.train_options import config_of
from training.vector_runner import make_environments
from training.workers import run_jobs

Cell = TypeVar("Cell")
Found = TypeVar("Found")


class Point(NamedTuple):
    """One point of a learning curve: an evaluation during training."""

    steps: int
    """Environment steps so far."""
    numbers: int
    """Numbers of feedback so far: labels or rewards that the agent was given."""
    score: float
    """Mean score."""
    metrics: dict[str, float]
    """Further figures of the evaluation, by name."""


class Pretrained(NamedTuple):
    """A finished trial whose backbone other trials start with."""

    folder: Path
    """Its run folder."""
    points: list[Point]
    """Its learning curve."""


class Learned(NamedTuple):
    """What a trial has learned."""

    points: list[Point]
    """Its learning curve."""
    parameters: int
    """How many numbers it consists of."""


@dataclass(frozen=True)
class Trial:
    """Settings of a trial: those of train.py for the environment, and what differs."""

    env: str
    """Short name of the environment."""
    steps: int
    """Environment steps to train for."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the environment."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Hyperparameters of the agent."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of `RunConfig`, such as `num_envs`."""
    agent: str | None = None
    """Name of the agent; by default the one in presets.toml."""
    evaluations: int = 1
    """Number of evaluations, evenly spaced; the last one is at the end."""
    pretrained: Any | None = None
    """Key of the pretrained backbone to start with."""
    freeze: bool = False
    """Whether that backbone is kept fixed."""

    def with_options(self, **options: Any) -> Trial:
        """Return the trial with further options of the environment."""
        return dataclasses.replace(self, options={**self.options, **options})

    def shortened(self, share: float) -> Trial:
        """Return the trial with this share of its steps."""
        return dataclasses.replace(self, steps=max(self.evaluations, round(share * self.steps)))

    def config(
        self, seed: int, backbones: Mapping[Any, Path] | None = None, lang: str = "en"
    ) -> RunConfig:
        """Return the settings of the trial for one seed.

        `backbones` are run folders by key. A dataset of texts is in the language `lang`.
        """
        options = {"steps": self.steps, "env_options": self.options}
        config = config_of(self.env, self.agent, options)
        data: dict[str, Any] = {}
        if self.env in DATASETS:
            kind = load(DATASETS[self.env].target)
            data = {"data_seed": seed} | (kind.tuning_options if seed in TUNING_SEEDS else {})
        if "language" in encoding_of(config.env, {}):
            data |= {"language": lang}
        folder = None if self.pretrained is None else (backbones or {})[self.pretrained]
        return dataclasses.replace(
            config,
            seed=seed,
            env_options={**data, **config.env_options},
            settings=dataclasses.replace(config.settings, **self.settings),
            eval_every=self.steps // self.evaluations,
            solved_score=None,
            video_frames=0,
            pretrained=None if folder is None else str(folder),
            freeze=self.freeze,
            **self.changes,
        )


def split_of(seed: int) -> str:
    """Return the split on which a trial is evaluated: `validation` if its seed is for tuning."""
    return "validation" if seed in TUNING_SEEDS else "test"


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


def run_trial(config: RunConfig) -> tuple[Run, list[Point]]:
    """Train with the loop of train.py; return the run, whose folder is deleted, and its curve."""
    with tempfile.TemporaryDirectory() as folder:
        return _run_in_folder(Path(folder), config)


def parameters_of(agent: Agent) -> int:
    """Return how many numbers the agent has learned; 0 if it learns nothing."""
    return sum(tensor.numel() for tensor in agent.policy_tensors().values())


def learning_curve(config: RunConfig) -> list[Point]:
    """Run a trial and return its learning curve."""
    return run_trial(config)[1]


def learn(config: RunConfig) -> Learned:
    """Run a trial and return its learning curve and the number of its parameters."""
    run, points = run_trial(config)
    return Learned(points, parameters_of(run.agent))


def pretrain(config: RunConfig, place: Path) -> Pretrained:
    """Run a trial in a new run folder in `place`, which other trials can start with."""
    folder = Path(tempfile.mkdtemp(dir=place))
    _, points = _run_in_folder(folder, config)
    write_json(folder / CONFIG, config.to_json(shlex.join(sys.argv)))
    return Pretrained(folder, points)


def _run_in_folder(folder: Path, config: RunConfig) -> tuple[Run, list[Point]]:
    environments = make_environments(config.env, config.num_envs, config.make_options)
    run = Run(config, folder, *make_agent_and_runner(config, environments))
    if split_of(config.seed) == "test":
        run.make_options = run.report_options
    recorder = Recorder(run)
    train(run, recorder, no_display(), Event())
    return run, recorder.points


@contextlib.contextmanager
def pretrained_backbones(
    configs: dict[Cell, list[RunConfig]],
    workers: str,
    describe: str,
    run_trials: Callable[..., dict[Cell, list[Pretrained]]],
) -> Iterator[dict[Cell, list[Pretrained]]]:
    """Run the trials whose backbones others start with; they exist while the context lasts.

    `run_trials` is the function of this module, or a test's.
    """
    with tempfile.TemporaryDirectory() as place:
        work = functools.partial(pretrain, place=Path(place))
        yield run_trials(work, configs, workers, describe)


def run_trials(
    work: Callable[[Any], Found], configs: dict[Cell, list[Any]], workers: str, describe: str
) -> dict[Cell, list[Found]]:
    """Run trials in parallel, with a progress bar, and return what `work` found in each.

    `work` is a function of a module, because other processes call it. It is called with each of the
    `configs`: for each cell of the experiment, one per seed. `workers` is as for `run_jobs`.
    """
    order = [(cell, k) for cell, configs_of in configs.items() for k in range(len(configs_of))]
    order.sort(key=lambda trial: trial[1])  # trials of one seed share the test examples
    found: dict[tuple[Cell, int], Found] = {}
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(describe, total=len(order))
        for index, result in run_jobs(work, [configs[cell][k] for cell, k in order], workers):
            found[order[index]] = result
            progress.advance(bar)
    return {cell: [found[cell, k] for k in range(len(of))] for cell, of in configs.items()}
