"""The commands to run next, ready to copy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

DEFAULT_ENV = "paddle"


def check(reward: str) -> str:
    """Return the command that shows what a reward pays for."""
    return f"python -m rewards check {shlex.quote(reward)}"


def train(env: str, env_options: Mapping[str, Any], reward: str) -> str:
    """Return the command that trains on a reward."""
    return f"python train.py{_game(env, env_options)} --reward {shlex.quote(reward)}"


def watch(env: str, env_options: Mapping[str, Any], reward: str) -> str:
    """Return the command that trains in a window."""
    return f"python play.py{_game(env, env_options)} --train --reward {shlex.quote(reward)}"


def _game(env: str, env_options: Mapping[str, Any]) -> str:
    pairs = "".join(f" {key}={value}" for key, value in env_options.items())
    chosen = "" if env == DEFAULT_ENV else f" --env {env}"
    return chosen + (f" --env-options{pairs}" if pairs else "")
