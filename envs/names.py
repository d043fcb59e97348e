"""Names given as text: load what a name stands for, or suggest the right spelling."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any


def load(target: str) -> Any:
    """Import and return the object that `target`, a "module:attribute", names."""
    module, attribute = target.split(":")
    return getattr(importlib.import_module(module), attribute)


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message about an unknown `name`: which known names were meant."""
    known = list(known)
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean `{close[0]}`?" if close else f"choose from {', '.join(known) or 'none'}"
