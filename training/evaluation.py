"""Evaluation: whole episodes on seeds of their own, with deterministic actions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agents.agent import Agent, Array
from envs.engine.capabilities import assessing
from envs.registry import GAMES, env_ids
from training.messages import counted
from training.recorded_episodes import (
    About,
    EpisodeRecorder,
    RecordedEpisodes,
    record_games,
)
from training.vector_runner import EnvId, VectorRunner, make_environments

TUNING_SEEDS = range(100, 200)
"""Seeds of runs that settings are chosen by; all others are for reports."""
RESAMPLES = 2_000
THREE_DIGITS_BELOW = 2.0  # scores such as accuracies differ in the third digit
NORMAL_QUANTILE = 1.959963984540054  # 97.5 % of a standard normal distribution


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Result of an evaluation; each array has one entry per episode."""

    scores: Array
    returns: Array
    lengths: Array
    terminated: Array
    """Flags: the episode ended in a terminal state, and was not cut off."""
    terms: dict[str, Array] = field(default_factory=dict)
    """Sum of each reward term before weighting, by name."""
    recorded: RecordedEpisodes | None = None
    """The first episodes, if they were recorded."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Further measures of all episodes together, by name."""
    pictures: dict[str, Array] = field(default_factory=dict)
    """Pictures of all episodes together, uint8 (height, width, 3), by name."""
    embedding: Any = None
    """Points, labels and thumbnails for `Logger.embedding`, or None."""

    def __repr__(self) -> str:
        score, low, high = map(score_text, (self.mean_score, *self.interval()))
        episodes = counted(len(self.scores), "episode")
        return f"mean score {score} over {episodes} (95 % interval: {low} to {high})"

    @property
    def mean_score(self) -> float:
        """Mean of the scores."""
        return float(self.scores.mean())

    @property
    def length_correlation(self) -> float | None:
        """Correlation of the lengths of episodes with their returns; None if one is constant."""
        if not (np.ptp(self.lengths) and np.ptp(self.returns)):
            return None
        return float(np.corrcoef(self.lengths, self.returns)[0, 1])

    def interval(self) -> tuple[float, float]:
        """Return a 95 % confidence interval of the mean score of this policy, over episodes.

        Another run with another seed gives another policy, whose mean may lie outside. Scores that
        are all 0 or 1 get a Wilson interval, all others a percentile bootstrap (Efron 1979) with
        fixed resamples.
        """
        if np.isin(self.scores, (0.0, 1.0)).all():
            return wilson_interval(int(self.scores.sum()), len(self.scores))
        return bootstrap_interval(self.scores)


def score_text(score: float) -> str:
    """Return a score with as many digits as differ between agents."""
    return f"{score:.1f}" if abs(score) >= THREE_DIGITS_BELOW else f"{score:.3f}"


def bootstrap_interval(values: Array) -> tuple[float, float]:
    """Return a mean's 95 % percentile bootstrap interval (Efron 1979), with fixed resamples."""
    resamples = np.random.default_rng(0).choice(values, (RESAMPLES, len(values)))
    low, high = np.percentile(resamples.mean(1), [2.5, 97.5])
    return float(low), float(high)


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson 1927); it is never empty."""
    share, z_squared = successes / count, NORMAL_QUANTILE**2
    center = share + z_squared / (2 * count)
    variance = share * (1 - share) / count + z_squared / (4 * count * count)
    half = NORMAL_QUANTILE * math.sqrt(variance)
    scale = 1 + z_squared / count
    return max(0.0, (center - half) / scale), min(1.0, (center + half) / scale)


def evaluate(
    agent: Agent,
    env_id: EnvId,
    make_options: dict[str, Any],
    episodes: int,
    seed: int,
    record_as: str = "",
) -> Evaluation:
    """Run `episodes` whole episodes on consecutive seeds from `seed` up. The agent does not change.

    Every episode has an environment of its own and is its first one: of a few environments, the
    short episodes would end first. Environments that can assess all actions together (see
    `envs.engine.capabilities.Assesses`) do so at the end.

    With a name of the player in `record_as`, the first episodes of a game of ours are recorded.
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, got {episodes}")
    environments = make_environments(env_id, episodes, make_options)
    try:
        runner = VectorRunner(environments, seed)
        agent.set_lookahead(runner.lookahead)
        scores, returns = np.zeros(episodes), np.zeros(episodes)
        lengths, running = np.zeros(episodes, np.int64), np.ones(episodes, np.bool_)
        terminated = np.zeros(episodes, np.bool_)
        recorder = None
        if record_as and env_id in env_ids(GAMES):
            options = {name: value for name, value in make_options.items() if name != "reward"}
            recorder = EpisodeRecorder(About(env_id, options, record_as))
            record_games(environments, recorder, running)
        terms: dict[str, Array] = {}
        while running.any():
            _, ended = runner.step(agent.act(runner.observations, explore=False))
            if ended is not None:
                first = running[ended.rows]
                rows = ended.rows[first]
                scores[rows], returns[rows] = ended.scores[first], ended.returns[first]
                lengths[rows], terminated[rows] = ended.lengths[first], ended.terminated[first]
                for name, sums in ended.terms.items():
                    terms.setdefault(name, np.zeros(episodes))[rows] = sums[first]
                running[rows] = False
        assessor = assessing(environments)
        found = () if assessor is None else assessor.assess(agent.encode)
    finally:
        environments.close()
    recorded = None if recorder is None else recorder.episodes()
    return Evaluation(scores, returns, lengths, terminated, terms, recorded, *found)


def fresh_seed(*key: int) -> int:
    """Return a seed for `key`; different keys give unrelated seeds."""
    return int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)
