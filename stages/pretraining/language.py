"""Who has read much needs few labels: is what was just said good or bad for the player?

    python -m stages language

A small GPT is pretrained on what a commentator says, without one label, on more or less of it. Then
its body is frozen, and a head is told of 8 to 512 sentences whether they were good or bad for the
player. Against it, the same network from scratch, all of which is trained on the same labels.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from stages.datasets.commentary import TextDataset
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curves
from stages.lab.texts import load
from stages.lab.trials import measure, percent, run_bodies, run_trials, trial
from training.config import RunConfig

SEEDS = 5
"""Trials of each kind, unless the command line says how many."""

READING = 6_400  # windows, whatever the size of the text: who has less text reads it more often
TEXTS_READ = (50, 500, 5_000)  # windows
SCRATCH = 0
READERS = (SCRATCH, *TEXTS_READ)
LABELS = (8, 32, 128, 512)
STEPS = 2_560  # guesses at what is good or bad
LEARNING_RATES = {True: 1e-2, False: 3e-3}
"""Of a head alone, and of the whole network."""

Cell = tuple[int, int]
"""One of `READERS` and one of `LABELS`."""


def tokens_of(windows: int) -> int:
    """In a text of so many windows."""
    return windows * TextDataset.window


def reading(seed: int, windows: int) -> RunConfig:
    """Settings of a pretraining."""
    return trial("commentary", seed, READING, examples=windows)


def judging(seed: int, labels: int, pretrained: Path | None) -> RunConfig:
    """Settings of who is told what is good and bad, after `pretrained` or from scratch."""
    begun = pretrained is not None
    settings = {"learning_rate": LEARNING_RATES[begun]}
    config = trial("verdict", seed, STEPS, examples=labels, settings=settings)
    return dataclasses.replace(config, pretrained=str(pretrained) if begun else None, freeze=begun)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("language", options.lang)
    read = {size: [reading(seed, size) for seed in options.each_seed] for size in TEXTS_READ}
    with run_bodies(read, options.processes, texts["reading"]) as runs:
        begun: dict[int, list[Path | None]] = {SCRATCH: [None] * options.seeds}
        for size in TEXTS_READ:
            begun[size] = [run.folder for run in runs[size]]
        configs = {
            (reader, labels): [
                judging(seed, labels, body)
                for seed, body in zip(options.each_seed, begun[reader], strict=True)
            ]
            for reader in READERS
            for labels in LABELS
        }
        found = run_trials(measure, configs, options.processes, texts["progress"])
    scores = percent(found)
    means = {cell: mean(values) for cell, values in scores.items()}
    rows = [(f"{n}", *(f"{means[reader, n]:.1f}" for reader in READERS)) for n in LABELS]
    shares = [
        texts["share"].format(
            tokens=tokens_of(size), share=mean([100 * run.points[-1].score for run in runs[size]])
        )
        for size in TEXTS_READ
    ]
    told = texts["next"].format(shares=", ".join(shares))
    columns = (texts["x"], *(named(reader, options.lang) for reader in READERS))
    tell(texts["title"], columns, rows, "\n".join([told, *verdicts(options, scores)]))
    curves = {
        named(reader, options.lang): [means[reader, labels] for labels in LABELS]
        for reader in READERS
    }
    draw_curves(path, options.lang, texts, LABELS, curves, lowest=40, highest=100, chance=50)


def named(reader: int, lang: str) -> str:
    """In words."""
    texts = load("language", lang)
    if reader == SCRATCH:
        return str(texts["scratch"])
    return str(texts["read"].format(tokens=tokens_of(reader)))


def verdicts(options: ExperimentOptions, scores: dict[Cell, list[float]]) -> list[str]:
    """A sentence for each claim; differences are taken seed by seed."""
    little, much = TEXTS_READ[0], TEXTS_READ[-1]
    sentences = []
    for name, labels, winner, loser in (
        ("few", LABELS[1], much, SCRATCH),
        ("many", LABELS[-1], much, SCRATCH),
        ("more", LABELS[-1], much, little),
    ):
        gap = difference(scores[winner, labels], scores[loser, labels])
        words = {"labels": labels, "little": tokens_of(little), "much": tokens_of(much)}
        sentences.append(
            claim(options, load("language", options.lang)[name], gap, gap.low > 0, **words)
        )
    return sentences
