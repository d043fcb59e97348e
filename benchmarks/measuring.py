"""Measures, measured rows, and a clock."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Measure:
    """Definition of one row of the table."""

    what: str
    unit: str
    counted: str
    """What exactly the number counts."""
    target: float | None = None
    better: Literal["more", "less"] = "more"


@dataclass(frozen=True)
class Row:
    """A measure with one value per repeat; infinite if the goal was not reached."""

    measure: Measure
    values: tuple[float, ...]
    processor: tuple[float, ...]
    """CPU seconds per second of wall time. Below 1 on one thread, other programs were running."""

    @property
    def median(self) -> float:
        """Median of the values."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the target and all repeats reached the goal; None: no target."""
        target = self.measure.target
        if target is None:
            return None
        good = self.median >= target if self.measure.better == "more" else self.median <= target
        return good and all(map(math.isfinite, self.values))

    def to_json(self) -> dict[str, Any]:
        """Return the row for --json, with null for a goal that was not reached."""
        return {
            **vars(self.measure),
            "values": [finite(value) for value in self.values],
            "processor": self.processor,
            "median": finite(self.median),
            "met": self.met,
        }


def finite(value: float) -> float | None:
    """Return the value, or None for infinity, which JSON cannot hold."""
    return value if math.isfinite(value) else None


def interleaved(samples: Sequence[tuple[Measure, Callable[[], float]]], repeats: int) -> list[Row]:
    """Sample the measures in turn, so that a slow phase of the machine affects all of them."""
    values: dict[Measure, list[float]] = {measure: [] for measure, _ in samples}
    processor: dict[Measure, list[float]] = {measure: [] for measure, _ in samples}
    for _ in range(repeats):
        for measure, sample in samples:
            clock = Clock()
            values[measure].append(sample())
            processor[measure].append(clock.processor())
    return [
        Row(measure, tuple(values[measure]), tuple(processor[measure])) for measure, _ in samples
    ]


class Clock:
    """Measures wall time and CPU time since it was created."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spent_before = time.process_time()

    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._began

    def processor_seconds(self) -> float:
        """Return the CPU seconds of this process since the start."""
        return time.process_time() - self._spent_before

    def processor(self) -> float:
        """Return the CPU seconds of this process per second of wall time."""
        return self.processor_seconds() / self.seconds()


def rate(
    step: Callable[[Any], object], actions: Iterable[Any], per_call: int, seconds: float
) -> float:
    """Return units of work per second, after one round of `actions` that fills the caches."""
    prepared = list(actions)
    for action in prepared:
        step(action)
    rounds, clock = 0, Clock()
    while (passed := clock.seconds()) < seconds or rounds == 0:
        for action in prepared:
            step(action)
        rounds += 1
    return rounds * len(prepared) * per_call / passed
