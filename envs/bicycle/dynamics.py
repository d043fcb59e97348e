"""The dynamics of the bicycle: the equations of `envs.bicycle.model`, the speed and the path.

A motion is (roll, steer, roll rate, steer rate, speed, heading) in rad, rad/s and m/s, positive to
the right. `options` is a record of the parameters, the values of `envs.bicycle.model.constants`,
and two switches: `frictionless` leaves out driving and braking forces, and `hold_speed` keeps the
speed constant.
"""

from __future__ import annotations

import math
from typing import Any

# Our own choices; the benchmark has no values for these.
PERIOD = 0.02  # s between two actions
PEDAL_FORCE = 150.0  # N, maximum at the rear contact point
PEDAL_POWER = 250.0  # W, maximum
BRAKE = 2.5  # m/s^2, maximum of the rear brake, just below skidding
ROLLING_RESISTANCE = 0.005  # fraction of the weight
DRAG = 0.5 * 1.2 * 0.5  # N per (m/s)^2: half the air density times the drag area

Motion = tuple[float, float, float, float, float, float]
SPEED, HEADING = 4, 5  # indices in a motion
Held = tuple[float, float, float, float, float]


def ride(state: Any, torque: float, pedal: float, brake: float, gust: float, options: Any) -> None:
    """Advance the ride by one period.

    Args:
        state: record with `roll`, `steer`, `roll_rate`, `steer_rate`, `speed`, `heading`, `x` and
            `y`, changed in place. x and y are the position of the rear contact point, m.
        torque: torque of the rider on the handlebar, N m.
        pedal: fraction of the maximum pedal force, 0..1.
        brake: fraction of the maximum braking, 0..1.
        gust: roll torque of the wind, N m.
        options: see the module.
    """
    advance(state, torque, pedal, brake, gust, PERIOD, options)


def advance(
    state: Any,
    torque: float,
    pedal: float,
    brake: float,
    gust: float,
    seconds: float,
    options: Any,
) -> None:
    """Advance the ride in two Runge-Kutta steps; the inputs of rider and wind are constant."""
    start = (
        state.roll,
        state.steer,
        state.roll_rate,
        state.steer_rate,
        state.speed,
        state.heading,
    )
    held = (torque, gust, *along_the_road(state.speed, pedal, brake, options))
    middle = runge_kutta(start, held, seconds / 2, options)
    end = runge_kutta(middle, held, seconds / 2, options)
    state.roll, state.steer, state.roll_rate, state.steer_rate, state.speed, state.heading = end

    ahead, aside = path(start, middle, end, seconds)
    cos, sin = math.cos(middle[HEADING]), math.sin(middle[HEADING])
    state.x += cos * ahead - sin * aside
    state.y += sin * ahead + cos * aside


def along_the_road(
    speed: float, pedal: float, brake: float, options: Any
) -> tuple[float, float, float]:
    """Return the acceleration by the rear wheel, by drag per speed squared, and per newton.

    All of the rolling resistance counts as the rear wheel's. The small share of the front wheel
    would change the stiffness slightly differently.
    """
    per_newton = 0.0 if options.hold_speed else 1.0 / options.effective_mass
    if options.frictionless:
        return 0.0, 0.0, per_newton
    drive = pedal * PEDAL_POWER / max(speed, PEDAL_POWER / PEDAL_FORCE)
    resistance = ROLLING_RESISTANCE * options.weight + brake * BRAKE * options.effective_mass
    force = drive - resistance
    if speed <= 0.0:
        force = max(force, 0.0)  # resistance does not drive backwards
    return force * per_newton, -DRAG * per_newton, per_newton


def runge_kutta(motion: Motion, held: Held, seconds: float, options: Any) -> Motion:
    """Return the motion after a classical Runge-Kutta step of fourth order."""
    half = seconds / 2
    first = rates(motion, held, options)
    second = rates(moved(motion, first, half), held, options)
    third = rates(moved(motion, second, half), held, options)
    fourth = rates(moved(motion, third, seconds), held, options)
    total = moved(moved(first, fourth, 1.0), moved(second, third, 1.0), 2.0)
    roll, steer, roll_rate, steer_rate, speed, heading = moved(motion, total, seconds / 6)
    return roll, steer, roll_rate, steer_rate, max(speed, 0.0), heading  # never backwards


