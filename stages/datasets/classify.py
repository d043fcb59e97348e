"""Classification of a ball: which way does it fly, or will it be missed?

Description
    Classify two screens of paddle-and-ball, one step apart. The engine supplies the labels.
Observation Space
    See `stages.datasets.paddle_states.PaddleDataset`.
Action Space
    `Discrete(4)` for `question="direction"`: away from the paddle or closer, each up or down.
    `Discrete(2)` for `question="missed"`: 1 if a paddle that stays in place will miss the ball.
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class, so that the mean
    score is the accuracy.
Arguments
    See `Classify`, its base classes and `stages.datasets.environments`.
Version History
    v0: first version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.names import one_of
from envs.paddle.game import reach
from stages.datasets.classification import ClassificationDataset
from stages.datasets.dataset import Array
from stages.datasets.paddle_states import (
    ALL_DIRECTIONS,
    CLOSER,
    DIRECTIONS,
    OPTIONS,
    PaddleDataset,
    direction,
    landings,
)

CLASSES = {"direction": DIRECTIONS, "missed": ("hit", "missed")}


@dataclass(frozen=True)
class Classify(ClassificationDataset, PaddleDataset):
    """Classify the flight of a ball from two screens."""

    rules_module: ClassVar[str] = __name__
    question: str = "direction"
    """direction: which way the ball flies; missed: whether a paddle that stays misses it."""
    biased: bool = False
    """Whether a wrong label is always the next class, and not any other class."""

    training_only = (*PaddleDataset.training_only, "biased")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.question not in CLASSES:
            raise ValueError(f"option `question` must be {one_of(CLASSES)}, got {self.question!r}")

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The classes of the question."""
        return CLASSES[self.question]

    @property
    def directions(self) -> tuple[int, ...]:
        """All directions, but only balls that come closer can be missed."""
        return CLOSER if self.question == "missed" else ALL_DIRECTIONS

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Replace labels by wrong classes."""
        if not self.biased:
            return super().add_label_noise(targets, generator)
        following = (targets + 1) % len(self.action_names)
        return np.where(generator.random(len(targets)) < self.noise, following, targets)

    def targets_of(self, states: Any) -> Array:
        if self.question == "direction":
            return direction(states)
        return np.asarray(np.abs(landings(states) - states["paddle_y"]) > reach(OPTIONS), np.int64)


def which_way(observations: Array) -> Array:
    """Return the direction class (n,) of `paddle_states.features` (n, 5), by the displacement."""
    return 2 * (observations[:, 2] < 0) + (observations[:, 3] > 0)


def rules(action_space: spaces.Space[Any]) -> dict[str, Callable[[Array], Array]]:
    """Return the hand-written rule for `question=direction`; there is none for other questions."""
    return {"which_way": which_way} if action_space == spaces.Discrete(len(DIRECTIONS)) else {}
