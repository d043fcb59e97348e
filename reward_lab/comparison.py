"""Compares rewards: trains agents on each, and judges every agent by every reward.

Does a reward pay what its author wants? If it only looks right, the agents trained on it earn more
by it than good players do, and play badly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from envs.registry import GAMES, entry_of
from reward_lab.runs import PLACE, settings_of_train, train_all
from reward_lab.supervised import Job, run_supervised
from rewards.expression import has_code, is_code, is_learned, parse
from rewards.terms import load_term
from stages.lab.intervals import Mean, check_seeds, difference, mean
from training.train_options import find_env_id

Array = np.ndarray[Any, Any]

STEPS = 400_000
"""Default number of environment steps of each training."""
MOST_REWARDS = 26  # a letter for each
SEEDS = 3
"""Default number of agents that are trained on each reward."""
ALIKE = 0.8
"""Rank correlation from which two rewards are said to agree."""


class Hacked(NamedTuple):
    """A reward whose agents earn more by it than the best agents, and score less."""

    reward: int
    """Number of the reward."""
    more: Mean
    """How much more its agents earn by it than the best agents do."""
    less: Mean
    """How much less they score, negative."""

    @property
    def certain(self) -> bool:
        """Whether both 95 % intervals exclude zero."""
        return self.more.low > 0.0 > self.less.high


@dataclass(frozen=True)
class Comparison:
    """What agents trained on m rewards earn by each reward, with n seeds."""

    env: str
    """Gymnasium id."""
    rewards: tuple[str, ...]
    """The m rewards, as they were written."""
    steps: int
    """Environment steps of each training."""
    folders: tuple[tuple[Path, ...], ...]
    """Run folders of each reward, one per seed."""
    returns: Array
    """(m, m, n) mean undiscounted return per episode of agents trained on reward i, by reward j."""
    scores: Array
    """(m, n) mean score per episode."""

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return int(self.scores.shape[1])

    @property
    def best(self) -> int:
        """Number of the reward whose agents have the best mean score."""
        return int(self.scores.mean(1).argmax())

    def earned(self, trained_on: int, paid_by: int) -> Mean:
        """Return what the agents of one reward earn by another one."""
        return mean(self.returns[trained_on, paid_by])

    def score(self, trained_on: int) -> Mean:
        """Return the score of the agents of a reward."""
        return mean(self.scores[trained_on])

    def hacks(self) -> list[Hacked]:
        """Return the rewards whose agents earn more by it than the best agents, and score less."""
        found = []
        for k in range(len(self.rewards)):
            more = difference(self.returns[k, k], self.returns[self.best, k])
            less = difference(self.scores[k], self.scores[self.best])
            if more.value > 0.0 > less.value:
                found.append(Hacked(k, more, less))
        return found

    def agreement(self) -> Array:
        """Return Spearman's rank correlations over all agents, (m + 1, m + 1).

        The last row and column are the game's score. A reward that pays all agents the same has no
        ranks, and its correlations are NaN.
        """
        m = len(self.rewards)
        by_judge = [self.returns[:, j].ravel() for j in range(m)] + [self.scores.ravel()]
        ranks = np.stack([_ranks(values) for values in by_judge])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.corrcoef(ranks))

    def alike(self) -> list[tuple[int, int, float]]:
        """Return the pairs of rewards that agree, with their rank correlation."""
        found = self.agreement()
        pairs = itertools.combinations(range(len(self.rewards)), 2)
        return [(i, j, float(found[i, j])) for i, j in pairs if found[i, j] >= ALIKE]

    def to_json(self) -> dict[str, Any]:
        """Return all numbers."""
        return {
            "env": self.env,
            "rewards": list(self.rewards),
            "steps": self.steps,
            "seeds": self.seeds,
            "folders": [[str(folder) for folder in each] for each in self.folders],
            "returns": self.returns.tolist(),
            "scores": self.scores.tolist(),
            "hacked": [self.rewards[each.reward] for each in self.hacks() if each.certain],
            "rank_correlation": [
                [None if np.isnan(value) else value for value in row]
                for row in self.agreement().tolist()
            ],
        }


def compare(
    rewards: Sequence[str],
    env: str = "paddle",
    *,
    env_options: dict[str, Any] | None = None,
    agent: str | None = None,
    steps: int = STEPS,
    seeds: int = SEEDS,
    place: Path = PLACE,
    workers: str = "",
    describe: str = "",
    on_warning: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Train agents on each reward, and judge every agent by every reward and by the score.

    What was trained before is not trained again; see `reward_lab.runs`.

    Args:
        rewards: at least two, as `--reward` of train.py takes them.
        env: short name or Gymnasium id of a game.
        env_options: options of the environment.
        agent: name of the agent; by default the one of the environment.
        steps: environment steps of each training.
        seeds: number of agents trained on each reward, 2 to 10; their seeds are 1, 2, ...
        place: folder of the run folders.
        workers: where they train, as for `training.workers.run_jobs`.
        describe: text in front of the progress bar; empty for none.
        on_warning: called once with each warning about a reward.

    Raises:
        ValueError: with one line, if an argument or a reward cannot be used.
        KeyboardInterrupt: on Ctrl-C, when everything is saved.
    """
    check(rewards, env, seeds)
    configs = [
        settings_of_train(reward, seed, steps, env, agent, env_options or {})
        for reward in rewards
        for seed in range(1, seeds + 1)
    ]
    folders = train_all(configs, place, workers, describe, on_warning)
    request = {"folders": [str(folder) for folder in folders], "rewards": list(rewards)}
    (paid,) = run_supervised(
        [Job("pay", request, any(map(has_code, rewards)))], 1, lambda content: None
    )
    m = len(rewards)
    returns = np.array(paid["returns"]).reshape(m, seeds, m).transpose(0, 2, 1)
    by_reward = tuple(tuple(folders[k * seeds : (k + 1) * seeds]) for k in range(m))
    scores = np.array(paid["scores"]).reshape(m, seeds)
    return Comparison(configs[0].env, tuple(rewards), steps, by_reward, returns, scores)


def check(rewards: Sequence[str], env: str, seeds: int) -> None:
    """Raise ValueError for arguments of `compare` that cannot be used."""
    if not 2 <= len(rewards) <= MOST_REWARDS:
        raise ValueError(f"name 2 to {MOST_REWARDS} rewards to compare, got {len(rewards)}")
    if repeated := [reward for k, reward in enumerate(rewards) if reward in rewards[:k]]:
        raise ValueError(f"the reward {repeated[0]!r} is named twice")
    check_seeds(seeds)
    game = entry_of(find_env_id(env), GAMES)
    if game is None:
        raise ValueError(f"{env} has a reward of its own; choose a game: {', '.join(GAMES)}")
    for part in itertools.chain.from_iterable(map(parse, rewards)):
        if not (is_code(part.term) or is_learned(part.term)):  # these are files
            load_term(part.term, game.rewards)


def _ranks(values: Array) -> Array:
    """Return the ranks of values (n,); equal values share the mean of their ranks."""
    _, groups, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[groups]
