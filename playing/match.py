"""A match: one environment, whoever is in control of it, and what has happened so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.agent import Insight
from envs.single import GameEnv
from playing.cast import Cast, Player
from training.simulator import make_simulator
from training.stepper import reward_weights

FADE = 0.9  # per step: what lasted one step only is gone before anyone has seen it


@dataclass
class RewardTerm:
    """One term of the reward during an episode, before weighting."""

    weight: float = 1.0
    now: float = 0.0
    """In the last step."""
    total: float = 0.0
    """In the episode so far."""
    shown: float = 0.0
    """`now`, but falling slowly back to 0."""
    largest: float = 1e-9
    """Largest absolute value in the episode: the scale of its bar."""

    def add(self, value: float) -> None:
        """Take in one step's value."""
        self.now = value
        self.total += value
        faded = self.shown * FADE
        self.shown = value if abs(value) >= abs(faded) else faded
        self.largest = max(self.largest, abs(value))


@dataclass(frozen=True)
class Result:
    """How an episode ended."""

    score: float
    """The game's own yardstick; the return where an environment has none."""
    total_reward: float
    """Undiscounted return."""
    length: int
    """Steps."""


@dataclass
class Episode:
    """One episode so far."""

    number: int
    """0 for the match's first."""
    score: float | None = None
    """None where the environment has no yardstick beside the reward."""
    total_reward: float = 0.0
    steps: int = 0
    terminated: bool = False
    truncated: bool = False

    @property
    def over(self) -> bool:
        """Nothing can follow."""
        return self.terminated or self.truncated

    @property
    def result(self) -> Result:
        """What there is to say at its end."""
        score = self.total_reward if self.score is None else self.score
        return Result(score, self.total_reward, self.steps)


@dataclass
class Match:
    """Episodes of one environment, a step at a time.

    Episode k starts from seed `seed` + k, whoever plays and whatever was done before.
    """

    env: gymnasium.Env[Any, Any]
    env_id: str
    cast: Cast
    player: Player
    """The agent in control, or the one that looks on while a person plays."""
    seed: int
    by_hand: bool = False
    """A person is in control."""
    results: list[Result] = field(default_factory=list)
    """Of the episodes that came to an end."""
    choice: Any = None
    """The action about to be taken, or taken last while a person is in control."""

    def __post_init__(self) -> None:
        self._simulator = make_simulator(self.env)
        self.start_episode(0)

    def start_episode(self, number: int) -> None:
        """Begin episode `number`, counted from 0."""
        self.observation, info = self.env.reset(seed=self.seed + number)
        self.episode = Episode(number, score=_number(info.get("score")))
        weights = reward_weights(self.env)
        self.terms = {name: RewardTerm(weight) for name, weight in weights.items()}
        self._think()

    def next_episode(self) -> None:
        """Leave this episode, over or not."""
        self.start_episode(self.episode.number + 1)

    def step(self, own_action: Any = None) -> None:
        """Go on by one step: the player's choice, or `own_action` while a person is in control."""
        if self.episode.over:
            return
        if self.by_hand:
            self.choice = own_action
        self.observation, reward, terminated, truncated, info = self.env.step(self.choice)
        episode = self.episode
        episode.steps += 1
        episode.total_reward += float(reward)
        episode.score = _number(info.get("score"))
        episode.terminated, episode.truncated = bool(terminated), bool(truncated)
        for name, term in self.terms.items():
            term.add(float(info.get(f"reward/{name}", reward)))
        if episode.over:
            self.results.append(episode.result)
        self._think()

    def switch_player(self) -> None:
        """Hand over to the next agent of the cast.

        Raises:
            ValueError: if it cannot be loaded; the player stays.
        """
        self.player = self.cast.player(self.cast.after(self.player.name))
        self._think()

    def take_over(self, by_hand: bool) -> None:
        """Let a person play, or give back."""
        self.by_hand = by_hand
        self._think()

    def _think(self) -> None:
        """Let the player look: its insight, and its choice unless a person chooses."""
        self.player.agent.watch(self._simulator)
        self.insight: Insight = self.player.agent.insight(np.asarray(self.observation))
        batch = np.asarray(self.observation)[None]
        choice = self.player.agent.act(batch, explore=False)[0]
        if not self.by_hand:
            self.choice = choice

    @property
    def action_names(self) -> tuple[str, ...]:
        """A word for each action (Discrete) or component (Box)."""
        if isinstance(self.env.unwrapped, GameEnv):
            return self.env.unwrapped.game.action_names
        space = self.env.action_space
        if isinstance(space, spaces.Discrete):
            return tuple(f"action {space.start + k}" for k in range(int(space.n)))
        return tuple(f"action [{k}]" for k in range(int(np.prod(space.shape or (1,)))))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float, np.integer, np.floating)) else None
