"""Tests of detection: boxes compared with the light, and average precision with COCO's code."""

from __future__ import annotations

import contextlib
import io
import itertools

import numpy as np
import pytest
import torch
from gymnasium import spaces
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from agents.agent import Task
from agents.networks.box_head import Boxes, GridNetwork
from stages.datasets.dataset import Array, examples_of
from stages.datasets.detect import (
    CLASSES,
    GRID,
    OVERLAP,
    Detect,
    cells,
    class_precision,
    overlap,
)
from stages.datasets.metrics import average_precision, confusion_matrix, recall

STAGE = Detect(examples=400)


def test_boxes_are_where_the_light_is() -> None:
    """Each box holds as much light as its area, and all boxes together hold all light."""
    screens, targets, _ = examples_of(STAGE, "train")
    side = screens.shape[-1]
    counts = (targets[..., 0] >= 0).sum(1)
    assert set(counts) == {2, 3, 4, 5}
    for screen, things in zip(screens[:, 0], targets, strict=True):
        lit = np.zeros((side, side))
        for _, x, y, width, height in things[things[:, 0] >= 0]:
            rows, columns = (
                np.clip(
                    np.minimum(np.arange(side) + 1, (middle + size / 2) * side)
                    - np.maximum(np.arange(side), (middle - size / 2) * side),
                    0,
                    1,
                )
                for middle, size in ((y, height), (x, width))
            )
            lit = np.maximum(lit, rows[:, None] * columns)
        np.testing.assert_allclose(screen / 255, lit, atol=0.01)


def perfect(targets: Array) -> Array:
    """Return the perfect prediction of `targets`."""
    predictions = np.zeros((len(targets), GRID, GRID, len(CLASSES), 5), np.float32)
    there = targets[..., 0] >= 0
    examples, things = np.nonzero(there)
    kind, row, column = (part[examples, things] for part in cells(targets))
    predictions[examples, row, column, kind, 0] = 0.9
    predictions[examples, row, column, kind, 1:] = targets[examples, things, 1:]
    return predictions


def test_things_never_share_a_cell_and_a_perfect_prediction_scores_1() -> None:
    screens, targets, _ = examples_of(STAGE, "test")
    predictions = perfect(targets)
    assert (predictions[..., 0] > 0).sum() == (targets[..., 0] >= 0).sum()
    assert (STAGE.score(predictions, targets) == 1).all()
    metrics, pictures, _ = STAGE.assess(screens[:50], predictions[:50], targets[:50])
    assert metrics["mean_average_precision"] == 1
    assert pictures["boxes"].ndim == 3
    predictions[:, 0, 0, 2, 0] = 0.6  # a false alarm in each
    there = (targets[..., 0] >= 0).sum(1)
    free = ~((targets[..., 0] == 2) & (targets[..., 1:3] < 1 / GRID).all(-1)).any(1)
    expected = 2 * there / (there + there + 1)
    np.testing.assert_allclose(STAGE.score(predictions, targets)[free], expected[free])


def test_the_most_likely_target_is_the_prediction() -> None:
    """`log_prob` (for learning) and `mode` (for acting) agree on cells and numbers."""
    boxes = Boxes(STAGE.action_space)
    _, targets, _ = examples_of(STAGE, "train")
    targets = targets[:8].copy()
    outputs = torch.zeros((boxes.outputs, 8), requires_grad=True)
    optimizer = torch.optim.Adam([outputs], 0.2)
    for _ in range(150):
        optimizer.zero_grad()
        (-boxes.log_prob(outputs, torch.from_numpy(targets), torch.zeros(0)).sum()).backward()
        optimizer.step()
    assert (STAGE.score(boxes.mode(outputs.detach().numpy()), targets) == 1).all()


