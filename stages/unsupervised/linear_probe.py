"""Codes as features: how few labels does it take to read off where the ball is?

    python -m stages linear_probe

An autoencoder is trained on screens that nobody has labelled. Then a linear reader (ridge
regression) is told where the ball is in 10 to 1,000 screens, and reads it off new ones: once from
the codes, once from the pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.datasets.dataset import Array
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curves
from stages.lab.texts import load
from stages.lab.trials import run_trials
from stages.unsupervised.autoencoders import autoencoder, encoded
from training.config import RunConfig

CODES = (4, 16)
EYES = ("4", "16", "pixels")
LABELS = (10, 30, 100, 300, 1_000)
READ = 2_000  # screens to be read
DRAWS = 5  # choices of the labelled screens that each error is a mean of
STRENGTHS = 10.0 ** np.arange(-6, 3)

Errors = dict[tuple[str, int], float]
"""Of each of `EYES` and `LABELS`, the mean distance to the ball in percent of the box."""


def examine(config: RunConfig) -> Errors:
    """Train, and let it be read."""
    _, screens, places, codes = encoded(config, READ + DRAWS * LABELS[-1])
    seen = {str(codes.shape[1]): codes}
    if codes.shape[1] == CODES[0]:  # pixels are the same for all
        seen["pixels"] = screens.reshape(len(screens), -1) / 255
    return {
        (eyes, labels): reading_error(points, places, labels)
        for eyes, points in seen.items()
        for labels in LABELS
    }


def reading_error(points: Array, places: Array, labels: int) -> float:
    """Of readers each told `labels` screens, on the same screens that none was told of."""
    test, rest = slice(0, READ), np.arange(READ, READ + DRAWS * LABELS[-1])
    errors = []
    for told in rest.reshape(DRAWS, -1)[:, :labels]:
        read = ridge(points[told], places[told], points[test])
        errors.append(np.linalg.norm(read - places[test], axis=1).mean())
    return 100 * float(np.mean(errors))


def ridge(points: Array, answers: Array, new_points: Array) -> Array:
    """Answers (m, j) to new points (m, k), by ridge regression (Hoerl and Kennard 1970).

    Its strength is the one whose error is the least where each point in turn is left out, which the
    singular values tell without doing it (Hastie et al., "The elements of statistical learning",
    section 7.10).
    """
    centre, middle = points.mean(0), answers.mean(0)
    left, values, right = np.linalg.svd(points - centre, full_matrices=False)
    projected = left.T @ (answers - middle)
    scale = float(np.square(values).max())
    losses = []
    for strength in STRENGTHS * scale:
        shares = values**2 / (values**2 + strength)
        leverage = 1 / len(points) + np.square(left) @ shares
        residuals = answers - middle - left @ (shares[:, None] * projected)
        losses.append(np.square(residuals / np.maximum(1 - leverage, 1e-9)[:, None]).mean())
    strength = STRENGTHS[int(np.argmin(losses))] * scale
    weights = right.T @ ((values / (values**2 + strength))[:, None] * projected)
    return np.asarray(middle + (new_points - centre) @ weights)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("linear_probe", options.lang)
    configs = {codes: [autoencoder(seed, codes) for seed in options.each_seed] for codes in CODES}
    found = run_trials(examine, configs, options.processes, texts["progress"])
    errors = {
        cell: [each[cell] for each in of_codes]
        for of_codes in found.values()
        for cell in of_codes[0]
    }
    means = {cell: mean(values) for cell, values in errors.items()}
    rows = [(f"{labels:,}", *(f"{means[eyes, labels]:.1f}" for eyes in EYES)) for labels in LABELS]
    columns = (texts["x"], *(texts[eyes] for eyes in EYES))
    tell(texts["title"], columns, rows, verdicts(options, errors))
    curves = {texts[eyes]: [means[eyes, labels] for labels in LABELS] for eyes in EYES}
    draw_curves(path, options.lang, texts, LABELS, curves)


def verdicts(options: ExperimentOptions, errors: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    sentences = []
    for name, labels, winner, loser in (
        ("few", LABELS[0], "16", "pixels"),
        ("many", LABELS[-1], "pixels", "16"),
    ):
        gap = difference(errors[loser, labels], errors[winner, labels])
        text = load("linear_probe", options.lang)[name]
        sentences.append(claim(options, text, gap, gap.low > 0, labels=labels, codes=16))
    return "\n".join(sentences)
