"""Reward terms of the tiny game."""

from __future__ import annotations

from typing import Any

DEFAULT = {"tiny": "centred"}


def centred(before: Any, action: Any, after: Any) -> float:
    """The closer to the middle the better, between -1 and 0 while the leaf is on the line."""
    return -abs(after.x)


def breath(before: Any, action: Any, after: Any) -> float:
    """How hard the player blows; to be subtracted."""
    return abs(float(action[0]))
