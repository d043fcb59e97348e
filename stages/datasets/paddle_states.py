"""Random states of paddle-and-ball, from which examples and their targets are computed."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.engine.compilation import compiled
from envs.engine.rng import seeded, uniform
from envs.names import one_of
from envs.paddle.game import BALL_RADIUS, GAME, STEEPEST_ANGLE, PaddleOptions, draw, landing, step
from stages.datasets.dataset import GAME_VIEWER, Array, Dataset, Examples, scrambled
from stages.datasets.decoys import MOST_DECOYS, fill_decoys, locate_game, place_decoys

FRAMES = 2  # the fewest that show a direction
STAY = 1
MOST_NOISE_COLUMNS = 1_000
OPTIONS = PaddleOptions()
OBSERVATIONS = ("screen", "features", "motion", "state")
DIRECTIONS = ("away, up", "away, down", "closer, up", "closer, down")
"""Directions in which the ball flies, as seen from the paddle."""
ALL_DIRECTIONS, CLOSER = (0, 1, 2, 3), (2, 3)


@dataclass(frozen=True)
class PaddleDataset(Dataset):
    """Base class of datasets whose examples are two screens of paddle-and-ball, one step apart."""

    observation: str = "screen"
    """screen: uint8 (2, size, size); features: five hand-made features of them, see `features`;
    motion: the same of what moved, see `motion_features`; state: the game's own observation, see
    `envs.paddle.game.observe`."""
    screen_size: int = 24
    """Width and height of a screen in pixels."""
    decoys: int = 0
    """Largest number of decoys on a screen: rectangles as bright as the ball that do not move."""
    noise_columns: int = 0
    """Number of further columns of `observation=state`: random numbers that mean nothing."""
    region: str = "all"
    """Part of the box with the balls of the training set: all or upper, the upper half."""
    rarity: float = 1.0
    """Factor by which each direction is rarer than the one before it, in the training set."""

    training_only: ClassVar[tuple[str, ...]] = ("noise", "region", "rarity")
    viewer = GAME_VIEWER

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 24 <= self.screen_size <= 256:
            raise ValueError(
                f"option `screen_size` must be between 24 and 256, got {self.screen_size}"
            )
        if self.observation not in OBSERVATIONS:
            raise ValueError(
                f"option `observation` must be {one_of(OBSERVATIONS)}, got {self.observation!r}"
            )
        if not 0 <= self.decoys <= MOST_DECOYS:
            raise ValueError(
                f"option `decoys` must be between 0 and {MOST_DECOYS}, got {self.decoys}"
            )
        if not 0 <= self.noise_columns <= MOST_NOISE_COLUMNS:
            raise ValueError(
                f"option `noise_columns` must be between 0 and {MOST_NOISE_COLUMNS}, got "
                f"{self.noise_columns}"
            )
        if self.noise_columns and self.observation != "state":
            raise ValueError("option `noise_columns` needs observation=state")
        if self.region not in ("all", "upper"):
            raise ValueError(f"option `region` must be all or upper, got {self.region!r}")
        if not 1 <= self.rarity <= 100:
            raise ValueError(f"option `rarity` must be between 1 and 100, got {self.rarity}")

    @property
    def observation_space(self) -> spaces.Box:
        if self.observation in ("features", "motion"):
            return spaces.Box(-np.inf, np.inf, (5,), np.float32)
        if self.observation == "state":
            columns = math.prod(GAME.observation_space.shape) + self.noise_columns
            return spaces.Box(-1.0, 1.0, (columns,), np.float32)
        return spaces.Box(0, 255, (FRAMES, self.screen_size, self.screen_size), np.uint8)

    @property
    def directions(self) -> tuple[int, ...]:
        """Indices into `DIRECTIONS` of the examples."""
        return ALL_DIRECTIONS

    def sample_states(self, count: int, seed: int) -> tuple[Array, Array]:
        """Return observations of `count` random states, and the states (count,)."""
        lowest = 0.5 if self.region == "upper" else 1.0
        shares, directions = np.zeros(len(DIRECTIONS)), self.directions
        shares[list(directions)] = self.rarity ** -np.arange(len(directions), dtype=np.float64)
        states = GAME.states(count)
        states["rng"] = generators(count, seed)
        screens = np.zeros((count, FRAMES, self.screen_size, self.screen_size), np.uint8)
        cumulated = np.cumsum(shares) / shares.sum()
        things = np.zeros((2 + MOST_DECOYS, 5), np.float32)
        options = GAME.options_record(OPTIONS)
        states_kernel()(states, screens, lowest, cumulated, self.decoys, things, options)
        noise = np.random.default_rng((seed, 1)).uniform(-1.0, 1.0, (count, self.noise_columns))
        return self.with_columns(self.observe(screens, states), noise), states

    def targets_of(self, states: Any) -> Array:
        """Return the targets of `states` (n,)."""
        raise NotImplementedError

    def sample(self, count: int, seed: int) -> Examples:
        observations, states = self.sample_states(count, seed)
        return Examples(observations, self.targets_of(states))

    @property
    def game_screen_size(self) -> int:
        return self.screen_size

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array | None]:
        """Return no target while the ball flies in a direction that no example has."""
        states = np.asarray([state], GAME.state)
        target = self.targets_of(states)[0] if direction(states)[0] in self.directions else None
        noise = np.zeros((1, self.noise_columns))
        return self.with_columns(self.observe(screens[None], states), noise)[0], target

    def with_columns(self, observations: Array, noise: Array) -> Array:
        """Return observations (n, ...) with the columns `noise` (n, noise_columns), if any."""
        if not self.noise_columns:
            return observations
        return np.concatenate((observations, noise.astype(np.float32)), 1)

    def observe(self, screens: Array, states: Any) -> Array:
        """Return observations of `states` (n,) with screens (n, FRAMES, side, side)."""
        if self.observation == "state":
            return rows(states)
        if self.observation == "motion":
            return motion_features(screens)
        return features(screens) if self.observation == "features" else screens


def rows(states: Any) -> Array:
    """Return the game's own observations of `states` (n,): float32 (n, 5) in -1..1."""
    table = np.zeros((len(states), *GAME.observation_space.shape), np.float32)
    GAME.observe(states.view(np.recarray), table.T, OPTIONS)
    return table


