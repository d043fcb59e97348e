"""The Carvallo-Whipple bicycle: its parameters, and the matrices of its linear equations.

    M q'' + v C1 q' + (g K0 + v^2 K2 + sum a_i Ka_i) q = [roll torque, steer torque]

with q = (roll, steer), both positive to the right, v the forward speed and a_i the parts of its
acceleration. Axes: x forward, y right, z down, the origin where the rear wheel touches the ground.

Numbers such as (A20) are equations of Meijaard, Papadopoulos, Ruina and Schwab, "Linearized
dynamics equations for the balance and steer of a bicycle: a benchmark and review", Proc. R. Soc. A
463 (2007), appendix A. The parts are named as there: R rear wheel, B frame and rider, H fork and
handlebar, F front wheel; T is all of them, A is what the handlebar turns (H and F).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parameters:
    """What the bicycle is made of: the benchmark of Meijaard et al. (2007), table 1.

    Positions are those of centres of mass, moments of inertia are taken about them. Wheels are
    symmetric, so that their Izz is their Ixx.
    """

    wheelbase: float = 1.02
    """Between the points where the wheels touch the ground, m."""
    trail: float = 0.08
    """How far the front wheel touches the ground behind the steer axis, m."""
    head_angle: float = 72.0
    """Of the steer axis above the horizontal, degrees; 90 is upright."""
    gravity: float = 9.81
    """m/s^2."""
    rear_wheel_radius: float = 0.3
    """m."""
    rear_wheel_mass: float = 2.0
    """kg."""
    rear_wheel_ixx: float = 0.0603
    """About a diameter, kg m^2."""
    rear_wheel_iyy: float = 0.12
    """About the axle, kg m^2."""
    rider_x: float = 0.3
    """Frame and rider, one rigid body here: how far before the rear contact, m."""
    rider_height: float = 0.9
    """Frame and rider: above the ground, m."""
    rider_mass: float = 85.0
    """Frame and rider together, kg."""
    rider_ixx: float = 9.2
    """Frame and rider, about the x axis, kg m^2."""
    rider_iyy: float = 11.0
    """Frame and rider, about the y axis, kg m^2; no linear equation contains it."""
    rider_izz: float = 2.8
    """Frame and rider, about the z axis, kg m^2."""
    rider_ixz: float = 2.4
    """Frame and rider, product of inertia, kg m^2."""
    fork_x: float = 0.9
    """Fork and handlebar: how far before the rear contact, m."""
    fork_height: float = 0.7
    """Fork and handlebar: above the ground, m."""
    fork_mass: float = 4.0
    """kg."""
    fork_ixx: float = 0.05892
    """Fork and handlebar, about the x axis, kg m^2."""
    fork_iyy: float = 0.06
    """Fork and handlebar, about the y axis, kg m^2; no linear equation contains it."""
    fork_izz: float = 0.00708
    """Fork and handlebar, about the z axis, kg m^2."""
    fork_ixz: float = -0.00756
    """Fork and handlebar, product of inertia, kg m^2."""
    front_wheel_radius: float = 0.35
    """m."""
    front_wheel_mass: float = 3.0
    """kg."""
    front_wheel_ixx: float = 0.1405
    """About a diameter, kg m^2."""
    front_wheel_iyy: float = 0.28
    """About the axle, kg m^2."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("wheelbase", 0.1, 10.0),
            ("trail", -1.0, 1.0),
            ("head_angle", 45.0, 90.0),
            ("gravity", 0.0, 100.0),
            ("rear_wheel_radius", 0.01, 10.0),
            ("rear_wheel_mass", 0.01, 1000.0),
            ("rear_wheel_ixx", 0.0, 1000.0),
            ("rear_wheel_iyy", 0.0, 1000.0),
            ("rider_x", -10.0, 10.0),
            ("rider_height", 0.01, 10.0),
            ("rider_mass", 0.01, 1000.0),
            ("rider_ixx", 0.0, 1000.0),
            ("rider_iyy", 0.0, 1000.0),
            ("rider_izz", 0.0, 1000.0),
            ("fork_x", -10.0, 10.0),
            ("fork_height", 0.01, 10.0),
            ("fork_mass", 0.01, 1000.0),
            ("fork_ixx", 0.0, 1000.0),
            ("fork_iyy", 0.0, 1000.0),
            ("fork_izz", 0.0, 1000.0),
            ("front_wheel_radius", 0.01, 10.0),
            ("front_wheel_mass", 0.01, 1000.0),
            ("front_wheel_ixx", 0.0001, 1000.0),  # not 0: steering would weigh nothing
            ("front_wheel_iyy", 0.0, 1000.0),
        ):
            self._require(name, low, high)
        for part in ("rider", "fork"):
            # A body with a greater product of inertia would have a negative moment about some axis.
            limit = math.sqrt(getattr(self, f"{part}_ixx") * getattr(self, f"{part}_izz"))
            self._require(f"{part}_ixz", -limit, limit)

    def _require(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:  # NaN fails too
            raise ValueError(
                f"option `{name}` of bicycle must be between {low:g} and {high:g}, not {value}"
            )


class Matrices(NamedTuple):
    """The linear equations of one bicycle; the 2x2 matrices act on (roll, steer)."""

    mass: NDArray[np.float64]
    """M, kg m^2."""
    damping: NDArray[np.float64]
    """C1, kg m; times the speed."""
    gravity_stiffness: NDArray[np.float64]
    """K0, kg m; times g."""
    speed_stiffness: NDArray[np.float64]
    """K2, kg; times the speed squared."""
    rear_stiffness: NDArray[np.float64]
    """Ka, kg m; times an acceleration by the rear wheel: pedal, rear brake."""
    front_stiffness: NDArray[np.float64]
    """Ka, kg m; times an acceleration by a brake between fork and front wheel."""
    drag_stiffness: NDArray[np.float64]
    """Ka, kg m; times an acceleration by a force at the rider's centre of mass."""
    effective_mass: float
    """Force needed for 1 m/s^2 straight ahead, kg: the wheels have to be spun up too."""
    total_mass: float
    """m_T, kg."""


def matrices(p: Parameters) -> Matrices:
    """The matrices of the linear equations about riding upright and straight ahead.

    M, C1, K0 and K2 are the paper's. How an acceleration enters the stiffness is not in the paper,
    which has the speed constant; it follows from the same model by virtual power:

    Take roll', steer' and v, the rotation of the rear wheel against the frame times its radius, as
    the three speeds. At rest their accelerations obey H(q) (roll'', steer'', v') = forces, with H
    the mass matrix of the kinetic energy 1/2 (roll', steer', v) H (roll', steer', v). Upright,
    H has M in it and no coupling of v with roll' and steer'; off upright they are coupled, and

        Ka_rear = d H[(roll, steer), v] / d q.

    The coupling to first order has these sources, with mu = (c/w) cos(lambda) (A17):

    - The bicycle turns: yaw rate (v steer + c steer') cos(lambda) / w, as in (A26).
    - It nods: the frame's pitch is mu roll steer + kappa steer^2 / 2, nose down, with
      kappa = mu sin(lambda). A point of height h so gains mu roll' steer + kappa steer steer',
      times h, of forward speed.
    - A point of the front assembly, u before the steer axis, loses u (cos(lambda) + mu) steer
      steer' of it.
    - The front wheel's spin is v + c cos(lambda) (cos(lambda) + mu) steer steer' + r_F (mu +
      cos(lambda)) roll' steer, over r_F.

    A force that does not act on v alone, such as a brake on the front wheel or the drag, also
    drives roll and steer, by the speed of its point for roll' = 1 or steer' = 1. Moved to the left
    side, that is the difference of its Ka from that of the rear wheel.
    """
    lam = math.radians(90.0 - p.head_angle)
    sin, cos = math.sin(lam), math.cos(lam)
    w, c, r_r, r_f = p.wheelbase, p.trail, p.rear_wheel_radius, p.front_wheel_radius
    m_r, m_b, m_h, m_f = p.rear_wheel_mass, p.rider_mass, p.fork_mass, p.front_wheel_mass
    x_b, z_b, x_h, z_h = p.rider_x, -p.rider_height, p.fork_x, -p.fork_height

    # All of the bicycle.
    m_t = m_r + m_b + m_h + m_f  # (A1)
    x_t = (x_b * m_b + x_h * m_h + w * m_f) / m_t  # (A2)
    z_t = (-r_r * m_r + z_b * m_b + z_h * m_h - r_f * m_f) / m_t  # (A3)
    i_txx = (  # (A4)
        (p.rear_wheel_ixx + p.rider_ixx + p.fork_ixx + p.front_wheel_ixx)
        + (m_r * r_r**2 + m_b * z_b**2 + m_h * z_h**2 + m_f * r_f**2)
    )
    i_txz = p.rider_ixz + p.fork_ixz - m_b * x_b * z_b - m_h * x_h * z_h + m_f * w * r_f  # (A5)
    i_tzz = (  # (A6), (A7)
        (p.rear_wheel_ixx + p.rider_izz + p.fork_izz + p.front_wheel_ixx)
        + (m_b * x_b**2 + m_h * x_h**2 + m_f * w**2)
    )

    # The front assembly, A.
    m_a = m_h + m_f  # (A8)
    x_a = (x_h * m_h + w * m_f) / m_a  # (A9)
    z_a = (z_h * m_h - r_f * m_f) / m_a
    i_axx = (  # (A10)
        p.fork_ixx + p.front_wheel_ixx + m_h * (z_h - z_a) ** 2 + m_f * (r_f + z_a) ** 2
    )
    i_axz = p.fork_ixz - m_h * (x_h - x_a) * (z_h - z_a) + m_f * (w - x_a) * (r_f + z_a)  # (A11)
    i_azz = p.fork_izz + p.front_wheel_ixx + m_h * (x_h - x_a) ** 2 + m_f * (w - x_a) ** 2  # (A12)
    u_a = (x_a - w - c) * cos - z_a * sin  # (A13): how far before the steer axis
    i_all = m_a * u_a**2 + i_axx * sin**2 + 2 * i_axz * sin * cos + i_azz * cos**2  # (A14)
    i_alx = -m_a * u_a * z_a + i_axx * sin + i_axz * cos  # (A15)
    i_alz = m_a * u_a * x_a + i_axz * sin + i_azz * cos  # (A16)

    mu = c / w * cos  # (A17)
    s_r, s_f = p.rear_wheel_iyy / r_r, p.front_wheel_iyy / r_f  # (A18)
    s_t = s_r + s_f
    s_a = m_a * u_a + mu * m_t * x_t  # (A19)

    both = i_alx + mu * i_txz
    mass = [[i_txx, both], [both, i_all + 2 * mu * i_alz + mu**2 * i_tzz]]  # (A20)
    gravity_stiffness = [[m_t * z_t, -s_a], [-s_a, -s_a * sin]]  # (A22)
    # (A24)
    speed_stiffness = [[0.0, (s_t - m_t * z_t) / w * cos], [0.0, (s_a + s_f * sin) / w * cos]]
    # (A26)
    steer_to_roll = mu * s_t + s_f * cos + i_txz / w * cos - mu * m_t * z_t
    steer_to_steer = i_alz / w * cos + mu * (s_a + i_tzz / w * cos)
    damping = [[0.0, steer_to_roll], [-(mu * s_t + s_f * cos), steer_to_steer]]

    kappa = mu * sin
    turn = cos + mu
    effective_mass = m_t + p.rear_wheel_iyy / r_r**2 + p.front_wheel_iyy / r_f**2
    rear = (
        cos / w * (i_alz + mu * i_tzz)
        - kappa * m_t * z_t
        - turn * m_a * u_a
        + s_f / r_f * c * cos * turn
        + s_r * kappa
    )
    front = rear - effective_mass * c * cos * turn
    lever = effective_mass * p.rider_height * mu
    return Matrices(
        mass=np.array(mass),
        damping=np.array(damping),
        gravity_stiffness=np.array(gravity_stiffness),
        speed_stiffness=np.array(speed_stiffness),
        rear_stiffness=np.array([[0.0, steer_to_roll], [0.0, rear]]),
        front_stiffness=np.array([[0.0, steer_to_roll], [0.0, front]]),
        drag_stiffness=np.array([[0.0, steer_to_roll - lever], [0.0, rear - lever * sin]]),
        effective_mass=effective_mass,
        total_mass=m_t,
    )


def state_matrix(m: Matrices, speed: float, gravity: float) -> NDArray[np.float64]:
    """A in d/dt (roll, steer, roll', steer') = A (roll, steer, roll', steer') at a held speed."""
    stiffness = gravity * m.gravity_stiffness + speed**2 * m.speed_stiffness
    forces = np.hstack([stiffness, speed * m.damping])
    return np.vstack([np.eye(2, 4, 2), -np.linalg.solve(m.mass, forces)])


def eigenvalues(m: Matrices, speed: float, gravity: float) -> NDArray[np.complex128]:
    """The four eigenvalues at a held speed, 1/s, sorted by real part, then by imaginary part.

    The bicycle rides by itself where all real parts are negative.
    """
    values = np.linalg.eigvals(state_matrix(m, speed, gravity))
    return np.sort_complex(values.astype(np.complex128))


def constants(p: Parameters) -> dict[str, Any]:
    """What `envs.bicycle.dynamics` reads besides the parameters: 2x2 matrices and numbers."""
    m = matrices(p)
    return {
        "mass": m.mass,
        "inverse_mass": np.linalg.inv(m.mass),
        "damping": m.damping,
        "weight_stiffness": p.gravity * m.gravity_stiffness,
        "speed_stiffness": m.speed_stiffness,
        "rear_stiffness": m.rear_stiffness,
        "drag_stiffness": m.drag_stiffness,
        "effective_mass": m.effective_mass,
        "weight": m.total_mass * p.gravity,  # N
        "curvature": math.sin(math.radians(p.head_angle))
        / p.wheelbase,  # of the path, 1/m per rad of steer
    }
