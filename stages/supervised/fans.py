"""Fans: several models that learn the same curve from different samples of points."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from stages.datasets.curve import heights_at
from stages.datasets.dataset import Array, examples_of
from stages.datasets.environments import dataset_of
from stages.lab.plots import side_by_side
from stages.lab.results import Results
from stages.lab.slides import COLOURS
from stages.lab.trials import run_trial
from training.config import RunConfig
from training.evaluation import fresh_seed

MODELS = 8
FEW = 100  # points that are large enough to be seen one by one
ANGLES = np.linspace(-1.0, 1.0, 201, dtype=np.float32)[:, None]


class Fan(NamedTuple):
    """Models of a curve, at `ANGLES`; errors and widths are in percent of the box."""

    heights: Array
    """Predictions (MODELS, n)."""
    angles: Array
    """Angles (k,) of the training points of the first model."""
    labels: Array
    """Their labels (k,)."""

    @property
    def error(self) -> float:
        """Mean distance of the models from the true curve."""
        return 100 * float(np.abs(self.heights - heights_at(ANGLES)[:, 0]).mean())

    @property
    def width(self) -> float:
        """Standard deviation of the models around their mean, averaged over the angles."""
        return 100 * float(self.heights.std(0, ddof=1).mean())


def train_fan(config: RunConfig) -> Fan:
    """Train each model on other points and with other initial weights."""
    heights, points = [], []
    for k in range(MODELS):
        seed = fresh_seed(config.seed, k)
        options = config.env_options | {"data_seed": seed}
        run, _ = run_trial(dataclasses.replace(config, seed=seed, env_options=options))
        heights.append(run.agent.act(ANGLES, explore=False)[:, 0])
        points.append(examples_of(dataset_of(run.runner.environments), "train"))
    return Fan(np.stack(heights), points[0].observations[:, 0], points[0].targets[:, 0])


def draw_fans(axes: Any, results: Results) -> None:
    """Draw the fan of each training set, for the first seed, and the points of its first model."""
    for panel, (key, (fan, *_)) in zip(
        side_by_side(axes, len(results.found)), results.found.items(), strict=True
    ):
        size = 70 if len(fan.angles) < FEW else 6
        panel.scatter(fan.angles, fan.labels, size, COLOURS[1], alpha=0.6, linewidths=0)
        panel.plot(ANGLES, fan.heights.T, color=COLOURS[0], lw=1.5)
        panel.plot(ANGLES, heights_at(ANGLES), color="black", ls="--", lw=3)
        panel.set(ylim=(1.25, -0.25), xticks=(-1, 0, 1), yticks=(0, 0.5, 1))
        panel.set_xticklabels(results.texts["angles"])
        panel.set_title(results.label(key), fontsize=20)
