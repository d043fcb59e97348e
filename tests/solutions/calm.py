"""Exercise 4: pay for each hit, and take a little for each move."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    return after.hits - before.hits - 0.01 * (action != 1)
