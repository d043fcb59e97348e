"""Features that a person has thought of against raw pixels: who wins with how many examples?

    python -m stages.features

Where will the ball land? Once from two screens of 24 x 24 pixels, once from five numbers that a
person's code reads off the same screens (`features` in stages/environments/moments.py). The same
agent learns from training sets of 100 to 30,000 examples; all are tested on the same new ones.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from stages.experiment import (
    HELD,
    ExperimentOptions,
    Mean,
    mean,
    measure_all,
    run_experiment,
    tell,
    trial,
)
from stages.slides import COLOURS, MARKERS, slide

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
        "examples their error is {gap:.1f} points smaller than that of raw pixels (95 % interval "
        "{low:.1f} to {high:.1f}, {seeds} seeds).",
        "many": "And: with many examples, raw pixels win. {held}: with {size:,} the error of "
        "features by hand, less that of raw pixels, is {gap:+.1f} points ({low:+.1f} to "
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
        "오차가 픽셀보다 {gap:.1f}%p 작았다 (95 % 구간 {low:.1f}~{high:.1f}, 시드 {seeds}개).",
        "many": "또한: 예제가 많으면 픽셀 그대로가 이긴다. {held}: 예제 {size:,}개에서 "
        "특징의 오차에서 픽셀의 오차를 빼면 {gap:+.1f}%p이다 ({low:+.1f}~{high:+.1f}).",
    },
}


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts, seeds = TEXTS[options.lang], range(1, options.seeds + 1)
    cells = [(eyes, size) for eyes in EYES for size in SIZES]
    trials = [
        trial("regress", seed, STEPS[size], examples=size, observation=eyes)
        for eyes, size in cells
        for seed in seeds
    ]
    found = measure_all(trials, options.processes, texts["progress"])
    errors = {
        cell: [-100 * points[-1].score for points in found[k * len(seeds) : (k + 1) * len(seeds)]]
        for k, cell in enumerate(cells)
    }
    rows = [(f"{size:,}", *(f"{mean(errors[eyes, size]):.1f}" for eyes in EYES)) for size in SIZES]
    columns = (texts["x"], *(texts[eyes] for eyes in EYES))
    tell(texts["title"], columns, rows, verdicts(options, errors))
    draw(path, options.lang, {cell: mean(values) for cell, values in errors.items()})


def verdicts(options: ExperimentOptions, errors: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    sentences = []
    for claim, size, winner, loser in (
        ("few", SIZES[0], "features", "screen"),
        ("many", SIZES[-1], "screen", "features"),
    ):
        pairs = zip(errors[loser, size], errors[winner, size], strict=True)
        gap = mean([lost - won for lost, won in pairs])
        sentences.append(
            TEXTS[options.lang][claim].format(
                held=HELD[options.lang][gap.value > gap.margin],
                size=size,
                gap=gap.value,
                low=gap.value - gap.margin,
                high=gap.value + gap.margin,
                seeds=options.seeds,
            )
        )
    return "\n".join(sentences)


def draw(path: Path, lang: str, errors: dict[tuple[str, int], Mean]) -> None:
    """Both errors over the size of the training set."""
    texts = TEXTS[lang]
    with slide(path, lang) as axes:
        for k, eyes in enumerate(EYES):
            means = [errors[eyes, size] for size in SIZES]
            values, margins = zip(*means, strict=True)
            look = {"color": COLOURS[k], "marker": MARKERS[k], "capsize": 6, "elinewidth": 1.5}
            axes.errorbar(SIZES, values, margins, label=texts[eyes], **look)
        axes.set(xscale="log", xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.set_ylim(bottom=0)
        axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
        axes.minorticks_off()
        axes.legend()


if __name__ == "__main__":
    sys.exit(run_experiment("features", experiment))
