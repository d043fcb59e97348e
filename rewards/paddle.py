"""Reward terms of paddle-and-ball.

A term is a plain function of the state before a step, the action (0 up, 1 stay, 2 down) and the
state after it. The state has the fields of `envs.paddle.game.FIELDS`.
"""

from __future__ import annotations

from typing import Any

from envs.paddle.game import landing
from rewards.check.paddle_events import EVENTS as EVENTS

RENAMED = {"score": "hit_or_miss"}
"""Former names of terms, which still work."""

GAMES = ("paddle", "paddle-random")
DEFAULT = dict.fromkeys(GAMES, "hit_or_miss")
CALLS_IN_A_STEP = 1.5
"""Interpreted calls of the first default term that take as long as a step of training with ppo."""
EXAMPLES = {game: {"hit_or_miss": 1.0, "follow_ball": 0.02, "effort": -0.01} for game in GAMES}
"""Terms and weights that a new file of rewards begins with, by the game's name."""


def hit_or_miss(before: Any, action: Any, after: Any) -> float:
    """1 for a ball returned, -1 for a ball missed, else 0: exactly the aim, but it comes late."""
    return after.hits - before.hits - after.missed


def stay_alive(before: Any, action: Any, after: Any) -> float:
    """1 for each step in which the ball is not missed."""
    return 1.0 - after.missed


def follow_ball(before: Any, action: Any, after: Any) -> float:
    """A trap: minus the distance to the ball's height, 0 to -1. Following is not enough."""
    return -abs(after.ball_y - after.paddle_y)


def effort(before: Any, action: Any, after: Any) -> float:
    """1 for each step in which the paddle moves; use a negative weight."""
    return abs(action - 1.0)


def anticipate(before: Any, action: Any, after: Any) -> float:
    """Minus the distance to where the ball will land, between -1 and 0."""
    place = landing(after.ball_x, after.ball_y, after.ball_vx, after.ball_vy)
    return -abs(place - after.paddle_y)
