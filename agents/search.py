"""Search: conventional machine learning. Features by hand, the decision by try and error.

What matters of an observation a person has written down (`features` in the game's rules). The
decision is linear in it: one row of numbers for each action, of which the largest product wins, or
for each part of a continuous action, clipped to its bounds. These numbers are drawn at random,
tried, scored over a whole set of episodes, and the best are kept.

`guided` makes this the cross-entropy method, by one step: the next numbers are drawn not as the
first ones were, but from the mean and the spread of the best fifth of the last ones. Rubinstein,
"The cross-entropy method for combinatorial and continuous optimization" (Methodology and Computing
in Applied Probability 1, 1999); with noise added to the spread, lest it vanish too early: Szita and
Lorincz, "Learning Tetris using the noisy cross-entropy method" (Neural Computation 18, 2006).

A candidate's score is the mean return of exactly the `episodes` episodes that were begun with it,
and it counts only when all of them are over. Taking the first ones to end, whoever plays them,
would take the short ones: bad ones where to live is good, good ones where to arrive is. Therefore
each environment that comes to an end takes up the next episode that a candidate lacks, so that a
long one holds nobody up, and where none is lacking plays on without being counted.

The best of many population was also lucky: `best_score` promises more than an evaluation keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from agents.agent import Agent, Array, Insight, Step, Task, UnsuitableTaskError
from agents.networks.distributions import Categorical, make_distribution
from agents.validation import at_least_one, not_negative, positive
from envs.rules import find_rules

NOBODY = -1  # the candidate of an environment that is not counted; it plays as the last one


@dataclass(frozen=True)
class SearchSettings:
    """Hyperparameters."""

    guided: bool = False
    """Draw around the best of the last candidates: the cross-entropy method."""
    population: int = 32
    """Candidates that are tried at once; if guided, those that are compared."""
    episodes: int = 8
    """Episodes over which a candidate is scored."""
    spread: float = 1.0
    """Standard deviation of the first numbers drawn."""
    elite: float = 0.2
    """Guided: the part of the candidates that the next ones are drawn around."""
    noise: float = 0.1
    """Guided: standard deviation of the noise that is added to theirs."""

    def __post_init__(self) -> None:
        at_least_one(self, "population", "episodes")
        positive(self, "spread")
        if not 0 < self.elite <= 1:
            raise ValueError(f"elite must be above 0 and at most 1, not {self.elite}")
        not_negative(self, "noise")


class Population:
    """All that a search remembers: arrays, most of a row for each candidate or environment."""

    def __init__(self, population: int, shape: tuple[int, int], num_envs: int) -> None:
        self.candidates = np.zeros((population, *shape))
        self.begun = np.zeros(population, np.int64)  # episodes that were
        self.lacking = np.zeros(population, np.int64)  # episodes not over yet; -1 once judged
        self.totals = np.zeros(population)  # sum of the returns of those that are over
        self.player = np.full(num_envs, NOBODY)  # the candidate that plays in an environment
        self.returns = np.zeros(num_envs)  # of the episodes under way
        self.mean, self.std = np.zeros(shape), np.zeros(shape)  # candidates are drawn from these
        self.best, self.best_score = np.zeros(shape), np.full(1, -np.inf)


class SearchAgent(Agent):
    """Serves vectors, discrete and continuous actions."""

    def __init__(self, task: Task, settings: SearchSettings, seed: int) -> None:
        super().__init__(task, seed)
        self.settings = settings
        self.distribution = make_distribution(task.action_space)
        self.features = make_features(task)
        inputs = self.features(np.ones((1, *(task.observation_space.shape or ())))).shape[1]
        shape = (self.distribution.outputs, inputs)
        self.population = Population(settings.population, shape, task.num_envs)
        self.population.std[:] = settings.spread
        self._draw(np.arange(settings.population))
        self._hand_out(np.arange(task.num_envs))

    @property
    def weights(self) -> Array:
        """The numbers (actions, features) that it holds best."""
        return self.population.mean if self.settings.guided else self.population.best

    def act(self, observations: Array, explore: bool = True) -> Array:
        """Actions (n, ...): each environment plays as its candidate, or all as the best."""
        weights = self.population.candidates[self.population.player] if explore else self.weights
        outputs = (weights @ self.features(observations)[:, :, None])[:, :, 0].T
        return self.distribution.to_environment(self.distribution.mode(outputs))

    def learn(self, step: Step) -> dict[str, float] | None:
        """Add up; one candidate a step is judged, so that each is a point on the curve."""
        population = self.population
        population.returns += np.where(step.valid, step.rewards, 0.0)
        ended = np.flatnonzero((step.terminated | step.truncated) & step.valid)
        counted = ended[population.player[ended] != NOBODY]
        np.add.at(population.totals, population.player[counted], population.returns[counted])
        np.subtract.at(population.lacking, population.player[counted], 1)
        complete = np.flatnonzero(population.lacking == 0)
        metrics = self._judge(int(complete[0])) if len(complete) else None
        self._hand_out(ended)
        return metrics

    def _judge(self, candidate: int) -> dict[str, float]:
        """Keep a candidate that is the best so far, and draw new ones."""
        population = self.population
        score = population.totals[candidate] / self.settings.episodes
        population.lacking[candidate] = -1
        if score > population.best_score:
            population.best, population.best_score[0] = (
                population.candidates[candidate].copy(),
                score,
            )
        if not self.settings.guided:
            self._draw(np.array([candidate]))
        elif (population.lacking < 0).all():
            self._refit()
            self._draw(np.arange(self.settings.population))
        metrics = {"try_score": float(score), "best_score": float(population.best_score[0])}
        return metrics | ({"spread": float(population.std.mean())} if self.settings.guided else {})

    def _refit(self) -> None:
        """Mean and spread of the elite; Szita and Lorincz add noise to the variance."""
        number = max(1, round(self.settings.elite * self.settings.population))
        elite = self.population.candidates[
            np.argsort(-self.population.totals, kind="stable")[:number]
        ]
        self.population.mean = elite.mean(0)
        self.population.std = np.sqrt(elite.var(0) + self.settings.noise**2)

    def _draw(self, candidates: Array) -> None:
        """New numbers in place of these."""
        population = self.population
        noise = self.generator.standard_normal((len(candidates), *population.mean.shape))
        population.candidates[candidates] = population.mean + population.std * noise
        population.begun[candidates], population.totals[candidates] = 0, 0.0
        population.lacking[candidates] = self.settings.episodes

    def _hand_out(self, environments: Array) -> None:
        """Let environments that begin an episode play for candidates that lack some."""
        self.population.returns[environments] = 0.0
        begun = self.population.begun
        for environment in environments:  # who has begun most goes first, lest anybody starve
            open_for_more = np.where(begun < self.settings.episodes, begun, NOBODY)
            candidate = open_for_more.argmax()
            if open_for_more[candidate] == NOBODY:
                self.population.player[environment] = NOBODY
            else:
                self.population.player[environment] = candidate
                begun[candidate] += 1

    def insight(self, observation: Array) -> Insight:
        """It is sure of itself."""
        if not isinstance(self.distribution, Categorical):
            return Insight()
        outputs = self.weights @ self.features(observation[None])[0]
        return Insight(probabilities=np.eye(len(outputs))[outputs.argmax()])

    def discard_rollout(self) -> None:
        """Let the episodes that were under way be played again."""
        np.add.at(
            self.population.begun, self.population.player[self.population.player != NOBODY], -1
        )
        self._hand_out(np.arange(len(self.population.player)))

    def tensors(self) -> dict[str, Any]:
        """What it holds best, and all that it remembers."""
        remembered = {
            f"population.{name}": torch.from_numpy(a) for name, a in vars(self.population).items()
        }
        return remembered | {"network.weights": torch.from_numpy(self.weights.copy())}

    def restore_policy(self, tensors: dict[str, Any]) -> None:
        """Take over only what it held best."""
        torch.from_numpy(self.weights).copy_(tensors["network.weights"])

    def restore(self, tensors: dict[str, Any], numbers: dict[str, Any]) -> None:
        """Go on from where `tensors` and `numbers` were taken."""
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
            f"search: observations must be vectors (a Box of one dimension), not {space}"
        )
    largest = np.maximum(np.abs(space.low), np.abs(space.high)).astype(np.float64)
    units = np.where(largest > 0.0, np.minimum(largest, 1.0), 1.0)

    def observation_and_one(observations: Array) -> Array:
        """Scale up numbers with bounds below 1; large bounds are seldom reached and stay."""
        return np.concatenate((observations / units, np.ones((len(observations), 1))), 1)

    made: Callable[[Array], Array]
    made = getattr(find_rules(task.env_id), "features", observation_and_one)
    return made
