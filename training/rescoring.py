"""What rewards pay in recorded episodes, and the moments at which two rewards disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rewards.check.events import events_of
from rewards.expression import has_code
from rewards.kernel import WeightedSum
from rewards.make import make_reward
from training.recorded_episodes import RecordedEpisodes, episodes_of_run, read_episodes
from training.reward_snapshot import kept_expression
from training.run_folder import RunError
from training.trained_agent import load_config

Array = np.ndarray[Any, Any]

MOST_MOMENTS = 10
ALIKE = 3
"""Maximum number of moments at which the same event happens."""
AGREEMENT = 1e-6
"""Difference of two curves below which rewards agree: rounding, where one is a multiple."""


@dataclass(frozen=True, eq=False)
class Paid:
    """What a reward pays in recorded episodes."""

    reward: WeightedSum
    terms: dict[str, Array]
    """(steps,) each term before weighting, by name."""
    rewards: Array
    """(steps,) the weighted sums: what an agent gets."""
    starts: Array
    """(k + 1,) as in `RecordedEpisodes`."""

    @cached_property
    def returns(self) -> Array:
        """Sum of the rewards of each episode, (k,)."""
        return self.sums(self.rewards)

    def sums(self, values: Array) -> Array:
        """Return the sum of one value per step over each episode, (k,), added up in their order.

        This is how training adds up; `numpy.sum` adds in another order, with other last digits.
        """
        episodes = np.split(values, self.starts[1:-1])
        return np.array([np.cumsum(episode)[-1] for episode in episodes])


class Moment(NamedTuple):
    """A moment at which two rewards disagree."""

    episode: int
    """Number of the episode, from 0."""
    step: int
    """Step of the episode, from 0."""
    difference: float
    """How much more the second reward pays around this step, see `Rescored.curves`."""
    rewards: tuple[float, float]
    """What each of the two pays in this step."""
    event: str
    """What happens in this step, by a name that `python -m rewards check` uses: if several events
    happen, the rarest one."""


@dataclass(frozen=True, eq=False)
class Rescored:
    """Recorded episodes, and what some rewards pay in them."""

    episodes: RecordedEpisodes
    paid: tuple[Paid, ...]

    @cached_property
    def curves(self) -> Array:
        """How much each reward pays around each step, compared with its average: (rewards, steps).

        A reward is averaged over two seconds with triangular weights, so that a single step counts
        at its time. Its mean over all steps is then subtracted, and its standard deviation is the
        unit: only what changes matters, on whatever scale. A reward that never changes is 0.
        """
        return np.stack([self._curve(paid.rewards) for paid in self.paid])

    def _curve(self, rewards: Array) -> Array:
        half = self.episodes.game.steps_per_second
        window = np.concatenate((np.arange(1, half + 1), np.arange(half - 1, 0, -1)))
        parts = []
        for values in np.split(rewards, self.episodes.starts[1:-1]):
            inside = slice(half - 1, half - 1 + len(values))
            weights = np.convolve(np.ones(len(values)), window)[inside]
            parts.append(np.convolve(values, window)[inside] / weights)
        smooth = np.concatenate(parts)
        spread = smooth.std()
        if spread <= 1e-9 * np.abs(smooth).max():  # only rounding
            return np.zeros(len(smooth))
        return np.asarray((smooth - smooth.mean()) / spread)

    def moments(self, most: int = MOST_MOMENTS) -> list[Moment]:
        """Return the moments at which the first two rewards disagree most, the greatest first.

        Two moments of an episode are at least a second apart, and at most `ALIKE` moments are of
        one event.
        """
        first, second, *_ = self.curves
        difference = second - first
        episode_of = np.repeat(np.arange(len(self.episodes)), self.episodes.lengths)
        apart = self.episodes.game.steps_per_second
        left = np.abs(difference)
        found: list[Moment] = []
        while len(found) < most:
            place = int(left.argmax())
            if left[place] <= AGREEMENT:
                break
            number = int(episode_of[place])
            steps, event = self.episodes.steps_of(number), self.event(place)
            left[max(steps.start, place - apart) : min(steps.stop, place + apart + 1)] = 0.0
            if [moment.event for moment in found].count(event) < ALIKE:
                rewards = float(self.paid[0].rewards[place]), float(self.paid[1].rewards[place])
                step, value = place - steps.start, float(difference[place])
                found.append(Moment(number, step, value, rewards, event))
        return found

    def event(self, place: int) -> str:
        """Return the rarest event of a step, counted over all episodes, or "" if there is none."""
        here = [name for name, happens in self._happening.items() if happens[place]]
        return min(here, key=lambda name: int(self._happening[name].sum()), default="")

    @cached_property
    def _happening(self) -> dict[str, Array]:
        """In which steps each event happens, (steps,) bool, by name."""
        episodes = self.episodes
        events, steps = events_of(episodes.game, episodes.entry.rewards), episodes.steps()
        return {
            name: np.asarray(event(steps, episodes.options))
            for name, event in events.by_name().items()
        }


def rescore(episodes: RecordedEpisodes, rewards: Sequence[str | WeightedSum]) -> Rescored:
    """Return what each of `rewards` pays in recorded episodes, exactly as in training.

    Args:
        episodes: of one game; nothing is played again.
        rewards: as `--reward` takes them, or made before by `rewards.make.make_reward`.

    Raises:
        RewardError: if a reward cannot be used, or fails in a step.
    """
    return Rescored(episodes, tuple(_pay(episodes, reward) for reward in rewards))


def open_episodes(place: Path, last: bool = False) -> RecordedEpisodes:
    """Return the recorded episodes of a run folder, or of a file.

    `last` means the episodes of the last model of the run instead of the best one.

    Raises:
        RunError: if there are none, or they are damaged.
    """
    if place.suffix == ".npz":
        return read_episodes(place)
    load_config(place)  # an error that says what is wrong with the folder
    return episodes_of_run(place, last)


def rewards_to_compare(
    place: Path, episodes: RecordedEpisodes, given: Sequence[str], trust_reward: bool = False
) -> list[str]:
    """Return the rewards that were `given`; if they are fewer than two, the run's own one first.

    A file outside of a run folder has the default reward of its game.

    Raises:
        RunError: if the reward of the run is needed, and is code that is not trusted.
    """
    if len(given) > 1:
        return list(given)
    own = str(import_module(episodes.entry.rewards).DEFAULT[episodes.game.name])
    if place.suffix != ".npz":
        own = load_config(place).reward or own
        if has_code(own) and not trust_reward:
            raise RunError(
                f"the reward {own!r} of the run is code: name two rewards, or execute the copy in "
                "the run folder with --trust-reward"
            )
        own = kept_expression(place, own)
    return [own, *(reward for reward in given if reward != own)]


def _pay(episodes: RecordedEpisodes, reward: str | WeightedSum) -> Paid:
    made = make_reward(episodes.game, episodes.entry, reward, dict(episodes.about.env_options))
    before, actions, after = episodes.transitions()
    rows, rewards = np.zeros((len(made.names), len(actions))), np.zeros(len(actions))
    made(before, actions, after, list(rows), rewards)
    return Paid(made, dict(zip(made.names, rows, strict=True)), rewards, episodes.starts)
