"""Wrong labels, few examples, lopsided examples: what does a classifier forgive?

    python -m stages label_noise

Which way does the ball fly? Training sets of 100 to 30,000 examples, of which 0 to 60 % have a
wrong answer; beside them, few and clean ones that are not representative (the ball only in the
upper half of the box), and classes each a tenth as frequent as the one before it. All are tested on
the same clean, representative examples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, difference, mean
from stages.lab.slides import draw_curve, make_logarithmic, slide
from stages.lab.trials import measure, percent, run_trials, trial

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
        "many_noisy": "- {held}: 30,000 with {noise} wrong against 3,000 clean ones: {value:+.1f} "
        "points of accuracy (95 % interval {low:+.1f} to {high:+.1f}, {seeds} seeds).",
        "not_representative": "And: clean examples help little if they are not representative. "
        "{held}: 30,000 clean ones from the upper half of the box against 30,000 from everywhere: "
        "{value:+.1f} points ({low:+.1f} to {high:+.1f}).",
        "unbalanced": "And: unbalanced classes cost accuracy on the rare ones. {held}: "
        "{value:+.1f} points with each class a tenth as frequent as the one before "
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
        "{value:+.1f}%p (95 % 구간 {low:+.1f}~{high:+.1f}, 시드 {seeds}개).",
        "not_representative": "또한: 대표성이 없으면 깨끗한 예제도 별 도움이 되지 않는다. {held}: "
        "상자 위쪽 절반에서만 뽑은 30,000개는 전체에서 뽑은 30,000개와 {value:+.1f}%p 차이 났다 "
        "({low:+.1f}~{high:+.1f}).",
        "unbalanced": "또한: 클래스가 불균형하면 드문 클래스에서 정확도를 잃는다. {held}: "
        "클래스마다 빈도가 앞 클래스의 10분의 1일 때 {value:+.1f}%p ({low:+.1f}~{high:+.1f}).",
    },
}


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = TEXTS[options.lang]
    configs = {
        (kind, size): [
            trial("classify", seed, STEPS[size], examples=size, **KINDS[kind])
            for seed in options.each_seed
        ]
        for kind in KINDS
        for size in SIZES
    }
    found = run_trials(measure, configs, options.processes, texts["progress"])
    scores = percent(found)
    means = {cell: mean(values) for cell, values in scores.items()}
    names = {kind: texts.get(kind) or texts["wrong"].format(kind) for kind in KINDS}
    rows = [(names[kind], *(f"{means[kind, size]:.1f}" for size in SIZES)) for kind in KINDS]
    columns = (texts["x"], *(f"{size:,}" for size in SIZES))
    tell(texts["title"], columns, rows, verdicts(options, scores))
    draw(path, options.lang, names, means)


def verdicts(options: ExperimentOptions, scores: dict[tuple[str, int], list[float]]) -> str:
    """A sentence for each claim; differences are taken seed by seed."""
    texts = TEXTS[options.lang]
    sentences = [texts["claim"]]
    for noise in NOISY:
        gap = difference(scores[noise, MOST], scores[CLEAN, FEW])
        sentences.append(claim(options, texts["many_noisy"], gap, gap.low > 0, noise=noise))
    for name, kind in (("not_representative", "upper"), ("unbalanced", "rare")):
        gap = difference(scores[kind, MOST], scores[CLEAN, MOST])
        sentences.append(claim(options, texts[name], gap, gap.high < 0))
    return "\n".join(sentences)


def draw(path: Path, lang: str, names: dict[str, str], scores: dict[tuple[str, int], Mean]) -> None:
    """A curve for each kind of training set over its size."""
    texts = TEXTS[lang]
    with slide(path, lang) as axes:
        for k, kind in enumerate(KINDS):
            draw_curve(axes, k, SIZES, [scores[kind, size] for size in SIZES], names[kind])
        axes.axhline(25, color="grey", ls=":")
        make_logarithmic(axes, SIZES)
        axes.set(xlabel=texts["x"], ylabel=texts["y"] + " (%)", title=texts["title"], ylim=(0, 100))
        axes.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.62, 0.0))
