"""Sentences below the table: claims that the measurement supports or does not, and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stages.lab.intervals import LEVEL, Mean, difference, p_value, ratio
from stages.lab.results import Cell, Results

Words = Mapping[str, Any]
"""Values of the placeholders of a text. A function is called with the results."""


def mean_of(cell: Cell) -> Callable[[Results], float]:
    """Return a value for a text: the mean of a cell."""
    return lambda results: results.mean(cell).value


def difference_of(first: Cell, second: Cell) -> Callable[[Results], float]:
    """Return a value for a text: the mean of `first` minus `second`."""
    return lambda results: difference(results.values[first], results.values[second]).value


def label_of(series: Any) -> Callable[[Results], str]:
    """Return a value for a text: the name of a series."""
    return lambda results: results.label(series)


@dataclass(frozen=True)
class Note:
    """A sentence that claims nothing."""

    text: str
    """Key of the sentence."""
    words: Words = field(default_factory=dict)
    """Values of its placeholders."""

    def __call__(self, results: Results) -> str:
        """Return the sentence."""
        return _filled(results, self.text, self.words)


@dataclass(frozen=True)
class Claim:
    """The claim that one cell is larger than another, seed by seed.

    It held if the whole 95 % interval is on the claimed side. Its text may use {held}, {seeds},
    and {value}, {low}, {high} of the comparison.
    """

    text: str
    """Key of the sentence."""
    first: Cell
    """Cell that is compared."""
    second: Cell
    """Cell that it is compared with."""
    compare: Callable[..., Mean] = difference
    """`difference` (first minus second) or `ratio` (first divided by second)."""
    smaller: bool = False
    """Whether the claim is that the first is smaller."""
    words: Words = field(default_factory=dict)
    """Values of further placeholders."""

    def p_value(self, results: Results) -> float:
        """Return the one-sided p-value of the claim."""
        first, second = (np.asarray(results.values[cell]) for cell in (self.first, self.second))
        if self.compare is ratio:
            first, second = np.log(first), np.log(second)
        return p_value(np.subtract(*((second, first) if self.smaller else (first, second))))

    def __call__(self, results: Results) -> str:
        """Return the sentence, which says whether the claim held."""
        found = self.compare(results.values[self.first], results.values[self.second])
        held = self.p_value(results) < LEVEL
        words = {"held": results.shared_text("held" if held else "not_held"), **found._asdict()}
        return _filled(results, self.text, {**words, **self.words})


def claim_at(size: Any, text: str, first: Any, second: Any, **words: Any) -> Claim:
    """Return the claim that a series is larger than another one at a size.

    The text may use {size} and the placeholders `words`.
    """
    return Claim(text, (first, size), (second, size), words={"size": size, **words})


def _filled(results: Results, text: str, words: Words) -> str:
    values = {name: word(results) if callable(word) else word for name, word in words.items()}
    return str(results.texts[text].format(seeds=results.seeds, **values))
