"""The command of an experiment: its options, the printed table, the slide and the errors."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from rewards.command_line import INTERRUPTED, USAGE_ERROR
from stages.lab.experiment import Experiment
from stages.lab.intervals import MOST_SEEDS
from stages.lab.results import Results
from stages.lab.slides import font_for, slide
from stages.lab.texts import load
from training.cli import File, read_options

SUFFIX = {"en": ".png", "ko": ".ko.png"}
Language = Literal["en", "ko"]


@dataclass(frozen=True)
class ExperimentOptions:
    """Run an experiment: print a table and its conclusions, and write a slide (PNG)."""

    lang: Language = "en"
    """Language of the table, the conclusions and the slide."""
    out: File = None
    """File of the slide; by default NAME.png (NAME.ko.png) in the current folder."""
    seeds: int = Experiment.seeds
    """Number of trials of each kind; each has its own dataset and network."""
    processes: int = 0
    """Number of trials that run in parallel; 0 means one per core."""

    def __post_init__(self) -> None:
        if not 2 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"--seeds must be between 2 and {MOST_SEEDS}, got {self.seeds}")
        if self.processes < 0:
            raise ValueError(f"--processes must be at least 0, got {self.processes}")


def run_experiment(
    name: str, experiment: Experiment, arguments: Sequence[str], description: str | None = None
) -> int:
    """Run the command of an experiment; return its exit code. --help starts with `description`."""
    program = f"stages {name}"
    try:
        default = ExperimentOptions(seeds=experiment.seeds)
        options: ExperimentOptions = read_options(
            *(ExperimentOptions, arguments, f"-m {program}"),
            default=default,
            description=description,
        )
        path = options.out or Path(f"{name}{SUFFIX[options.lang]}")
        check_slide(path, options.lang)
        experiment.check()
        texts = experiment.texts_in(name, options.lang)
        results = experiment.run(texts, options.lang, options.seeds, options.processes)
        report(experiment, results)
        with slide(path, options.lang) as axes:
            labels = {"xlabel": texts.get("x", ""), "ylabel": texts.get("y", "")}
            axes.set(title=texts["title"], **labels)
            experiment.plot(axes, results)
        print(f"{load('lab', options.lang)['slide']}: {path}")
    except (ValueError, OSError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenProcessPool:
        print(
            f"{program}: a worker process died, perhaps because memory ran out; "
            "use --processes 1, which needs less",
            file=sys.stderr,
        )
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def check_slide(path: Path, lang: Language) -> None:
    """Check that the slide can be drawn and written, before the trials take minutes.

    Raises:
        ValueError: If it cannot.
    """
    if path.suffix != ".png":
        raise ValueError(f"--out must end in .png, got {str(path)!r}")
    if path.is_dir():
        raise ValueError(f"--out must be a file, but {path} is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"--out: there is no folder {path.parent}")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(f"--out: cannot write into {path.parent}: {error.strerror}") from None
    font_for(lang)


def report(experiment: Experiment, results: Results) -> None:
    """Print the table and the conclusions."""
    columns, rows = experiment.table(results)
    texts = results.texts
    table = Table(title=", ".join(texts[key] for key in ("title", "y") if key in texts))
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    sentences = [conclusion(results) for conclusion in experiment.conclusions]
    text = "\n".join(filter(None, sentences))
    console.print(text, highlight=False, soft_wrap=True)
