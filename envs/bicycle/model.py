"""The Carvallo-Whipple bicycle: its parameters, and the matrices of its linear equations.

    M q'' + v C1 q' + (g K0 + v^2 K2 + sum a_i Ka_i) q = [roll torque, steer torque]

with q = (roll, steer), both positive to the right, v the forward speed, and a_i the parts of its
acceleration. The axes are x forward, y right and z down, with the origin at the rear contact point.

Numbers such as (A20) are the equations of Meijaard, Papadopoulos, Ruina and Schwab, "Linearized
dynamics equations for the balance and steer of a bicycle: a benchmark and review", Proc. R. Soc. A
463 (2007), appendix A. Parts have the paper's names: R rear wheel, B frame and rider, H fork and
handlebar, F front wheel, T the whole bicycle, A the front assembly (H and F).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Parameters:
    """Parameters of the bicycle. Defaults: the benchmark of Meijaard et al. (2007), table 1.

    Positions are those of the centres of mass, and moments of inertia are about the centres of
    mass. Wheels are symmetric: their Izz equals their Ixx.
    """

    wheelbase: float = 1.02
    """Distance between the contact points of the wheels, m."""
    trail: float = 0.08
    """Distance from the steer axis back to the front contact point, on the ground, m."""
    head_angle: float = 72.0
    """Angle of the steer axis above the horizontal, degrees; 90 is vertical."""
    gravity: float = 9.81
    """Acceleration of gravity, m/s^2."""
    rear_wheel_radius: float = 0.3
    """Radius of the rear wheel, m."""
    rear_wheel_mass: float = 2.0
    """Mass of the rear wheel, kg."""
    rear_wheel_ixx: float = 0.0603
    """Moment of inertia of the rear wheel about a diameter, kg m^2."""
    rear_wheel_iyy: float = 0.12
    """Moment of inertia of the rear wheel about the axle, kg m^2."""
    rider_x: float = 0.3
    """Distance of frame and rider, one rigid body, in front of the rear contact point, m."""
    rider_height: float = 0.9
    """Height of frame and rider above the ground, m."""
    rider_mass: float = 85.0
    """Mass of frame and rider, kg."""
    rider_ixx: float = 9.2
    """Moment of inertia of frame and rider about the x axis, kg m^2."""
    rider_iyy: float = 11.0
    """Moment of inertia of frame and rider about the y axis, kg m^2; has no effect here."""
    rider_izz: float = 2.8
    """Moment of inertia of frame and rider about the z axis, kg m^2."""
    rider_ixz: float = 2.4
    """Product of inertia of frame and rider, kg m^2."""
    fork_x: float = 0.9
    """Distance of fork and handlebar in front of the rear contact point, m."""
    fork_height: float = 0.7
    """Height of fork and handlebar above the ground, m."""
    fork_mass: float = 4.0
    """Mass of fork and handlebar, kg."""
    fork_ixx: float = 0.05892
    """Moment of inertia of fork and handlebar about the x axis, kg m^2."""
    fork_iyy: float = 0.06
    """Moment of inertia of fork and handlebar about the y axis, kg m^2; has no effect here."""
    fork_izz: float = 0.00708
    """Moment of inertia of fork and handlebar about the z axis, kg m^2."""
    fork_ixz: float = -0.00756
    """Product of inertia of fork and handlebar, kg m^2."""
    front_wheel_radius: float = 0.35
    """Radius of the front wheel, m."""
    front_wheel_mass: float = 3.0
    """Mass of the front wheel, kg."""
    front_wheel_ixx: float = 0.1405
    """Moment of inertia of the front wheel about a diameter, kg m^2."""
    front_wheel_iyy: float = 0.28
    """Moment of inertia of the front wheel about the axle, kg m^2."""

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
            ("front_wheel_ixx", 0.0001, 1000.0),  # with 0, steering would have no inertia
            ("front_wheel_iyy", 0.0, 1000.0),
        ):
            self._require(name, low, high)
        for part in ("rider", "fork"):
            # A larger product of inertia would mean a negative moment of inertia about some axis.
            limit = math.sqrt(getattr(self, f"{part}_ixx") * getattr(self, f"{part}_izz"))
            self._require(f"{part}_ixz", -limit, limit)

    def _require(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:  # NaN fails too
            raise ValueError(
                f"option `{name}` of bicycle must be between {low:g} and {high:g}, got {value}"
            )


class Matrices(NamedTuple):
    """Matrices of the linear equations; the 2x2 matrices act on (roll, steer)."""

    mass: NDArray[np.float64]
    """M, kg m^2."""
    damping: NDArray[np.float64]
    """C1, kg m; multiplied by the speed."""
    gravity_stiffness: NDArray[np.float64]
    """K0, kg m; multiplied by g."""
    speed_stiffness: NDArray[np.float64]
    """K2, kg; multiplied by the speed squared."""
    rear_stiffness: NDArray[np.float64]
    """Ka, kg m; multiplied by the acceleration by the rear wheel (pedal, rear brake)."""
    front_stiffness: NDArray[np.float64]
    """Ka, kg m; multiplied by the acceleration by a front brake."""
    drag_stiffness: NDArray[np.float64]
    """Ka, kg m; multiplied by the acceleration by a force at the rider's centre of mass."""
    effective_mass: float
    """Force for 1 m/s^2 straight ahead, kg; includes the rotation of the wheels."""
    total_mass: float
    """Total mass m_T, kg."""


