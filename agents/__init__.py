"""The agents. `envs.registry.AGENTS` lists them; a class is imported when it is used."""

from __future__ import annotations

from typing import Any

from agents.agent import Agent, Task
from agents.validation import check_sizes
from envs.names import load
from envs.registry import AGENTS, look_up


def settings_type(name: str) -> type[Any]:
    """Return the dataclass of an agent's hyperparameters.

    Raises:
        ValueError: if there is no such agent.
    """
    return load(look_up(AGENTS, "agent", name).settings)  # type: ignore[no-any-return]


def make_agent(name: str, task: Task, settings: Any, seed: int, device: str = "cpu") -> Agent:
    """Create an agent for `task`.

    Raises:
        ValueError: if there is no such agent, or if it cannot serve the task's spaces.
    """
    kind = load(look_up(AGENTS, "agent", name).target)
    check_sizes(settings)
    arguments = {"device": device} if getattr(kind, "uses_torch", False) else {}
    return kind(task, settings, seed, **arguments)  # type: ignore[no-any-return]
