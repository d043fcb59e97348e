"""The equations of the bicycle, compared with published numbers and rigid-body mechanics."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.bicycle.model import Parameters, eigenvalues, matrices, state_matrix

Array = NDArray[np.float64]

BENCHMARK = Parameters()
ODD = Parameters(
    wheelbase=1.3,
    trail=-0.05,
    head_angle=60.0,
    rear_wheel_radius=0.25,
    rear_wheel_iyy=0.3,
    rider_x=0.5,
    rider_mass=50.0,
    fork_x=1.0,
    front_wheel_radius=0.4,
    front_wheel_iyy=0.1,
)
VARIED = [
    BENCHMARK,
    replace(BENCHMARK, trail=0.0),
    replace(BENCHMARK, trail=0.15, wheelbase=0.9),
    replace(BENCHMARK, head_angle=90.0),
    replace(BENCHMARK, head_angle=65.0, rider_mass=20.0, front_wheel_mass=9.0),
    ODD,
]


# --- Compared with the benchmark of Meijaard et al. (2007)


def test_matrices_match_the_benchmark() -> None:
    m = matrices(BENCHMARK)
    for computed, published in (
        (m.mass, [[80.81722, 2.31941332208709], [2.31941332208709, 0.29784188199686]]),
        (m.damping, [[0.0, 33.86641391492494], [-0.85035641456978, 1.68540397397560]]),
        (
            m.gravity_stiffness,
            [[-80.95, -2.59951685249872], [-2.59951685249872, -0.80329488458618]],
        ),
        (m.speed_stiffness, [[0.0, 76.59734589573222], [0.0, 2.65431523794604]]),
    ):
        np.testing.assert_allclose(computed, published, rtol=1e-12, atol=1e-12)
    assert m.total_mass == 94.0
    assert m.effective_mass == pytest.approx(97.61905, abs=5e-6)


@pytest.mark.parametrize(
    ("speed", "published"),
    [
        (0.0, [-5.530944, -3.131643, 3.131643, 5.530944]),
        (2.0, [-8.673880, -3.071586, 2.682345 - 1.680663j, 2.682345 + 1.680663j]),
        (4.0, [-12.158614, -1.429444, 0.413253 - 3.079108j, 0.413253 + 3.079108j]),
        (5.0, [-14.078390, -0.775342 - 4.464868j, -0.775342 + 4.464868j, -0.322866]),
        (7.0, [-18.157885, -2.138756 - 7.195259j, -2.138756 + 7.195259j, 0.102682]),
        (10.0, [-24.624596, -3.720168 - 10.906811j, -3.720168 + 10.906811j, 0.161053]),
    ],
)
def test_eigenvalues_match_the_benchmark(speed: float, published: list[complex]) -> None:
    computed = eigenvalues(matrices(BENCHMARK), speed, 9.81)
    np.testing.assert_allclose(computed.real, np.real(published), rtol=0, atol=6e-7)
    np.testing.assert_allclose(computed.imag, np.imag(published), rtol=0, atol=6e-7)


@pytest.mark.parametrize(
    ("slow", "fast", "published"), [(3.0, 5.0, 4.29238), (5.0, 8.0, 6.02426)], ids=str
)
def test_stable_alone_between_two_speeds(slow: float, fast: float, published: float) -> None:
    def is_stable(speed: float) -> bool:
        return bool((eigenvalues(matrices(BENCHMARK), speed, 9.81).real < 0).all())

    stable_when_slow = is_stable(slow)
    assert stable_when_slow != is_stable(fast)
    while fast - slow > 1e-7:
        middle = (slow + fast) / 2
        if is_stable(middle) == stable_when_slow:
            slow = middle
        else:
            fast = middle
    assert slow == pytest.approx(published, abs=6e-6)


def test_acceleration_stiffness_matches_a_nonlinear_model() -> None:
    """The numbers come from an independent full model."""
    m = matrices(BENCHMARK)
    for computed, steer_to_roll, steer_to_steer in (
        (m.rear_stiffness, 33.8664139, 3.3392550),
        (m.front_stiffness, 33.8664139, -4.2785476),
        (m.drag_stiffness, 27.3129152, 1.3141126),
    ):
        expected = [[0.0, steer_to_roll], [0.0, steer_to_steer]]
        np.testing.assert_allclose(computed, expected, rtol=0, atol=6e-8)


def test_the_state_matrix_contains_the_equations() -> None:
    """M q'' + v C1 q' + (g K0 + v^2 K2) q = 0 for any q and q'."""
    m, q, rates = matrices(BENCHMARK), np.array([0.1, -0.2]), np.array([0.3, 0.4])
    derivative = state_matrix(m, 3.0, 9.81) @ np.hstack([q, rates])
    np.testing.assert_array_equal(derivative[:2], rates)
    stiffness = 9.81 * m.gravity_stiffness + 9.0 * m.speed_stiffness
    left = m.mass @ derivative[2:] + 3.0 * m.damping @ rates + stiffness @ q
    np.testing.assert_allclose(left, 0.0, atol=1e-12)


# --- Compared with another program


@pytest.mark.parametrize("p", VARIED, ids=range(len(VARIED)))
def test_matrices_agree_with_bicycle_parameters(p: Parameters) -> None:
    """BicycleParameters on PyPI, by Jason Moore and others."""
    import bicycleparameters.bicycle  # slow, as it imports Matplotlib

    expected = bicycleparameters.bicycle.benchmark_par_to_canonical(
        {
            "w": p.wheelbase,
            "c": p.trail,
            "lam": math.radians(90.0 - p.head_angle),
            "g": p.gravity,
            "rR": p.rear_wheel_radius,
            "mR": p.rear_wheel_mass,
            "IRxx": p.rear_wheel_ixx,
            "IRyy": p.rear_wheel_iyy,
            "xB": p.rider_x,
            "zB": -p.rider_height,
            "mB": p.rider_mass,
            "IBxx": p.rider_ixx,
            "IBzz": p.rider_izz,
            "IBxz": p.rider_ixz,
            "xH": p.fork_x,
            "zH": -p.fork_height,
            "mH": p.fork_mass,
            "IHxx": p.fork_ixx,
            "IHzz": p.fork_izz,
            "IHxz": p.fork_ixz,
            "rF": p.front_wheel_radius,
            "mF": p.front_wheel_mass,
            "IFxx": p.front_wheel_ixx,
            "IFyy": p.front_wheel_iyy,
        }
    )
    m = matrices(p)
    computed = (m.mass, m.damping, m.gravity_stiffness, m.speed_stiffness)
    np.testing.assert_allclose(computed, expected, rtol=1e-12, atol=1e-12)


# --- Compared with rolling rigid bodies in three dimensions
#
# Velocities are 3 x 9 matrices: they multiply the rates of (x, y, z of the rear wheel's centre,
# yaw, roll, pitch, steer, rear wheel's spin, front wheel's spin). As neither wheel slips or leaves
# the ground, three of the nine rates are free: roll', steer' and v.

X, Y, Z = np.eye(3)
YAW, ROLL, PITCH, STEER, REAR_SPIN, FRONT_SPIN = np.eye(9)[3:]


class Pose(NamedTuple):
    """A pose of the bicycle, with the rear contact point at the origin and heading along x."""

    frame: Array
    fork: Array
    rear: Array
    head: Array
    front: Array


def turned(axis: Array, angle: float) -> Array:
    """Return the rotation matrix about a unit vector."""
    cross = np.cross(axis, np.eye(3)).T
    return np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * cross @ cross


def steer_axis(p: Parameters) -> Array:
    """Return the steer axis in the frame, pointing down."""
    return np.array([math.cos(math.radians(p.head_angle)), 0, math.sin(math.radians(p.head_angle))])


def pose(p: Parameters, roll: float, steer: float, pitch: float) -> Pose:
    frame = turned(X, roll) @ turned(Y, pitch)
    fork = frame @ turned(steer_axis(p), steer)
    rear = turned(X, roll) @ (-p.rear_wheel_radius * Z)
    head = rear + frame @ ((p.wheelbase + p.trail) * X + p.rear_wheel_radius * Z)
    return Pose(frame, fork, rear, head, head + fork @ (-p.trail * X - p.front_wheel_radius * Z))


def lowest(radius: float, axle: Array) -> Array:
    """Return the vector from a wheel's centre to its lowest point."""
    down = Z - axle * axle[2]
    return radius * down / np.linalg.norm(down)


