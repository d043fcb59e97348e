"""Slides (PNG, 1280 x 720): large letters, colours that everyone can tell apart, Korean fonts."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envs.engine.fonts import KOREAN, packaged
from training.cli import check_file
from training.run_folder import atomic_path

SIZE = (12.8, 7.2)  # inches; at 100 dots per inch 1280 x 720 pixels
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours that colour-blind people can tell apart too (Okabe and Ito, "Color universal design",
2008)."""
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
SUFFIX = {"en": ".png", "ko": ".ko.png"}
LETTERS = {"en": "A", "ko": KOREAN}
NO_FONT = {
    "ko": "--lang ko: no font on this machine has Korean letters; install one with "
    'pip install -e ".[plots]"'
}


def slide_file(out: Path | None, name: str, lang: str) -> Path:
    """Return the file of a slide: `out`, or by default NAME.png (NAME.ko.png) in this folder.

    Call it before the work begins, which may take minutes.

    Raises:
        ValueError: If the slide cannot be drawn or written.
    """
    path = out or Path(f"{name}{SUFFIX[lang]}")
    if path.suffix != ".png":
        raise ValueError(f"--out must end in .png, got {str(path)!r}")
    check_file("--out", path)
    font_for(lang)
    return path


@functools.cache
def font_for(lang: str) -> Any:
    """Return the properties of a font that has the letters of `lang`.

    Raises:
        ValueError: If there is none, or matplotlib is missing.
    """
    try:
        from matplotlib import font_manager
    except ImportError:
        raise ValueError(
            'slides need matplotlib: pip install -c constraints.txt -e ".[plots]"'
        ) from None
    wanted = {ord(letter) for letter in LETTERS[lang]}
    named = font_manager.findfont(font_manager.FontProperties())
    files = [named, *packaged(), *sorted(font_manager.findSystemFonts(), key=_plainness)]
    for file in files:
        try:
            letters = font_manager.get_font(file).get_charmap()
        except (RuntimeError, OSError):  # an unreadable file
            continue
        if wanted <= letters.keys():
            font_manager.fontManager.addfont(file)
            return font_manager.FontProperties(fname=file)
    raise ValueError(NO_FONT[lang])


def _plainness(file: str) -> tuple[bool, int, str]:
    """Sort key that puts plain sans-serif fonts first."""
    name = Path(file).stem.lower()
    odd = any(word in name for word in ("mono", "serif", "myeongjo", "batang", "coding", "light"))
    known = ("nanumgothic", "malgun", "applesdgothicneo", "notosanscjk", "notosanskr")
    place = next((k for k, start in enumerate(known) if name.startswith(start)), len(known))
    return odd, place, f"{len(name):03}{name}"


@contextlib.contextmanager
def slide(path: Path, lang: str) -> Iterator[Any]:
    """Yield axes to draw on; write the figure to `path` at the end, completely or not at all."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    families = [font_for(lang).get_name(), "DejaVu Sans"]
    with mpl.rc_context(SETTINGS | {"font.family": families}):
        figure = Figure(SIZE, 100, layout="constrained")
        yield figure.add_subplot()
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png")
