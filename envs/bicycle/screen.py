"""The screens of the bicycle that agents observe, as uint8 arrays.

A screen shows, from the bottom to the top and centred on the middle axis:

- two bars, whose widths are the commanded speed (lower bar) and the speed (upper bar);
- a line that leans twice as far as the bicycle, seen from behind;
- a line in the direction of the front wheel, seen from above;
- the task, seen from above with the heading upwards: the borders of the lane, a line towards the
  goal, or a bar for the rest of the race.

A ride mirrored left to right gives the mirrored screen. Lines are anti-aliased, so that a
thousandth of a radian changes the brightness of some pixels. Positions and lengths are fractions of
the side of the screen, with x to the right and y downwards.
"""

from __future__ import annotations

import math
from typing import Any

from envs.bicycle.lane import lane_slope, lane_y
from envs.engine.raster import draw_segment, fill_rectangle

BRIGHT, DIM = 255.0, 150.0
LINE = 0.025  # thickness
BAR = 0.02  # height
SPEED = 0.08  # half the width of a bar for 1 m/s
SPEED_TOP, COMMANDED_TOP = 0.955, 0.98  # y of the bars
ROLL_PIVOT, ROLL_LENGTH, ROLL_GAIN = 0.94, 0.28, 2.0
STEER_PIVOT, STEER_LENGTH = 0.64, 0.2
GROUND = 0.42  # y of the rear wheel on the ground seen from above
METRE = 0.048  # scale of that ground
BORDER = 0.015  # thickness of the lane's borders
BORDER_PARTS, BORDER_PART = 4, 2.2  # number and length (m) of the straight parts of a border
GOAL_CENTRE, GOAL_LENGTH = 0.22, 0.2  # start of the line towards the goal; its maximum length
HALFWAY = 20.0  # m, distance of the goal at which the line has half its maximum length


def draw_ride(state: Any, screen: Any, options: Any) -> None:
    """Draw what all tasks show: roll, steer and speed."""
    draw_bar(screen, SPEED_TOP, SPEED * state.speed)
    draw_bar(screen, COMMANDED_TOP, SPEED * state.commanded_speed)
    draw_hand(screen, ROLL_PIVOT, ROLL_GAIN * state.roll, ROLL_LENGTH)
    draw_hand(screen, STEER_PIVOT, state.steer, STEER_LENGTH)


def draw_goal(state: Any, screen: Any, options: Any) -> None:
    """Draw the ride and a line towards the goal, which is shorter when the goal is nearer."""
    draw_ride(state, screen, options)
    x, y = state.goal_x - state.x, state.goal_y - state.y
    distance = math.sqrt(x * x + y * y)
    draw_hand(
        screen,
        GOAL_CENTRE,
        math.atan2(y, x) - state.heading,
        GOAL_LENGTH * distance / (distance + HALFWAY),
    )


def draw_path(state: Any, screen: Any, options: Any) -> None:
    """Draw the ride and the borders of the lane ahead."""
    draw_ride(state, screen, options)
    scale, middle, bottom = METRE * len(screen), 0.5 * len(screen), GROUND * len(screen)
    cos, sin = scale * math.cos(state.heading), scale * math.sin(state.heading)
    step = math.copysign(BORDER_PART, cos)
    last_left = last_right = last_up_left = last_up_right = 0.0
    for k in range(BORDER_PARTS + 1):
        x = k * step
        slope = lane_slope(state, state.x + x, options)
        y = lane_y(state, state.x + x, options) - state.y
        out_y = 0.5 * options.lane_width / math.sqrt(1.0 + slope * slope)
        out_x = -slope * out_y
        right, up = cos * y - sin * x, cos * x + sin * y
        out_right, out_up = cos * out_y - sin * out_x, cos * out_x + sin * out_y
        x_left, y_left = middle + (right - out_right), bottom - (up - out_up)
        x_right, y_right = middle + (right + out_right), bottom - (up + out_up)
        if k > 0:
            width = BORDER * len(screen)
            draw_segment(screen, last_left, last_up_left, x_left, y_left, width, DIM)
            draw_segment(screen, last_right, last_up_right, x_right, y_right, width, DIM)
        last_left, last_up_left, last_right, last_up_right = x_left, y_left, x_right, y_right


def draw_slow(state: Any, screen: Any, options: Any) -> None:
    """Draw the ride and a bar for the part of the race that is left."""
    draw_ride(state, screen, options)
    draw_bar(screen, 0.0, 0.5 * max(0.0, 1.0 - state.way / options.race_length))


def draw_bar(screen: Any, top: float, half: float) -> None:
    """Draw a horizontal bar that reaches `half` to either side of the middle."""
    side = len(screen)
    middle, reach = 0.5 * side, half * side
    fill_rectangle(screen, middle - reach, top * side, middle + reach, (top + BAR) * side, BRIGHT)


def draw_hand(screen: Any, pivot: float, angle: float, length: float) -> None:
    """Draw a line from a pivot on the middle axis; `angle` is from upwards to the right, rad."""
    side = len(screen)
    x, y = 0.5 * side, pivot * side
    far_x, far_y = x + side * length * math.sin(angle), y - side * length * math.cos(angle)
    draw_segment(screen, x, y, far_x, far_y, LINE * side, BRIGHT)
