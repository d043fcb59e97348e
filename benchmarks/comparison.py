"""Tables of learners: when they solve a game, how fast, and how well they play in the end."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
from rich.console import Console

from benchmarks.learners import Learner
from benchmarks.protocol import EvalProtocol
from benchmarks.reliability import (
    Array,
    Interval,
    bootstrap,
    interquartile_mean,
    probability_of_improvement,
)
from benchmarks.report import number, show_table, spread
from benchmarks.runs import Job, Run
from training.messages import say

HEADINGS = (
    "learner",
    "solved",
    "steps to solved",
    "seconds of learning",
    "processor seconds",
    "with evaluations",
    "times the first",
    "score in the end",
    "first is better",
)
SUMMARY_HEADINGS = ("learner", "games", "normalised score", "first is better")
BASELINE = "our random"
EXPLANATION = (
    "Steps and seconds to solved: median (lowest .. highest) over the seeds. Seconds of learning "
    "are those without evaluations; processor seconds are those of learning that the process got, "
    "however busy the machine was. Times the first: median processor seconds, divided by those of "
    "the first learner; only where all runs of both solved the game. Score in the end: "
    "interquartile mean of the evaluation at the end of the budget, with a 95 % bootstrap "
    "interval. First is better: probability that a run of the first learner scores higher in the "
    "end."
)


def plan(
    protocols: Sequence[EvalProtocol],
    learners: Mapping[str, Sequence[Learner]],
    seeds: Sequence[int],
) -> list[Job]:
    """Return all jobs, seed by seed, so that a slow phase of the machine affects all learners.

    `learners` are those of each game.
    """
    return [
        Job(protocol, learner, seed)
        for seed, protocol in product(seeds, protocols)
        for learner in learners[protocol.game]
    ]


def describe_protocol(protocol: EvalProtocol, first: str) -> str:
    """Describe the protocol in one paragraph."""
    return (
        f"{protocol.game}: python train.py {' '.join(protocol.arguments)}; solved at a mean score "
        f"of {protocol.solved_score:g} over {protocol.episodes} new episodes, evaluated every "
        f"{protocol.every:,} steps. Budget of each run: {protocol.steps:,} steps on one core. "
        f"The first learner is {first}."
    )


def show_runs(console: Console, protocols: Sequence[EvalProtocol], runs: Sequence[Run]) -> None:
    """Print a table per game with a row per learner, and a summary if there are several games.

    The learner that others are compared with is the first one that learns.
    """
    for protocol in protocols:
        of_game = _by_learner(run for run in runs if run.game == protocol.game)
        if not of_game:
            continue
        first = next((name for name in of_game if name != BASELINE), BASELINE)
        say(console, f"\n{describe_protocol(protocol, first)}\n")
        lines = [_line(name, each, of_game[first], protocol) for name, each in of_game.items()]
        show_table(console, HEADINGS, lines)
    say(console, f"\n{EXPLANATION}")
    if len({run.game for run in runs}) > 1:
        show_summary(console, protocols, runs)


def _by_learner(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs of each learner."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.learner, []).append(run)
    return groups


def _line(
    name: str, runs: Sequence[Run], first: Sequence[Run], protocol: EvalProtocol
) -> tuple[str, ...]:
    end = final_score(runs)
    score = f"{number(end.value)} ({number(end.low)} .. {number(end.high)})"
    if all(run.last.steps == 0 for run in runs):  # it does not learn
        return (name, *[""] * 6, score, "")
    beyond = f"not within {protocol.steps:,}"
    return (
        name,
        f"{sum(run.solved is not None for run in runs)} of {len(runs)}",
        spread(_until_solved(runs, "steps"), beyond),
        *(spread(_until_solved(runs, clock), "-") for clock in ("learning", "processor", "total")),
        "" if runs is first else _multiple(runs, first),
        score,
        "" if runs is first else _improvement([final_scores(first)], [final_scores(runs)]),
    )


def final_scores(runs: Sequence[Run]) -> Array:
    """Return the score of each run at the end of the budget."""
    return np.array([run.last.score for run in runs])


def final_score(runs: Sequence[Run]) -> Interval:
    """Return the interquartile mean of the final scores."""
    return bootstrap(interquartile_mean, [final_scores(runs)])


def _until_solved(runs: Sequence[Run], clock: str) -> list[float]:
    """Return a field of `Point` at the time when each run solved the game; infinite if not."""
    return [math.inf if run.solved is None else float(getattr(run.solved, clock)) for run in runs]


def _multiple(runs: Sequence[Run], first: Sequence[Run]) -> str:
    """Return the ratio of median processor seconds, if all runs solved the game."""
    both = [_until_solved(each, "processor") for each in (runs, first)]
    if not all(map(math.isfinite, both[0] + both[1])):
        return ""
    return number(statistics.median(both[0]) / statistics.median(both[1]))


def _improvement(first: Sequence[Array], second: Sequence[Array]) -> str:
    found = bootstrap(probability_of_improvement, first, second)
    return f"{found.value:.2f} ({found.low:.2f} .. {found.high:.2f})"


def show_summary(console: Console, protocols: Sequence[EvalProtocol], runs: Sequence[Run]) -> None:
    """Print final scores over all games: 0 is the random agent's score, 1 the solved score."""
    scores: dict[str, dict[str, Array]] = {}
    for protocol in protocols:
        of_game = _by_learner(run for run in runs if run.game == protocol.game)
        if (baseline := of_game.pop(BASELINE, None)) is None:
            continue
        low = float(final_scores(baseline).mean())
        for name, each in of_game.items():
            normalised = (final_scores(each) - low) / (protocol.solved_score - low)
            scores.setdefault(name, {})[protocol.game] = normalised
    if not scores:
        return
    first, lines = scores[next(iter(scores))], []
    for name, games in scores.items():
        found = bootstrap(interquartile_mean, list(games.values()))
        shared = [game for game in games if game in first]
        better = [[each[game] for game in shared] for each in (first, games)]
        lines.append(
            (
                name,
                str(len(games)),
                f"{found.value:.2f} ({found.low:.2f} .. {found.high:.2f})",
                "" if games is first or not shared else _improvement(*better),
            )
        )
    text = "all games, at the end of the budget: 0 is the random agent, 1 is solved"
    say(console, f"\n{text}\n")
    show_table(console, SUMMARY_HEADINGS, lines)
