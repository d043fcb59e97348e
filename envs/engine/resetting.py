"""The arguments of `reset`, checked, for single and vector environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from envs.names import suggest

Array = np.ndarray[Any, Any]

RESET_NEEDED = (
    'autoreset is disabled: call reset(options={"reset_mask": terminated | truncated}) for the '
    "environments whose episodes ended"
)


def read_autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    """Return an autoreset mode, which may be given by its name or by Gymnasium's text for it.

    Raises:
        ValueError: if there is no such mode.
    """
    for known in AutoresetMode:
        if mode in (known, known.name, known.value):
            return known
    names = ", ".join(known.name for known in AutoresetMode)
    raise ValueError(f"autoreset_mode must be one of {names}, got {mode!r}")


def reset_options(given: dict[str, Any] | None, *known: str) -> dict[str, Any]:
    """Return the `options` of `reset` as a dict.

    Raises:
        ValueError: if an option is not among `known`.
    """
    for name in given or ():
        if name not in known:
            raise ValueError(f"reset has no option `{name}`; {suggest(name, known)}")
    return given or {}


def reset_mask(options: dict[str, Any], count: int) -> Array:
    """Return which environments to reset (count,): the option `reset_mask`, by default all.

    Raises:
        ValueError: if the option is not a bool for each environment.
    """
    mask = np.array(options.get("reset_mask", np.ones(count, np.bool_)))
    if mask.shape != (count,) or mask.dtype != np.bool_:
        raise ValueError(
            f"reset_mask must be a bool array of shape ({count},), got {mask.dtype} {mask.shape}"
        )
    return mask


def seed_for_each(seed: int | Sequence[int | None] | None, count: int) -> Sequence[int | None]:
    """Return a seed for each of `count` environments: `seed + i`, or the given sequence.

    Raises:
        ValueError: if the sequence has another length.
    """
    if isinstance(seed, (int, np.integer)):
        return [int(seed) + i for i in range(count)]
    seeds: Sequence[int | None] = [None] * count if seed is None else seed
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds were given for {count} environments")
    return seeds
