"""What `play.py` is made of: players, the playback of episodes, its picture, window and videos."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # --json prints nothing but JSON
