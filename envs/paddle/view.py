"""The view of paddle-and-ball for people."""

from __future__ import annotations

from typing import Any

from envs.engine.canvas import Canvas
from envs.engine.palette import AMBER, BACKGROUND, FIELD, GREEN, GREY, RED
from envs.paddle.game import BALL_RADIUS

MARGIN = 0.06  # of the picture's side, around the part that an agent's screen shows


def draw(canvas: Canvas, state: Any, options: Any) -> None:
    """Draw `state` over the whole of a square `canvas`.

    Positions are those of the ball's centre, so walls and paddle are drawn a radius further out.
    """
    side = min(canvas.width, canvas.height)
    margin = side * MARGIN
    scale = (side - 2 * margin) / (1 + 4 * BALL_RADIUS)
    radius = BALL_RADIUS * scale

    def pixel(place: float) -> float:
        return margin + (place + 2 * BALL_RADIUS) * scale

    near, far = round(pixel(-BALL_RADIUS)), round(pixel(1 + BALL_RADIUS))
    wall = max(2, round(radius))
    canvas.fill(BACKGROUND)
    canvas.rect(GREY, (near, near - wall, far - near + wall, far - near + 2 * wall))
    canvas.rect(FIELD, (near, near, far - near, far - near))
    length = options.paddle_size * scale
    paddle = (near - wall, pixel(state.paddle_y) - length / 2, wall, length)
    canvas.rect(GREEN, paddle, wall // 2)
    colour = RED if state.missed else AMBER
    canvas.circle(colour, (pixel(state.ball_x), pixel(state.ball_y)), radius)
