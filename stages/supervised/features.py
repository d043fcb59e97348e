"""Features that a person has thought of against raw pixels: who wins with how many examples?

    python -m stages features

Where will the ball land? Once from two screens of 24 x 24 pixels, once from five numbers that a
person's code reads off the same screens (`features` in stages/datasets/paddle_states.py). The same
agent learns from training sets of 100 to 30,000 examples; all are tested on the same new ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import difference, mean
from stages.lab.slides import draw_curves
from stages.lab.trials import measure, run_trials, trial

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000)
STEPS = {size: 51_200 if size <= 1_000 else 153_600 for size in SIZES}
EYES = ("features", "screen")

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "features": "features by hand",
        "screen": "raw pixels",
        "progress": "Where will the ball land?",
        "title": "Features by hand against raw pixels",
        "x": "training examples",
        "y": "error on new examples (% of the box)",
        "few": "The lecture: with few examples, features by hand win. {held}: with {size:,} "
        "examples their error is {value:.1f} points smaller than that of raw pixels (95 % interval "
        "{low:.1f} to {high:.1f}, {seeds} seeds).",
        "many": "And: with many examples, raw pixels win. {held}: with {size:,} the error of "
        "features by hand, less that of raw pixels, is {value:+.1f} points ({low:+.1f} to "
        "{high:+.1f}).",
    },
    "ko": {
        "features": "사람이 만든 특징",
        "screen": "픽셀 그대로",
        "progress": "공은 어디에 떨어지는가?",
        "title": "사람이 만든 특징과 픽셀 그대로",
        "x": "학습 예제 수",
        "y": "새 예제에서의 오차 (상자 높이의 %)",
        "few": "강의의 주장: 예제가 적으면 사람이 만든 특징이 이긴다. {held}: 예제 {size:,}개에서 "
        "오차가 픽셀보다 {value:.1f}%p 작았다 (95 % 구간 {low:.1f}~{high:.1f}, 시드 {seeds}개).",
        "many": "또한: 예제가 많으면 픽셀 그대로가 이긴다. {held}: 예제 {size:,}개에서 "
        "특징의 오차에서 픽셀의 오차를 빼면 {value:+.1f}%p이다 ({low:+.1f}~{high:+.1f}).",
    },
}


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = TEXTS[options.lang]
    configs = {
        (eyes, size): [
            trial("regress", seed, STEPS[size], examples=size, observation=eyes)
            for seed in options.each_seed
        ]
        for eyes in EYES
        for size in SIZES
    }
    found = run_trials(measure, configs, options.processes, texts["progress"])
    errors = {cell: [-100 * points[-1].score for points in each] for cell, each in found.items()}
    means = {cell: mean(values) for cell, values in errors.items()}
    rows = [(f"{size:,}", *(f"{means[eyes, size]:.1f}" for eyes in EYES)) for size in SIZES]
    columns = (texts["x"], *(texts[eyes] for eyes in EYES))
    tell(texts["title"], columns, rows, verdicts(options, errors))
    curves = {texts[eyes]: [means[eyes, size] for size in SIZES] for eyes in EYES}
    draw_curves(path, options.lang, texts, SIZES, curves)


def verdicts(options: ExperimentOptions, errors: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    sentences = []
    for name, size, winner, loser in (
        ("few", SIZES[0], "features", "screen"),
        ("many", SIZES[-1], "screen", "features"),
    ):
        gap = difference(errors[loser, size], errors[winner, size])
        text = TEXTS[options.lang][name]
        sentences.append(claim(options, text, gap, gap.low > 0, size=size))
    return "\n".join(sentences)
