"""Figures for a teacher's slide: legible from the back row, in English or Korean."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from envs.engine.fonts import KOREAN, packaged
from stages.lab.intervals import Mean
from training.run_folder import atomic_path

SIZE = (12.8, 7.2)  # inches, at 100 dots each: a slide's 16 to 9
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito, "Color universal design" (2008): told apart by the colour-blind too."""
MARKERS = "osD^vPX"
SETTINGS: dict[str, Any] = {
    "font.size": 20,
    "axes.titlesize": 26,
    "axes.labelsize": 22,
    "legend.fontsize": 18,
    "lines.linewidth": 3.5,
    "lines.markersize": 11,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
}
LETTERS = {"en": "A", "ko": KOREAN}
NO_FONT = {
    "ko": 'no font on this machine has Korean letters: pip install -e ".[plots]" brings one, or '
    "leave out --lang ko"
}


@functools.cache
def font_for(lang: str) -> Any:
    """A font that has the letters of `lang`.

    Raises:
        ValueError: if there is none, or matplotlib is missing.
    """
    try:
        from matplotlib import font_manager
    except ImportError:
        raise ValueError('slides are drawn with matplotlib: pip install -e ".[plots]"') from None
    wanted = {ord(letter) for letter in LETTERS[lang]}
    named = font_manager.findfont(font_manager.FontProperties())
    files = [named, *packaged(), *sorted(font_manager.findSystemFonts(), key=_plainness)]
    for file in files:
        try:
            letters = font_manager.get_font(file).get_charmap()
        except (RuntimeError, OSError):  # one that cannot be read
            continue
        if wanted <= letters.keys():
            font_manager.fontManager.addfont(file)
            return font_manager.FontProperties(fname=file)
    raise ValueError(NO_FONT[lang])


def _plainness(file: str) -> tuple[bool, int, str]:
    """Sorts upright text fonts without serifs before others."""
    name = Path(file).stem.lower()
    odd = any(word in name for word in ("mono", "serif", "myeongjo", "batang", "coding", "light"))
    known = ("nanumgothic", "malgun", "applesdgothicneo", "notosanscjk", "notosanskr")
    place = next((k for k, start in enumerate(known) if name.startswith(start)), len(known))
    return odd, place, f"{len(name):03}{name}"


@contextlib.contextmanager
def slide(path: Path, lang: str) -> Iterator[Any]:
    """A figure's axes to draw on; written to `path` at the end, whole or not at all."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    families = [font_for(lang).get_name(), "DejaVu Sans"]
    with mpl.rc_context(SETTINGS | {"font.family": families}):
        figure = Figure(SIZE, 100, layout="constrained")
        yield figure.add_subplot()
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png")


def draw_curve(
    axes: Any, k: int, x: Sequence[float], means: Sequence[Mean], label: str, style: str = "-"
) -> None:
    """The `k`-th curve of a figure, with its intervals."""
    axes.errorbar(
        x,
        [each.value for each in means],
        [each.margin for each in means],
        label=label,
        color=COLOURS[k],
        marker=MARKERS[k],
        ls=style,
        capsize=6,
        elinewidth=1.5,
    )


def draw_curves(
    path: Path,
    lang: str,
    texts: Mapping[str, Any],
    sizes: Sequence[int],
    curves: Mapping[str, Sequence[Mean]],
    lowest: float = 0.0,
    highest: float | None = None,
    chance: float | None = None,
) -> None:
    """A slide of curves, by their labels, over `sizes` of something; a line where chance is."""
    with slide(path, lang) as axes:
        for k, (label, means) in enumerate(curves.items()):
            draw_curve(axes, k, sizes, means, label)
        if chance is not None:
            axes.axhline(chance, color="grey", ls=":")
        make_logarithmic(axes, sizes)
        axes.set(xlabel=texts["x"], ylabel=texts["y"], title=texts["title"])
        axes.set_ylim(lowest, highest)
        axes.legend()


def draw_course(
    axes: Any, k: int, x: Sequence[float], courses: Sequence[Sequence[float]], label: str
) -> None:
    """The `k`-th curve of a figure: the mean of several trials, from the lowest to the highest."""
    scores = np.array(courses)
    axes.plot(x, scores.mean(0), color=COLOURS[k], label=label)
    axes.fill_between(x, scores.min(0), scores.max(0), color=COLOURS[k], alpha=0.2, lw=0)


def make_logarithmic(axes: Any, ticks: Sequence[int]) -> None:
    """Let the x axis be logarithmic, with these numbers below it and no others."""
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
