"""Object detection: what is where?

Description
    One screen of paddle-and-ball, in which up to three decoys lie about, rectangles of any shape.
    Tell the class and the box of everything, both at once.
Action Space
    `Box(0, 1, (8, 8, 3, 5), float32)`: the screen is a grid of 8 x 8 cells, and each cell says of
    each class (ball, paddle, decoy) how sure it is that the middle of one lies in it, and the box
    that it would have: x and y of its middle, width and height, in fractions of the screen. A grid
    (Redmon et al., "You only look once", CVPR 2016) because things have no order: with a numbered
    list of boxes somebody would first have to decide which prediction was meant for which thing.
Answers
    (5, 5) float32: a row for each thing, its class and its box; -1 everywhere if there is none.
Rewards
    The score less 1. The score is the F1 of one screen: a thing is found if its cell is more sure
    of its class than not, and their boxes share at least half of what they cover together.
    Mean average precision belongs to many screens together; it is `eval/mean_average_precision`.
Everything else
    See `stages.datasets.environments` and `stages.datasets.dataset.Dataset`; `noise` is the share
    of things that whoever wrote the targets has overlooked.
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
from envs.engine.raster import fill_rectangle
from envs.engine.rng import uniform
from envs.paddle.game import BALL_RADIUS, GAME, draw
from stages.datasets.dataset import Array, Assessment, Dataset, Examples
from stages.datasets.metrics import average_precision, match
from stages.datasets.paddle_states import ALL_WAYS, OPTIONS, draw_moment, generators
from stages.viewers.pictures import (
    BRIGHT,
    OF_CLASSES,
    draw_boxes,
    draw_decoys,
    picture_of_boxes,
)

CLASSES = ("ball", "paddle", "decoy")
BALL, PADDLE, DECOY = range(3)
SIDE, GRID = 32, 8  # pixels, cells
MOST_DECOYS = 3
NOTHING = np.float32(-1.0)  # fills the rows of an target that no thing needs
SMALLEST, LARGEST = 0.07, 0.2  # side of a decoy, in fractions of the screen
LEFTMOST = 0.15  # of a decoy: the paddle's side is left free
GAP = 0.06  # between things; with it no two decoys have their middles in one cell
TRIES = 10  # places looked at for a decoy before it is left out
OVERLAP = 0.5  # of two boxes, as their intersection over their union, to be the same thing
LEAST_SURE = 0.05  # what is less sure is no prediction
SHOWN = 12


@dataclass(frozen=True)
class Detect(Dataset):
    """What is where?"""

    feedbacks: ClassVar[dict[str, str]] = {"answer": "the right answer"}

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
        ways = np.cumsum(np.full(len(ALL_WAYS), 1 / len(ALL_WAYS)))
        scenes_kernel()(states, screens, targets, ways, GAME.options_record(OPTIONS))
        return Examples(screens, targets)

    @property
    def game_screen_size(self) -> int:
        return SIDE

    def example_from_game(self, screens: Array, state: Any) -> tuple[Array, Array]:
        """The game's state with decoys that its generator, which now rests, decides."""
        scene = np.zeros((1, SIDE, SIDE), np.uint8)
        things = np.full((2 + MOST_DECOYS, 5), NOTHING, np.float32)
        with np.errstate(over="ignore"):
            draw_scene(state.copy(), scene[0], things, OPTIONS)
        return scene, things

    def draw_prediction(self, surface: Any, prediction: Any, target: Array) -> None:
        """The decoys, and boxes: white what is there, in the colour of its class what was said."""
        there = target[target[:, 0] != NOTHING]
        draw_decoys(surface, there[there[:, 0] == DECOY])
        draw_boxes(surface, there, [BRIGHT] * len(CLASSES), 4)
        if prediction is not None:
            draw_boxes(surface, sure_things(as_list(prediction)), OF_CLASSES, 2)

    def add_label_noise(self, targets: Array, generator: np.random.Generator) -> Array:
        overlooked = generator.random(targets.shape[:2]) < self.noise
        return np.where(overlooked[..., None], NOTHING, targets)

    def loss(self, predictions: Array, targets: Array) -> Array:
        return 1.0 - self.score(predictions, targets)

    def score(self, predictions: Array, targets: Array) -> Array:
        """F1 of each screen: 2 found / (there + said to be there)."""
        there = targets[..., 0] != NOTHING
        classes, rows, columns = (np.where(there, part, 0) for part in cells(targets))
        examples = np.arange(len(targets))[:, None]
        own = predictions[examples, rows, columns, classes]
        overlaps = overlap(own[..., 1:], targets[..., 1:])
        found = there & (own[..., 0] > 0.5) & (overlaps >= OVERLAP)
        said = (predictions[..., 0] > 0.5).sum((1, 2, 3))
        return np.asarray(2.0 * found.sum(1) / np.maximum(there.sum(1) + said, 1))

    def assess(self, observations: Array, predictions: Array, targets: Array) -> Assessment:
        """Average precision of each class and their mean; some screens with boxes."""
        found = [as_list(prediction) for prediction in predictions]
        truths = [truth[truth[:, 0] != NOTHING] for truth in targets]
        precisions = {name: class_precision(found, truths, k) for k, name in enumerate(CLASSES)}
        metrics = {"mean_average_precision": float(np.nanmean(list(precisions.values())))}
        metrics |= {f"average_precision_{name}": value for name, value in precisions.items()}
        sure = [sure_things(boxes) for boxes in found[:SHOWN]]
        picture = picture_of_boxes(observations[:SHOWN, 0], truths[:SHOWN], sure)
        return Assessment(metrics, {"boxes": picture})


