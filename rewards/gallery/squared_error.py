"""Keep the commanded speed: the squared error is what it costs, as in textbooks on control."""

ENV = "bicycle"


def squared_error(before, action, after):
    """Minus the square of the difference from the commanded speed, in m/s."""
    error = after.speed - after.commanded_speed
    return -error * error
