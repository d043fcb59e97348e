"""Wrong labels, few examples, lopsided examples: what does a classifier forgive?

    python -m stages.label_noise

Which way does the ball fly? Training sets of 100 to 30,000 examples, of which 0 to 60 % have a
wrong answer; beside them, few and clean ones that are not representative (the ball only in the
upper half of the box), and classes each a tenth as frequent as the one before it. All are tested on
the same clean, representative examples.
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
NOISES = (0.0, 0.2, 0.4, 0.6)
KINDS: dict[str, dict[str, Any]] = {
    **{f"{noise:.0%}": {"noise": noise} for noise in NOISES},  # their names, too
    "upper": {"region": "upper"},
    "rare": {"rarity": 10},
}
"""Training sets, and the options of the environment that make them."""
STEPS = {size: 51_200 if size <= 1_000 else 102_400 for size in SIZES}
MOST, FEW = 30_000, 3_000
CLEAN, *NOISY = (f"{noise:.0%}" for noise in NOISES)

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "wrong": "{} wrong",
        "upper": "clean, upper half only",
        "rare": "clean, unbalanced",
        "progress": "Training sets, good and bad",
        "title": "Examples: wrong, few, lopsided",
        "x": "training examples",
        "y": "accuracy on new examples",
        "claim": "The lecture: many examples, some of them wrong, teach more than few clean ones.",
        "many_noisy": "- {held}: 30,000 with {noise} wrong against 3,000 clean ones: {gap:+.1f} "
        "points of accuracy (95 % interval {low:+.1f} to {high:+.1f}, {seeds} seeds).",
        "not_representative": "And: clean examples help little if they are not representative. "
        "{held}: 30,000 clean ones from the upper half of the box against 30,000 from everywhere: "
        "{gap:+.1f} points ({low:+.1f} to {high:+.1f}).",
        "unbalanced": "And: unbalanced classes cost accuracy on the rare ones. {held}: "
        "{gap:+.1f} points with each class a tenth as frequent as the one before "
        "({low:+.1f} to {high:+.1f}).",
    },
    "ko": {
        "wrong": "오답 {}",
        "upper": "정확하나 위쪽 절반만",
        "rare": "정확하나 불균형",
        "progress": "좋은 학습 데이터, 나쁜 학습 데이터",
        "title": "틀린 예제, 적은 예제, 치우친 예제",
        "x": "학습 예제 수",
        "y": "새 예제에서의 정확도",
        "claim": "강의의 주장: 오답이 섞인 많은 예제가 적고 깨끗한 예제보다 낫다.",
        "many_noisy": "- {held}: 오답 {noise}인 30,000개와 깨끗한 3,000개의 정확도 차이 "
        "{gap:+.1f}%p (95 % 구간 {low:+.1f}~{high:+.1f}, 시드 {seeds}개).",
        "not_representative": "또한: 대표성이 없으면 깨끗한 예제도 별 도움이 되지 않는다. {held}: "
        "상자 위쪽 절반에서만 뽑은 30,000개는 전체에서 뽑은 30,000개와 {gap:+.1f}%p 차이 났다 "
        "({low:+.1f}~{high:+.1f}).",
        "unbalanced": "또한: 클래스가 불균형하면 드문 클래스에서 정확도를 잃는다. {held}: "
        "클래스마다 빈도가 앞 클래스의 10분의 1일 때 {gap:+.1f}%p ({low:+.1f}~{high:+.1f}).",
    },
}


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts, seeds = TEXTS[options.lang], range(1, options.seeds + 1)
    cells = [(kind, size) for kind in KINDS for size in SIZES]
    trials = [
        trial("classify", seed, STEPS[size], examples=size, **KINDS[kind])
        for kind, size in cells
        for seed in seeds
    ]
    found = measure_all(trials, options.processes, texts["progress"])
    scores = {
        cell: [100 * points[-1].score for points in found[k * len(seeds) : (k + 1) * len(seeds)]]
        for k, cell in enumerate(cells)
    }
    names = {kind: texts.get(kind) or texts["wrong"].format(kind) for kind in KINDS}
    rows = [(names[kind], *(f"{mean(scores[kind, size]):.1f}" for size in SIZES)) for kind in KINDS]
    tell(
        texts["title"],
        (texts["x"], *(f"{size:,}" for size in SIZES)),
        rows,
        verdicts(options, scores),
    )
    draw(path, options.lang, names, {cell: mean(values) for cell, values in scores.items()})


def verdicts(options: ExperimentOptions, scores: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    texts = TEXTS[options.lang]
    claims = [("many_noisy", noise, (CLEAN, FEW), 1) for noise in NOISY]
    claims += [("not_representative", "upper", (CLEAN, MOST), -1)]
    claims += [("unbalanced", "rare", (CLEAN, MOST), -1)]
    sentences = [texts["claim"]]
    for name, kind, other, sign in claims:
        gap = mean([a - b for a, b in zip(scores[kind, MOST], scores[other], strict=True)])
        sentences.append(
            texts[name].format(
                held=HELD[options.lang][sign * gap.value > gap.margin],
                noise=kind,
                gap=gap.value,
                low=gap.value - gap.margin,
                high=gap.value + gap.margin,
                seeds=options.seeds,
            )
        )
    return "\n".join(sentences)


def draw(path: Path, lang: str, names: dict[str, str], scores: dict[tuple[str, int], Mean]) -> None:
    """A curve for each kind of training set over its size."""
    texts = TEXTS[lang]
    with slide(path, lang) as axes:
        for k, kind in enumerate(KINDS):
            means = [scores[kind, size] for size in SIZES]
            axes.errorbar(
                SIZES,
                [each.value for each in means],
                [each.margin for each in means],
                color=COLOURS[k],
                marker=MARKERS[k],
                ls="-" if k < len(NOISES) else "--",
                capsize=6,
                elinewidth=1.5,
                label=names[kind],
            )
        axes.axhline(25, color="grey", ls=":")
        axes.set(xscale="log", ylim=(0, 100), xlabel=texts["x"], ylabel=texts["y"] + " (%)")
        axes.set_title(texts["title"])
        axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
        axes.minorticks_off()
        axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.62, 0.0))


if __name__ == "__main__":
    sys.exit(run_experiment("label_noise", experiment))
