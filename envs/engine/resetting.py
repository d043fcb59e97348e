"""What `reset` of an environment, or of many, can be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from envs.names import suggest

Array = np.ndarray[Any, Any]


def reset_options(given: dict[str, Any] | None, *known: str) -> dict[str, Any]:
    """The `options` of an environment's `reset`, in which a mistyped name is not passed over.

    Raises:
        ValueError: for an option that is not among `known`.
    """
    for name in given or ():
        if name not in known:
            raise ValueError(f"reset has no option `{name}`; {suggest(name, known)}")
    return given or {}


def reset_mask(options: dict[str, Any], count: int) -> Array:
    """Which of `count` environments are to be reset (count,): the option `reset_mask`, or all.

    Raises:
        ValueError: if it is not a bool for each.
    """
    mask = np.array(options.get("reset_mask", np.ones(count, np.bool_)))
    if mask.shape != (count,) or mask.dtype != np.bool_:
        raise ValueError(f"reset_mask must be a bool array of shape ({count},)")
    return mask


def seed_for_each(seed: int | Sequence[int | None] | None, count: int) -> Sequence[int | None]:
    """A seed for each of `count` environments: `seed + i`, or those that were given one by one.

    Raises:
        ValueError: if another number of them were given.
    """
    if isinstance(seed, (int, np.integer)):
        return [int(seed) + i for i in range(count)]
    seeds: Sequence[int | None] = [None] * count if seed is None else seed
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds were given for {count} environments")
    return seeds
