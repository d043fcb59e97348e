"""Letters that the fonts of pygame and matplotlib lack, and where to find them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

KOREAN = "가각힣"
"""Who has these has the others."""
PACKAGED = ("koreanize_matplotlib", "fonts/NanumGothic.ttf")
"""Of the extra `plots`, a font with Korean letters; only the file is used, never the package."""


def packaged() -> list[str]:
    """The font file that comes with `PACKAGED`, if that is installed."""
    package, file = PACKAGED
    found = importlib.util.find_spec(package)
    return [str(Path(found.origin).parent / file)] if found and found.origin else []
