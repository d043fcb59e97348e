"""The agents. `envs.registry.AGENTS` lists them; a class is imported when it is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from agents.agent import Agent, Task
from agents.user_agent import AgentMaker, make_user_agent
from agents.validation import check_sizes
from envs.names import USER, load
from envs.registry import AGENTS, look_up

_lock = threading.Lock()


@dataclass(frozen=True)
class UserSettings:
    """An agent that a user wrote keeps its hyperparameters itself."""


def settings_type(name: str) -> type[Any]:
    """Return the dataclass of an agent's hyperparameters.

    Raises:
        ValueError: if there is no such agent.
    """
    if name.startswith(USER):
        return UserSettings
    return load(look_up(AGENTS, "agent", name).settings)  # type: ignore[no-any-return]


def make_agent(
    name: str,
    task: Task,
    settings: Any,
    seed: int,
    device: str = "cpu",
    maker: AgentMaker | None = None,
) -> Agent:
    """Create an agent for `task`; `maker` makes one that a user wrote.

    Raises:
        ValueError: if there is no such agent, or if it cannot serve the task's spaces.
    """
    if maker is not None:
        with _torch_generator_kept(seed):
            return make_user_agent(maker, task, seed)
    if name.startswith(USER):
        raise ValueError(
            f"the agent is {name.removeprefix(USER)}, which a user wrote and a run folder does not "
            "hold; load it in Python: load(folder, agent=...)"
        )
    kind = load(look_up(AGENTS, "agent", name).target)
    check_sizes(settings)
    if not getattr(kind, "uses_torch", False):
        return kind(task, settings, seed)  # type: ignore[no-any-return]
    with _torch_generator_kept(seed):
        return kind(task, settings, seed, device=device)  # type: ignore[no-any-return]


@contextmanager
def _torch_generator_kept(seed: int) -> Iterator[None]:
    """Seed PyTorch's generator of the whole process, and then continue it where it was.

    PyTorch draws from it whenever a layer is made. Our agents replace these weights.
    """
    import torch

    with _lock, torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        yield
