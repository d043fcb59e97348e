"""The commands to run next, ready to copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewards.command_line import as_typed, quoted

DEFAULT_ENV = "paddle"


def check(reward: str) -> str:
    """Return the command that shows what a reward pays for."""
    return as_typed(f"python -m rewards check {quoted(reward)}")


def env_flags(env: str, env_options: Mapping[str, Any]) -> str:
    """Return the flags that choose a game, each with a space in front."""
    pairs = "".join(f" {key}={value}" for key, value in env_options.items())
    game = "" if env == DEFAULT_ENV else f" --env {env}"
    return game + (f" --env-options{pairs}" if pairs else "")


def train(env: str, env_options: Mapping[str, Any], reward: str, window: bool = False) -> str:
    """Return the command that trains on a reward, with a window if `window` is true."""
    script, flag = ("play.py", " --train") if window else ("train.py", "")
    return as_typed(f"python {script}{env_flags(env, env_options)}{flag} --reward {quoted(reward)}")
