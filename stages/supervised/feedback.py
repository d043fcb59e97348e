"""How many examples it takes to be told the answer, and how many to be told right or wrong.

    python -m stages feedback

The same environment, network and learning rate; only what is handed back differs. A right answer
and a reward are one number each, so that both curves stand over the same axis.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import ratio
from stages.lab.slides import draw_course, slide
from stages.lab.texts import load
from stages.lab.trials import Point, measure, run_trials, trial

STEPS = {"answer": 153_600, "reward": 230_400}
EVERY = 15_360
EXAMPLES = 100_000
BARS = (0.6, 0.7, 0.8, 0.9)
SHOWN = 0.8
FEEDBACKS = ("answer", "reward")


def needed(points: list[Point], bar: float) -> float:
    """Numbers of feedback until the accuracy first reaches `bar`, between evaluations linearly.

    Of a trial that never does, all that it had: it needs more than that.
    """
    before = Point(0, 0, 0.25, {})
    for point in points:
        if point.score >= bar:
            share = (bar - before.score) / (point.score - before.score)
            return before.numbers + share * (point.numbers - before.numbers)
        before = point
    return float(points[-1].numbers)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("feedback", options.lang)
    configs = {
        feedback: [
            trial(
                *("classify", seed, STEPS[feedback], STEPS[feedback] // EVERY),
                examples=EXAMPLES,
                feedback=feedback,
                settings={"anneal": False},
            )
            for seed in options.each_seed
        ]
        for feedback in FEEDBACKS
    }
    curves = run_trials(measure, configs, options.processes, texts["progress"])
    counts = {
        bar: [[needed(points, bar) for points in curves[feedback]] for feedback in FEEDBACKS]
        for bar in BARS
    }
    rows = []
    for bar, (answers, rewards) in counts.items():
        numbers = (f"{np.mean(each):,.0f}" for each in (answers, rewards))
        rows.append((f"{bar:.0%}", *numbers, f"{ratio(rewards, answers).value:.1f}"))
    answers, rewards = counts[SHOWN]
    more = ratio(rewards, answers)
    verdict = claim(options, texts["verdict"], more, more.low > 1, bar=SHOWN)
    tell(texts["title"], texts["columns"], rows, verdict)
    draw(path, options.lang, curves)


def draw(path: Path, lang: str, curves: dict[str, list[list[Point]]]) -> None:
    """Both curves over the numbers of feedback; bands from the lowest seed to the highest."""
    texts = load("feedback", lang)
    with slide(path, lang) as axes:
        for k, name in enumerate(FEEDBACKS):
            scores = [[point.score for point in points] for points in curves[name]]
            numbers = [point.numbers for point in curves[name][0]]
            draw_course(axes, k, numbers, scores, texts[name])
        axes.axhline(0.25, color="grey", ls=":")
        axes.set(
            xlabel=texts["x"], ylabel=texts["y"], title=texts["title"], ylim=(0, 1), xlim=(0, None)
        )
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="lower right")
