"""The lane of `task="path"`: two waves along the x axis, drawn anew for each ride."""

from __future__ import annotations

import math
from typing import Any

LONG, SHORT = 2 * math.pi / 40.0, 2 * math.pi / 17.0  # 1/m, the two waves of a lane
SHORT_WAVE = 0.2  # height of the short wave, as a part of that of the long one


def lane_y(state: Any, x: float, options: Any) -> float:
    """Where the lane's centre is at x, m; it passes through the origin."""
    long = math.sin(LONG * x + state.long_phase) - math.sin(state.long_phase)
    short = math.sin(SHORT * x + state.short_phase) - math.sin(state.short_phase)
    return options.winding * (long + SHORT_WAVE * short)


def lane_slope(state: Any, x: float, options: Any) -> float:
    """dy/dx of the lane's centre."""
    long = LONG * math.cos(LONG * x + state.long_phase)
    short = SHORT * math.cos(SHORT * x + state.short_phase)
    return options.winding * (long + SHORT_WAVE * short)
