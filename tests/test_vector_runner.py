"""Steps, episodes, evaluations, training curves and intervals."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from agents.agent import Task
from agents.random import RandomAgent, RandomSettings
from training.curves import LEAST_EPISODES, TrainingCurves
from training.evaluation import Evaluation, evaluate, fresh_seed
from training.vector_runner import Episodes, VectorRunner


class Counter(gymnasium.Env[Any, Any]):
    """Observes its number of steps; an odd `length` ends by termination, an even one not."""

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
    """Compared with single environments that run one after the other on the same seeds.

    Lengths differ so much that the short episodes are followed by others, which must not count.
    """

    class Corners:
        def set_lookahead(self, lookahead: Any) -> None:
            pass

        def act(self, observations: Any, explore: bool = True) -> Any:
            assert not explore
            return np.where(observations[:, 1] > 0.0, 2, 0)

    found = evaluate(Corners(), "PaddleBall-v0", {"max_steps": 200}, 12, seed=50)  # type: ignore[arg-type]
    assert found.lengths.max() == 200 > 3 * found.lengths.min()
    for i in range(12):
        env = gymnasium.make("PaddleBall-v0", max_steps=200)
        observation, _ = env.reset(seed=50 + i)
        total, length, done = 0.0, 0, False
        while not done:
            action = Corners().act(observation[None], explore=False)[0]
            observation, reward, terminated, truncated, info = env.step(action)
            total, length, done = total + float(reward), length + 1, terminated or truncated
        expected = (info["score"], total, length)
        assert (found.scores[i], found.returns[i], found.lengths[i]) == expected


def test_seeds_of_different_purposes_are_far_apart() -> None:
    """Environment i takes seed + i: runs with seeds 1 and 2 must not share their games."""
    seeds = [fresh_seed(*key) for key in [(1,), (2,), (1, 50_000), (1, 50_000, 1), (2, 50_000)]]
    distances = [abs(a - b) for i, a in enumerate(seeds) for b in seeds[:i]]
    assert min(distances) > 100_000
    assert seeds[0] == fresh_seed(1)


class Mixture(VectorEnv[Any, Any, Any]):
    """Of all episodes, a share lasts 400 steps with a score of 1, the others 5 steps with 0."""

    def __init__(self, num_envs: int, share: float) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.num_envs = num_envs
        self.share = share
        self.random = np.random.default_rng(7)
        self.single_observation_space = spaces.Box(0, 1, (1,), np.float32)
        self.single_action_space = spaces.Discrete(2)

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        self.left = self.lengths(self.num_envs)
        self.long = self.left > 5
        return np.zeros((self.num_envs, 1), np.float32), {}

    def lengths(self, count: int) -> Any:
        return np.where(self.random.random(count) < self.share, 400, 5)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.left -= 1
        done = self.left == 0
        observations = np.zeros((self.num_envs, 1), np.float32)
        infos = {
            "_final_obs": done,
            "final_obs": observations,
            "final_info": {"score": self.long.astype(float)},
        }
        self.left[done] = self.lengths(int(done.sum()))
        self.long = np.where(done, self.left > 5, self.long)
        return observations, np.zeros(self.num_envs), done, np.zeros_like(done), infos


@pytest.mark.parametrize(("num_envs", "share"), [(512, 0.2), (128, 0.02)])
def test_training_curves_are_unbiased_where_short_episodes_end_first(
    num_envs: int, share: float
) -> None:
    """The mean over the last 100 episodes that ended is 0 at first, whatever the true mean.

    Checked are the mean over all points and the area under the curve, which is what a reader sees.
    """
    runner, curves = VectorRunner(Mixture(num_envs, share), 0), TrainingCurves(num_envs)
    ended: deque[float] = deque(maxlen=LEAST_EPISODES)
    points = []
    for step in range(1, 1 + 1_000_000 // num_envs):
        _, episodes = runner.step(np.zeros(num_envs, np.int64))
        if episodes is not None:
            ended.extend(episodes.scores)
            points += curves.add(episodes, step)
        if step < 400:
            assert not ended or np.mean(ended) == 0
    steps = np.array([step for step, _ in points])
    assert (np.diff(steps) > 0).all()
    mean_length = 5 + 395 * share
    standard_error = np.sqrt(share * (1 - share) / (1_000_000 / mean_length))
    for tag, expected, scale in (
        ("task/score", share, 1.0),
        ("rollout/ep_len_mean", mean_length, 395.0),
    ):
        values = np.array([means[tag] for _, means in points])
        assert values.mean() == pytest.approx(expected, abs=4 * scale * standard_error), tag
        area = np.average(values[1:], weights=np.diff(steps))
        assert area == pytest.approx(expected, rel=0.15), tag


def test_training_curves_continue_from_a_checkpoint_with_the_same_bits() -> None:
    generator = np.random.default_rng(1)
    through, half = TrainingCurves(64), TrainingCurves(64)
    points: list[Any] = []
    for step in range(100):
        rows = np.flatnonzero(generator.random(64) < 0.2)
        scores = generator.random(len(rows))
        episodes = Episodes(scores, scores, scores, {"hit": scores}, scores > 0, rows)
        if step == 50:
            saved = json.loads(json.dumps(half.checkpoint()))
            half = TrainingCurves(64)
            half.restore(saved)
        points += (point := through.add(episodes, step))
        assert half.add(episodes, step) == point
    assert len(points) > 5
    assert through.checkpoint() == half.checkpoint()


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_scores_of_0_and_1_get_wilson_intervals(
    successes: int, count: int, low: float, high: float
) -> None:
    """Published intervals: Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    scores = np.repeat([1.0, 0.0], [successes, count - successes])
    found = Evaluation(scores, scores, scores, scores > 0).interval()
    assert found == pytest.approx((low, high), abs=5e-5)


def test_other_scores_get_bootstrap_intervals() -> None:
    """With 400 scores they agree with the normal approximation."""
    scores = np.random.default_rng(0).normal(40, 5, 400)
    scores[:2] = 0.0, 1.0
    low, high = Evaluation(scores, scores, scores, scores > 0).interval()
    assert low == pytest.approx(scores.mean() - 1.96 * scores.std() / 20, abs=0.05)
    assert high == pytest.approx(scores.mean() + 1.96 * scores.std() / 20, abs=0.05)


def test_an_evaluation_sums_the_reward_terms_of_whole_episodes() -> None:
    env = gymnasium.make("PaddleBall-v0")
    task = Task("PaddleBall-v0", env.observation_space, env.action_space, 1, 1)
    options = {"reward": "2*hit_or_miss - 0.25*effort"}
    found = evaluate(RandomAgent(task, RandomSettings(), 0), "PaddleBall-v0", options, 20, seed=3)
    assert set(found.terms) == {"hit_or_miss", "effort"}
    paid = 2 * found.terms["hit_or_miss"] - 0.25 * found.terms["effort"]
    np.testing.assert_allclose(found.returns, paid, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.terms["hit_or_miss"], found.scores - 1)
