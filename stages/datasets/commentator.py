"""A commentator: describes the states of a running game, one event at a time.

Events depend on the states alone: a hit, a miss, a fast ball, a paddle that comes too late, a rider
who leans, steers or falls. Many of them carry a verdict, whether the event is good or bad for the
player, which serves as a label.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from envs.paddle.game import PaddleOptions, landing, reach

BAD, GOOD = 0, 1
OPTIONS = PaddleOptions()
FAST_BALL = 0.045  # box widths per step
FAST_RIDE = 2.5  # m/s
QUIET, SLANTED, TILTED = math.radians(2.5), math.radians(6.0), math.radians(12.0)  # roll angle
TURNED = math.radians(3.0)  # steering angle
TOO_SLOW = 0.4  # m/s below the commanded speed, from which the pedals are worth a remark
COUNTS = ("one", "two", "three")


class Remark(NamedTuple):
    """An event of a game, and the facts to describe it with."""

    event: str
    """Name of a sentence in `stages.datasets.grammar`."""
    facts: dict[str, str]
    """Names in the sentence, with the grammar's names that replace them."""
    verdict: int | None = None
    """`GOOD` or `BAD` for the player, or None for neither."""


def of_paddle(before: Any, now: Any) -> Remark:
    """Describe what happened between two states of paddle-and-ball; `before` is None at first."""
    level = third(landing(now.ball_x, now.ball_y, now.ball_vx, now.ball_vy))
    facts = {
        "pace": "fast" if math.hypot(now.ball_vx, now.ball_vy) > FAST_BALL else "slow",
        "drifts": "down" if now.ball_vy > 0 else "up",
        "stands": f"at {third(now.ball_y)}",
        "heads": f"to {level}",
        "waits": f"at {third(now.paddle_y)}",
    }
    if before is None:
        return Remark("paddle begins", facts)
    if now.missed:
        short = "too low" if now.paddle_y > now.ball_y else "too high"
        return Remark("paddle misses", facts | {"short": short}, BAD)
    if now.hits > before.hits:
        count = COUNTS[now.hits - 1] if now.hits <= len(COUNTS) else "many"
        return Remark("paddle hits", facts | {"count": count}, GOOD)
    if now.ball_vx > 0:
        return Remark("paddle watches", facts)
    gap = abs(landing(now.ball_x, now.ball_y, now.ball_vx, now.ball_vy) - now.paddle_y)
    missing, steps = gap - reach(OPTIONS), math.ceil(-now.ball_x / now.ball_vx)
    if missing <= 0:
        return Remark("paddle waits", facts, GOOD)
    if missing <= steps * OPTIONS.paddle_speed:
        return Remark("paddle hurries", facts)
    return Remark("paddle is late" if third(now.paddle_y) == level else "paddle is far", facts, BAD)


def third(place: float) -> str:
    """Return the third of the box, top to bottom, that contains a height in 0..1."""
    return ("top", "middle", "bottom")[min(int(3 * place), 2)]


def of_ride(before: Any, now: Any) -> Remark:
    """Describe what happened between two states of the bicycle; at the start `before` is None."""
    facts = {
        "side": "right" if now.roll > 0 else "left",
        "turn": "right" if now.steer > 0 else "left",
        "speed": "fast" if now.speed > FAST_RIDE else "slow",
        "drive": "pedals" if now.pedal > 0 else "brakes" if now.brake > 0 else "coasts",
    }
    if before is None:
        return Remark("ride begins", facts)
    if now.fallen:
        return Remark("ride falls", facts, BAD)
    lean = abs(now.roll)
    worse = now.roll * now.roll_rate > 0
    if lean > TILTED:
        return Remark("ride topples" if worse else "ride recovers", facts, BAD if worse else GOOD)
    if (
        lean > QUIET and abs(now.steer) > TURNED
    ):  # turning towards the fall brings the wheels below the rider
        into = now.roll * now.steer > 0
        event = "ride steers into it" if into else "ride steers away"
        return Remark(event, facts, GOOD if into else BAD)
    if lean > SLANTED and not worse:
        return Remark("ride recovers", facts, GOOD)
    if lean > SLANTED or now.speed < now.commanded_speed - TOO_SLOW:
        return Remark("ride rolls", facts)
    return Remark("ride is steady", facts, GOOD)
