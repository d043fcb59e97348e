"""Exercise 1: pay for each hit."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    return after.hits - before.hits
