"""The base of the single and the vector environment of a game."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

from gymnasium.envs.registration import EnvSpec

from envs.engine.batch import GameBatch, Reward

KEPT = (
    "_spec",
    "action_space",
    "observation_space",
    "single_action_space",
    "single_observation_space",
    "_np_random",
    "_np_random_seed",
    "_ended",
)
"""Attributes that a copy of an environment needs; the spaces hold generators."""


class GameEnvironment:
    """An environment that can be pickled and that knows the length of its episodes.

    A pickle holds the arguments and the state. It is loaded by making the environment again, which
    also works in another process or on another machine, and then continues bit for bit.
    """

    batch: GameBatch
    maker: Callable[..., Any] | None = None
    """Function(reward) that makes this environment again."""
    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """Gymnasium's specification, with the step limit of this environment added.

        The engine truncates episodes by itself, so Gymnasium's registry knows no limit.
        """
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        limit = self.batch.options.max_steps
        self._spec = spec and dataclasses.replace(spec, max_episode_steps=limit)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.maker is None:
            raise PicklingError("only environments made by gymnasium.make can be pickled")
        attributes = {name: getattr(self, name) for name in KEPT if hasattr(self, name)}
        games = self.batch.checkpoint() if self.batch.seeded else None
        return _make_again, (self.maker, self.batch.reward), (attributes, games)

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any] | None]) -> None:
        attributes, games = state
        vars(self).update(attributes)
        if games is not None:
            self.batch.restore(games)


def _make_again(maker: Callable[[Reward], Any], reward: Reward) -> Any:
    return maker(reward)
