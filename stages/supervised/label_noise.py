"""How much do wrong labels, few examples and unbalanced classes cost a classifier?

    python -m stages label_noise

The question is which way the ball flies. The training sets have 100 to 30,000 examples, and 0 to
60 % of their labels are wrong. Two more training sets have correct labels: in one, the ball is only
in the upper half of the box; in the other, each class is a tenth as frequent as the one before. The
test examples are correct, balanced and the same for all.
"""

from __future__ import annotations

from typing import Any

from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Texts, ValueTable
from stages.lab.trials import Trial

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
FEW, MANY = 3_000, 30_000
TRAINING_SETS: dict[str, dict[str, Any]] = {
    "0%": {},
    "20%": {"noise": 0.2},
    "40%": {"noise": 0.4},
    "60%": {"noise": 0.6},
    "upper": {"region": "upper"},
    "rare": {"rarity": 10},
}
"""Training sets and the options of the environment that make them."""


def label(texts: Texts, name: str) -> str:
    """Return the name of a training set; noisy ones share a text."""
    return str(texts["wrong"].format(name) if name.endswith("%") else texts[name])


EXPERIMENT = Experiment(
    series=tuple(TRAINING_SETS),
    sizes=SIZES,
    labels=label,
    grid={
        (name, size): Trial(
            "classify",
            steps=51_200 if size <= 1_000 else 102_400,
            options={"examples": size, **options},
        )
        for name, options in TRAINING_SETS.items()
        for size in SIZES
    },
    table=ValueTable(rows="series"),
    conclusions=(
        Note("claim"),
        *(
            Claim("many_noisy", (noise, MANY), ("0%", FEW), words={"noise": noise})
            for noise in ("20%", "40%", "60%")
        ),
        Claim("not_representative", ("upper", MANY), ("0%", MANY), smaller=True),
        Claim("unbalanced", ("rare", MANY), ("0%", MANY), smaller=True),
    ),
    plot=Curves(
        ylim=(0, 100),
        baseline=25,
        legend={"ncols": 2, "loc": "lower center", "bbox_to_anchor": (0.62, 0.0)},
    ),
)
