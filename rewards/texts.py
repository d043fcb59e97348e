"""Texts that people read, in English and Korean: folders with one TOML file per language."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "ko")


@functools.cache
def load_texts(folder: Path, lang: str) -> dict[str, Any]:
    """Return the texts of a folder in one of `LANGUAGES`."""
    return tomllib.loads((folder / f"{lang}.toml").read_text(encoding="utf-8"))
