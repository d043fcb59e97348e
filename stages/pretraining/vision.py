"""Panda or rabbit? How many labels it takes who can see already, and who has to learn to see.

    python -m stages vision

A network is pretrained to tell 20 kinds of balls apart. Then it is told of n pandas and n rabbits,
which it has never met: once its features are frozen and only a new head is trained, once all of it
is, and once a network begins from scratch.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curves
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

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "pretraining": "20 kinds of balls",
        "progress": "Panda or rabbit?",
        "frozen": "pretrained, only the head trained",
        "all": "pretrained, all of it trained",
        "scratch": "from scratch",
        "title": "Panda or rabbit? Who can see already needs few labels",
        "x": "labels of each kind",
        "y": "accuracy on new examples (%)",
        "balls": "Pretraining: {accuracy:.1f} % of new balls, chance 5 %.",
        "claim": "The lecture: who was pretrained on much needs few labels for something new.",
        "few": "{held}: with {labels} labels of each kind, a head on frozen features is right "
        "{value:+.1f} points more often than a network from scratch (95 % interval {low:+.1f} to "
        "{high:+.1f}, {seeds} seeds).",
        "freeze": "With few labels, better freeze the features. {held}: {value:+.1f} points "
        "against training all of it ({low:+.1f} to {high:+.1f}).",
        "many": "With many, better train all of it. {held}: with {labels}, {value:+.1f} points "
        "against frozen features ({low:+.1f} to {high:+.1f}).",
    },
    "ko": {
        "pretraining": "공 20가지",
        "progress": "판다일까 토끼일까?",
        "frozen": "사전학습, 머리만 학습",
        "all": "사전학습, 전체를 학습",
        "scratch": "처음부터 학습",
        "title": "판다일까 토끼일까? 볼 줄 알면 정답이 조금만 있어도 된다",
        "x": "종류마다 정답의 수",
        "y": "새 예제에서의 정확도 (%)",
        "balls": "사전학습: 새로운 공의 {accuracy:.1f} %를 맞혔다(찍으면 5 %).",
        "claim": "강의의 주장: 많은 예제로 사전학습해 두면 새로운 것에는 정답이 적어도 된다.",
        "few": "{held}: 종류마다 정답이 {labels}개일 때 특징을 얼리고 머리만 학습하면 처음부터 "
        "학습할 때보다 {value:+.1f}%p 더 맞힌다 (95 % 구간 {low:+.1f}~{high:+.1f}, 시드 "
        "{seeds}개).",
        "freeze": "정답이 적으면 특징을 얼리는 편이 낫다. {held}: 전체를 학습할 때보다 "
        "{value:+.1f}%p ({low:+.1f}~{high:+.1f}).",
        "many": "정답이 많으면 전체를 학습하는 편이 낫다. {held}: {labels}개일 때 특징을 얼린 "
        "쪽보다 {value:+.1f}%p ({low:+.1f}~{high:+.1f}).",
    },
}

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
    texts = TEXTS[options.lang]
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
    texts = TEXTS[options.lang]
    sentences = [texts["claim"]]
    for name, labels, winner, loser in (
        ("few", FEW, "frozen", "scratch"),
        ("freeze", FEW, "frozen", "all"),
        ("many", MANY, "all", "frozen"),
    ):
        gap = difference(scores[winner, labels], scores[loser, labels])
        sentences.append(claim(options, texts[name], gap, gap.low > 0, labels=labels))
    return sentences
