"""The texts of the reward lab: en.toml and ko.toml, with one table per command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rewards.texts import load_texts

FOLDER = Path(__file__).parent


def load(command: str, lang: str) -> dict[str, Any]:
    """Return the texts of a command in `en` or `ko`."""
    texts: dict[str, Any] = load_texts(FOLDER, lang)[command]
    return texts
