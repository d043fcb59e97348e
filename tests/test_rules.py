"""The hand-written rules must score above a bar, or the game is not what it says."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest

from agents import make_agent
from agents.agent import Task, UnsuitableTaskError
from agents.random import RandomSettings
from agents.rules import RulesAgent, RulesSettings

GAMES_PLAYED = 100


def task(env: Any) -> Task:
    return Task(
        "PaddleBall-v0",
        env.single_observation_space,
        env.single_action_space,
        num_envs=GAMES_PLAYED,
        total_steps=1,
    )


def play(name: str, settings: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The scores of the first hundred games played to their ends, and which of them were lost."""
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
    """Mean scores of all three."""
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


def test_rules_say_what_they_can_serve() -> None:
    env: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=2).unwrapped
    with pytest.raises(UnsuitableTaskError, match="has no rule `folow`; it has intercept, follow"):
        RulesAgent(task(env), RulesSettings("folow"), 0)
    screens: Any = gymnasium.make_vec("PaddleBall-v0", num_envs=2, observation="screen").unwrapped
    with pytest.raises(UnsuitableTaskError, match="not screens"):
        RulesAgent(task(screens), RulesSettings(), 0)
    other = Task("CartPole-v1", env.single_observation_space, env.single_action_space, 2, 1)
    with pytest.raises(UnsuitableTaskError, match="nobody has written rules for CartPole-v1"):
        RulesAgent(other, RulesSettings(), 0)
