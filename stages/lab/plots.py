"""The plots of the slides: curves over sizes, learning curves and bars.

A plot is a function of matplotlib axes, which already have a title and labels, and of the results.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from stages.lab.intervals import Mean
from stages.lab.slides import COLOURS, MARKERS

if TYPE_CHECKING:  # it imports PyTorch
    from stages.lab.results import Results


@dataclass(frozen=True)
class Curves:
    """One curve per series over the sizes, with 95 % intervals."""

    ylim: tuple[float | None, float | None] = (0, None)
    """Limits of the y axis."""
    baseline: float | None = None
    """Height of a dotted line, such as the accuracy of random predictions."""
    scale: Literal["log", "linear", "even"] = "log"
    """Scale of the x axis; `even` puts the sizes at equal distances."""
    sizes: Sequence[Any] | None = None
    """Sizes of the curves; by default those of the table."""
    series: Sequence[Any] | None = None
    """Series that have a curve; by default those of the table."""
    dashed: Collection[Any] = ()
    """Series whose curves are dashed."""
    legend: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `Axes.legend`."""

    def __call__(self, axes: Any, results: Results) -> None:
        """Draw the curves; sizes that a series was not measured at are left out."""
        sizes = list(results.sizes if self.sizes is None else self.sizes)
        for k, key in enumerate(results.series if self.series is None else self.series):
            measured = [size for size in sizes if (key, size) in results.values]
            x = [sizes.index(size) for size in measured] if self.scale == "even" else measured
            means = [results.mean((key, size)) for size in measured]
            style = "--" if key in self.dashed else "-"
            draw_curve(axes, k, x, means, results.label(key), style)
        if self.baseline is not None:
            axes.axhline(self.baseline, color="grey", ls=":")
        if self.scale == "log":
            make_logarithmic(axes, sizes)
        elif self.scale == "even":
            axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
        axes.set_ylim(*self.ylim)
        axes.legend(**self.legend)
        draw_footer(axes, results, "intervals")


@dataclass(frozen=True)
class Panels:
    """Curves of several questions side by side; a series is a pair of the question and a name."""

    baselines: Mapping[str, float | None]
    """Questions, and the heights of their dotted lines."""
    curves: Curves = Curves()
    """What the panels have in common."""

    def __call__(self, axes: Any, results: Results) -> None:
        """Draw the panels."""
        panels = side_by_side(axes, len(self.baselines))
        named = dataclasses.replace(results, labels=lambda texts, key: texts[key[1]])
        for panel, (question, baseline) in zip(panels, self.baselines.items(), strict=True):
            series = [key for key in results.series if key[0] == question]
            sizes = [
                size
                for size in results.sizes
                if any((key, size) in results.values for key in series)
            ]
            curves = dataclasses.replace(self.curves, series=series, sizes=sizes, baseline=baseline)
            curves(panel, named)
            panel.set_title(results.texts[question], fontsize=18)
        for panel in panels[1:]:
            panel.get_legend().remove()  # the names are the same


@dataclass(frozen=True)
class LearningCurves:
    """Mean score of each series during training, with a band from the lowest seed to the highest.

    The cells of the grid are the series and `measure` is `learning_curve`.
    """

    x: Literal["steps", "numbers"] = "steps"
    """Field of `Point` on the x axis."""
    ylim: tuple[float | None, float | None] = (0, None)
    """Limits of the y axis."""
    baseline: float | None = None
    """Height of a dotted line, such as the accuracy of random predictions."""
    legend: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of `Axes.legend`."""

    def __call__(self, axes: Any, results: Results) -> None:
        """Draw the curves."""
        for k, key in enumerate(results.series):
            curves = results.found[key]
            scores = np.array([[point.score for point in points] for points in curves])
            x = [getattr(point, self.x) for point in curves[0]]
            axes.plot(x, scores.mean(0), color=COLOURS[k], label=results.label(key))
            axes.fill_between(x, scores.min(0), scores.max(0), color=COLOURS[k], alpha=0.2, lw=0)
        if self.baseline is not None:
            axes.axhline(self.baseline, color="grey", ls=":")
        axes.set(xlim=(0, None), ylim=self.ylim)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(**self.legend)
        draw_footer(axes, results, "range")


@dataclass(frozen=True)
class Bars:
    """One bar per series, with its 95 % interval and a dashed line to compare it with."""

    height: str
    """Second part of the cells that hold the heights."""
    line: str
    """Second part of the cells that hold the lines; also the key of their text."""
    ylim: tuple[float | None, float | None] = (0, None)
    """Limits of the y axis."""

    def __call__(self, axes: Any, results: Results) -> None:
        """Draw the bars."""
        for k, key in enumerate(results.series):
            mean, line = (results.mean((key, part)) for part in (self.height, self.line))
            axes.bar(k, mean.value, 0.6, yerr=mean.margin, capsize=10, color=COLOURS[k])
            label = results.texts[self.line] if k == 0 else None
            axes.hlines(line.value, k - 0.4, k + 0.4, color="black", ls="--", label=label)
        names = [results.label(key) for key in results.series]
        axes.set_xticks(range(len(names)), names, fontsize=24)
        axes.set_ylim(*self.ylim)
        axes.legend(loc="upper left")
        draw_footer(axes, results, "intervals")


def side_by_side(axes: Any, count: int) -> list[Any]:
    """Return `count` axes in the place of `axes`, with its title above and its labels."""
    figure, parts = axes.figure, axes.get_subplotspec().subgridspec(1, count)
    figure.suptitle(axes.get_title(), fontsize=axes.title.get_fontsize())
    panels = [figure.add_subplot(parts[k]) for k in range(count)]
    figure.supxlabel(axes.get_xlabel(), fontsize=axes.xaxis.label.get_fontsize())
    panels[0].set_ylabel(axes.get_ylabel())
    axes.remove()
    return panels


def draw_curve(
    axes: Any, k: int, x: Sequence[float], means: Sequence[Mean], label: str, style: str = "-"
) -> None:
    """Draw the `k`-th curve of a slide, with its intervals."""
    axes.errorbar(
        x,
        [each.value for each in means],
        [each.margin for each in means],
        label=label,
        color=COLOURS[k],
        marker=MARKERS[k],
        ls=style,
        capsize=6,
        elinewidth=1.5,
    )


def make_logarithmic(axes: Any, ticks: Sequence[int]) -> None:
    """Make the x axis logarithmic, with exactly these ticks."""
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()


def draw_footer(axes: Any, results: Results, text: Literal["intervals", "range"]) -> None:
    """Write into the lower right corner what the error bars or bands are."""
    words = results.shared_text(text)
    axes.figure.get_layout_engine().set(rect=(0, 0.035, 1, 0.965))  # leaves room below
    axes.figure.text(0.995, 0.008, words, ha="right", va="bottom", fontsize=12, color="grey")
