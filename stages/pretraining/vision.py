"""Panda or rabbit? How many labels does a pretrained network need, compared with one from scratch?

    python -m stages vision

A network is pretrained to classify 20 kinds of balls. Then it learns to tell pandas from rabbits,
which it has never seen, from n labels of each. Three ways are compared: train only a new head on
the frozen backbone, train all layers, and train a network from scratch.
"""

from __future__ import annotations

from stages.lab.claims import Claim, Note
from stages.lab.experiment import Experiment
from stages.lab.intervals import Mean, mean
from stages.lab.plots import Curves
from stages.lab.results import Results
from stages.lab.trials import Trial

LABELS = (1, 3, 10, 30, 100)
FEW, MANY = 10, 100
LEARNING_RATES = {"frozen": 4e-3, "all": 1e-3, "scratch": 1e-3}
"""Learning rate of each way; only a head alone learns best with that of presets.toml."""
BALLS = "balls"


def trial(way: str, labels: int) -> Trial:
    """Return the trial that learns pandas and rabbits from `labels` labels of each."""
    return Trial(
        "shapes",
        steps=12_800,
        options={"of": "animals", "examples": 2 * labels},
        settings={"learning_rate": LEARNING_RATES[way]},
        changes={"num_envs": 32},  # a small minibatch, because there are few examples
        pretrained=None if way == "scratch" else BALLS,
        freeze=way == "frozen",
    )


def ball_accuracy(results: Results) -> Mean:
    """Return the accuracy of the pretraining in percent."""
    return mean([100 * run.points[-1].score for run in results.backbones[BALLS]])


def claim(text: str, labels: int, first: str, second: str) -> Claim:
    """Return the claim that the first way is more accurate."""
    return Claim(text, (first, labels), (second, labels), words={"labels": labels})


EXPERIMENT = Experiment(
    series=tuple(LEARNING_RATES),
    sizes=LABELS,
    backbones={BALLS: Trial("shapes", steps=400_000, options={"examples": 100_000})},
    grid={(way, labels): trial(way, labels) for way in LEARNING_RATES for labels in LABELS},
    conclusions=(
        Note("balls", words={"accuracy": ball_accuracy}),
        Note("claim"),
        claim("few", FEW, "frozen", "scratch"),
        claim("freeze", FEW, "frozen", "all"),
        claim("many", MANY, "all", "frozen"),
    ),
    plot=Curves(ylim=(40, 100), baseline=50),
)
