"""The players of an environment: the trained agent, hand-written rules, the random agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

from agents import make_agent, settings_type
from agents.agent import Agent, Task, UnsuitableTaskError
from playing.selection import TRAINED, Selection, tell
from training.evaluation import score_text
from training.trained_agent import load_agent, load_config, load_model

LEARNING = "learning"
KINDS = ("rules", "random")
"""Agents that learn nothing."""


@dataclass(frozen=True)
class Player:
    """An agent and the name that the window shows."""

    name: str
    """`trained`, `learning`, or a name in `envs.registry.AGENTS`."""
    description: str
    """Where the agent comes from: the agent's name, or a key of the window's texts."""
    agent: Agent


class Players:
    """All players of one environment. The trained agent is loaded when it is first used."""

    def __init__(self, env: gymnasium.Env[Any, Any], selection: Selection) -> None:
        """Find out which agents can play; a run of `selection` offers the trained one."""
        self.env_id = selection.env_id
        self.seed = selection.seed
        self._task = Task(self.env_id, env.observation_space, env.action_space, 1, 1)
        self._makers: dict[str, Callable[[], Player]] = {}
        if selection.run is not None:
            self._makers[TRAINED] = partial(_trained, selection.run, selection, env)
        for name in KINDS:
            if self._suits(name):
                self._makers[name] = partial(self._untrained, name)
        self._players: dict[str, Player] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the players, in the order in which the window offers them."""
        return tuple(self._makers)

    def player(self, name: str) -> Player:
        """Return the player called `name`, or a new untrained agent of that name.

        Raises:
            ValueError: if there is none, it does not suit the environment, or its run is damaged.
        """
        if name not in self._players:
            maker = self._makers.setdefault(name, partial(self._untrained, name))
            try:
                self._players[name] = maker()
            except ValueError:
                del self._makers[name]  # not offered again
                raise
        return self._players[name]

    def add(self, player: Player) -> None:
        """Add a player in front of the others, or replace the player of the same name."""
        self._makers = {player.name: lambda: player} | self._makers
        self._makers[player.name] = lambda: player
        self._players[player.name] = player

    def next_name(self, name: str) -> str:
        """Return the name of the player after `name`."""
        names = list(self._makers)
        return names[(names.index(name) + 1) % len(names)] if name in names else names[0]

    def _suits(self, name: str) -> bool:
        try:
            self._untrained(name)
        except UnsuitableTaskError:
            return False
        return True

    def _untrained(self, name: str) -> Player:
        agent = make_agent(name, self._task, settings_type(name)(), self.seed)
        return Player(name, name if name in KINDS else "untrained", agent)


def _trained(run: Path, selection: Selection, env: gymnasium.Env[Any, Any]) -> Player:
    """Return the trained agent of a run; if it is the run's best model, say so."""
    import torch  # takes over a second, so only when it is needed

    torch.set_num_threads(1)  # threads only slow down a network that gets one observation
    config, model = selection.config or load_config(run), load_model(run, selection.last)
    agent = load_agent(run, env, config, model)
    if model.name == "best" and model.score is not None:
        tell(
            f"playing the best model, from step {model.step:,} (score {score_text(model.score)}); "
            "--last plays the last one"
        )
    return Player(TRAINED, config.agent, agent)
