"""The ride from behind: bicycle and rider, ground, lane, goal, finish line and wind."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.bicycle.game import FALLEN_ROLL
from envs.bicycle.lane import lane_slope, lane_y
from envs.bicycle.view.lines import draw_arrow, draw_dashes, draw_segment
from envs.bicycle.view.shapes import Points, Shape, bicycle_shapes, leaned, line, rider_shapes
from envs.engine.canvas import Canvas, Place
from envs.engine.palette import (
    AMBER,
    BACKGROUND,
    BLUE,
    FIELD,
    GREEN,
    GREY,
    GRID,
    HAZE,
    LANE,
    RED,
    VIOLET,
    WHITE,
    Colour,
    blend,
)

GRID_SIZE, GRID_REACH = 2.0, 24.0  # m
LANE_AHEAD = np.concatenate([np.arange(-6.0, 6.0, 0.75), np.arange(6.0, 40.0, 2.0)])  # m
LYING = math.radians(78.0)
PROTRACTOR = 2.05  # m
MARKED = (-30, -20, -10, 0, 10, 20, 30)  # degrees
STRONG_GUST = 300.0  # N m, gust of the longest arrow
TRACK_SHOWN = 44  # positions
THINNEST = 0.75  # pixels
SHARES = np.linspace(0.0, 1.0, 9).tolist()  # places of the colours of sky and haze


class Camera(NamedTuple):
    """A camera behind the bicycle, for a canvas of `width` pixels."""

    width: float
    behind: float = 3.7  # m behind the rear wheel
    height: float = 1.5  # m
    pitch: float = math.radians(5.0)  # downwards
    focal: float = 0.9  # widths
    centre: float = 0.225  # widths from the top, y of the optical axis

    @property
    def nearest(self) -> float:
        """Position ahead of the rear wheel behind which nothing is drawn, m."""
        return 0.3 - self.behind

    @property
    def horizon(self) -> float:
        """y of the horizon, pixels."""
        return (self.centre - self.focal * math.tan(self.pitch)) * self.width

    def project(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pixels (n, 2) of points (n, 3), and the pixels per metre there (n,)."""
        sin, cos = math.sin(self.pitch), math.cos(self.pitch)
        ahead, up = points[:, 0] + self.behind, points[:, 2] - self.height
        scale = self.focal * self.width / (ahead * cos - up * sin)
        places = np.empty((len(points), 2))
        places[:, 0] = self.width / 2 + scale * points[:, 1]
        places[:, 1] = self.centre * self.width - scale * (ahead * sin + up * cos)
        return places, scale

    def pixels(self, points: Points) -> list[Place]:
        """Return the pixels of points (n, 3)."""
        found: list[Place] = self.project(points)[0].tolist()
        return found


def draw_scene(canvas: Canvas, ride: Any, options: Any, trail: Points) -> None:
    """Draw the scene.

    `ride` and `options` have the fields of state and options as attributes. `trail` (n, 3) is
    x, y and heading of the bicycle so far, newest last.
    """
    camera = Camera(canvas.width)
    draw_backdrop(canvas, camera)
    draw_grid(canvas, camera, ride)
    if hasattr(ride, "lane_offset"):
        draw_lane(canvas, camera, ride, options)
    if hasattr(ride, "finished"):
        draw_finish(canvas, camera, options.race_length - ride.way)
    if hasattr(ride, "goal_x"):
        draw_goal(canvas, camera, ride, options)
    draw_haze(canvas, camera)
    draw_tracks(canvas, camera, ride, options, trail)
    roll = math.copysign(LYING, ride.roll) if ride.fallen else ride.roll
    draw_protractor(canvas, camera, ride.roll)
    draw_figure(canvas, camera, ride, options, roll)
    draw_wind(canvas, camera, ride.gust)


def danger(roll: float) -> Colour:
    """Return the colour that shows how close a roll is to a fall."""
    part = abs(roll) / FALLEN_ROLL
    return GREEN if part < 0.4 else AMBER if part < 0.8 else RED


def draw_backdrop(canvas: Canvas, camera: Camera) -> None:
    """Draw sky and ground."""
    canvas.fill(FIELD)
    sky = [(*blend(BACKGROUND, HAZE, share**2), 255) for share in SHARES]
    canvas.gradient((0, 0, canvas.width, round(camera.horizon)), sky)


def draw_haze(canvas: Canvas, camera: Camera) -> None:
    """Draw what fades the ground towards the horizon."""
    area = (0, round(camera.horizon), canvas.width, round(0.6 * camera.horizon))
    canvas.gradient(area, [(*HAZE, round(255 * (1 - share) ** 2)) for share in SHARES])


def from_bicycle(ride: Any, places: NDArray[np.float64]) -> Points:
    """Convert positions (n, 2) on the ground to points (n, 3): ahead, right, 0."""
    x, y = places[:, 0] - ride.x, places[:, 1] - ride.y
    cos, sin = math.cos(ride.heading), math.sin(ride.heading)
    points = np.zeros((len(places), 3))
    points[:, 0] = cos * x + sin * y
    points[:, 1] = cos * y - sin * x
    return points


