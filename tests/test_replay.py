"""The replay buffer compared with a plain list of all steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from agents.agent import Step, Task
from agents.replay import Replay

NUM_ENVS = 3
GAMMA = 0.9


def task(space: Any = None) -> Task:
    space = space or spaces.Box(0.0, np.inf, (2,), np.float32)
    return Task("test", space, spaces.Discrete(4), NUM_ENVS, 1_000)


def made_up_steps(count: int, seed: int = 0) -> list[Step]:
    """Observations are (time, environment); the one after a step is (-time, environment)."""
    generator = np.random.default_rng(seed)
    steps, valid = [], np.ones(NUM_ENVS, np.bool_)
    for t in range(count):
        columns = np.arange(NUM_ENVS)
        now = np.stack([np.full(NUM_ENVS, t), columns], 1).astype(np.float32)
        ended = generator.random(NUM_ENVS) < 0.25
        terminated, truncated = ended & (columns != 1), ended & (columns != 2)  # 0: both at once
        actions, rewards = generator.integers(4, size=NUM_ENVS), generator.normal(size=NUM_ENVS)
        steps.append(Step(now, actions, rewards, {}, terminated, truncated, now * [-1, 1], valid))
        valid = ~ended
    return steps


def slow_n_step(steps: list[Step], t: int, i: int, n_step: int) -> tuple[float, float, float]:
    """Return reward, discount and the time of the last step, computed step by step."""
    total, k = 0.0, 0
    while True:
        step = steps[t + k]
        total += GAMMA**k * step.rewards[i]
        k += 1
        if step.terminated[i]:
            return total, 0.0, t + k - 1
        if step.truncated[i] or k == n_step or t + k == len(steps):
            return total, GAMMA**k, t + k - 1


@pytest.mark.parametrize("n_step", [1, 2, 3, 7])
@pytest.mark.parametrize("times", [5, 20, 37])  # partly filled, just full, overwritten
def test_sampled_returns_match_hand_computed_ones(n_step: int, times: int) -> None:
    replay, steps = Replay(task(), 20 * NUM_ENVS), made_up_steps(times)
    for step in steps:
        replay.add(step)
    assert len(replay) == min(times, 20) * NUM_ENVS
    batch = replay.sample(np.random.default_rng(1), 500, GAMMA, n_step)
    sampled = set()
    for j in range(500):
        t, i = (int(number) for number in batch["observations"][j])
        sampled.add((t, i))
        reward, discount, last = slow_n_step(steps, t, i, n_step)
        assert batch["rewards"][j] == pytest.approx(reward, abs=1e-5)
        assert batch["discounts"][j] == pytest.approx(discount, abs=1e-6)
        assert batch["next_observations"][j].tolist() == [-last, i]
        assert batch["actions"][j] == steps[t].actions[i]
    kept = range(max(0, times - 20), times)
    assert sampled == {(t, i) for t in kept for i in range(NUM_ENVS) if steps[t].valid[i]}


def test_every_valid_step_is_sampled_equally_often() -> None:
    replay, steps = Replay(task(), 10 * NUM_ENVS), made_up_steps(10)
    for step in steps:
        replay.add(step)
    count = 100_000
    places = replay.sample(np.random.default_rng(1), count, GAMMA)["observations"]
    _, frequencies = np.unique(places, axis=0, return_counts=True)
    expected = count / sum(step.valid.sum() for step in steps)
    assert frequencies == pytest.approx(expected, abs=5 * expected**0.5)  # 5 standard deviations


def test_returns_do_not_extend_over_a_cut() -> None:
    replay = Replay(task(), 10 * NUM_ENVS)
    replay.cut()  # an empty buffer
    no, yes = np.zeros(NUM_ENVS, np.bool_), np.ones(NUM_ENVS, np.bool_)
    for t in range(4):
        if t == 2:
            replay.cut()
        seen = np.full((NUM_ENVS, 2), t, np.float32)
        replay.add(Step(seen, no.astype(int), np.ones(NUM_ENVS), {}, no, no, seen + 1, yes))
    batch = replay.sample(np.random.default_rng(0), 200, GAMMA, n_step=3)
    for seen, followed, discount in zip(
        batch["observations"][:, 0],
        batch["next_observations"][:, 0],
        batch["discounts"],
        strict=True,
    ):
        assert followed == (2 if seen < 2 else 4)
        assert discount == pytest.approx(GAMMA ** (followed - seen))


@pytest.mark.parametrize("times", [0, 7, 25])
def test_a_restored_buffer_continues_like_the_original(times: int) -> None:
    first, second = Replay(task(), 10 * NUM_ENVS), Replay(task(), 10 * NUM_ENVS)
    steps = made_up_steps(times + 8)
    for step in steps[:times]:
        first.add(step)
    second.restore(first.arrays())
    for step in steps[times:]:
        first.add(step)
        second.add(step)
    one, other = (r.sample(np.random.default_rng(5), 300, GAMMA, 3) for r in (first, second))
    for name, array in one.items():
        assert (array == other[name]).all(), name
    assert first.arrays().keys() == second.arrays().keys()
    assert all((array == second.arrays()[name]).all() for name, array in first.arrays().items())


def test_screens_stay_uint8_and_continuous_actions_stay_vectors() -> None:
    screens = spaces.Box(0, 255, (2, 4, 4), np.uint8)
    actions = spaces.Box(-1.0, 1.0, (3,), np.float32)
    replay = Replay(Task("test", screens, actions, NUM_ENVS, 1_000), 100)
    seen = np.full((NUM_ENVS, 2, 4, 4), 200, np.uint8)
    no = np.zeros(NUM_ENVS, np.bool_)
    taken = np.tile(np.array([0.1, 0.2, 0.3], np.float32), (NUM_ENVS, 1))
    replay.add(Step(seen, taken, np.zeros(NUM_ENVS), {}, no, no, seen, ~no))
    batch = replay.sample(np.random.default_rng(0), 5, GAMMA)
    assert batch["observations"].dtype == batch["next_observations"].dtype == np.uint8
    assert batch["observations"].shape == (5, 2, 4, 4)
    assert batch["actions"].tolist() == taken[[0] * 5].tolist()
