"""Object detection: which things are where?

Description
    Predict the class and the box of every thing on a screen of paddle-and-ball: the ball, the
    paddle and up to three decoys, rectangles of random size.
Observation Space
    `Box(0, 255, (1, 32, 32), uint8)`.
Action Space
    `Box(0, 1, (8, 8, 3, 5), float32)`: the screen is a grid of 8 x 8 cells. For each class (ball,
    paddle, decoy) a cell holds the confidence that the centre of such a thing lies in it, and its
    box: x and y of the centre, width and height, in fractions of the screen. The things have no
    order; a grid (Redmon et al., "You only look once", CVPR 2016) avoids matching numbered boxes
    with them.
Targets
    Float32 (5, 5): a row of class and box for each thing; unused rows are -1.
Rewards
    The score minus 1. The score is the F1 of one screen: a thing counts as found if its cell has
    a confidence above 0.5 for its class and the boxes' intersection over union is at least 0.5.
    The mean average precision over all screens is logged as `eval/mean_average_precision`.
Arguments
    See `Detect`, `stages.datasets.dataset.Dataset` and `stages.datasets.environments`. `noise` is
    the share of things that the labels of the training set omit.
Version History
    v0: first version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from envs.engine.compilation import compiled
from envs.paddle.game import GAME, draw
from stages.datasets.dataset import GAME_VIEWER, Array, Assessment, Dataset, Examples
from stages.datasets.decoys import DECOY, MOST_DECOYS, fill_decoys, locate_game, place_decoys
from stages.datasets.metrics import average_precision, match
from stages.datasets.paddle_states import DIRECTIONS, OPTIONS, generators, sample_state
from stages.pictures.predictions import (
    BRIGHT,
    CLASS_COLOURS,
    draw_boxes,
    draw_decoys,
    picture_of_boxes,
)

CLASSES = ("ball", "paddle", "decoy")
SIDE, GRID = 32, 8  # pixels, cells
NOTHING = np.float32(-1.0)  # fills the unused rows of a target
OVERLAP = 0.5  # intersection over union from which a box counts as found
MIN_CONFIDENCE = 0.05  # of a predicted box
SHOWN = 12


@dataclass(frozen=True)
class Detect(Dataset):
    """Find the things on a screen."""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "labels"}
    viewer = GAME_VIEWER

    @property
    def observation_space(self) -> spaces.Box:
        return spaces.Box(0, 255, (1, SIDE, SIDE), np.uint8)

    @property
    def action_space(self) -> spaces.Box:
        return spaces.Box(0.0, 1.0, (GRID, GRID, len(CLASSES), 5), np.float32)

    def sample(self, count: int, seed: int) -> Examples:
        states = GAME.states(count)
        states["rng"] = generators(count, seed)
        screens = np.zeros((count, 1, SIDE, SIDE), np.uint8)
        targets = np.full((count, 2 + MOST_DECOYS, 5), NOTHING, np.float32)
        shares = np.cumsum(np.full(len(DIRECTIONS), 1 / len(DIRECTIONS)))
        scenes_kernel()(states, screens, targets, shares, GAME.options_record(OPTIONS))
        return Examples(screens, targets)

    @property
    def game_screen_size(self) -> int:
        return SIDE

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array]:
        """Return the game's screen with decoys, which a copy of its generator places."""
        scene = np.zeros((1, SIDE, SIDE), np.uint8)
        things = np.full((2 + MOST_DECOYS, 5), NOTHING, np.float32)
        with np.errstate(over="ignore"):
            draw_scene(state.copy(), scene[0], things, OPTIONS)
        return scene, things

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """Draw decoys, true boxes in white, and predicted boxes in the colours of their classes."""
        there = target[target[:, 0] != NOTHING]
        draw_decoys(surface, there[there[:, 0] == DECOY])
        draw_boxes(surface, there, [BRIGHT] * len(CLASSES), 4)
        if prediction is not None:
            draw_boxes(surface, confident_boxes(as_list(prediction)), CLASS_COLOURS, 2)

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        """Omit things from the labels."""
        omitted = generator.random(targets.shape[:2]) < self.noise
        return np.where(omitted[..., None], NOTHING, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.score(predictions, targets)

    def score(self, predictions: Array, targets: Array) -> Array:
        """Return the F1 of each screen: 2 found / (true things + predicted things)."""
        there = targets[..., 0] != NOTHING
        classes, rows, columns = (np.where(there, part, 0) for part in cells(targets))
        examples = np.arange(len(targets))[:, None]
        own = predictions[examples, rows, columns, classes]
        overlaps = overlap(own[..., 1:], targets[..., 1:])
        found = there & (own[..., 0] > 0.5) & (overlaps >= OVERLAP)
        predicted = (predictions[..., 0] > 0.5).sum((1, 2, 3))
        return np.asarray(2.0 * found.sum(1) / np.maximum(there.sum(1) + predicted, 1))

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Return the average precision of each class, their mean, and screens with boxes."""
        found = [as_list(prediction) for prediction in predictions]
        truths = [truth[truth[:, 0] != NOTHING] for truth in targets]
        precisions = {name: class_precision(found, truths, k) for k, name in enumerate(CLASSES)}
        metrics = {"mean_average_precision": float(np.nanmean(list(precisions.values())))}
        metrics |= {f"average_precision_{name}": value for name, value in precisions.items()}
        confident = [confident_boxes(boxes) for boxes in found[:SHOWN]]
        picture = picture_of_boxes(observations[:SHOWN, 0], truths[:SHOWN], confident)
        return Assessment(metrics, {"boxes": picture})


def cells(targets: Array) -> tuple[Array, Array, Array]:
    """Return class, row and column, ints (n, k), of the cells with the things' centres.

    Unused rows of `targets` give arbitrary values.
    """
    classes, x, y = targets[..., :3].transpose(2, 0, 1)
    row, column = ((np.minimum(place * GRID, GRID - 1)).astype(np.intp) for place in (y, x))
    return classes.astype(np.intp), row, column


def overlap(boxes: Array, others: Array) -> Array:
    """Return the intersection over union (...) of boxes (..., 4): centre x, y, width, height."""
    low = np.maximum(boxes[..., :2] - boxes[..., 2:] / 2, others[..., :2] - others[..., 2:] / 2)
    high = np.minimum(boxes[..., :2] + boxes[..., 2:] / 2, others[..., :2] + others[..., 2:] / 2)
    shared = np.clip(high - low, 0.0, None).prod(-1)
    union = boxes[..., 2:].prod(-1) + others[..., 2:].prod(-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))


def as_list(prediction: Array) -> Array:
    """Return a prediction (GRID, GRID, classes, 5) as rows (k, 6): class, confidence, box."""
    row, column, kind = np.nonzero(prediction[..., 0] >= MIN_CONFIDENCE)
    return np.column_stack([kind, prediction[row, column, kind]])


def confident_boxes(boxes: Array) -> Array:
    """Return the rows of `as_list` with a confidence above 0.5, as (m, 5): class and box."""
    return boxes[boxes[:, 1] > 0.5][:, [0, 2, 3, 4, 5]]


def class_precision(found: list[Array], truths: list[Array], kind: int) -> float:
    """Return the average precision of one class over many screens."""
    scores, hits, there = [], [], 0
    for boxes, truth in zip(found, truths, strict=True):
        boxes, truth = boxes[boxes[:, 0] == kind, 1:], truth[truth[:, 0] == kind, 1:]
        boxes = boxes[np.argsort(-boxes[:, 0], kind="stable")]
        overlaps = overlap(boxes[:, None, 1:], truth[None])
        scores.append(boxes[:, 0])
        hits.append(match(overlaps, OVERLAP))
        there += len(truth)
    return average_precision(np.concatenate(scores), np.concatenate(hits), there)


def draw_scene(state: Any, screen: Any, things: Any, options: Any) -> None:
    """Draw `state` with up to three decoys, and write classes and boxes into `things`."""
    draw(state, screen, options)
    locate_game(state, things, options)
    fill_decoys(screen, things, place_decoys(state, things, MOST_DECOYS))


@functools.cache
def scenes_kernel() -> Callable[..., None]:
    """Return the compiled loop over many scenes."""

    def draw_scenes(states: Any, screens: Any, targets: Any, shares: Any, options: Any) -> None:
        """Sample each state, draw it, and write its target."""
        for i in range(states.size):
            sample_state(states[i], 1.0, shares, options[0])
            draw_scene(states[i], screens[i, 0], targets[i], options[0])

    return compiled(draw_scenes)