def on_the_ground(p: Parameters, roll: float, steer: float) -> Pose:
    """Find the pitch at which the front wheel touches the ground, by the secant method."""

    def below(pitch: float) -> float:
        at = pose(p, roll, steer, pitch)
        return float((at.front + lowest(p.front_wheel_radius, at.fork @ Y))[2])

    last, pitch = 0.01, 0.0
    while abs(below(pitch)) > 1e-14:
        slope = (below(pitch) - below(last)) / (pitch - last)
        last, pitch = pitch, pitch - below(pitch) / slope
    return pose(p, roll, steer, pitch)


def inertia(ixx: float, iyy: float, izz: float, ixz: float = 0.0) -> Array:
    return np.array([[ixx, 0, ixz], [0, iyy, 0], [ixz, 0, izz]])


def swept(spin: Array, arm: Array) -> Array:
    """Return the velocity of the end of an arm relative to its start."""
    return np.cross(spin, arm, axisa=0, axisc=0)


def rolling(p: Parameters, roll: float, steer: float) -> tuple[Array, Array, Array]:
    """Return how energy, front wheel spin and rider speed depend on (roll', steer', v).

    The first is a 3 x 3 mass matrix, the others are rows of three.
    """
    at = on_the_ground(p, roll, steer)
    of_frame = np.outer(Z, YAW) + np.outer(X, ROLL) + np.outer(turned(X, roll) @ Y, PITCH)
    of_fork = of_frame + np.outer(at.frame @ steer_axis(p), STEER)
    of_rear = of_frame + np.outer(at.frame @ Y, REAR_SPIN)
    of_front = of_fork + np.outer(at.fork @ Y, FRONT_SPIN)

    rear = np.eye(3, 9)
    head = rear + swept(of_frame, at.head - at.rear)
    front = head + swept(of_fork, at.front - at.head)
    from_rear = np.array([p.rider_x, 0, p.rear_wheel_radius - p.rider_height])
    rider = rear + swept(of_frame, at.frame @ from_rear)
    from_head = np.array([p.fork_x - p.wheelbase - p.trail, 0, -p.fork_height])
    fork = head + swept(of_fork, at.fork @ from_head)

    rear_inertia = inertia(p.rear_wheel_ixx, p.rear_wheel_iyy, p.rear_wheel_ixx)
    rider_inertia = inertia(p.rider_ixx, p.rider_iyy, p.rider_izz, p.rider_ixz)
    fork_inertia = inertia(p.fork_ixx, p.fork_iyy, p.fork_izz, p.fork_ixz)
    front_inertia = inertia(p.front_wheel_ixx, p.front_wheel_iyy, p.front_wheel_ixx)
    energy = np.zeros((9, 9))
    for mass, velocity, moment, turn, spin in (
        (p.rear_wheel_mass, rear, rear_inertia, at.frame, of_rear),
        (p.rider_mass, rider, rider_inertia, at.frame, of_frame),
        (p.fork_mass, fork, fork_inertia, at.fork, of_fork),
        (p.front_wheel_mass, front, front_inertia, at.fork, of_front),
    ):
        energy += mass * velocity.T @ velocity + spin.T @ turn @ moment @ turn.T @ spin

    slip_rear = rear + swept(of_rear, lowest(p.rear_wheel_radius, at.frame @ Y))
    slip_front = front + swept(of_front, lowest(p.front_wheel_radius, at.fork @ Y))
    free = np.vstack([ROLL, STEER, -p.rear_wheel_radius * REAR_SPIN])
    given = np.eye(9, 3, -6)  # slips are zero, and the free rates are given
    motion = np.linalg.solve(np.vstack([slip_rear, slip_front, free]), given)
    return motion.T @ energy @ motion, motion[8], rider[0] @ motion


