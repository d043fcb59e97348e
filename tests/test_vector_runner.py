"""One `Step` whichever way an environment begins anew; episodes counted right."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from training.evaluation import evaluate, fresh_seed
from training.vector_runner import VectorRunner


class Counter(gymnasium.Env[Any, Any]):
    """Observes how many steps it has made; ends after `length`, by termination if that is odd."""

    observation_space = spaces.Box(0, 100, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, length: int) -> None:
        self.length = length
        self.t = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return np.array([0], np.float32), {"score": 0}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        done = self.t == self.length
        info = {"score": 10 * self.t, "reward/one": 1.0, "reward/action": float(action)}
        observation = np.array([self.t], np.float32)
        return observation, 0.5, done and self.length % 2 == 1, done and self.length % 2 == 0, info


LENGTHS = (2, 3, 5)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_every_autoreset_mode_gives_the_same_experience(mode: AutoresetMode) -> None:
    environments = SyncVectorEnv(
        [lambda n=n: Counter(n) for n in LENGTHS],  # type: ignore[misc]
        autoreset_mode=mode,
    )
    runner = VectorRunner(environments, seed=0)
    expected_t = [0, 0, 0]
    finished = [0, 0, 0]
    for _ in range(60):
        actions = np.ones(3, np.int64)
        step, episodes = runner.step(actions)
        for i, length in enumerate(LENGTHS):
            if not step.valid[i]:
                assert mode == AutoresetMode.NEXT_STEP
                assert expected_t[i] == 0
                continue
            assert step.observations[i] == expected_t[i]
            assert step.next_observations[i] == expected_t[i] + 1  # the last one, never the first
            expected_t[i] = (expected_t[i] + 1) % length
            ended = expected_t[i] == 0
            assert step.terminated[i] == (ended and length % 2 == 1)
            assert step.truncated[i] == (ended and length % 2 == 0)
        for k, row in enumerate([] if episodes is None else episodes.rows):
            assert episodes is not None
            finished[row] += 1
            length = LENGTHS[row]
            assert episodes.lengths[k] == length
            assert episodes.returns[k] == 0.5 * length
            assert episodes.scores[k] == 10 * length
            if mode != AutoresetMode.SAME_STEP:  # there, Gymnasium hides the last step's info
                assert episodes.terms["one"][k] == length
    reset_steps = int(mode == AutoresetMode.NEXT_STEP)
    assert finished == [(60 + reset_steps) // (n + reset_steps) for n in LENGTHS]


def test_reward_terms_add_up_to_the_return_natively() -> None:
    environments = gymnasium.make_vec(
        "PaddleBall-v0", num_envs=8, reward="hit_or_miss - 0.01*effort", max_steps=100
    )
    runner = VectorRunner(environments, seed=3)
    generator = np.random.default_rng(0)
    seen = 0
    for _ in range(300):
        _, episodes = runner.step(generator.integers(0, 3, 8))
        if episodes is not None:
            seen += len(episodes.returns)
            weighted = episodes.terms["hit_or_miss"] - 0.01 * episodes.terms["effort"]
            np.testing.assert_allclose(episodes.returns, weighted, atol=1e-12)
    assert seen > 10


def test_evaluation_plays_the_first_episode_of_every_seed() -> None:
    """Against single environments with the same seeds, one after the other."""

    class Alternating:
        def set_lookahead(self, lookahead: Any) -> None:
            pass

        def act(self, observations: Any, explore: bool = True) -> Any:
            assert not explore
            return np.where(observations[:, 1] > observations[:, 4], 2, 0)

    found = evaluate(Alternating(), "PaddleBall-v0", {"max_steps": 400}, 12, seed=50)  # type: ignore[arg-type]
    for i in range(12):
        env = gymnasium.make("PaddleBall-v0", max_steps=400)
        observation, _ = env.reset(seed=50 + i)
        total, length, done = 0.0, 0, False
        while not done:
            action = Alternating().act(observation[None], explore=False)[0]
            observation, reward, terminated, truncated, info = env.step(action)
            total, length, done = total + float(reward), length + 1, terminated or truncated
        expected = (info["score"], total, length)
        assert (found.scores[i], found.returns[i], found.lengths[i]) == expected


def test_seeds_of_different_purposes_do_not_meet() -> None:
    """Environment i takes seed + i: runs with seeds 1 and 2 must not share their games."""
    seeds = [fresh_seed(*key) for key in [(1,), (2,), (1, 50_000), (1, 50_000, 1), (2, 50_000)]]
    distances = [abs(a - b) for i, a in enumerate(seeds) for b in seeds[:i]]
    assert min(distances) > 100_000
    assert seeds[0] == fresh_seed(1)
