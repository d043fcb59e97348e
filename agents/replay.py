"""A replay memory: the newest steps of `n` environments, to learn from more than once (Lin 1992).

Rows are moments, columns environments, so that what followed a step lies one row further on. When
all rows are written the oldest is overwritten.
"""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from agents.agent import Array, Step, Task


class Steps:
    """Some `rows` steps of every environment, each kept as `Step` has it: `arrays` (rows, n, ...)
    by name. uint8 observations stay uint8."""

    def __init__(self, task: Task, rows: int) -> None:
        space, actions = task.observation_space, task.action_space
        assert space.shape is not None
        assert actions.shape is not None
        dtype = np.uint8 if space.dtype == np.uint8 else np.float32
        action_dtype = np.int64 if isinstance(actions, spaces.Discrete) else np.float32
        shape = (rows, task.num_envs)
        self.arrays: dict[str, Array] = {
            "observations": np.zeros((*shape, *space.shape), dtype),
            "actions": np.zeros((*shape, *actions.shape), action_dtype),
            "rewards": np.zeros(shape, np.float32),
            "terminated": np.zeros(shape, np.bool_),
            "truncated": np.zeros(shape, np.bool_),
            "next_observations": np.zeros((*shape, *space.shape), dtype),
            "valid": np.zeros(shape, np.bool_),
        }

    def write(self, row: int, step: Step) -> None:
        """Keep a step, with its actions as the environment counts them."""
        for name, array in self.arrays.items():
            array[row] = getattr(step, name)

    def copies(self, rows: int) -> dict[str, Array]:
        """The first `rows` rows by name."""
        return {name: array[:rows].copy() for name, array in self.arrays.items()}

    def restore(self, copies: dict[str, Array], rows: int) -> None:
        """Take back the first `rows` rows."""
        for name, array in self.arrays.items():
            array[:rows] = copies[name]


class Replay:
    """About `capacity` steps.

    Each takes twice the bytes of an observation, since the one that followed is kept too, and 15
    more with a discrete action: 100,000 steps of 5 floats are 5.5 MB, of two 40 x 40 screens 640.
    """

    def __init__(self, task: Task, capacity: int) -> None:
        self._rows, self._columns = max(1, capacity // task.num_envs), task.num_envs
        self._steps = Steps(task, self._rows)
        self._added = 0  # rows ever written

    def __len__(self) -> int:
        """Steps that are held."""
        return min(self._added, self._rows) * self._columns

    def add(self, step: Step) -> None:
        """Keep one step of every environment, with its actions as the environment counts them."""
        self._steps.write(self._added % self._rows, step)
        self._added += 1

    def cut(self) -> None:
        """What is added next does not follow what was added last."""
        if self._added:
            self._steps.arrays["truncated"][(self._added - 1) % self._rows] = True

    def sample(
        self, generator: np.random.Generator, count: int, gamma: float, n_step: int = 1
    ) -> dict[str, Array]:
        """Draw `count` steps with equal chances, again and again the same one if it so falls out.

        The target for the value of `actions` is `rewards + discounts * V(next_observations)`, as in
        "Multi-step learning" of Hessel et al., "Rainbow" (AAAI 2018). Returns are shorter than
        `n_step` where the episode ended, or was cut short, or has not come further yet.

        Returns:
            `observations`, `actions`; `rewards` (count,), the discounted sum over k <= n_step
            steps; `next_observations`, what followed the last of them; `discounts` (count,), gamma
            to the power of k, but 0 where the last one terminated.
        """
        held = self._steps.arrays
        first, column = self._draw(generator, count)
        last, going_on = first, np.ones(count, np.bool_)
        rewards, discounts = held["rewards"][first, column], np.full(count, gamma, np.float32)
        newest = (self._added - 1) % self._rows
        for _ in range(n_step - 1):
            ended = held["terminated"][last, column] | held["truncated"][last, column]
            going_on &= ~ended & (last != newest)
            last = np.where(going_on, (last + 1) % self._rows, last)
            rewards += np.where(going_on, discounts * held["rewards"][last, column], 0.0)
            discounts *= np.where(going_on, np.float32(gamma), np.float32(1.0))
        return {
            "observations": held["observations"][first, column],
            "actions": held["actions"][first, column],
            "rewards": rewards,
            "next_observations": held["next_observations"][last, column],
            "discounts": discounts * ~held["terminated"][last, column],
        }

    def _draw(self, generator: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Rows and columns (count,) of steps that are valid; a drawn one that is not goes back."""
        places = generator.integers(len(self), size=count)
        valid = self._steps.arrays["valid"].ravel()
        while len(wrong := np.flatnonzero(~valid[places])):
            places[wrong] = generator.integers(len(self), size=len(wrong))
        row, column = np.divmod(places, self._columns)
        return row, column

    def arrays(self) -> dict[str, Array]:
        """Copies of all that decides what will be drawn, by name."""
        copies = self._steps.copies(min(self._added, self._rows))
        return copies | {"added": np.array(self._added)}

    def restore(self, arrays: dict[str, Array]) -> None:
        """Go on from where `arrays` was taken, with the same capacity and environments."""
        self._added = int(arrays["added"])
        self._steps.restore(arrays, min(self._added, self._rows))
