"""Gradient-boosted trees and a network that learn from the same rows of a table.

The trees are scikit-learn's histogram-based gradient boosting (after Ke et al., "LightGBM", NeurIPS
2017) with its default settings.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array, Dataset, Examples, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.trials import run_trial, split_of
from training.config import RunConfig
from training.vector_runner import make_environments

Found = TypeVar("Found")


class Learned(NamedTuple):
    """What one learner achieved."""

    error: float
    """Mean loss on test rows, in percent."""
    seconds: float
    """Processor time of the training, in seconds."""


def check_installed() -> None:
    """Raise ValueError if scikit-learn is missing."""
    if importlib.util.find_spec("sklearn") is None:
        raise ValueError('trees need scikit-learn: pip install -c constraints.txt -e ".[tables]"')


def train_both(config: RunConfig) -> dict[str, Learned]:
    """Train trees and the network of a trial on the same rows; test both on the same other rows."""
    dataset = dataset_of(make_environments(config.env, 1, config.make_options))
    rows, test = (examples_of(dataset, split) for split in ("train", split_of(config.seed)))
    brief = dataclasses.replace(config, steps=config.num_envs, eval_every=config.num_envs)
    run_trial(brief)  # imports and compiles
    _, overhead = timed(run_trial, brief)  # mostly an evaluation
    (run, _), seconds = timed(run_trial, config)
    error = mean_loss(dataset, run.agent.act(test.observations, explore=False), test)
    network = Learned(error, seconds - overhead)
    trees = make_trees(dataset)
    from threadpoolctl import threadpool_limits  # after scikit-learn, whose threads it limits

    with threadpool_limits(1):
        _, seconds = timed(trees.fit, rows.observations, rows.targets.ravel())
    predictions = trees.predict(test.observations).reshape(test.targets.shape)
    return {"trees": Learned(mean_loss(dataset, predictions, test), seconds), "network": network}


def timed(work: Callable[..., Found], *arguments: Any) -> tuple[Found, float]:
    """Return what `work` returns, and the seconds of processor time that it took."""
    started = time.process_time()
    return work(*arguments), time.process_time() - started


def make_trees(dataset: Dataset) -> Any:
    """Return a classifier or a regressor, whichever the labels need."""
    from sklearn import ensemble

    if isinstance(dataset.action_space, spaces.Discrete):
        return ensemble.HistGradientBoostingClassifier(random_state=0)
    return ensemble.HistGradientBoostingRegressor(random_state=0)


def mean_loss(dataset: Dataset, predictions: Array, examples: Examples) -> float:
    """Return the mean loss in percent."""
    return 100 * float(np.mean(dataset.loss(predictions, examples.targets)))
