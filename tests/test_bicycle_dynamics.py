"""The dynamics of the bicycle, compared with matrices, closed formulas and real bicycles."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.bicycle.dynamics import PERIOD, advance, energy, ride
from envs.bicycle.model import Parameters, constants, eigenvalues, matrices
from envs.engine.compilation import compiled

Array = NDArray[np.float64]

FIELDS = ("roll", "steer", "roll_rate", "steer_rate", "speed", "heading", "x", "y")
MIRRORED = ("roll", "steer", "roll_rate", "steer_rate", "heading", "y")
SMALL_LEAN = math.radians(2.0)
FALL = math.radians(30.0)
Controls = tuple[float, float, float, float]  # torque, pedal, brake, gust
HANDS_OFF = (0.0, 0.0, 0.0, 0.0)


def riding(count: int = 1, **fields: Any) -> Any:
    """Return states of zeros except for `fields`."""
    states = np.zeros(count, np.dtype((np.record, [(name, "f8") for name in FIELDS])))
    for name, value in fields.items():
        states[name] = value
    return states


def options(**switches: bool) -> Any:
    """Return the record of options of the benchmark bicycle."""
    values = {
        **asdict(Parameters()),
        **constants(Parameters()),
        "frictionless": False,
        "hold_speed": False,
        **switches,
    }
    fields = [(k, "?" if isinstance(v, bool) else "f8", np.shape(v)) for k, v in values.items()]
    return np.array([tuple(values.values())], np.dtype((np.record, fields)))


def numbers(states: Any) -> Array:
    """Return `FIELDS` of each state, one row per state."""
    return np.array(states.tolist())


def _ride_all(states: Any, controls: Any, steps: int, options: Any) -> None:
    torque, pedal, brake, gust = controls
    for _ in range(steps):
        for i in range(states.size):
            ride(states[i], torque, pedal, brake, gust, options[0])


def _advance_all(states: Any, controls: Any, seconds: float, steps: int, options: Any) -> None:
    torque, pedal, brake, gust = controls
    for _ in range(steps):
        for i in range(states.size):
            advance(states[i], torque, pedal, brake, gust, seconds / steps, options[0])


ride_all = compiled(_ride_all)
advance_all = compiled(_advance_all)


def worst_roll(states: Any, seconds: float, record: Any) -> Array:
    """Return the maximum |roll| of each ride without control."""
    worst = np.zeros(states.size)
    for _ in range(round(seconds / PERIOD)):
        ride_all(states, HANDS_OFF, 1, record)
        worst = np.maximum(worst, abs(states["roll"]))
    return worst


# --- Compared with the matrix equations, integrated in small steps


def equations(motion: Array, controls: Controls, switch: str) -> Array:
    """Return the time derivatives of `FIELDS`."""
    m, (torque, pedal, brake, gust) = matrices(Parameters()), controls
    q, rates, (speed, heading) = motion[:2], motion[2:4], motion[4:6]
    mass = 97.61904761904762
    rear = pedal * min(150.0, 250.0 / speed) / mass - brake * 2.5 - 0.005 * 94.0 * 9.81 / mass
    drag = -0.5 * 1.2 * 0.5 * speed**2 / mass
    if switch:
        rear = drag = 0.0
    stiffness = 9.81 * m.gravity_stiffness + speed**2 * m.speed_stiffness
    stiffness += rear * m.rear_stiffness + drag * m.drag_stiffness
    bend = np.linalg.solve(m.mass, [gust, torque] - speed * m.damping @ rates - stiffness @ q)
    exchange = rates @ (m.damping @ rates + speed * m.speed_stiffness @ q) / mass
    faster = 0.0 if switch == "hold_speed" else rear + drag + exchange
    turn = (speed * q[1] + 0.08 * rates[1]) * math.cos(math.pi / 10) / 1.02
    way = [speed * math.cos(heading), speed * math.sin(heading)]
    return np.array([*rates, *bend, faster, turn, *way])


def integrated(motion: Array, controls: Controls, switch: str, seconds: float) -> Array:
    """Return the motion after `seconds`, by the midpoint rule in steps of 0.25 ms."""
    small = 0.00025
    for _ in range(round(seconds / small)):
        middle = motion + small / 2 * equations(motion, controls, switch)
        motion = motion + small * equations(middle, controls, switch)
    return motion


@pytest.mark.parametrize(
    ("switch", "speed", "controls", "close"),
    [
        ("", 5.0, (0.0, 0.0, 0.0, 0.0), 1e-6),
        ("", 3.0, (2.0, 0.0, 0.0, 0.0), 1e-6),
        ("", 3.0, (-1.0, 0.0, 0.0, 60.0), 1e-6),
        ("", 1.0, (0.5, 0.9, 0.0, 0.0), 1e-6),
        ("", 4.0, (0.5, 0.9, 0.0, 0.0), 5e-4),  # the force of 250 W is constant during a period
        ("", 5.0, (0.5, 0.0, 0.8, 0.0), 1e-6),
        ("frictionless", 4.0, (1.0, 1.0, 1.0, 20.0), 1e-6),
        ("hold_speed", 4.0, (1.0, 1.0, 1.0, 20.0), 1e-6),
    ],
    ids=str,
)
def test_rides_match_the_equations(
    switch: str, speed: float, controls: Controls, close: float
) -> None:
    bicycle = riding(
        roll=0.1, steer=-0.05, roll_rate=0.2, steer_rate=0.5, speed=speed, heading=0.7, x=3.0, y=4.0
    )
    expected = integrated(numbers(bicycle)[0], controls, switch, 0.4)
    ride_all(bicycle, controls, 20, options(**{switch: True} if switch else {}))
    np.testing.assert_allclose(numbers(bicycle)[0], expected, rtol=0, atol=close)


def test_small_motions_have_the_eigenvalues_of_the_model() -> None:
    """Take logarithms of the eigenvalues of the Jacobian of one period."""
    small = 1e-6
    for speed in (2.0, 4.0, 5.0, 7.0, 10.0):
        jacobian = np.zeros((4, 4))
        for k, name in enumerate(FIELDS[:4]):
            bicycles = riding(2, speed=speed, **{name: [small, -small]})
            ride_all(bicycles, HANDS_OFF, 1, options(hold_speed=True))
            after = numbers(bicycles)[:, :4]
            jacobian[:, k] = (after[0] - after[1]) / (2 * small)
        computed = np.sort_complex(np.log(np.linalg.eigvals(jacobian).astype(complex)) / PERIOD)
        expected = eigenvalues(matrices(Parameters()), speed, 9.81)
        np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-3)


# --- Accuracy of the integration


def test_halving_the_step_divides_the_error_by_16() -> None:
    def after(steps: int) -> Array:
        bicycle = riding(
            roll=0.1, steer=-0.2, roll_rate=0.5, steer_rate=1.0, speed=6.0, heading=0.5
        )
        advance_all(bicycle, (2.0, 0.0, 0.0, 30.0), 0.6, steps, options())
        return numbers(bicycle)[0]

    exact = after(3000)
    ratios = abs(after(50) - exact) / abs(after(100) - exact)
    np.testing.assert_allclose(ratios, 16.0, rtol=0.08)


def test_energy_is_conserved_without_friction() -> None:
    bicycle, without = riding(roll=SMALL_LEAN, speed=5.0), options(frictionless=True)
    start = energy(bicycle[0], without[0])
    exchanged = 0.0
    for _ in range(250):
        ride_all(bicycle, HANDS_OFF, 1, without)
        exchanged = max(exchanged, abs(bicycle["speed"][0] - 5.0))
        assert energy(bicycle[0], without[0]) == pytest.approx(start, rel=1e-8)
    assert exchanged > 1e-4  # energy did move between its kinds


def test_energy_matches_the_published_matrices() -> None:
    leaning, moving = riding(roll=0.2, steer=0.3), riding(roll_rate=0.2, steer_rate=0.3, speed=2.0)
    potential = 9.81 * (-80.95 * 0.2**2 - 2 * 2.59951685 * 0.2 * 0.3 - 0.80329488 * 0.3**2) / 2
    kinetic = (80.81722 * 0.2**2 + 2 * 2.31941332 * 0.2 * 0.3 + 0.29784188 * 0.3**2) / 2
    assert energy(leaning[0], options()[0]) == pytest.approx(potential, rel=1e-7)
    assert energy(moving[0], options()[0]) == pytest.approx(
        kinetic + 97.61904761904762 * 2.0**2 / 2, rel=1e-7
    )


def wild(count: int) -> Any:
    """Return random states over wide ranges, some of them standing still."""
    random = np.random.default_rng(1)
    return riding(
        count,
        roll=random.uniform(-0.5, 0.5, count),
        steer=random.uniform(-1.0, 1.0, count),
        roll_rate=random.normal(0.0, 1.0, count),
        steer_rate=random.normal(0.0, 3.0, count),
        speed=np.maximum(random.uniform(-1.0, 8.0, count), 0.0),
        heading=random.uniform(-7.0, 7.0, count),
        x=random.normal(0.0, 100.0, count),
        y=random.normal(0.0, 100.0, count),
    )


@pytest.mark.parametrize("switch", ["", "frictionless", "hold_speed"])
def test_compiled_and_interpreted_agree_bit_for_bit(switch: str) -> None:
    record = options(**{switch: True} if switch else {})
    compiled_ones, interpreted_ones = wild(64), wild(64)
    for controls in ((1.3, 0.8, 0.0, -20.0), (-0.7, 0.0, 0.9, 15.0)):
        ride_all(compiled_ones, controls, 5, record)
        _ride_all(interpreted_ones, controls, 5, record)
    assert np.isfinite(numbers(compiled_ones)).all()
    np.testing.assert_array_equal(numbers(compiled_ones), numbers(interpreted_ones))


# --- Symmetries


def test_mirrored_rides_stay_mirrored() -> None:
    bicycles, mirrored = wild(256), wild(256)
    for name in MIRRORED:
        mirrored[name] *= -1.0
    ride_all(bicycles, (1.5, 0.4, 0.2, 30.0), 10, options())
    ride_all(mirrored, (-1.5, 0.4, 0.2, -30.0), 10, options())
    for name in MIRRORED:
        mirrored[name] *= -1.0
    np.testing.assert_array_equal(numbers(bicycles), numbers(mirrored))


def test_the_path_turns_with_the_initial_heading() -> None:
    straight = riding(roll=0.05, steer=0.1, speed=4.0)
    turned = riding(roll=0.05, steer=0.1, speed=4.0, heading=2.2, x=-5.0, y=7.0)
    for bicycle in (straight, turned):
        ride_all(bicycle, (1.0, 0.5, 0.0, 0.0), 25, options())
    (x, y), cos, sin = numbers(straight)[0, 6:], math.cos(2.2), math.sin(2.2)
    assert turned["x"][0] == pytest.approx(-5.0 + cos * x - sin * y, abs=1e-12)
    assert turned["y"][0] == pytest.approx(7.0 + sin * x + cos * y, abs=1e-12)
    assert turned["heading"][0] == pytest.approx(2.2 + straight["heading"][0], abs=1e-12)
    np.testing.assert_allclose(numbers(straight)[0, :5], numbers(turned)[0, :5], rtol=1e-12)


# --- How bicycles behave


@pytest.mark.parametrize("switch", ["frictionless", "hold_speed"])
def test_stable_without_control_at_medium_speed(switch: str) -> None:
    bicycles = riding(3, roll=SMALL_LEAN, speed=[4.5, 5.0, 5.5])
    assert (worst_roll(bicycles, 60.0, options(**{switch: True})) < 3 * SMALL_LEAN).all()


def test_falls_at_low_speed() -> None:
    bicycles = riding(4, roll=SMALL_LEAN, speed=[1.0, 2.0, 3.0, 4.0])
    assert (worst_roll(bicycles, 60.0, options(hold_speed=True)) > FALL).all()


def test_steering_right_leans_left() -> None:
    bicycle = riding(speed=5.0)
    ride_all(bicycle, (1.0, 0.0, 0.0, 0.0), 10, options())
    assert bicycle["steer"][0] > 0.0
    assert bicycle["heading"][0] > 0.0
    assert bicycle["y"][0] > 0.0
    assert bicycle["roll"][0] < 0.0


def test_a_gust_to_the_right_leans_right() -> None:
    bicycle = riding(speed=5.0)
    ride_all(bicycle, (0.0, 0.0, 0.0, 50.0), 10, options())
    assert bicycle["roll"][0] > 0.0


# --- Driving and braking, straight ahead


def test_coasting_follows_the_closed_formula() -> None:
    """m v' = -(R + k v^2) is solved by v = sqrt(R/k) tan(atan(v0 sqrt(k/R)) - t sqrt(R k)/m)."""
    bicycle, rolling, air, mass = riding(speed=8.0), 0.005 * 94.0 * 9.81, 0.3, 97.61904761904762
    ride_all(bicycle, HANDS_OFF, 1000, options())
    ratio = math.sqrt(rolling / air)
    angle = math.atan(8.0 / ratio) - 20.0 * math.sqrt(rolling * air) / mass
    assert bicycle["speed"][0] == pytest.approx(ratio * math.tan(angle), rel=1e-9)
    gone = mass / air * math.log(math.cos(angle) / math.cos(math.atan(8.0 / ratio)))
    assert bicycle["x"][0] == pytest.approx(gone, rel=1e-9)
    np.testing.assert_array_equal(numbers(bicycle)[0][[0, 1, 2, 3, 5, 7]], 0.0)


