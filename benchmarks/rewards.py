"""What a student waits for who writes a reward, and what compiling it is worth."""

from __future__ import annotations

import random
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from benchmarks.measuring import Clock, Measure, Row, interleaved
from benchmarks.startup import row, stopwatch
from rewards.check.starter import starter
from rewards.weighted_sum import plain_kernel

ENV, SHORT_NAME = "PaddleBall-v0", "paddle"
GAMES = 1024
REPEATS = 5
CALLS = 200
WEIGHT = "0.02"  # in the starter
SOURCE = '''
def follow(before, action, after):
    """Closer is better."""
    return -abs(after.ball_y - after.paddle_y)
'''

FOUND = Measure(
    "python -m rewards check my_reward.py, from Enter to what it pays for, just edited",
    "s",
    "a process of its own with the one that it starts, from start to the first line of what was "
    "found; the file is the one that `rewards new` writes, with a weight in it changed",
    1.0,
    "less",
)
CHECK = Measure(
    "the same, not edited since the last time, from Enter to the prompt",
    "s",
    "from start to exit; that its terms compile is known from before",
    1.0,
    "less",
)
EDITED = Measure(
    "the same, just edited, from Enter to the prompt",
    "s",
    "from start to exit: with the terms that were changed compiled, and compared",
)
COMPILED = Measure(
    f"a reward compiled against interpreted, {GAMES:,} games",
    "times",
    "seconds of one call of the same term as Python over those of its compiled loop",
    500.0,
)


def measure_rewards(repeats: int = REPEATS) -> list[Row]:
    """All rows of this theme; a first check, not counted, warms the caches."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "my_reward.py"
        command = [sys.executable, "-m", "rewards", "check", file.name]
        text, _ = starter(file, SHORT_NAME, {})
        edited, unchanged = [], []
        edit = random.SystemRandom()
        for _ in range(repeats + 1):
            weight = repr(edit.uniform(0.01, 0.03))  # one that no run before has made known
            file.write_text(text.replace(WEIGHT, weight, 1), encoding="utf-8")
            edited.append(stopwatch(command, folder))
            unchanged.append(stopwatch(command, folder))
        file.write_text(SOURCE, encoding="utf-8")
        compare = partial(times_faster, *kernels(str(file)))
        return [
            row(FOUND, edited[1:], "first_line"),
            row(CHECK, unchanged[1:], "seconds"),
            row(EDITED, edited[1:], "seconds"),
            *interleaved([(COMPILED, compare)], repeats),
        ]


def kernels(file: str) -> tuple[Any, Any, Any]:
    """The loop over the term of a file compiled, the same interpreted, and a batch of games."""
    env: Any = gymnasium.make_vec(ENV, num_envs=GAMES, reward=file).unwrapped
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 3, GAMES)
    env.step(actions)
    reward = env.batch.reward
    return reward.kernels[0], plain_kernel(reward.terms[0]), (env.batch, actions)


def times_faster(fast: Any, slow: Any, games: Any) -> float:
    """How often the compiled loop runs in the time that the interpreted one takes once."""
    batch, actions = games
    line, total = np.zeros((2, batch.count))
    arguments = (batch.before, actions, batch.states, 1.0, True, line, total)
    fast(*arguments)
    clock = Clock()
    for _ in range(CALLS):
        fast(*arguments)
    compiled = clock.seconds() / CALLS
    clock = Clock()
    slow(*arguments)
    return clock.seconds() / compiled
