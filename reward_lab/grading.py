"""Grades a reward in an exercise: trains agents on it, and measures what they do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reward_lab.runs import PLACE, settings_of_train, train_all
from rewards.check.events import Steps
from rewards.exercises import Exercise, Goal, mean_of
from stages.lab.intervals import check_seeds
from training.recorded_episodes import RecordedEpisodes, episodes_of_run

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Grading:
    """What the agents that were trained on a reward do."""

    exercise: Exercise
    reward: str
    folders: tuple[Path, ...]
    """Run folder of each agent."""
    measured: tuple[dict[str, Array], ...]
    """For each agent, what each goal measures in each episode, by the goal's name."""

    def means(self, goal: Goal) -> list[float]:
        """Return the mean over the episodes of each agent."""
        return [mean_of(values[goal.name]) for values in self.measured]

    def reached(self, goal: Goal) -> list[bool]:
        """Return which agents reach a goal."""
        return [goal.reached(mean) for mean in self.means(goal)]

    @property
    def passing(self) -> int:
        """How many agents reach all goals."""
        of_goals = [self.reached(goal) for goal in self.exercise.goals]
        return sum(all(of_agent) for of_agent in zip(*of_goals, strict=True))

    @property
    def passed(self) -> bool:
        """Whether all agents reach all goals."""
        return self.passing == len(self.folders)

    @property
    def missed(self) -> Goal | None:
        """The first goal that an agent does not reach."""
        goals = self.exercise.goals
        return next((goal for goal in goals if not all(self.reached(goal))), None)

    def to_json(self) -> dict[str, Any]:
        """Return all numbers; a mean without a value is null."""
        return {
            "exercise": self.exercise.name,
            "reward": self.reward,
            "passed": self.passed,
            "passing": self.passing,
            "agents": len(self.folders),
            "folders": [str(folder) for folder in self.folders],
            "means": {
                goal.name: [None if math.isnan(mean) else mean for mean in self.means(goal)]
                for goal in self.exercise.goals
            },
        }


def grade(
    exercise: Exercise,
    reward: str,
    *,
    seeds: int = 1,
    place: Path = PLACE,
    workers: str = "",
    describe: str = "",
    on_warning: Callable[[str], None] = lambda text: None,
) -> Grading:
    """Train agents on a reward, and measure what they do in new episodes.

    Args:
        exercise: one of `rewards.exercises.EXERCISES`.
        reward: as --reward of train.py takes it.
        seeds: number of agents; their seeds are 1, 2, ...
        place: folder of the run folders.
        workers: where they train, as for `training.workers.run_jobs`.
        describe: text in front of the progress bar; empty for none.
        on_warning: called once with each warning about the reward.

    Raises:
        ValueError: with one line, if the reward cannot be used.
        KeyboardInterrupt: on Ctrl-C, when everything is saved.
    """
    check_seeds(seeds, least=1)
    options = dict(exercise.env_options)
    configs = [
        settings_of_train(reward, seed, exercise.steps, exercise.env, None, options)
        for seed in range(1, seeds + 1)
    ]
    folders = train_all(configs, place, workers, describe, on_warning)
    measured = tuple(measure(exercise, episodes_of_run(folder, last=True)) for folder in folders)
    return Grading(exercise, reward, tuple(folders), measured)


def measure(exercise: Exercise, episodes: RecordedEpisodes) -> dict[str, Array]:
    """Return what each goal of an exercise measures in each episode, (k,), by the goal's name."""
    steps = episodes.steps()
    split = [
        Steps(*(array[episodes.steps_of(number)] for array in steps))
        for number in range(len(episodes))
    ]
    return {
        goal.name: np.array([goal.measure(each, episodes.options) for each in split])
        for goal in exercise.goals
    }
