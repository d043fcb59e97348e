"""Exercise 3: the further from the paddle's centre a hit is, the more it pays."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    offset = 10 * abs(after.ball_y - after.paddle_y)
    return (after.hits - before.hits) * offset * offset * offset
