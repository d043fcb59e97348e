"""Search compared with simple bookkeeping, the games themselves, and known optimal weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from agents import make_agent
from agents.agent import Step, Task, UnsuitableTaskError
from agents.search import SearchAgent, SearchSettings, make_features
from envs.bicycle.rules import features as bicycle_features
from envs.bicycle.tasks import TASKS
from envs.paddle.rules import features as paddle_features
from tests.test_training import QUICK, assert_same_checkpoint, curves, run_train
from training.run_folder import load_checkpoint

ONE = spaces.Box(-1.0, 1.0, (1,), np.float32)


def make_search(action_space: spaces.Space[Any], count: int, **settings: Any) -> SearchAgent:
    return SearchAgent(Task("t", ONE, action_space, count, 1_000), SearchSettings(**settings), 0)


def test_the_ball_lands_where_the_feature_says() -> None:
    """The ball is moved to the paddle's side in steps of 1/1000, with a reflection at each wall."""
    env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=50)
    observations, _ = env.reset(seed=3)
    for state, feature in zip(env.unwrapped.states, paddle_features(observations), strict=True):
        x, y, vx, vy = state.ball_x, state.ball_y, state.ball_vx, state.ball_vy
        while x > 0:
            x, y = x + vx / 1000, y + vy / 1000
            vx = -abs(vx) if x > 1 else vx
            vy = -abs(vy) if y > 1 else abs(vy) if y < 0 else vy
        assert feature[0] == pytest.approx(10 * (y - state.paddle_y), abs=0.01)
        assert feature[1] == pytest.approx(10 * (state.ball_y - state.paddle_y), abs=1e-4)
        assert feature[2] == 1.0


@pytest.mark.parametrize("task", TASKS)
def test_the_bicycles_features_change_sign_in_a_mirror(task: str) -> None:
    env: Any = gymnasium.make_vec("BicycleBalance-v0", num_envs=50, task=task)
    env.reset(seed=3)
    actions = np.tile(np.array([0.2, 1.0, 0.0], np.float32), (50, 1))
    observations = env.step(actions)[0]
    mirrored = observations.copy()
    mirrored[:, :4] *= -1
    mirrored[:, {"goal": [7], "path": [6, 7, 8, 9]}.get(task, [])] *= -1
    features, others = bicycle_features(observations), bicycle_features(mirrored)
    sides = np.array([-1, -1, -1, -1, -1, 1, -1, 1])  # speed and constant have no sides
    np.testing.assert_allclose(others, features * sides, atol=1e-6)
    states = env.unwrapped.states
    damped = np.maximum(0, 6.5 - states.speed) * states.roll_rate
    np.testing.assert_allclose(features[:, 3], damped, rtol=1e-5)
    np.testing.assert_allclose(features[:, 5], states.speed - states.commanded_speed, atol=1e-5)
    if task == "goal":
        way = np.arctan2(states.goal_y - states.y, states.goal_x - states.x) - states.heading
        way = (way + np.pi) % (2 * np.pi) - np.pi
        np.testing.assert_allclose(features[:, 6], np.clip(3 * way, -1, 1), atol=1e-5)


def test_small_numbers_of_other_observations_are_scaled_up() -> None:
    space = spaces.Box(np.array([-2, -np.inf, -0.5]), np.array([1, np.inf, 0.2]), dtype=np.float64)
    features = make_features(Task("t", space, spaces.Discrete(2), 1, 1))
    assert features(np.array([[1.0, 7.0, 0.1]])).tolist() == [[1.0, 7.0, 0.2, 1.0]]


def test_a_score_is_the_mean_of_the_whole_set_of_episodes() -> None:
    """One environment plays one candidate at a time for three episodes each."""
    agent = make_search(spaces.Discrete(2), 1, population=1, episodes=3)
    generator = np.random.default_rng(0)
    seen, yes, no = np.ones((1, 1), np.float32), np.ones(1, bool), np.zeros(1, bool)
    for _ in range(5):
        returns = []
        for length in generator.integers(1, 6, 3):
            rewards = generator.normal(size=length)
            returns.append(rewards.sum())
            for t, reward in enumerate(rewards):
                over = yes if t == length - 1 else no
                step = Step(seen, agent.act(seen), np.array([reward]), {}, no, over, seen, yes)
                metrics = agent.learn(step)
                assert (metrics is None) == (len(returns) < 3 or t < length - 1)
        assert metrics is not None
        assert metrics["candidate_score"] == pytest.approx(np.mean(returns))


