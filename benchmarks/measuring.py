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
    processor: tuple[float, ...]
    """Seconds of processor time a second: below 1 on one thread, others kept it waiting."""

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
            "processor": self.processor,
            "median": finite(self.median),
            "met": self.met,
        }


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


def interleaved(samples: Sequence[tuple[Measure, Callable[[], float]]], repeats: int) -> list[Row]:
    """Take each measure in turn, again and again: a slow moment of the machine hits them all."""
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
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._spent_before = time.process_time()

    def seconds(self) -> float:
        """That have passed."""
        return time.perf_counter() - self._began

    def processor(self) -> float:
        """Seconds of processor time that this process has got in each of them."""
        return (time.process_time() - self._spent_before) / self.seconds()


def rate(
    step: Callable[[Any], object], actions: Iterable[Any], per_call: int, seconds: float
) -> float:
    """Units of work a second: `step` is called with all `actions` until `seconds` are over.

    The first round is not counted: it brings everything into the caches.
    """
    prepared = list(actions)
    for action in prepared:
        step(action)
    rounds, clock = 0, Clock()
    while (passed := clock.seconds()) < seconds or rounds == 0:
        for action in prepared:
            step(action)
        rounds += 1
    return rounds * len(prepared) * per_call / passed
