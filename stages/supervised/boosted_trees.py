"""Gradient-boosted trees and a network that learn from the same rows, both equally tuned.

The trees are scikit-learn's histogram-based gradient boosting (after Ke et al., "LightGBM", NeurIPS
2017) with its default settings, except for the number of rounds. Each learner is trained for three
lengths of training, and the validation split chooses one.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from stages.datasets.dataset import Array, Dataset, Examples, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.trials import run_trial, split_of
from training.config import RunConfig
from training.vector_runner import make_environments

Model = Callable[[Array], Array]
"""Function from observations to predictions."""

LENGTHS = (0.1, 0.3, 1.0)
"""Lengths of training, as shares of the longest one."""
STEPS_PER_ROUND = 512
"""Predictions in the training of the network for each round of trees."""


class Data(NamedTuple):
    """Examples to learn from, to choose a model by, and to report on."""

    train: Examples
    validation: Examples
    test: Examples


def check_installed() -> None:
    """Raise ValueError if scikit-learn is missing."""
    if importlib.util.find_spec("sklearn") is None:
        raise ValueError('trees need scikit-learn: pip install -c constraints.txt -e ".[tables]"')


def train_both(config: RunConfig) -> dict[str, float]:
    """Train trees and the network of a trial on the same rows; return their errors in percent."""
    dataset = dataset_of(make_environments(config.env, 1, config.make_options))
    data = Data(*(examples_of(dataset, k) for k in ("train", "validation", split_of(config.seed))))
    lengths = [round(length * config.steps) for length in LENGTHS]
    models = {
        "trees": [train_trees(dataset, data.train, steps) for steps in lengths],
        "network": [train_network(config, steps) for steps in lengths],
    }
    return {learner: error_of_best(dataset, data, each) for learner, each in models.items()}


def error_of_best(dataset: Dataset, data: Data, models: list[Model]) -> float:
    """Return the test error, in percent, of the model that is best on the validation split."""
    losses = [mean_loss(dataset, model, data.validation) for model in models]
    return 100 * mean_loss(dataset, models[int(np.argmin(losses))], data.test)


def mean_loss(dataset: Dataset, model: Model, examples: Examples) -> float:
    """Return the mean loss of a model."""
    return float(np.mean(dataset.loss(model(examples.observations), examples.targets)))


def train_network(config: RunConfig, steps: int) -> Model:
    """Train the network of a trial for this number of steps."""
    run, _ = run_trial(dataclasses.replace(config, steps=steps, eval_every=steps))
    return lambda seen: run.agent.act(np.array(seen), explore=False)  # torch needs a writable array


def train_trees(dataset: Dataset, examples: Examples, steps: int) -> Model:
    """Train trees, with the rounds that correspond to this number of steps."""
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    trees = make_trees(dataset, max(1, round(steps / STEPS_PER_ROUND)))
    shape = examples.targets.shape[1:]
    with threadpool_limits(1):
        trees.fit(as_rows(examples.observations), examples.targets.ravel())
    return lambda seen: np.asarray(trees.predict(as_rows(seen)).reshape(len(seen), *shape))


def as_rows(observations: Array) -> Array:
    """Return observations (n, ...) as rows (n, k)."""
    return observations.reshape(len(observations), -1)


def make_trees(dataset: Dataset, rounds: int) -> Any:
    """Return a classifier or a regressor, whichever the labels need."""
    from sklearn import ensemble

    if isinstance(dataset.action_space, spaces.Discrete):
        kind = ensemble.HistGradientBoostingClassifier
    else:
        kind = ensemble.HistGradientBoostingRegressor
    return kind(max_iter=rounds, early_stopping=False, random_state=0)
