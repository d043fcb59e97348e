"""Says when a learner is done, by the same clock and the same examination for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agents.agent import Agent, Array
from training.evaluation import evaluate, fresh_seed


@dataclass(frozen=True)
class Examination:
    """What is to be learned, and what may be spent on it."""

    env_id: str
    seconds: float
    """Of learning; evaluations do not count."""
    steps: int
    """Of the environments, all together."""
    solved_score: float = 40.0
    episodes: int = 100
    every: int = 25_000
    """Environment steps between evaluations."""
    options: tuple[str, ...] = ()
    """What `python train.py` is to be told for this environment."""
    make_options: dict[str, Any] = field(default_factory=dict)
    """Arguments of `gymnasium.make` beside the id."""


@dataclass(frozen=True)
class Verdict:
    """What came of one learner with one seed."""

    seconds: float
    """Of learning, evaluations excluded."""
    steps: int
    score: float
    """Mean score of the last evaluation."""
    best_score: float
    solved: bool


class Policy(Agent):
    """Whatever chooses actions for observations (n, ...), as `evaluate` wants to have it."""

    def __init__(self, choose: Callable[[Array], Array]) -> None:
        self._choose = choose

    def act(self, observations: Array, explore: bool = True) -> Array:
        """What it holds best."""
        return self._choose(observations)


class Referee:
    """Watches one learner: its clock stands still while it is examined."""

    def __init__(self, examination: Examination, seed: int) -> None:
        """The clock runs from here on."""
        self.examination = examination
        self._seed = seed
        self._scores: list[float] = []
        self._evaluated_at = 0
        self._steps = 0
        self._learned = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Spent on learning so far."""
        return self._learned + time.perf_counter() - self._began

    @property
    def solved(self) -> bool:
        """Was the last evaluation good enough?"""
        return bool(self._scores) and self._scores[-1] >= self.examination.solved_score

    def go_on(self, steps: int, agent: Agent) -> bool:
        """To be asked often: examines the agent when it is time to, and for the last time.

        Returns:
            False once the task is solved or the budget spent.
        """
        self._steps = steps
        over = steps >= self.examination.steps or self.seconds >= self.examination.seconds
        if over or steps // self.examination.every > self._evaluated_at // self.examination.every:
            self._examine(agent)
        return not (over or self.solved)

    def finish(self, steps: int, agent: Agent) -> None:
        """To be told by a learner whose own plan ends before the budget."""
        if not self.solved and steps != self._evaluated_at:
            self._steps = steps
            self._examine(agent)

    def verdict(self) -> Verdict:
        """After the end."""
        best = max(self._scores)
        return Verdict(self._learned, self._steps, self._scores[-1], best, self.solved)

    def _examine(self, agent: Agent) -> None:
        self._learned = self.seconds
        evaluation = evaluate(
            agent,
            self.examination.env_id,
            self.examination.make_options,
            self.examination.episodes,
            fresh_seed(self._seed, self._steps),
        )
        self._scores.append(evaluation.mean_score)
        self._evaluated_at = self._steps
        self._began = time.perf_counter()