def draw_grid(canvas: Canvas, camera: Camera, ride: Any) -> None:
    """Draw a grid on the ground, which shows the speed."""
    reach, ends = GRID_REACH, []
    for x in grid_lines(ride.x, reach, GRID_SIZE):
        ends += [(x, ride.y - reach), (x, ride.y + reach)]
    for y in grid_lines(ride.y, reach, GRID_SIZE):
        ends += [(ride.x - reach, y), (ride.x + reach, y)]
    points = from_bicycle(ride, np.array(ends)).reshape(-1, 2, 3)
    points = cut_off(points, camera.nearest)
    places = camera.pixels(points.reshape(-1, 3))
    for start, end in zip(places[::2], places[1::2], strict=True):
        canvas.line(GRID, [start, end], 1)


def grid_lines(centre: float, reach: float, size: float) -> list[float]:
    """Return the multiples of `size` within `reach` of `centre`."""
    first, last = math.ceil((centre - reach) / size), math.floor((centre + reach) / size)
    return [k * size for k in range(first, last + 1)]


def cut_off(lines: Points, nearest: float) -> Points:
    """Return the parts of straight lines (n, 2, 3) ahead of `nearest`."""
    order = np.argsort(lines[:, :, 0], axis=1)[:, :, None]
    near, far = np.take_along_axis(lines, order, 1).swapaxes(0, 1)
    near, far = near[far[:, 0] > nearest], far[far[:, 0] > nearest]
    part = np.clip((nearest - near[:, 0]) / np.maximum(far[:, 0] - near[:, 0], 1e-9), 0.0, 1.0)
    return np.stack([near + part[:, None] * (far - near), far], axis=1)


