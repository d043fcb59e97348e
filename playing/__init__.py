"""The parts of `play.py`: players, the playback of episodes, the window, videos and scores."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # --json prints nothing but JSON
