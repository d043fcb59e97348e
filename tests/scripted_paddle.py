"""Paddle-and-ball whose evaluations have the scores that a test wants, and which takes notes."""

from __future__ import annotations

from collections import deque
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorWrapper

from rewards.make import make_vector

ENV = "ScriptedPaddle-v0"
SCORES: deque[float] = deque()
"""Mean scores of the next evaluations, in order; every episode of an evaluation has the same."""
EVALUATED: list[dict[str, Any]] = []
"""Options of the environments of each evaluation so far."""
SEEDS: list[int] = []
"""Seeds of all first episodes so far, in training and in evaluations."""


class ScriptedPaddle(VectorWrapper):
    """The real games, with the same score at the end of all episodes if there is one."""

    def __init__(self, environments: Any, score: float | None) -> None:
        super().__init__(environments)
        self._score = score

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        if seed is not None:
            SEEDS.extend(range(seed, seed + self.num_envs))
        return self.env.reset(seed=seed, options=options)

    def step(self, actions: Any) -> Any:
        *results, infos = self.env.step(actions)
        if self._score is not None and "final_info" in infos:
            infos["final_info"]["score"] = np.full(self.num_envs, self._score)
        return *results, infos


def make_scripted(evaluated: bool = False, **options: Any) -> ScriptedPaddle:
    """Make games for training, or for an evaluation, whose games are over after a step."""
    short: dict[str, Any] = {"max_steps": 1} if evaluated else {}
    environments = make_vector("paddle", **options, **short)
    for kind in ("evaluation_options", "report_options"):
        environments.metadata[kind] = {"evaluated": True}
    if evaluated:
        EVALUATED.append(options)
    return ScriptedPaddle(environments, SCORES.popleft() if evaluated else None)


def script(*scores: float) -> None:
    """Let the next evaluations have these scores, and forget the notes."""
    for notes in (SCORES, EVALUATED, SEEDS):
        notes.clear()
    SCORES.extend(scores)


gymnasium.register(ENV, vector_entry_point=make_scripted)
