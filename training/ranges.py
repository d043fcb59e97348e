"""The ranges of settings in ranges.toml, over which sweeps search."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("ranges.toml")

Range = tuple[Any, ...] | slice
"""Values to choose from, or a slice with the bounds of a logarithmic range."""


def ranges_of_agent(agent: str) -> dict[str, Range]:
    """Return the range of each setting of an agent.

    Raises:
        ValueError: if there are none.
    """
    sections = tomllib.loads(FILE.read_text(encoding="utf-8"))
    if agent not in sections:
        raise ValueError(
            f"there are no ranges for {agent} in {FILE.name}; there are for {', '.join(sections)}"
        )
    return {name: _range(each) for name, each in sections[agent].items()}


def _range(written: Any) -> Range:
    return slice(written["low"], written["high"]) if isinstance(written, dict) else tuple(written)


def with_value(each: Range, value: Any) -> Range:
    """Return a range that includes a value."""
    if isinstance(each, slice):
        return slice(min(each.start, value), max(each.stop, value))
    return each if value in each else (*each, value)
