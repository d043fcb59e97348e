"""The commands that come next, for people to copy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

DEFAULT_ENV = "paddle"


def check(reward: str) -> str:
    """See what a file's rewards pay for."""
    return f"python -m rewards check {shlex.quote(reward)}"


def train(env: str, env_options: Mapping[str, Any], reward: str) -> str:
    """Train on a reward."""
    return f"python train.py{_game(env, env_options)} --reward {shlex.quote(reward)}"


def watch(env: str, env_options: Mapping[str, Any], reward: str) -> str:
    """Watch what becomes of it."""
    return f"python play.py{_game(env, env_options)} --train --reward {shlex.quote(reward)}"


def _game(env: str, env_options: Mapping[str, Any]) -> str:
    pairs = "".join(f" {key}={value}" for key, value in env_options.items())
    chosen = "" if env == DEFAULT_ENV else f" --env {env}"
    return chosen + (f" --env-options{pairs}" if pairs else "")
