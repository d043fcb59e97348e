"""Views from above: a map that follows the bicycle, and the bicycle itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.bicycle.view.lines import arc_points, draw_arrow, draw_dashes, draw_segment
from envs.bicycle.view.scene import grid_lines, lane_borders, lane_colour, wheel_tracks
from envs.bicycle.view.shapes import FRAME, TYRE, Points, bicycle_shapes
from envs.engine.canvas import Canvas, Place
from envs.engine.palette import AMBER, BLUE, FIELD, GREY, GRID, LANE, RED, VIOLET, WHITE, blend

LANE_PART = 0.75  # m
FROM_ABOVE = 2.35  # m, height of the picture of the bicycle


class Chart:
    """A map: x points up, y to the right, and the bicycle is in the middle."""

    def __init__(self, canvas: Canvas, ride: Any) -> None:
        self.canvas = canvas
        self.square = square(ride)
        self.reach = 2.0 * self.square  # m from the middle to the sides
        width, height = canvas.width, canvas.height
        self.middle = (width / 2, height / 2)  # pixels
        self.scale = width / 2 / self.reach  # pixels per m
        self.unit = width / 180  # pixels
        self._x, self._y = ride.x, ride.y

    def places(self, points: NDArray[np.float64]) -> list[Place]:
        """Return the pixels of positions (n, 2), m."""
        pixels = np.empty((len(points), 2))
        pixels[:, 0] = self.middle[0] + (points[:, 1] - self._y) * self.scale
        pixels[:, 1] = self.middle[1] - (points[:, 0] - self._x) * self.scale
        found: list[Any] = pixels.tolist()
        return found

    def place(self, x: float, y: float) -> Place:
        """Return the pixel of one position, m."""
        return self.places(np.array([[x, y]]))[0]


def square(ride: Any) -> float:
    """Return the side of the squares of the grid, m."""
    return 25.0 if hasattr(ride, "goal_x") else 5.0


def draw_map(canvas: Canvas, ride: Any, options: Any, trail: Points) -> None:
    """Draw the map; arguments as in `scene.draw_scene`."""
    chart = Chart(canvas, ride)
    canvas.fill(FIELD)
    draw_squares(chart, ride)
    if hasattr(ride, "lane_offset"):
        draw_lane(chart, ride, options)
    if hasattr(ride, "finished"):
        draw_finish(chart, ride, options)
    if hasattr(ride, "goal_x"):
        draw_goal(chart, ride, options)
    tracks = wheel_tracks(trail, options)
    for places, colour in zip(tracks, (BLUE, VIOLET), strict=True):
        canvas.line(colour, chart.places(places), 1.5 * chart.unit)
    draw_marker(chart, ride)


def draw_squares(chart: Chart, ride: Any) -> None:
    """Draw the grid."""
    width, height = chart.canvas.width, chart.canvas.height
    for y in grid_lines(ride.y, chart.reach, chart.square):
        across = chart.place(ride.x, y)[0]
        chart.canvas.line(GRID, [(across, 0), (across, height)], 1)
    for x in grid_lines(ride.x, chart.reach, chart.square):
        down = chart.place(x, ride.y)[1]
        chart.canvas.line(GRID, [(0, down), (width, down)], 1)


def draw_lane(chart: Chart, ride: Any, options: Any) -> None:
    """Draw the lane and its borders."""
    xs = np.array(grid_lines(ride.x, 1.2 * chart.reach, LANE_PART))
    left, right = (chart.places(places) for places in lane_borders(ride, options, xs))
    chart.canvas.polygon(LANE, [*left, *reversed(right)])
    colour = lane_colour(ride, options)
    for border in (left, right):
        chart.canvas.line(colour, border, 2 * chart.unit)


def draw_finish(chart: Chart, ride: Any, options: Any) -> None:
    """Draw the finish line where a straight ride would cross it."""
    left = max(0.0, options.race_length - ride.way)
    cos, sin = math.cos(ride.heading), math.sin(ride.heading)
    x, y = ride.x + left * cos, ride.y + left * sin
    start, end = (chart.place(x - 3 * side * sin, y + 3 * side * cos) for side in (-1, 1))
    draw_dashes(chart.canvas, WHITE, start, end, 5 * chart.unit, 8)


def draw_goal(chart: Chart, ride: Any, options: Any) -> None:
    """Draw the goal, or an arrow at the edge if it is off the map."""
    x, y = chart.place(ride.goal_x, ride.goal_y)
    right, down = x - chart.middle[0], y - chart.middle[1]
    edges = [half - 10 * chart.unit for half in chart.middle]
    beyond = max(abs(right) / edges[0], abs(down) / edges[1])
    if beyond <= 1.0:
        radius = max(options.goal_radius * chart.scale, 5 * chart.unit)
        chart.canvas.circle(blend(FIELD, AMBER, 0.3), (x, y), radius)
        chart.canvas.circle(AMBER, (x, y), radius, 2 * chart.unit)
        return
    tip = (chart.middle[0] + right / beyond, chart.middle[1] + down / beyond)
    back = 24 * chart.unit / math.hypot(right, down)
    draw_arrow(
        chart.canvas, AMBER, (tip[0] - right * back, tip[1] - down * back), tip, 7 * chart.unit
    )


def draw_marker(chart: Chart, ride: Any) -> None:
    """Draw the bicycle as an arrowhead, red after a fall."""
    cos, sin = chart.unit * math.cos(ride.heading), chart.unit * math.sin(ride.heading)
    x, y = chart.middle
    corners = [
        (x + sin * ahead + cos * right, y + sin * right - cos * ahead)
        for ahead, right in ((13.0, 0.0), (-6.0, 6.5), (-3.0, 0.0), (-6.0, -6.5))
    ]
    chart.canvas.polygon(RED if ride.fallen else FRAME, corners)


def draw_from_above(canvas: Canvas, ride: Any, options: Any) -> None:
    """Draw the bicycle with its heading upwards, and the angle of the front wheel."""
    width, height = canvas.width, canvas.height
    scale = height / FROM_ABOVE * min(1.0, 1.02 / options.wheelbase)
    unit = height / 180
    ground = 0.82 * height
    canvas.fill(FIELD)

    def place(point: Any) -> Place:
        return width / 2 + scale * point[1], ground - scale * point[0]

    front = place((options.wheelbase, 0.0))
    radius = 0.78 * scale
    rim = arc_points(front, radius, 0.0, ride.steer, 16)
    canvas.polygon(blend(FIELD, FRAME, 0.25), [front, *rim])
    draw_dashes(canvas, GREY, front, (front[0], front[1] - radius), 1.5 * unit, 7)
    draw_segment(canvas, FRAME, front, rim[-1], 2 * unit)
    canvas.line(FRAME, rim, 4 * unit)
    for shape in bicycle_shapes(ride.steer, options):
        thickness = shape.thickness * (1.6 if shape.colour == TYRE else 1.2) * scale
        places = [place(point) for point in shape.points.tolist()]
        canvas.line(shape.colour, places, thickness)
