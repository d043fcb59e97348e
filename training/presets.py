"""Presets: the settings in presets.toml for each environment and agent."""

from __future__ import annotations

import copy
import functools
import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("presets.toml")
ANY = "any"


def preset(
    env_id: str, agent: str, env_options: dict[str, Any], file: Path = FILE
) -> dict[str, Any]:
    """Return the settings for an agent in an environment; more specific sections override."""
    sections = _sections(file.read_text(encoding="utf-8"))
    variants = [f"{env_id} {name}={value}" for name, value in env_options.items()]
    settings: dict[str, Any] = {}
    for env in (ANY, env_id, *variants):
        for kind in (ANY, agent):
            settings |= sections.get(env, {}).get(kind, {})
    return copy.deepcopy(settings)


@functools.cache
def _sections(text: str) -> dict[str, Any]:
    return tomllib.loads(text)
