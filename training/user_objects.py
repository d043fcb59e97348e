"""What Python was given as objects instead of names: environments, agents and rewards."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec, WrapperSpec

from agents.user_agent import AgentMaker
from envs.names import USER
from envs.options import RESERVED
from rewards.kernel import WeightedSum

EnvLike = str | gymnasium.Env[Any, Any] | Callable[..., gymnasium.Env[Any, Any]]
"""A name, a Gymnasium id, an environment, or a class or function that makes one."""
AgentLike = str | AgentMaker
"""A name in `envs.registry.AGENTS`, or a class or function of (task, seed)."""
RewardFunction = Callable[[Any, Any, Any], float]


@dataclass(frozen=True)
class UserObjects:
    """The objects of a run; its config.json holds their names only."""

    env: EnvSpec | None = None
    agent: AgentMaker | None = None
    reward: RewardFunction | WeightedSum | None = None


NO_OBJECTS = UserObjects()


@dataclass(frozen=True)
class NamedEnv:
    """An environment as a run names it."""

    name: str
    options: dict[str, Any]
    """Its environment options, and its `reward` if it has one."""
    spec: EnvSpec | None
    """Makes the environment, if its name does not."""


def named_env(env: EnvLike) -> NamedEnv:
    """Return the name of an environment.

    An environment that `gymnasium.make` can make again is known by its id. Any other environment is
    copied, and a class or function is called, once for each environment that is needed.

    Raises:
        TypeError: if it is none.
    """
    if isinstance(env, str):
        return NamedEnv(env, {}, None)
    if isinstance(env, gymnasium.Env):
        spec = env.spec
        if spec is not None and _is_registered(spec):
            options = {k: v for k, v in spec.kwargs.items() if k == "reward" or k not in RESERVED}
            return NamedEnv(spec.id, options, None)
        example = env
        return _of_maker(type(env.unwrapped).__name__, lambda: copy.deepcopy(example))
    if not callable(env):
        raise TypeError(
            "env must be a name, an environment, or a class or function that makes one, got "
            f"{env!r:.80}"
        )
    return _of_maker(name_of(env), env)


def name_of(maker: Any) -> str:
    """Return the name of a class or function, without what a Gymnasium id cannot contain."""
    return re.sub(r"\W", "", getattr(maker, "__name__", type(maker).__name__)) or "unnamed"


def _is_registered(spec: EnvSpec) -> bool:
    known = gymnasium.registry.get(spec.id)
    wrappers: tuple[WrapperSpec, ...] = spec.additional_wrappers
    return known is not None and known.entry_point == spec.entry_point and not wrappers


def _of_maker(name: str, maker: Callable[..., gymnasium.Env[Any, Any]]) -> NamedEnv:
    def make(render_mode: str | None = None, **options: Any) -> gymnasium.Env[Any, Any]:
        if takes_mode and render_mode is not None:
            options["render_mode"] = render_mode
        made = maker(**options)
        if not isinstance(made, gymnasium.Env):
            raise TypeError(f"{name} made {made!r:.80}, not a gymnasium.Env")
        return made

    takes_mode = "render_mode" in inspect.signature(maker).parameters
    user_name = f"{USER}{name}"
    return NamedEnv(user_name, {}, EnvSpec(user_name, entry_point=make))
