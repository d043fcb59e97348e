"""The view of the bicycle: the ride from behind, the map, the bicycle from above and gauges."""

from __future__ import annotations

import functools
import math
from collections import deque
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pygame

from envs.bicycle.game import FALLEN_ROLL, FALLEN_STEER
from envs.bicycle.view.gauges import draw_gauges, draw_speed, write_gauges, write_speed, write_task
from envs.bicycle.view.map import draw_from_above, draw_map, square
from envs.bicycle.view.scene import draw_backdrop, draw_scene
from envs.bicycle.view.shapes import Points
from envs.engine.drawing import write
from envs.engine.palette import BACKGROUND, FIELD, LIGHT_GREY, PANEL, RED

SHARPER = 2
"""Factor by which shapes are drawn larger and then shrunk, for smooth edges."""
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
        self._large = self._small = pygame.Surface((0, 0))

    def __call__(self, surface: pygame.Surface, state: Any, options: Any) -> None:
        """Draw `state` over the whole of a square `surface`."""
        ride = fields(state)
        self._trail.follow(ride)
        side = min(surface.get_size())
        if self._small.get_width() != side:
            self._small = pygame.Surface((side, side))
            self._large = pygame.Surface((side * SHARPER, side * SHARPER))
        draw_shapes(self._large, ride, options, self._trail.places(ride))
        pygame.transform.smoothscale(self._large, (side, side), self._small)
        surface.blit(self._small, (0, 0))
        write_texts(surface, side, ride, options)


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

    scene: pygame.Rect
    map: pygame.Rect
    above: pygame.Rect
    gauges: pygame.Rect
    captions: pygame.Rect
    ribbon: pygame.Rect


@functools.lru_cache(8)
def layout(side: int) -> Layout:
    """Return the layout: the scene above; map, bicycle from above and gauges below."""
    top, gap = round(SCENE_HEIGHT * side), max(1, round(GAP * side))
    above, caption, ribbon = (round(part * side) for part in (ABOVE_WIDTH, CAPTION, RIBBON))
    height, picture = side - top, side - top - caption
    gauges = height + above + 2 * gap
    return Layout(
        scene=pygame.Rect(0, 0, side, top - gap),
        map=pygame.Rect(0, top, height, picture),
        above=pygame.Rect(height + gap, top, above, picture),
        gauges=pygame.Rect(gauges, top, side - gauges, height),
        captions=pygame.Rect(0, top + picture, gauges - gap, caption),
        ribbon=pygame.Rect(0, top - gap - ribbon, side, ribbon),
    )


@functools.lru_cache(4)
def backdrop(side: int) -> pygame.Surface:
    """Return the part that is the same in every picture."""
    surface, places = pygame.Surface((side, side)), layout(side)
    surface.fill(BACKGROUND)
    draw_backdrop(surface.subsurface(places.scene))
    surface.fill(FIELD, places.map)
    surface.fill(FIELD, places.above)
    surface.fill(PANEL, places.gauges)
    return surface


def draw_shapes(canvas: pygame.Surface, ride: Any, options: Any, trail: Points) -> None:
    """Draw everything except text."""
    places = layout(canvas.get_width())
    canvas.blit(backdrop(canvas.get_width()), (0, 0))
    draw_scene(canvas.subsurface(places.scene), ride, options, trail)
    draw_map(canvas.subsurface(places.map), ride, options, trail)
    draw_from_above(canvas.subsurface(places.above), ride, options)
    draw_gauges(canvas, places.gauges, ride, options)
    draw_speed(canvas, ride)
    if ride.fallen:
        canvas.fill(RED, places.ribbon)
        pygame.draw.rect(canvas, RED, places.scene, places.ribbon.height // 6)


def write_texts(surface: pygame.Surface, side: int, ride: Any, options: Any) -> None:
    """Write all texts."""
    places = layout(side)
    write_speed(surface, side, ride)
    write_task(surface, side, ride, options)
    write_gauges(surface, places.gauges, ride, options)
    y, size = places.captions.centery, round(0.04 * side)
    squares = f"squares of {square(ride):.0f} m"
    write(surface, squares, (places.map.centerx, y), size, LIGHT_GREY, 0.5)
    write(surface, "from above", (places.above.centerx, y), size, LIGHT_GREY, 0.5)
    if ride.fallen:
        size = round(0.056 * side)
        write(surface, cause_of_fall(ride), places.ribbon.center, size, BACKGROUND, 0.5)


def cause_of_fall(ride: Any) -> str:
    """Return the cause of the fall as a sentence."""
    if abs(ride.roll) > FALLEN_ROLL:
        return "Fallen: leaned too far"
    if abs(ride.steer) > FALLEN_STEER:
        return "Fallen: steered too far"
    return "Fallen: too slow"
