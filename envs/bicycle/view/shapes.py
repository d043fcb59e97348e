"""Bicycle and rider as three-dimensional shapes.

Points are (ahead, right, up) in m from the rear contact point, along the heading.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.engine.palette import AMBER, GREEN, RED, WHITE, Colour

Points = NDArray[np.float64]

TYRE: Colour = (150, 162, 194)
FRAME = AMBER
BAR: Colour = (226, 232, 246)
SHIRT = GREEN
TROUSERS: Colour = (74, 96, 158)
SHOE: Colour = (36, 44, 70)
SKIN: Colour = (238, 198, 164)
HELMET = WHITE
HURT = RED

WHEEL_CORNERS = 20
METRES_A_TURN = 4.0  # distance per turn of the pedals
THIGH, SHIN, CRANK = 0.46, 0.46, 0.17  # m
SADDLE = (0.24, 0.0, 0.93)
HANDLEBAR_HEIGHT, HANDLEBAR_HALF, GRIP_BEHIND = 1.0, 0.3, 0.06  # m


class Shape(NamedTuple):
    """A line through points; a ball if there is only one point."""

    points: Points
    """Points (n, 3), m."""
    thickness: float
    """Thickness of the line or diameter of the ball, m."""
    colour: Colour
    """Colour of the shape."""


class SteerAxis(NamedTuple):
    """The axis about which fork, front wheel and handlebar turn."""

    ground: float
    """Point where the axis meets the ground, m ahead."""
    tilt: float
    """Tilt backwards from vertical, rad."""

    def at(self, up: float) -> tuple[float, float, float]:
        """Return the point of the axis at a height."""
        return self.ground - up * math.tan(self.tilt), 0.0, up

    def turn(self, points: Points, angle: float) -> Points:
        """Return `points` turned about the axis by an angle, rad to the right."""
        sin, cos = math.sin(self.tilt), math.cos(self.tilt)
        along, before = np.array([-sin, 0.0, cos]), np.array([cos, 0.0, sin])
        foot = np.array([self.ground, 0.0, 0.0])
        away = points - foot
        ahead, right = away @ before, away[:, 1]
        turned = np.outer(ahead * math.cos(angle) - right * math.sin(angle), before)
        turned[:, 1] = ahead * math.sin(angle) + right * math.cos(angle)
        return turned + np.outer(away @ along, along) + foot


def steer_axis(options: Any) -> SteerAxis:
    """Return the steer axis of a bicycle with these parameters."""
    tilt = math.radians(90.0 - options.head_angle)
    return SteerAxis(options.wheelbase + options.trail, tilt)


@functools.lru_cache(2)  # two parts of a picture show them
def bicycle_shapes(steer: float, options: Any) -> tuple[Shape, ...]:
    """Return the shapes of the upright bicycle without the rider."""
    axis = steer_axis(options)
    rear = wheel(0.0, options.rear_wheel_radius)
    front = axis.turn(wheel(options.wheelbase, options.front_wheel_radius), steer)
    crank, head, low_head = bottom_bracket(options), axis.at(0.9), axis.at(0.66)
    hub = axis.turn(line((options.wheelbase, 0.0, options.front_wheel_radius)), steer)
    left, right = grips(axis, steer)
    back = (0.0, 0.0, options.rear_wheel_radius)
    return (
        Shape(rear, 0.05, TYRE),
        Shape(front, 0.05, TYRE),
        Shape(line(back, crank, SADDLE, back), 0.045, FRAME),
        Shape(line(crank, low_head), 0.05, FRAME),
        Shape(line((0.29, 0.0, 0.78), head), 0.045, FRAME),
        Shape(line(axis.at(HANDLEBAR_HEIGHT), low_head, hub[0]), 0.05, BAR),
        Shape(line(left, axis.at(HANDLEBAR_HEIGHT), right), 0.045, BAR),
    )


def rider_shapes(steer: float, way: float, options: Any, fallen: bool) -> list[Shape]:
    """Return the shapes of the rider on the upright bicycle; `way` (m) turns the pedals."""
    shirt = HURT if fallen else SHIRT
    hips, neck, head = (0.26, 0.0, 0.98), (0.46, 0.0, 1.46), (0.52, 0.0, 1.68)
    shapes = [
        Shape(line(hips, neck), 0.3, shirt),
        Shape(line((0.46, -0.17, 1.42), (0.46, 0.17, 1.42)), 0.15, shirt),
        Shape(line(head), 0.22, SKIN),
        Shape(line((0.5, 0.0, 1.74)), 0.24, HELMET),
    ]
    for side, grip in zip((-1.0, 1.0), grips(steer_axis(options), steer), strict=True):
        shoulder = np.array([0.46, 0.2 * side, 1.42])
        elbow = (shoulder + grip) / 2 + np.array([-0.03, 0.1 * side, -0.06])
        shapes.append(Shape(line(shoulder, elbow), 0.1, shirt))
        shapes.append(Shape(line(elbow, grip), 0.08, SKIN))
        shapes += leg(side, way, options)
    return shapes


def leg(side: float, way: float, options: Any) -> list[Shape]:
    """Return the left (-1) or right (1) leg; the lengths of thigh and shin place the knee."""
    turn = 2.0 * math.pi * way / METRES_A_TURN + (math.pi if side > 0 else 0.0)
    ahead, _, up = bottom_bracket(options)
    foot_ahead, foot_up = ahead + CRANK * math.cos(turn), up + 0.06 - CRANK * math.sin(turn)
    hip_ahead, hip_up = 0.26, 0.96
    forwards, down = foot_ahead - hip_ahead, hip_up - foot_up
    length = math.hypot(forwards, down)
    bend = math.sqrt(max(0.0, THIGH * SHIN - length**2 / 4)) / length
    knee_ahead = hip_ahead + forwards / 2 + bend * down
    knee_up = hip_up - down / 2 + bend * forwards
    hip = (hip_ahead, 0.11 * side, hip_up)
    knee = (knee_ahead, 0.15 * side, knee_up)
    heel = (foot_ahead - 0.04, 0.12 * side, foot_up)
    toes = (foot_ahead + 0.12, 0.12 * side, foot_up)
    return [
        Shape(line(hip, knee), 0.16, TROUSERS),
        Shape(line(knee, heel), 0.12, TROUSERS),
        Shape(line(heel, toes), 0.08, SHOE),
    ]


def bottom_bracket(options: Any) -> tuple[float, float, float]:
    """Return the axle of the pedals."""
    return 0.42 * options.wheelbase, 0.0, 0.28


@functools.lru_cache(2)
def grips(axis: SteerAxis, steer: float) -> Points:
    """Return the left and the right end of the handlebar."""
    ahead, _, up = axis.at(HANDLEBAR_HEIGHT)
    ahead -= GRIP_BEHIND
    return axis.turn(line((ahead, -HANDLEBAR_HALF, up), (ahead, HANDLEBAR_HALF, up)), steer)


@functools.lru_cache(8)
def wheel(ahead: float, radius: float) -> Points:
    """Return a closed circle that touches the ground."""
    angles = np.linspace(0.0, 2.0 * math.pi, WHEEL_CORNERS + 1)
    points = np.zeros((len(angles), 3))
    points[:, 0] = ahead + radius * np.sin(angles)
    points[:, 2] = radius - radius * np.cos(angles)
    return points


def line(*points: Any) -> Points:
    """Return points as an array (n, 3)."""
    return np.array(points, dtype=np.float64)


def leaned(points: Points, roll: float) -> Points:
    """Return `points` rolled about the line between the contact points, rad to the right."""
    sin, cos = math.sin(roll), math.cos(roll)
    result = points.copy()
    result[:, 1] = cos * points[:, 1] + sin * points[:, 2]
    result[:, 2] = cos * points[:, 2] - sin * points[:, 1]
    return result
