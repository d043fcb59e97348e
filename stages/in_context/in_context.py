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
from stages.datasets.dataset import SPLITS, examples_of
from stages.datasets.prompts import BUTTONS, REPORTED, WIRINGS, Prompts, behind
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import draw_curve, slide
from stages.lab.texts import load
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

Cell = tuple[str, Size, int]
"""A way to be told (a key of its texts), to a network of a size, and how many examples."""
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
    examples, tests = (examples_of(Prompts(**options), split) for split in SPLITS)
    answers = tests.targets[:QUESTIONS]
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
    texts = load("in_context", options.lang)
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
    texts = load("in_context", options.lang)
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
    texts = load("in_context", lang)
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
