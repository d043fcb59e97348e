"""The commands that the doctor proposes, as they can be typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from envs.names import flag
from rewards.command_line import quoted
from rewards.expression import has_code
from training.config import RunConfig
from training.doctor.evidence import Evidence

GENERAL = ("steps", "num_envs", "eval_every", "eval_episodes")
"""General settings that belong into a command where they differ from the usual ones."""


def train(evidence: Evidence, **changes: Any) -> str:
    """Return the command of a new run with the same settings, except for `changes`.

    `changes` are settings of the run or of its agent, by name. None means the usual one.
    """
    config, usual = evidence.config, evidence.usual
    given: dict[str, Any] = {"env": config.env}
    if config.env_options:
        given["env_options"] = config.env_options
    given["agent"] = config.agent
    if config.reward is not None:
        given["reward"] = config.reward
    names = [*GENERAL, *(each.name for each in dataclasses.fields(config.settings))]
    for name in names:
        if name in usual and evidence.setting(name) != usual[name]:
            given[name] = evidence.setting(name)
    if config.curriculum:
        given["curriculum"] = config.curriculum
    given["seed"] = config.seed
    given |= changes
    return _written("python train.py", {k: v for k, v in given.items() if v is not None})


def resume(evidence: Evidence, steps: int) -> str:
    """Return the command that continues the run up to a number of steps."""
    trust = " --trust-reward" if has_code(evidence.config.reward) else ""
    return f"python train.py --resume {quoted(evidence.folder)} --steps {steps}{trust}"


def check_reward(config: RunConfig) -> str:
    """Return the command that shows what the run's reward pays for."""
    options = {"env": config.env, "env_options": config.env_options}
    return _written(f"python -m rewards check {quoted(config.reward or 'reward')}", options)


def play(evidence: Evidence) -> str:
    """Return the command that shows the agent."""
    return f"python play.py {quoted(evidence.folder)}"


def _written(command: str, options: Mapping[str, Any]) -> str:
    return " ".join([command, *(text for k, v in options.items() for text in _flags(k, v))])


def _flags(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [flag(name if value else f"no_{name}")]
    if isinstance(value, dict):
        pairs = [quoted(f"{key}={each}") for key, each in value.items()]
        return [flag(name), *pairs] if pairs else []
    if isinstance(value, list | tuple):
        return [flag(name), *map(quoted, value)]
    return [flag(name), f"{value:g}" if isinstance(value, float) else quoted(value)]
