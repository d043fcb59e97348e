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

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "pretraining": "Where will the ball land?",
        "progress": "Five ages",
        "rules": ("rule-based", "features and rule", "nothing"),
        "search": ("features by hand,\nrandom search", "features", "a linear decision"),
        "deep": ("deep learning", "many labels", "features and decision"),
        "tuned": ("pretraining,\nfine-tuning", "few labels", "features, elsewhere"),
        "prompt": ("in-context*", "a prompt", "how to learn"),
        "supplied": "a person: {}; the machine: {}",
        "paid": "examples: {}; feedback: {}",
        "before": "{own:,} (before: {before:,})",
        "title": "Five ages: which way does the ball fly?",
        "x": "right answers (%); dotted: chance",
        "columns": (
            "age",
            "a person supplied",
            "the machine found",
            "examples",
            "feedback",
            "right answers, %",
        ),
        "chance": "By chance: {rules:.0f} %, of * {prompt:.0f} %.",
        "note": "* another question: which button moves the paddle to the ball?",
        "claim": "The lecture: from age to age a person supplies less, and the machine finds more.",
        "found": "- What a machine finds is better than what a person wrote. {held}: deep learning "
        "against the rule, {value:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}, {seeds} "
        "seeds).",
        "features": "- It is better to find features as well than a decision alone. {held}: deep "
        "learning against random search on features by hand, after {numbers:,} numbers of feedback "
        "each, {value:+.1f} points ({low:+.1f} to {high:+.1f}).",
        "labels": "- Pretraining saves labels. {held}: with {labels:,} labels, {value:+.1f} points "
        "against a network from scratch ({low:+.1f} to {high:+.1f}).",
        "shots": "- Examples in a prompt teach without a learning step. {held}: {shots} of them "
        "make {value:+.1f} points ({low:+.1f} to {high:+.1f}).",
    },
    "ko": {
        "pretraining": "공은 어디에 떨어지는가?",
        "progress": "다섯 시대",
        "rules": ("규칙 기반", "특징과 규칙", "없음"),
        "search": ("사람이 만든 특징,\n무작위 탐색", "특징", "선형 판단"),
        "deep": ("딥러닝", "많은 정답", "특징과 판단"),
        "tuned": ("사전학습,\n미세조정", "적은 정답", "다른 문제에서 특징"),
        "prompt": ("인컨텍스트*", "프롬프트", "배우는 법"),
        "supplied": "사람: {} / 기계: {}",
        "paid": "예제: {} / 피드백: {}",
        "before": "{own:,} (미리 {before:,})",
        "title": "다섯 시대: 공은 어느 쪽으로 나는가?",
        "x": "정답률 (%), 점선은 찍었을 때",
        "columns": (
            "시대",
            "사람이 준 것",
            "기계가 찾은 것",
            "예제 수",
            "피드백",
            "정답률 (%)",
        ),
        "chance": "찍으면 {rules:.0f} %, *은 {prompt:.0f} %.",
        "note": "* 다른 문제이다: 패들을 공 쪽으로 옮기는 버튼은 어느 것인가?",
        "claim": "강의의 주장: 시대가 갈수록 사람이 주는 것은 줄고 기계가 찾는 것은 는다.",
        "found": "- 기계가 찾은 것이 사람이 쓴 것보다 낫다. {held}: 딥러닝은 규칙보다 "
        "{value:+.1f}%p (95 % 구간 {low:+.1f}~{high:+.1f}, 시드 {seeds}개).",
        "features": "- 판단만 찾는 것보다 특징까지 찾는 편이 낫다. {held}: 피드백 숫자가 똑같이 "
        "{numbers:,}개일 때 딥러닝은 사람이 만든 특징의 무작위 탐색보다 {value:+.1f}%p "
        "({low:+.1f}~{high:+.1f}).",
        "labels": "- 사전학습을 하면 정답이 덜 든다. {held}: 정답이 {labels:,}개일 때 처음부터 "
        "학습한 신경망보다 {value:+.1f}%p ({low:+.1f}~{high:+.1f}).",
        "shots": "- 프롬프트 속의 예시는 학습 단계 없이 가르친다. {held}: 예시 {shots}개로 "
        "{value:+.1f}%p ({low:+.1f}~{high:+.1f}).",
    },
}


class Price(NamedTuple):
    """What was needed: for the question itself, and before it was asked."""

    own: int
    before: int = 0

    def told(self, lang: str) -> str:
        """In words."""
        if not self.before:
            return f"{self.own:,}"
        return str(TEXTS[lang]["before"].format(**self._asdict()))


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
    texts = TEXTS[options.lang]
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
    texts = TEXTS[options.lang]
    return [claim(options, texts[name], gap, gap.low > 0, **words) for name, gap in gaps.items()]


def draw(path: Path, lang: str, ages: dict[str, Age]) -> None:
    """A bar for each age, with what it took."""
    texts = TEXTS[lang]
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
