"""The command that every experiment is: its options, a table and a verdict, and wrong input.

An experiment is a module whose function `experiment` takes the options and its slide's path.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from stages.lab.intervals import MOST_SEEDS, Mean
from stages.lab.slides import font_for
from stages.lab.texts import load
from training.cli import INTERRUPTED, USAGE_ERROR, read_options

SUFFIX = {"en": ".png", "ko": ".ko.png"}
Language = Literal["en", "ko"]


@dataclass(frozen=True)
class ExperimentOptions:
    """One experiment: trials with a progress bar, then a table, a slide (PNG) and a sentence."""

    lang: Language = "en"
    """Of the slide, the table and the sentence."""
    out: Path | None = None
    """Where to write the slide; by default the experiment's name with .png (.ko.png), here."""
    seeds: int = 3
    """Trials of each kind, each with a data set and a network of its own."""
    processes: int = 0
    """Trials at once; 0: one for each core."""

    def __post_init__(self) -> None:
        if not 2 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"--seeds must be between 2 and {MOST_SEEDS}, not {self.seeds}")
        if self.processes < 0:
            raise ValueError(f"--processes must not be negative, but is {self.processes}")

    @property
    def each_seed(self) -> range:
        """1, 2, ..."""
        return range(1, self.seeds + 1)


def run_experiment(
    name: str,
    experiment: Callable[[ExperimentOptions, Path], None],
    arguments: Sequence[str] | None = None,
    seeds: int = ExperimentOptions.seeds,
) -> int:
    """Read the command line and run `experiment(options, path of its slide)`; the exit code.

    Args:
        name: of the module.
        experiment: its function.
        arguments: the command line; by default what was typed.
        seeds: unless the command line says how many.
    """
    given = sys.argv[1:] if arguments is None else arguments
    program = f"stages {name}"
    try:
        options: ExperimentOptions = read_options(
            ExperimentOptions,
            given,
            f"-m {program}",
            default=ExperimentOptions(seeds=seeds),
            description=sys.modules[experiment.__module__].__doc__,
        )
        path = options.out or Path(f"{name}{SUFFIX[options.lang]}")
        check_slide(path, options.lang)
        experiment(options, path)
        print(f"{load('lab', options.lang)['slide']}: {path}")
    except (ValueError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenProcessPool:
        print(
            f"{program}: a process that ran a trial has died, for want of memory perhaps; "
            "--processes 1 takes less",
            file=sys.stderr,
        )
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def check_slide(path: Path, lang: Language) -> None:
    """See before the work begins whether its slide can be drawn and written.

    Raises:
        ValueError: otherwise.
    """
    if path.suffix != ".png":
        raise ValueError(f"--out must end in .png, not {str(path)!r}")
    if path.is_dir():
        raise ValueError(f"--out must be a file; {path} is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(f"cannot write into {path.parent}: {error.strerror}") from None
    font_for(lang)


def claim(options: ExperimentOptions, text: str, found: Mean, held: bool, **words: Any) -> str:
    """`text`, a claim of the lecture, with what was found and whether it held."""
    verdict = load("lab", options.lang)["held" if held else "not_held"]
    return text.format(held=verdict, seeds=options.seeds, **found._asdict(), **words)


def tell(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], verdict: str) -> None:
    """Print a table and the sentence below it."""
    table = Table(title=title)
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(verdict, highlight=False, soft_wrap=True)
