"""Measures the time from saving a new reward to different behaviour in `play.py --train`."""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.measuring import Clock, Measure, Row
from envs.engine.capabilities import shown_game
from playing.app import training_window
from playing.live_training import LiveTraining
from playing.selection import PlayOptions
from playing.window import FRAMES_PER_SECOND, Window

REPEATS = 5
LIMIT = 120.0  # seconds
REWARDS = {"up": "1 - after.paddle_y", "down": "after.paddle_y"}
TOP, BOTTOM = 0.3, 0.7  # mean height of the paddle over a second
LEARNED = 100_000  # steps; before that the paddle may be at the top by chance

SAVE_TO_CHANGE = Measure(
    "play.py --train, from saving the opposite reward to the opposite behaviour on screen",
    "s",
    "a paddle has learned to stay up (mean height over a second below 0.3 after 100,000 steps); "
    "the saved reward then pays for staying down, until the mean height is above 0.7; the window "
    "(on SDL's dummy display) and the training process run at the same time",
    10.0,
    "less",
)


def measure_workshop(repeats: int = REPEATS) -> list[Row]:
    """Measure all rows."""
    seconds, processor = [], []
    for seed in range(1, repeats + 1):
        with opened_workshop(seed) as workshop:
            workshop.learn_to_stay_up()
            clock = Clock()
            workshop.save("down")
            seconds.append(workshop.play_until(lambda height: height > BOTTOM))
            processor.append(clock.processor())
    return [Row(SAVE_TO_CHANGE, tuple(seconds), tuple(processor))]


class Workshop:
    """A window that shows a paddle learning from a reward file."""

    def __init__(self, window: Window, training: LiveTraining, file: Path) -> None:
        self.window = window
        self.training = training
        self._file = file

    def save(self, name: str) -> None:
        """Save one of `REWARDS` to the file."""
        write_reward(self._file, name)

    def learn_to_stay_up(self, limit: float = LIMIT) -> None:
        """Play until the agent does what the first reward pays for."""
        self.play_until(lambda height: self.training.steps >= LEARNED and height < TOP, limit)

    def play_until(self, done: Callable[[float], bool], limit: float = LIMIT) -> float:
        """Return the seconds until `done` accepts the paddle's mean height over a second.

        Heights are 0 at the top and 1 at the bottom.

        Raises:
            TimeoutError: if it takes longer than `limit`.
        """
        heights: deque[float] = deque(maxlen=FRAMES_PER_SECOND)
        began = last = time.perf_counter()
        while (now := time.perf_counter()) < began + limit:
            self.window.frame(now - last)
            last = now
            game = shown_game(self.window.playback.env)
            assert game is not None
            heights.append(float(game.state.paddle_y))
            if len(heights) == heights.maxlen and done(float(np.mean(heights))):
                return now - began
            time.sleep(max(0.0, now + 1 / FRAMES_PER_SECOND - time.perf_counter()))
        raise TimeoutError(f"not within {limit:g} s: {self.window.status}")


def write_reward(file: Path, name: str) -> None:
    """Save one of `REWARDS` as editors do: write a temporary file, then rename it."""
    text = f"def {name}(before, action, after):\n    return {REWARDS[name]}\n"
    temporary = file.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(file)


@contextmanager
def opened_workshop(seed: int, run_dir: str | None = None) -> Iterator[Workshop]:
    """Open `python play.py --train --reward my_reward.py`; runs go to `run_dir` or are deleted."""
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "my_reward.py"
        write_reward(file, "up")
        options = PlayOptions(reward=str(file), seed=seed, train=True)
        place = Path(run_dir or folder)
        with training_window(options, "", place) as (_, window, training):
            yield Workshop(window, training, file)
