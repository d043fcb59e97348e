"""In-context learning: examples of a hidden rule in the prompt, and the next question.

Description
    A box with five buttons moves the paddle: two steps up, one up, not at all, one down, two down.
    Nobody says which button does which, nor how long a step is. Which one brings the paddle nearest
    to the ball? A prompt is a row of such questions under one hidden rule, each with its target in
    the row behind it. Whoever targets the last of them as well as the first has learned nothing;
    whoever gets better has learned from the prompt, since there is no other place to learn from.
Observation Space
    `Box(-1, 4, (shots + 2, 6), float32)`. Row 0 is the description: the button of each of the five
    ways, or -1 everywhere if nothing is told. Each further row is a question: the game's own five
    numbers, and the right target to the question before it (to the first: -1).
Action Space
    `MultiDiscrete` of `shots + 1` buttons: the target to each question, by what stands in its row
    and above. The k-th is thus an target after k examples.
Rewards
    Minus the share of wrong targets. The score is the share of right ones.
Rules
    There are 120 ways to wire the buttons, mirrored ones among them, and a step is anything between
    `SHORTEST` and `LONGEST`. Prompts to train on have 90 of the wirings, test prompts the other 30:
    rules that nobody has met.
Measured besides
    `shots_4`: the share of right targets after 4 examples, in prompts without a description;
    `told_4`: in those with one.
Everything else
    See `stages.datasets.environments` and `stages.datasets.dataset.Dataset`.
Version History
    v0: first version.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from gymnasium import spaces

from envs.engine.compilation import compiled
from envs.engine.palette import BACKGROUND, GREEN, RED, WHITE
from envs.paddle.game import GAME, observe
from stages.datasets.classification import SequenceDataset
from stages.datasets.dataset import Array, Assessment, Examples
from stages.datasets.paddle_states import DIRECTIONS, OPTIONS, draw_moment, generators
from stages.viewers.pictures import DIM

WAYS = ("two up", "one up", "stay", "one down", "two down")
BUTTONS = ("A", "B", "C", "D", "E")
FURTHEST = len(WAYS) // 2  # steps
SHORTEST, LONGEST = 0.1, 0.4  # steps, in box heights
NONE = -1.0  # where nothing is told
MOMENT = 5  # numbers in the game's observation
MOST_SHOTS = 1_000
HEADING = 116  # pixels above the tiles
LEGIBLE = 16  # pixels to a tile's side from which it has a letter
REPORTED = (0, 1, 2, 4, 8, 16, 32, 64)
"""Numbers of examples for which the accuracy is reported."""

_wirings = np.random.default_rng(0).permutation(list(itertools.permutations(range(len(BUTTONS)))))
WIRINGS = {"training": _wirings[:90], "test": _wirings[90:]}
"""The button (k, 5) of each of `WAYS`."""


@dataclass(frozen=True)
class Prompts(SequenceDataset):
    """Which button, by these examples?"""

    shots: int = 64
    """Examples in a prompt, before its last question."""
    described: float = 0.5
    """Share of the prompts that begin with a description."""
    rules: str = "training"
    """Whose wirings the prompts to train on have, training or test; test prompts: the test's."""
    rule: int = -1
    """Always this one of them, with a step drawn by `data_seed`, in test prompts too; -1: another
    for each prompt."""

    feedbacks: ClassVar[dict[str, str]] = {"prompt": "examples in the prompt"}
    action_names = BUTTONS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: the examples in a prompt are right")
        if not 0 <= self.shots <= MOST_SHOTS:
            raise ValueError(
                f"option `shots` must be between 0 and {MOST_SHOTS:,}, not {self.shots}"
            )
        if not 0 <= self.described <= 1:
            raise ValueError(f"option `described` must be between 0 and 1, not {self.described}")
        if self.rules not in WIRINGS:
            raise ValueError(f"option `rules` must be {' or '.join(WIRINGS)}, not {self.rules!r}")
        if not -1 <= self.rule < len(WIRINGS[self.rules]):
            raise ValueError(
                f"option `rule` must be between -1 and {len(WIRINGS[self.rules]) - 1} with "
                f"rules={self.rules}, not {self.rule}"
            )

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(NONE, len(BUTTONS) - 1, (self.shots + 2, MOMENT + 1), np.float32)

    @property
    def action_space(self) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete([len(BUTTONS)] * (self.shots + 1))

    def for_testing(self) -> Self:
        """By rules that no prompt of training has, unless it is always the same one."""
        tested = super().for_testing()
        return tested if self.rule >= 0 else dataclasses.replace(tested, rules="test")

    def sample(self, count: int, seed: int) -> Examples:
        questions = self.shots + 1
        states = GAME.states(count * questions)
        states["rng"] = generators(len(states), seed)
        seen = np.zeros((len(states), MOMENT), np.float32)
        questions_kernel()(states, seen, GAME.options_record(OPTIONS))
        wirings, steps = self.hidden(count, seed)
        ways = best_ways(states.reshape(count, questions), steps[:, None])
        targets = np.take_along_axis(wirings, ways, 1)
        prompts = np.full((count, questions + 1, MOMENT + 1), NONE, np.float32)
        prompts[:, 1:, :MOMENT] = seen.reshape(count, questions, MOMENT)
        prompts[:, 2:, MOMENT] = targets[:, :-1]
        told = np.random.default_rng((seed, 3)).random(count) < self.described
        prompts[told, 0, :MOMENT] = wirings[told]
        return Examples(prompts, targets)

    def hidden(self, count: int, seed: int) -> tuple[Array, Array]:
        """The rules of `count` prompts: wirings (count, 5) and how long a step is (count,)."""
        wirings, number = WIRINGS[self.rules], self.rule
        if number >= 0:
            step = np.random.default_rng((self.data_seed, number)).uniform(SHORTEST, LONGEST)
            return np.repeat(wirings[[number]], count, 0), np.full(count, step)
        numbers = np.random.default_rng((seed, 1)).integers(len(wirings), size=count)
        steps = np.random.default_rng((seed, 2)).uniform(SHORTEST, LONGEST, count)
        return wirings[numbers], steps

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Whether the wiring is told, and what the tiles below are."""
        from envs.engine.drawing import write

        surface.fill(BACKGROUND)
        told = observation[0, :MOMENT]
        buttons = ", ".join(
            f"{way} {BUTTONS[int(button)]}" for way, button in zip(WAYS, told, strict=True)
        )
        lines = (
            "A new rule: which button brings the paddle to the ball?",
            "Its wiring is not told" if told[0] == NONE else f"Told: {buttons}",
            "Its targets after 0, 1, 2, ... examples; small: the right one",
        )
        for k, line in enumerate(lines):
            write(surface, line, (12, 28 + 32 * k), 22, WHITE if k == 0 else DIM)

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """A tile for each target, row by row: green where it is right, else the right one below."""
        import pygame

        from envs.engine.drawing import write

        columns = 10 * math.ceil(math.sqrt(len(target)) / 10)
        width, height = surface.get_size()
        size = min(width / columns, (height - HEADING) / -(-len(target) // columns))
        for k, right in enumerate(target.tolist()):
            x, y = k % columns * size + 1, HEADING + k // columns * size + 1
            tile = pygame.Rect(round(x), round(y), round(size) - 2, round(size) - 2)
            if prediction is None:
                pygame.draw.rect(surface, DIM, tile, 1)
                continue
            is_right = prediction[k] == right
            pygame.draw.rect(surface, GREEN if is_right else RED, tile)
            if size < LEGIBLE:
                continue
            lift = 0 if is_right else round(size * 0.15)
            place = (tile.centerx, tile.centery - lift)
            write(surface, BUTTONS[prediction[k]], place, round(size * 0.6), BACKGROUND, 0.5)
            if not is_right:
                place = (tile.centerx, tile.bottom - size * 0.17)
                write(surface, BUTTONS[right], place, round(size * 0.4), WHITE, 0.5)

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """The share of right targets after each number of examples."""
        right, told = predictions == targets, observations[:, 0, 0] != NONE
        kinds = {"shots": right[~told], "told": right[told]}
        return Assessment(
            {
                f"{name}_{k}": float(rows[:, k].mean())
                for name, rows in kinds.items()
                for k in REPORTED
                if k <= self.shots and len(rows)
            },
            {},
        )


def behind(examples: Examples, questions: Array) -> Array:
    """Prompts (n, k + 2, 6): each of `questions` (n, 2, 6) behind the same k examples.

    Args:
        examples: drawn without shots, each of them with one target.
        questions: prompts without shots.
    """
    shown = examples.observations[:, 1]
    every = np.broadcast_to(shown, (len(questions), *shown.shape))
    prompts = np.concatenate((questions[:, :1], every, questions[:, 1:]), 1)
    prompts[:, 2:, MOMENT] = examples.targets[:, 0]
    return prompts


def best_ways(states: Any, step: Array | float) -> Array:
    """Which of `WAYS` brings the paddle nearest to the ball, where a step is `step` long."""
    distance = states["ball_y"] - states["paddle_y"]
    steps = np.clip(np.rint(distance / step), -FURTHEST, FURTHEST)
    return np.asarray(steps + FURTHEST, np.int64)


@functools.cache
def questions_kernel() -> Callable[..., None]:
    """The compiled loop over many moments of the game."""
    even = np.linspace(0.25, 1.0, len(DIRECTIONS))

    def draw_questions(states: Any, seen: Any, options: Any) -> None:
        """Draw each state, and what is seen of it."""
        for i in range(states.size):
            draw_moment(states[i], 1.0, even, options[0])
            observe(states[i], seen[i], options[0])

    return compiled(draw_questions)
