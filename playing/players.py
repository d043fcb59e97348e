"""Who can play: the trained agent, the rules, chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

from agents import make_agent, settings_type
from agents.agent import Agent, Task, UnsuitableTaskError
from training.trained_agent import load_agent, load_config

TRAINED = "trained"
LEARNING = "learning"


@dataclass(frozen=True)
class Player:
    """An agent under the name that people see."""

    name: str
    """`trained`, `learning`, or a name in `envs.registry.AGENTS`."""
    description: str
    """Where it comes from, in a few words."""
    agent: Agent


class Cast:
    """All that can play one environment; a trained agent is loaded when its turn comes."""

    def __init__(
        self, env: gymnasium.Env[Any, Any], env_id: str, run: Path | None, seed: int
    ) -> None:
        """Ask around.

        Args:
            env: what is to be played.
            env_id: its Gymnasium id.
            run: run folder of the trained agent, if there is one.
            seed: of agents that draw their actions.
        """
        self._task = Task(env_id, env.observation_space, env.action_space, 1, 1)
        self._seed = seed
        self._makers: dict[str, Callable[[], Player]] = {}
        if run is not None:
            self._makers[TRAINED] = partial(_trained, run, env)
        for name in ("rules", "random"):
            if self._suits(name):
                self._makers[name] = partial(self._untrained, name)
        self._players: dict[str, Player] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Who can be asked for."""
        return tuple(self._makers)

    def player(self, name: str) -> Player:
        """The player called `name`, or a fresh, untrained agent of that name.

        Raises:
            ValueError: if there is none, it cannot serve the environment, or its run is damaged.
        """
        if name not in self._players:
            maker = self._makers.setdefault(name, partial(self._untrained, name))
            try:
                self._players[name] = maker()
            except ValueError:
                del self._makers[name]  # not to be offered again
                raise
        return self._players[name]

    def introduce(self, player: Player) -> None:
        """Let one more take part, before all others, or take the place of who had its name."""
        self._makers = {player.name: lambda: player} | self._makers
        self._makers[player.name] = lambda: player
        self._players[player.name] = player

    def after(self, name: str) -> str:
        """Whose turn it is after `name`."""
        names = list(self._makers)
        return names[(names.index(name) + 1) % len(names)] if name in names else names[0]

    def _suits(self, name: str) -> bool:
        try:
            self._untrained(name)
        except UnsuitableTaskError:
            return False
        return True

    def _untrained(self, name: str) -> Player:
        kind = {"rules": "written by a person", "random": "pure chance"}.get(name, "untrained")
        agent = make_agent(name, self._task, settings_type(name)(), self._seed)
        return Player(name, kind, agent)


def _trained(run: Path, env: gymnasium.Env[Any, Any]) -> Player:
    import torch  # over a second: only for those who need it

    torch.set_num_threads(1)  # more would wait for each other over one observation
    return Player(TRAINED, load_config(run).agent, load_agent(run, env))
