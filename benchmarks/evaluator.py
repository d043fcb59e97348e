"""Evaluates every learner by the same protocol, and measures its learning time alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agents.agent import Agent, Array
from training.evaluation import evaluate, fresh_seed


@dataclass(frozen=True)
class EvalProtocol:
    """The task, the budget and how a learner is evaluated."""

    env_id: str
    seconds: float
    """Budget in seconds of learning; evaluations do not count."""
    steps: int
    """Budget in environment steps, summed over parallel environments."""
    solved_score: float = 40.0
    episodes: int = 100
    every: int = 25_000
    """Environment steps between evaluations."""
    options: tuple[str, ...] = ()
    """Arguments for `python train.py` that choose this environment."""
    make_options: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of `gymnasium.make`."""


@dataclass(frozen=True)
class Result:
    """Result of one run."""

    seconds: float
    """Seconds of learning, without evaluations."""
    steps: int
    score: float
    """Mean score of the last evaluation."""
    best_score: float
    solved: bool


class Policy(Agent):
    """Adapts a function from observations (n, ...) to actions (n, ...) to `evaluate`."""

    def __init__(self, choose: Callable[[Array], Array]) -> None:
        self._choose = choose

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return the deterministic actions."""
        return self._choose(observations)


class Evaluator:
    """Evaluates one learner during training; its clock stops during evaluations."""

    def __init__(self, protocol: EvalProtocol, seed: int) -> None:
        """Start the clock."""
        self.protocol = protocol
        self._seed = seed
        self._scores: list[float] = []
        self._evaluated_at = 0
        self._steps = 0
        self._learned = 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of learning so far."""
        return self._learned + time.perf_counter() - self._began

    @property
    def solved(self) -> bool:
        """Whether the last evaluation reached the solved score."""
        return bool(self._scores) and self._scores[-1] >= self.protocol.solved_score

    def keep_training(self, steps: int, agent: Agent) -> bool:
        """Evaluate the agent if it is due; return False if solved or if the budget is used up."""
        self._steps = steps
        over = steps >= self.protocol.steps or self.seconds >= self.protocol.seconds
        if over or steps // self.protocol.every > self._evaluated_at // self.protocol.every:
            self._evaluate(agent)
        return not (over or self.solved)

    def finish(self, steps: int, agent: Agent) -> None:
        """Evaluate once more, for a learner whose own schedule ends before the budget."""
        if not self.solved and steps != self._evaluated_at:
            self._steps = steps
            self._evaluate(agent)

    def result(self) -> Result:
        """Return the result after training has ended."""
        best = max(self._scores)
        return Result(self._learned, self._steps, self._scores[-1], best, self.solved)

    def _evaluate(self, agent: Agent) -> None:
        self._learned = self.seconds
        evaluation = evaluate(
            agent,
            self.protocol.env_id,
            self.protocol.make_options,
            self.protocol.episodes,
            fresh_seed(self._seed, self._steps),
        )
        self._scores.append(evaluation.mean_score)
        self._evaluated_at = self._steps
        self._began = time.perf_counter()
