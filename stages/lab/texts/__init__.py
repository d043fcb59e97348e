"""The texts of the experiments, one TOML file per language with one table per experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rewards.texts import load_texts

FOLDER = Path(__file__).parent


def load(name: str, lang: str) -> dict[str, Any]:
    """Return the texts of an experiment in `en` or `ko`, or those that all share (`lab`)."""
    texts: dict[str, Any] = load_texts(FOLDER, lang)[name]
    return texts
