"""Get in line with the ball: a bonus whenever the paddle gets there."""

ENV = "paddle"


def into_line(before, action, after):
    """1 in each step in which the paddle gets as close as 0.04 to the height of the ball."""
    was_in_line = abs(before.ball_y - before.paddle_y) < 0.04
    is_in_line = abs(after.ball_y - after.paddle_y) < 0.04
    return 1.0 if is_in_line and not was_in_line else 0.0
