"""A random generator that is small enough to be a field of a game's state.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
figure 17): a counter grows by a constant, and the output is a scrambled copy of it. The whole state
of the generator is the `u8` field `rng` of the game's record, so saving the record saves it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
SHIFT_30, SHIFT_27, SHIFT_31 = np.uint64(30), np.uint64(27), np.uint64(31)
SHIFT_11 = np.uint64(11)
TO_UNIT = 2.0**-53


def mix(z: np.uint64) -> np.uint64:
    """Return 64 scrambled bits; neighbouring inputs give unrelated outputs."""
    z = (z ^ (z >> SHIFT_30)) * MULTIPLIER_1
    z = (z ^ (z >> SHIFT_27)) * MULTIPLIER_2
    return z ^ (z >> SHIFT_31)


def next_uint64(state: Any) -> np.uint64:
    """Return 64 random bits and advance `state.rng`."""
    state.rng = state.rng + GOLDEN_GAMMA
    return mix(state.rng)


def uniform(state: Any, low: float, high: float) -> float:
    """Sample a number from [low, high) with 53 random bits."""
    return low + (high - low) * (np.float64(next_uint64(state) >> SHIFT_11) * TO_UNIT)


def normal(state: Any) -> float:
    """Sample from the standard normal distribution (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state, 0.0, 1.0)))
    return radius * math.cos(uniform(state, 0.0, 2.0 * math.pi))


def seeded(seed: int) -> np.uint64:
    """Return the generator state for `seed`; neighbouring seeds give unrelated streams."""
    with np.errstate(over="ignore"):
        return mix(np.uint64(seed & 0xFFFFFFFFFFFFFFFF) + GOLDEN_GAMMA)
