"""The evaluation protocol of each game: one budget and one grid of evaluations for all learners."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.training import preset_config
from training.config import RunConfig


@dataclass(frozen=True)
class EvalProtocol:
    """The task, the budget and when learners are evaluated.

    A game is solved at the first evaluation that reaches the solved score, if a second evaluation
    on other episodes confirms it. Learning goes on until the budget is used up. Learners get one
    core: PyTorch uses one thread.
    """

    game: str
    """Name in the tables."""
    arguments: tuple[str, ...]
    """Arguments for `python train.py` that choose the environment."""
    steps: int
    """Budget in environment steps, summed over parallel environments."""
    every: int
    """Environment steps between evaluations."""
    episodes: int = 100
    """Number of new episodes in each evaluation, with deterministic actions."""

    @cached_property
    def config(self) -> RunConfig:
        """Settings of `python train.py` in this environment."""
        return preset_config(seed=0, options=self.arguments)

    @property
    def env_id(self) -> str:
        """Gymnasium id."""
        return self.config.env

    @property
    def make_options(self) -> dict[str, Any]:
        """Keyword arguments of `gymnasium.make`."""
        return self.config.env_options

    @property
    def solved_score(self) -> float:
        """Mean score at which the game is solved."""
        assert self.config.solved_score is not None
        return self.config.solved_score

    def to_json(self) -> dict[str, Any]:
        """Return everything that decides a result, for comparisons with stored results."""
        return {
            **dataclasses.asdict(self),
            "arguments": list(self.arguments),
            "env_options": self.make_options,
            "solved_score": self.solved_score,
        }


GAMES: dict[str, EvalProtocol] = {
    protocol.game: protocol
    for protocol in (
        EvalProtocol("paddle", ("--env", "paddle"), 500_000, 25_000),
        EvalProtocol("bicycle", ("--env", "bicycle"), 500_000, 25_000),
        EvalProtocol(
            "bicycle, 9 actions",
            ("--env", "bicycle", "--env-options", "action=discrete"),
            *(500_000, 25_000),
        ),
        EvalProtocol("CartPole-v1", ("--env", "CartPole-v1"), 200_000, 5_000),
        EvalProtocol("Acrobot-v1", ("--env", "Acrobot-v1"), 200_000, 10_000),
        EvalProtocol("MountainCar-v0", ("--env", "MountainCar-v0"), 500_000, 25_000),
        EvalProtocol("LunarLander-v3", ("--env", "LunarLander-v3"), 500_000, 25_000),
        EvalProtocol("Pendulum-v1", ("--env", "Pendulum-v1"), 100_000, 2_500),
        EvalProtocol(
            "MountainCarContinuous-v0", ("--env", "MountainCarContinuous-v0"), 100_000, 5_000
        ),
        EvalProtocol("InvertedPendulum-v5", ("--env", "InvertedPendulum-v5"), 100_000, 5_000),
        EvalProtocol(
            "paddle, screen", ("--env", "paddle", "--observation", "screen"), 2_000_000, 100_000
        ),
        EvalProtocol(
            "bicycle, screen", ("--env", "bicycle", "--observation", "screen"), 2_000_000, 100_000
        ),
    )
}
"""By the name of the game in the tables."""
