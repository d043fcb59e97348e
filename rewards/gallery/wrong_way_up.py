"""Move towards the ball. The author believes that y grows upwards; it grows downwards."""

ENV = "paddle"


def wrong_way_up(before, action, after):
    """1 for moving up if the ball has the greater y, or down if it has the smaller y."""
    up = before.ball_y > before.paddle_y
    return 1.0 if action == (0 if up else 2) else 0.0
