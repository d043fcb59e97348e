"""Finds the hand-written rules of an environment."""

from __future__ import annotations

import importlib
from types import ModuleType

from envs import registry
from envs.engine.game import load_game
from envs.names import load


def find_rules(env_id: str) -> ModuleType | None:
    """Return the module of hand-written rules of a game or dataset, or None if it has none.

    See `envs.engine.game.Game.rules_module`.
    """
    games = {entry.env_id: entry.target for entry in registry.GAMES.values()}
    datasets = {entry.env_id: entry.target for entry in registry.DATASETS.values()}
    name = ""
    if env_id in games:
        name = load_game(games[env_id], {})[0].rules_module
    elif env_id in datasets:
        name = load(datasets[env_id]).rules_module
    return importlib.import_module(name) if name else None
