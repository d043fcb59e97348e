"""Scores of the hand-written rules, which show that the games are as difficult as described."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from agents import make_agent
from agents.agent import Task, UnsuitableTaskError
from agents.random import RandomSettings
from agents.rules import RulesAgent, RulesSettings
from envs.bicycle.model import Parameters, matrices, state_matrix
from envs.bicycle.rules import features
from training.evaluation import evaluate

GAMES_PLAYED = 100


def task(env: Any, env_id: str = "PaddleBall-v0") -> Task:
    return Task(
        env_id,
        env.single_observation_space,
        env.single_action_space,
        num_envs=GAMES_PLAYED,
        total_steps=1,
    )


def play(name: str, settings: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the scores of a hundred games played to the end, and which of them were lost."""
    env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=GAMES_PLAYED).unwrapped
    agent = make_agent(name, task(env), settings, seed=0)
    observations, _ = env.reset(seed=1000)
    scores, lost = np.full((2, GAMES_PLAYED), np.nan)
    while np.isnan(scores).any():
        observations, _, terminated, truncated, infos = env.step(agent.act(observations))
        for i in np.flatnonzero((terminated | truncated) & np.isnan(scores)):
            scores[i], lost[i] = infos["final_info"]["score"][i], terminated[i]
    return scores, lost


@pytest.fixture(scope="module")
def scores() -> dict[str, Any]:
    """Return the scores of the random agent and both rules."""
    players = {
        "random": ("random", RandomSettings()),
        "follow": ("rules", RulesSettings("follow")),
        "intercept": ("rules", RulesSettings("intercept")),
    }
    return {player: play(*how) for player, how in players.items()}


def test_the_better_rule_scores_more(scores: dict[str, Any]) -> None:
    means = {player: played.mean() for player, (played, _) in scores.items()}
    print({player: round(float(mean), 2) for player, mean in means.items()})
    assert 0.05 < means["random"] < 1.0
    assert 2 * means["random"] < means["follow"] < 20
    assert means["intercept"] > 40 > means["follow"]  # 40: solved


def test_intercepting_never_misses(scores: dict[str, Any]) -> None:
    assert not scores["intercept"][1].any()
    assert scores["follow"][1].all()


def test_tasks_without_a_rule_are_rejected() -> None:
    env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=2).unwrapped
    with pytest.raises(UnsuitableTaskError, match="has no rule `folow`; it has intercept, follow"):
        RulesAgent(task(env), RulesSettings("folow"), 0)
    screens: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=2, observation="screen").unwrapped
    with pytest.raises(UnsuitableTaskError, match="not screens"):
        RulesAgent(task(screens), RulesSettings(), 0)
    other = Task("CartPole-v1", env.single_observation_space, env.single_action_space, 2, 1)
    with pytest.raises(UnsuitableTaskError, match="CartPole-v1 has no hand-written rules"):
        RulesAgent(other, RulesSettings(), 0)


BICYCLE = matrices(Parameters())


def ridden(speed: float) -> Any:
    """Return the eigenvalues of the bicycle with the hand-written rider: T = gains @ (q, q')."""
    gains = np.array([16.0, -5.0, 5.0 * max(0.0, 6.5 - speed), -1.0])
    system = state_matrix(BICYCLE, speed, 9.81)
    system[2:] += np.outer(np.linalg.inv(BICYCLE.mass)[:, 1], gains)
    return np.linalg.eigvals(system)


def test_the_hand_written_rider_is_stable_in_the_linear_model() -> None:
    assert max(ridden(speed).real.max() for speed in np.linspace(1.05, 12.0, 111)) < 0
    assert ridden(0.95).real.max() > 0


def test_the_hand_written_rider_follows_its_formula() -> None:
    """Actions match the formula on states; pedal and brake have the sign of the speed's error."""
    env: Any = gymnasium.make_vec("BicycleBalance-v0", num_envs=64).unwrapped
    observations, _ = env.reset(seed=3)
    states = env.states
    agent = RulesAgent(task(env, "BicycleBalance-v0"), RulesSettings("ride"), 0)
    found = agent.act(observations)
    torque = 16 * states.roll - 5 * states.steer - states.steer_rate
    torque += 5 * np.maximum(0, 6.5 - states.speed) * states.roll_rate
    np.testing.assert_allclose(found[:, 0], np.clip(torque / 10, -1, 1), atol=1e-5)
    error = states.speed - states.commanded_speed
    np.testing.assert_allclose(found[:, 1], np.clip(-error, 0, 1), atol=1e-5)
    np.testing.assert_allclose(found[:, 2], np.clip(error, 0, 1), atol=1e-5)


def test_a_rider_who_lets_go_pedals_below_5_metres_per_second() -> None:
    env: Any = gymnasium.make_vec("BicycleBalance-v0", num_envs=40).unwrapped
    speeds = np.linspace(1.0, 8.8, 40)
    observations, _ = env.reset(seed=3, options={"state": {"speed": speeds}})
    agent = RulesAgent(task(env, "BicycleBalance-v0"), RulesSettings("let_go"), 0)
    nothing = np.zeros(40)
    expected = np.stack((nothing, speeds < 5.0, nothing), 1)
    assert np.array_equal(agent.act(observations), expected)


def test_features_of_the_bicycle() -> None:
    """The goal is seen as its cosine and sine; 1/3 rad to the side or more counts as 1."""
    env: Any = gymnasium.make_vec("BicycleBalance-v0", num_envs=64, task="goal").unwrapped
    observations, _ = env.reset(seed=3)
    states = env.states
    found = features(observations)
    np.testing.assert_array_equal(found[:, [0, 1, 2, 4, 5]], observations[:, [0, 1, 2, 3, 5]])
    slowness = np.maximum(0.0, 6.5 - states.speed)
    np.testing.assert_allclose(found[:, 3], slowness * observations[:, 2], rtol=1e-5)
    direction = np.arctan2(observations[:, 7], observations[:, 6])
    np.testing.assert_allclose(found[:, 6], np.clip(3 * direction, -1, 1), rtol=1e-5)
    assert (found[:, 7] == 1.0).all()


@pytest.mark.parametrize(
    ("options", "rule", "least", "most"),
    [
        ({"task": "balance"}, "ride", 19.0, 20.0),
        ({"task": "balance"}, "let_go", 0.0, 3.0),
        ({"task": "balance", "action": "discrete"}, "ride", 17.0, 20.0),
        ({"task": "goal"}, "ride", 1.0, 1.0),
        ({"task": "path"}, "ride", 85.0, 110.0),
        ({"task": "slow"}, "ride", 24.0, 27.0),
    ],
)
def test_the_bicycles_rules_have_known_scores(
    options: dict[str, Any], rule: str, least: float, most: float
) -> None:
    env = gymnasium.make("BicycleBalance-v0", **options)
    asked = Task("BicycleBalance-v0", env.observation_space, env.action_space, 1, 1)
    agent = RulesAgent(asked, RulesSettings(rule), 0)
    found = evaluate(agent, "BicycleBalance-v0", options, 50, seed=9)
    assert least <= found.mean_score <= most
