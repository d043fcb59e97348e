"""What is measured, and the values that came out."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Measure:
    """One line of the table, before anything was measured."""

    what: str
    unit: str
    counted: str
    """What exactly the number means."""
    target: float | None = None
    better: Literal["more", "less"] = "more"


@dataclass(frozen=True)
class Row:
    """A measure and one value for each repeat; infinite where the goal was not reached."""

    measure: Measure
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Is the median as good as the target, and did every repeat reach the goal?"""
        target = self.measure.target
        if target is None:
            return None
        good = self.median >= target if self.measure.better == "more" else self.median <= target
        return good and all(map(math.isfinite, self.values))

    def to_json(self) -> dict[str, Any]:
        """For --json; a goal that was not reached is null."""
        return {
            **vars(self.measure),
            "values": [finite(value) for value in self.values],
            "median": finite(self.median),
            "met": self.met,
        }


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


def interleaved(samples: Sequence[tuple[Measure, Callable[[], float]]], repeats: int) -> list[Row]:
    """Take each measure in turn, again and again: a slow moment of the machine hits them all."""
    values: dict[Measure, list[float]] = {measure: [] for measure, _ in samples}
    for _ in range(repeats):
        for measure, sample in samples:
            values[measure].append(sample())
    return [Row(measure, tuple(taken)) for measure, taken in values.items()]


def rate(
    step: Callable[[Any], object], actions: Iterable[Any], per_call: int, seconds: float
) -> float:
    """Units of work a second: `step` is called with all `actions` until `seconds` are over.

    The first round is not counted: it brings everything into the caches.
    """
    prepared = list(actions)
    for action in prepared:
        step(action)
    rounds, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds or rounds == 0:
        for action in prepared:
            step(action)
        rounds += 1
    return rounds * len(prepared) * per_call / passed
