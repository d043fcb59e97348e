"""Random actions, and random actions that are held for several steps.

An agent that changes its random action at every step hardly gets anywhere. Dabney, Ostrovski and
Barreto, "Temporally-extended epsilon-greedy exploration" (ICLR 2021), hold an action for a random
number of steps; here that number is geometrically distributed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from agents import ranks
from agents.agent import Array


def random_actions(space: spaces.Space[Any], count: int, generator: np.random.Generator) -> Array:
    """Return `count` uniformly random actions of a Discrete or a bounded Box space."""
    if isinstance(space, spaces.Discrete):
        return int(space.start) + generator.integers(int(space.n), size=count)
    assert isinstance(space, spaces.Box)
    sampled = generator.uniform(space.low, space.high, (count, *space.shape))
    return np.asarray(sampled, space.dtype)


def persist(
    space: spaces.Space[Any], held: Array, persistence: float, generator: np.random.Generator
) -> Array:
    """Replace each of the actions `held` (n, ...) by a new one with probability 1 / persistence."""
    return hold(held, random_actions(space, len(held), generator), persistence, generator)


def hold(held: Array, new: Array, persistence: float, generator: np.random.Generator) -> Array:
    """Return `held` (n, ...), with each of the n replaced by `new` with chance 1 / persistence."""
    renewed = ranks.sampled(generator.random, (len(held),)) < 1 / persistence
    return np.where(renewed.reshape(-1, *(1,) * (held.ndim - 1)), new, held)
