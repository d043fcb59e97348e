"""Who learns a game in how many seconds and steps: learners side by side in one run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from rich.console import Console

from benchmarks.agents import GAMES
from benchmarks.evaluator import Examination, Referee, Verdict
from benchmarks.learners import CLEANRL, LEARNERS
from benchmarks.report import number, show_table, spread
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
class Contest:
    """Who competes in one of `benchmarks.agents.GAMES`."""

    learners: tuple[str, ...]
    every: int = 25_000
    """Environment steps between evaluations."""


DISCRETE = ("our ppo", "our dqn", "our pqn")
DISCRETE_RIVALS = ("Stable-Baselines3 PPO", "Stable-Baselines3 DQN", "Stable-Baselines3 A2C")
CONTINUOUS = ("our ppo", "our sac")
CONTINUOUS_RIVALS = ("Stable-Baselines3 PPO", "Stable-Baselines3 SAC", "Stable-Baselines3 A2C")
CONTESTS: dict[str, Contest] = {
    "paddle": Contest((*DISCRETE, *DISCRETE_RIVALS, CLEANRL)),
    "bicycle": Contest((*CONTINUOUS, *CONTINUOUS_RIVALS)),
    "bicycle, 9 actions": Contest((*DISCRETE, *DISCRETE_RIVALS)),
    "CartPole-v1": Contest((*DISCRETE, *DISCRETE_RIVALS), 5_000),
    "Acrobot-v1": Contest((*DISCRETE, *DISCRETE_RIVALS), 10_000),
    "Pendulum-v1": Contest((*CONTINUOUS, *CONTINUOUS_RIVALS), 2_500),
}


@dataclass(frozen=True)
class Trial:
    """One learner with one seed."""

    game: str
    learner: str
    seed: int
    verdict: Verdict


def run_trials(
    examinations: Mapping[str, Examination],
    seeds: Sequence[int],
    learners: Sequence[str] = tuple(LEARNERS),
) -> Iterator[Trial]:
    """One after the other, the learners in turn: a slow moment of the machine hits them all."""
    torch.set_num_threads(1)
    run_once(preset_config(seed=0, steps=20_000))  # not counted: torch sets itself up
    for seed, (game, examination) in product(seeds, examinations.items()):
        for name in CONTESTS[game].learners:
            if name in learners:
                referee = Referee(examination, seed)
                LEARNERS[name](seed, referee)
                yield Trial(game, name, seed, referee.verdict())


def make_examination(game: str, seconds: float, steps: int) -> Examination:
    """Learn the game to where its preset says that it is solved."""
    config = preset_config(seed=0, options=GAMES[game])
    assert config.solved_score is not None
    return Examination(
        config.env,
        seconds,
        steps,
        config.solved_score,
        every=CONTESTS[game].every,
        options=GAMES[game],
        make_options=config.env_options,
    )


def describe_examination(game: str, examination: Examination) -> str:
    """The rules, in a paragraph."""
    return (
        f"{game}: solved by a mean score of at least {examination.solved_score:g} over "
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
    return f"{trial.game}, seed {trial.seed}  {trial.learner}: {outcome}"


def show_comparison(
    console: Console, examinations: Mapping[str, Examination], trials: Sequence[Trial]
) -> None:
    """One table a game, one line a learner: medians, and lowest .. highest, over the seeds."""
    for game, examination in examinations.items():
        of_game = [trial for trial in trials if trial.game == game]
        text = f"\n{describe_examination(game, examination)}\n"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
        names = list(dict.fromkeys(trial.learner for trial in of_game))
        verdicts = {name: [t.verdict for t in of_game if t.learner == name] for name in names}
        first = verdicts[names[0]] if names else []
        show_table(console, HEADINGS, [_line(name, verdicts[name], first) for name in names])


def _line(name: str, verdicts: Sequence[Verdict], first: Sequence[Verdict]) -> tuple[str, ...]:
    rates = [verdict.steps / verdict.seconds for verdict in verdicts]
    return (
        name,
        f"{sum(verdict.solved for verdict in verdicts)} of {len(verdicts)}",
        spread([v.seconds if v.solved else math.inf for v in verdicts]),
        spread([float(v.steps) if v.solved else math.inf for v in verdicts]),
        spread(rates),
        spread([verdict.best_score for verdict in verdicts]),
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
