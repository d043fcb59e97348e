"""Moments of paddle-and-ball: where the examples come from, and what the engine knows of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from envs.engine.compilation import compiled
from envs.engine.rng import seeded, uniform
from envs.paddle.game import BALL_RADIUS, GAME, STEEPEST_ANGLE, PaddleOptions, draw, landing, step
from stages.datasets.dataset import Array, Dataset, Examples, scrambled

FRAMES = 2  # the fewest that show which way something flies
STAY = 1
OPTIONS = PaddleOptions()
OBSERVATIONS = ("screen", "features", "state")
DIRECTIONS = ("away, up", "away, down", "closer, up", "closer, down")
"""How the ball can fly, as the paddle sees it."""
ALL_WAYS, CLOSER = (0, 1, 2, 3), (2, 3)


@dataclass(frozen=True)
class PaddleDataset(Dataset):
    """A dataset whose examples are pairs of screens of paddle-and-ball, one step apart."""

    observation: str = "screen"
    """screen: two screens, one step apart; features: what a person's code reads off them; state:
    a row of the engine's own table, see `envs.paddle.game.observe`."""
    screen_size: int = 24
    """Pixels to a side."""
    region: str = "all"
    """Where the ball of a training example may be: all, or only in the upper half of the box."""
    rarity: float = 1.0
    """How much rarer each way to fly is than the one before it, in training; 1: none is."""

    training_only = ("noise", "region", "rarity")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 24 <= self.screen_size <= 256:
            raise ValueError(
                f"option `screen_size` must be between 24 and 256, not {self.screen_size}"
            )
        if self.observation not in OBSERVATIONS:
            raise ValueError(
                f"option `observation` must be {', '.join(OBSERVATIONS)}, not {self.observation!r}"
            )
        if self.region not in ("all", "upper"):
            raise ValueError(f"option `region` must be all or upper, not {self.region!r}")
        if not 1 <= self.rarity <= 100:
            raise ValueError(f"option `rarity` must be between 1 and 100, not {self.rarity}")

    @property
    def observation_space(self) -> spaces.Box:
        if self.observation == "features":
            return spaces.Box(-np.inf, np.inf, (5,), np.float32)
        if self.observation == "state":
            return GAME.observation_space
        return spaces.Box(0, 255, (FRAMES, self.screen_size, self.screen_size), np.uint8)

    @property
    def ways(self) -> tuple[int, ...]:
        """Which of `DIRECTIONS` the examples fly."""
        return ALL_WAYS

    def moments(self, count: int, seed: int) -> tuple[Array, Array]:
        """What is seen of `count` moments, and the states (count,) that they are of."""
        lowest = 0.5 if self.region == "upper" else 1.0
        shares = np.zeros(len(DIRECTIONS))
        shares[list(self.ways)] = self.rarity ** -np.arange(len(self.ways), dtype=np.float64)
        states = GAME.states(count)
        states["rng"] = generators(count, seed)
        screens = np.zeros((count, FRAMES, self.screen_size, self.screen_size), np.uint8)
        cumulated = np.cumsum(shares) / shares.sum()
        moments_kernel()(states, screens, lowest, cumulated, GAME.options_record(OPTIONS))
        return self.seen(screens, states), states

    def targets_of(self, states: Any) -> Array:
        """The right targets for `states` (n,)."""
        raise NotImplementedError

    def sample(self, count: int, seed: int) -> Examples:
        observations, states = self.moments(count, seed)
        return Examples(observations, self.targets_of(states))

    @property
    def game_screen_size(self) -> int:
        return self.screen_size

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """Nothing is asked while the ball flies as no example does."""
        states = np.asarray([state], GAME.state)
        asked = direction(states)[0] in self.ways
        return self.seen(screens[None], states)[0], self.targets_of(states)[0] if asked else None

    def seen(self, screens: Array, states: Any) -> Array:
        """Screens (n, FRAMES, side, side) of `states` (n,) as the agent is to have them."""
        if self.observation == "state":
            return rows(states)
        return features(screens) if self.observation == "features" else screens


