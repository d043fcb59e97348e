"""Do codes that nobody has labelled put screens together that show the ball in the same place?

    python -m stages latent_map

An autoencoder is trained on screens alone. Of new screens, each one's nearest neighbour is looked
up, by its codes and by its pixels: how far from each other are the balls of the two? The slide
shows the codes of the first seed in a plane, coloured by where the ball is.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages.datasets.dataset import Array
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import mean, ratio
from stages.lab.slides import slide
from stages.lab.trials import run_trials
from stages.unsupervised.autoencoders import autoencoder, encoded
from stages.viewers.maps import box_of_colours, colours_of_places, in_a_plane
from training.config import RunConfig

CODES = 4
LOOKED_AT = 2_000

TEXTS: dict[str, dict[str, Any]] = {
    "en": {
        "progress": "Screens to codes and back",
        "title": "4 numbers for a screen: who put them in order?",
        "codes": "4 codes",
        "pixels": "576 pixels",
        "plane": "the plane of the slide",
        "chance": "any other screen",
        "columns": ("nearest neighbour by", "distance of the balls, % of the box"),
        "first": "first direction of the codes",
        "second": "second direction",
        "key": "colour:\nwhere the ball is",
        "verdict": "The lecture: from the observation alone, an autoencoder finds what matters. "
        "{held}: neighbours by codes have their balls {codes:.1f} % of the box apart, any two "
        "screens {chance:.1f} %: {value:.1f} times as far (95 % interval {low:.1f} to {high:.1f}, "
        "{seeds} seeds). Pixels themselves: {pixels:.1f} %.",
    },
    "ko": {
        "progress": "화면을 코드로, 다시 화면으로",
        "title": "화면 하나에 숫자 4개: 누가 정리했을까?",
        "codes": "코드 4개",
        "pixels": "픽셀 576개",
        "plane": "그림의 평면",
        "chance": "아무 화면",
        "columns": ("가장 가까운 이웃의 기준", "두 공 사이의 거리 (상자의 %)"),
        "first": "코드의 첫째 방향",
        "second": "둘째 방향",
        "key": "색: 공의 위치",
        "verdict": "강의의 주장: 오토인코더는 관측만 보고도 중요한 것을 찾아낸다. {held}: 코드가 "
        "가장 가까운 두 화면의 공은 상자의 {codes:.1f} % 떨어져 있고, 아무 두 화면은 "
        "{chance:.1f} %로 {value:.1f}배 멀다 (95 % 구간 {low:.1f}~{high:.1f}, 시드 {seeds}개). "
        "픽셀로 찾은 이웃은 {pixels:.1f} %이다.",
    },
}
WAYS = ("codes", "pixels", "plane", "chance")


class Map(NamedTuple):
    """What one trial has found."""

    distances: dict[str, float]
    """Of the balls of neighbours, in percent of the box, by what makes neighbours."""
    plane: Array
    places: Array


def examine(config: RunConfig) -> Map:
    """Train, and look up neighbours."""
    _, screens, places, codes = encoded(config, LOOKED_AT)
    plane = in_a_plane(codes)
    neighbours = {
        "codes": nearest_other(codes),
        "pixels": nearest_other(screens.reshape(len(screens), -1)),
        "plane": nearest_other(plane),
        "chance": np.roll(np.arange(len(places)), 1),
    }
    distances = {
        way: 100 * float(np.linalg.norm(places - places[other], axis=1).mean())
        for way, other in neighbours.items()
    }
    return Map(distances, plane, places)


def nearest_other(points: Array) -> Array:
    """Of each of the points (n, k) the index of the nearest other one."""
    flat = points.astype(np.float64)
    lengths = np.square(flat).sum(1)
    squares = lengths[:, None] + lengths - 2 * flat @ flat.T
    np.fill_diagonal(squares, math.inf)
    return np.asarray(squares.argmin(1))


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = TEXTS[options.lang]
    configs = {CODES: [autoencoder(seed, CODES) for seed in options.each_seed]}
    found = run_trials(examine, configs, options.processes, texts["progress"])[CODES]
    distances = {way: [each.distances[way] for each in found] for way in WAYS}
    means = {way: mean(values) for way, values in distances.items()}
    rows = [(texts[way], f"{means[way]:.1f}") for way in WAYS]
    times = ratio(distances["chance"], distances["codes"])
    verdict = claim(
        options,
        texts["verdict"],
        times,
        times.low > 1,
        **{way: means[way].value for way in WAYS},
    )
    tell(texts["title"], texts["columns"], rows, verdict)
    draw(path, options.lang, found[0])


def draw(path: Path, lang: str, found: Map) -> None:
    """The plane, and the box that says which colour is where."""
    texts = TEXTS[lang]
    with slide(path, lang) as axes:
        axes.scatter(*found.plane.T, c=colours_of_places(found.places) / 255, s=36)
        axes.set(title=texts["title"], xlabel=texts["first"], ylabel=texts["second"])
        axes.set(xticks=[], yticks=[])
        key = axes.inset_axes((1.03, 0.3, 0.22, 0.4))
        key.imshow(box_of_colours(64), aspect="auto")
        key.set(xticks=[], yticks=[], xlabel=texts["key"])
        key.grid(False)
