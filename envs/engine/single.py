"""One game as a Gymnasium environment."""

from __future__ import annotations

from copy import deepcopy
from itertools import combinations
from operator import index
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from envs.engine.batch import SCORES, GameBatch, Reward
from envs.engine.environment import GameEnvironment
from envs.engine.game import Game
from envs.engine.render import Renderer
from envs.engine.resetting import reset_options

ONLY_ROW = np.zeros(1, np.intp)
"""Rows of a batch of one game."""


class GameEnv(GameEnvironment, gymnasium.Env[np.ndarray[Any, Any], Any]):
    """An environment of one game: a batch of size 1.

    `info` has `score`, the game's own measure of success, and `reward/<term>`, each term of the
    reward before weighting, 0 after a reset. `reset(options={"state": {"field": value}})` starts
    from any state.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - as in Gymnasium
        "render_modes": ["human", "rgb_array"],
        "render_fps": 30,
    }
    """What all games can render; each environment has the speed of its game."""

    def __init__(
        self, game: Game, reward: Reward, render_mode: str | None = None, **options: Any
    ) -> None:
        """Create the environment.

        `render_mode` is None, "human" (a window) or "rgb_array". `options` are `observation`,
        `history`, `screen_size`, `frames` and the game's options.

        Raises:
            ValueError: if an option is unknown or has an impossible value.
        """
        if render_mode not in (None, "human", "rgb_array"):
            raise ValueError(f'render_mode must be "human" or "rgb_array", got {render_mode!r}')
        self.batch = GameBatch(game, reward, 1, **options)
        self.game = game
        self.metadata = self.metadata | {"render_fps": game.steps_per_second}
        self.observation_space = self.batch.observation_space
        self.action_space = deepcopy(game.action_space)  # every environment has its own generator
        self.render_mode = render_mode
        self._renderer = Renderer(game) if render_mode else None
        self._actions = game.actions(1)
        self._discrete = isinstance(game.action_space, spaces.Discrete)
        self._view_batch()

    def set_reward(self, reward: Reward) -> None:
        """Use another reward from the next step on; the episode continues."""
        self.batch.set_reward(reward)
        self._view_batch()

    def _view_batch(self) -> None:
        """Take views of the batch's arrays, which are reused, and the names of its numbers."""
        self._info_names = self.batch.info_names
        self._observation = self.batch.observations[0]
        self._numbers = self.batch.numbers.reshape(-1)
        self._flags = self.batch.flags.reshape(-1)

    @property
    def state(self) -> Any:
        """Copy of the state as a record with fields as attributes: `env.unwrapped.state.ball_x`."""
        return self.batch.states[0].copy()

    @property
    def action_names(self) -> tuple[str, ...]:
        """One name for each action or component, from the game's definition."""
        return self.game.action_names

    def get_keys_to_action(self) -> dict[tuple[int, ...], Any]:
        """Return the action of each combination of keys, for `gymnasium.utils.play.play`."""
        import pygame

        pygame.display.init()  # it knows the codes of the keys
        keys, action_of = self.game.keys, self.game.action_from_keys
        pressed = [some for k in range(len(keys)) for some in combinations(keys, k + 1)]
        codes = {name: pygame.key.key_code(name) for name in keys}
        return {
            tuple(codes[name] for name in some): action_of(some) for some in pressed if action_of
        }

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
        super().reset(seed=seed)
        if seed is None and not self.batch.seeded:
            seed = self.np_random_seed
        self.batch.reset(ONLY_ROW, [seed], reset_options(options, "state").get("state"))
        if self.render_mode == "human":
            self.render()
        numbers = self._numbers[SCORES:].tolist()
        return self._observation.copy(), dict(zip(self._info_names, numbers, strict=True))

    def step(self, action: Any) -> tuple[np.ndarray[Any, Any], float, bool, bool, dict[str, Any]]:
        self._actions[0] = self._valid(action)
        self.batch.step(self._actions)
        reward, *numbers = self._numbers.tolist()
        terminated, truncated, _ = self._flags.tolist()
        if self.render_mode == "human":
            self.render()
        info = {}
        for k, name in enumerate(self._info_names):
            info[name] = numbers[k]
        return self._observation.copy(), reward, terminated, truncated, info

    def _valid(self, action: Any) -> Any:
        if self._discrete:
            try:
                return index(action)
            except TypeError:
                raise ValueError(f"an action must be a whole number, got {action!r}") from None
        if np.shape(action) != self.action_space.shape:
            raise ValueError(f"an action must be in {self.action_space}, got {action!r}")
        return action

    def render(self) -> Any:
        """Return the picture for people, uint8 (height, width, 3); in a window, return None."""
        if self._renderer is None:
            gymnasium.logger.warn("render() needs a render_mode, which make() takes")
            return None
        picture = self._renderer.picture(self.state, self.batch.options)
        if self.render_mode == "rgb_array":
            return picture
        self._renderer.show(picture)
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