def rows(states: Any) -> Array:
    """What the game itself observes of `states` (n,): (n, 5) float32, -1..1."""
    table = np.zeros((len(states), *GAME.observation_space.shape), np.float32)
    GAME.observe(states.view(np.recarray), table.T, OPTIONS)
    return table


def features(screens: Array) -> Array:
    """What a person who knows the game would read off two screens: (n, 5) float32, about -1..1.

    The ball's x and y, its way since the screen before, and the paddle's y; each place is the
    middle of the light in its part of the screen.
    """
    side = screens.shape[-1]
    paddle = math.ceil(BALL_RADIUS * side / (1.0 + 4 * BALL_RADIUS))  # columns
    light = screens.astype(np.float32)
    places: Array = (np.arange(side, dtype=np.float32) + 0.5) / (side / 2) - 1.0

    def middle(profile: Array) -> Array:
        """Of light (n, FRAMES, k) in the last k places."""
        weights: Array = profile.sum(-1)
        return profile @ places[-profile.shape[-1] :] / np.maximum(weights, 1.0)

    x, y = middle(light[..., paddle:].sum(2)), middle(light[..., paddle:].sum(3))
    paddle_y = middle(light[..., :paddle].sum(3))[:, -1]
    ways = ((now[:, -1] - now[:, 0]) * side / 2 for now in (x, y))  # in pixels
    return np.stack((x[:, -1], y[:, -1], *ways, paddle_y), 1)


def generators(count: int, seed: int) -> Array:
    """One generator for each example, which does not depend on how many there are."""
    return scrambled(seeded(seed) + np.arange(1, count + 1, dtype=np.uint64))


def draw_moment(state: Any, lowest: float, cumulated: Any, options: Any) -> None:
    """The ball anywhere, flying any way and as fast as it ever does; the paddle anywhere."""
    way, share = 0, uniform(state, 0.0, 1.0)
    while share >= cumulated[way] and way < 3:
        way += 1
    angle = uniform(state, 0.0, STEEPEST_ANGLE)
    speed = uniform(state, options.ball_speed, options.max_ball_speed)
    state.ball_vx = speed * math.cos(angle) * (1.0 if way < 2 else -1.0)
    state.ball_vy = speed * math.sin(angle) * (-1.0 if way % 2 == 0 else 1.0)
    state.ball_x = uniform(state, options.max_ball_speed, 1.0)  # not yet at the paddle
    state.ball_y = uniform(state, 0.0, lowest)
    half = options.paddle_size / 2
    state.paddle_y = uniform(state, half, 1.0 - half)


@functools.cache
def moments_kernel() -> Callable[..., None]:
    """The compiled loop over many moments."""

    def draw_moments(states: Any, screens: Any, lowest: Any, cumulated: Any, options: Any) -> None:
        """Draw each state, and how it looks before and after one step."""
        for i in range(states.size):
            draw_moment(states[i], lowest, cumulated, options[0])
            draw(states[i], screens[i, 0], options[0])
            step(states[i], STAY, options[0])
            draw(states[i], screens[i, 1], options[0])

    return compiled(draw_moments)


def direction(states: Any) -> Array:
    """Which of `DIRECTIONS` the balls of `states` (n,) fly."""
    return np.asarray(2 * (states["ball_vx"] < 0) + (states["ball_vy"] > 0), np.int64)


def on_screen(place: float) -> float:
    """A place of the box, 0..1, in fractions of the screen."""
    return (place + 2 * BALL_RADIUS) / (1.0 + 4 * BALL_RADIUS)


def landings(states: Any) -> Array:
    """Where the balls of `states` (n,) will next reach the paddle's side; box heights, 0..1."""
    flight = (states[name] for name in ("ball_x", "ball_y", "ball_vx", "ball_vy"))
    return np.asarray(landing(*flight))
