"""Exercise 2: pay for each hit, and for being in the middle when the ball turns back."""

from typing import Any


def reward(before: Any, action: Any, after: Any) -> float:
    turns = before.ball_vx > 0 and after.ball_vx < 0
    return after.hits - before.hits - (2 * abs(after.paddle_y - 0.5) if turns else 0)
