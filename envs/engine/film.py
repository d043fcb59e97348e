"""Pictures of canvases as lists of numbers and texts, which a web page paints.

A picture is a list of shapes and texts; `classroom/static/canvas.js` paints it. Each is a list of a
letter and its values:

    ["r", colour, x, y, width, height, rounding of the corners]
    ["c", colour, x, y, radius, width of the line]      filled without the last value
    ["p", colour, points]                               a polygon
    ["l", colour, width or list of widths, points]      a line with round ends and corners
    ["g", x, y, width, height, colours]                 a gradient downwards
    ["s", x, y, width, height, list of shapes]          shapes in a part of the canvas
    ["t", colour, x, y, width, size, text]              x of the left end, y of the base line

Lengths are whole tenths of a pixel. Points are a list of x and y of the first point, followed by
the distances from each point to the next. Colours are "#rrggbb", or "#rrggbbaa" in gradients.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.engine.canvas import (
    Canvas,
    Circle,
    Gradient,
    Line,
    Part,
    Polygon,
    Rect,
    Rectangle,
    Shape,
    Text,
)
from envs.engine.drawing import text_metrics
from envs.engine.game import Game
from envs.engine.palette import Colour
from envs.engine.render import View, load_view

Points = NDArray[np.float64]

SIDE = 480
"""Side of a picture in pixels."""
FRAMES_PER_SECOND = 30
LONGEST = 300
"""Largest number of frames of a film."""
MARGIN = 10.0
"""Distance in pixels from a canvas beyond which lines are left out."""
INVISIBLE = 0.15
"""Distance in pixels from the line between its neighbours, up to which a point is left out."""


def film(game: Game, options: Any, states: Sequence[Any], side: int = SIDE) -> dict[str, Any]:
    """Return the film of one episode, for JSON: its `side`, its `fps` and its `frames`.

    `states` are the states of all steps, as records. The film runs at the game's own speed and ends
    with the last state, or after `LONGEST` frames. `frames` are pictures (see `frame`).
    """
    view = load_view(game)
    times = range(LONGEST)
    steps = [round(k * game.steps_per_second / FRAMES_PER_SECOND) for k in times]
    shown = [k for k in steps if k < len(states) - 1]
    if len(shown) < LONGEST:
        shown.append(len(states) - 1)
    frames = [frame(view, states[k], options, side) for k in shown]
    return {"side": side, "fps": FRAMES_PER_SECOND, "frames": frames}


def frame(view: View, state: Any, options: Any, side: int = SIDE) -> list[Any]:
    """Return the picture of one state, for JSON; `view` is from `load_view`."""
    canvas = Canvas(side, side)
    view(canvas, state, options)
    return picture(canvas)


def picture(canvas: Canvas) -> list[Any]:
    """Return what was drawn on a canvas, for JSON."""
    whole = Rect(0, 0, canvas.width, canvas.height)
    return [*shapes_values(canvas.shapes, whole), *map(text_values, canvas.texts)]


def shapes_values(shapes: Sequence[Shape], rect: Rect) -> list[Any]:
    """Return the shapes that are visible in a part of a canvas, for JSON."""
    whole = Rect(0, 0, rect.width, rect.height)
    found = (shape_values(shape, whole) for shape in shapes)
    return [values for values in found if values]


def shape_values(shape: Shape, whole: Rect) -> list[Any]:
    """Return a shape for JSON; an empty list if nothing of it is within `whole`."""
    match shape:
        case Line(colour, points, width):
            return line_values(colour, np.asarray(points), width, whole)
        case Polygon(colour, points):
            return ["p", code(colour), differences(simplified(np.asarray(points)))]
        case Rectangle(colour, rect, rounding):
            return ["r", code(colour), *tenths(rect), *([tenth(rounding)] if rounding else [])]
        case Circle(colour, centre, radius, width):
            values = (*centre, radius, width) if width else (*centre, radius)
            return ["c", code(colour), *tenths(values)]
        case Gradient(rect, colours):
            return ["g", *tenths(rect), [*map(code, colours)]]
        case Part(rect, shapes):
            return ["s", *tenths(rect), shapes_values(shapes, rect)]


def line_values(
    colour: Colour, points: Points, width: float | Sequence[float], whole: Rect
) -> list[Any]:
    """Return a line for JSON."""
    if not isinstance(width, int | float):
        points, widths = np.split(simplified(np.column_stack([points, width])), [2], axis=1)
        return ["l", code(colour), tenths(widths[:, 0]), differences(points)]
    points = simplified(points)
    if len(points) == 2:
        points = cut_off(points, whole)
    if not len(points):
        return []
    return ["l", code(colour), tenth(width), differences(points)]


def text_values(text: Text) -> list[Any]:
    """Return a text for JSON."""
    metrics = text_metrics(text.text, text.size)
    x, y = text.place
    base = int(y - metrics.height / 2) + metrics.ascent
    return ["t", code(text.colour), *tenths((x, base, metrics.width, metrics.em)), text.text]


@functools.lru_cache(256)
def code(colour: Iterable[int]) -> str:
    """Return a colour as "#rrggbb", or as "#rrggbbaa" if it has an opacity."""
    return "#" + bytes(colour).hex()


def tenth(length: float) -> int:
    """Return a length in tenths of a pixel."""
    return round(10 * length)


def tenths(lengths: Iterable[float]) -> list[int]:
    """Return lengths in tenths of a pixel."""
    return [round(10 * length) for length in lengths]


def differences(points: Points) -> list[int]:
    """Return x and y of the first point, and the distances from each point to the next."""
    places = np.rint(10 * points).astype(int)
    places[1:] -= places[:-1].copy()
    found: list[int] = places.ravel().tolist()
    return found


def cut_off(ends: Points, whole: Rect) -> Points:
    """Return the ends of the part of a straight line within a rectangle, or no points.

    A margin hides the ends of a line that leaves the rectangle.
    """
    start, along = ends[0], ends[1] - ends[0]
    low = np.array([whole.left, whole.top]) - MARGIN - start
    high = np.array([whole.right, whole.bottom]) + MARGIN - start
    if ((along == 0.0) & ((low > 0.0) | (high < 0.0))).any():
        return ends[:0]
    moving = along != 0.0
    shares = np.sort([low[moving] / along[moving], high[moving] / along[moving]], axis=0)
    first, last = shares[0].max(initial=0.0), shares[1].min(initial=1.0)
    return np.array([start + first * along, start + last * along]) if first <= last else ends[:0]


def simplified(points: Points) -> Points:
    """Return the points (m, k) of n that a line needs to look the same; the ends are kept.

    Every second point is left out if it is close to the line between its neighbours, again and
    again. A third column has the widths.
    """
    while len(points) > 2:
        middle = points[1:-1:2]
        before, after = points[:-2:2], points[2::2]
        along, away = after - before[: len(after)], middle - before
        shares = (away * along).sum(axis=1) / np.maximum((along * along).sum(axis=1), 1e-9)
        off = away - np.clip(shares, 0.0, 1.0)[:, None] * along
        needed = np.ones(len(points), dtype=bool)
        needed[1:-1:2] = (off * off).sum(axis=1) > INVISIBLE**2
        if needed.all():
            break
        points = points[needed]
    return points
