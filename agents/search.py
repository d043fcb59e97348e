"""Search: a linear policy on hand-made features, found by trial and error.

A person has written the features of an observation (`features` in the game's rules, see
`make_features`). The policy is linear in them. For discrete actions, it has one row of weights for
each action and takes the action with the largest output. For continuous actions, it has one row for
each dimension, and outputs are clipped to the bounds. A candidate is one set of weights. Candidates
are sampled at random and evaluated over several episodes, and the best one is kept.

With `guided`, this is the cross-entropy method: the next candidates are sampled with the mean and
standard deviation of the best fifth of the last ones. Rubinstein, "The cross-entropy method for
combinatorial and continuous optimization" (Methodology and Computing in Applied Probability 1,
1999). Noise is added to the standard deviation so that it does not vanish too early: Szita and
Lorincz, "Learning Tetris using the noisy cross-entropy method" (Neural Computation 18, 2006).

The score of a candidate is the mean return of exactly `episodes` episodes, and it is known only
when all of them are over. Using the first episodes that end would be wrong, because they are the
short ones. An environment that ends an episode starts the next missing episode of any candidate, so
that a long episode delays nothing. If no episode is missing, it plays one that does not count.

`best_score` is the best of many noisy scores and therefore too high; evaluations show the true one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from agents.agent import Agent, Array, Insight, Step, Task, UnsuitableTaskError
from agents.networks.distributions import Categorical, make_distribution
from agents.validation import at_least_one, not_negative, positive
from envs.rules import find_rules

NO_CANDIDATE = -1  # of an environment whose episode does not count; it plays the last candidate


@dataclass(frozen=True)
class SearchSettings:
    """Hyperparameters of the search."""

    guided: bool = False
    """Use the cross-entropy method: sample around the best of the last candidates."""
    population: int = 32
    """Number of candidates that are evaluated at the same time."""
    episodes: int = 8
    """Number of episodes over which a candidate is evaluated."""
    spread: float = 1.0
    """Standard deviation of the weights of the first candidates."""
    elite: float = 0.2
    """Guided: fraction of the candidates around which the next ones are sampled."""
    noise: float = 0.1
    """Guided: standard deviation of the noise that is added to that of the elite."""

    def __post_init__(self) -> None:
        at_least_one(self, "population", "episodes")
        positive(self, "spread")
        if not 0 < self.elite <= 1:
            raise ValueError(f"--elite must be above 0 and at most 1, got {self.elite}")
        not_negative(self, "noise")


class Population:
    """The state of a search, as arrays with one row for each candidate or environment."""

    def __init__(self, population: int, shape: tuple[int, int], num_envs: int) -> None:
        self.candidates = np.zeros((population, *shape))
        self.started = np.zeros(population, np.int64)  # episodes started
        self.missing = np.zeros(population, np.int64)  # episodes not over yet; -1 after scoring
        self.totals = np.zeros(population)  # sum of the returns of finished episodes
        self.player = np.full(num_envs, NO_CANDIDATE)  # candidate that plays in each environment
        self.returns = np.zeros(num_envs)  # of the current episodes
        self.mean, self.std = np.zeros(shape), np.zeros(shape)  # of the next candidates
        self.best, self.best_score = np.zeros(shape), np.full(1, -np.inf)


class SearchAgent(Agent):
    """Serves vectors with discrete and continuous actions."""

    def __init__(self, task: Task, settings: SearchSettings, seed: int) -> None:
        super().__init__(task, seed)
        self.settings = settings
        self.distribution = make_distribution(task.action_space)
        self.features = make_features(task)
        inputs = self.features(np.ones((1, *(task.observation_space.shape or ())))).shape[1]
        shape = (self.distribution.outputs, inputs)
        self.population = Population(settings.population, shape, task.num_envs)
        self.population.std[:] = settings.spread
        self._sample(np.arange(settings.population))
        self._assign(np.arange(task.num_envs))

    @property
    def weights(self) -> Array:
        """The best weights (outputs, features) so far."""
        return self.population.mean if self.settings.guided else self.population.best

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Return actions (n, ...) of each environment's candidate, or else of the best weights."""
        weights = self.population.candidates[self.population.player] if explore else self.weights
        outputs = (weights @ self.features(observations)[:, :, None])[:, :, 0].T
        return self.distribution.to_environment(self.distribution.mode(outputs))

    def learn(self, step: Step) -> dict[str, float] | None:
        """Add up returns; score at most one candidate a step, so each is a point of the curve."""
        population = self.population
        population.returns += np.where(step.valid, step.rewards, 0.0)
        ended = np.flatnonzero((step.terminated | step.truncated) & step.valid)
        counted = ended[population.player[ended] != NO_CANDIDATE]
        np.add.at(population.totals, population.player[counted], population.returns[counted])
        np.subtract.at(population.missing, population.player[counted], 1)
        complete = np.flatnonzero(population.missing == 0)
        metrics = self.score_candidate(int(complete[0])) if len(complete) else None
        self._assign(ended)
        return metrics

    def score_candidate(self, candidate: int) -> dict[str, float]:
        """Score a candidate, keep it if it is the best so far, and sample new ones."""
        population = self.population
        score = population.totals[candidate] / self.settings.episodes
        population.missing[candidate] = -1
        if score > population.best_score:
            population.best = population.candidates[candidate].copy()
            population.best_score[0] = score
        if not self.settings.guided:
            self._sample(np.array([candidate]))
        elif (population.missing < 0).all():
            self._refit()
            self._sample(np.arange(self.settings.population))
        metrics = {"candidate_score": float(score), "best_score": float(population.best_score[0])}
        return metrics | ({"spread": float(population.std.mean())} if self.settings.guided else {})

    def _refit(self) -> None:
        """Set mean and standard deviation to those of the elite, with noise (Szita and Lorincz)."""
        population = self.population
        number = max(1, round(self.settings.elite * self.settings.population))
        best = np.argsort(-population.totals, kind="stable")[:number]
        elite = population.candidates[best]
        population.mean = elite.mean(0)
        population.std = np.sqrt(elite.var(0) + self.settings.noise**2)

    def _sample(self, candidates: Array) -> None:
        """Replace these candidates by new ones."""
        population = self.population
        noise = self.generator.standard_normal((len(candidates), *population.mean.shape))
        population.candidates[candidates] = population.mean + population.std * noise
        population.started[candidates], population.totals[candidates] = 0, 0.0
        population.missing[candidates] = self.settings.episodes

    def _assign(self, environments: Array) -> None:
        """Assign candidates with missing episodes to environments that start an episode."""
        self.population.returns[environments] = 0.0
        started = self.population.started
        for environment in environments:  # finish candidates that have started most episodes
            open_for_more = np.where(started < self.settings.episodes, started, NO_CANDIDATE)
            candidate = open_for_more.argmax()
            if open_for_more[candidate] == NO_CANDIDATE:
                self.population.player[environment] = NO_CANDIDATE
            else:
                self.population.player[environment] = candidate
                started[candidate] += 1

    def insight(self, observation: Array) -> Insight:
        """Return probability 1 for the best candidate's action, if actions are discrete."""
        if not isinstance(self.distribution, Categorical):
            return Insight()
        outputs = self.weights @ self.features(observation[None])[0]
        return Insight(probabilities=np.eye(len(outputs))[outputs.argmax()])

    def discard_rollout(self) -> None:
        """Play the unfinished episodes again from their start."""
        player = self.population.player
        np.add.at(self.population.started, player[player != NO_CANDIDATE], -1)
        self._assign(np.arange(len(player)))

    def policy_network(self) -> nn.Module:
        """Raise UnsuitableTaskError."""
        raise UnsuitableTaskError("its hand-made features are Python code and not a network")

    def policy_tensors(self) -> dict[str, Any]:
        """Return the best weights."""
        return {"network.weights": torch.from_numpy(self.weights.copy())}

    def tensors(self) -> dict[str, Any]:
        """Return the best weights and the state of the search."""
        arrays = vars(self.population)
        state = {f"population.{name}": torch.from_numpy(array) for name, array in arrays.items()}
        return self.policy_tensors() | state

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Load the best weights only."""
        torch.from_numpy(self.weights).copy_(tensors["network.weights"])

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        super().restore(tensors, numbers)
        for name, array in vars(self.population).items():
            array[:] = tensors[f"population.{name}"].numpy()


def make_features(task: Task) -> Callable[[Array], Array]:
    """Return a function from observations (n, ...) to features (n, k).

    These are the environment's hand-made features (see `envs.engine.game.Game.rules_module`) or, if
    it has none, the observation and a constant 1, whose weight is the output where all else is 0.
    Features should be of a size near 1, so that good weights are too.

    Raises:
        UnsuitableTaskError: if observations are not vectors.
    """
    space = task.observation_space
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise UnsuitableTaskError(
            f"search: observations must be vectors (a Box of one dimension), got {space}"
        )
    largest = np.maximum(np.abs(space.low), np.abs(space.high)).astype(np.float64)
    units = np.where(largest > 0.0, np.minimum(largest, 1.0), 1.0)

    def observation_and_one(observations: Array) -> Array:
        """Scale up numbers with bounds below 1; large bounds are seldom reached and stay."""
        return np.concatenate((observations / units, np.ones((len(observations), 1))), 1)

    made: Callable[[Array], Array]
    made = getattr(find_rules(task.env_id), "features", observation_and_one)
    return made
