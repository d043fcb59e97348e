"""The games of the contract suite: all registered games, the tiny game and all variants."""

from __future__ import annotations

from typing import Any, NamedTuple

from envs.bicycle.game import ACTIONS
from envs.bicycle.tasks import TASKS
from envs.registry import GAMES as REGISTERED
from envs.registry import GameEntry, env_id_of, env_ids, register_game

register_game(
    "tiny",
    GameEntry(
        "TinyLeaf-v0", "tests.tiny_game:GAME", "tests.tiny_rewards", None, "Steer a falling leaf."
    ),
)


class Variant(NamedTuple):
    """A game with the options that select a variant."""

    env_id: str
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def options(self) -> dict[str, Any]:
        """The choices as keyword arguments."""
        return dict(self.choices)

    def __str__(self) -> str:
        return "-".join([self.env_id, *(value for _, value in self.choices)])


GAMES = tuple(Variant(env_id) for env_id in env_ids(REGISTERED))
TASK_VARIANTS = tuple(
    Variant(env_id_of("bicycle"), (("task", task), ("action", action)))
    for task in TASKS
    for action in ACTIONS
)
MIRRORED = Variant(env_id_of("paddle"), (("controls", "random"),))
VARIANTS = (
    *TASK_VARIANTS,
    *(game for game in GAMES if game.env_id != env_id_of("bicycle")),
    MIRRORED,
)
