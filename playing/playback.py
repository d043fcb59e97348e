"""A match: one environment, whoever is in control of it, and what has happened so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.agent import Insight
from envs.engine.batch import TERM_PREFIX, Reward
from envs.engine.capabilities import show_agent
from envs.engine.single import GameEnv
from playing.players import Cast, Player
from stages.viewers.examples import Viewer
from training.lookahead import make_lookahead
from training.vector_runner import reward_weights

FADE = 0.9  # per step: what lasted one step only is gone before anyone has seen it
REMEMBERED = 300  # steps: 10 seconds of the paddle, 6 of the bicycle


@dataclass
class RewardTerm:
    """One term of the reward during an episode, before weighting unless it says otherwise."""

    weight: float = 1.0
    now: float = 0.0
    """In the last step."""
    total: float = 0.0
    """In the episode so far."""
    shown: float = 0.0
    """`now`, but falling slowly back to 0."""
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """What it contributed, weighted, in each of the last steps."""
    lowest: float = 0.0
    """Of its contributions in the episode, or 0."""
    highest: float = 0.0
    """Of its contributions in the episode, or 0."""

    def add(self, value: float) -> None:
        """Take in one step's value."""
        self.now = value
        self.total += value
        faded = self.shown * FADE
        self.shown = value if abs(value) >= abs(faded) else faded
        contribution = self.weight * value
        self.recent.append(contribution)
        self.lowest = min(self.lowest, contribution)
        self.highest = max(self.highest, contribution)

    @property
    def part(self) -> float:
        """What it contributes, weighted: its part of the stacked bar."""
        return self.weight * self.shown


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
        self._lookahead = make_lookahead(self.env)
        self.start_episode(0)

    def start_episode(self, number: int) -> None:
        """Begin episode `number`, counted from 0."""
        self.observation, info = self.env.reset(seed=self.seed + number)
        self.episode = Episode(number, score=_number(info.get("score")))
        self._begin_terms()
        self._think()

    def exchange_reward(self, reward: Reward) -> None:
        """Pay by another reward from the next step on, in the same episode.

        What was summed up so far was paid by the other one, so that sums begin anew.
        """
        assert isinstance(self.env.unwrapped, GameEnv), "other games have a reward of their own"
        self.env.unwrapped.set_reward(reward)
        self.episode.total_reward = 0.0
        self._begin_terms()

    def _begin_terms(self) -> None:
        weights = reward_weights(self.env)
        self.terms = {name: RewardTerm(weight) for name, weight in weights.items()}
        self.longest_bar = 1e-9

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
            term.add(float(info.get(f"{TERM_PREFIX}{name}", reward)))
        self.longest_bar = max(self.longest_bar, *self.bars)
        if episode.over:
            self.results.append(episode.result)
        self._think()

    @property
    def bars(self) -> tuple[float, float]:
        """How much all positive and all negative terms contribute; both from 0 up.

        `longest_bar` is the longest of either in the episode so far, the scale of both.
        """
        parts = [term.part for term in self.terms.values()]
        return sum(max(part, 0.0) for part in parts), sum(max(-part, 0.0) for part in parts)

    def switch_player(self) -> None:
        """Hand over to the next agent of the cast.

        Raises:
            ValueError: if it cannot be loaded; the player stays.
        """
        self.switch_to(self.cast.after(self.player.name))

    def switch_to(self, name: str) -> None:
        """Hand over to an agent of the cast.

        Raises:
            ValueError: if it cannot be loaded; the player stays.
        """
        self.player = self.cast.player(name)
        self._think()

    def take_over(self, by_hand: bool) -> None:
        """Let a person play, or give back."""
        self.by_hand = by_hand
        self._think()

    def _think(self) -> None:
        """Let the player look: its insight, and its choice unless a person chooses."""
        self.player.agent.set_lookahead(self._lookahead)
        show_agent(self.env, self.player.agent)
        self.insight: Insight = self.player.agent.insight(np.asarray(self.observation))
        batch = np.asarray(self.observation)[None]
        choice = self.player.agent.act(batch, explore=False)[0]
        if not self.by_hand:
            self.choice = choice

    @property
    def action_names(self) -> tuple[str, ...]:
        """A word for each action (Discrete) or component (Box), none for whole rows of them."""
        if not isinstance(self.env.action_space, (spaces.Discrete, spaces.Box)):
            return ()
        if isinstance(self.env.unwrapped, GameEnv):
            return self.env.unwrapped.game.action_names
        if isinstance(self.env.unwrapped, Viewer):
            return self.env.unwrapped.action_names
        space = self.env.action_space
        if isinstance(space, spaces.Discrete):
            return tuple(f"action {space.start + k}" for k in range(int(space.n)))
        return tuple(f"action [{k}]" for k in range(int(np.prod(space.shape or (1,)))))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float, np.integer, np.floating)) else None
