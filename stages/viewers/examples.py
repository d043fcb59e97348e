"""Viewers of datasets: they draw each question with its prediction and its target.

Made by `gymnasium.make(..., render_mode="rgb_array")`, as play.py and TensorBoard's videos do. A
dataset names its viewer, see `stages.datasets.dataset.Dataset.viewer`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np

from envs.engine.single import GameEnv
from rewards.make import make_single
from stages.datasets.dataset import Array, Dataset, examples_of
from stages.pictures.predictions import with_screens

SIDE = 480  # pixels
SHOWN = 20  # examples in an episode


class Viewer(gymnasium.Env[Array, Any]):
    """Base class of viewers that ask one question per step."""

    def __init__(self, dataset: Dataset, questions_per_second: int) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": questions_per_second}
        self.render_mode = "rgb_array"
        self.observation_space = dataset.observation_space
        self.action_space = deepcopy(dataset.action_space)
        self.action_names = dataset.action_names
        self.prediction: Any = None
        """Prediction to draw with the target; by default the latest action."""
        self.target: Any = None
        """Target of the current question, or None if there is none."""
        self._dataset = dataset
        self._agent: Any = None

    def watch(self, agent: Any) -> None:
        """Draw the predictions of `agent` from now on."""
        self._agent = agent


class GameViewer(Viewer):
    """A running game of paddle-and-ball, with the dataset's question at each step.

    The paddle follows the ball by a rule, which misses some balls. Observation, action and reward
    are those of the dataset.
    """

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset, 30)
        self._game: GameEnv = make_single(
            "paddle",
            observation="screen",
            screen_size=dataset.game_screen_size,
        )
        self._surface: Any = None
        self._view: Any = None

    @property
    def played(self) -> GameEnv:
        """The running game."""
        return self._game

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self._screens, _ = self._game.reset(seed=seed)
        self.prediction, self._scores = None, [0.0]
        return self._ask(), {"score": 0.0}

    def _ask(self) -> Array:
        """Return the observation of the current state, and keep its target."""
        observation, self.target = self._dataset.example_from_game(self._screens, self._game.state)
        return observation

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Evaluate the prediction if there is a target, and make one step of the game."""
        info: dict[str, Any] = {}
        self.prediction, reward = action, 0.0
        if self.target is not None:
            reward, score = evaluated(self._dataset, action, self.target)
            self._scores.append(score)
            info["answer"] = self.target
        state = self._game.state
        move = 1 + int(np.sign(state.ball_y - state.paddle_y))
        self._screens, _, terminated, truncated, _ = self._game.step(move)
        info["score"] = float(np.mean(self._scores[1:] or self._scores))  # mean of this game
        return self._ask(), reward, terminated, truncated, info

    def render(self) -> Array:
        """Return the game with target and prediction drawn over or next to it: uint8 (h, w, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of
        from envs.engine.render import SurfaceView
        from envs.paddle.view import MARGIN

        if self._surface is None:
            pygame.font.init()
            self._surface = pygame.Surface((SIDE, SIDE))
            self._view = SurfaceView(self._game.game)
        self._view(self._surface, self._game.state, self._game.batch.options)
        margin = round(SIDE * MARGIN)
        screen = self._surface.subsurface(
            (margin, margin, SIDE - 2 * margin, SIDE - 2 * margin)
        )  # the part that the agent observes
        if self.target is not None:
            self._dataset.draw_prediction(screen, self.prediction, self.target)
            if screens := self._dataset.side_screens(self.prediction, self.target):
                return with_screens(self._surface, screens)
        return pixels_of(self._surface)

    def close(self) -> None:
        """Close the game."""
        self._game.close()


class ExampleViewer(Viewer):
    """One test example per step; an episode is `SHOWN` random ones."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset, 1)
        self._examples = examples_of(dataset, "test")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        self._rows = self.np_random.integers(len(self._examples.targets), size=SHOWN + 1)
        self._scores = [0.0]
        return self._ask(), {"score": 0.0}

    def _ask(self) -> Array:
        """Return the observation of the next example, and keep its target."""
        self.prediction = None
        row = self._rows[len(self._scores) - 1]
        self.target = self._examples.targets[row]
        self._observation = np.array(self._examples.observations[row])
        return self._observation.copy()

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Evaluate the prediction, and show the next example."""
        reward, score = evaluated(self._dataset, action, self.target)
        self._scores.append(score)
        info = {"answer": self.target, "score": float(np.mean(self._scores[1:]))}
        return self._ask(), reward, len(self._scores) > SHOWN, False, info

    def render(self) -> Array:
        """Return the example with target and prediction over or next to it: uint8 (h, w, 3)."""
        import pygame

        from envs.engine.drawing import pixels_of

        surface = pygame.Surface((SIDE, SIDE))
        self._dataset.draw_example(surface, self._observation)
        prediction = self.prediction
        if prediction is None and self._agent is not None:  # step() comes later
            prediction = self._agent.act(self._observation[None], explore=False)[0]
        self._dataset.draw_prediction(surface, prediction, self.target)
        if screens := self._dataset.side_screens(prediction, self.target):
            return with_screens(surface, screens)
        return pixels_of(surface)


def evaluated(dataset: Dataset, prediction: Any, target: Array) -> tuple[float, float]:
    """Return reward and score of one prediction."""
    predictions, targets = np.asarray(prediction)[None], target[None]
    loss, score = dataset.loss(predictions, targets)[0], dataset.score(predictions, targets)[0]
    return -float(loss), float(score)
