"""A table of numbers: gradient-boosted trees against a network, error and seconds of training.

    python -m stages tables

Rows of five numbers, the state of the game as its engine has it (`observation=state`). Where will
the ball land, and will it be missed? Trees are scikit-learn's (histogram-based gradient boosting
after Ke et al., "LightGBM", NeurIPS 2017), the network is that of `train.py --env regress` and
`--env classify`; both with the settings that they come with, on the same rows. The network makes
51,200 guesses at up to 1,000 rows, 307,200 at more. Seconds are of one processor core, without what
is evaluated.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import SPLITS, Array, Dataset, Examples, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean, ratio
from stages.lab.slides import draw_curves
from stages.lab.texts import load
from stages.lab.trials import run_trials, trained, trial
from training.config import RunConfig
from training.vector_runner import make_environments

Found = TypeVar("Found")

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
STEPS = {size: 51_200 if size <= 1_000 else 307_200 for size in SIZES}
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "landing": ("regress", {}),
    "missed": ("classify", {"question": "missed"}),
}
"""Short name of the environment, and its options."""
LEARNERS = ("trees", "network")


class Learned(NamedTuple):
    """What one learner has made of a table."""

    error: float
    """On new rows: percent of the box, or percent of wrong classes."""
    seconds: float
    """Of processor time, to learn."""


def examine(config: RunConfig) -> dict[str, Learned]:
    """Let both learn from the same rows, and ask both about the same new ones."""
    dataset = dataset_of(make_environments(config.env, 1, config.make_options))
    rows, new = (examples_of(dataset, split) for split in SPLITS)
    brief = dataclasses.replace(config, steps=config.num_envs, eval_every=config.num_envs)
    trained(brief)  # imports
    _, besides = timed(trained, brief)  # an evaluation above all
    (run, _), seconds = timed(trained, config)
    error = error_of(dataset, run.agent.act(new.observations, explore=False), new)
    network = Learned(error, seconds - besides)
    grown = trees(dataset)
    from threadpoolctl import threadpool_limits  # once scikit-learn's threads are known to it

    with threadpool_limits(1):
        _, seconds = timed(grown.fit, rows.observations, rows.targets.ravel())
    guesses = grown.predict(new.observations).reshape(new.targets.shape)
    return {"trees": Learned(error_of(dataset, guesses, new), seconds), "network": network}


def timed(work: Callable[..., Found], *arguments: Any) -> tuple[Found, float]:
    """What `work` returns, and the seconds of processor time that it took."""
    started = time.process_time()
    return work(*arguments), time.process_time() - started


def trees(dataset: Dataset) -> Any:
    """Those that suit the dataset's answers, with scikit-learn's settings."""
    from sklearn import ensemble

    if isinstance(dataset.action_space, spaces.Discrete):
        return ensemble.HistGradientBoostingClassifier(random_state=0)
    return ensemble.HistGradientBoostingRegressor(random_state=0)


def error_of(dataset: Dataset, guesses: Array, examples: Examples) -> float:
    """The mean loss in percent."""
    return 100 * float(np.mean(dataset.loss(guesses, examples.targets)))


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show.

    Raises:
        ValueError: without scikit-learn.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise ValueError('trees are grown by scikit-learn: pip install -e ".[tables]"')
    texts = load("tables", options.lang)
    configs = {
        (question, size): [
            trial(env, seed, STEPS[size], examples=size, observation="state", **changes)
            for seed in options.each_seed
        ]
        for question, (env, changes) in QUESTIONS.items()
        for size in SIZES
    }
    found = run_trials(examine, configs, options.processes, texts["progress"])
    errors = {
        (*cell, learner): [each[learner].error for each in of_cell]
        for cell, of_cell in found.items()
        for learner in LEARNERS
    }
    seconds = {  # of both questions
        (size, learner): np.mean(
            [[each[learner].seconds for each in found[question, size]] for question in QUESTIONS],
            axis=0,
        ).tolist()
        for size in SIZES
        for learner in LEARNERS
    }
    means = {cell: mean(values) for cell, values in errors.items()}
    cells = [(question, learner) for question in QUESTIONS for learner in LEARNERS]
    columns = (
        texts["examples"],
        *(f"{texts[question]}, {texts[learner]}" for question, learner in cells),
        *(texts["seconds"].format(texts[learner]) for learner in LEARNERS),
    )
    rows = [
        (
            f"{size:,}",
            *(f"{means[question, size, learner]:.1f}" for question, learner in cells),
            *(f"{np.mean(seconds[size, learner]):.2f}" for learner in LEARNERS),
        )
        for size in SIZES
    ]
    tell(texts["title"], columns, rows, verdicts(options, errors, seconds))
    curves = {
        f"{texts[question]}, {texts[learner]}": [means[question, size, learner] for size in SIZES]
        for question, learner in cells
    }
    draw_curves(path, options.lang, texts, SIZES, curves)


def verdicts(
    options: ExperimentOptions,
    errors: dict[tuple[str, int, str], list[float]],
    seconds: dict[tuple[int, str], list[float]],
) -> str:
    """A sentence for each question, few and many examples, and one on time; seed by seed."""
    texts = load("tables", options.lang)
    sentences = [texts["claim"]]
    for question in QUESTIONS:
        for size in (SIZES[0], SIZES[-1]):
            gap = difference(errors[question, size, "network"], errors[question, size, "trees"])
            words = {"question": texts[question], "size": size}
            sentences.append(claim(options, texts["error"], gap, gap.low > 0, **words))
    times = ratio(seconds[SIZES[-1], "network"], seconds[SIZES[-1], "trees"])
    sentences.append(claim(options, texts["time"], times, times.low > 1, size=SIZES[-1]))
    return "\n".join(sentences)
