"""Every game that the contract suite looks at: all that are registered, and the tiny one."""

from __future__ import annotations

from envs.registration import SHORT_NAMES, register_game

register_game("TinyLeaf-v0", "tiny", "tests.tiny_game:GAME", "tests.tiny_rewards")

GAMES = tuple(SHORT_NAMES.values())