@pytest.mark.parametrize("p", VARIED, ids=range(len(VARIED)))
def test_upright_energy_matches_the_rigid_bodies(p: Parameters) -> None:
    m = matrices(p)
    expected, _, _ = rolling(p, 0.0, 0.0)
    np.testing.assert_allclose(m.mass, expected[:2, :2], rtol=1e-12, atol=1e-12)
    assert m.effective_mass == pytest.approx(expected[2, 2], rel=1e-12)


@pytest.mark.parametrize("p", VARIED, ids=range(len(VARIED)))
def test_acceleration_stiffness_matches_the_rigid_bodies(p: Parameters) -> None:
    """Compare the coupling of roll and steer with v in the kinetic energy, near upright."""
    m, small = matrices(p), 1e-4
    for column, (roll, steer) in enumerate(small * np.eye(2)):
        off, other = rolling(p, roll, steer), rolling(p, -roll, -steer)
        coupling, spin, ahead = ((a - b) / (2 * small) for a, b in zip(off, other, strict=True))
        rear = coupling[:2, 2]
        # A force on a point of speed s works on roll and steer by ds/droll' and ds/dsteer'.
        front = rear + m.effective_mass * p.front_wheel_radius * spin[:2]
        drag = rear - m.effective_mass * ahead[:2]
        for computed, expected in (
            (m.rear_stiffness, rear),
            (m.front_stiffness, front),
            (m.drag_stiffness, drag),
        ):
            np.testing.assert_allclose(computed[:, column], expected, rtol=1e-7, atol=1e-6)


# --- Impossible bicycles


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wheelbase", 0.0),
        ("trail", math.nan),
        ("trail", 5.0),
        ("head_angle", 20.0),
        ("head_angle", 91.0),
        ("gravity", -9.81),
        ("rear_wheel_radius", 0.0),
        ("rider_mass", -85.0),
        ("rider_ixx", -1.0),
        ("rider_ixz", 10.0),
        ("fork_ixz", math.nan),
        ("fork_mass", math.inf),
        ("front_wheel_ixx", 0.0),
        ("front_wheel_iyy", -0.28),
    ],
)
def test_impossible_parameters_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"^option `{name}` of bicycle must be between .* and .*"):
        replace(BENCHMARK, **{name: value})
