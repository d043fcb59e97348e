"""Playbacks for tests of play.py."""

from __future__ import annotations

from typing import Any

import gymnasium

from playing.playback import Playback
from playing.players import Players
from playing.selection import Selection

ENV = "PaddleBall-v0"


def make_playback(
    player: str = "rules", seed: int = 3, env_id: str = ENV, **options: Any
) -> Playback:
    """Return a playback of one of the players."""
    env = gymnasium.make(env_id, render_mode="rgb_array", **options)
    players = Players(env, Selection(env_id, options, seed))
    return Playback(env, players, players.player(player))
