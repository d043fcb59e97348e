"""The five ages on one page: what a person supplies, what the machine finds, and what it costs.

    python -m stages

Which way does the ball fly? Answered by a rule that a person wrote; by a linear decision on a
person's features, the best of many drawn at random; by a network from raw pixels; by a network that
learned to see where another question had answers in plenty, fine-tuned on few of this one. The
fifth, a transformer that is shown examples in its prompt, cannot be asked this question: its
prompts are about which button moves the paddle to the ball (`stages.datasets.prompts`). There
chance is right in 20 of 100, here in 25.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from stages.datasets.classify import Classify
from stages.datasets.prompts import BUTTONS, Prompts
from stages.in_context.in_context import LARGE, PROMPTS, RATES
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import COLOURS, slide
from stages.lab.texts import load
from stages.lab.trials import Point, measure, run_bodies, run_trials, trial
from training.config import RunConfig

AGES = ("rules", "search", "deep", "tuned", "prompt")
SCRATCH = "scratch"  # as `tuned`, but without pretraining: who has few labels and nothing else
MANY, FEW, SHOTS = Classify().examples, 1_000, Prompts().shots
STEPS = 153_600  # guesses; of random search as well
TRIES_OF = 256  # guesses that a random decision is scored over
ELSEWHERE = 100_000  # examples of another question: where will the ball land?
PRETRAINING = 307_200  # guesses at it
TUNING = 25_600
AT_ONCE = 64  # environments, which is the minibatch, where labels are few
CHANCE = {age: 100 / len(Classify().action_names) for age in AGES} | {"prompt": 100 / len(BUTTONS)}


class Price(NamedTuple):
    """What was needed: for the question itself, and before it was asked."""

    own: int
    before: int = 0

    def told(self, lang: str) -> str:
        """In words."""
        if not self.before:
            return f"{self.own:,}"
        return str(load("overview", lang)["before"].format(**self._asdict()))


class Age(NamedTuple):
    """A row of the table."""

    score: Mean
    """Right answers in percent."""
    examples: Price
    numbers: Price
    """Of feedback."""


def pretraining(seed: int) -> RunConfig:
    """Settings of a trial that learns to see, by another question."""
    return trial("regress", seed, PRETRAINING, examples=ELSEWHERE)


def answering(age: str, seed: int, body: Path) -> RunConfig:
    """Settings of a trial of an age; `body` is of who was pretrained."""
    if age == "rules":
        return trial("classify", seed, 1, agent="rules", observation="features")
    if age == "search":
        by_hand: dict[str, Any] = {"observation": "features", "feedback": "reward"}
        tries = {"episodes": TRIES_OF}
        return trial("classify", seed, STEPS, agent="search", settings=tries, **by_hand)
    if age == "deep":
        return trial("classify", seed, STEPS, examples=MANY)
    if age == "prompt":
        settings = LARGE._asdict() | {"learning_rate": RATES[LARGE.width]}
        return trial("prompts", seed, PROMPTS, shots=SHOTS, settings=settings)
    few = trial("classify", seed, TUNING, examples=FEW)
    begun = None if age == SCRATCH else str(body)
    return dataclasses.replace(few, num_envs=AT_ONCE, pretrained=begun)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("overview", options.lang)
    elsewhere = {"body": [pretraining(seed) for seed in options.each_seed]}
    with run_bodies(elsewhere, options.processes, texts["pretraining"]) as runs:
        bodies = runs["body"]
        configs = {
            age: [
                answering(age, seed, body.folder)
                for seed, body in zip(options.each_seed, bodies, strict=True)
            ]
            for age in reversed((*AGES, SCRATCH))  # the slowest are not the last ones
        }
        found = run_trials(measure, configs, options.processes, texts["progress"])
    ends = {age: [points[-1] for points in each] for age, each in found.items()}
    scores = {age: [100 * right(age, end) for end in each] for age, each in ends.items()}
    ages = summary(scores, ends, bodies[0].points[-1].numbers)
    rows = [
        (
            *(text.replace("\n", " ") for text in texts[age]),
            *(price.told(options.lang) for price in (row.examples, row.numbers)),
            f"{row.score:.1f}",
        )
        for age, row in ages.items()
    ]
    zero_shot = [100 * end.metrics["shots_0"] for end in ends["prompt"]]
    notes = [texts["note"], texts["chance"].format(**CHANCE), texts["claim"]]
    verdict = "\n".join([*notes, *verdicts(options, scores, zero_shot)])
    tell(texts["title"], texts["columns"], rows, verdict)
    draw(path, options.lang, ages)


def right(age: str, end: Point) -> float:
    """The share of right answers; in a prompt, that of the last, without a description."""
    return end.metrics[f"shots_{SHOTS}"] if age == "prompt" else end.score


def summary(
    scores: dict[str, list[float]], ends: dict[str, list[Point]], pretrained: int
) -> dict[str, Age]:
    """Rows of the table.

    Args:
        scores: of each trial of each age, in percent.
        ends: of each trial of each age, its last evaluation.
        pretrained: numbers of feedback that the body of `tuned` was paid with.
    """
    numbers = {age: Price(ends[age][0].numbers) for age in AGES}
    numbers |= {"tuned": Price(numbers["tuned"].own, pretrained)}
    numbers |= {"prompt": Price(0, numbers["prompt"].own)}  # nothing is learned from a test's
    examples = {
        "rules": Price(0),
        "search": Price(MANY),
        "deep": Price(MANY),
        "tuned": Price(FEW, ELSEWHERE),
        "prompt": Price(SHOTS, PROMPTS * (SHOTS + 1)),  # some of them twice
    }
    return {age: Age(mean(scores[age]), examples[age], numbers[age]) for age in AGES}


def verdicts(
    options: ExperimentOptions, scores: dict[str, list[float]], zero_shot: Sequence[float]
) -> list[str]:
    """A sentence for each claim; differences are taken seed by seed."""
    words = {"numbers": STEPS, "labels": FEW, "shots": SHOTS}
    gaps = {
        "found": difference(scores["deep"], scores["rules"]),
        "features": difference(scores["deep"], scores["search"]),
        "labels": difference(scores["tuned"], scores[SCRATCH]),
        "shots": difference(scores["prompt"], zero_shot),
    }
    texts = load("overview", options.lang)
    return [claim(options, texts[name], gap, gap.low > 0, **words) for name, gap in gaps.items()]


def draw(path: Path, lang: str, ages: dict[str, Age]) -> None:
    """A bar for each age, with what it took."""
    texts = load("overview", lang)
    with slide(path, lang) as axes:
        for k, (age, row) in enumerate(ages.items()):
            score = row.score
            axes.barh(k, score.value, 0.84, color=COLOURS[k], alpha=0.35)
            below = {"color": COLOURS[k], "capsize": 6, "lw": 2}
            axes.errorbar(score.value, k + 0.33, xerr=score.margin, **below)
            axes.plot([CHANCE[age]] * 2, (k - 0.42, k + 0.42), color="grey", ls=":", lw=2)
            axes.text(106, k, f"{score.value:.0f}", ha="center", va="center", fontsize=26)
            supplied = texts["supplied"].format(*texts[age][1:])
            paid = texts["paid"].format(row.examples.told(lang), row.numbers.told(lang))
            axes.text(1, k - 0.07, f"{supplied}\n{paid}", va="center", fontsize=15)
        axes.set_yticks(range(len(ages)), [texts[age][0] for age in ages])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set(xlim=(0, 110), title=texts["title"], xlabel=f"{texts['x']}\n{texts['note']}")
        axes.set_xticks(range(0, 101, 20))