def guessed(generator: np.random.Generator, targets: Array) -> tuple[list[Array], list[Array]]:
    """Return predicted boxes: close to a thing, shifted, duplicated, or of nothing."""
    found, truths = [], []
    for things in targets:
        truth = things[things[:, 0] >= 0]
        rows = []
        for thing in np.repeat(truth, generator.integers(0, 3, len(truth)), axis=0):
            moved = thing[1:3] + generator.uniform(-0.2, 0.2, 2) * thing[3:]
            box = [*moved, *(thing[3:] * generator.uniform(0.8, 1.25, 2))]
            rows.append([thing[0], generator.random(), *box])
        for _ in range(generator.integers(0, 3)):
            rows.append([generator.integers(3), generator.random(), *generator.uniform(0, 0.3, 4)])
        found.append(np.array(rows, np.float64).reshape(-1, 6))
        truths.append(truth.astype(np.float64))
    return found, truths


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_is_that_of_coco(seed: int) -> None:
    generator = np.random.default_rng(seed)
    found, truths = guessed(generator, examples_of(STAGE, "test").targets[seed * 60 :][:60])
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": i} for i in range(len(truths))],
        "categories": [{"id": k} for k in range(len(CLASSES))],
        "annotations": [],
    }

    def corner(box: Array) -> list[float]:
        return [*(box[:2] - box[2:] / 2), *box[2:]]

    for i, truth in enumerate(truths):
        for kind, *box in truth:
            annotations = coco.dataset["annotations"]
            annotations.append(
                {
                    **{"id": len(annotations) + 1, "image_id": i, "category_id": int(kind)},
                    **{"bbox": corner(np.array(box)), "area": box[2] * box[3], "iscrowd": 0},
                }
            )
    results = [
        {"image_id": i, "category_id": int(row[0]), "score": row[1], "bbox": corner(row[2:])}
        for i, rows in enumerate(found)
        for row in rows
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.params.iouThrs = np.array([OVERLAP])
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    theirs = evaluation.eval["precision"][0, :, :, 0, -1].mean(0)
    ours = [class_precision(found, truths, k) for k in range(len(CLASSES))]
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0.05 < min(ours) < 0.9


def test_average_precision_by_hand() -> None:
    hits = np.array([True, False, True])
    scores = np.array([0.9, 0.8, 0.7])
    # recall 0..0.5 at precision 1, 0.51..1 at 2/3: 51 and 50 of the 101 recalls
    assert average_precision(scores, hits, 2) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert average_precision(np.zeros(0), np.zeros(0, np.bool_), 2) == 0
    assert np.isnan(average_precision(scores, hits, 0))


def test_overlaps_by_hand() -> None:
    one, other = np.array([0.5, 0.5, 0.2, 0.2]), np.array([0.6, 0.5, 0.2, 0.2])
    assert overlap(one, other) == pytest.approx(1 / 3)
    assert overlap(one, one) == pytest.approx(1)
    assert overlap(one, one + np.array([0.3, 0, 0, 0])) == 0


def test_label_noise_omits_things() -> None:
    noisy = Detect(examples=400, noise=0.4)
    share = (examples_of(noisy, "train").targets[:, :2, 0] < 0).mean()
    assert share == pytest.approx(0.4, abs=0.06)
    assert (examples_of(noisy, "test").targets[:, :2] >= 0).all()


def test_the_confusion_matrix_has_targets_in_its_rows() -> None:
    counts = confusion_matrix(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert recall(counts)[:2].tolist() == [0.5, 0.5]
    assert np.isnan(recall(counts)[2])


def test_the_grid_network_lists_rows_columns_classes_and_numbers() -> None:
    """The prediction of a cell is a pixel of the last convolution."""
    seen, grid = spaces.Box(0, 255, (1, 24, 24), np.uint8), spaces.Box(0, 1, (6, 6, 2, 5))
    network = GridNetwork(Task("t", seen, grid, 3, 1), grid, 0)
    screens = torch.randint(0, 256, (3, 1, 24, 24), dtype=torch.uint8)
    outputs, pixels = network(screens).reshape(6, 6, 10, 3), network.layers(screens)
    for row, column in itertools.product(range(6), repeat=2):
        assert torch.equal(outputs[row, column].T, pixels[:, :, row, column])
