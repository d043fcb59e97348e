"""Linear probes: ridge regression that predicts where the ball is."""

from __future__ import annotations

import numpy as np

from stages.datasets.dataset import Array

TEST_SCREENS = 2_000
SAMPLES = 5  # choices of the labelled screens, over which each error is averaged
STRENGTHS = 10.0 ** np.arange(-6, 3)


def probe_error(points: Array, positions: Array, labels: int, most: int) -> float:
    """Return the mean distance to the ball, in percent of the box, on the same test screens.

    `points` (TEST_SCREENS + SAMPLES * most, k) are latent codes or pixels. The model learns
    from `labels` of them; `most` is the largest number of labels that is compared.
    """
    test, rest = slice(0, TEST_SCREENS), np.arange(TEST_SCREENS, TEST_SCREENS + SAMPLES * most)
    errors = []
    for labelled in rest.reshape(SAMPLES, -1)[:, :labels]:
        predictions = ridge(points[labelled], positions[labelled], points[test])
        errors.append(np.linalg.norm(predictions - positions[test], axis=1).mean())
    return 100 * float(np.mean(errors))


def ridge(points: Array, targets: Array, new_points: Array) -> Array:
    """Predict the targets (m, j) of new points (m, k) by ridge regression (Hoerl and Kennard 1970).

    The strength is the one with the smallest leave-one-out error, which follows from the singular
    values (Hastie et al., "The elements of statistical learning", section 7.10).
    """
    centre, middle = points.mean(0), targets.mean(0)
    left, values, right = np.linalg.svd(points - centre, full_matrices=False)
    projected = left.T @ (targets - middle)
    scale = float(np.square(values).max())
    losses = []
    for strength in STRENGTHS * scale:
        shares = values**2 / (values**2 + strength)
        leverage = 1 / len(points) + np.square(left) @ shares
        residuals = targets - middle - left @ (shares[:, None] * projected)
        losses.append(np.square(residuals / np.maximum(1 - leverage, 1e-9)[:, None]).mean())
    strength = STRENGTHS[int(np.argmin(losses))] * scale
    weights = right.T @ ((values / (values**2 + strength))[:, None] * projected)
    return np.asarray(middle + (new_points - centre) @ weights)
