"""The view of paddle-and-ball for people."""

from __future__ import annotations

from typing import Any

import pygame

from envs.engine.palette import AMBER, BACKGROUND, FIELD, GREEN, GREY, RED
from envs.paddle.game import BALL_RADIUS

MARGIN = 0.06  # of the picture's side, around the part that an agent's screen shows


def draw(surface: pygame.Surface, state: Any, options: Any) -> None:
    """Draw `state` over the whole of a square `surface`.

    Positions are those of the ball's centre, so walls and paddle are drawn a radius further out.
    """
    side = min(surface.get_size())
    margin = side * MARGIN
    scale = (side - 2 * margin) / (1 + 4 * BALL_RADIUS)
    radius = BALL_RADIUS * scale

    def pixel(place: float) -> float:
        return margin + (place + 2 * BALL_RADIUS) * scale

    near, far = round(pixel(-BALL_RADIUS)), round(pixel(1 + BALL_RADIUS))
    wall = max(2, round(radius))
    surface.fill(BACKGROUND)
    box = pygame.Rect(near, near - wall, far - near + wall, far - near + 2 * wall)
    pygame.draw.rect(surface, GREY, box)
    pygame.draw.rect(surface, FIELD, pygame.Rect(near, near, far - near, far - near))
    length = options.paddle_size * scale
    paddle = pygame.Rect(near - wall, pixel(state.paddle_y) - length / 2, wall, length)
    pygame.draw.rect(surface, GREEN, paddle, border_radius=wall // 2)
    colour = RED if state.missed else AMBER
    pygame.draw.aacircle(surface, colour, (pixel(state.ball_x), pixel(state.ball_y)), radius)
