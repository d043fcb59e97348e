"""The events of paddle-and-ball."""

from __future__ import annotations

from typing import Any

from rewards.check.events import GameEvents, Steps


def flight(steps: Steps, options: Any) -> Any:
    """The ball flies, and no other event happens."""
    return ~(wall(steps, options) | hit(steps, options) | miss(steps, options))


def wall(steps: Steps, options: Any) -> Any:
    """The ball bounces off the far wall."""
    return (steps.before.ball_vx > 0) & (steps.after.ball_vx < 0)


def hit(steps: Steps, options: Any) -> Any:
    """The paddle returns the ball."""
    return steps.after.hits > steps.before.hits


def miss(steps: Steps, options: Any) -> Any:
    """The ball leaves the box."""
    return steps.after.missed > 0


def starts(options: Any) -> list[dict[str, float]]:
    """Start with a ball about to reach the paddle's side at three heights, or the far wall."""
    speed = 0.8 * options.ball_speed
    balls = [{"ball_x": 0.5 * speed, "ball_y": y, "ball_vx": -speed} for y in (0.1, 0.5, 0.9)]
    balls.append({"ball_x": 1.0 - 0.5 * speed, "ball_vx": speed})
    return [ball | {"ball_vy": 0.0} for ball in balls]


OF_PADDLE = GameEvents((flight, wall, hit, miss), {"miss": "hit"}, starts)
EVENTS = {"paddle": OF_PADDLE, "paddle-random": OF_PADDLE}
