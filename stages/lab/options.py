"""The options that every experiment has on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stages.lab.intervals import check_seeds
from training.cli import File, Switch, Workers
from training.evaluation import TUNING_SEEDS
from training.workers import check_workers

QUICK_SEEDS = 3


@dataclass(frozen=True)
class ExperimentOptions:
    """Run an experiment: print a table and its conclusions, and write a slide (PNG)."""

    lang: Literal["en", "ko"] = "en"
    """Language of the table, the conclusions and the slide, and of texts that are learned from."""
    out: File = None
    """File of the slide; by default NAME.png (NAME.ko.png) in the current folder."""
    seeds: int = 3
    """Number of trials of each kind; each has its own dataset and network."""
    tuning: Switch = False
    """Choose settings: use seeds from 100 up and evaluate on the validation split."""
    quick: Switch = False
    """Show the experiment in class: at most 3 seeds and a part of the training. Verdicts may differ
    from those of the full experiment."""
    workers: Workers = ""
    json: File = None
    """File (JSON) for the claims with their numbers, which `python -m stages claims` compares."""

    @property
    def used_seeds(self) -> int:
        """Number of trials of each kind."""
        return min(self.seeds, QUICK_SEEDS) if self.quick else self.seeds

    @property
    def each_seed(self) -> range:
        """The seeds of the trials of each kind."""
        first = TUNING_SEEDS[0] if self.tuning else 1
        return range(first, first + self.used_seeds)

    def __post_init__(self) -> None:
        check_seeds(self.seeds)
        check_workers(self.workers)
