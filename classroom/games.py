"""The games and tasks of the classroom, and the reward that a student begins with."""

from __future__ import annotations

import functools
import json
from typing import Any

from envs.bicycle.tasks import TASKS
from envs.engine.game import Game, load_game
from envs.names import suggest
from envs.registry import GAMES, look_up
from rewards.check.starter import starter_source
from rewards.exercises import EXERCISES

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "bicycle": [{} if task == "balance" else {"task": task} for task in TASKS]
}
"""Options of the tasks of a game; a game that is not listed has one task, without options."""


def catalogue() -> list[dict[str, Any]]:
    """Return all games, each with its keys and tasks, as the page gets them."""
    return [
        {
            "name": name,
            "title": entry.summary,
            "keys": list(game_of(name, "{}").keys),
            "tasks": [{"options": options, "title": ""} for options in VARIANTS.get(name, [{}])],
        }
        for name, entry in GAMES.items()
    ]


@functools.cache
def game_of(name: str, options: str) -> Game:
    """Return a game, by its name and its options as JSON."""
    return load_game(GAMES[name].target, json.loads(options))[0]


def checked_options(name: str, options: Any) -> str:
    """Return the options of a task of a game as JSON, in one way of writing.

    Only tasks of the catalogue and of the exercises are allowed: other options could make episodes
    that never end.

    Raises:
        ValueError: if there is no such game or task.
    """
    look_up(GAMES, "game", name)
    exercises = [dict(each.env_options) for each in EXERCISES if each.env == name]
    known = [*VARIANTS.get(name, [{}]), *exercises]
    if options not in known:
        tasks = [each.get("task", "none") for each in known]
        raise ValueError(f"{name} has no such task here; {suggest(str(options), tasks)}")
    return as_text(options)


def as_text(options: dict[str, Any]) -> str:
    """Return options as JSON, in one way of writing."""
    return json.dumps(options, sort_keys=True)


def starter(name: str, options: str, words: dict[str, str]) -> str:
    """Return the source of a good first reward, with comments in the words of a language."""
    return starter_source(name, json.loads(options), words["intro"], words["sum"])
