"""Environment options on the command line: `--env-options ball_speed=0.04 paddle_size=0.3`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

RESERVED = {
    "reward": "use --reward",
    "game": "use --env",
    "dataset": "use --env",
    "id": "use --env",
    "render_mode": "play.py chooses it",
    "num_envs": "use --num-envs of train.py",
    "disable_env_checker": "train.py and play.py choose it",
    "autoreset_mode": "train.py chooses it",
    "max_episode_steps": "use max_steps",
    "vectorization_mode": "train.py chooses it",
    "vector_kwargs": "train.py chooses them",
    "wrappers": "wrappers are code",
}
"""Arguments of `gymnasium.make` that are not environment options, and what to do instead."""


def parse_env_options(texts: Sequence[str]) -> dict[str, Any]:
    """Return the options in KEY=VALUE texts. A value that is not a Python literal stays text.

    Raises:
        ValueError: if a text lacks the key or the `=`, or a key is given twice or is in `RESERVED`.
    """
    options: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"an environment option is written KEY=VALUE, got {text!r}")
        if key in options:
            raise ValueError(f"environment option `{key}` is given twice")
        check_option_name(key)
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            options[key] = value
    return options


def check_option_name(name: str) -> None:
    """Check that a name can be an environment option.

    Raises:
        ValueError: if it is in `RESERVED`.
    """
    if name in RESERVED:
        raise ValueError(f"`{name}` cannot be an environment option: {RESERVED[name]}")
