"""Many games as a Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs.engine.batch import SCORES, GameBatch, Reward
from envs.engine.environment import GameEnvironment
from envs.engine.game import Game
from envs.engine.render import Renderer
from envs.engine.resetting import (
    RESET_NEEDED,
    read_autoreset_mode,
    reset_mask,
    reset_options,
    seed_for_each,
)

Array = np.ndarray[Any, Any]


class GameVectorEnv(GameEnvironment, VectorEnv[Array, Array, Array]):
    """`num_envs` games in one compiled loop.

    After `reset(seed=s)`, game `i` plays exactly like the single environment with seed `s + i`.

    `infos` has `score` and `reward/<term>`, arrays of shape (num_envs,). With autoreset in the same
    step, `infos["final_obs"]` and `infos["final_info"]` have the end of the episodes that ended, in
    the rows that `infos["_final_obs"]` marks. The reward terms always belong to the last step.
    """

    def __init__(
        self,
        game: Game,
        reward: Reward,
        num_envs: int = 1,
        render_mode: str | None = None,
        copy: bool = True,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        **options: Any,
    ) -> None:
        """Create the vector environment, with `render_mode` None or "rgb_array".

        With `copy=False`, the next step overwrites the arrays of a step, which is faster for
        screens. `autoreset_mode` says when a game that ended starts again, as in Gymnasium:
        `SAME_STEP`, `NEXT_STEP` (the next action is ignored, and the reward is 0) or `DISABLED`
        (you call `reset` with `reset_mask`). `options` are `observation`, `history`,
        `screen_size`, `frames` and the game's.

        Raises:
            ValueError: if an option is unknown or has an impossible value.
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f'render_mode must be "rgb_array", got {render_mode!r}')
        self.autoreset_mode = read_autoreset_mode(autoreset_mode)
        self._same_step = self.autoreset_mode is AutoresetMode.SAME_STEP  # enums are slow to read
        self.batch = GameBatch(game, reward, num_envs, reuse_arrays=not copy, **options)
        self.game = game
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": game.steps_per_second,
            "autoreset_mode": self.autoreset_mode,
        }
        self.num_envs = num_envs
        self.single_observation_space = self.batch.observation_space
        self.single_action_space = deepcopy(game.action_space)  # with its own generator
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.render_mode = render_mode
        self._renderer = Renderer(game) if render_mode else None
        self._actions_like = game.actions(num_envs)
        self._info_names = self.batch.info_names
        self._every = np.ones(num_envs, np.bool_)
        self._every.setflags(write=False)  # returned by every step
        self._masks = {f"_{name}": self._every for name in self._info_names}
        self._ended = np.zeros(num_envs, np.bool_)  # games that wait for a reset

    @property
    def states(self) -> Any:
        """Copy of all states as a record array: `env.states.ball_x` has shape (num_envs,)."""
        return self.batch.states.copy().view(np.recarray)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Start new episodes; game `i` gets the seed `seed + i`, or item `i` of a list.

        `options` has `state`, a dict of state fields, each a number or an array (num_envs,), and
        `reset_mask`, a bool array (num_envs,) of the games to reset, by default all.
        """
        options = reset_options(options, "state", "reset_mask")
        mask = reset_mask(options, self.num_envs)
        seeds = [given for given, wanted in zip(self._seeds(seed), mask, strict=True) if wanted]
        self.batch.reset(np.flatnonzero(mask), seeds, options.get("state"))
        self._ended = self._ended & ~mask
        numbers = self.batch.numbers[SCORES:].copy()
        return self.batch.observations, self._masks | dict(
            zip(self._info_names, numbers, strict=True)
        )

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        batch = self.batch
        done_rows = batch.step(self._valid(actions), None if self._same_step else self._starting())
        infos: dict[str, Any] = self._masks.copy()
        for name, values in zip(self._info_names, (batch.scores, *batch.terms), strict=True):
            infos[name] = values
        if not self._same_step:
            self._ended = batch.done.copy()
        elif len(done_rows):
            final_info = infos | dict.fromkeys(self._masks, batch.done)
            batch.restart(done_rows)
            final_info["score"] = batch.final_scores
            infos["final_obs"], infos["final_info"] = batch.final_observations, final_info
            infos["_final_obs"] = infos["_final_info"] = batch.done
        return batch.observations, batch.rewards, batch.terminated, batch.truncated, infos

    def _starting(self) -> Array | None:
        """Return the rows of the games that start again in this step, instead of acting."""
        if not self._ended.any():
            return None
        if self.autoreset_mode == AutoresetMode.DISABLED:
            raise ResetNeeded(RESET_NEEDED)
        return np.flatnonzero(self._ended)

    def render(self) -> tuple[Array, ...] | None:
        """Return a picture of each game: uint8 (height, width, 3)."""
        if self._renderer is None:
            return None
        options, picture = self.batch.options, self._renderer.picture
        return tuple(picture(state, options, i) for i, state in enumerate(self.states))

    def close_extras(self, **kwargs: Any) -> None:
        """Close the renderer, if there is one."""
        if self._renderer is not None:
            self._renderer.close()

    def _seeds(self, seed: int | Sequence[int | None] | None) -> Sequence[int | None]:
        """Return a seed for each game; None continues a generator that was seeded."""
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=int(seed))
        seeds = seed_for_each(seed, self.num_envs)
        if self.batch.seeded:
            return seeds
        fresh = np.random.SeedSequence().generate_state(self.num_envs, np.uint64)
        return [
            int(new) if given is None else given for given, new in zip(seeds, fresh, strict=True)
        ]

    def _valid(self, actions: Array) -> Array:
        actions, like = np.ascontiguousarray(actions), self._actions_like
        if actions.shape != like.shape:
            raise ValueError(f"actions must have shape {like.shape}, got {actions.shape}")
        if actions.dtype == like.dtype:
            return actions
        if actions.dtype.kind not in ("iu" if like.dtype.kind == "i" else "iuf"):
            raise ValueError(f"actions must be {like.dtype.name}, got {actions.dtype.name}")
        return actions.astype(like.dtype)