def cells(targets: Array) -> tuple[Array, Array, Array]:
    """Class, row and column (n, k), ints, of the cells where the things of `targets` have their
    middles; of what is not there, anything."""
    classes, x, y = targets[..., :3].transpose(2, 0, 1)
    row, column = ((np.minimum(place * GRID, GRID - 1)).astype(np.intp) for place in (y, x))
    return classes.astype(np.intp), row, column


def overlap(boxes: Array, others: Array) -> Array:
    """Intersection over union (...) of boxes (..., 4): x and y of the middle, width, height."""
    low = np.maximum(boxes[..., :2] - boxes[..., 2:] / 2, others[..., :2] - others[..., 2:] / 2)
    high = np.minimum(boxes[..., :2] + boxes[..., 2:] / 2, others[..., :2] + others[..., 2:] / 2)
    shared = np.clip(high - low, 0.0, None).prod(-1)
    union = boxes[..., 2:].prod(-1) + others[..., 2:].prod(-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))


def as_list(prediction: Array) -> Array:
    """What a prediction (GRID, GRID, classes, 5) says: rows (k, 6) of class, sureness and box."""
    row, column, kind = np.nonzero(prediction[..., 0] >= LEAST_SURE)
    return np.column_stack([kind, prediction[row, column, kind]])


def sure_things(boxes: Array) -> Array:
    """Of rows (k, 6) as `as_list` has them, what is rather there than not: rows (m, 5)."""
    return boxes[boxes[:, 1] > 0.5][:, [0, 2, 3, 4, 5]]


def class_precision(found: list[Array], truths: list[Array], kind: int) -> float:
    """Average precision of one class over many screens."""
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
    """Draw `state` with up to three decoys, and write down what is where."""
    draw(state, screen, options)
    unit = 1.0 / (1.0 + 4 * BALL_RADIUS)
    things[0, 0] = BALL
    things[0, 1] = (state.ball_x + 2 * BALL_RADIUS) * unit
    things[0, 2] = (state.ball_y + 2 * BALL_RADIUS) * unit
    things[0, 3] = things[0, 4] = 2 * BALL_RADIUS * unit
    things[1, 0] = PADDLE
    things[1, 1] = 0.5 * BALL_RADIUS * unit
    things[1, 2] = (state.paddle_y + 2 * BALL_RADIUS) * unit
    things[1, 3] = BALL_RADIUS * unit
    things[1, 4] = options.paddle_size * unit
    count = 2
    for _ in range(int(uniform(state, 0.0, MOST_DECOYS + 1.0))):
        for _ in range(TRIES):
            width = uniform(state, SMALLEST, LARGEST)
            height = uniform(state, SMALLEST, LARGEST)
            x = uniform(state, LEFTMOST + width / 2, 1.0 - width / 2)
            y = uniform(state, height / 2, 1.0 - height / 2)
            if is_free(things, count, x, y, width, height):
                things[count, 0] = DECOY
                things[count, 1], things[count, 2] = x, y
                things[count, 3], things[count, 4] = width, height
                left, top = (x - width / 2) * SIDE, (y - height / 2) * SIDE
                right, bottom = left + width * SIDE, top + height * SIDE
                fill_rectangle(screen, left, top, right, bottom, 255.0)
                count += 1
                break


def is_free(things: Any, count: int, x: float, y: float, width: float, height: float) -> bool:
    """Is there a gap between this box and the first `count` things?"""
    for k in range(count):
        aside = abs(things[k, 1] - x) - (things[k, 3] + width) / 2
        down = abs(things[k, 2] - y) - (things[k, 4] + height) / 2
        if max(aside, down) < GAP:
            return False
    return True


@functools.cache
def scenes_kernel() -> Callable[..., None]:
    """The compiled loop over many scenes."""

    def draw_scenes(states: Any, screens: Any, targets: Any, ways: Any, options: Any) -> None:
        """Draw each state, how it looks, and what is where."""
        for i in range(states.size):
            draw_moment(states[i], 1.0, ways, options[0])
            draw_scene(states[i], screens[i, 0], targets[i], options[0])

    return compiled(draw_scenes)
