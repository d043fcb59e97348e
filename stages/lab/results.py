"""What the trials of an experiment found, and the table that shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from stages.lab.intervals import Mean, mean
from stages.lab.options import ExperimentOptions
from stages.lab.texts import load
from stages.lab.trials import Learned, Point, Pretrained

Cell = Any
"""Hashable key of a number that an experiment compares; usually a pair (series, size)."""
Texts = Mapping[str, Any]
Labels = Callable[[Texts, Any], str]


@dataclass(frozen=True)
class Results:
    """What the trials of an experiment found, in the language of its table and slide."""

    options: ExperimentOptions
    """Options of the command."""
    texts: Texts
    """Texts of the experiment."""
    labels: Labels
    """Function that returns the label of a series."""
    series: Sequence[Any]
    """Keys of the series, in the order of the table and of the legend."""
    sizes: Sequence[Any]
    """Sizes at which every series is measured."""
    found: Mapping[Any, Sequence[Any]]
    """What `measure` returned for each cell of the grid, one per seed."""
    backbones: Mapping[Any, Sequence[Pretrained]]
    """Pretrained backbones that the trials started with, one per seed."""
    values: Mapping[Any, Sequence[float]]
    """Numbers to compare, one per seed."""

    @property
    def lang(self) -> str:
        """Language of the texts."""
        return self.options.lang

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return self.options.used_seeds

    def mean(self, cell: Cell) -> Mean:
        """Return the mean of a cell over the seeds, with its interval."""
        return mean(self.values[cell])

    def pretrained_percent(self, backbone: Any) -> Mean:
        """Return the score that the pretraining of a backbone ended with, in percent."""
        return mean([100 * run.points[-1].score for run in self.backbones[backbone]])

    def label(self, series: Any) -> str:
        """Return the name of a series."""
        return self.labels(self.texts, series)

    def shared_text(self, key: str, **words: Any) -> str:
        """Return a text that all experiments share, with its placeholders filled."""
        return str(load("lab", self.lang)[key].format(seeds=self.seeds, **words))


def text_of_key(texts: Texts, key: Any) -> str:
    """Return the text with the same key as the series."""
    return str(texts[str(key)])


def joined_texts(separator: str) -> Labels:
    """Return a function that joins the texts of the parts of a series."""
    return lambda texts, series: separator.join(texts[part] for part in series)


def final_percent(cell: Cell, points: Sequence[Point]) -> dict[Cell, float]:
    """Return the score that a learning curve ends with, in percent."""
    return {cell: 100 * points[-1].score}


def learned_percent(cell: Cell, learned: Learned) -> dict[Cell, float]:
    """Return the score that the training ends with, in percent."""
    return final_percent(cell, learned.points)


def final_score(cell: Cell, points: Sequence[Point]) -> dict[Cell, float]:
    """Return the score that a learning curve ends with."""
    return {cell: points[-1].score}


def numbers_needed(points: Sequence[Point], score: float, first: float) -> float:
    """Return the numbers of feedback at which a learning curve first reaches `score`.

    The curve begins at the score `first` and is linear between evaluations. If it never gets there,
    all numbers of the trial are returned, which is a lower bound.
    """
    before = Point(0, 0, first, {})
    for point in points:
        if point.score >= score:
            share = (score - before.score) / (point.score - before.score)
            return before.numbers + share * (point.numbers - before.numbers)
        before = point
    return float(points[-1].numbers)


def own_cells(cell: Cell, values: Mapping[Cell, float]) -> Mapping[Cell, float]:
    """Return the numbers of a trial that measured several cells itself."""
    return values


def collect(
    values: Callable[[Cell, Any], Mapping[Cell, float]], found: Mapping[Cell, Sequence[Any]]
) -> dict[Cell, list[float]]:
    """Return one number per seed for every cell.

    `values` returns numbers by cell from a grid cell and what one of its trials found. `found` has
    the trials of each grid cell, one per seed. Several numbers for the same cell and seed are
    averaged.
    """
    collected: dict[Cell, list[list[float]]] = {}
    for grid_cell, trials in found.items():
        for k, trial in enumerate(trials):
            for cell, number in values(grid_cell, trial).items():
                collected.setdefault(cell, [[] for _ in trials])[k].append(number)
    return {cell: [float(np.mean(each)) for each in seeds] for cell, seeds in collected.items()}


class Table(NamedTuple):
    """A printed table: its header and its rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class ValueTable:
    """Table of the mean of every series at every size."""

    rows: Literal["sizes", "series"] = "sizes"
    """What the rows are; the other one makes the columns."""
    digits: int = 1
    """Number of decimals."""

    def __call__(self, results: Results) -> Table:
        """Return the table. Cells that were not measured stay empty."""
        sizes = [f"{size:,}" for size in results.sizes]
        names = [results.label(key) for key in results.series]
        numbers = [
            [self._cell(results, (key, size)) for size in results.sizes] for key in results.series
        ]
        if self.rows == "sizes":
            names, sizes = sizes, names
            numbers = [list(column) for column in zip(*numbers, strict=True)]
        rows = [(name, *row) for name, row in zip(names, numbers, strict=True)]
        return Table((results.texts["x"], *sizes), rows)

    def _cell(self, results: Results, cell: Cell) -> str:
        if cell not in results.values:
            return ""
        text = f"{results.mean(cell):.{self.digits}f}"
        return text.replace(" ", "") if self.rows == "series" else text  # many columns
