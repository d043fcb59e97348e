"""Decoys: bright rectangles on a screen that are neither ball nor paddle.

The functions are compiled with the kernels that call them. `things` has a row of class, x and y of
the centre, width and height for each thing, in fractions of the screen: the ball, the paddle and
the decoys.
"""

from __future__ import annotations

from typing import Any

from envs.engine.raster import fill_rectangle
from envs.engine.rng import uniform
from envs.paddle.game import BALL_RADIUS

BALL, PADDLE, DECOY = range(3)
MOST_DECOYS = 3
SMALLEST, LARGEST = 0.07, 0.2  # side of a decoy
LEFTMOST = 0.15  # edge of a decoy; the paddle's side stays free
GAP = 0.06  # between things; no cell of `Detect` contains the centres of two decoys
ATTEMPTS = 10  # to place a decoy before it is left out


def locate_game(state: Any, things: Any, options: Any) -> None:
    """Write the ball and the paddle of `state` into the first two rows of `things`."""
    unit = 1.0 / (1.0 + 4 * BALL_RADIUS)
    things[0, 0] = BALL
    things[0, 1] = (state.ball_x + 2 * BALL_RADIUS) * unit
    things[0, 2] = (state.ball_y + 2 * BALL_RADIUS) * unit
    things[0, 3] = things[0, 4] = 2 * BALL_RADIUS * unit
    things[1, 0] = PADDLE
    things[1, 1] = 0.5 * BALL_RADIUS * unit
    things[1, 2] = (state.paddle_y + 2 * BALL_RADIUS) * unit
    things[1, 3] = BALL_RADIUS * unit
    things[1, 4] = options.paddle_size * unit


def place_decoys(state: Any, things: Any, most: int) -> int:
    """Write 0 to `most` decoys behind the first two rows of `things`; return the number of rows."""
    count = 2
    for _ in range(int(uniform(state, 0.0, most + 1.0))):
        for _ in range(ATTEMPTS):
            width = uniform(state, SMALLEST, LARGEST)
            height = uniform(state, SMALLEST, LARGEST)
            x = uniform(state, LEFTMOST + width / 2, 1.0 - width / 2)
            y = uniform(state, height / 2, 1.0 - height / 2)
            if is_free(things, count, x, y, width, height):
                things[count, 0] = DECOY
                things[count, 1], things[count, 2] = x, y
                things[count, 3], things[count, 4] = width, height
                count += 1
                break
    return count


def is_free(things: Any, count: int, x: float, y: float, width: float, height: float) -> bool:
    """Return whether this box keeps a gap to the first `count` things."""
    for k in range(count):
        aside = abs(things[k, 1] - x) - (things[k, 3] + width) / 2
        down = abs(things[k, 2] - y) - (things[k, 4] + height) / 2
        if max(aside, down) < GAP:
            return False
    return True


def fill_decoys(screen: Any, things: Any, count: int) -> None:
    """Draw the decoys among the first `count` things."""
    side = screen.shape[0]
    for k in range(2, count):
        left, top = (
            (things[k, 1] - things[k, 3] / 2) * side,
            (things[k, 2] - things[k, 4] / 2) * side,
        )
        right, bottom = left + things[k, 3] * side, top + things[k, 4] * side
        fill_rectangle(screen, left, top, right, bottom, 255.0)
