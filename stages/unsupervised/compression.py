"""A few numbers against PNG: which is smaller when both are equally far from the original?

    python -m stages compression

Of the autoencoder, a screen is its codes, each rounded to one byte. Of PNG, it is the compressed
part of a file as small as can be: of fewer pixels, of fewer greys, the best for each error; the
57 bytes that every PNG file has besides are not counted. What it costs to keep the other half of
the network, which turns codes into screens, is.
"""

from __future__ import annotations

import io
import itertools
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from agents.supervised import Policy, SupervisedAgent
from stages.datasets.dataset import Array
from stages.datasets.reconstruct import squares
from stages.lab.experiment import ExperimentOptions, claim, tell
from stages.lab.intervals import Mean, mean, ratio
from stages.lab.slides import COLOURS, MARKERS, draw_curve, make_logarithmic, slide
from stages.lab.texts import load
from stages.lab.trials import run_trials
from stages.unsupervised.autoencoders import autoencoder, encoded
from training.config import RunConfig

CODES = (1, 2, 4, 8, 16)
STEPS = 115_200  # fewer than elsewhere, of more trials
SHOWN = 8
SCREENS = 1_000
PNG_SCREENS = 100
SIDES = (24, 16, 12, 8, 6, 4, 3)
GREYS = (256, 64, 32, 16, 8, 4, 2)
PNG_WRAPPER = 57  # bytes: signature, header, and the frames of the data and of the end


class Sizes(NamedTuple):
    """What one trial has found; errors in percent of a black screen's."""

    error: float
    png_bytes: float
    """At that error."""
    decoder: int
    """Bytes."""
    png: list[tuple[float, float]]
    """Bytes and error of every kind of PNG that no other one beats in both."""


def examine(config: RunConfig) -> Sizes:
    """Train, and weigh."""
    agent, screens, _, codes = encoded(config, SCREENS)
    png = best(png_sizes(screens[:PNG_SCREENS, 0]))
    error = relative_error(agent.rebuilt(in_bytes(codes)), screens)
    return Sizes(error, png_at(error, png), decoder_bytes(agent), png)


def in_bytes(codes: Array) -> Array:
    """Codes (n, k), each rounded to one of 256 steps of its range."""
    low, high = codes.min(0), codes.max(0)
    steps = np.round((codes - low) / (high - low) * 255)
    return np.asarray(low + steps / 255 * (high - low), np.float32)


def decoder_bytes(agent: SupervisedAgent) -> int:
    """What the half from codes to screens takes, four bytes a number."""
    assert isinstance(agent.network, Policy)
    assert agent.network.bottleneck is not None
    halves = (agent.network.bottleneck.decoder, agent.network.head)
    return sum(4 * p.numel() for half in halves for p in half.parameters())


def relative_error(rebuilt: Array, screens: Array) -> float:
    """In percent of the error of black screens."""
    originals = screens.astype(np.float32)
    return 100 * float(squares(rebuilt - originals).sum() / squares(originals).sum())


def png_sizes(screens: Array) -> list[tuple[float, float]]:
    """Mean bytes and error of every kind of PNG of screens (n, side, side)."""
    found = []
    for side, greys in itertools.product(SIDES, GREYS):
        pictures = [as_png(screen, side, greys) for screen in screens]
        rebuilt = np.stack([picture for _, picture in pictures])
        size = float(np.mean([size for size, _ in pictures]))
        found.append((size, relative_error(rebuilt, screens)))
    return found


def as_png(screen: Array, side: int, greys: int) -> tuple[int, Array]:
    """Bytes of the compressed part, and the screen again, of `side` pixels and `greys` greys."""
    small = Image.fromarray(screen).resize((side, side), Image.Resampling.BOX)
    levels = np.round(np.asarray(small, np.float64) / 255 * (greys - 1))
    shown = np.round(levels * 255 / (greys - 1)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(shown).save(file, "PNG", optimize=True)
    large = Image.fromarray(shown).resize(screen.shape, Image.Resampling.BICUBIC)
    return file.tell() - PNG_WRAPPER, np.asarray(large, np.float32)


def best(kinds: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those that no smaller one is as good as, from the smallest on."""
    front: list[tuple[float, float]] = []
    for size, error in sorted(kinds):
        if not front or error < front[-1][1]:
            front.append((size, error))
    return front


def png_at(error: float, front: list[tuple[float, float]]) -> float:
    """The bytes of the smallest PNG that is as good."""
    return next(size for size, png_error in front if png_error <= error)


def experiment(options: ExperimentOptions, path: Path) -> None:
    """Measure, and show."""
    texts = load("compression", options.lang)
    configs = {n: [autoencoder(seed, n, STEPS) for seed in options.each_seed] for n in CODES}
    found = run_trials(examine, configs, options.processes, texts["progress"])
    rows = []
    for n, sizes in found.items():
        error, png = (mean([getattr(s, name) for s in sizes]) for name in ("error", "png_bytes"))
        rows.append((str(n), f"{error:.1f}", f"{png:.0f}", f"{times_as_many(n, sizes).value:.1f}"))
    times = times_as_many(SHOWN, found[SHOWN])
    verdict = claim(options, texts["verdict"], times, times.low > 1, codes=SHOWN)
    saved = mean([each.png_bytes - SHOWN for each in found[SHOWN]]).value  # bytes a screen
    if saved > 0:
        decoder = found[SHOWN][0].decoder
        price = texts["price"].format(decoder=decoder, break_even=math.ceil(decoder / saved))
        verdict += "\n" + price
    tell(texts["title"], texts["columns"], rows, verdict)
    draw(path, options.lang, found)


def times_as_many(codes: int, sizes: list[Sizes]) -> Mean:
    """PNG's bytes over those of the codes."""
    return ratio([each.png_bytes for each in sizes], [codes] * len(sizes))


def draw(path: Path, lang: str, found: dict[int, list[Sizes]]) -> None:
    """Errors over bytes."""
    texts = load("compression", lang)
    errors = [mean([each.error for each in sizes]) for sizes in found.values()]
    with slide(path, lang) as axes:
        draw_curve(axes, 0, list(found), errors, texts["codes"])
        png = next(iter(found.values()))[0].png
        axes.plot(*zip(*png, strict=True), color=COLOURS[1], marker=MARKERS[1], label=texts["png"])
        make_logarithmic(axes, (1, 2, 4, 8, 16, 32, 64, 128))
        axes.set(xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.set_ylim(bottom=0)
        axes.legend()
