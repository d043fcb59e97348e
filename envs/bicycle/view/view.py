"""The view of the bicycle: the ride from behind, the map, the bicycle from above and gauges."""

from __future__ import annotations

import functools
import math
from collections import deque
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from envs.bicycle.game import FALLEN_ROLL, FALLEN_STEER
from envs.bicycle.view.gauges import draw_gauges, draw_speed, write_gauges, write_speed, write_task
from envs.bicycle.view.map import draw_from_above, draw_map, square
from envs.bicycle.view.scene import draw_scene
from envs.bicycle.view.shapes import Points
from envs.engine.canvas import Canvas, Rect
from envs.engine.palette import BACKGROUND, LIGHT_GREY, PANEL, RED

SCENE_HEIGHT = 0.62  # this and the following are fractions of the side
ABOVE_WIDTH = 0.2
GAP = 0.008
CAPTION = 0.05
RIBBON = 0.07  # with the cause of a fall
TRAIL_STEP, TRAIL_PLACES = 0.1, 500  # m between two positions; maximum number of positions
SLACK = 0.1  # m, tolerance for a distance that was summed over steps


class View:
    """The view of one ride, with the trail of the bicycle."""

    def __init__(self) -> None:
        self._trail = Trail()

    def __call__(self, canvas: Canvas, state: Any, options: Any) -> None:
        """Draw `state` over the whole of a square `canvas`."""
        ride = fields(state)
        self._trail.follow(ride)
        places = layout(min(canvas.width, canvas.height))
        draw_shapes(canvas, places, ride, options, self._trail.places(ride))
        write_texts(canvas, places, ride, options)


def fields(record: Any) -> SimpleNamespace:
    """Return the fields of a record as plain numbers, which are many times faster to read."""
    return SimpleNamespace(**dict(zip(record.dtype.names, record.item(), strict=True)))


class Position(NamedTuple):
    """Time, place and distance ridden: enough to recognise another ride."""

    t: int
    x: float
    y: float
    way: float

    def may_follow(self, last: Position) -> bool:
        """Return whether this can be a later position of the same ride."""
        distance = math.hypot(self.x - last.x, self.y - last.y)
        return self.t >= last.t and distance <= self.way - last.way + SLACK


class Trail:
    """The positions of a bicycle so far; another ride starts a new trail."""

    def __init__(self) -> None:
        self._places: deque[tuple[float, float, float]] = deque(maxlen=TRAIL_PLACES)
        self._last = Position(0, 0.0, 0.0, 0.0)

    def follow(self, ride: Any) -> None:
        """Add the current position of the ride, or start another ride."""
        now = Position(ride.t, ride.x, ride.y, ride.way)
        if not now.may_follow(self._last):
            self._places.clear()
        self._last = now
        if not self._places or math.dist((now.x, now.y), self._places[-1][:2]) >= TRAIL_STEP:
            self._places.append((now.x, now.y, ride.heading))

    def places(self, ride: Any) -> Points:
        """Return x, y (m) and heading (rad) since the ride was first drawn, (n, 3), newest last."""
        return np.array([*self._places, (ride.x, ride.y, ride.heading)])


class Layout(NamedTuple):
    """Rectangles of the parts of the view, in pixels."""

    side: float
    scene: Rect
    map: Rect
    above: Rect
    gauges: Rect
    captions: Rect
    ribbon: Rect


@functools.lru_cache(8)
def layout(side: float) -> Layout:
    """Return the layout: the scene above; map, bicycle from above and gauges below."""
    top, gap = round(SCENE_HEIGHT * side), max(1, round(GAP * side))
    above, caption, ribbon = (round(part * side) for part in (ABOVE_WIDTH, CAPTION, RIBBON))
    height, picture = side - top, side - top - caption
    gauges = height + above + 2 * gap
    return Layout(
        side=side,
        scene=Rect(0, 0, side, top - gap),
        map=Rect(0, top, height, picture),
        above=Rect(height + gap, top, above, picture),
        gauges=Rect(gauges, top, side - gauges, height),
        captions=Rect(0, top + picture, gauges - gap, caption),
        ribbon=Rect(0, top - gap - ribbon, side, ribbon),
    )


def draw_shapes(canvas: Canvas, places: Layout, ride: Any, options: Any, trail: Points) -> None:
    """Draw everything except text."""
    below = places.scene.bottom
    canvas.rect(BACKGROUND, (0, below, places.side, places.side - below))
    draw_scene(canvas.part(places.scene), ride, options, trail)
    draw_map(canvas.part(places.map), ride, options, trail)
    draw_from_above(canvas.part(places.above), ride, options)
    canvas.rect(PANEL, places.gauges)
    draw_gauges(canvas, places.gauges, ride, options)
    draw_speed(canvas, ride)
    if ride.fallen:
        draw_warning(canvas, places)


def draw_warning(canvas: Canvas, places: Layout) -> None:
    """Draw a red frame around the scene, whose lower side is the ribbon for the cause."""
    scene, ribbon = places.scene, places.ribbon
    width = ribbon.height // 6
    canvas.rect(RED, ribbon)
    canvas.rect(RED, (scene.left, scene.top, scene.width, width))
    for left in (scene.left, scene.right - width):
        canvas.rect(RED, (left, scene.top, width, scene.height))


def write_texts(canvas: Canvas, places: Layout, ride: Any, options: Any) -> None:
    """Write all texts."""
    side = places.side
    write_speed(canvas, side, ride)
    write_task(canvas, side, ride, options)
    write_gauges(canvas, places.gauges, ride, options)
    y, size = places.captions.middle[1], round(0.04 * side)
    squares = f"squares of {square(ride):.0f} m"
    canvas.text(squares, (places.map.middle[0], y), size, LIGHT_GREY, 0.5)
    canvas.text("from above", (places.above.middle[0], y), size, LIGHT_GREY, 0.5)
    if ride.fallen:
        size = round(0.056 * side)
        canvas.text(cause_of_fall(ride), places.ribbon.middle, size, BACKGROUND, 0.5)


def cause_of_fall(ride: Any) -> str:
    """Return the cause of the fall as a sentence."""
    if abs(ride.roll) > FALLEN_ROLL:
        return "Fallen: leaned too far"
    if abs(ride.steer) > FALLEN_STEER:
        return "Fallen: steered too far"
    return "Fallen: too slow"
