"""Panda or rabbit? How many labels it takes who can see already, and who has to learn to see.

    python -m stages vision

A network is pretrained to tell 20 kinds of balls apart. Then it is told of n pandas and n rabbits,
which it has never met: once its features are frozen and only a new head is trained, once all of it
is, and once a network begins from scratch.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curves
from stages.lab.texts import load
from stages.lab.trials import measure, percent, run_bodies, run_trials, trial
from training.config import RunConfig

PRETRAINING = 400_000  # guesses
BALLS = 100_000  # examples of them
LABELS = (1, 3, 10, 30, 100)
FEW, MANY = 10, 100
WAYS = ("frozen", "all", "scratch")
STEPS = 12_800  # guesses at pandas and rabbits
AT_ONCE = 32  # environments, which is the minibatch: there are only a few examples
LEARNING_RATES = {"frozen": 4e-3, "all": 1e-3, "scratch": 1e-3}
"""A head alone learns with what presets.toml has; no other way was better off with that."""

Cell = tuple[str, int]
"""One of `WAYS` and one of `LABELS`."""


def head_start(way: str, labels: int, seed: int, pretrained: Path) -> RunConfig:
    """Settings of a trial on pandas and rabbits."""
    settings = {"learning_rate": LEARNING_RATES[way]}
    config = trial("shapes", seed, STEPS, of="animals", examples=2 * labels, settings=settings)
    return dataclasses.replace(
        config,
        num_envs=AT_ONCE,
        pretrained=None if way == "scratch" else str(pretrained),
        freeze=way == "frozen",
    )


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("vision", options.lang)
    balls = [trial("shapes", seed, PRETRAINING, examples=BALLS) for seed in options.each_seed]
    with run_bodies({"balls": balls}, options.processes, texts["pretraining"]) as runs:
        bodies = runs["balls"]
        configs = {
            (way, labels): [
                head_start(way, labels, seed, body.folder)
                for seed, body in zip(options.each_seed, bodies, strict=True)
            ]
            for way in WAYS
            for labels in LABELS
        }
        found = run_trials(measure, configs, options.processes, texts["progress"])
    scores = percent(found)
    means = {cell: mean(values) for cell, values in scores.items()}
    rows = [(f"{n}", *(f"{means[way, n]:.1f}" for way in WAYS)) for n in LABELS]
    columns = (texts["x"], *(texts[way] for way in WAYS))
    accuracy = mean([100 * body.points[-1].score for body in bodies])
    seen = texts["balls"].format(accuracy=accuracy)
    tell(texts["title"], columns, rows, "\n".join([seen, *verdicts(options, scores)]))
    curves = {texts[way]: [means[way, labels] for labels in LABELS] for way in WAYS}
    draw_curves(path, options.lang, texts, LABELS, curves, lowest=40, highest=100, chance=50)


def verdicts(options: ExperimentOptions, scores: dict[Cell, list[float]]) -> list[str]:
    """A sentence for each claim; differences are taken seed by seed."""
    texts = load("vision", options.lang)
    sentences = [texts["claim"]]
    for name, labels, winner, loser in (
        ("few", FEW, "frozen", "scratch"),
        ("freeze", FEW, "frozen", "all"),
        ("many", MANY, "all", "frozen"),
    ):
        gap = difference(scores[winner, labels], scores[loser, labels])
        sentences.append(claim(options, texts[name], gap, gap.low > 0, labels=labels))
    return sentences
