"""Few noisy points, many noisy points, or few correct ones from a part: which fit a curve best?

    python -m stages curve

The curve is the height at which a ball lands, over the angle at which it flies. A network learns
it from 20 points with wrong heights (a standard deviation of 15 % of the box), from 2,000 such
points, or from 20 correct points on one half of the curve. Each time, 8 networks learn from
8 samples. If they differ, the points leave many models possible.
"""

from __future__ import annotations

from typing import Any

from stages.lab.claims import Claim
from stages.lab.experiment import Experiment
from stages.lab.intervals import ratio
from stages.lab.results import Cell, Results, Table
from stages.lab.trials import Trial
from stages.supervised.fans import MODELS, Fan, draw_fans, train_fan

FEW, MANY, SPREAD = 20, 2_000, 0.15
POINTS: dict[str, dict[str, Any]] = {
    "few": {"examples": FEW, "spread": SPREAD},
    "many": {"examples": MANY, "spread": SPREAD},
    "part": {"examples": FEW, "region": "upper"},
}
"""Training sets and the options of the environment that make them."""
SETTINGS = {"width": 64, "learning_rate": 1e-2}


def values(points: Cell, fan: Fan) -> dict[Cell, float]:
    """Return the mean error and the width of a fan, in percent of the box."""
    return {("error", points): fan.error, ("width", points): fan.width}


def table(results: Results) -> Table:
    """Return a row for each kind of points."""
    rows = [
        (results.label(key), *(f"{results.mean((part, key)):.1f}" for part in ("error", "width")))
        for key in POINTS
    ]
    return Table(results.texts["columns"], rows)


def claim(text: str, kind: str, points: str, **options: Any) -> Claim:
    """Return the claim that many noisy points are better than others."""
    words = {"few": FEW, "many": MANY, "models": MODELS}
    return Claim(text, (kind, points), (kind, "many"), words=words, **options)


EXPERIMENT = Experiment(
    series=tuple(POINTS),
    grid={key: Trial("curve", 25_600, options, SETTINGS) for key, options in POINTS.items()},
    measure=train_fan,
    values=values,
    table=table,
    conclusions=(
        claim("models", "width", "few", compare=ratio),
        claim("few_noisy", "error", "few"),
        claim("one_part", "error", "part"),
    ),
    plot=draw_fans,
    seeds=5,
)
