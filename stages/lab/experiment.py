"""An experiment is declared: a grid of trials, what is measured, the claims and the plot.

docs/contributing.md shows a whole one. The lab runs the trials (`stages.lab.trials`), prints the
table (`stages.lab.results`), judges the claims (`stages.lab.claims`) and draws the slide
(`stages.lab.plots`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from stages.lab import trials
from stages.lab.options import ExperimentOptions
from stages.lab.plots import Curves
from stages.lab.results import (
    Cell,
    Labels,
    Results,
    Table,
    Texts,
    ValueTable,
    collect,
    final_percent,
    text_of_key,
)
from stages.lab.texts import load
from stages.lab.trials import Trial, learning_curve

VALUE_TABLE, CURVES = ValueTable(), Curves()
RunTrials = Callable[[Any, dict[Any, list[Any]], str, str], dict[Any, list[Any]]]
"""Type of `stages.lab.trials.run_trials`."""


class Configurable(Protocol):
    """An entry of the grid: a `Trial`, or anything else that `measure` understands."""

    def config(self, seed: int, backbones: Mapping[Any, Path], lang: str) -> Any:
        """Return what `measure` is called with; texts to learn from are in the language `lang`."""

    def shortened(self, share: float) -> Any:
        """Return the entry with this share of its training."""


@dataclass(frozen=True)
class Experiment:
    """Declaration of an experiment. Its module has it as `EXPERIMENT`."""

    grid: Mapping[Any, Configurable]
    """Trial of each cell, run once per seed."""
    conclusions: Sequence[Callable[[Results], str]]
    """Claims and notes below the table, in order; empty sentences are left out."""
    series: Sequence[Any] = ()
    """Keys of the curves (or bars), whose labels are texts with the same keys."""
    sizes: Sequence[Any] = ()
    """Sizes at which every series is measured; a cell is then a pair (series, size)."""
    backbones: Mapping[Any, Trial] = field(default_factory=dict)
    """Trials that run first. `Trial.pretrained` is the key of the backbone to start with."""
    measure: Callable[[Any], Any] = learning_curve
    """Function that runs one trial in a worker process; it must be a function of a module."""
    values: Callable[[Cell, Any], Mapping[Any, float]] = final_percent
    """Function of a grid cell and what `measure` returned; returns numbers by cell."""
    table: Callable[[Results], Table] = VALUE_TABLE
    """Function that makes the printed table."""
    plot: Callable[[Any, Results], None] = CURVES
    """Function that draws the slide on matplotlib axes."""
    second_plot: Callable[[Any, Results], None] | None = None
    """Function that draws a second slide, NAME_2.png; its texts are `title_2`, `x_2` and `y_2`."""
    labels: Labels = text_of_key
    """Function of the texts and the key of a series that returns its name."""
    seeds: int = ExperimentOptions.seeds
    """Default number of trials of each cell."""
    quick: float = 0.2
    """Share of the steps of each trial with `--quick`, which should take less than 20 s."""
    options: type[ExperimentOptions] = ExperimentOptions
    """Options of the command; the conclusions and the plot find them in `Results.options`."""
    check: Callable[[], None] = lambda: None
    """Function that raises ValueError if a package is missing."""
    texts: Mapping[str, Texts] | None = None
    """Texts by language, for an experiment that has none in `stages/lab/texts`."""

    def texts_in(self, name: str, lang: str) -> Texts:
        """Return the texts of the experiment `name`.

        Raises:
            ValueError: If there are none in this language.
        """
        if self.texts is None:
            return load(name, lang)
        if lang not in self.texts:
            raise ValueError(f"--lang must be {', '.join(self.texts)} for {name}, got {lang}")
        return self.texts[lang]

    def run(
        self, texts: Texts, options: ExperimentOptions, run_trials: RunTrials = trials.run_trials
    ) -> Results:
        """Run the trials of each cell, one per seed, and return what they found."""
        lang, each_seed, workers = options.lang, options.each_seed, options.workers
        share = self.quick if options.quick else 1.0
        before = {
            key: [trial.shortened(share).config(seed, {}, lang) for seed in each_seed]
            for key, trial in self.backbones.items()
        }
        describe = texts.get("pretraining", "")
        with trials.pretrained_backbones(before, workers, describe, run_trials) as runs:
            folders = [
                {key: runs[key][k].folder for key in runs} for k in range(options.used_seeds)
            ]
            configs = {
                cell: [
                    trial.shortened(share).config(seed, backbones, lang)
                    for seed, backbones in zip(each_seed, folders, strict=True)
                ]
                for cell, trial in self.grid.items()
            }
            found = run_trials(self.measure, configs, workers, texts["progress"])
        return Results(
            *(options, texts, self.labels, self.series, self.sizes),
            *(found, runs, collect(self.values, found)),
        )