def matrices(p: Parameters) -> Matrices:
    """Return the matrices of the linear equations about upright straight riding.

    M, C1, K0 and K2 are the paper's. The paper keeps the speed constant, so it does not say how an
    acceleration changes the stiffness. This follows from the same model by virtual power:

    Take three speeds: roll', steer' and v, the rotation of the rear wheel against the frame times
    its radius. When all three are zero, their accelerations obey H(q) (roll'', steer'', v') =
    forces, where H is the mass matrix of the kinetic energy 1/2 (roll', steer', v) H (roll',
    steer', v). Upright, H contains M and no coupling of v with roll' and steer'. When the bicycle
    is not upright, they are coupled, and

        Ka_rear = d H[(roll, steer), v] / d q.

    To first order, the coupling has these sources, with mu = (c/w) cos(lambda) (A17):

    - The bicycle turns: the yaw rate is (v steer + c steer') cos(lambda) / w, as in (A26).
    - It pitches: the frame's pitch is mu roll steer + kappa steer^2 / 2, nose down, with
      kappa = mu sin(lambda). The forward speed of a point at height h grows by h (mu roll' steer +
      kappa steer steer').
    - The forward speed of a point of the front assembly, at a distance u in front of the steer
      axis, falls by u (cos(lambda) + mu) steer steer'.
    - The front wheel's spin is v + c cos(lambda) (cos(lambda) + mu) steer steer' + r_F (mu +
      cos(lambda)) roll' steer, over r_F.

    A force that does not act on v alone, such as a front brake or the drag, also drives roll and
    steer, in proportion to the speed of its point of application for roll' = 1 or steer' = 1.
    Moved to the left side, this is the difference between its Ka and that of the rear wheel.
    """
    lam = math.radians(90.0 - p.head_angle)
    sin, cos = math.sin(lam), math.cos(lam)
    w, c, r_r, r_f = p.wheelbase, p.trail, p.rear_wheel_radius, p.front_wheel_radius
    m_r, m_b, m_h, m_f = p.rear_wheel_mass, p.rider_mass, p.fork_mass, p.front_wheel_mass
    x_b, z_b, x_h, z_h = p.rider_x, -p.rider_height, p.fork_x, -p.fork_height

    # The whole bicycle, T.
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
    u_a = (x_a - w - c) * cos - z_a * sin  # (A13): distance in front of the steer axis
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
    """Return A in d/dt (q, q') = A (q, q') with q = (roll, steer), at constant speed."""
    stiffness = gravity * m.gravity_stiffness + speed**2 * m.speed_stiffness
    forces = np.hstack([stiffness, speed * m.damping])
    return np.vstack([np.eye(2, 4, 2), -np.linalg.solve(m.mass, forces)])


def eigenvalues(m: Matrices, speed: float, gravity: float) -> NDArray[np.complex128]:
    """Return the four eigenvalues at constant speed, 1/s, sorted by real, then imaginary part.

    The bicycle is stable without control if all real parts are negative.
    """
    values = np.linalg.eigvals(state_matrix(m, speed, gravity))
    return np.sort_complex(values.astype(np.complex128))


def constants(p: Parameters) -> dict[str, Any]:
    """Return the 2x2 matrices and numbers that `envs.bicycle.dynamics` needs."""
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
