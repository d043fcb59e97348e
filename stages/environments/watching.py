"""A stage to be watched: a running game, and at each moment the question, the guess, the truth.

Made by `gymnasium.make(..., render_mode="rgb_array")`, which is how play.py and the films in
TensorBoard make what they show. The paddle follows the ball, a rule that misses some; what is acted
on is the stage's own observation and what is rewarded its own guess.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np

from envs.single import GameEnv
from rewards.rewarded import make_single
from stages.environments.pictures import pixels_of, with_screens
from stages.environments.stage import Array, Stage

SIDE = 480  # pixels


class WatchedGame(gymnasium.Env[Array, Any]):
    """One game of paddle-and-ball with a stage's question at each step."""

    def __init__(self, stage: Stage) -> None:
        if not stage.can_be_watched:
            raise ValueError("this environment cannot be watched: render_mode must be None")
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": 30}
        self.render_mode = "rgb_array"
        self.observation_space = stage.observation_space
        self.action_space = deepcopy(stage.action_space)
        self.action_names = stage.action_names
        self.guess: Any = None
        """What is drawn beside the truth; by default what was guessed last."""
        self._stage = stage
        self._game: GameEnv = make_single(
            "envs.paddle:GAME",
            "rewards.paddle",
            observation="screen",
            screen_size=stage.observation_side,
        )
        self._surface: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self._screens, _ = self._game.reset(seed=seed)
        self.guess, self._scores = None, [0.0]
        return self._ask(), {"score": 0.0}

    def _ask(self) -> Array:
        """What the moment looks like to the agent; its answer is kept for the guess."""
        observation, self._answer = self._stage.look(self._screens, self._game.state)
        return observation

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Judge the guess, where there is something to be asked, and go on by one step."""
        info: dict[str, Any] = {}
        self.guess, reward = action, 0.0
        if self._answer is not None:
            guesses, answers = np.asarray(action)[None], self._answer[None]
            reward = -float(self._stage.loss(guesses, answers)[0])
            self._scores.append(float(self._stage.score(guesses, answers)[0]))
            info["answer"] = self._answer
        state = self._game.state
        move = 1 + int(np.sign(state.ball_y - state.paddle_y))
        self._screens, _, terminated, truncated, _ = self._game.step(move)
        info["score"] = float(np.mean(self._scores[1:] or self._scores))  # of the game so far
        return self._ask(), reward, terminated, truncated, info

    def render(self) -> Array:
        """The game with the truth and the guess over it or beside it: uint8 (side, width, 3)."""
        import pygame

        from envs.paddle_view import MARGIN, draw

        if self._surface is None:
            pygame.font.init()
            self._surface = pygame.Surface((SIDE, SIDE))
        draw(self._surface, self._game.state, self._game.batch.options)
        margin = round(SIDE * MARGIN)
        screen = self._surface.subsurface(
            (margin, margin, SIDE - 2 * margin, SIDE - 2 * margin)
        )  # what the agent sees of it
        if self._answer is not None:
            self._stage.draw_over(screen, self.guess, self._answer)
            if beside := self._stage.beside(self.guess, self._answer):
                return with_screens(self._surface, beside)
        return pixels_of(self._surface)

    def close(self) -> None:
        """Nothing is left open."""
        self._game.close()
