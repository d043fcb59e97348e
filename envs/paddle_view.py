"""Paddle-and-ball as people see it."""

from __future__ import annotations

from typing import Any

import pygame

from envs.paddle import BALL_RADIUS

BACKGROUND = (16, 20, 32)
WALL = (92, 104, 138)
PADDLE = (94, 214, 160)
BALL = (255, 196, 84)
MISSED = (244, 92, 92)


def draw(surface: pygame.Surface, state: Any, options: Any) -> None:
    """Draw `state` over the whole of a square `surface`."""
    side = min(surface.get_size())
    margin = side * 0.06
    scale = (side - 2 * margin) / (1 + 4 * BALL_RADIUS)

    def pixel(x: float, y: float) -> tuple[float, float]:
        return (
            margin + (x + 2 * BALL_RADIUS) * scale,
            margin + (y + 2 * BALL_RADIUS) * scale,
        )

    surface.fill(BACKGROUND)
    wall = max(2, round(BALL_RADIUS * scale))
    left, top = pixel(-BALL_RADIUS, -BALL_RADIUS)
    right, bottom = pixel(1 + BALL_RADIUS, 1 + BALL_RADIUS)
    for rectangle in (
        (left, top - wall, right - left + wall, wall),
        (left, bottom, right - left + wall, wall),
        (right, top, wall, bottom - top),
    ):
        pygame.draw.rect(surface, WALL, pygame.Rect(*map(round, rectangle)))
    paddle_top = pixel(-2 * BALL_RADIUS, state.paddle_y - options.paddle_size / 2)
    size = (BALL_RADIUS * scale, options.paddle_size * scale)
    pygame.draw.rect(surface, PADDLE, pygame.Rect(paddle_top, size), border_radius=wall // 2)
    colour = MISSED if state.missed else BALL
    pygame.draw.aacircle(surface, colour, pixel(state.ball_x, state.ball_y), BALL_RADIUS * scale)
