"""The command of an experiment: its options, the printed table, the slide and the errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rewards.command_line import INTERRUPTED, USAGE_ERROR
from stages.lab.experiment import Experiment, RunTrials
from stages.lab.options import ExperimentOptions
from stages.lab.results import Results
from stages.lab.slides import slide, slide_file
from stages.lab.summary import write_claims
from stages.lab.texts import load
from stages.lab.trials import run_trials
from training.cli import check_file, read_options
from training.messages import say
from training.workers import WorkerError


def run_experiment(
    name: str,
    experiment: Experiment,
    arguments: Sequence[str],
    description: str | None = None,
    run_trials: RunTrials = run_trials,
) -> int:
    """Run the command of an experiment; return its exit code. --help starts with `description`."""
    program = f"stages {name}"
    try:
        default = experiment.options(seeds=experiment.seeds)
        options: ExperimentOptions = read_options(
            *(experiment.options, arguments, f"-m {program}"),
            default=default,
            description=description,
        )
        path = slide_file(options.out, name, options.lang)
        check_file("--json", options.json)
        experiment.check()
        texts = experiment.texts_in(name, options.lang)
        results = experiment.run(texts, options, run_trials)
        report(experiment, results)
        if options.json:
            write_claims(options.json, name, experiment, results)
        draw_slides(experiment, results, path)
    except (ValueError, OSError, WorkerError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    return 0


def draw_slides(experiment: Experiment, results: Results, path: Path) -> None:
    """Write the slide, and the second one if there is one, and print their names."""
    texts, first, _, rest = results.texts, *path.name.partition(".")
    slides = [(experiment.plot, path, "")]
    if experiment.second_plot is not None:
        slides.append((experiment.second_plot, path.with_name(f"{first}_2.{rest}"), "_2"))
    for plot, file, number in slides:
        with slide(file, results.lang) as axes:
            labels = {name: texts.get(name + number, "") for name in ("x", "y")}
            axes.set(title=texts["title" + number], xlabel=labels["x"], ylabel=labels["y"])
            plot(axes, results)
        print(f"{load('lab', results.lang)['slide']}: {file}")


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
    if results.options.quick:
        text += "\n" + results.shared_text("quick", share=experiment.quick)
    say(console, text)
