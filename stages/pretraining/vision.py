"""When is a pretrained backbone kept frozen, and when are all layers trained further?

    python -m stages vision

A network is pretrained to classify 20 kinds of balls, turned in any direction. Then it learns two
questions about animals, which it has never seen. Panda or rabbit? This is like the question of the
pretraining. Which way does the head point? For this, the pretrained features are of little use,
because a ball is the same ball when it is turned. Three ways are compared: train only a new head on
the frozen backbone, train all layers, and train a network from scratch.
"""

from __future__ import annotations

from typing import Any

from stages.lab.claims import Note, claim_at
from stages.lab.experiment import Experiment
from stages.lab.intervals import Mean
from stages.lab.plots import Curves, Panels
from stages.lab.results import Results, ValueTable, joined_texts
from stages.lab.trials import Trial

SIZES = {"kind": (6, 20, 200), "turned": (60, 600, 2_000)}
"""Numbers of labels for each question."""
LEARNING_RATES = {"frozen": 4e-3, "all": 1e-3, "scratch": 1e-3}
"""Learning rate of each way; only a head alone learns best with that of presets.toml."""
FEW, MANY = 20, 2_000
BALLS = "balls"


def trial(question: str, way: str, labels: int) -> Trial:
    """Return the trial that learns a question about animals from `labels` labels."""
    options: dict[str, Any] = {"of": "animals", "question": question, "examples": labels}
    return Trial(
        "shapes",
        steps=12_800,
        options=options,
        settings={"learning_rate": LEARNING_RATES[way]},
        changes={"num_envs": 32},  # a small minibatch, because there are few examples
        pretrained=None if way == "scratch" else BALLS,
        freeze=way == "frozen",
    )


def ball_accuracy(results: Results) -> Mean:
    """Return the accuracy of the pretraining in percent."""
    return results.pretrained_percent(BALLS)


EXPERIMENT = Experiment(
    series=tuple((question, way) for question in SIZES for way in LEARNING_RATES),
    sizes=sorted({*SIZES["kind"], *SIZES["turned"]}),
    labels=joined_texts(" "),
    seeds=5,
    backbones={BALLS: Trial("shapes", steps=400_000, options={"examples": 100_000})},
    grid={
        ((question, way), labels): trial(question, way, labels)
        for question, sizes in SIZES.items()
        for way in LEARNING_RATES
        for labels in sizes
    },
    table=ValueTable(rows="series", digits=0),
    conclusions=(
        Note("balls", words={"accuracy": ball_accuracy}),
        claim_at(FEW, "few", ("kind", "frozen"), ("kind", "scratch")),
        claim_at(FEW, "freeze", ("kind", "frozen"), ("kind", "all")),
        claim_at(MANY, "new", ("turned", "all"), ("turned", "frozen")),
    ),
    plot=Panels({"kind": 50, "turned": 25}, Curves(ylim=(0, 100), legend={"loc": "lower right"})),
)
