"""Evaluates every learner by the same protocol, and measures its learning time alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agents.agent import Agent, Array
from benchmarks.measuring import Clock
from benchmarks.protocol import EvalProtocol
from training.evaluation import evaluate, fresh_seed

CONFIRMATION = 1  # part of the seed, so that no other evaluation shares it


class Point(NamedTuple):
    """One evaluation."""

    steps: int
    """Environment steps until then."""
    learning: float
    """Seconds of learning until then, without evaluations."""
    processor: float
    """Processor seconds of learning until then: they hardly depend on other programs."""
    total: float
    """Seconds until then, with all evaluations including this one."""
    score: float
    """Mean score."""


class Policy(Agent):
    """Adapts a function from observations (n, ...) to actions (n, ...) to `evaluate`."""

    def __init__(self, choose: Callable[[Array], Array]) -> None:
        self._choose = choose

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return the deterministic actions."""
        return self._choose(observations)


class Evaluator:
    """Evaluates one learner during training; its clock of learning stops during evaluations."""

    def __init__(self, protocol: EvalProtocol, seed: int) -> None:
        """Start the clocks."""
        self.protocol = protocol
        self.points: list[Point] = []
        self.solved: Point | None = None
        """The first evaluation that reached the solved score and was confirmed."""
        self._seed = seed
        self._learning = self._processor = 0.0
        self._all, self._part = Clock(), Clock()

    def keep_training(self, steps: int, agent: Agent) -> bool:
        """Evaluate the agent if it is due; return False once the budget is used up."""
        over, every = steps >= self.protocol.steps, self.protocol.every
        if over or steps // every > self._evaluated_at // every:
            self._evaluate(steps, agent)
        return not over

    def finish(self, steps: int, agent: Agent) -> None:
        """Evaluate once more, for a learner whose own schedule ends before the budget."""
        if not self.points or steps > self._evaluated_at:
            self._evaluate(steps, agent)

    @property
    def _evaluated_at(self) -> int:
        return self.points[-1].steps if self.points else 0

    def _evaluate(self, steps: int, agent: Agent) -> None:
        self._learning += self._part.seconds()
        self._processor += self._part.processor_seconds()
        score, bar = self._score(agent, steps), self.protocol.solved_score
        confirmed = (
            self.solved is None and score >= bar and self._score(agent, steps, CONFIRMATION) >= bar
        )
        point = Point(steps, self._learning, self._processor, self._all.seconds(), score)
        self.points.append(point)
        if confirmed:
            self.solved = point
        self._part = Clock()

    def _score(self, agent: Agent, *key: int) -> float:
        protocol, seed = self.protocol, fresh_seed(self._seed, *key)
        found = evaluate(agent, protocol.env_id, protocol.make_options, protocol.episodes, seed)
        return found.mean_score
