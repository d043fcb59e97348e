"""Search by trial and error, as a table: python -m stages tries

Where will the ball land? A try is a set of random operations: one weight for each of five hand-made
features, and a constant. It predicts a few training examples, its errors are averaged, and the best
of all tries is kept. This is the trained model, the one that then predicts new examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from stages.datasets.dataset import Array, examples_of
from stages.datasets.regress import Regress
from stages.lab.texts import load
from training.cli import read_options

SHOWN = 10  # tries in the table, the last one and the best one among them
MOST_EXAMPLES = 6  # in the table
NEW_EXAMPLES = 1_000
MOST_TRIES = 1_000_000
SPREAD = 0.3  # standard deviation of the weights
MIDDLE = 0.5  # of the box, which is predicted where all weights are 0


@dataclass(frozen=True)
class TriesOptions:
    """Search by trial and error: print each try with its errors, and the best one."""

    tries: int = 8
    """Number of tries."""
    examples: int = 3
    """Number of training examples."""
    seed: int = 1
    """Seed of the examples and the tries."""
    lang: Literal["en", "ko"] = "en"
    """Language of the table."""

    def __post_init__(self) -> None:
        for name, most in (("tries", MOST_TRIES), ("examples", 1_000)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(
                    f"--{name} must be between 1 and {most:,}, got {getattr(self, name)}"
                )
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"--seed must be between 0 and {2**32 - 1:,}, got {self.seed}")


class Found(NamedTuple):
    """All tries."""

    errors: Array
    """(tries, examples) in percent of the box."""
    best: int
    """Index of the try with the smallest mean error."""
    error_on_new: float
    """Mean error of the best try on new examples, in percent of the box."""


def search(options: TriesOptions) -> Found:
    """Make all tries."""
    dataset = Regress(
        examples=options.examples,
        test_examples=NEW_EXAMPLES,
        data_seed=options.seed,
        observation="features",
    )
    known, new = (examples_of(dataset, split) for split in ("train", "test"))
    generator = np.random.default_rng(options.seed)
    errors = np.empty((options.tries, options.examples))
    best: int = 0
    operations: Any = np.zeros(known.observations.shape[1] + 1)
    for k in range(options.tries):
        weights = generator.normal(0.0, SPREAD, operations.shape)
        errors[k] = errors_of(weights, known.observations, known.targets)
        if k == 0 or errors[k].mean() < errors[best].mean():
            best, operations = k, weights
    return Found(errors, best, float(errors_of(operations, new.observations, new.targets).mean()))


def errors_of(weights: Any, features: Array, targets: Array) -> Array:
    """Return the error of each prediction, (n,), in percent of the box."""
    predictions = MIDDLE + weights[-1] + features @ weights[:-1]
    return np.asarray(100 * np.abs(np.clip(predictions, 0.0, 1.0) - targets[:, 0]))


def show(found: Found, texts: dict[str, Any]) -> None:
    """Print the first tries, the last one and the best one."""
    count, examples = found.errors.shape
    columns = min(examples, MOST_EXAMPLES)
    table = Table(title=texts["title"])
    headings = [texts["example"].format(number=k + 1) for k in range(columns)]
    for k, heading in enumerate((texts["try"], *headings, texts["mean"], "")):
        table.add_column(heading, justify="left" if k == 0 else "right")
    shown = sorted({*range(min(count, SHOWN)), found.best, count - 1})
    for k in shown:
        errors = [f"{error:.1f}" for error in found.errors[k, :columns]]
        mark = texts["best"] if k == found.best else ""
        table.add_row(f"{k + 1:,}", *errors, f"{found.errors[k].mean():.1f}", mark)
    console = Console()
    console.print(table)
    sentence = texts["verdict"].format(
        number=found.best + 1,
        tries=count,
        error=found.errors[found.best].mean(),
        new=found.error_on_new,
        examples=examples,
    )
    console.print(sentence, highlight=False, soft_wrap=True)


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options that cannot be used.
    """
    options: TriesOptions = read_options(TriesOptions, arguments, "-m stages tries")
    show(search(options), load("tries", options.lang))