def features(screens: Array) -> Array:
    """Return hand-made features of two screens: float32 (n, 5), about -1..1.

    They are the ball's x and y, its displacement between the screens, and the paddle's y. Each
    position is the centre of the light in its part of the screen.
    """
    light = screens.astype(np.float32)
    return _features(light, light[:, -1])


def motion_features(screens: Array) -> Array:
    """Return hand-made features like `features`, of the light that moved: float32 (n, 5).

    What does not move, such as a decoy, is left out.
    """
    gained = np.diff(screens.astype(np.float32), axis=1)
    moved = np.concatenate((np.maximum(-gained, 0.0), np.maximum(gained, 0.0)), 1)
    return _features(moved, screens[:, -1].astype(np.float32))


def _features(ball: Array, paddle: Array) -> Array:
    """Return the features (n, 5) of the ball's light (n, 2, side, side), before and now.

    `paddle` (n, side, side) is the light that shows the paddle.
    """
    side = ball.shape[-1]
    columns = math.ceil(BALL_RADIUS * side / (1.0 + 4 * BALL_RADIUS))  # of the paddle
    places: Array = (np.arange(side, dtype=np.float32) + 0.5) / (side / 2) - 1.0

    def middle(profile: Array) -> Array:
        """Return the centres (...) of light (..., k) in the last k places."""
        weights: Array = np.maximum(profile.sum(-1), 1.0)
        return np.asarray(profile @ places[-profile.shape[-1] :] / weights)

    x, y = (middle(ball[..., columns:].sum(axis)) for axis in (2, 3))
    moves = ((now[:, -1] - now[:, 0]) * side / 2 for now in (x, y))  # in pixels
    paddle_y = middle(paddle[..., :columns].sum(2))
    return np.stack((x[:, -1], y[:, -1], *moves, paddle_y), 1)


def generators(count: int, seed: int) -> Array:
    """Return the generator state of each example, which does not depend on `count`."""
    return scrambled(seeded(seed) + np.arange(1, count + 1, dtype=np.uint64))


def sample_state(state: Any, lowest: float, cumulated: Any, options: Any) -> None:
    """Set `state` to a random ball, above `lowest`, and a random paddle.

    `cumulated` are the cumulated shares of `DIRECTIONS`.
    """
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
def states_kernel() -> Callable[..., None]:
    """Return the compiled loop that samples and draws many states."""

    def sample_states(
        states: Any, screens: Any, lowest: Any, shares: Any, most: Any, things: Any, options: Any
    ) -> None:
        """Sample each state, and draw its screens before and after one step, with decoys."""
        for i in range(states.size):
            sample_state(states[i], lowest, shares, options[0])
            count = 0
            if most > 0:
                locate_game(states[i], things, options[0])
                count = place_decoys(states[i], things, most)
            draw(states[i], screens[i, 0], options[0])
            step(states[i], STAY, options[0])
            draw(states[i], screens[i, 1], options[0])
            for k in range(2):
                fill_decoys(screens[i, k], things, count)

    return compiled(sample_states)


def direction(states: Any) -> Array:
    """Return the indices into `DIRECTIONS` (n,) of the balls of `states` (n,)."""
    return np.asarray(2 * (states["ball_vx"] < 0) + (states["ball_vy"] > 0), np.int64)


def on_screen(place: float) -> float:
    """Return a coordinate of the box, 0..1, as a fraction of the screen."""
    return (place + 2 * BALL_RADIUS) / (1.0 + 4 * BALL_RADIUS)


def landings(states: Any) -> Array:
    """Return the heights (n,) in 0..1 at which the balls of `states` reach the paddle's side."""
    flight = (states[name] for name in ("ball_x", "ball_y", "ball_vx", "ball_vy"))
    return np.asarray(landing(*flight))
