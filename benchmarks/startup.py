"""Measures how long a student waits for `train.py` and for the first frame of `play.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measure, Row

HERE = Path(__file__).parent
TRAIN, PLAY = HERE.parent / "train.py", HERE.parent / "play.py"
REPEATS = 3
MEGABYTE = 1e6

TRAIN_SECONDS = Measure(
    "python train.py, from Enter to the final line, warm cache",
    "s",
    "a separate process with the live display and default options, from start to exit",
    12.0,
    "less",
)
TRAIN_MEMORY = Measure(
    "its peak memory",
    "MB",
    "largest resident set size of that process; 1 MB = 10^6 bytes",
    700.0,
    "less",
)
PLAY_SECONDS = Measure(
    "python play.py, from Enter to the first frame, warm cache",
    "s",
    "a separate process, from start to the first pygame.display.flip; it plays the run just "
    "trained, in a window on SDL's dummy display",
    3.0,
    "less",
)


def measure_startup(repeats: int = REPEATS) -> list[Row]:
    """Measure all rows; a first run of both programs, which is not counted, warms the caches."""
    trained, played = [], []
    for k in range(repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(TRAIN), *(["--steps", "20000"] if k == 0 else [])]
            trained.append(stopwatch(command, folder))
            command = [sys.executable, str(HERE / "first_frame.py"), str(PLAY)]
            played.append(stopwatch(command, folder))
    del trained[0], played[0]
    rows = [row(TRAIN_SECONDS, trained, "seconds"), row(PLAY_SECONDS, played, "seconds")]
    if trained[0]["peak_bytes"] is not None:
        rows.insert(1, row(TRAIN_MEMORY, trained, "peak_bytes", MEGABYTE))
    return rows


def row(measure: Measure, runs: list[dict[str, Any]], name: str, unit: float = 1.0) -> Row:
    """Return a row with one value per run."""
    values = tuple(run[name] / unit for run in runs)
    return Row(measure, values, tuple(run["processor"] for run in runs))


def stopwatch(command: list[str], folder: str) -> dict[str, Any]:
    """Run `command` in `folder` under benchmarks/stopwatch.py and return what it measured.

    Raises:
        RuntimeError: if the command fails, with the end of its error output.
    """
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy", "FORCE_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, str(HERE / "stopwatch.py"), *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
