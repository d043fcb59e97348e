"""Random actions that last: who changes them at every step gets nowhere.

Dabney, Ostrovski and Barreto, "Temporally-extended epsilon-greedy exploration" (ICLR 2021); here
the time that an action is held is geometrically distributed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from agents.agent import Array


def random_actions(space: spaces.Space[Any], count: int, generator: np.random.Generator) -> Array:
    """`count` actions of a Discrete or a bounded Box, each as likely as the other."""
    if isinstance(space, spaces.Discrete):
        return int(space.start) + generator.integers(int(space.n), size=count)
    assert isinstance(space, spaces.Box)
    drawn = generator.uniform(space.low, space.high, (count, *space.shape))
    return np.asarray(drawn, space.dtype)


def persist(
    space: spaces.Space[Any], held: Array, persistence: float, generator: np.random.Generator
) -> Array:
    """Go on with the actions `held` (n, ...), drawing anew each `persistence` steps or so."""
    drawn = random_actions(space, len(held), generator)
    anew = generator.random(len(held)) < 1 / persistence
    return np.where(anew.reshape(-1, *(1,) * (held.ndim - 1)), drawn, held)
