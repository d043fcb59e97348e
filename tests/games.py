"""The games of the contract suite: all registered games, the tiny game, variants and cases."""

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

    def observing(self, observation: str) -> Variant:
        """Return this variant with a kind of observation."""
        return Variant(self.env_id, (*self.choices, ("observation", observation)))

    def __str__(self) -> str:
        return "-".join([self.env_id, *(value for _, value in self.choices)])


GAMES = tuple(Variant(env_id) for env_id in env_ids(REGISTERED))
TASK_VARIANTS = tuple(
    Variant(env_id_of("bicycle"), (("task", task), ("action", action)))
    for task in TASKS
    for action in ACTIONS
)
OTHER_VARIANTS = (
    *(game for game in GAMES if game.env_id != env_id_of("bicycle")),
    Variant(env_id_of("paddle"), (("controls", "random"),)),
)
VARIANTS = (*TASK_VARIANTS, *OTHER_VARIANTS)
OBSERVATIONS = ("state", "screen")
SEEN = {"continuous": OBSERVATIONS, "discrete": OBSERVATIONS[::-1]}
"""Observations with each kind of action: those of all tasks but the first, and of the first."""
CASES = (
    *(
        variant.observing(SEEN[variant.options["action"]][variant.options["task"] == "balance"])
        for variant in TASK_VARIANTS
    ),
    *(variant.observing(kind) for variant in OTHER_VARIANTS for kind in OBSERVATIONS),
)
"""Variants with a kind of observation. Each task and each kind of action occurs with both kinds of
observations; all three together would take twice as long to compile. Those that other tests need
too are among them."""
EVERY_TASK = tuple(
    Variant(case.env_id, case.choices[:-1])
    for case in CASES
    if case.options["observation"] == OBSERVATIONS[0]
)
"""Every task and every kind of controls once, and every kind of action."""
