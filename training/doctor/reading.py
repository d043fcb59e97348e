"""Reads the evidence from a run folder, which may come from a stranger. Executes none of its code.

Curves are read by TensorBoard's own reader. The environment is never made: an id of Gymnasium may
import code.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from pathlib import Path
from typing import Any

import gymnasium

from agents import settings_type
from envs.engine.game import load_game
from envs.registry import GAMES, GameEntry, entry_of
from rewards.expression import parse
from training.config import RunConfig
from training.doctor.evidence import Curve, Evidence
from training.presets import preset
from training.reported import reported
from training.run_folder import CONFIG, RunError, read_json
from training.saved_curves import Curve as SavedCurve
from training.saved_curves import read_curves
from training.trained_agent import load_config

MAX_NEIGHBOURS = 500
"""Maximum number of other runs in the same folder that are looked at."""


def read_evidence(folder: Path) -> Evidence:
    """Return the evidence in a run folder.

    Raises:
        RunError: if the folder holds no run with curves, or is damaged.
    """
    config = load_config(folder)
    curves = {tag: _curve(each) for tag, each in read_curves(folder).items()}
    if not curves:
        raise RunError(f"{folder} has no curves: its training has not begun; nothing can be said")
    entry = entry_of(config.env, GAMES)
    usual = usual_settings(config)
    return Evidence(
        config,
        folder=str(folder),
        curves=curves,
        usual=usual,
        bar=_bar(config, usual),
        solved=_was_solved(folder),
        time_limit=_time_limit(config, entry, config.env_options),
        usual_time_limit=_time_limit(config, entry, _without_limit(config.env_options)),
        own_reward=entry is None,
        asked=_asked(config, entry),
        learners=tuple(_learners(folder, config)),
    )


def _curve(saved: SavedCurve) -> Curve:
    """Return a curve in the order of its steps; of two points at a step, the later one counts."""
    points = dict(zip(saved.steps.tolist(), saved.values.tolist(), strict=True))
    steps = sorted(points)
    return Curve(tuple(steps), tuple(points[step] for step in steps))


def usual_settings(config: RunConfig) -> dict[str, Any]:
    """Return the settings that the presets give for the environment and agent of a run."""
    values = preset(config.env, config.agent, config.env_options)
    general = {each.name: each.default for each in dataclasses.fields(RunConfig)}
    kind = settings_type(config.agent)
    own = {each.name for each in dataclasses.fields(kind)}
    settings = dataclasses.asdict(kind(**{k: v for k, v in values.items() if k in own}))
    general |= {name: value for name, value in values.items() if name in general}
    return general | settings


def _bar(config: RunConfig, usual: dict[str, Any]) -> float | None:
    """Return the score that counts as solved, also where the run was told to continue."""
    spec = gymnasium.registry.get(config.env)  # imports nothing
    threshold = usual["solved_score"]
    if threshold is None and spec is not None:
        threshold = spec.reward_threshold
    bar = config.solved_score if config.solved_score is not None else threshold
    return None if bar is None or not math.isfinite(bar) else float(bar)


def _was_solved(folder: Path) -> bool:
    """Return whether the final evaluation says so; False if there is none."""
    found = reported(folder)
    return found is not None and found.solved


def _time_limit(config: RunConfig, entry: GameEntry | None, options: dict[str, Any]) -> int | None:
    if entry is None:
        spec = gymnasium.registry.get(config.env)
        return None if spec is None else spec.max_episode_steps
    try:
        game, rest = load_game(entry.target, options)
        names = {each.name for each in dataclasses.fields(game.options)}
        return int(game.options(**{k: v for k, v in rest.items() if k in names}).max_steps)
    except (ValueError, TypeError):
        return None


def _without_limit(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "max_steps"}


def _asked(config: RunConfig, entry: GameEntry | None) -> frozenset[str]:
    """Return the terms of the default reward of a game."""
    if entry is None:
        return frozenset()
    try:
        game, _ = load_game(entry.target, config.env_options)
    except ValueError:
        return frozenset()
    defaults = importlib.import_module(entry.rewards).DEFAULT
    return frozenset(part.term for part in parse(defaults[game.name]))


def _learners(folder: Path, config: RunConfig) -> list[str]:
    """Return the solved runs in the same folder whose settings differ in the seed only."""
    wanted, found = _compared(config), []
    others = sorted(folder.resolve().parent.iterdir())[:MAX_NEIGHBOURS]
    for other in others:
        if other == folder.resolve() or not other.is_dir():
            continue
        try:
            if not _was_solved(other):
                continue
            if _compared(RunConfig.from_json(read_json(other / CONFIG))) == wanted:
                found.append(other.name)
        except RunError:  # another run's damage is not this run's
            continue
    return found


def _compared(config: RunConfig) -> dict[str, Any]:
    return {**config.fixed(), "reward": config.reward, "seed": 0}
