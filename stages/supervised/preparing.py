"""Prepare training data as a picture: python -m stages preparing

Six screens, the numbers that a program by a person makes of each, and the labels that a person
gives: this is what conventional machine learning reads. Next to it are the pixels of one screen as
numbers: this is what deep learning reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from stages.datasets.dataset import Array, examples_of
from stages.datasets.shape_measurements import MEASUREMENTS, measurements
from stages.datasets.shapes import Shapes
from stages.lab.slides import slide, slide_file
from stages.lab.texts import load
from training.cli import File, read_options

SHOWN = 6
NUMBERS = MEASUREMENTS["rings"]
MIDDLE_GREY = 130
CORNER = slice(6, 18)  # pixels of the first screen that are shown as numbers


@dataclass(frozen=True)
class PreparingOptions:
    """Show how screens become training data: numbers and labels, or pixels and labels."""

    lang: Literal["en", "ko"] = "en"
    """Language of the table and the slide."""
    out: File = None
    """File of the slide; by default preparing.png (preparing.ko.png) in the current folder."""
    seed: int = 1
    """Seed of the screens."""


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Raises:
        ValueError: for options or files that cannot be used.
        OSError: if a file cannot be read or written.
    """
    options: PreparingOptions = read_options(PreparingOptions, arguments, "-m stages preparing")
    path = slide_file(options.out, "preparing", options.lang)
    texts = load("preparing", options.lang)
    dataset = Shapes(of="animals", examples=SHOWN, data_seed=options.seed)
    screens, labels, _ = examples_of(dataset, "train")
    numbers = measurements(screens)[:, :NUMBERS]
    table = Table(*texts["columns"], title=texts["title"])
    for k, (row, label) in enumerate(zip(numbers, labels, strict=True), 1):
        table.add_row(str(k), *(f"{number:.2f}" for number in row), str(label))
    Console().print(table)
    print(texts["verdict"].format(pixels=screens[0].size, numbers=NUMBERS))
    with slide(path, options.lang) as axes:
        draw(axes, texts, screens[:, 0], numbers, labels)
    print(f"{load('lab', options.lang)['slide']}: {path}")


def draw(axes: Any, texts: Any, screens: Array, numbers: Array, labels: Array) -> None:
    """Draw the screens with their numbers and labels, and some pixels as numbers."""
    axes.set_axis_off()
    axes.set_title(texts["title"])
    for k, (screen, row, label) in enumerate(zip(screens, numbers, labels, strict=True)):
        top = 0.81 - 0.145 * k
        place = axes.inset_axes((0.0, top - 0.07, 0.1, 0.135))
        place.imshow(screen, cmap="gray", vmin=0, vmax=255)
        place.set_axis_off()
        line = "  ".join(f"{number:.2f}" for number in row)
        axes.text(0.12, top, line, va="center", fontsize=14, family="monospace")
        axes.text(0.5, top, str(label), va="center", ha="center", fontsize=22)
    for x, heading in ((0.28, "made"), (0.5, "label"), (0.79, "pixels")):
        axes.text(x, 0.9, texts[heading], ha="center", va="bottom", fontsize=16)
    part = screens[0][CORNER, CORNER]
    place = axes.inset_axes((0.57, 0.0, 0.43, 0.87))
    place.imshow(part, cmap="gray", vmin=0, vmax=255)
    place.set_axis_off()
    for (down, across), value in np.ndenumerate(part):
        colour = "black" if value > MIDDLE_GREY else "white"
        place.text(across, down, str(value), ha="center", va="center", fontsize=11, color=colour)
