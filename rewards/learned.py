"""A reward that was learned from comparisons: the mean of a few small networks, read from a folder.

`--reward preferences/NAME` names the folder. Its file `reward.safetensors` holds numbers only, and
nothing in it is executed. `python -m rewards prefer` writes it (`reward_lab/preferences`).

A network reads what the agent sees before and after a step, and the action. It never reads the
score, nor the counters that the score is computed from. Each output is a sum of products in a fixed
order, so that a step is paid the same in a batch of any size.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs.engine.compilation import compiled, direct
from envs.engine.game import Game, load_game
from envs.engine.kernels import game_kernels
from envs.names import suggest
from envs.registry import GAMES, look_up
from rewards.expression import RewardError

Array = np.ndarray[Any, Any]

FILE = "reward.safetensors"
LARGEST_FILE = 10_000_000
"""Maximum size of the file in bytes."""
LIMIT = 10.0
"""Maximum size of a standardised input."""


class Networks(NamedTuple):
    """Weights of `m` networks with `k` inputs and two hidden layers of `h` units, float64."""

    shift: Array
    """Mean (k,) of each input, which is subtracted."""
    scale: Array
    """Standard deviation (k,) of each input, which it is then divided by."""
    weight1: Array
    """(m, k, h)"""
    bias1: Array
    """(m, h)"""
    weight2: Array
    """(m, h, h)"""
    bias2: Array
    """(m, h)"""
    weight3: Array
    """(m, h)"""
    bias3: Array
    """(m,)"""
    unit: Array
    """Standard deviation (m,) of each network's output, by which it is divided."""


class LearnedReward:
    """The reward of a step: the mean output of the networks.

    Its `networks` may be replaced while games run.
    """

    def __init__(
        self, name: str, game: str, options: Mapping[str, Any], networks: Networks
    ) -> None:
        """Prepare the reward of the game `game`, a name in `envs.registry.GAMES`.

        The networks see states as an agent does in a game with `options`.

        Raises:
            ValueError: if there is no such game or option.
        """
        self.__name__ = name
        self.options = dict(options)
        self.game, rest = load_game(look_up(GAMES, "game", game).target, self.options)
        self.game_name = game
        self.networks = networks
        self.game_options = self.game.make_options(rest)
        self._record = self.game.options_record(self.game_options)

    def features(self, before: Array, actions: Array, after: Array) -> Array:
        """Return the inputs (n, k) of the networks for n steps.

        They are the observation after the step, its difference from the one before, and the action,
        one-hot if it is discrete.
        """
        count, seen = len(after), self.game.observation_space.shape[0]
        observed = np.zeros((2, count, seen), np.float32)
        rows, scores = np.arange(count), np.zeros(count)
        observe = game_kernels(self.game, "vector").observe
        for states, out in zip((before, after), observed, strict=True):
            observe(np.ascontiguousarray(states), rows, self._record, out, scores)
        first, second = observed.astype(np.float64)
        return np.hstack((second, second - first, encoded(actions, self.game.action_space)))

    def pay(self, before: Array, actions: Array, after: Array) -> Array:
        """Return the rewards (n,) of n steps."""
        paid = np.empty(len(after))
        _compiled()(self.features(before, actions, after), *self.networks, paid)
        return paid

    def __call__(self, before: Any, action: Any, after: Any) -> float:
        """Return the reward of one step, as every reward term does."""
        states = (np.array([each], self.game.state) for each in (before, after))
        first, second = (each.view(self.game.states(0).dtype) for each in states)
        return float(self.pay(first, np.asarray(action)[None], second)[0])

    def check_game(self, game: Game) -> None:
        """Raise RewardError if it was learned in another game than `game`."""
        if (game.name, game.action_space) != (self.game.name, self.game.action_space):
            raise RewardError(
                f"the reward `{self.__name__}` was learned in {described(self.game)}, and this is "
                f"{described(game)}"
            )

    def kernel(self, game: Game) -> Any:
        """Return the loop that pays this reward in `game` (see `rewards.kernel`).

        Raises:
            RewardError: if it was learned in another game.
        """
        self.check_game(game)

        def reward_kernel(
            before: Any, actions: Any, after: Any, weight: Any, first: Any, row: Any, total: Any
        ) -> None:
            row[:] = self.pay(before, actions, after)
            if first:
                np.multiply(row, weight, out=total)
            else:
                total += weight * row

        return reward_kernel


def encoded(actions: Array, space: spaces.Space[Any]) -> Array:
    """Return actions (n, ...) as numbers (n, k): one-hot if they are discrete."""
    if isinstance(space, spaces.Discrete):
        return np.eye(int(space.n))[np.asarray(actions, np.intp) - int(space.start)]
    return np.asarray(actions, np.float64).reshape(len(actions), -1)


