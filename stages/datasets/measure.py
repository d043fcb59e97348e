"""Regression on shapes: where is the shape, or how large is it?

Description
    Measure the one shape on a screen of `--env shapes`. Together with its questions (which kind,
    which way is its head?), these are four questions about one picture, two of classification and
    two of regression.
Observation Space
    `Box(0, 255, (1, 24, 24), uint8)`.
Action Space
    `Box(0, 1, (2,), float32)` for `question="where"`: the x and y of the centre in screen widths,
    from the upper left corner. `Box(0, 1, (1,), float32)` for `question="size"`: the radius.
Rewards
    Minus the mean absolute error, in screen widths; the score is the same.
Arguments
    See `Measure`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from stages.datasets.dataset import Array, Dataset, Examples
from stages.datasets.shape_kinds import KINDS, LARGEST, SIDE, SMALLEST
from stages.datasets.shapes import Shapes

QUESTIONS = {"where": ("x", "y"), "size": ("radius",)}
SIZE, ACROSS, DOWN = 0, 2, 3  # indices of the parameters of a shape


@dataclass(frozen=True)
class Measure(Dataset):
    """Measure the shape on a screen."""

    of: str = "balls"
    """balls, animals, digits or invented, as in `--env shapes`."""
    question: str = "where"
    """where: the place of its centre; size: its radius."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("of", KINDS), ("question", QUESTIONS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"option `{name}` must be {one_of(known)}, got {getattr(self, name)!r}"
                )

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the numbers."""
        return QUESTIONS[self.question]

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (len(self.action_names),), np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        screens, _, parameters = Shapes(of=self.of).sample_screens(count, seed)
        radius = SMALLEST + (LARGEST - SMALLEST) * parameters[:, [SIZE]]
        places = radius + (SIDE - 2 * radius) * parameters[:, [ACROSS, DOWN]]
        targets = radius if self.question == "size" else places
        return Examples(screens, (targets / SIDE).astype(np.float32))

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Replace targets by uniformly random ones."""
        wrong = generator.random(targets.shape, np.float32)
        return np.where(generator.random((len(targets), 1)) < self.noise, wrong, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return np.asarray(np.abs(predictions - targets).mean(1))
