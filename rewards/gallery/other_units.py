"""Keep the commanded speed: the speed in km/h, the command in m/s."""

ENV = "bicycle"


def other_units(before, action, after):
    """1 at the commanded speed, less the further the speed is from it."""
    error = 3.6 * after.speed - after.commanded_speed
    return 1.0 / (1.0 + error * error)