def described(game: Game) -> str:
    """Return the name of a game with its kind of actions."""
    kind = "discrete" if isinstance(game.action_space, spaces.Discrete) else "continuous"
    return f"{game.name} with {kind} actions"


def pay_steps(
    features: Any,
    shift: Any,
    scale: Any,
    weight1: Any,
    bias1: Any,
    weight2: Any,
    bias2: Any,
    weight3: Any,
    bias3: Any,
    unit: Any,
    paid: Any,
) -> None:
    """Write the mean output of the networks for inputs (n, k) into `paid` (n,).

    An output is (bias3 + weight3 relu(bias2 + weight2 relu(bias1 + weight1 x))) / unit, where x are
    the standardised inputs, limited to -`LIMIT`..`LIMIT`.
    """
    members, inputs, width = weight1.shape
    seen, hidden, deeper = np.empty(inputs), np.empty(width), np.empty(width)
    for i in range(len(features)):
        for k in range(inputs):
            seen[k] = min(max((features[i, k] - shift[k]) / scale[k], -LIMIT), LIMIT)
        total = 0.0
        for m in range(members):
            hidden[:] = bias1[m]
            for k in range(inputs):
                for j in range(width):
                    hidden[j] += seen[k] * weight1[m, k, j]
            deeper[:] = bias2[m]
            for k in range(width):
                if hidden[k] > 0.0:
                    for j in range(width):
                        deeper[j] += hidden[k] * weight2[m, k, j]
            output = bias3[m]
            for j in range(width):
                output += max(deeper[j], 0.0) * weight3[m, j]
            total += output / unit[m]
        paid[i] = total / members


@functools.cache
def _compiled() -> Any:
    """Return the machine code of `pay_steps`."""
    one, two, three = np.zeros(1), np.zeros((1, 1)), np.zeros((1, 1, 1))
    example = (two, one, one, three, two, three, two, two, one, one, one)
    return direct(compiled(pay_steps), *example)


def learned_bytes(reward: LearnedReward) -> bytes:
    """Return the content of the file `FILE` of a learned reward, which `load_learned` reads."""
    from safetensors.numpy import save

    description = {"game": reward.game_name, "options": reward.options}
    tensors = {name: np.ascontiguousarray(a) for name, a in reward.networks._asdict().items()}
    text = json.dumps(description, allow_nan=False)
    metadata = {"description": f"{text}\n{_checksum(text, tensors)}"}
    return bytes(save(tensors, metadata))


def load_learned(folder: Path) -> LearnedReward:
    """Return the learned reward of a folder. Executes nothing.

    Raises:
        RewardError: if there is none, or it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    file = folder / FILE
    if not os.path.lexists(file):
        raise RewardError(
            f"there is no learned reward {folder}: it has no file {FILE}{_others(folder)}"
        )
    if not stat.S_ISREG(file.stat().st_mode) or file.stat().st_size > LARGEST_FILE:
        raise RewardError(f"{file} is damaged: it is no file of at most {LARGEST_FILE:,} bytes")
    try:
        with safe_open(file, framework="numpy") as content:
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
            text, _, checksum = (content.metadata() or {})["description"].partition("\n")
        if checksum != _checksum(text, tensors):
            raise ValueError("its checksum is wrong")
        networks, description = Networks(**tensors), json.loads(text)
        reward = LearnedReward(folder.name, description["game"], description["options"], networks)
        _check(reward)
    except (SafetensorError, OSError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise RewardError(f"{file} is damaged: {' '.join(str(error).split())}") from None
    return reward


def _check(reward: LearnedReward) -> None:
    """Raise ValueError if the networks do not fit each other or the game."""
    networks, game = reward.networks, reward.game
    members, _, width = networks.weight1.shape
    inputs = reward.features(game.states(1), game.actions(1), game.states(1)).shape[1]
    shapes = (
        *((inputs,), (inputs,), (members, inputs, width), (members, width)),
        *((members, width, width), (members, width), (members, width), (members,), (members,)),
    )
    for name, shape, array in zip(Networks._fields, shapes, networks, strict=True):
        if array.shape != shape or array.dtype != np.float64 or not array.size:
            raise ValueError(f"`{name}` is {array.dtype} {array.shape}, and not float64 {shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"`{name}` is not finite")
    if not (networks.scale > 0.0).all() or not (networks.unit > 0.0).all():
        raise ValueError("`scale` or `unit` is not positive")


def _checksum(text: str, tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 of a description and of all tensors with their names and shapes."""
    found = hashlib.sha256(text.encode())
    for name, array in sorted(tensors.items()):
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _others(folder: Path) -> str:
    """Return the end of the error about a folder that is missing: which name could be meant."""
    if not folder.parent.is_dir():
        return ""
    names = [each.parent.name for each in folder.parent.glob(f"*/{FILE}")]
    return f"; {suggest(folder.name, names)}" if names else ""