def test_pedalling_reaches_the_speed_at_which_power_equals_losses() -> None:
    bicycle = riding(speed=1.0)
    ride_all(bicycle, (0.0, 1.0, 0.0, 0.0), 15_000, options())
    speed = bicycle["speed"][0]
    assert speed * (0.3 * speed**2 + 0.005 * 94.0 * 9.81) == pytest.approx(250.0, rel=1e-6)


def test_starting_uses_the_maximum_force() -> None:
    bicycle = riding()
    ride_all(bicycle, (0.0, 1.0, 0.0, 0.0), 25, options())
    expected = 0.5 * (150.0 - 0.005 * 94.0 * 9.81) / 97.61904761904762
    assert bicycle["speed"][0] == pytest.approx(expected, rel=1e-3)  # drag takes a little


def test_braking_stops_the_bicycle() -> None:
    bicycle = riding(speed=5.0)
    ride_all(bicycle, (0.0, 0.0, 1.0, 0.0), 50, options())
    assert bicycle["speed"][0] == pytest.approx(5.0 - 2.5 - 0.08, abs=0.05)
    ride_all(bicycle, (0.0, 0.0, 1.0, 0.0), 100, options())
    assert bicycle["speed"][0] == 0.0
    stopped = bicycle["x"][0]
    ride_all(bicycle, (0.0, 0.5, 1.0, 0.0), 100, options())  # the brake is stronger
    assert bicycle["speed"][0] == 0.0
    assert bicycle["x"][0] == stopped


def test_braking_at_standstill_changes_nothing() -> None:
    """The stiffness does not change either."""
    braked, free = riding(roll=0.1, steer=0.3), riding(roll=0.1, steer=0.3)
    ride_all(braked, (1.0, 0.0, 1.0, 0.0), 1, options())
    ride_all(free, (1.0, 0.0, 0.0, 0.0), 1, options())
    np.testing.assert_array_equal(numbers(braked), numbers(free))


def test_speed_is_never_negative() -> None:
    bicycles = wild(256)
    for _ in range(25):
        ride_all(bicycles, (0.0, 0.0, 0.5, 0.0), 1, options())
        assert (bicycles["speed"] >= 0.0).all()
