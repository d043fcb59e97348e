"""Who acts and learns. `AGENTS` is the list; a class is imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from agents.agent import Agent, Task

AGENTS: dict[str, tuple[str, str, str]] = {
    "random": ("agents.random", "RandomAgent", "RandomSettings"),
    "rules": ("agents.rules", "RulesAgent", "RulesSettings"),
    "search": ("agents.search", "SearchAgent", "SearchSettings"),
    "reinforce": ("agents.reinforce", "ReinforceAgent", "ReinforceSettings"),
    "ppo": ("agents.ppo", "PPOAgent", "PPOSettings"),
    "sac": ("agents.sac", "SACAgent", "SACSettings"),
    "reward_model": ("agents.reward_model", "RewardModelAgent", "RewardModelSettings"),
    "dqn": ("agents.dqn", "DQNAgent", "DQNSettings"),
    "pqn": ("agents.pqn", "PQNAgent", "PQNSettings"),
    "gpt": ("agents.gpt", "GPTAgent", "GPTSettings"),
    "kmeans": ("agents.kmeans", "KMeansAgent", "KMeansSettings"),
    "supervised": ("agents.supervised", "SupervisedAgent", "SupervisedSettings"),
}


def settings_type(name: str) -> type[Any]:
    """The dataclass of an agent's hyperparameters.

    Raises:
        ValueError: if there is no such agent.
    """
    module, _, settings = _named(name)
    return getattr(importlib.import_module(module), settings)  # type: ignore[no-any-return]


def make_agent(name: str, task: Task, settings: Any, seed: int, device: str = "cpu") -> Agent:
    """An agent for `task`.

    Raises:
        ValueError: if there is no such agent, or it cannot serve the task's spaces.
    """
    module, agent, _ = _named(name)
    kind = getattr(importlib.import_module(module), agent)
    arguments = {"device": device} if getattr(kind, "uses_torch", False) else {}
    return kind(task, settings, seed, **arguments)  # type: ignore[no-any-return]


def _named(name: str) -> tuple[str, str, str]:
    if name not in AGENTS:
        close = difflib.get_close_matches(name, AGENTS, 1)
        hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(AGENTS)}"
        raise ValueError(f"no agent is called `{name}`; {hint}")
    return AGENTS[name]
