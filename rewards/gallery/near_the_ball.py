"""Stay close to the ball: the further away the paddle is, the more it costs."""

ENV = "paddle"


def near_the_ball(before, action, after):
    """Minus the distance between the heights of ball and paddle."""
    return -abs(after.ball_y - after.paddle_y)
