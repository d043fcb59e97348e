"""The texts of the experiments, one TOML file per language with one table per experiment."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any


@functools.cache
def load(name: str, lang: str) -> dict[str, Any]:
    """Return the texts of an experiment in `en` or `ko`, or those that all share (`lab`)."""
    file = Path(__file__).with_name(f"{lang}.toml")
    texts: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))[name]
    return texts
