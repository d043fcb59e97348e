"""In-context learning: how right is an answer after 0, 1, 2, ... 64 examples in the prompt?

    python -m stages in_context

Transformers of several sizes are trained on prompts of many hidden rules. Then, on rules that they
have never met, they answer without a learning step. The largest is also compared rule by rule: some
examples are drawn, which it is shown in its prompt; the same network, and a fresh one, are taught
these very examples by gradient. All three are asked the same new questions.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agents.agent import Agent
from stages.datasets.dataset import SPLITS, data_set
from stages.datasets.prompts import BUTTONS, REPORTED, WIRINGS, Prompts, behind
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import draw_curve, slide
from stages.lab.trials import run_trials, trained, trial
from training.config import RunConfig
from training.evaluation import fresh_seed
from training.loop import Run, make_agent_and_runner
from training.vector_runner import make_environments


class Size(NamedTuple):
    """Of a transformer."""

    width: int
    layers: int
    heads: int

    def __str__(self) -> str:
        return f"{self.layers} x {self.width}"


SMALL, _, LARGE = SIZES = (Size(8, 1, 2), Size(16, 1, 2), Size(32, 2, 2))
PROMPTS = 16_000
RATES = {8: 5e-3, 16: 5e-3, 32: 3e-3}
"""Learning rates that suit each width."""
TAUGHT = (4, 16, 64)
"""Examples with which the prompt and the gradient are compared."""
RULES = 10
"""Of the test, others for each seed, by which they are compared."""
QUESTIONS = 1_000
"""New ones, that each rule's three networks are asked."""
UPDATES = 100
BATCH = 16
TUNING_RATES = {"tuned": 1e-3, "fresh": 3e-3}
FEW, MANY = 4, 64

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "progress": "One network, many hidden rules",
        "shots": "{} in the prompt",
        "told": "{} and a description",
        "prompt": "{}*, in the prompt",
        "tuned": "{}*, fine-tuned on them",
        "fresh": "{}*, from scratch on them",
        "note": "* the same {rules} rules of each seed, examples and questions for all three",
        "title": "A rule never met: examples in the prompt",
        "x": "examples",
        "y": "right answers (%)",
        "learns": "The lecture: a network learns from examples in its prompt, without a learning "
        "step. {held}: {few} examples of a rule that it never met make {value:+.1f} points (95 % "
        "interval {low:+.1f} to {high:+.1f}, {seeds} seeds), {many} make {second:+.1f}.",
        "description": "A description helps where there are no examples (zero-shot). {held}: "
        "{value:+.1f} points ({low:+.1f} to {high:+.1f}); after {many} examples {second:+.1f}.",
        "size": "A larger network makes more of the same prompt. {held}: after {many} examples, "
        "{value:+.1f} points ({low:+.1f} to {high:+.1f}); after {few}, {second:+.1f}.",
        "tuning": "Few examples are worth more in the prompt than for fine-tuning on the same "
        "ones.* {held}: with {few}, {value:+.1f} points ({low:+.1f} to {high:+.1f}); with {many}, "
        "{second:+.1f}.",
    },
    "ko": {
        "progress": "신경망 하나, 숨은 규칙 여럿",
        "shots": "{} 프롬프트 속 예시",
        "told": "{} 예시와 설명",
        "prompt": "{}* 프롬프트 속 예시",
        "tuned": "{}* 그 예시로 미세 조정",
        "fresh": "{}* 그 예시로 처음부터",
        "note": "* 셋 모두 시드마다 같은 규칙 {rules}개, 같은 예시, 같은 질문",
        "title": "처음 보는 규칙: 프롬프트 속의 예시",
        "x": "예시 수",
        "y": "정답률 (%)",
        "learns": "강의의 주장: 신경망은 학습 단계 없이 프롬프트 속의 예시에서 배운다. {held}: "
        "처음 보는 규칙의 예시 {few}개로 {value:+.1f}%p (95 % 구간 {low:+.1f}~{high:+.1f}, 시드 "
        "{seeds}개), {many}개로 {second:+.1f}%p 올랐다.",
        "description": "예시가 없을 때는(제로샷) 설명이 도움이 된다. {held}: {value:+.1f}%p "
        "({low:+.1f}~{high:+.1f}); 예시 {many}개가 있으면 {second:+.1f}%p.",
        "size": "신경망이 클수록 같은 프롬프트에서 더 많이 배운다. {held}: 예시 {many}개에서 "
        "{value:+.1f}%p ({low:+.1f}~{high:+.1f}), {few}개에서 {second:+.1f}%p.",
        "tuning": "적은 예시는 같은 예시로 미세 조정할 때보다 프롬프트에서 더 값지다.* {held}: "
        "예시 {few}개에서 {value:+.1f}%p ({low:+.1f}~{high:+.1f}), {many}개에서 {second:+.1f}%p.",
    },
}

Cell = tuple[str, Size, int]
"""A way to be told (a name in `TEXTS`), to a network of a size, and how many examples."""
CURVES = (
    *(("shots", size) for size in SIZES),
    ("told", LARGE),
    ("prompt", LARGE),
    ("tuned", LARGE),
    ("fresh", LARGE),
)


