"""Ten tasks for a class: write a reward, so that the trained agent behaves as asked.

An exercise is graded by what its agent does in new episodes (`rewards.exercises.measures`), not by
what the reward pays. Its texts are in the folder `texts`, in the table of its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from envs.names import suggest
from rewards.check.events import Steps
from rewards.exercises import measures
from rewards.texts import load_texts

FOLDER = Path(__file__).parent / "texts"


@dataclass(frozen=True)
class Goal:
    """What is measured in an exercise, and the mean over all episodes that passes."""

    measure: Callable[[Steps, Any], float]
    """Function of the steps of one episode and the game's options; NaN if there is no value."""
    least: float = -math.inf
    """Smallest mean that passes."""
    most: float = math.inf
    """Largest mean that passes."""

    @property
    def name(self) -> str:
        """The name of the measure, which is the key of its texts."""
        return self.measure.__name__

    @property
    def bound(self) -> float:
        """The limit: `least` or `most`, whichever there is."""
        return self.least if self.least > -math.inf else self.most

    @property
    def asked(self) -> str:
        """The limit with its sign: `≥ 20`."""
        return f"{'≥' if self.least > -math.inf else '≤'} {self.bound:g}"

    def reached(self, mean: float) -> bool:
        """Return whether a mean passes; NaN, a value that no episode has, does not."""
        return self.least <= mean <= self.most


@dataclass(frozen=True)
class Exercise:
    """An exercise."""

    name: str
    """Key of its texts."""
    env: str
    """Short name of the game."""
    goals: tuple[Goal, ...]
    """Everything that is measured; all goals must be reached."""
    steps: int
    """Environment steps of the training."""
    env_options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the game."""

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return 1 + EXERCISES.index(self)

    def texts(self, lang: str) -> dict[str, Any]:
        """Return its texts in `en` or `ko`: title, task, and by measure, names and hints."""
        texts: dict[str, Any] = load_texts(FOLDER, lang)[self.name]
        bounds = {goal.name: goal.bound for goal in self.goals}
        return texts | {"task": texts["task"].format(**bounds)}


def mean_of(values: np.ndarray[Any, Any]) -> float:
    """Return the mean of the episodes that have a value; NaN if none has."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


EXERCISES = (
    Exercise("returns", "paddle", (Goal(measures.balls, least=20),), 400_000),
    Exercise(
        "middle",
        "paddle",
        (Goal(measures.balls, least=20), Goal(measures.distance_from_middle, most=0.1)),
        400_000,
    ),
    Exercise(
        "tips",
        "paddle",
        (Goal(measures.balls, least=5), Goal(measures.offset_of_hits, least=0.07)),
        400_000,
    ),
    Exercise(
        "calm",
        "paddle",
        (Goal(measures.balls, least=40), Goal(measures.share_moving, most=0.3)),
        800_000,
    ),
    Exercise("upright", "bicycle", (Goal(measures.seconds_upright, least=18),), 200_000),
    Exercise(
        "slow",
        "bicycle",
        (Goal(measures.seconds_upright, least=18), Goal(measures.top_speed, most=2.0)),
        300_000,
    ),
    Exercise(
        "slalom",
        "bicycle",
        (Goal(measures.seconds_upright, least=18), Goal(measures.swings, least=10)),
        300_000,
    ),
    Exercise(
        "circle",
        "bicycle",
        (Goal(measures.seconds_upright, least=15), Goal(measures.left_turns, least=1.0)),
        300_000,
    ),
    Exercise(
        "coast",
        "bicycle",
        (Goal(measures.seconds_upright, least=18), Goal(measures.mean_pedal, most=0.1)),
        300_000,
    ),
    Exercise(
        "arrive",
        "bicycle",
        (Goal(measures.share_arrived, least=0.8),),
        600_000,
        {"task": "goal", "goal_distance": 20.0, "goal_radius": 5.0, "max_steps": 3000},
    ),
)
"""All exercises, in the order of their numbers."""


def find_exercise(name: str) -> Exercise:
    """Return an exercise by its number or name.

    Raises:
        ValueError: if there is none.
    """
    for exercise in EXERCISES:
        if name in (exercise.name, str(exercise.number)):
            return exercise
    if name.lstrip("-").isdecimal():
        raise ValueError(f"the exercises have the numbers 1 to {len(EXERCISES)}, got {name}")
    names = [exercise.name for exercise in EXERCISES]
    raise ValueError(f"there is no exercise `{name}`; {suggest(name, names)}")
