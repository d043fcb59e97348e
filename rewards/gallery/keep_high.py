"""Keep the paddle high, because most balls arrive there."""

ENV = "paddle"


def keep_high(before, action, after):
    """The higher the paddle, the more it pays; y grows downwards."""
    return 1.0 - after.paddle_y
