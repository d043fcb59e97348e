"""Who learns the game in how many seconds and steps: learners side by side in one run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from rich.console import Console

from benchmarks.engine import ENV
from benchmarks.learners import LEARNERS
from benchmarks.referee import Examination, Referee, Verdict
from benchmarks.report import number, show_table
from benchmarks.training import preset_config, run_once

HEADINGS = (
    "learner",
    "solved",
    "seconds to solved",
    "steps to solved",
    "steps/s",
    "best score",
    "seconds, as a multiple",
)


@dataclass(frozen=True)
class Trial:
    """One learner with one seed."""

    learner: str
    seed: int
    verdict: Verdict


def run_trials(
    examination: Examination, seeds: Sequence[int], learners: Sequence[str] = tuple(LEARNERS)
) -> Iterator[Trial]:
    """One after the other, the learners in turn: a slow moment of the machine hits them all."""
    torch.set_num_threads(1)
    run_once(preset_config(seed=0, steps=20_000))  # not counted: torch sets itself up
    for seed in seeds:
        for name in learners:
            referee = Referee(examination, seed)
            LEARNERS[name](seed, referee)
            yield Trial(name, seed, referee.verdict())


def make_examination(seconds: float, steps: int) -> Examination:
    """Learn the game to where its preset says that it is solved."""
    bar = preset_config(seed=0).solved_score
    assert bar is not None
    return Examination(ENV, seconds, steps, bar)


def describe_examination(examination: Examination) -> str:
    """The rules, in a paragraph."""
    return (
        f"Solved: a mean score of at least {examination.solved_score:g} over "
        f"{examination.episodes} fresh episodes, deterministic actions, looked at every "
        f"{examination.every:,} environment steps. Budget of each run: {examination.seconds:g} s "
        f"of learning or {examination.steps:,} steps. Seconds are those of learning, evaluations "
        "excluded for all alike; one thread of torch for all."
    )


def describe_trial(trial: Trial) -> str:
    """A line as it comes."""
    verdict = trial.verdict
    spent = f"{verdict.seconds:.1f} s, {verdict.steps:,} steps"
    if verdict.solved:
        outcome = f"solved after {spent}, score {verdict.score:.1f}"
    else:
        outcome = f"not solved within {spent}, best score {verdict.best_score:.1f}"
    return f"seed {trial.seed}  {trial.learner}: {outcome}"


def show_comparison(console: Console, trials: Sequence[Trial]) -> None:
    """One line a learner: medians, and lowest .. highest, over the seeds."""
    names = list(dict.fromkeys(trial.learner for trial in trials))
    verdicts = {name: [t.verdict for t in trials if t.learner == name] for name in names}
    show_table(
        console, HEADINGS, [_line(name, verdicts[name], verdicts[names[0]]) for name in names]
    )


def _line(name: str, verdicts: Sequence[Verdict], first: Sequence[Verdict]) -> tuple[str, ...]:
    rates = [verdict.steps / verdict.seconds for verdict in verdicts]
    return (
        name,
        f"{sum(verdict.solved for verdict in verdicts)} of {len(verdicts)}",
        _spread([v.seconds if v.solved else math.inf for v in verdicts]),
        _spread([float(v.steps) if v.solved else math.inf for v in verdicts]),
        _spread(rates),
        _spread([verdict.best_score for verdict in verdicts]),
        _multiple(verdicts, first),
    )


def _multiple(verdicts: Sequence[Verdict], first: Sequence[Verdict]) -> str:
    """Median seconds over those of the first learner; unsolved runs only give a lower bound."""
    if not all(verdict.solved for verdict in first):
        return ""
    ratio = _median_seconds(verdicts) / _median_seconds(first)
    bound = "" if all(verdict.solved for verdict in verdicts) else "> "
    return f"{bound}{number(ratio)}"


def _median_seconds(verdicts: Sequence[Verdict]) -> float:
    return statistics.median(verdict.seconds for verdict in verdicts)


def _spread(values: Sequence[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return number(middle) if low == high else f"{number(middle)} ({number(low)} .. {number(high)})"
