"""A curriculum: environment options that change during training, from an easy to the final task.

`paddle_size=0.5@0 paddle_size=0.1@200000` sets an option at the start and changes it at a step. The
steps divide the training into levels (Bengio et al., "Curriculum learning", ICML 2009). Levels
depend on steps only, so a resumed run follows the same curriculum. The last values are the final
task, on which every evaluation is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from envs.options import parse_env_options
from envs.registry import encoding_of
from training.config import RunConfig
from training.vector_runner import make_environments

ITEM = re.compile(r"(?P<option>.+)@(?P<step>[0-9][0-9_]{0,19})")


@dataclass(frozen=True)
class Level:
    """A part of the training with the same task."""

    step: int
    """Environment step at which it begins."""
    options: dict[str, Any]
    """Values of all options of the curriculum."""


def parse_curriculum(items: Sequence[str]) -> list[Level]:
    """Return the levels that texts OPTION=VALUE@STEP describe, the first one at step 0.

    Raises:
        ValueError: for another text, an option that is set twice at a step, or an option without a
            value at step 0.
    """
    changes: dict[int, dict[str, Any]] = {}
    for item in items:
        found = ITEM.fullmatch(item)
        if not found:
            raise ValueError(
                f"--curriculum takes OPTION=VALUE@STEP, such as paddle_size=0.5@0, got {item!r}"
            )
        ((name, value),) = parse_env_options([found["option"]]).items()
        at_step = changes.setdefault(int(found["step"]), {})
        if name in at_step:
            raise ValueError(f"--curriculum sets {name} twice at step {found['step']}")
        at_step[name] = value
    first = changes.get(0, {})
    for name in dict.fromkeys(name for options in changes.values() for name in options):
        if name not in first:
            raise ValueError(f"--curriculum must say how {name} begins: add {name}=VALUE@0")
    levels: list[Level] = []
    options: dict[str, Any] = {}
    for step in sorted(changes):
        options = options | changes[step]
        levels.append(Level(step, options))
    return levels


def level_at(levels: Sequence[Level], steps: int) -> int | None:
    """Return the number of the level after `steps` steps, from 0; None without a curriculum."""
    return sum(level.step <= steps for level in levels) - 1 if levels else None


def final_task(
    items: Sequence[str], env_options: dict[str, Any], total_steps: int
) -> dict[str, Any]:
    """Return the environment options of the final task; `env_options` are those given apart.

    Raises:
        ValueError: if the curriculum is wrong, sets one of `env_options`, or never ends.
    """
    levels = parse_curriculum(items)
    if not levels:
        return env_options
    for name in levels[-1].options:
        if name in env_options:
            raise ValueError(f"{name} is in --curriculum: leave it out of the other options")
    if levels[-1].step >= total_steps:
        raise ValueError(
            f"--curriculum reaches its final task at step {levels[-1].step:,}, but --steps is "
            f"{total_steps:,}"
        )
    return env_options | levels[-1].options


def check_levels(config: RunConfig, environments: Any, reward: Any) -> None:
    """Make an environment of each level, to find mistakes before the training starts.

    `environments` are those of the final task, and `reward` is their reward, if they take one.

    Raises:
        ValueError: if a level cannot be made, or would change what the agent observes or does.
    """
    final = (environments.single_observation_space, environments.single_action_space)
    meaning = encoding_of(config.env, config.env_options)
    for level in parse_curriculum(config.curriculum):
        text = " ".join(f"{name}={value}" for name, value in level.options.items())
        options = config.env_options | level.options
        try:
            made = make_environments(
                config.env, 1, options | ({"reward": reward} if reward else {})
            )
        except ValueError as error:
            raise ValueError(f"--curriculum {text}: {error}") from None
        with closing(made):
            spaces = (made.single_observation_space, made.single_action_space)
        if spaces != final or encoding_of(config.env, options) != meaning:
            raise ValueError(
                f"--curriculum {text} changes the observations or actions, and the agent keeps its "
                "network: only other options can change during training"
            )