def examine(config: RunConfig) -> dict[Cell, float]:
    """Train on many rules, then measure on others: right answers in percent."""
    run, points = trained(config)
    size = Size(config.settings.width, config.settings.layers, config.settings.heads)
    right = points[-1].metrics
    found = {(name, size, k): right[f"{name}_{k}"] for name in ("shots", "told") for k in REPORTED}
    if size == LARGE:
        drawn = np.random.default_rng(config.seed).permutation(len(WIRINGS["test"]))
        for k in TAUGHT:
            of_rules = [compared(run, rule, k) for rule in drawn[:RULES].tolist()]
            for name in of_rules[0]:
                found[name, size, k] = float(np.mean([shares[name] for shares in of_rules]))
    return {cell: 100 * share for cell, share in found.items()}


def compared(run: Run, rule: int, count: int) -> dict[str, float]:
    """The same examples of one rule in the prompt, and taught: shares of right answers.

    Args:
        run: that has trained the network.
        rule: number of the rule.
        count: of the examples.
    """
    options: dict[str, Any] = {"shots": 0, "described": 0.0, "rules": "test", "rule": rule}
    options |= {"examples": count, "data_seed": fresh_seed(run.config.seed, rule)}
    examples, tests = (data_set(Prompts(**options), split) for split in SPLITS)
    answers = tests.answers[:QUESTIONS]
    questions = tests.observations[:QUESTIONS].copy()  # torch wants what could be written to
    guesses = {"prompt": run.agent.act(behind(examples, questions), explore=False)[:, -1:]}
    for name in TUNING_RATES:
        guesses[name] = taught(run, name, options).act(questions, explore=False)
    return {name: float((guessed == answers).mean()) for name, guessed in guesses.items()}


def taught(run: Run, name: str, options: dict[str, Any]) -> Agent:
    """Who has been taught examples by gradient, again and again; its prompts have none.

    Args:
        run: that has trained the network to begin with.
        name: `tuned`, or `fresh` for a network that begins anew.
        options: of the environment that has the examples.
    """
    config = run.config
    settings = dataclasses.replace(config.settings, learning_rate=TUNING_RATES[name], anneal=False)
    config = dataclasses.replace(config, num_envs=BATCH, settings=settings)
    agent, runner = make_agent_and_runner(config, make_environments(config.env, BATCH, options))
    if name == "tuned":
        agent.restore_policy(run.agent.tensors())
    for _ in range(UPDATES):
        step, _ = runner.step(agent.act(runner.observations))
        agent.learn(step)
    return agent


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = TEXTS[options.lang]
    configs = {
        size: [
            trial(
                *("prompts", seed, PROMPTS),
                settings={**size._asdict(), "learning_rate": RATES[size.width]},
            )
            for seed in options.each_seed
        ]
        for size in reversed(SIZES)  # the slowest first
    }
    found = run_trials(examine, configs, options.processes, texts["progress"])
    scores = {
        cell: [each[cell] for each in of_size] for of_size in found.values() for cell in of_size[0]
    }
    means = {cell: mean(values) for cell, values in scores.items()}
    rows = [
        (
            texts[name].format(size),
            *(f"{means[name, size, k]:.0f}" if (name, size, k) in means else "" for k in REPORTED),
        )
        for name, size in CURVES
    ]
    columns = (texts["x"], *(str(k) for k in REPORTED))
    verdict = f"{texts['note'].format(rules=RULES)}\n{verdicts(options, scores)}"
    tell(f"{texts['title']}, {texts['y']}", columns, rows, verdict)
    draw(path, options.lang, means)


def verdicts(options: ExperimentOptions, scores: dict[Cell, list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    texts = TEXTS[options.lang]
    claims: dict[str, tuple[tuple[Cell, Cell], tuple[Cell, Cell]]] = {
        "learns": (
            (("shots", LARGE, FEW), ("shots", LARGE, 0)),
            (("shots", LARGE, MANY), ("shots", LARGE, 0)),
        ),
        "description": (
            (("told", LARGE, 0), ("shots", LARGE, 0)),
            (("told", LARGE, MANY), ("shots", LARGE, MANY)),
        ),
        "size": (
            (("shots", LARGE, MANY), ("shots", SMALL, MANY)),
            (("shots", LARGE, FEW), ("shots", SMALL, FEW)),
        ),
        "tuning": (
            (("prompt", LARGE, FEW), ("tuned", LARGE, FEW)),
            (("prompt", LARGE, MANY), ("tuned", LARGE, MANY)),
        ),
    }
    sentences = []
    for name, pairs in claims.items():
        gap, second = (difference(scores[a], scores[b]) for a, b in pairs)
        words = {"few": FEW, "many": MANY, "second": second.value}
        sentences.append(claim(options, texts[name], gap, gap.low > 0, **words))
    return "\n".join(sentences)


def draw(path: Path, lang: str, scores: dict[Cell, Mean]) -> None:
    """A curve for each way to be told, over the number of examples."""
    texts = TEXTS[lang]
    with slide(path, lang) as axes:
        for k, (name, size) in enumerate(CURVES):
            means = {j: scores[name, size, j] for j in REPORTED if (name, size, j) in scores}
            places = [REPORTED.index(j) for j in means]
            style = "-" if name == "shots" else "--"
            draw_curve(axes, k, places, list(means.values()), texts[name].format(size), style)
        axes.axhline(100 / len(BUTTONS), color="grey", ls=":")
        below = f"{texts['x']}\n{texts['note'].format(rules=RULES)}"
        axes.set(ylim=(0, 100), xlabel=below, ylabel=texts["y"], title=texts["title"])
        axes.set_xticks(range(len(REPORTED)), [str(k) for k in REPORTED])
        axes.legend(loc="upper left", ncols=2, fontsize=15)
