"""The transformers that learn from prompts."""

from __future__ import annotations

from typing import NamedTuple

from stages.lab.trials import Trial


class Size(NamedTuple):
    """Size of a transformer."""

    width: int
    """Size of its vectors."""
    layers: int
    """Number of blocks."""
    heads: int
    """Number of attention heads."""

    def __str__(self) -> str:
        return f"{self.layers} x {self.width}"


LEARNING_RATES = {
    Size(8, 1, 2): 5e-3,
    Size(16, 2, 2): 5e-3,
    Size(32, 2, 2): 3e-3,
    Size(64, 2, 2): 2e-3,
}
SMALL, *_, LARGE = LEARNING_RATES


def prompts(size: Size) -> Trial:
    """Return the trial of a transformer."""
    settings = {**size._asdict(), "learning_rate": LEARNING_RATES[size]}
    return Trial("prompts", steps=32_000, settings=settings)
