"""Reward terms of the tiny game."""

from __future__ import annotations

from typing import Any

DEFAULT = {"tiny": "centred"}


def centred(before: Any, action: Any, after: Any) -> float:
    """Minus the distance from the middle, between -1 and 0."""
    return -abs(after.x)


def breath(before: Any, action: Any, after: Any) -> float:
    """Strength of the blow; use a negative weight."""
    return abs(float(action[0]))