class LongIsGood:
    """Action 1 continues an episode with reward 1 up to `LENGTH` steps; action 0 ends it with -1.

    The step after an episode resets it and has a reward of 1000, which must not count.
    """

    LENGTH = 20

    def __init__(self, count: int) -> None:
        self.ages, self.over = np.zeros(count, np.int64), np.zeros(count, bool)

    def step(self, actions: Any) -> tuple[Any, Any, Any]:
        valid = ~self.over
        rewards = np.where(valid, np.where(actions == 1, 1.0, -1.0), 1000.0)
        self.ages = np.where(valid, self.ages + 1, 0)
        self.over = valid & ((actions == 0) | (self.ages == self.LENGTH))
        return rewards, self.over.copy(), valid


@pytest.mark.parametrize("guided", [False, True])
@pytest.mark.parametrize("population", [4, 100])  # with and without uncounted episodes
def test_scores_are_not_mixed_and_long_episodes_count(guided: bool, population: int) -> None:
    """A candidate always takes the same action, so its score is 20 or -1; half of them are good.

    Scoring the first episodes that end would find 1 good candidate in 20. With an elite of 1.0,
    guided search keeps the distribution of its candidates.
    """
    count, game = 13, LongIsGood(13)
    settings = {"guided": guided, "population": population, "elite": 1.0, "noise": 1.0}
    agent = make_search(spaces.Discrete(2), count, episodes=3, **settings)
    seen, no, scores = np.ones((count, 1), np.float32), np.zeros(count, bool), []
    for t in range(12_000):
        actions = agent.act(seen)
        rewards, over, valid = game.step(actions)
        metrics = agent.learn(Step(seen, actions, rewards, {}, over, no, seen, valid))
        if metrics is not None:
            scores.append(metrics["candidate_score"])
            assert metrics["best_score"] == max(scores)
        if t == 5_000:  # the environments are reset
            game = LongIsGood(count)
            agent.discard_rollout()
            tried = agent.population.missing >= 0
            under_way = (agent.population.started - 3 + agent.population.missing)[tried].sum()
            assert under_way == (agent.population.player >= 0).sum()
    assert set(scores) == {20.0, -1.0}
    if not guided:
        assert np.mean(np.array(scores) == 20.0) == pytest.approx(0.5, abs=0.1)
        assert agent.act(seen[:1], explore=False).tolist() == [1]


def line(settings: dict[str, Any], candidates: int) -> SearchAgent:
    """Return a search after some candidates, with reward -(a - (0.5 x - 0.25))^2 in one step."""
    count = 32
    agent = make_search(ONE, count, population=50, **settings)
    generator, done = np.random.default_rng(1), 0
    yes, no = np.ones(count, bool), np.zeros(count, bool)
    while done < candidates:
        seen = generator.uniform(-1, 1, (count, 1)).astype(np.float32)
        actions = agent.act(seen)
        rewards = -((actions[:, 0] - (0.5 * seen[:, 0] - 0.25)) ** 2)
        done += agent.learn(Step(seen, actions, rewards, {}, yes, no, seen, yes)) is not None
    return agent


def test_guided_search_gets_closer_than_random_search() -> None:
    best = np.array([[0.5, -0.25]])
    unguided = np.abs(line({}, 1_000).weights - best).max()
    guided = np.abs(line({"guided": True, "noise": 0.01}, 1_000).weights - best).max()
    assert guided < 0.02 < unguided < 0.5


