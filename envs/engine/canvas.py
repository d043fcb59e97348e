"""The canvas on which games draw for people.

A canvas keeps what was drawn on it. `painting` paints it onto pygame surfaces, and `film` writes it
as lists that a web page paints. All lengths and positions are in pixels, and need not be whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from envs.engine.drawing import text_size
from envs.engine.palette import WHITE, Colour

Place = tuple[float, float]
"""x to the right and y downwards."""


class Rect(NamedTuple):
    """An upright rectangle."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """x of the right side."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """y of the lower side."""
        return self.top + self.height

    @property
    def middle(self) -> Place:
        """The centre."""
        return self.left + self.width / 2, self.top + self.height / 2


class Rectangle(NamedTuple):
    """A filled rectangle; `rounding` is the radius of its corners."""

    colour: Colour
    rect: Rect
    rounding: float


class Circle(NamedTuple):
    """A circle; its line is `width` thick, inwards, or it is filled if `width` is 0."""

    colour: Colour
    centre: Place
    radius: float
    width: float


class Polygon(NamedTuple):
    """A filled polygon."""

    colour: Colour
    points: Sequence[Place]


class Line(NamedTuple):
    """A line through points with round ends and corners; `width` may differ from point to point."""

    colour: Colour
    points: Sequence[Place]
    width: float | Sequence[float]


class Gradient(NamedTuple):
    """A rectangle whose colour changes evenly from each of `colours` to the next, downwards."""

    rect: Rect
    colours: Sequence[tuple[int, int, int, int]]


class Part(NamedTuple):
    """Shapes that are cut off at the sides of a rectangle and placed from its upper left corner."""

    rect: Rect
    shapes: list[Shape]


class Text(NamedTuple):
    """A line of text; `place` is x of its left end and y of its middle."""

    text: str
    place: Place
    size: int
    colour: Colour


Shape = Rectangle | Circle | Polygon | Line | Gradient | Part


class Canvas:
    """What is drawn on a canvas lies over what was drawn before; text lies over all shapes."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.shapes: list[Shape] = []
        self.texts: list[Text] = []
        self._corner: Place = (0, 0)

    def fill(self, colour: Colour) -> None:
        """Fill the whole canvas."""
        self.rect(colour, (0, 0, self.width, self.height))

    def rect(
        self, colour: Colour, rect: tuple[float, float, float, float], rounding: float = 0.0
    ) -> None:
        """Draw a filled rectangle (left, top, width, height); `rounding` is a corner's radius."""
        self.shapes.append(Rectangle(colour, Rect(*rect), rounding))

    def circle(self, colour: Colour, centre: Place, radius: float, width: float = 0.0) -> None:
        """Draw a filled circle, or a circular line of a `width` within the radius."""
        self.shapes.append(Circle(colour, centre, radius, width))

    def polygon(self, colour: Colour, points: Sequence[Place]) -> None:
        """Draw a filled polygon."""
        self.shapes.append(Polygon(colour, points))

    def line(self, colour: Colour, points: Sequence[Place], width: float | Sequence[float]) -> None:
        """Draw a line through points with round ends and corners.

        `width` is one number, or one for each point. A single point is drawn as a disc.
        """
        self.shapes.append(Line(colour, points, width))

    def gradient(
        self,
        rect: tuple[float, float, float, float],
        colours: Sequence[tuple[int, int, int, int]],
    ) -> None:
        """Draw a rectangle with evenly spaced colours from top to bottom.

        The fourth number of a colour is its opacity, 0..255.
        """
        self.shapes.append(Gradient(Rect(*rect), colours))

    def part(self, rect: tuple[float, float, float, float]) -> Canvas:
        """Return a canvas that is a part of this one.

        Its shapes are cut off at its sides, and lie over what was drawn before `part` was called.
        """
        part = Canvas(rect[2], rect[3])
        part.texts = self.texts
        part._corner = (self._corner[0] + rect[0], self._corner[1] + rect[1])
        self.shapes.append(Part(Rect(*rect), part.shapes))
        return part

    def text(
        self,
        text: str,
        place: Place,
        size: int,
        colour: Colour = WHITE,
        align: float = 0.0,
    ) -> float:
        """Write one line of text and return x of its right end.

        `place` is x of the left end (`align` 0), the centre (0.5) or the right end (1), and y of
        the middle. `size` is the height of the letters with the space above and below them.
        """
        width, _ = text_size(text, size)
        left = math.floor(place[0] - align * width)  # letters are sharpest at whole pixels
        self.texts.append(
            Text(text, (self._corner[0] + left, self._corner[1] + place[1]), size, colour)
        )
        return left + width