def moved(motion: Motion, rate: Motion, seconds: float) -> Motion:
    """Return `motion + rate * seconds`."""
    return (
        motion[0] + rate[0] * seconds,
        motion[1] + rate[1] * seconds,
        motion[2] + rate[2] * seconds,
        motion[3] + rate[3] * seconds,
        motion[4] + rate[4] * seconds,
        motion[5] + rate[5] * seconds,
    )


def rates(motion: Motion, held: Held, options: Any) -> Motion:
    """Return the time derivative of each number of `motion`.

    M q'' = torques - (g K0 + sum a_i Ka_i) q - v (C1 q' + v K2 q). The last term moves the power
    v q'^T (C1 q' + v K2 q) from roll and steer to the speed, so energy is conserved.
    """
    roll, steer, roll_rate, steer_rate, speed, _ = motion
    torque, gust, rear, air, per_newton = held
    drag = air * speed * speed
    weight, by_rear = options.weight_stiffness, options.rear_stiffness
    by_drag, by_speed = options.drag_stiffness, options.speed_stiffness
    damping, inverse = options.damping, options.inverse_mass

    # Ka and K2 are zero in their roll columns.
    stiff_roll = weight[0, 1] + rear * by_rear[0, 1] + drag * by_drag[0, 1]
    stiff_steer = weight[1, 1] + rear * by_rear[1, 1] + drag * by_drag[1, 1]
    speed_roll = damping[0, 1] * steer_rate + by_speed[0, 1] * steer * speed
    speed_steer = (
        damping[1, 0] * roll_rate + damping[1, 1] * steer_rate + by_speed[1, 1] * steer * speed
    )
    roll_torque = gust - weight[0, 0] * roll - stiff_roll * steer - speed * speed_roll
    steer_torque = torque - weight[1, 0] * roll - stiff_steer * steer - speed * speed_steer
    force = roll_rate * speed_roll + steer_rate * speed_steer
    return (
        roll_rate,
        steer_rate,
        inverse[0, 0] * roll_torque + inverse[0, 1] * steer_torque,
        inverse[1, 0] * roll_torque + inverse[1, 1] * steer_torque,
        rear + drag + force * per_newton,
        options.curvature * (speed * steer + options.trail * steer_rate),
    )


def path(start: Motion, middle: Motion, end: Motion, seconds: float) -> tuple[float, float]:
    """Return the way of the rear contact point along and across the middle heading, m.

    It is Simpson's rule for v cos(a) and v sin(a), where a is the angle from the middle heading.
    The angle is so small that 1 - a^2 / 2 and a in place of cosine and sine keep the fourth order.
    """
    before, after = start[HEADING] - middle[HEADING], end[HEADING] - middle[HEADING]
    ahead = start[SPEED] * (1.0 - before * before / 2) + end[SPEED] * (1.0 - after * after / 2)
    aside = start[SPEED] * before + end[SPEED] * after
    return (ahead + 4.0 * middle[SPEED]) * (seconds / 6), aside * (seconds / 6)


def energy(state: Any, options: Any) -> float:
    """Return the kinetic plus potential energy, J; it is constant with `frictionless`."""
    mass, weight = options.mass, options.weight_stiffness
    kinetic = (
        options.effective_mass * state.speed**2
        + mass[0, 0] * state.roll_rate**2
        + 2.0 * mass[0, 1] * state.roll_rate * state.steer_rate
        + mass[1, 1] * state.steer_rate**2
    )
    potential = (
        weight[0, 0] * state.roll**2
        + 2.0 * weight[0, 1] * state.roll * state.steer
        + weight[1, 1] * state.steer**2
    )
    return 0.5 * (kinetic + potential)
