"""Buffers of steps: a fixed number of rows for rollouts, and a ring buffer for replay.

A replay buffer holds the newest steps of `n` environments, to learn from them more than once (Lin,
"Self-improving reactive agents based on reinforcement learning, planning and teaching", Machine
Learning 8, 1992). Rows are time steps and columns are environments, so the step that followed lies
one row further on. When all rows are full, the oldest row is overwritten.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from agents.agent import Array, Step, Task


class Rows:
    """Base class of buffers: attributes that are arrays and share their first axis, the row.

    NumPy writes a row in a tenth of the time that PyTorch takes.
    """

    def arrays(self) -> dict[str, Array]:
        """Return all arrays by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def copies(self, count: int) -> dict[str, Array]:
        """Return copies of the first `count` rows by name."""
        return {name: array[:count].copy() for name, array in self.arrays().items()}

    def restore(self, copies: dict[str, Array], count: int) -> None:
        """Set the first `count` rows.

        Raises:
            ValueError: if `copies` have another number or kind of rows.
        """
        for name, array in self.arrays().items():
            if copies[name].shape != array[:count].shape or not 0 <= count <= len(array):
                raise ValueError(f"a buffer cannot hold `{name}` of shape {copies[name].shape}")
            array[:count] = copies[name]


def empty_observations(space: spaces.Space[Any], *shape: int) -> Array:
    """Return zeros (*shape, *space.shape): uint8 if the space is uint8, else float32."""
    assert space.shape is not None
    dtype = np.uint8 if space.dtype == np.uint8 else np.float32
    return np.zeros((*shape, *space.shape), dtype)


class Steps(Rows):
    """The fields of `Step` for `rows` steps of all environments, as arrays (rows, n, ...)."""

    def __init__(self, task: Task, rows: int) -> None:
        space, actions = task.observation_space, task.action_space
        assert actions.shape is not None
        action_dtype = np.int64 if isinstance(actions, spaces.Discrete) else np.float32
        shape = (rows, task.num_envs)
        self.observations = empty_observations(space, *shape)
        self.actions = np.zeros((*shape, *actions.shape), action_dtype)
        self.rewards = np.zeros(shape, np.float32)
        self.terminated = np.zeros(shape, np.bool_)
        self.truncated = np.zeros(shape, np.bool_)
        self.next_observations = empty_observations(space, *shape)
        self.valid = np.zeros(shape, np.bool_)

    def write(self, row: int, step: Step) -> None:
        """Store a step; actions are stored as the environment received them."""
        for name, array in self.arrays().items():
            array[row] = getattr(step, name)


class Replay:
    """A replay buffer of about `capacity` steps.

    Each step takes twice the bytes of an observation, because the next observation is stored too,
    and 15 more bytes with a discrete action: 100,000 steps with observations of 5 floats take
    5.5 MB, with two 40 x 40 screens 640 MB.
    """

    def __init__(self, task: Task, capacity: int) -> None:
        self._rows, self._columns = max(1, capacity // task.num_envs), task.num_envs
        self._steps = Steps(task, self._rows)
        self._added = 0  # rows written since the start, overwritten ones included

    def __len__(self) -> int:
        """Return the number of steps in the buffer."""
        return min(self._added, self._rows) * self._columns

    def add(self, step: Step) -> None:
        """Store one step of all environments."""
        self._steps.write(self._added % self._rows, step)
        self._added += 1

    def cut(self) -> None:
        """Mark that the next step does not follow the newest one."""
        if self._added:
            self._steps.truncated[(self._added - 1) % self._rows] = True

    def sample(
        self, generator: np.random.Generator, count: int, gamma: float, n_step: int = 1
    ) -> dict[str, Array]:
        """Sample `count` steps uniformly, with replacement.

        The target for the value of `actions` is `rewards + discounts * V(next_observations)`, the
        n-step return in the section "Multi-step learning" of Hessel et al., "Rainbow" (AAAI 2018).
        It spans k <= n_step steps; k is smaller where the episode ended or goes no further yet.
        `rewards` (count,) are the discounted sums over k steps, `next_observations` follow the last
        of them, and `discounts` (count,) are gamma^k, or 0 where the last step terminated.
        """
        held = self._steps
        first, column = self._sample_places(generator, count)
        last, going_on = first, np.ones(count, np.bool_)
        rewards, discounts = held.rewards[first, column], np.full(count, gamma, np.float32)
        newest = (self._added - 1) % self._rows
        for _ in range(n_step - 1):
            ended = held.terminated[last, column] | held.truncated[last, column]
            going_on &= ~ended & (last != newest)
            last = np.where(going_on, (last + 1) % self._rows, last)
            rewards += np.where(going_on, discounts * held.rewards[last, column], 0.0)
            discounts *= np.where(going_on, np.float32(gamma), np.float32(1.0))
        return {
            "observations": held.observations[first, column],
            "actions": held.actions[first, column],
            "rewards": rewards,
            "next_observations": held.next_observations[last, column],
            "discounts": discounts * ~held.terminated[last, column],
        }

    def _sample_places(self, generator: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Return rows and columns (count,) of valid steps; invalid ones are sampled again."""
        places = generator.integers(len(self), size=count)
        valid = self._steps.valid.ravel()
        while len(wrong := np.flatnonzero(~valid[places])):
            places[wrong] = generator.integers(len(self), size=len(wrong))
        row, column = np.divmod(places, self._columns)
        return row, column

    def arrays(self) -> dict[str, Array]:
        """Return copies of everything that determines future samples, by name."""
        copies = self._steps.copies(min(self._added, self._rows))
        return copies | {"added": np.array(self._added)}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Continue from `arrays` of a buffer with the same capacity and number of environments."""
        self._added = int(arrays["added"])
        self._steps.restore(arrays, min(self._added, self._rows))
        if self._added and not self._steps.valid[: self._added].any():
            raise ValueError("no step in the replay buffer is valid")
