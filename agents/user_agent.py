"""Agents that a user writes: any class with `act`, and with `learn` if it learns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from agents.agent import Agent, Array, Step, Task
from agents.checkpointing import under

AgentMaker = Callable[[Task, int], Any]
"""A class or function of (task, seed) that makes an agent."""
PREFIX = "user."
"""Prefix of the tensors of a checkpoint."""


class UserAgent(Agent):
    """Gives an object with `act` and `learn` the rest of the interface of an agent.

    A checkpoint holds its attributes that are NumPy arrays, torch tensors, torch modules, random
    generators of NumPy and numbers. An optimizer of torch starts again when a run is resumed.
    """

    def __init__(self, user: Any, task: Task, seed: int) -> None:
        super().__init__(task, seed)
        self.user = user
        """The object."""

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return the object's actions (n, ...)."""
        return np.asarray(self.user.act(observations, explore=explore))

    def learn(self, step: Step) -> dict[str, float] | None:
        """Let the object learn, if it can; return its metrics, if there are any."""
        learn = getattr(self.user, "learn", None)
        metrics = None if learn is None else learn(step)
        return None if metrics is None else {name: float(v) for name, v in metrics.items()}

    def policy_tensors(self) -> dict[str, Any]:
        """Return all arrays, tensors, modules and numbers."""
        import torch

        found: dict[str, Any] = {}
        for name, value in vars(self.user).items():
            key = f"{PREFIX}{name}"
            if isinstance(value, torch.nn.Module):
                weights = value.state_dict().items()
                found |= {f"{key}.{part}": weight for part, weight in weights}
            elif isinstance(value, torch.Tensor):
                found[key] = value
            elif isinstance(value, np.ndarray | np.generic | int | float):
                array = np.ascontiguousarray(value)
                if array.dtype.kind in "biuf":
                    found[key] = torch.from_numpy(array.reshape(np.shape(value)).copy())
        return found

    def tensors(self) -> dict[str, Any]:
        """Return the same as `policy_tensors`."""
        return self.policy_tensors()

    def numbers(self) -> dict[str, Any]:
        """Return the states of the random generators."""
        states = {
            name: value.bit_generator.state
            for name, value in vars(self.user).items()
            if isinstance(value, np.random.Generator)
        }
        return super().numbers() | {"user": states}

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Set the arrays, tensors, modules and numbers."""
        import torch

        for name, value in list(vars(self.user).items()):
            key = f"{PREFIX}{name}"
            if isinstance(value, torch.nn.Module):
                value.load_state_dict(under(f"{key}.", tensors))
            elif key in tensors:
                with torch.no_grad():
                    setattr(self.user, name, _like(value, tensors[key]))

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        self.restore_policy(tensors)
        for name, state in numbers["user"].items():
            getattr(self.user, name).bit_generator.state = state


def make_user_agent(maker: AgentMaker, task: Task, seed: int) -> Agent:
    """Return the agent that `maker` makes.

    Raises:
        TypeError: if it is no agent.
    """
    made = maker(task, seed)
    if isinstance(made, Agent):
        return made
    name = getattr(maker, "__name__", type(maker).__name__)
    act = getattr(made, "act", None)
    if not callable(act):
        raise TypeError(f"an agent needs a method act(observations, explore); {name} has none")
    try:
        inspect.signature(act).bind(None, explore=True)
    except TypeError:
        raise TypeError(f"{name}.act must take (observations, explore)") from None
    return UserAgent(made, task, seed)


def _like(value: Any, tensor: Any) -> Any:
    """Return a saved tensor as the type of `value`; a parameter keeps its identity."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.copy_(tensor)
    array = tensor.numpy().copy()
    return array if isinstance(value, np.ndarray) else type(value)(array.item())
