"""Going away costs what coming back pays, so that going to and fro earns nothing."""

ENV = "paddle"


def closer_and_hit(before, action, after):
    """1 for a hit, -1 for a miss, and how much closer the paddle got to the ball's height."""
    closer = abs(before.ball_y - before.paddle_y) - abs(after.ball_y - after.paddle_y)
    return after.hits - before.hits - after.missed + closer
