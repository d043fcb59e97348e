"""What `play.py` is made of: who plays, the match, its picture, the window and recordings."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # --json prints nothing but JSON
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")  # Gymnasium's own games start the sound device
