"""In-context learning: a prompt of examples of a hidden rule, and a question.

Description
    Five buttons move the paddle two steps up, one step up, not at all, one step down or two steps
    down. Which button does what, and how long a step is, is hidden. Which button brings the paddle
    closest to the ball? A prompt is a sequence of such questions under one hidden rule, each
    followed by its right answer. An agent that answers later questions better than the first has
    learned from the prompt, since nothing else tells it the rule.
Observation Space
    `Box(-1, 4, (shots + 2, 6), float32)`. Row 0 is the description: the buttons of the five moves,
    or -1 everywhere. Each further row is a question: the five numbers of the game's observation,
    and the right answer to the previous question (-1 in the first one).
Action Space
    `MultiDiscrete` of `shots + 1` buttons: the answer to each question, given the rows up to it.
    Answer k is thus given after k examples.
Rewards
    Minus the share of wrong answers. The score is the share of right ones.
Rules
    The buttons can be wired in 120 ways, and a step has a length between `SHORTEST` and `LONGEST`.
    Training prompts use 90 of the wirings and test prompts the other 30, so that every test rule
    is new. Validation prompts are new prompts of the training wirings. To choose settings, train
    with `rules=tuning`: 75 of the 90, and the other 15 in validation prompts.
Metrics
    `shots_4`: the accuracy after 4 examples, in prompts without a description. `told_4`: the same
    in prompts with one.
Arguments
    See `Prompts`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`.
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
from envs.names import one_of
from envs.paddle.game import GAME, observe
from stages.datasets.classification import SequenceDataset
from stages.datasets.dataset import Array, Assessment, Examples
from stages.datasets.paddle_states import DIRECTIONS, OPTIONS, generators, sample_state
from stages.pictures.predictions import DIM

MOVES = ("two up", "one up", "stay", "one down", "two down")
BUTTONS = ("A", "B", "C", "D", "E")
FURTHEST = len(MOVES) // 2  # steps
SHORTEST, LONGEST = 0.1, 0.4  # steps, in box heights
NONE = -1.0  # in place of an unknown button
QUESTION = 5  # numbers of the game's observation
MOST_SHOTS = 1_000
HEADING = 116  # pixels above the tiles
LEGIBLE = 16  # pixels; smaller tiles have no letters
REPORTED = (0, 1, 2, 4, 8, 16, 32, 64)
"""Numbers of examples after which the accuracy is reported."""

_wirings = np.random.default_rng(0).permutation(list(itertools.permutations(range(len(BUTTONS)))))
WIRINGS = {
    "training": _wirings[:90],
    "tuning": _wirings[:75],
    "validation": _wirings[75:90],
    "test": _wirings[90:],
}
"""Buttons (k, 5) of the moves."""


@dataclass(frozen=True)
class Prompts(SequenceDataset):
    """Answer questions about a hidden rule, given examples in the prompt."""

    shots: int = 64
    """Number of examples in a prompt, before its last question."""
    described: float = 0.5
    """Share of the prompts that begin with a description."""
    rules: str = "training"
    """Wirings of the training prompts: training, tuning, validation or test."""
    rule: int = -1
    """Index of the only wiring of training and test prompts, with a step length that follows from
    `data_seed`; -1: a random wiring for each prompt."""

    feedbacks: ClassVar[dict[str, str]] = {"prompt": "examples in the prompt"}
    tuning_options: ClassVar[dict[str, Any]] = {"rules": "tuning"}
    action_names = BUTTONS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.noise:
            raise ValueError("option `noise` must be 0: examples in a prompt have right answers")
        if not 0 <= self.shots <= MOST_SHOTS:
            raise ValueError(
                f"option `shots` must be between 0 and {MOST_SHOTS:,}, got {self.shots}"
            )
        if not 0 <= self.described <= 1:
            raise ValueError(f"option `described` must be between 0 and 1, got {self.described}")
        if self.rules not in WIRINGS:
            raise ValueError(f"option `rules` must be {one_of(WIRINGS)}, got {self.rules!r}")
        if not -1 <= self.rule < len(WIRINGS[self.rules]):
            raise ValueError(
                f"option `rule` must be between -1 and {len(WIRINGS[self.rules]) - 1} with "
                f"rules={self.rules}, got {self.rule}"
            )

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(NONE, len(BUTTONS) - 1, (self.shots + 2, QUESTION + 1), np.float32)

    @property
    def action_space(self) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete([len(BUTTONS)] * (self.shots + 1))

    def held_out(self, split: str) -> Self:
        """Return the dataset with the wirings of the split, unless it has only one rule."""
        dataset = super().held_out(split)
        if self.rule >= 0:
            return dataset
        new = {"test": "test", "validation": "validation" if self.rules == "tuning" else self.rules}
        return dataclasses.replace(dataset, rules=new[split])

    def sample(self, count: int, seed: int) -> Examples:
        questions = self.shots + 1
        states = GAME.states(count * questions)
        states["rng"] = generators(len(states), seed)
        seen = np.zeros((len(states), QUESTION), np.float32)
        questions_kernel()(states, seen, GAME.options_record(OPTIONS))
        wirings, steps = self.hidden(count, seed)
        moves = best_moves(states.reshape(count, questions), steps[:, None])
        targets = np.take_along_axis(wirings, moves, 1)
        prompts = np.full((count, questions + 1, QUESTION + 1), NONE, np.float32)
        prompts[:, 1:, :QUESTION] = seen.reshape(count, questions, QUESTION)
        prompts[:, 2:, QUESTION] = targets[:, :-1]
        described = np.random.default_rng((seed, 3)).random(count) < self.described
        prompts[described, 0, :QUESTION] = wirings[described]
        return Examples(prompts, targets)

    def hidden(self, count: int, seed: int) -> tuple[Array, Array]:
        """Return the rules of `count` prompts: wirings (count, 5) and step lengths (count,)."""
        wirings, number = WIRINGS[self.rules], self.rule
        if number >= 0:
            step = np.random.default_rng((self.data_seed, number)).uniform(SHORTEST, LONGEST)
            return np.repeat(wirings[[number]], count, 0), np.full(count, step)
        numbers = np.random.default_rng((seed, 1)).integers(len(wirings), size=count)
        steps = np.random.default_rng((seed, 2)).uniform(SHORTEST, LONGEST, count)
        return wirings[numbers], steps

    def draw_example(self, surface: Any, observation: Array) -> None:
        """Write the description of the prompt, and what the tiles below are."""
        from envs.engine.drawing import write

        surface.fill(BACKGROUND)
        wiring = observation[0, :QUESTION]
        buttons = ", ".join(
            f"{move} {BUTTONS[int(button)]}" for move, button in zip(MOVES, wiring, strict=True)
        )
        lines = (
            "Which button brings the paddle closest to the ball?",
            "The wiring is hidden" if wiring[0] == NONE else f"Wiring: {buttons}",
            "Answers after 0, 1, 2, ... examples (small: the right one)",
        )
        for k, line in enumerate(lines):
            write(surface, line, (12, 28 + 32 * k), 22, WHITE if k == 0 else DIM)

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Draw a tile per answer, row by row: green, or red with the right answer below."""
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
        """Return the accuracy after each number of examples."""
        right, described = predictions == targets, observations[:, 0, 0] != NONE
        kinds = {"shots": right[~described], "told": right[described]}
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
    """Return prompts (n, k + 2, 6): each of `questions` after the same k examples.

    `questions` (n, 2, 6) are prompts without shots, and the examples are of a dataset without them.
    """
    shown = examples.observations[:, 1]
    repeated = np.broadcast_to(shown, (len(questions), *shown.shape))
    prompts = np.concatenate((questions[:, :1], repeated, questions[:, 1:]), 1)
    prompts[:, 2:, QUESTION] = examples.targets[:, 0]
    return prompts


def best_moves(states: Any, step: Array | float) -> Array:
    """Return the index into `MOVES` that brings the paddle closest; `step` is in box heights."""
    distance = states["ball_y"] - states["paddle_y"]
    steps = np.clip(np.rint(distance / step), -FURTHEST, FURTHEST)
    return np.asarray(steps + FURTHEST, np.int64)


@functools.cache
def questions_kernel() -> Callable[..., None]:
    """Return the compiled loop over many states of the game."""
    even = np.linspace(0.25, 1.0, len(DIRECTIONS))

    def sample_questions(states: Any, seen: Any, options: Any) -> None:
        """Sample each state, and observe it."""
        for i in range(states.size):
            sample_state(states[i], 1.0, even, options[0])
            observe(states[i], seen[i], options[0])

    return compiled(sample_questions)
