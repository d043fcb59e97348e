"""Draws learning curves: interquartile mean and 95 % interval of the score, over steps and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.protocol import EvalProtocol
from benchmarks.reliability import Array, bootstrap, interquartile_mean
from benchmarks.runs import Run

SIZE = (11.0, 4.5)
TIMES = 40  # points of the curve over time


class Curve(NamedTuple):
    """A curve with a band; all arrays have one entry per point."""

    at: Array
    middle: Array
    low: Array
    high: Array


def curve(runs: Sequence[Run], clock: str, at: Array) -> Curve:
    """Return the score of `runs` at values of a field of `Point`, such as `steps`.

    Between two evaluations, the score is that of the earlier one. A value counts only if all runs
    had an evaluation by then, and one of them was still learning.
    """
    clocks = [np.array([getattr(point, clock) for point in run.points]) for run in runs]
    scores = [np.array([point.score for point in run.points]) for run in runs]
    begun, over = (function([f(c) for c in clocks]) for function, f in ((max, min), (max, max)))
    at = at[(at >= begun) & (at <= over)]
    bands = []
    for value in at:
        rows = [np.searchsorted(each, value, side="right") - 1 for each in clocks]
        here = np.array([each[row] for each, row in zip(scores, rows, strict=True)])
        bands.append(bootstrap(interquartile_mean, [here]))
    return Curve(at, *np.array(bands).reshape(-1, 3).T)


def draw_curves(protocol: EvalProtocol, runs: Sequence[Run], path: Path) -> None:
    """Write a picture of the learning curves of one game, as PNG.

    Raises:
        ModuleNotFoundError: if Matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    names = [name for name in dict.fromkeys(run.learner for run in runs) if "random" not in name]
    figure = Figure(SIZE, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    grid = np.arange(protocol.every, protocol.steps + protocol.every, protocol.every)
    for name in names:
        of_learner = [run for run in runs if run.learner == name]
        longest = max(run.last.processor for run in of_learner)
        times = np.geomspace(longest / 500, longest, TIMES)
        # runs reach a step of the grid with the next step of all their environments
        nearly = [_on_grid(run, protocol) for run in of_learner]
        _draw(left, name, curve(nearly, "steps", grid))
        _draw(right, name, curve(of_learner, "processor", times))
    right.set_xscale("log")
    for axes, label in ((left, "environment steps"), (right, "processor seconds of learning")):
        axes.axhline(protocol.solved_score, color="0.6", linewidth=1, linestyle="dashed")
        axes.set_xlabel(label)
        axes.grid(alpha=0.2)
    left.set_ylabel("mean score of an evaluation")
    figure.suptitle(f"{protocol.game}: interquartile mean and 95 % interval; dashed: solved")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def _on_grid(run: Run, protocol: EvalProtocol) -> Run:
    """Return the run with the steps of its evaluations rounded down to the grid."""
    every = protocol.every
    points = tuple(point._replace(steps=point.steps // every * every) for point in run.points)
    return replace(run, points=points)


def _draw(axes: Any, name: str, curve: Curve) -> None:
    (line,) = axes.plot(curve.at, curve.middle, label=name, linewidth=1.5)
    axes.fill_between(curve.at, curve.low, curve.high, color=line.get_color(), alpha=0.15)
