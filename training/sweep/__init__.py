"""Search the settings of an agent: python -m training sweep --env bicycle --agent sac --trials 50

Optuna suggests the settings of each trial (tree-structured Parzen estimator) and stops trials whose
evaluations are below the median of the others (median pruner). A trial trains with each of the
tuning seeds, never with those of reports. Its value is the mean score over all evaluations, which
rewards fast learning and good play at the end. The first trial has the settings of the preset.

The storage holds all finished trials, so a sweep can continue after a break, and several
processes or machines with the same storage work on the same sweep.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from training.messages import say
from training.sweep.options import read_sweep
from training.sweep.report import describe, report
from training.sweep.trials import check_environment, finished, run_trial, start_study
from training.workers import run_jobs


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: if the options cannot be used.
        OSError: if nothing can be written.
    """
    sweep, workers = read_sweep(arguments)
    check_environment(sweep)
    study, console = start_study(sweep), Console()
    say(
        console,
        f"{sweep.trials} trials of {sweep.config.agent} on {sweep.config.env}, "
        f"{sweep.config.steps:,} steps with each of the seeds {sweep.seeds_text}; kept in "
        f"{sweep.storage}",
    )
    jobs = [(sweep, number) for number in range(len(finished(study)), sweep.trials)]
    try:
        for _ in run_jobs(run_trial, jobs, workers):
            say(console, describe(finished(study)[-1]))
    except KeyboardInterrupt:
        text = "interrupted; finished trials are kept, and the same command continues"
        raise KeyboardInterrupt(text) from None
    report(console, sweep, study)
