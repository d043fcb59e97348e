"""Measures how long a student waits for `rewards check`, and the gain from compiling."""

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
from rewards.kernel import plain_kernel

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
    "python -m rewards check my_reward.py, just edited, from Enter to the first table",
    "s",
    "a separate process, from its start to its first line of output; the file is the one that "
    "`rewards new` writes, with one weight changed",
    1.0,
    "less",
)
CHECK = Measure(
    "the same, unchanged since the last check, from Enter to the prompt",
    "s",
    "from start to exit; an earlier check has already compiled its terms",
    1.0,
    "less",
)
EDITED = Measure(
    "the same, just edited, from Enter to the prompt",
    "s",
    "from start to exit, including compiling the changed terms and comparing their values",
)
COMPILED = Measure(
    f"a compiled reward compared with an interpreted one, {GAMES:,} games",
    "times",
    "seconds of one call of the interpreted term over seconds of its compiled loop",
    500.0,
)


def measure_rewards(repeats: int = REPEATS) -> list[Row]:
    """Measure all rows; a first check, which is not counted, warms the caches."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "my_reward.py"
        command = [sys.executable, "-m", "rewards", "check", file.name]
        text, _ = starter(file, SHORT_NAME, {})
        edited, unchanged = [], []
        edit = random.SystemRandom()
        for _ in range(repeats + 1):
            weight = repr(edit.uniform(0.01, 0.03))  # a weight that no earlier run has compiled
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
    """Return a term's compiled loop, its interpreted loop, and a batch of games with actions."""
    env: Any = gymnasium.make_vec(ENV, num_envs=GAMES, reward=file).unwrapped
    env.reset(seed=0)
    actions = np.random.default_rng(0).integers(0, 3, GAMES)
    env.step(actions)
    reward = env.batch.reward
    return reward.kernels[0], plain_kernel(reward.terms[0]), (env.batch, actions)


def times_faster(fast: Any, slow: Any, games: Any) -> float:
    """Return the interpreted loop's time divided by the compiled loop's."""
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
