"""Trained agents and their backbones, from run folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

from agents import make_agent
from agents.agent import Agent, Task, UnsuitableTaskError
from agents.checkpointing import agent_tensors
from agents.user_agent import AgentMaker
from envs.registry import encoding_of
from rewards.expression import parse
from training.checked import checked
from training.config import RunConfig
from training.progress import Progress
from training.run_folder import (
    BEST,
    CONFIG,
    TENSORS,
    RunError,
    as_json,
    has_checkpoint,
    load_checkpoint,
    load_numbers,
    read_json,
    read_tensors,
)

POLICY = ("agent.network.", "agent.centres", "agent.user.")
"""Prefixes of the tensors that `Agent.restore_policy` needs."""


def load_config(folder: Path) -> RunConfig:
    """Return the settings of a run.

    A checkpoint holds the settings that it was made with. They are compared, so that a damaged
    config.json is refused before memory is taken for what it says.

    Raises:
        RunError: if `folder` holds no run, or its settings are damaged.
    """
    if folder.is_file():
        raise RunError(f"{folder} is a file, not a run folder")
    if not folder.is_dir():
        raise RunError(f"there is no run folder {folder}")
    if not os.path.lexists(folder / CONFIG):
        raise RunError(
            f"{folder} has no {CONFIG}: it is not a run folder, or its training was stopped before "
            "it began; start a new run"
        )
    config = RunConfig.from_json(read_json(folder / CONFIG))
    if not has_checkpoint(folder):
        return config
    saved = load_numbers(folder).get("settings")
    if saved is None:  # the checkpoint of an earlier version
        return config
    fixed = as_json(config.fixed())
    for name in fixed if saved != fixed else ():
        if not isinstance(saved, dict) or saved.get(name, fixed[name]) != fixed[name]:
            raise RunError(
                f"{folder / CONFIG} is damaged: its `{name}` is not the one that the checkpoint "
                "was made with"
            )
    return config


@dataclass(frozen=True)
class Model:
    """What a run has learned at one moment."""

    name: str
    """`best` or `last`."""
    step: int
    """Environment steps that it was trained for."""
    score: float | None
    """Mean score of the evaluation that decided; None if there was none."""
    tensors: dict[str, Any]
    """Tensors of the policy at least, by the names of the checkpoint."""


def load_model(folder: Path, last: bool = False) -> Model:
    """Return the best model of a run; with `last`, or if it has none, the last one.

    A run has a best model after its first evaluation.

    Raises:
        RunError: if there is no model, or it is damaged; a damaged best model is not replaced.
    """
    best = None if last else best_model(folder)
    if best is not None:
        return best
    tensors, numbers = load_checkpoint(folder, POLICY)
    progress = checked(numbers.get("progress", {}), Progress, f"progress in {folder / TENSORS}")
    return Model("last", progress.steps, progress.evaluated_score, tensors)


def best_model(folder: Path) -> Model | None:
    """Return the model with the best evaluation of a run, or None if there is none.

    Raises:
        RunError: if it is damaged.
    """
    if not os.path.lexists(folder / BEST):
        return None
    try:
        tensors, numbers = read_tensors(folder / BEST, POLICY)
        progress = checked(numbers.get("progress"), Progress, f"progress in {folder / BEST}")
    except RunError as error:
        raise RunError(f"{error}; remove it to use the last model instead") from None
    return Model("best", progress.steps, progress.evaluated_score, tensors)


def load_backbone(agent: Agent, config: RunConfig, folder: Path) -> None:
    """Load the backbone of the run in `folder` into `agent`, which is trained with `config`.

    It is the backbone of the run's best model. Executes no code of the run.

    Raises:
        ValueError: if there is no run, or its backbone does not fit.
    """
    found = load_config(folder)
    model = load_model(folder)
    try:
        agent.load_backbone(agent_tensors(model.tensors))
        _check_alike(found, config)
    except UnsuitableTaskError:
        raise
    except ValueError as error:
        raise RunError(f"{folder} ({found.agent} on {found.env}) does not fit: {error}") from None


def _check_alike(found: RunConfig, config: RunConfig) -> None:
    """Check what the shapes of weights do not show: the attention heads and the tokens' meaning."""
    heads = [getattr(each.settings, "heads", None) for each in (found, config)]
    if None not in heads and heads[0] != heads[1]:
        raise ValueError(f"it has {heads[0]} heads, not {heads[1]}; compare --heads")
    here = encoding_of(config.env, config.env_options)
    for name, value in encoding_of(found.env, found.env_options).items():
        if here.get(name, value) != value:
            raise ValueError(f"its {name} is {value}, not {here[name]}; compare --env-options")


def load_agent(
    folder: Path,
    env: gymnasium.Env[Any, Any],
    config: RunConfig | None = None,
    model: Model | None = None,
    maker: AgentMaker | None = None,
) -> Agent:
    """Return the agent of a run, ready to act in `env`. Executes no code of the run.

    `model` is by default the one that `load_model` returns. `maker` makes an agent that a user
    wrote.

    Raises:
        RunError: if the folder is damaged, or `env` has other spaces than the run's environment.
    """
    config, model = config or load_config(folder), model or load_model(folder)
    terms = {part.term: part.weight for part in parse(config.reward or "reward")}
    task = Task(config.env, env.observation_space, env.action_space, 1, config.steps, terms)
    return restored_agent(model, task, config, folder, maker)


def restored_agent(
    model: Model, task: Task, config: RunConfig, folder: Path, maker: AgentMaker | None = None
) -> Agent:
    """Return an agent for `task` with the policy of a model of the run in `folder`.

    Raises:
        RunError: if the model does not fit the task.
    """
    agent = make_agent(config.agent, task, config.settings, config.seed, maker=maker)
    try:
        agent.restore_policy(agent_tensors(model.tensors))
    except ValueError as error:
        raise RunError(f"{folder} cannot be played: {error}") from None
    except (KeyError, RuntimeError):
        options = " ".join(f"{name}={value}" for name, value in config.env_options.items())
        raise RunError(
            f"{folder} does not fit this environment: it was trained on {config.env} with "
            f"{options or 'no options'}; other observations or actions need another agent"
        ) from None
    return agent
