"""Compare how many seconds and steps different implementations need to solve a game."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from rich.console import Console

from benchmarks.agents import GAMES
from benchmarks.evaluator import EvalProtocol, Evaluator, Result
from benchmarks.learners import CLEANRL, LEARNERS
from benchmarks.report import number, show_table, show_text, spread
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
class Comparison:
    """The learners compared on one of `benchmarks.agents.GAMES`."""

    learners: tuple[str, ...]
    every: int = 25_000
    """Environment steps between evaluations."""


DISCRETE = ("our ppo", "our dqn", "our pqn")
DISCRETE_OTHERS = ("Stable-Baselines3 PPO", "Stable-Baselines3 DQN", "Stable-Baselines3 A2C")
CONTINUOUS = ("our ppo", "our sac")
CONTINUOUS_OTHERS = ("Stable-Baselines3 PPO", "Stable-Baselines3 SAC", "Stable-Baselines3 A2C")
COMPARISONS: dict[str, Comparison] = {
    "paddle": Comparison((*DISCRETE, *DISCRETE_OTHERS, CLEANRL)),
    "bicycle": Comparison((*CONTINUOUS, *CONTINUOUS_OTHERS)),
    "bicycle, 9 actions": Comparison((*DISCRETE, *DISCRETE_OTHERS)),
    "CartPole-v1": Comparison((*DISCRETE, *DISCRETE_OTHERS), 5_000),
    "Acrobot-v1": Comparison((*DISCRETE, *DISCRETE_OTHERS), 10_000),
    "Pendulum-v1": Comparison((*CONTINUOUS, *CONTINUOUS_OTHERS), 2_500),
}


@dataclass(frozen=True)
class LearnerRun:
    """One run of one learner."""

    game: str
    learner: str
    seed: int
    result: Result


def run_all_learners(
    protocols: Mapping[str, EvalProtocol],
    seeds: Sequence[int],
    learners: Sequence[str] = tuple(LEARNERS),
) -> Iterator[LearnerRun]:
    """Run the learners in turn, seed by seed, so that a slow phase of the machine affects all."""
    torch.set_num_threads(1)
    run_once(preset_config(seed=0, steps=20_000))  # not measured: torch initialises itself
    for seed, (game, protocol) in product(seeds, protocols.items()):
        for name in COMPARISONS[game].learners:
            if name in learners:
                evaluator = Evaluator(protocol, seed)
                LEARNERS[name](seed, evaluator)
                yield LearnerRun(game, name, seed, evaluator.result())


def make_protocol(game: str, seconds: float, steps: int) -> EvalProtocol:
    """Return the protocol for a game: the preset's solved score and the given budget."""
    config = preset_config(seed=0, options=GAMES[game])
    assert config.solved_score is not None
    return EvalProtocol(
        config.env,
        seconds,
        steps,
        config.solved_score,
        every=COMPARISONS[game].every,
        options=GAMES[game],
        make_options=config.env_options,
    )


def describe_protocol(game: str, protocol: EvalProtocol) -> str:
    """Describe the protocol in one paragraph."""
    return (
        f"{game}: solved by a mean score of at least {protocol.solved_score:g} over "
        f"{protocol.episodes} new episodes with deterministic actions, evaluated every "
        f"{protocol.every:,} environment steps. Budget of each run: {protocol.seconds:g} s "
        f"of learning or {protocol.steps:,} steps. Seconds count learning only, without "
        "evaluations. Every learner uses one torch thread."
    )


def describe_run(run: LearnerRun) -> str:
    """Return the line to print when a run has ended."""
    result = run.result
    spent = f"{result.seconds:.1f} s, {result.steps:,} steps"
    if result.solved:
        outcome = f"solved after {spent}, score {result.score:.1f}"
    else:
        outcome = f"not solved within {spent}, best score {result.best_score:.1f}"
    return f"{run.game}, seed {run.seed}  {run.learner}: {outcome}"


def show_comparison(
    console: Console, protocols: Mapping[str, EvalProtocol], runs: Sequence[LearnerRun]
) -> None:
    """Print a table per game with a row per learner: median and range over the seeds."""
    for game, protocol in protocols.items():
        of_game = [run for run in runs if run.game == game]
        text = f"\n{describe_protocol(game, protocol)}\n"
        show_text(console, text)
        names = list(dict.fromkeys(run.learner for run in of_game))
        results = {name: [t.result for t in of_game if t.learner == name] for name in names}
        first = results[names[0]] if names else []
        show_table(console, HEADINGS, [_line(name, results[name], first) for name in names])


def _line(name: str, results: Sequence[Result], first: Sequence[Result]) -> tuple[str, ...]:
    rates = [result.steps / result.seconds for result in results]
    return (
        name,
        f"{sum(result.solved for result in results)} of {len(results)}",
        spread([v.seconds if v.solved else math.inf for v in results]),
        spread([float(v.steps) if v.solved else math.inf for v in results]),
        spread(rates),
        spread([result.best_score for result in results]),
        _multiple(results, first),
    )


def _multiple(results: Sequence[Result], first: Sequence[Result]) -> str:
    """Return the ratio of median seconds to the first learner's; stopped runs give a bound."""
    if not all(result.solved for result in first):
        return ""
    ratio = _median_seconds(results) / _median_seconds(first)
    bound = "" if all(result.solved for result in results) else "> "
    return f"{bound}{number(ratio)}"


def _median_seconds(results: Sequence[Result]) -> float:
    return statistics.median(result.seconds for result in results)
