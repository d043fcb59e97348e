"""Stages to be watched: at each moment the question, the guess and the truth.

Made by `gymnasium.make(..., render_mode="rgb_array")`, which is how play.py and the films in
TensorBoard make what they show.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np

from envs.engine.single import GameEnv
from rewards.make import make_single
from stages.datasets.dataset import Array, Stage, data_set
from stages.viewers.pictures import with_screens

SIDE = 480  # pixels
SHOWN = 20  # examples in an episode


class Watched(gymnasium.Env[Array, Any]):
    """A stage's questions one after the other, with guess and truth drawn over what they are of."""

    def __init__(self, stage: Stage, questions_per_second: int) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": questions_per_second}
        self.render_mode = "rgb_array"
        self.observation_space = stage.observation_space
        self.action_space = deepcopy(stage.action_space)
        self.action_names = stage.action_names
        self.guess: Any = None
        """What is drawn beside the truth; by default what was guessed last."""
        self._stage = stage
        self._agent: Any = None

    def watch(self, agent: Any) -> None:
        """Be told who guesses."""
        self._agent = agent


class WatchedGame(Watched):
    """One game of paddle-and-ball with a stage's question at each step.

    The paddle follows the ball, a rule that misses some; what is acted on is the stage's own
    observation and what is rewarded its own guess.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, 30)
        self._game: GameEnv = make_single(
            "envs.paddle.game:GAME",
            "rewards.paddle",
            observation="screen",
            screen_size=stage.observation_side,
        )
        self._surface: Any = None

    @property
    def played(self) -> GameEnv:
        """The game behind the questions."""
        return self._game

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
            reward, score = judged(self._stage, action, self._answer)
            self._scores.append(score)
            info["answer"] = self._answer
        state = self._game.state
        move = 1 + int(np.sign(state.ball_y - state.paddle_y))
        self._screens, _, terminated, truncated, _ = self._game.step(move)
        info["score"] = float(np.mean(self._scores[1:] or self._scores))  # of the game so far
        return self._ask(), reward, terminated, truncated, info

    def render(self) -> Array:
        """The game with the truth and the guess over it or beside it: uint8 (side, width, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of
        from envs.paddle.view import MARGIN, draw

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


class WatchedExamples(Watched):
    """Test examples, one after the other; an episode is some of them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, 1)
        self._examples = data_set(stage, "test")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self._rows = self.np_random.integers(len(self._examples.answers), size=SHOWN + 1)
        self._scores = [0.0]
        return self._ask(), {"score": 0.0}

    def _ask(self) -> Array:
        """The example that comes next, of which nothing has been said yet."""
        self.guess = None
        row = self._rows[len(self._scores) - 1]
        self._answer = self._examples.answers[row]
        self._observation = np.array(self._examples.observations[row])
        return self._observation.copy()

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Judge the guess, and show the next example."""
        reward, score = judged(self._stage, action, self._answer)
        self._scores.append(score)
        info = {"answer": self._answer, "score": float(np.mean(self._scores[1:]))}
        return self._ask(), reward, len(self._scores) > SHOWN, False, info

    def render(self) -> Array:
        """The example with the truth and the guess drawn over it: uint8 (side, side, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of

        surface = pygame.Surface((SIDE, SIDE))
        self._stage.draw_example(surface, self._observation)
        guess = self.guess
        if guess is None and self._agent is not None:  # it is seen before it is judged
            guess = self._agent.act(self._observation[None], explore=False)[0]
        self._stage.draw_over(surface, guess, self._answer)
        return pixels_of(surface)


def judged(stage: Stage, guess: Any, answer: Array) -> tuple[float, float]:
    """The reward and the score of one guess."""
    guesses, answers = np.asarray(guess)[None], answer[None]
    return -float(stage.loss(guesses, answers)[0]), float(stage.score(guesses, answers)[0])
