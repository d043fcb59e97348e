"""Classification: which way does the ball fly? Or: will it be missed?

Description
    From two screens of paddle-and-ball, one step apart, tell one of a few classes. The engine knows
    the target for free.
Action Space
    `Discrete(4)` for `question="direction"`: away from the paddle or closer, each up or down.
    `Discrete(2)` for `question="missed"`: 1 if the ball will be missed, should the paddle stay.
Rewards
    0 for the right class, -1 for a wrong one. The score is 1 for the right class: its mean is the
    accuracy.
Everything else
    See `stages.datasets.environments`, `stages.datasets.dataset.Dataset` and
    `stages.datasets.paddle_states.PaddleDataset`.
Version History
    v0: first version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.paddle.game import reach
from stages.datasets.classification import ClassificationDataset
from stages.datasets.dataset import Array
from stages.datasets.paddle_states import (
    ALL_WAYS,
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
    """What class is it?"""

    rules_module: ClassVar[str] = __name__
    question: str = "direction"
    """direction: which way the ball flies; missed: will it be missed if the paddle stays?"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.question not in CLASSES:
            raise ValueError(
                f"option `question` must be {' or '.join(CLASSES)}, not {self.question!r}"
            )

    @property
    def action_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """The classes."""
        return CLASSES[self.question]

    @property
    def ways(self) -> tuple[int, ...]:
        """While the ball flies away, nobody asks whether it will be missed."""
        return CLOSER if self.question == "missed" else ALL_WAYS

    def targets_of(self, states: Any) -> Array:
        if self.question == "direction":
            return direction(states)
        return np.asarray(np.abs(landings(states) - states["paddle_y"]) > reach(OPTIONS), np.int64)


def which_way(observations: Array) -> Array:
    """Return the direction class (n,) of `paddle_states.features` (n, 5): new place minus old."""
    way_x, way_y = observations[:, 2], observations[:, 3]
    return 2 * (way_x < 0) + (way_y > 0)


def rules(action_space: spaces.Space[Any]) -> dict[str, Callable[[Array], Array]]:
    """Return the hand-written rule for `question=direction`; there is none for other questions."""
    return {"which_way": which_way} if action_space == spaces.Discrete(len(DIRECTIONS)) else {}
