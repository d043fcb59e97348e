"""Pay for what is wanted, with a number that is never negative."""

ENV = "bicycle"


def keep_speed(before, action, after):
    """1 at the commanded speed, 1/2 at 1 m/s off, 1/5 at 2 m/s off; 0 for a fall."""
    error = after.speed - after.commanded_speed
    return (1.0 - after.fallen) / (1.0 + error * error)