def lane_borders(
    ride: Any, options: Any, xs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions (n, 2) on the left and right border of the lane at `xs`."""
    centre = np.array([(x, lane_y(ride, x, options)) for x in xs.tolist()])
    slopes = np.array([lane_slope(ride, x, options) for x in xs.tolist()])
    aside = np.stack([-slopes, np.ones(len(xs))], axis=1)
    aside *= (options.lane_width / 2 / np.hypot(1.0, slopes))[:, None]
    return centre - aside, centre + aside


def lane_colour(ride: Any, options: Any) -> Colour:
    """Return the colour of the borders, red while the bicycle is off the lane."""
    return GREEN if abs(ride.lane_offset) <= options.lane_width / 2 else RED


def draw_lane(canvas: Canvas, camera: Camera, ride: Any, options: Any) -> None:
    """Draw the lane and its borders."""
    along = math.copysign(1.0, math.cos(ride.heading))
    xs = ride.x + along * LANE_AHEAD
    borders = [from_bicycle(ride, places) for places in lane_borders(ride, options, xs)]
    left, right = (points[points[:, 0] > camera.nearest] for points in borders)
    if min(len(left), len(right)) < 2:
        return
    outline = [*camera.pixels(left), *reversed(camera.pixels(right))]
    canvas.polygon(LANE, outline)
    colour = lane_colour(ride, options)
    draw_shapes(canvas, camera, [Shape(points, 0.07, colour) for points in (left, right)])


def draw_finish(canvas: Canvas, camera: Camera, left: float) -> None:
    """Draw a chequered finish line where a straight ride would cross it."""
    size, columns = 0.4, 14
    squares = []
    for row, column in np.ndindex(2, columns):
        ahead, right = max(left, 0.0) + row * size, (column - columns / 2) * size
        squares += [(ahead, right, 0), (ahead + size, right, 0)]
        squares += [(ahead + size, right + size, 0), (ahead, right + size, 0)]
    corners = camera.pixels(line(*squares))
    for k, (row, column) in enumerate(np.ndindex(2, columns)):
        colour = WHITE if (row + column) % 2 else BACKGROUND
        canvas.polygon(colour, corners[4 * k : 4 * k + 4])


def draw_goal(canvas: Canvas, camera: Camera, ride: Any, options: Any) -> None:
    """Draw the goal as a disc with a flag, and an arrow on the ground towards it."""
    centre = from_bicycle(ride, np.array([[ride.goal_x, ride.goal_y]]))[0]
    angles = np.linspace(0.0, 2.0 * math.pi, 33)
    rim = np.stack([np.cos(angles), np.sin(angles), np.zeros(33)], axis=1) * options.goal_radius
    rim += centre
    if rim[:, 0].min() > camera.nearest:
        canvas.polygon(blend(FIELD, AMBER, 0.3), camera.pixels(rim))
        draw_shapes(canvas, camera, [Shape(rim, 0.12, AMBER)])
    if centre[0] > camera.nearest:
        draw_flag(canvas, camera, centre)
    if not ride.goals:
        draw_direction(canvas, camera, math.atan2(centre[1], centre[0]))


def draw_flag(canvas: Canvas, camera: Camera, foot: Points) -> None:
    """Draw a flag that grows with the distance, so that it is always visible."""
    size = 0.5 + 0.05 * float(np.hypot(foot[0], foot[1]))
    pole = foot + size * line((0, 0, 0), (0, 0, 4.0))
    cloth = foot + size * line((0, 0, 4.0), (0, 1.8, 3.4), (0, 0, 2.8))
    draw_shapes(canvas, camera, [Shape(pole, 0.1 * size, WHITE)])
    canvas.polygon(AMBER, camera.pixels(cloth))


def draw_direction(canvas: Canvas, camera: Camera, direction: float) -> None:
    """Draw an arrow on the ground next to the bicycle that points to the goal."""
    cos, sin = math.cos(direction), math.sin(direction)
    along, aside = np.array([cos, sin, 0.0]), np.array([-sin, cos, 0.0])
    back = 0.95 * along
    corners = line(1.7 * along, back + 0.45 * aside, 1.15 * along, back - 0.45 * aside)
    corners[:, 0] += 0.4  # around the middle of the bicycle
    canvas.polygon(AMBER, camera.pixels(corners))


def wheel_tracks(trail: Points, options: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions (n, 2) of the rear and of the front wheel so far."""
    rear = trail[:, :2]
    ahead = np.stack([np.cos(trail[:, 2]), np.sin(trail[:, 2])], axis=1)
    return rear, rear + options.wheelbase * ahead


def draw_tracks(canvas: Canvas, camera: Camera, ride: Any, options: Any, trail: Points) -> None:
    """Draw the tracks of both wheels."""
    tracks = [from_bicycle(ride, places) for places in wheel_tracks(trail[-TRACK_SHOWN:], options)]
    shapes = [
        Shape(points[points[:, 0] > camera.nearest], 0.035, blend(FIELD, colour, 0.7))
        for points, colour in zip(tracks, (BLUE, VIOLET), strict=True)
    ]
    draw_shapes(canvas, camera, shapes)


def draw_protractor(canvas: Canvas, camera: Camera, roll: float) -> None:
    """Draw a protractor that shows the roll and the angles of a fall."""
    foot, rim, marks = protractor(camera)
    shown = min(max(roll, -FALLEN_ROLL), FALLEN_ROLL)
    wedge = camera.pixels(protractor_points(0.0, shown))
    unit = camera.width / 480
    canvas.polygon(blend(FIELD, danger(roll), 0.25), [foot, *wedge])
    draw_dashes(canvas, GREY, foot, rim[len(rim) // 2], 1.5 * unit, 16)
    canvas.line(GREY, rim, 2.5 * unit)
    canvas.line(danger(roll), wedge, 5 * unit)
    for degrees, (inner, outer) in zip(MARKED, marks, strict=True):
        draw_segment(canvas, RED if abs(degrees) == 30 else GREY, inner, outer, 2.5 * unit)


@functools.lru_cache(8)
def protractor(camera: Camera) -> tuple[Place, list[Place], list[list[Place]]]:
    """Return the pixels of the protractor's foot, of its rim and of the ends of its marks."""
    foot = camera.pixels(line((0, 0, 0)))[0]
    rim = camera.pixels(protractor_points(-FALLEN_ROLL, FALLEN_ROLL))
    mark = line((0, 0, 2.0), (0, 0, 2.1))
    return foot, rim, [camera.pixels(leaned(mark, math.radians(each))) for each in MARKED]


def protractor_points(first: float, last: float) -> Points:
    """Return the points of the protractor at angles from `first` to `last`."""
    angles = np.linspace(first, last, 21)
    right, up = PROTRACTOR * np.sin(angles), PROTRACTOR * np.cos(angles)
    return np.stack([np.zeros(len(angles)), right, up], axis=1)


def draw_figure(canvas: Canvas, camera: Camera, ride: Any, options: Any, roll: float) -> None:
    """Draw bicycle and rider, the furthest parts first."""
    rider = rider_shapes(ride.steer, ride.way, options, bool(ride.fallen))
    shapes = [*bicycle_shapes(ride.steer, options), *rider]
    shapes.sort(key=lambda shape: -shape.points[:, 0].sum() / len(shape.points))
    draw_shapes(canvas, camera, shapes, roll)


def draw_shapes(canvas: Canvas, camera: Camera, shapes: list[Shape], roll: float = 0.0) -> None:
    """Draw shapes in perspective, rolled by `roll`."""
    points = np.concatenate([shape.points for shape in shapes])
    found, scales = camera.project(leaned(points, roll))
    places, scale, start = found.tolist(), scales.tolist(), 0
    for shape in shapes:
        end = start + len(shape.points)
        widths = [max(THINNEST, shape.thickness * each) for each in scale[start:end]]
        canvas.line(shape.colour, places[start:end], widths)
        start = end


def draw_wind(canvas: Canvas, camera: Camera, gust: float) -> None:
    """Draw an arrow in the direction of the gust, with a length that shows its strength."""
    if gust == 0.0:
        return
    length = 0.3 + 1.1 * min(abs(gust) / STRONG_GUST, 1.0)
    side = -math.copysign(1.0, gust)
    ends = line((0.4, side * (0.5 + length), 1.25), (0.4, side * 0.5, 1.25))
    places, scale = camera.project(ends)
    tail, tip = places.tolist()
    draw_arrow(canvas, BLUE, tail, tip, 0.11 * float(scale[0]))
