"""Short clips of what the agent does now, recorded on copies of the games that it trains in."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from rewards.learned import LearnedReward
from training.loop import Run
from training.vector_runner import VectorRunner, make_environments

Array = np.ndarray[Any, Any]

RECORDED = 3
"""How many times the length of a clip is played to cut clips from."""


@dataclass(frozen=True, eq=False)
class Clips:
    """Clips (n,) of the same length.

    Where a game ends in a clip, its last state stands still, and nothing is paid any more.
    """

    states: Array
    """State records (n, length + 1), the one before the first step included."""
    actions: Array
    """(n, length, ...)"""
    steps: Array
    """Number of steps (n,) until the game ended, at most `length`."""
    over: Array
    """Flags (n,): the game ended in the clip."""

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, rows: Any) -> Clips:
        return Clips(*(array[rows] for array in self.arrays))

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """All arrays, in the order of the fields."""
        return self.states, self.actions, self.steps, self.over

    @property
    def played(self) -> Array:
        """Flags (n, length): the steps in which the game went on."""
        return np.arange(self.actions.shape[1]) < self.steps[:, None]

    def state(self, k: int, step: int) -> Any:
        """Return the state of clip `k` after `step` steps, with its fields as attributes."""
        return self.states.view(np.recarray)[k, min(step, self.steps[k])]

    def features(self, reward: LearnedReward) -> Array:
        """Return the inputs (n, length, k) of the networks of a reward; 0 after the end."""
        played, states = self.played, self.states
        found = reward.features(states[:, :-1][played], self.actions[played], states[:, 1:][played])
        features = np.zeros((*played.shape, found.shape[1]))
        features[played] = found
        return features


def joined(parts: Sequence[Clips]) -> Clips:
    """Return all clips of several collections."""
    together = zip(*(part.arrays for part in parts), strict=True)
    return Clips(*(np.concatenate(arrays) for arrays in together))


def record(run: Run, length: int, count: int, generator: np.random.Generator) -> Clips:
    """Let a copy of the agent play on from where its training is, and cut `count` clips.

    The run does not change: the same run and generator give the same clips.
    """
    config = run.config
    options = run.make_options | {"autoreset_mode": AutoresetMode.NEXT_STEP}
    environments = make_environments(config.env, config.num_envs, options)
    runner, agent = VectorRunner(environments, 0), copy.deepcopy(run.agent)
    runner.restore(run.runner.checkpoint())
    batch: Any = runner.batch
    states, actions = [batch.states.copy()], []
    over, starts = [], [np.ones(runner.count, np.bool_)]
    for _ in range(RECORDED * length):
        step, _ = runner.step(agent.act(runner.observations))
        states.append(batch.states.copy())
        actions.append(step.actions)
        over.append(step.terminated | step.truncated)
        starts.append(~over[-1])  # the next step only begins the next episode
    environments.close()
    played = Clips(np.stack(states, 1), np.stack(actions, 1), np.array(()), np.stack(over, 1))
    return _cut(played, np.stack(starts[:-1], 1), length, count, generator)


def _cut(
    played: Clips, starts: Array, length: int, count: int, generator: np.random.Generator
) -> Clips:
    """Cut clips out of whole recordings; `starts` (games, steps) are the steps to begin at."""
    games, firsts = np.nonzero(starts[:, : starts.shape[1] - length + 1])
    chosen = generator.choice(len(games), count, replace=len(games) < count)
    games, firsts = games[chosen, None], firsts[chosen, None]
    window = played.over[games, firsts + np.arange(length)]
    over = window.any(1)
    steps = np.where(over, window.argmax(1) + 1, length)
    shown = firsts + np.minimum(np.arange(length + 1), steps[:, None])
    acted = firsts + np.minimum(np.arange(length), steps[:, None] - 1)
    return Clips(played.states[games, shown], played.actions[games, acted], steps, over)
