"""Colours of the bicycle's view, of one family with those of `envs.paddle.view`."""

from __future__ import annotations

from envs.engine.lettering import Colour

EDGE: Colour = (14, 18, 28)
HAZE: Colour = (44, 54, 84)
GROUND: Colour = (22, 28, 44)
GRID: Colour = (48, 58, 88)
LANE: Colour = (36, 56, 70)
PANEL: Colour = (24, 30, 46)
TRACK: Colour = (58, 68, 98)
DIM: Colour = (92, 104, 138)
FAINT: Colour = (156, 168, 198)
SAFE: Colour = (94, 214, 160)
RISKY: Colour = (255, 196, 84)
BAD: Colour = (244, 92, 92)
GOAL: Colour = (255, 196, 84)
WIND: Colour = (120, 176, 255)
REAR_TRACK: Colour = (120, 176, 255)
FRONT_TRACK: Colour = (206, 158, 255)
