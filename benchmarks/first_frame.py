"""Run a script that opens a pygame window, and exit once its first frame is shown.

python first_frame.py play.py [ARGUMENT ...]
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import pygame


def main(script: str) -> None:
    """Run `script` as `python script` would; exit after the first frame.

    Raises:
        SystemExit: if the script ended without showing a frame.
    """
    show = pygame.display.flip

    def show_and_end() -> None:
        show()
        os._exit(0)

    pygame.display.flip = show_and_end
    sys.path[0] = str(Path(script).resolve().parent)  # as for `python script`
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    sys.exit("no frame was shown")


if __name__ == "__main__":
    del sys.argv[0]
    main(sys.argv[0])
