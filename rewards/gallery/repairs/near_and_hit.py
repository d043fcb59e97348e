"""Hits and misses decide; the distance to the ball is only a hint."""

ENV = "paddle"


def near_and_hit(before, action, after):
    """1 for a hit, -1 for a miss, minus a fiftieth of the distance to the ball's height."""
    return after.hits - before.hits - after.missed - 0.02 * abs(after.ball_y - after.paddle_y)
