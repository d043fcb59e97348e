"""The lane of `task="path"`: two sine waves along the x axis, with random phases."""

from __future__ import annotations

import math
from typing import Any

LONG, SHORT = 2 * math.pi / 40.0, 2 * math.pi / 17.0  # rad/m, wave numbers
SHORT_WAVE = 0.2  # amplitude of the short wave, as a fraction of that of the long wave


def lane_y(state: Any, x: float, options: Any) -> float:
    """Return the y of the lane's centre at x, m; the lane passes through the origin."""
    long = math.sin(LONG * x + state.long_phase) - math.sin(state.long_phase)
    short = math.sin(SHORT * x + state.short_phase) - math.sin(state.short_phase)
    return options.winding * (long + SHORT_WAVE * short)


def lane_slope(state: Any, x: float, options: Any) -> float:
    """Return the slope dy/dx of the lane's centre at x."""
    long = LONG * math.cos(LONG * x + state.long_phase)
    short = SHORT * math.cos(SHORT * x + state.short_phase)
    return options.winding * (long + SHORT_WAVE * short)
