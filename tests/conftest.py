"""Set up once for all tests: no window on the screen, and the tiny game registered."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import torch

import tests.games  # noqa: F401 - registers the tiny game

torch.set_num_threads(1)  # more would wait for each other whenever the machine is busy
