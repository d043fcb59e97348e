"""Trained agents and their backbones, from run folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium

from agents import make_agent
from agents.agent import Agent, Task, UnsuitableTaskError
from agents.checkpointing import agent_tensors
from envs.registry import encoding_of
from rewards.expression import parse
from training.config import RunConfig
from training.run_folder import CONFIG, RunError, load_checkpoint, read_json


def load_config(folder: Path) -> RunConfig:
    """Return the settings of a run. Raises RunError if `folder` holds no run."""
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}")
    return RunConfig.from_json(read_json(folder / CONFIG))


def load_backbone(agent: Agent, config: RunConfig, folder: Path) -> None:
    """Load the backbone of the run in `folder` into `agent`, which is trained with `config`.

    Executes no code of the run. Raises ValueError if there is no run or its backbone does not fit.
    """
    found = load_config(folder)
    tensors, _ = load_checkpoint(folder)
    try:
        agent.load_backbone(agent_tensors(tensors))
        _check_alike(found, config)
    except UnsuitableTaskError:
        raise
    except ValueError as error:
        raise RunError(
            f"{folder} ({found.agent} on {found.env}) does not fit: {error}; compare --width "
            "and the environment options"
        ) from None


def _check_alike(found: RunConfig, config: RunConfig) -> None:
    """Check what the shapes of weights do not show: attention heads and the meaning of tokens."""
    heads = [getattr(each.settings, "heads", None) for each in (found, config)]
    if None not in heads and heads[0] != heads[1]:
        raise ValueError(f"it has {heads[0]} heads, not {heads[1]}")
    here = encoding_of(config.env, config.env_options)
    for name, value in encoding_of(found.env, found.env_options).items():
        if here.get(name, value) != value:
            raise ValueError(f"its {name} is {value}, not {here[name]}")


def load_agent(
    folder: Path, env: gymnasium.Env[Any, Any], config: RunConfig | None = None
) -> Agent:
    """Return the agent of a run, ready to act in `env`. Executes no code of the run.

    Raises:
        RunError: if the folder is damaged, or `env` has other spaces than the run's environment.
    """
    config = config or load_config(folder)
    tensors, _ = load_checkpoint(folder)
    terms = {part.term: part.weight for part in parse(config.reward or "reward")}
    task = Task(config.env, env.observation_space, env.action_space, 1, config.steps, terms)
    agent = make_agent(config.agent, task, config.settings, config.seed)
    try:
        agent.restore_policy(agent_tensors(tensors))
    except (KeyError, RuntimeError):
        options = " ".join(f"{name}={value}" for name, value in config.env_options.items())
        raise RunError(
            f"{folder} does not fit this environment: it was trained on {config.env} with "
            f"{options or 'no options'}; other observations or actions need another agent"
        ) from None
    return agent
