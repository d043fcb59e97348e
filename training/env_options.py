"""`--env-options ball_speed=0.04 paddle_size=0.3`: arguments of `gymnasium.make` in text."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

RESERVED = {
    "reward": "use --reward",
    "rewards": "it is the game's own",
    "game": "use --env",
    "id": "use --env",
    "render_mode": "play.py draws by itself",
    "num_envs": "use --num-envs of train.py",
}
"""What cannot be an environment option, and what to do instead."""


def parse_env_options(texts: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE texts; a value that is no Python literal is taken as text.

    Raises:
        ValueError: for a text without key or `=`, a key given twice, or a reserved one.
    """
    options: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"an environment option is written KEY=VALUE, not {text!r}")
        if key in options:
            raise ValueError(f"environment option `{key}` is given twice")
        check_option_name(key)
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            options[key] = value
    return options


def check_option_name(name: str) -> None:
    """Raise ValueError for a name in `RESERVED`."""
    if name in RESERVED:
        raise ValueError(f"`{name}` cannot be an environment option: {RESERVED[name]}")
