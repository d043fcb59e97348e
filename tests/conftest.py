"""Set up once for all tests: no window on the screen, and the tiny game registered."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import tests.games  # noqa: F401 - registers the tiny game
