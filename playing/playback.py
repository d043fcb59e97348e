"""Plays episodes of one environment step by step, and records what the window shows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from agents.agent import Insight
from envs.engine.batch import TERM_PREFIX, Reward
from envs.engine.capabilities import action_names_of, game_batch_of, show_agent
from envs.engine.single import GameEnv
from playing.players import Player, Players
from training.lookahead import make_lookahead
from training.recorded_episodes import EpisodeRecorder
from training.vector_runner import reward_weights

FADE = 0.9  # per step, so that a reward of a single step stays visible for a moment
CURVE_STEPS = 300  # 10 seconds of paddle, 6 of bicycle


@dataclass
class RewardTerm:
    """One term of the reward during an episode, without its weight unless stated otherwise."""

    weight: float = 1.0
    now: float = 0.0
    """Value in the last step."""
    total: float = 0.0
    """Sum over the episode so far."""
    shown: float = 0.0
    """`now`, but falling back to 0 slowly."""
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=CURVE_STEPS))
    """Weighted values of the last steps."""
    lowest: float = 0.0
    """Lowest weighted value of the episode, at most 0."""
    highest: float = 0.0
    """Highest weighted value of the episode, at least 0."""

    def add(self, value: float) -> None:
        """Add the value of one step."""
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
        """Length of the term in the stacked bar: its weighted `shown`."""
        return self.weight * self.shown


@dataclass(frozen=True)
class Result:
    """Score, return and length of a finished episode."""

    score: float
    """Score of the game; the return in environments that have no score."""
    total_reward: float
    """Undiscounted return."""
    length: int
    """Number of steps."""


@dataclass
class Episode:
    """One episode so far."""

    number: int
    """0 for the first episode."""
    score: float | None = None
    """None in environments that have no score."""
    total_reward: float = 0.0
    steps: int = 0
    terminated: bool = False
    truncated: bool = False

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return self.terminated or self.truncated

    @property
    def result(self) -> Result:
        """Score, return and length so far."""
        score = self.total_reward if self.score is None else self.score
        return Result(score, self.total_reward, self.steps)


@dataclass
class Playback:
    """Episodes of one environment, played one step at a time.

    Episode k starts from seed `seed` + k, whichever player plays and whatever happened before.
    """

    env: gymnasium.Env[Any, Any]
    players: Players
    player: Player
    """The agent that plays, or that is shown while a person plays."""
    human: bool = False
    """Whether a person plays."""
    results: list[Result] = field(default_factory=list)
    """Results of the finished episodes."""
    action: Any = None
    """The agent's next action; the last action while a person plays."""
    recorder: EpisodeRecorder | None = None
    """Keeps the episodes, if they are to be saved."""
    longest_bar: float = 1e-9
    """Greatest of `bars` in the episode so far: the scale of the stacked bar."""

    def __post_init__(self) -> None:
        self.env_id, self.seed = self.players.env_id, self.players.seed
        self._lookahead = make_lookahead(self.env)
        self._started = 0  # episodes, also those that are not played to the end
        self.start_episode(0)

    @property
    def steps_per_second(self) -> float:
        """Number of steps per second at speed 1."""
        return float(self.env.metadata.get("render_fps") or 30)

    def start_episode(self, number: int) -> None:
        """Start episode `number`, counted from 0."""
        self.observation, info = self.env.reset(seed=self.seed + number)
        self.episode = Episode(number, score=_number(info.get("score")))
        self._started += 1
        self._reset_terms()
        self._ask_agent()

    def exchange_reward(self, reward: Reward) -> None:
        """Use another reward from the next step on, in the same episode; all sums restart at 0."""
        assert isinstance(self.env.unwrapped, GameEnv), "other environments have their own reward"
        self.env.unwrapped.set_reward(reward)
        self.episode.total_reward = 0.0
        self._reset_terms()

    def next_episode(self) -> None:
        """Start the next episode, whether this one is over or not."""
        self.start_episode(self.episode.number + 1)

    def step(self, human_action: Any = None) -> None:
        """Take the agent's action, or `human_action` while a person plays."""
        if self.episode.over:
            return
        if self.human:
            self.action = human_action
        self.observation, reward, terminated, truncated, info = self.env.step(self.action)
        self._record()
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
        self._ask_agent()

    def _record(self) -> None:
        """Hand the step to the recorder, if there is one."""
        batch = game_batch_of(self.env)
        if self.recorder is None or batch is None:
            return
        actions = batch.game.actions(1)
        actions[0] = self.action
        number, row = np.array([self._started - 1]), np.array([0])
        self.recorder.add(number, row, batch.before, actions, batch.states)

    @property
    def bars(self) -> tuple[float, float]:
        """Sums of all positive and of all negative terms, both as lengths of at least 0."""
        parts = [term.part for term in self.terms.values()]
        return sum(max(part, 0.0) for part in parts), sum(max(-part, 0.0) for part in parts)

    def switch_player(self) -> None:
        """Let the next of the players play.

        Raises:
            ValueError: if it cannot be loaded; the player stays the same.
        """
        self.switch_to(self.players.next_name(self.player.name))

    def switch_to(self, name: str) -> None:
        """Let the player called `name` play.

        Raises:
            ValueError: if it cannot be loaded; the player stays the same.
        """
        self.player = self.players.player(name)
        self._ask_agent()

    def set_human(self, human: bool) -> None:
        """Let a person play, or the agent again."""
        self.human = human
        self._ask_agent()

    def _reset_terms(self) -> None:
        weights = reward_weights(self.env)
        self.terms = {name: RewardTerm(weight) for name, weight in weights.items()}
        self.longest_bar = 1e-9

    def _ask_agent(self) -> None:
        """Get the agent's insight and, unless a person plays, its action."""
        self.player.agent.set_lookahead(self._lookahead)
        show_agent(self.env, self.player.agent)
        self.insight: Insight = self.player.agent.insight(np.asarray(self.observation))
        batch = np.asarray(self.observation)[None]
        action = self.player.agent.act(batch, explore=False)[0]
        if not self.human:
            self.action = action

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the actions (Discrete) or components (Box); empty for other spaces."""
        if not isinstance(self.env.action_space, (spaces.Discrete, spaces.Box)):
            return ()
        if (names := action_names_of(self.env)) is not None:
            return names
        space = self.env.action_space
        if isinstance(space, spaces.Discrete):
            return tuple(f"action {space.start + k}" for k in range(int(space.n)))
        return tuple(f"action [{k}]" for k in range(int(np.prod(space.shape or (1,)))))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float, np.integer, np.floating)) else None
