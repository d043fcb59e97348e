"""Predictions for test examples, and pictures of predicted screens."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from agents.saliency import enlarged, tiled
from stages.datasets.dataset import Array, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.trials import run_trial, split_of
from training.config import RunConfig

SHOWN = 4  # test examples


class Predicted(NamedTuple):
    """What one trial learned."""

    score: float
    """Variance explained, in percent."""
    targets: Array
    """Targets of test examples, (SHOWN, ...)."""
    predictions: Array
    """Predictions for the same examples."""


def train_and_predict(config: RunConfig) -> Predicted:
    """Train, and predict test examples."""
    run, points = run_trial(config)
    test = examples_of(dataset_of(run.runner.environments), split_of(config.seed))
    predictions = run.agent.act(test.observations[:SHOWN], explore=False)
    return Predicted(100 * points[-1].score, test.targets[:SHOWN], predictions)


def side_by_side(generated: Predicted, sharpened: Predicted) -> Array:
    """Return a picture with a row per screen: true, generated and sharpened."""
    columns = (generated.targets, generated.predictions, sharpened.predictions)
    screens = np.clip(np.stack(columns, 1)[:, :, 0], 0, 255).astype(np.uint8)
    flat = screens.reshape(-1, *screens.shape[2:])
    return tiled(enlarged(np.repeat(flat[..., None], 3, -1), 120), len(columns))
