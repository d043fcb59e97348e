"""Fonts with Korean letters, which the fonts of pygame and matplotlib lack."""

from __future__ import annotations

import importlib.util
from pathlib import Path

KOREAN = "가각힣"
"""Letters to test a font with: a font that has these has all others."""
PACKAGED = ("koreanize_matplotlib", "fonts/NanumGothic.ttf")
"""Package of the extra `plots`, and its font file; the package itself is never imported."""


def packaged() -> list[str]:
    """Return the path of the font file of `PACKAGED`; an empty list if it is not installed."""
    package, file = PACKAGED
    found = importlib.util.find_spec(package)
    return [str(Path(found.origin).parent / file)] if found and found.origin else []
