"""How the bicycle rides: the equations of `envs.bicycle.model`, and with them speed and path.

A motion is (roll, steer, roll rate, steer rate, speed, heading) in rad, rad/s and m/s, positive to
the right. `options` is a record of the parameters, the numbers of `envs.bicycle.model.constants`,
and two switches: `frictionless` (nothing drives or brakes) and `hold_speed` (nor does steering
change the speed).
"""

from __future__ import annotations

import math
from typing import Any

# Choices of ours; the benchmark has no numbers for them.
PERIOD = 0.02  # s between two actions
PEDAL_FORCE = 150.0  # N at the rear contact, the most there is
PEDAL_POWER = 250.0  # W, the most there is
BRAKE = 2.5  # m/s^2 by the rear brake, a little before the wheel would skid
ROLLING_RESISTANCE = 0.005  # of the weight
DRAG = 0.5 * 1.2 * 0.5  # N per (m/s)^2: half the air's density times the area that counts

Motion = tuple[float, float, float, float, float, float]
SPEED, HEADING = 4, 5  # their places in a motion
Held = tuple[float, float, float, float, float]


def ride(state: Any, torque: float, pedal: float, brake: float, gust: float, options: Any) -> None:
    """Ride for one period.

    Args:
        state: a record with `roll`, `steer`, `roll_rate`, `steer_rate`, `speed`, `heading`, `x`,
            `y`, changed in place. x and y, m, are where the rear wheel touches the ground.
        torque: the rider's on the handlebar, N m.
        pedal: 0..1 of what the legs can give.
        brake: 0..1 of what the rear brake can take.
        gust: the wind's roll torque, N m.
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
    """Ride for a short time in two Runge-Kutta steps; what rider and wind do is held."""
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
    """Accelerations: by the rear wheel, by the air per square of the speed, and by each newton.

    Rolling resistance counts as the rear wheel's; the front wheel's small share of it would enter
    the stiffness a little differently.
    """
    per_newton = 0.0 if options.hold_speed else 1.0 / options.effective_mass
    if options.frictionless:
        return 0.0, 0.0, per_newton
    drive = pedal * PEDAL_POWER / max(speed, PEDAL_POWER / PEDAL_FORCE)
    resistance = ROLLING_RESISTANCE * options.weight + brake * BRAKE * options.effective_mass
    force = drive - resistance
    if speed <= 0.0:
        force = max(force, 0.0)  # what only resists does not drive backwards
    return force * per_newton, -DRAG * per_newton, per_newton


def runge_kutta(motion: Motion, held: Held, seconds: float, options: Any) -> Motion:
    """The classical step of fourth order."""
    half = seconds / 2
    first = rates(motion, held, options)
    second = rates(moved(motion, first, half), held, options)
    third = rates(moved(motion, second, half), held, options)
    fourth = rates(moved(motion, third, seconds), held, options)
    total = moved(moved(first, fourth, 1.0), moved(second, third, 1.0), 2.0)
    roll, steer, roll_rate, steer_rate, speed, heading = moved(motion, total, seconds / 6)
    return roll, steer, roll_rate, steer_rate, max(speed, 0.0), heading  # it never rolls back


def moved(motion: Motion, rate: Motion, seconds: float) -> Motion:
    """`motion + rate * seconds`."""
    return (
        motion[0] + rate[0] * seconds,
        motion[1] + rate[1] * seconds,
        motion[2] + rate[2] * seconds,
        motion[3] + rate[3] * seconds,
        motion[4] + rate[4] * seconds,
        motion[5] + rate[5] * seconds,
    )


def rates(motion: Motion, held: Held, options: Any) -> Motion:
    """How fast each number of `motion` changes.

    M q'' = torques - (g K0 + sum a_i Ka_i) q - v (C1 q' + v K2 q). The last term takes the power
    v q'^T (C1 q' + v K2 q) from roll and steer and gives it to the speed: energy is conserved.
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
    """How far the rear contact goes along and across the heading in the middle, m.

    Simpson's rule for v cos(turned) and v sin(turned), with `turned` since the middle so small that
    1 - turned^2 / 2 and `turned` for cosine and sine keep it of fourth order: one cosine, one sine.
    """
    before, after = start[HEADING] - middle[HEADING], end[HEADING] - middle[HEADING]
    ahead = start[SPEED] * (1.0 - before * before / 2) + end[SPEED] * (1.0 - after * after / 2)
    aside = start[SPEED] * before + end[SPEED] * after
    return (ahead + 4.0 * middle[SPEED]) * (seconds / 6), aside * (seconds / 6)


def energy(state: Any, options: Any) -> float:
    """Kinetic and potential, J; it stays the same where nothing drives or brakes."""
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