def test_the_next_generation_is_sampled_around_the_elite() -> None:
    """Mean and deviation match hand-computed ones, and do not change before the last score."""
    settings: dict[str, Any] = {"guided": True, "elite": 0.1, "noise": 0.3, "episodes": 1}
    agent = line(settings, 49)
    assert not agent.population.mean.any()
    candidates, totals = agent.population.candidates.copy(), agent.population.totals.copy()
    last = int(np.flatnonzero(agent.population.missing >= 0)[0])
    totals[last] = -1000.0
    agent.population.missing[:] = -1
    agent.population.totals[last] = -1000.0
    agent.score_candidate(last)
    order = sorted(range(50), key=lambda k: -totals[k])[:5]
    rows = [candidates[k].ravel().tolist() for k in order]
    for i in range(2):
        column = [row[i] for row in rows]
        mean = sum(column) / 5
        variance = sum((number - mean) ** 2 for number in column) / 5 + 0.09
        assert agent.population.mean.ravel()[i] == pytest.approx(mean)
        assert agent.population.std.ravel()[i] == pytest.approx(variance**0.5)


@pytest.mark.parametrize("guided", [False, True])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    guided: bool, tmp_path: Path
) -> None:
    options = ["--agent", "search", *QUICK, "--population", 5, *(["--guided"] if guided else [])]
    through = run_train("--run-dir", tmp_path / "a", "--steps", 12800, *options)
    half = run_train("--run-dir", tmp_path / "b", "--steps", 6400, *options)
    tensors, _ = load_checkpoint(half)
    started, missing = (tensors[f"agent.population.{name}"] for name in ("started", "missing"))
    assert ((started > 0) & (missing > 0)).any()  # in the middle of an evaluation
    run_train("--resume", half, "--steps", 12800)
    assert_same_checkpoint(through, half)
    tags = {f"train/{name}" for name in ("candidate_score", "best_score")}
    events = curves(through)
    assert tags <= set(events.Tags()["scalars"])
    scores = [event.value for event in events.Scalars("train/candidate_score")]
    bests = [event.value for event in events.Scalars("train/best_score")]
    assert bests == np.maximum.accumulate(scores).tolist()


def test_other_environments_train_and_resume(tmp_path: Path) -> None:
    for env_id in ("CartPole-v1", "MountainCarContinuous-v0"):
        options = ["--env", env_id, "--agent", "search", *QUICK]
        folder = run_train("--run-dir", tmp_path / env_id, "--steps", 2000, *options)
        run_train("--resume", folder, "--steps", 3000)


def test_guided_search_solves_the_game(tmp_path: Path) -> None:
    folder = run_train("--run-dir", tmp_path, "--agent", "search", "--guided", "--steps", 1_500_000)
    assert load_checkpoint(folder)[1]["progress"]["evaluated_score"] >= 40


def test_a_restored_policy_acts_the_same_and_acting_changes_nothing() -> None:
    env: Any = gymnasium.make_vec("BicycleBalance-v0", num_envs=6)
    seen, _ = env.reset(seed=0)
    task = Task("BicycleBalance-v0", env.single_observation_space, env.single_action_space, 6, 1)
    agent = SearchAgent(task, SearchSettings(guided=True), seed=0)
    agent.population.mean[:] = agent.population.candidates[0]
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    actions = agent.act(seen, explore=False)
    assert all(env.single_action_space.contains(action) for action in actions)
    assert all(before[name].equal(tensor) for name, tensor in agent.tensors().items())
    other = SearchAgent(task, SearchSettings(guided=True), seed=1)
    policy = {name: t for name, t in agent.tensors().items() if name.startswith("network.")}
    other.restore_policy(policy)
    np.testing.assert_array_equal(other.act(seen, explore=False), actions)


def test_screens_and_other_actions_are_rejected() -> None:
    screens = spaces.Box(0, 255, (2, 40, 40), np.uint8)
    for observation, action in ((screens, spaces.Discrete(2)), (ONE, spaces.MultiBinary(2))):
        with pytest.raises(UnsuitableTaskError, match="must be"):
            make_agent("search", Task("t", observation, action, 1, 1), SearchSettings(), 0)
