"""How much do wrong labels, few examples and unbalanced classes cost a classifier?

    python -m stages label_noise

The question is which way the ball flies, and the network sees hand-made features. It learns from 10
to 30,000 examples with the same number of updates. 0 to 60 % of the labels are wrong: usually any
other class, and in one training set always the next one (biased). In another training set, the
labels are correct, but each class is a tenth as frequent as the one before. The test examples are
correct, balanced and the same for all.
"""

from __future__ import annotations

from typing import Any

from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.plots import Curves
from stages.lab.results import Texts, ValueTable
from stages.lab.trials import Trial

SIZES = (10, 30, 100, 1_000, 10_000, 30_000)
FEW, MANY = 10, 30_000
NOISY = {f"{100 * share:.0f}%": {"noise": share} for share in (0.0, 0.2, 0.4, 0.6)}
TRAINING_SETS: dict[str, dict[str, Any]] = {
    **NOISY,
    "biased": {"noise": 0.6, "biased": True},
    "rare": {"rarity": 10},
}
"""Training sets and the options of the environment that make them."""


def label(texts: Texts, name: str) -> str:
    """Return the name of a training set; noisy ones share a text."""
    return str(texts["wrong"].format(name) if name in NOISY else texts[name])


def claim(text: str, first: tuple[str, int], second: tuple[str, int], **options: Any) -> Claim:
    """Return the claim that one training set gives more accuracy than another."""
    words = {"noise": first[0], "size": first[1], "few": second[1]}
    return Claim(text, first, second, words=words, **options)


EXPERIMENT = Experiment(
    series=tuple(TRAINING_SETS),
    sizes=SIZES,
    labels=label,
    seeds=5,
    grid={
        (name, size): Trial(
            "classify",
            steps=51_200,
            options={"examples": size, "observation": "features", **options},
        )
        for name, options in TRAINING_SETS.items()
        for size in SIZES
    },
    table=ValueTable(rows="series", digits=0),
    conclusions=(
        Note("claim"),
        *(claim("many_noisy", (noise, MANY), ("0%", FEW)) for noise in ("20%", "40%", "60%")),
        claim("enough", ("60%", MANY), ("60%", 100)),
        claim("biased_labels", ("biased", MANY), ("60%", MANY), smaller=True),
        claim("unbalanced", ("rare", MANY), ("0%", MANY), smaller=True),
    ),
    plot=Curves(
        *((0, 100), 25),
        series=("0%", "40%", "60%", "biased"),
        legend={"loc": "center right", "bbox_to_anchor": (1.0, 0.62)},
    ),
)
